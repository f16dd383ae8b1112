"""Every kind of source goes through the same: its list is read, what it finds is told, and nothing else is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from django.utils import translation

from approvals.applications import matching
from approvals.applications.actions.matching import match_waiting
from approvals.applications.models import Application, Hit
from approvals.applications.sources import registry
from approvals.applications.sources.base import BLOCK, INFO, RECHECK, Kind
from approvals.applications.sources.lists import read_list
from approvals.people import registers
from approvals.people.models import Guardian, RegisterList
from tests.factories import StudentFactory, at_step, id_number, set_training_date
from tests.roster_files import grid, xlsx
from workflows.models import Case

pytestmark = pytest.mark.django_db
DAY = date(2026, 8, 31)
OTHER = id_number(date(1950, 1, 2), 8)
"""Somebody who applies for nothing."""

Cells = dict[str, Any]


@pytest.fixture(autouse=True)
def first_day() -> None:
    set_training_date()


def listed(kind: Kind, *rows: Cells) -> bytes:
    """A list of a kind as its office would send it: every column of the template, the example's cells where blank."""
    headings = [column.heading for column in kind.columns]
    example = {column.heading: column.example for column in kind.columns}
    return xlsx(grid([example | row for row in rows], headings))


def load(kind: str, *rows: Cells, day: date = DAY) -> RegisterList:
    """Reads such a list and loads it; none of its rows may be refused."""
    chosen = registry.kind_of(kind)
    assert chosen is not None
    reading = read_list(chosen, listed(chosen, *rows), "名册.xlsx", day)
    assert reading.refused == []
    return registers.load_list(kind, "某局", day, reading.rows)


def person_of(application: Application) -> str:
    return str(application.student.id_number)


def parent_of(application: Application, order: int = 3) -> str:
    number = id_number(date(1985, 7, 4), order)
    Guardian.objects.create(
        student=application.student, name="王大山", id_number=number, id_hash=matching.blind_index(number)
    )
    return number


@dataclass(frozen=True)
class Scenario:
    """An application with what it states, the row that a list has of it, and what must come of it."""

    code: str
    states: Cells = field(default_factory=dict)
    row: Callable[[Application], Cells] | None = None
    """None: the list names somebody else."""
    step: str = "recheck"


NUMBER = "身份证号"
SCENARIOS: dict[str, list[Scenario]] = {
    "poor_households": [
        Scenario("not_registered", {"special_groups": ["lifted_household"]}),
        Scenario("", {"special_groups": ["lifted_household"]}, lambda a: {NUMBER: person_of(a)}, "pending_approval"),
    ],
    "low_income": [
        Scenario("not_low_income", {"special_groups": ["dibao"]}),
        Scenario("", {"special_groups": ["dibao"]}, lambda a: {NUMBER: person_of(a)}, "pending_approval"),
        Scenario("", {"special_groups": ["tekun"]}, lambda a: {NUMBER: parent_of(a)}, "pending_approval"),
        Scenario("low_income_unstated", {}, lambda a: {NUMBER: person_of(a), "救助类别": "特困"}, "pending_approval"),
    ],
    "disabled": [
        Scenario("not_disabled", {"special_groups": ["disabled_student"]}),
        Scenario("", {"special_groups": ["disabled_student"]}, lambda a: {NUMBER: person_of(a)}, "pending_approval"),
        Scenario("parent_not_disabled", {"special_groups": ["child_of_disabled"]}),
        Scenario("", {"special_groups": ["child_of_disabled"]}, lambda a: {NUMBER: parent_of(a)}, "pending_approval"),
        Scenario(
            "", {"special_groups": ["child_of_disabled"], "guardian_id": id_number(date(1980, 2, 3), 5)},
            lambda a: {NUMBER: id_number(date(1980, 2, 3), 5)}, "pending_approval",
        ),
        Scenario("disabled_unstated", {}, lambda a: {NUMBER: person_of(a)}, "pending_approval"),
    ],
    "deceased": [
        Scenario("deceased", {}, lambda a: {NUMBER: person_of(a)}),
        Scenario("guardian_deceased", {}, lambda a: {NUMBER: parent_of(a)}, "pending_approval"),
        Scenario("", {}, None, "pending_approval"),
    ],
    "dual_enrolment": [
        Scenario("dual_enrolment", {}, lambda a: {NUMBER: person_of(a)}),
        Scenario(
            "", {}, lambda a: {NUMBER: person_of(a), "学校": f"河北省邯郸市{a.school.name}", "学校标识码": ""},
            "pending_approval",
        ),
        Scenario(
            "", {}, lambda a: {NUMBER: person_of(a), "学校": "旧校名", "学校标识码": a.school.code}, "pending_approval"
        ),
    ],
    "other_aid": [
        Scenario("other_aid_exclusive", {}, lambda a: {NUMBER: person_of(a), "资助项目": "义教生活补助"}),
        Scenario("other_aid", {}, lambda a: {NUMBER: person_of(a), "资助项目": "爱心助学款"}),
        Scenario(
            "", {}, lambda a: {NUMBER: person_of(a), "资助项目": "义教生活补助", "学期": "2024-2025学年"},
            "pending_approval",
        ),
    ],
    "account_holder": [
        Scenario("holder_differs", {}, lambda a: {"银行账号": a.account_no, "户名": "赵无关"}),
        Scenario("", {}, lambda a: {"银行账号": a.account_no, "户名": a.student.name}, "pending_approval"),
        Scenario("", {}, lambda a: {"银行账号": a.account_no, "户名": "王大山"}, "pending_approval"),
        Scenario(
            "account_closed", {}, lambda a: {"银行账号": a.account_no, "户名": "王大山", "账户状态": "已销户"}
        ),
    ],
    "accounts": [
        Scenario("card_name_mismatch", {"holder_name": "赵无关"}),
        Scenario("", {"holder_name": "王大山"}, None, "pending_approval"),
    ],
}  # fmt: skip
TOGETHER = {"account_shared", "account_two_holders", "other_aid_besides", "other_county", "register_missing"}
"""Codes that need more than one application, row or programme; tested by themselves below or beside."""


def test_every_kind_has_a_scenario_for_every_code() -> None:
    assert list(SCENARIOS) == [kind.code for kind in registry.kinds()]
    for kind in registry.kinds():
        assert {each.code for each in SCENARIOS[kind.code]} - {""} == set(kind.says) - TOGETHER, kind.code


@pytest.mark.parametrize("kind", registry.kinds(), ids=lambda kind: kind.code)
def test_a_kind_says_what_it_is_in_both_languages(kind: Kind) -> None:
    assert len(kind.code) <= 30
    values = {
        "groups": ["dibao"], "category": "dibao", "count": 3, "on": "", "schools": ["某校"], "aids": ["某项"],
        "offices": [""], "holders": ["王*"],
    }  # fmt: skip
    said = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said.append([str(kind.title), *(str(says.title) for says in kind.says.values())])
            assert all(matching.sentence(code, values) not in ("", code) for code in kind.says)
    assert not set(said[0]) & set(said[1])
    assert {says.weight for says in kind.says.values()} <= {INFO, RECHECK, BLOCK}


@pytest.mark.parametrize("kind", registry.listed_kinds(), ids=lambda kind: kind.code)
def test_the_example_of_a_kind_is_read_and_a_spoilt_number_refused(kind: Kind) -> None:
    assert kind.number in [column.heading for column in kind.columns if column.required]
    reading = read_list(kind, listed(kind, {}), "名册.xlsx", DAY)
    assert ([problem.code for _row, problems in reading.refused for problem in problems], len(reading.rows)) == ([], 1)
    for spoilt, code in ((6.2199900000000005e18, "number_form"), ("12", None)):
        reading = read_list(kind, listed(kind, {kind.number: spoilt}), "名册.xlsx", DAY)
        [(row, [problem])] = reading.refused
        assert (row, problem.column) == (2, kind.number)
        assert code in (None, problem.code)
        assert problem.message


@pytest.mark.parametrize("kind", registry.listed_kinds(), ids=lambda kind: kind.code)
def test_a_line_that_stands_twice_is_refused_the_second_time(kind: Kind) -> None:
    reading = read_list(kind, listed(kind, {}, {}), "名册.xlsx", DAY)
    [(row, [problem])] = reading.refused
    assert (row, problem.code, len(reading.rows)) == (3, "listed_twice", 1)


@pytest.mark.parametrize(
    ("kind", "scenario"),
    [(kind, scenario) for kind, scenarios in SCENARIOS.items() for scenario in scenarios],
    ids=lambda value: value if isinstance(value, str) else value.code or "nothing",
)
def test_what_a_kind_finds(kind: str, scenario: Scenario) -> None:
    application = at_step("data_check", **scenario.states)
    number = "6219999999990000000" if kind == "account_holder" else OTHER
    chosen = registry.kind_of(kind)
    assert chosen is not None
    rows = [{chosen.number: number}, *([scenario.row(application)] if scenario.row else [])]
    register = load(kind, *rows) if chosen.columns else None
    if kind != "poor_households" and scenario.states.get("special_groups"):
        registers.load_list("poor_households", "某局", DAY, [])
    assert match_waiting() == 1
    hits = [hit for hit in application.hits.all() if hit.source == kind]
    assert [hit.code for hit in hits] == ([scenario.code] if scenario.code else [])
    if scenario.code:
        assert (hits[0].list, hits[0].weight) == (register, chosen.says[scenario.code].weight)
        assert "%" not in matching.sentence(hits[0].code, hits[0].values)
    assert Case.objects.get(pk=application.pk).state == scenario.step


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("农村低保边缘家庭", "dibao_marginal"),
        ("低保（边缘）", "dibao_marginal"),
        ("城乡低收入家庭", "dibao_marginal"),
        ("农村低保家庭", "dibao"),
        ("城市 低保（A类）", "dibao"),
        ("农村特困人员", "tekun"),
        ("分散供养特困人员", "tekun"),
    ],
)
def test_who_is_just_above_the_allowance_is_not_read_as_one_who_has_it(text: str, category: str) -> None:
    chosen = registry.kind_of("low_income")
    assert chosen is not None
    reading = read_list(chosen, listed(chosen, {"救助类别": text}), "名册.xlsx", DAY)
    assert [row.category for row in reading.rows] == [category]


@pytest.mark.parametrize(
    ("kind", "column", "text"),
    [
        ("low_income", "救助类别", "非低保户"),
        ("low_income", "救助类别", "低保已停发家庭"),
        ("account_holder", "账户状态", "非已注销"),
    ],
)
def test_a_word_that_only_contains_a_category_is_refused_with_those_that_are_known(
    kind: str, column: str, text: str
) -> None:
    chosen = registry.kind_of(kind)
    assert chosen is not None
    [(_row, [problem])] = read_list(chosen, listed(chosen, {column: text}), "名册.xlsx", DAY, "zh-hans").refused
    assert (problem.column, problem.code) == (column, "category_unknown")
    assert text in problem.message
    assert {"low_income": "低保、特困、低保边缘", "account_holder": "正常、销户"}[kind] in problem.message


@pytest.mark.parametrize(
    ("kind", "column", "code"), [("poor_households", "类别", "category_unknown"), ("other_aid", "学期", "year_unknown")]
)
def test_a_number_in_the_wrong_cell_is_not_quoted(kind: str, column: str, code: str) -> None:
    chosen = registry.kind_of(kind)
    assert chosen is not None
    [(_row, [problem])] = read_list(chosen, listed(chosen, {column: OTHER}), "名册.xlsx", DAY, "zh-hans").refused
    assert (problem.column, problem.code) == (column, code)
    assert OTHER not in problem.message
    assert OTHER[6:14] not in problem.message


@pytest.mark.parametrize("kind", ["poor_households", "low_income"])
@pytest.mark.parametrize("heading", ["户编号", "户号", "低保证号", "证号"])
def test_numbers_of_households_and_certificates_are_not_kept(kind: str, heading: str) -> None:
    chosen = registry.kind_of(kind)
    assert chosen is not None
    content = xlsx([["姓名", NUMBER, heading], ["示例甲", OTHER, "D000001"]])
    [row] = read_list(chosen, content, "名册.xlsx", DAY).rows
    assert "D000001" not in repr(row)


def test_a_kind_without_a_list_finds_nothing() -> None:
    application = at_step("data_check")
    assert match_waiting() == 1
    assert (application.hits.count(), Case.objects.get(pk=application.pk).state) == (0, "pending_approval")


def test_a_list_that_is_no_longer_current_finds_nothing() -> None:
    application = at_step("data_check")
    load("deceased", {NUMBER: person_of(application)})
    load("deceased", {NUMBER: OTHER}, day=date(2026, 9, 1))
    match_waiting()
    assert application.hits.count() == 0


def test_two_holders_of_one_account_are_told_with_their_number() -> None:
    application = at_step("data_check")
    account = {"银行账号": application.account_no}
    load("account_holder", account | {"户名": application.student.name}, account | {"户名": "赵无关"})
    match_waiting()
    hit = application.hits.get()
    assert (hit.code, hit.values) == ("account_two_holders", {"count": 2})


def test_two_other_schools_are_one_hit_that_names_both() -> None:
    application = at_step("data_check")
    row = {NUMBER: person_of(application)}
    load("dual_enrolment", row | {"学校": "乙县第二小学"}, row | {"学校": "甲县第一小学"})
    match_waiting()
    hit = application.hits.get()
    assert hit.values == {"schools": ["乙县第二小学", "甲县第一小学"]}
    assert "乙县第二小学、甲县第一小学" in matching.sentence(hit.code, hit.values)


def test_aid_of_another_group_is_told_and_stops_nobody() -> None:
    from tests.factories import VersionFactory

    VersionFactory(changes={"code": "state_grant_x", "group": "state_grant", "project": "国家助学金"})
    application = at_step("data_check")
    load("other_aid", {NUMBER: person_of(application), "资助项目": "国家助学金"})
    match_waiting()
    assert [hit.code for hit in application.hits.all()] == ["other_aid_besides"]
    assert Case.objects.get(pk=application.pk).state == "pending_approval"


def test_a_subsistence_allowance_borne_out_by_either_register_is_no_hit() -> None:
    """Where civil affairs give a list of their own, a claim of theirs is judged by it, and not twice."""
    on_poor, on_none = (at_step("data_check", special_groups=["dibao"]) for _ in range(2))
    load("poor_households", {NUMBER: person_of(on_poor), "类别": "低保"})
    load("low_income", {NUMBER: OTHER})
    match_waiting()
    assert on_poor.hits.count() == 0
    assert [hit.code for hit in on_none.hits.all()] == ["not_low_income"]


def test_accounts_are_counted_as_elsewhere() -> None:
    """The statement and `shared_accounts`, which the payment rooms ask, agree on pupils, households and strangers."""
    from tests.factories import HouseholdFactory, SchoolFactory, account_number

    school, home = SchoolFactory(), HouseholdFactory()
    made = []
    for order, households in enumerate(([home] * 3, [home, home, None], [None] * 3, [home, home], [None, None])):
        for household in households:
            pupil = StudentFactory(school=school, household=household)
            made.append(
                at_step("data_check", school=school, student=pupil, account_no=account_number(900 + order),
                        holder_name="王大山")
            )  # fmt: skip
    match_waiting()
    shared = matching.shared_accounts({bytes(each.account_hash) for each in made})
    assert len(shared) == 2
    for each in made:
        found = Hit.objects.filter(application=each, code="account_shared").values_list("values", flat=True)
        expected = shared.get(bytes(each.account_hash))
        assert [values["count"] for values in found] == ([expected] if expected else [])
