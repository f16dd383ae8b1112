"""Rules answer yes, no, or that they cannot tell; an open question never counts as a yes."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from approvals.programmes.definition import Definition, read_file
from approvals.programmes.eligibility import FACTS, Finding, evaluate, sentence

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "programmes"
PROGRAMMES = {read_file(path).code: read_file(path) for path in FOLDER.glob("*.yaml")}


def facts(**changes: Any) -> dict[str, Any]:
    return FACTS | changes


def found(code: str, **changes: Any) -> dict[str, bool | None]:
    return {each.code: each.holds for each in evaluate(PROGRAMMES[code], facts(**changes))}


def test_a_boarder_fits_the_boarders_subsidy_and_not_the_day_pupils() -> None:
    assert found("living_subsidy_boarder", boarder=True)["boards"] is True
    assert found("living_subsidy_day", boarder=True)["does_not_board"] is False


def test_a_day_pupil_of_no_listed_group_is_told_apart() -> None:
    assert found("living_subsidy_day", boarder=False, special_groups=["left_behind_child"])["listed_group"] is False
    assert found("living_subsidy_day", boarder=False, special_groups=["orphan"])["listed_group"] is True


@pytest.mark.parametrize(
    ("school", "category", "in_county", "expected"),
    [
        ("3413049990", "lifted_household", True, [True, True, True]),
        ("3613049980", "monitored_marginal", True, [True, True, True]),
        ("2113049901", "lifted_household", True, [False, True, True]),
        ("3413049990", "dibao", True, [True, False, True]),
        ("3413049990", "lifted_household", False, [True, True, False]),
        ("3413049990", "", None, [True, False, True]),
        ("3413049990", None, None, [True, None, None]),
    ],
)
def test_the_waiver_is_for_households_of_this_county_at_the_two_schools(
    school: str, category: str | None, in_county: bool | None, expected: list[bool | None]
) -> None:
    answers = found(
        "tuition_waiver_registered", school_code=school, register_category=category, registered_in_county=in_county
    )
    assert [answers[rule] for rule in ("named_school", "registered_household", "of_this_county")] == expected


def test_who_states_a_group_that_the_register_does_not_bear_out_is_found() -> None:
    stated = {"special_groups": ["lifted_household"]}
    assert found("senior_state_grant", **stated, register_category="")["register_bears_out"] is False
    assert found("senior_state_grant", **stated, register_category="dibao")["register_bears_out"] is True
    assert found("senior_state_grant", **stated, register_category=None)["register_bears_out"] is None
    assert found("senior_state_grant", special_groups=[], register_category=None)["register_bears_out"] is True


@pytest.mark.parametrize("code", sorted(PROGRAMMES))
def test_without_any_fact_no_rule_holds(code: str) -> None:
    assert [finding.holds for finding in evaluate(PROGRAMMES[code], {})] == [None] * len(PROGRAMMES[code].rules)


@given(
    st.sampled_from(sorted(PROGRAMMES)),
    st.dictionaries(
        st.sampled_from(sorted(FACTS)),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.lists(st.text(max_size=4), max_size=2)
        ),
    ),
)
def test_no_facts_whatever_their_type_raise_or_break_the_sentence(code: str, given_facts: dict[str, Any]) -> None:
    definition = PROGRAMMES[code]
    for finding in evaluate(definition, given_facts):
        assert finding.holds in (True, False, None)
        for language in ("zh-hans", "en"):
            assert sentence(definition, finding, language)


def with_rule(when: str) -> Definition:
    words = {"zh": "好。", "en": "Good."}
    data = PROGRAMMES["living_subsidy_boarder"].definition()
    data["rules"] = [{"code": "a_rule", "asks": words, "when": when, "holds": words, "fails": words, "unknown": words}]
    return Definition.model_validate(data)


@pytest.mark.parametrize(
    ("when", "known", "holds"),
    [
        ("boarder && verified", {"boarder": False}, False),
        ("boarder && verified", {"boarder": True}, None),
        ("boarder || verified", {"boarder": True}, True),
        ("boarder || verified", {"boarder": False}, None),
        ("!boarder", {"boarder": None}, None),
        ("amount_fen == 62500", {"amount_fen": None}, None),
        ("amount_fen > 62500", {"amount_fen": 62501}, True),
        ('!special_groups.exists(g, g == "orphan")', {"special_groups": []}, True),
        ('!special_groups.exists(g, g == "orphan")', {}, None),
    ],
)
def test_an_unknown_fact_leaves_open_only_what_depends_on_it(
    when: str, known: dict[str, Any], holds: bool | None
) -> None:
    [finding] = evaluate(with_rule(when), known)
    assert finding.holds is holds


def test_a_finding_keeps_the_facts_it_was_judged_by_and_no_others() -> None:
    [finding] = evaluate(with_rule("boarder && age > 6"), facts(boarder=True, age=9))
    assert finding == Finding("a_rule", True, {"boarder": True, "age": 9})
    assert finding.as_json() == {"code": "a_rule", "holds": True, "values": {"boarder": True, "age": 9}}


def test_a_stored_finding_speaks_both_languages() -> None:
    definition = PROGRAMMES["living_subsidy_day"]
    stored = {"code": "listed_group", "holds": True, "values": {"special_groups": ["dibao", "orphan"]}}
    assert sentence(definition, stored, "zh-hans") == "属于非寄宿生补助的特殊群体（低保、孤儿）。"
    assert sentence(definition, stored, "en") == "Belongs to the groups for day pupils (Subsistence allowance, Orphan)."


def test_money_in_a_sentence_is_yuan() -> None:
    definition = PROGRAMMES["senior_state_grant"]
    stored = {"code": "severe_not_in_lowest_tier", "holds": False, "values": {"level": "severe", "amount_fen": 75000}}
    assert "750.00元" in sentence(definition, stored, "zh-hans")


def test_a_finding_of_a_rule_that_is_gone_shows_its_code() -> None:
    assert sentence(PROGRAMMES["living_subsidy_day"], {"code": "old_rule", "holds": True}, "en") == "old_rule"


def test_ten_thousand_applications_are_judged_quickly() -> None:
    from time import process_time

    definition, known = PROGRAMMES["living_subsidy_boarder"], facts()
    evaluate(definition, known)
    start = process_time()
    for _ in range(10_000):
        evaluate(definition, known)
    assert process_time() - start < 2.0  # some 0.4 s on a quiet machine
