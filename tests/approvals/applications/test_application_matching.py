"""The data match: claims against the register, accounts against each other, hits that people waive."""

import threading
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction

from approvals.applications import actions, matching
from approvals.applications.models import Application, Hit
from approvals.people import registers
from tests.factories import (
    ApplicationFactory,
    HouseholdFactory,
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    account_number,
    at_step,
    set_training_date,
    stand_in,
    walk_to,
)
from workflows import Reason, decide
from workflows.background import run_due
from workflows.facts import set_facts
from workflows.models import Case, Record
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db

HOLDS = Reason("verified", "逐人核实,入户查看属实")


@pytest.fixture(autouse=True)
def first_day() -> None:
    set_training_date()


def load(*rows: registers.Row) -> None:
    registers.load_list(registers.POOR_HOUSEHOLDS, "县农业农村局", date(2026, 8, 31), rows)


def listed(application: Application, category: str = "lifted_household", in_county: bool = True) -> registers.Row:
    return registers.Row(bytes(application.student.id_hash), category, "", in_county)


def state(application: Application) -> str:
    return Case.objects.get(pk=application.case_id).state


def hits(application: Application) -> list[str]:
    return [hit.code for hit in application.hits.all()]


def test_a_claim_that_the_register_bears_out_goes_on_and_says_so() -> None:
    application = at_step("data_check", special_groups=["lifted_household"])
    load(listed(application))
    run_due()
    assert state(application) == "pending_approval"
    application.refresh_from_db()
    [finding] = application.findings
    assert (finding["code"], finding["holds"], finding["values"]["category"]) == (
        "registered", True, "lifted_household",
    )  # fmt: skip


def test_a_claim_that_it_does_not_bear_out_is_a_hit() -> None:
    application = at_step("data_check", special_groups=["dibao", "left_behind_child"])
    load()
    run_due()
    assert state(application) == "recheck"
    assert hits(application) == ["not_registered"]
    assert Case.objects.get(pk=application.case_id).open_hits == 1
    assert Record.objects.filter(about_id=application.case_id, act="hit", actor="").exists()


def test_who_claims_nothing_is_not_looked_for() -> None:
    application = at_step("data_check", special_groups=["left_behind_child"])
    load()
    run_due()
    assert state(application) == "pending_approval"


def test_without_a_register_a_claim_is_not_waved_through() -> None:
    application = at_step("data_check", special_groups=["dibao"])
    run_due()
    assert (state(application), hits(application)) == ("recheck", ["register_missing"])


@pytest.mark.parametrize(
    ("category", "in_county", "found"),
    [
        ("lifted_household", True, []),
        ("dibao", True, ["not_registered"]),
        ("lifted_household", False, ["other_county"]),
    ],
)
def test_a_programme_for_registered_households_of_the_county_asks_the_register_itself(
    category: str, in_county: bool, found: list[str]
) -> None:
    words = {"zh": "示例。", "en": "Example."}
    sentences = dict.fromkeys(("asks", "holds", "fails", "unknown"), words)
    rules = [
        {"code": "registered", "when": 'register_category == "lifted_household"', **sentences},
        {"code": "of_this_county", "when": 'register_category == "" || registered_in_county', **sentences},
    ]
    application = at_step("data_check", version=VersionFactory(changes={"rules": rules}))
    load(listed(application, category, in_county))
    run_due()
    assert hits(application) == found


def load_low_income(*rows: registers.Row) -> None:
    """A list of civil affairs, later than the register of poor households."""
    registers.load_list(registers.LOW_INCOME, "县民政局", date(2026, 9, 1), rows)


SENTENCES = {key: {"zh": "示例。", "en": "Example."} for key in ("asks", "holds", "fails", "unknown")}
REGISTERED = [
    {
        "code": "registered",
        "when": 'register_category in ["lifted_household", "monitored_household"]',
        **SENTENCES,
    },
    {
        "code": "of_this_county",
        "when": 'register_category == "" || registered_in_county',
        **SENTENCES,
    },
]
"""A programme for lifted and monitored households of this county."""


@pytest.mark.parametrize(
    ("in_county", "found"), [(True, ["low_income_unstated"]), (False, ["low_income_unstated", "other_county"])]
)
def test_a_later_list_of_civil_affairs_does_not_take_a_pupil_off_the_register_of_poor_households(
    in_county: bool, found: list[str]
) -> None:
    application = at_step("data_check", version=VersionFactory(changes={"rules": REGISTERED}))
    load(listed(application, in_county=in_county))
    load_low_income(listed(application, "dibao"))
    run_due()
    assert sorted(hits(application)) == found


@pytest.mark.parametrize("category", ["dibao", "tekun", "dibao_marginal"])
def test_a_list_of_civil_affairs_bears_out_no_claim_of_a_lifted_household(category: str) -> None:
    application = at_step("data_check", special_groups=["lifted_household"])
    load()
    load_low_income(listed(application, category))
    run_due()
    assert "not_registered" in hits(application)


def test_it_stands_in_for_whom_the_register_does_not_have_and_only_by_subsistence_allowance() -> None:
    rules = [REGISTERED[0] | {"when": 'register_category == "dibao"'}]
    version = VersionFactory(changes={"rules": rules})
    allowed, marginal = (at_step("data_check", version=version) for _ in range(2))
    load()
    load_low_income(listed(allowed, "dibao"), listed(marginal, "dibao_marginal"))
    run_due()
    assert "not_registered" not in hits(allowed)
    assert "not_registered" in hits(marginal)


def test_with_a_list_of_civil_affairs_alone_the_register_is_still_missing() -> None:
    lifted = at_step("data_check", special_groups=["lifted_household"])
    allowed = at_step("data_check", special_groups=["dibao"])
    load_low_income(listed(allowed, "dibao"), listed(lifted, "dibao"))
    run_due()
    assert "register_missing" in hits(lifted)
    assert hits(allowed) == [], "what civil affairs bear out needs no other register"


def test_one_account_for_three_pupils_is_a_hit_unless_they_are_one_household() -> None:
    school = SchoolFactory()
    account = "6219990000000000010"
    strangers = [at_step("data_check", school=school, account_no=account) for _ in range(3)]
    home = HouseholdFactory()
    siblings = [
        at_step("data_check", student=StudentFactory(school=school, household=home), school=school,
                account_no="6219990000000000028")
        for _ in range(3)
    ]  # fmt: skip
    pair = [at_step("data_check", school=school, account_no="6219999900000008") for _ in range(2)]
    run_due()
    assert [hits(each) for each in strangers] == [["account_shared"]] * 3
    assert [state(each) for each in siblings + pair] == ["pending_approval"] * 5
    assert "3" in matching.sentence("account_shared", strangers[0].hits.get().values)


def test_an_account_in_a_third_persons_name_is_a_hit() -> None:
    stranger = at_step("data_check", holder_name="李四")
    parent = at_step("data_check", holder_name="王大山")
    run_due()
    assert hits(stranger) == ["card_name_mismatch"]
    assert state(parent) == "pending_approval"


def test_a_waived_hit_says_who_when_and_why_and_does_not_count_again() -> None:
    application = at_step("data_check", special_groups=["dibao"])
    load()
    run_due()
    recheck = open_item_of(application.case_id).pk
    [without] = decide([recheck], "approve", stand_in("recheck_county"))
    assert without.code == "reason_required"
    [result] = decide([recheck], "approve", stand_in("recheck_county"), HOLDS)
    assert result.ok
    hit = application.hits.get()
    assert (hit.waived_by, hit.waived_reason) == ("某人(recheck_county)", HOLDS.text)
    assert hit.waived_at is not None
    case = Case.objects.get(pk=application.case_id)
    assert (case.state, case.open_hits) == ("county_review", 0)
    walk_to("data_check", application)
    run_due()
    assert (state(application), hits(application)) == ("pending_approval", ["not_registered"])


def test_a_hit_that_a_correction_took_away_is_gone() -> None:
    application = at_step("data_check", special_groups=["dibao"])
    load()
    run_due()
    decide(
        [open_item_of(application.case_id).pk], "return", stand_in("recheck_county"),
        Reason("evidence_missing", "请提供低保证或更正类型"),
    )  # fmt: skip
    Application.objects.filter(pk=application.case_id).update(special_groups=[])
    walk_to("recheck", application)
    decide([open_item_of(application.case_id).pk], "approve", stand_in("recheck_county"), HOLDS)
    Hit.objects.update(waived_at=None)
    walk_to("data_check", application)
    run_due()
    assert (state(application), hits(application)) == ("pending_approval", [])


def test_the_number_of_statements_does_not_grow_with_the_applications(django_assert_max_num_queries: Any) -> None:
    school = SchoolFactory()
    for number in range(12):
        at_step("data_check", school=school, special_groups=["dibao"] if number % 2 else [])
    load()
    with django_assert_max_num_queries(40):
        assert actions.match_waiting() == 12


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_machines_match_every_application_once() -> None:
    set_training_date()
    school = SchoolFactory()
    applications = [at_step("data_check", school=school) for _ in range(6)]
    done: list[int] = []

    def work() -> None:
        try:
            while piece := actions.match_waiting(2):
                done.append(piece)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 6
    cleared = Record.objects.filter(act="clear", about_id__in=[each.case_id for each in applications])
    assert cleared.count() == 6


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_nothing_is_lost() -> None:
    set_training_date()
    application = ApplicationFactory(special_groups=["dibao"])
    walk_to("data_check", application)
    load()
    with transaction.atomic():
        assert actions.match_waiting() == 1
        transaction.set_rollback(True)
    assert (state(application), hits(application)) == ("data_check", [])
    run_due()
    assert (state(application), hits(application)) == ("recheck", ["not_registered"])


def test_a_waived_hit_counts_again_when_what_was_matched_has_changed() -> None:
    application = at_step("data_check", holder_name="陌生人")
    run_due()
    decide([open_item_of(application.case_id).pk], "approve", stand_in("recheck_county"), HOLDS)
    walk_to("data_check", application)
    run_due()
    assert state(application) == "pending_approval", "waived for this account"
    hit = application.hits.get()
    assert hit.waived_at is not None
    decide(
        [open_item_of(application.case_id).pk], "return", stand_in("approve_county"),
        Reason("account_invalid", "账号有误，请更正后重新提交"),
    )  # fmt: skip
    Application.objects.filter(pk=application.case_id).update(holder_name="另一陌生人")
    set_facts([application.case_id], resume="county_review")
    walk_to("data_check", application)
    run_due()
    hit.refresh_from_db()
    assert (state(application), hit.waived_at, hit.waived_by) == ("recheck", None, "")


def test_a_waived_hit_counts_again_when_what_it_says_has_changed() -> None:
    application = at_step("data_check", account_no=account_number(31))
    for _ in range(2):
        ApplicationFactory(account_no=account_number(31))
    run_due()
    decide([open_item_of(application.case_id).pk], "approve", stand_in("recheck_county"), HOLDS)
    walk_to("data_check", application)
    ApplicationFactory(account_no=account_number(31))
    run_due()
    hit = application.hits.get()
    assert (state(application), hit.values, hit.waived_at) == ("recheck", {"count": 4}, None)
