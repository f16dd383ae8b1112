"""Programme files are checked field by field before anything is loaded."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from pydantic import ValidationError

from approvals.programmes.definition import DefinitionError, digest_of, read_file
from tests.factories import definition, every_notice

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "programmes"
BOARDER = FOLDER / "20_living_subsidy_boarder.yaml"


def changed(tmp_path: Path, **changes: Any) -> Path:
    data = yaml.safe_load(BOARDER.read_text(encoding="utf-8")) | changes
    path = tmp_path / "programme.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DefinitionError) as refused:
        read_file(path)
    return str(refused.value)


def rule(**changes: Any) -> dict[str, Any]:
    words = {"zh": "好。", "en": "Good."}
    said = dict.fromkeys(("asks", "holds", "fails", "unknown"), words)
    return {"code": "a_rule", "when": "boarder"} | said | changes


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_programme_of_the_county_is_valid(path: Path) -> None:
    file = read_file(path)
    assert file.windows
    assert path.stem.endswith(file.code)


def test_the_six_programmes_of_the_plan_are_there() -> None:
    assert [read_file(path).code for path in sorted(FOLDER.glob("*.yaml"))] == [
        "hardship_recognition", "living_subsidy_boarder", "living_subsidy_day", "senior_state_grant",
        "voc_state_grant", "tuition_waiver_registered",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"colour": "red"}, "colour", "Extra inputs are not permitted"),
        ({"order": "twenty"}, "order", "valid integer"),
        ({"boarder": "yes"}, "boarder", "valid boolean"),
        ({"stages": ["nursery"]}, "stages.0", "unknown stage"),
        ({"steps": ["school_notice", "class_review"]}, "steps", "no optional step of the route: class_review"),
        ({"steps": ["payment", "school_notice"]}, "steps", "in the order of the route"),
        ({"disbursement": "none"}, "steps", "a programme that pays"),
        ({"rates": []}, "rates", "a programme that pays has rates"),
        ({"needs": ["level", "amount"]}, "needs", "an account is needed"),
        ({"limits": {"class_review": 3}}, "limits", "no step of the route: class_review"),
        ({"limits": {"school_review": 0}}, "limits.school_review", "greater than or equal to 1"),
        ({"evidence": ["village_stamp"]}, "evidence.0", "unknown kind of evidence"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_by_name_and_field(
    tmp_path: Path, changes: dict[str, Any], field: str, says: str
) -> None:
    message = refusal(changed(tmp_path, **changes))
    assert message.startswith("programme.yaml: ")
    assert field in message
    assert says in message


def test_every_wrong_field_is_named_at_once(tmp_path: Path) -> None:
    assert len(refusal(changed(tmp_path, order="x", name="", stages=[])).splitlines()) == 3


@pytest.mark.parametrize("amount", [625, 625.0, "625", "625.5", "-625.00", "6.250,00"])
def test_an_amount_that_yaml_could_have_changed_is_refused(tmp_path: Path, amount: Any) -> None:
    rate = {"first_term": "2023-2024-2", "stage": "primary", "amount": amount, "source": "财政部"}
    assert "rates.0.amount" in refusal(changed(tmp_path, rates=[rate]))


def test_a_rate_given_twice_for_a_term_is_refused(tmp_path: Path) -> None:
    rate = {"first_term": "2023-2024-2", "stage": "primary", "amount": "625.00", "source": "财政部"}
    assert "is given twice" in refusal(changed(tmp_path, rates=[rate, rate | {"amount": "500.00"}]))


@pytest.mark.parametrize("term", ["2026年秋季学期", "2026-2028-1", "2026-2027-3"])
def test_a_term_is_written_as_its_code(tmp_path: Path, term: str) -> None:
    rate = {"first_term": term, "stage": "primary", "amount": "625.00", "source": "财政部"}
    assert "rates.0.first_term" in refusal(changed(tmp_path, rates=[rate]))


@pytest.mark.parametrize("column", ["身份证号", "学籍号", "银行账号", "联系电话", "特殊群体类型", "金额"])
def test_no_private_column_can_be_put_on_a_notice(tmp_path: Path, column: str) -> None:
    notices = {
        "school_notice": {"days": 5, "columns": ["序号", "姓名", column]},
        "county_notice": {"days": 5, "columns": ["序号", "姓名"], "mask_names": True},
    }
    assert f"may not be published: {column}" in refusal(changed(tmp_path, notices=notices))


def test_a_notice_lasts_at_least_five_days(tmp_path: Path) -> None:
    notices = {
        "school_notice": {"days": 4, "columns": ["序号", "姓名"]},
        "county_notice": {"days": 5, "columns": ["序号", "姓名"], "mask_names": True},
    }
    assert "notices.school_notice.days" in refusal(changed(tmp_path, notices=notices))


def test_names_on_the_countys_website_are_masked(tmp_path: Path) -> None:
    notices = {step: {"days": 5, "columns": ["序号", "姓名"]} for step in ("school_notice", "county_notice")}
    assert "notices.county_notice: names shown beyond the school are masked" in refusal(
        changed(tmp_path, notices=notices)
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"when": "boarder =="}, "not an expression"),
        ({"when": "bourder"}, "unknown facts: bourder"),
        ({"when": "age"}, "does not answer yes or no"),
        ({"when": "stage > 3"}, "cannot be answered"),
        ({"when": "today() == age"}, "unknown functions: today"),
        ({"holds": {"zh": "{name}", "en": "x"}}, "a sentence names unknown facts: name"),
        ({"fails": {"zh": "不好。"}}, "fails.en"),
    ],
)
def test_a_rule_that_could_only_fail_later_is_refused_now(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    message = refusal(changed(tmp_path, rules=[rule(**changes)]))
    assert "rules.0" in message
    assert says in message


def test_a_key_given_twice_is_refused_and_not_silently_overridden(tmp_path: Path) -> None:
    path = tmp_path / "programme.yaml"
    path.write_text(BOARDER.read_text(encoding="utf-8") + "\norder: 99\n", encoding="utf-8")
    assert "'order' is given twice" in refusal(path)


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "programme.yaml"
    path.write_text("code: [", encoding="utf-8")
    assert refusal(path).startswith("programme.yaml: ")


def test_windows_are_no_part_of_the_definition(tmp_path: Path) -> None:
    window = {"term": "2030-2031-1", "opens_on": "2030-09-01", "closes_on": "2030-09-30"}
    text, rest = BOARDER.read_text(encoding="utf-8").split("windows:")
    funds = rest[rest.index("funds:") :]
    path = tmp_path / "programme.yaml"
    line = ", ".join(f"{name}: {value}" for name, value in window.items())
    path.write_text(f"{text}windows:\n  - {{{line}}}\n{funds}", encoding="utf-8")
    assert digest_of(read_file(path).definition()) == digest_of(read_file(BOARDER).definition())
    assert [window.term for window in read_file(path).windows] == ["2030-2031-1"]


def test_a_window_that_closes_before_it_opens_is_refused(tmp_path: Path) -> None:
    text = BOARDER.read_text(encoding="utf-8").replace("closes_on: 2026-09-30", "closes_on: 2026-08-30")
    path = tmp_path / "programme.yaml"
    path.write_text(text, encoding="utf-8")
    assert "closes before it opens" in refusal(path)


# ---------------------------------------------------------------- what is shown where, and for how long


@pytest.mark.parametrize(
    ("step", "changes", "says"),
    [
        ("township_notice", {"mask_names": False}, "names shown beyond the school are masked"),
        ("county_notice", {"mask_names": False}, "names shown beyond the school are masked"),
        ("township_notice", {"columns": ["姓名", "困难等级"]}, "no hardship level is shown beyond the school"),
        ("county_notice", {"columns": ["姓名", "困难等级"]}, "no hardship level is shown beyond the school"),
        ("class_notice", {"mask_names": True}, "class and school show names in full"),
        ("school_notice", {"mask_names": True}, "class and school show names in full"),
        ("class_notice", {"day_kind": "calendar", "days": 10}, "its days are working days"),
        ("school_notice", {"day_kind": "calendar", "days": 10}, "its days are working days"),
        ("county_notice", {"day_kind": "calendar", "days": 9}, "at least 10 calendar days"),
        ("township_notice", {"day_kind": "working", "days": 4}, "greater than or equal to 5"),
    ],
)
def test_what_may_be_shown_where_and_for_how_long_is_a_rule(step: str, changes: dict[str, Any], says: str) -> None:
    given = every_notice()
    given["notices"][step] |= changes
    with pytest.raises(ValidationError) as error:
        definition(**given)
    assert says in str(error.value)


def test_four_levels_and_a_project_notice_of_ten_calendar_days_are_a_programme() -> None:
    given = every_notice()
    given["notices"]["county_notice"] |= {"day_kind": "calendar", "days": 10}
    assert list(definition(**given)["notices"]) == ["class_notice", "school_notice", "township_notice", "county_notice"]


@pytest.mark.parametrize("review", ["class_review", "township_review"])
def test_a_notice_without_the_review_that_it_makes_public_is_refused(review: str) -> None:
    given = every_notice()
    given["steps"].remove(review)
    with pytest.raises(ValidationError, match=f"makes public what {review} has found"):
        definition(**given)


def test_the_route_of_2026_knows_no_class_notice() -> None:
    with pytest.raises(ValidationError, match="no optional step of the route"):
        definition(**every_notice(flow="aid"))
