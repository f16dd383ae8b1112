"""An entitlement over terms and years: for a stage, once for all, in instalments, at corrected rates."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.awards import actions, queries
from approvals.awards.actions.granting import grant, in_parts
from approvals.awards.models import Award, AwardDifference, AwardInstalment
from approvals.awards.refusals import Refused
from approvals.disbursement.models import PaymentLine
from approvals.organisations.queries import below
from approvals.people.models import Student
from approvals.programmes.models import ProgrammeVersion
from tests.approvals.awards.conftest import WHY, Office, code, done, fresh
from tests.factories import (
    TERM,
    ApplicationFactory,
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    acting,
    at_step,
    definition,
    officer_of,
    stand_in,
)
from workflows import decide
from workflows.models import Record
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db
NEXT = "2027-2028-1"


def waiver(**award: Any) -> ProgrammeVersion:
    """免学费 for senior pupils to the end of the stage."""
    return VersionFactory(
        changes={
            "code": "tuition_waiver", "group": "tuition_waiver", "stages": ["senior"], "needs": ["amount"],
            "disbursement": "fee_waiver_settlement",
            "rates": [
                {"first_term": "2026-2027-1", "amount": "400.00", "source": "示例"},
                {"first_term": "2027-2028-1", "amount": "450.00", "source": "示例"},
            ],
            "award": {"lasts": "stage", "exclusive": "stage"} | award,
        }
    )  # fmt: skip


def repayment() -> ProgrammeVersion:
    """代偿: a third a year for three years, once for all."""
    return VersionFactory(
        changes={
            "code": "loan_repayment", "group": "tuition_or_loan",
            "rates": [{"first_term": "2026-2027-1", "amount": "20000.00", "source": "示例"}],
            "award": {"exclusive": "lifetime", "instalments": {"count": 3}},
        }
    )  # fmt: skip


def senior(office: Office, grade: str = "高一") -> Any:
    office.school.stages = ["senior"]
    office.school.save()
    return StudentFactory(school=office.school, stage="senior", grade=grade)


def amounts(award: Award) -> list[tuple[str, str]]:
    return [(term.term, str(term.amount)) for term in award.terms.order_by("term")]


# ---------------------------------------------------------------- for a stage


def test_a_waiver_lasts_to_the_end_of_the_stage_at_the_rates_of_each_year(office: Office) -> None:
    version = waiver()
    award = office.award(version, student=senior(office))
    assert (award.ends_on, award.lasting, award.span) == (date(2029, 8, 31), True, "senior")
    office.pay(TERM, version)
    office.today(date(2027, 2, 20))
    office.pay("2026-2027-2", version)
    assert actions.continue_lasting() == 0
    office.today(date(2027, 9, 6))
    assert actions.complete_over() == 0
    assert actions.continue_lasting() == 1
    assert amounts(award)[2:] == [(NEXT, "450.00"), ("2027-2028-2", "450.00")]
    assert actions.continue_lasting() == 0
    assert office.pay(NEXT, version).total == Decimal("450.00")
    assert fresh(award).state == "active"


def test_it_goes_on_though_the_household_leaves_the_register(office: Office) -> None:
    award = office.award(waiver(), student=senior(office), special_groups=["lifted_household"])
    award.case.application.__class__.objects.filter(pk=award.case_id).update(special_groups=[])
    office.today(date(2027, 9, 6))
    assert actions.continue_lasting() == 1
    assert fresh(award).basis["special_groups"] == ["lifted_household"]


def test_it_ends_with_the_last_grade(office: Office) -> None:
    version = waiver()
    award = office.award(version, student=senior(office, "高三"))
    assert award.ends_on == date(2027, 8, 31)
    office.today(date(2027, 9, 6))
    assert actions.continue_lasting() == 0


def test_a_year_of_leave_makes_it_a_year_longer(office: Office) -> None:
    award = office.suspended(office.award(waiver(), student=senior(office)))
    office.today(date(2027, 9, 6))
    assert actions.continue_lasting() == 1
    award = office.resumed(award, date(2027, 9, 6))
    assert award.ends_on == date(2030, 8, 31)


def test_other_awards_end_with_the_school_year(office: Office) -> None:
    award = office.award()
    office.today(date(2027, 9, 6))
    assert actions.continue_lasting() == 0
    assert award.ends_on == date(2027, 8, 31)


# ---------------------------------------------------------------- one of a group


def test_whoever_has_it_for_the_stage_is_not_granted_it_again_a_year_later(office: Office) -> None:
    version = waiver()
    award = office.award(version, student=senior(office))
    office.today(date(2027, 9, 6))
    again = ApplicationFactory(student=award.student, school=office.school, version=version, term=NEXT)
    item = open_item_of(again.case_id)
    [result] = decide([item.pk], "submit", stand_in("submit_application"))
    assert result.code in ("already_awarded", "window_closed")


def test_the_county_does_not_approve_what_an_award_excludes(office: Office) -> None:
    version = waiver()
    student = senior(office)
    pending = at_step("pending_approval", student=student, school=office.school, version=version)
    award = office.award(version, student=senior(office))
    Award.objects.filter(pk=award.pk).update(student=student)
    [result] = decide([open_item_of(pending.case_id).pk], "approve", stand_in("approve_county"))
    assert result.code == "already_awarded"
    assert "2026-2027" in result.message


def test_the_database_keeps_one_award_of_a_group_and_span(office: Office) -> None:
    version = waiver()
    award = office.award(version, student=senior(office))
    other = at_step("draft", school=office.school, version=version, student=senior(office))
    with pytest.raises(IntegrityError, match="one_award_per_span"), transaction.atomic():
        award.pk, award.case_id = None, other.case_id
        award.save()


def test_a_case_that_slips_through_gets_no_award_and_its_record_says_why(office: Office) -> None:
    version = repayment()
    award = office.award(version)
    late = at_step("draft", school=office.school, version=version)
    late.__class__.objects.filter(pk=late.pk).update(student=award.student_id, school_year="2029-2030")
    assert grant([late.case_id]) == 0
    assert Record.objects.get(about="case", act="not_granted").about_id == late.case_id


def test_once_for_all_holds_after_it_was_completed_and_after_an_end_that_was_paid(office: Office) -> None:
    version = repayment()
    award = office.award(version)
    proved(office, award, 1)
    office.pay(TERM, version)
    award = office.terminated(award, code="given_up")
    assert (award.state, award.taken) == ("terminated", True)


def test_once_for_all_is_free_again_when_nothing_was_paid(office: Office) -> None:
    award = office.terminated(office.award(repayment()), code="given_up")
    assert award.taken is False


# ---------------------------------------------------------------- instalments


def proved(office: Office, award: Award, number: int) -> None:
    part = AwardInstalment.objects.get(term__award=award, number=number)
    actions.record_proof(part.pk, "在岗证明，编号 2026-01，学校盖章。", office.officer)
    actions.confirm_proof(part.pk, office.reviewer)


def refusal(act: Any) -> str:
    with pytest.raises(Refused) as refused:
        act()
    assert str(refused.value)
    return refused.value.code


@pytest.mark.parametrize(
    ("total", "parts"),
    [
        ("20000.00", ["6666.67", "6666.66", "6666.67"]),
        ("0.01", ["0.00", "0.01", "0.00"]),
        ("100.00", ["33.33", "33.34", "33.33"]),
    ],
)
def test_parts_add_up_to_the_fen(total: str, parts: list[str]) -> None:
    found = in_parts(Decimal(total), 3)
    assert [str(part) for part in found] == parts
    assert sum(found) == Decimal(total)


def test_a_sum_is_paid_in_thirds_each_once_its_proof_is_confirmed(office: Office) -> None:
    version = repayment()
    award = office.award(version)
    assert [term for term, _ in amounts(award)] == ["2026-2027-1", "2027-2028-1", "2028-2029-1"]
    assert sum(term.amount for term in award.terms.all()) == Decimal("20000.00")
    from approvals.disbursement.refusals import Refused as PaymentRefused

    with pytest.raises(PaymentRefused):
        office.batch(TERM, version)
    proved(office, award, 1)
    assert office.pay(TERM, version).total == Decimal("6666.67")
    office.today(date(2027, 9, 6))
    with pytest.raises(PaymentRefused):
        office.batch(NEXT, version)
    proved(office, award, 2)
    assert office.pay(NEXT, version).total == Decimal("6666.66")


def test_a_proof_is_confirmed_by_another_person_and_in_its_order(office: Office) -> None:
    award = office.award(repayment())
    first, later, _ = AwardInstalment.objects.filter(term__award=award).order_by("number")
    assert refusal(lambda: actions.confirm_proof(first.pk, office.reviewer)) == "proof_missing"
    assert refusal(lambda: actions.record_proof(later.pk, WHY, office.officer)) == "proof_ahead"
    office.today(date(2027, 9, 6))
    assert refusal(lambda: actions.record_proof(later.pk, WHY, office.officer)) == "proof_earlier"
    actions.record_proof(first.pk, WHY, office.officer)
    twin = acting(officer_of(office.county))
    twin.user.posts.update(role="county_reviewer")
    twin.user.person = office.officer.user.person
    twin.user.save()
    assert refusal(lambda: actions.confirm_proof(first.pk, twin)) == "same_person"
    with pytest.raises(IntegrityError, match="proof_confirmed_by_another"), transaction.atomic():
        AwardInstalment.objects.filter(pk=first.pk).update(confirmed_person=office.officer.user.person)
    actions.confirm_proof(first.pk, office.reviewer)
    assert refusal(lambda: actions.record_proof(first.pk, WHY, office.officer)) == "proof_confirmed"


# ---------------------------------------------------------------- transfers of what is settled with schools


def test_a_waiver_of_an_earlier_term_is_settled_with_the_school_that_gave_it(office: Office) -> None:
    version = waiver()
    award = office.award(version, student=senior(office))
    other = SchoolFactory(stages=["senior"])
    receiver = acting(officer_of(other))
    office.today(date(2027, 3, 8))
    proposal = office.propose(award, "transfer", "transfer", date(2027, 3, 8), goal=actions.Goal(other))
    assert code(actions.accept([proposal], receiver)) == "earlier_term_open"
    office.pay(TERM, version)
    done(actions.accept([proposal], receiver))
    assert office.pay("2026-2027-2", version).lines.get().school == other
    assert Student.objects.get(pk=award.student_id).school == other


# ---------------------------------------------------------------- corrected rates


def corrected(office: Office, amount: str) -> ProgrammeVersion:
    """A newer version of the programme, with another rate from the same term on."""
    rates = [{"first_term": "2025-2026-1", "amount": amount, "source": "更正"}]
    number = ProgrammeVersion.objects.count() + 1
    assert definition(rates=rates)
    return VersionFactory(number=number, changes={"rates": rates})


@pytest.mark.parametrize(("amount", "difference"), [("750.00", "125.00"), ("600.00", "-25.00")])
def test_a_corrected_rate_is_a_difference_where_money_has_left(office: Office, amount: str, difference: str) -> None:
    paid = office.award()
    office.pay()
    unpaid = office.award()
    corrected(office, amount)
    [found] = queries.corrections([office.county.path], term=TERM)
    assert (str(found.old.amount), str(found.new.amount), found.count) == ("625.00", amount, 2)
    done_ = actions.correct_rates(office.version.programme_id, TERM, office.county.path, office.second)
    assert done_ == {"changed": 1, "differences": 1}
    assert amounts(unpaid)[0] == (TERM, amount)
    row = AwardDifference.objects.get()
    assert (row.award_id, row.term, row.cause, str(row.amount)) == (paid.pk, TERM, "rate", difference)
    assert str(PaymentLine.objects.get().amount) == "625.00"
    again = actions.correct_rates(office.version.programme_id, TERM, office.county.path, office.second)
    assert again == {"changed": 0, "differences": 0}


def test_a_rate_corrected_twice_leaves_one_difference(office: Office) -> None:
    office.award()
    office.pay()
    for amount, left in (("750.00", ["125.00"]), ("700.00", ["75.00"]), ("625.00", [])):
        corrected(office, amount)
        actions.correct_rates(office.version.programme_id, TERM, office.county.path, office.second)
        assert [str(row.amount) for row in AwardDifference.objects.all()] == left


def test_what_is_settled_is_not_changed_by_a_later_correction(office: Office) -> None:
    office.award()
    office.pay()
    corrected(office, "750.00")
    actions.correct_rates(office.version.programme_id, TERM, office.county.path, office.second)
    assert actions.settle(queries.differences([office.county.path]).values_list("pk", flat=True)) == 1
    corrected(office, "800.00")
    actions.correct_rates(office.version.programme_id, TERM, office.county.path, office.second)
    assert [str(row.amount) for row in queries.differences([office.county.path])] == ["50.00"]
    assert queries.difference_totals([office.county.path]) == {"owed": Decimal("50.00"), "recover": Decimal("0")}


def test_what_is_in_a_batch_waits_for_the_correction(office: Office) -> None:
    award = office.award()
    office.batch()
    corrected(office, "750.00")
    result = actions.correct_rates(office.version.programme_id, TERM, office.county.path, office.second)
    assert result == {"changed": 0, "differences": 0}
    assert amounts(award)[0] == (TERM, "625.00")


def test_payable_terms_are_those_that_nothing_holds_back(office: Office) -> None:
    award = office.award()
    assert [term.term for term in queries.payable_terms(below([office.county.path]))] == [TERM]
    office.suspended(award)
    assert not queries.payable_terms(below([office.county.path])).exists()
