"""Suspended, resumed, ended: what the school proposes, the county confirms, and an end needs two persons there."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from approvals.awards import actions
from approvals.awards.models import STATES, Award, AwardDifference, AwardProposal
from approvals.awards.refusals import Refused
from approvals.disbursement import actions as payments
from approvals.disbursement.models import PaymentLine
from approvals.disbursement.refusals import Refused as PaymentRefused
from approvals.people.models import Kinship
from notifications.models import Message
from tests.approvals.awards.conftest import WHY, Office, code, done, fresh
from tests.factories import FIRST_DAY, TERM, acting, officer_of, person
from workflows.models import Record

pytestmark = pytest.mark.django_db
KINDS = {
    "suspend": ("leave", {"pending", "active"}),
    "resume": ("return", {"suspended"}),
    "transfer": ("transfer", {"pending", "active", "suspended"}),
    "terminate": ("dropout", {"pending", "active", "suspended"}),
    "complete": ("graduation", {"active"}),
}


@pytest.mark.parametrize("state", [name for name, _ in STATES])
@pytest.mark.parametrize("kind", KINDS)
def test_a_change_is_proposed_only_in_the_states_that_know_it(office: Office, kind: str, state: str) -> None:
    award = office.award()
    stopped = FIRST_DAY if state in ("suspended", "transferred_out", "terminated") else None
    Award.objects.filter(pk=award.pk).update(state=state, stops_on=stopped)
    reason, states = KINDS[kind]
    goal = actions.Goal(None, "邯郸市某校") if kind == "transfer" else actions.Goal()
    answers = actions.propose([award.pk], kind, reason, WHY, FIRST_DAY, office.officer, goal)
    assert code(answers) == ("" if state in states else "wrong_state")


def test_a_suspension_takes_effect_when_the_county_confirms_it(office: Office) -> None:
    award = office.award()
    proposal = office.propose(award, "suspend", "leave")
    assert fresh(award).state == "active"
    done(actions.confirm([proposal], office.reviewer))
    award = fresh(award)
    assert (award.state, award.stops_on, award.stopped_for) == ("suspended", FIRST_DAY, "leave")
    acts = Record.objects.filter(about="award", about_id=award.pk).order_by("pk").values_list("act", "reason_code")
    assert list(acts)[-2:] == [("propose_suspend", "leave"), ("suspend", "leave")]
    told = Message.objects.filter(recipient=office.officer.user, event="award_decided")
    assert told.count() == 1


def test_nothing_is_paid_to_a_suspended_award(office: Office) -> None:
    office.suspended(office.award())
    with pytest.raises(PaymentRefused) as refused:
        office.batch()
    assert refused.value.code == "nothing_to_pay"


def test_a_batch_that_waits_is_stopped_by_a_suspension(office: Office) -> None:
    award = office.award()
    batch = office.batch()
    office.suspended(award)
    with pytest.raises(PaymentRefused) as refused:
        payments.submit(batch.pk, office.maker)
    assert refused.value.code == "award_not_active"


def test_a_resumed_award_is_paid_again(office: Office) -> None:
    award = office.suspended(office.award())
    award = office.resumed(award, FIRST_DAY)
    assert (award.state, award.stops_on, award.stopped_for) == ("active", None, "")
    assert office.batch().line_count == 1


def test_only_the_school_itself_proposes(office: Office) -> None:
    award = office.award()
    for who in (office.receiver, office.second, office.auditor, acting(person("school_head", office.school))):
        answers = actions.propose([award.pk], "suspend", "leave", WHY, FIRST_DAY, who)
        assert code(answers) == "no_such_award"
    assert not AwardProposal.objects.exists()


def test_only_the_county_confirms(office: Office) -> None:
    proposal = office.propose(office.award(), "suspend", "leave")
    for who in (office.officer, office.receiver, office.second, office.auditor):
        assert code(actions.confirm([proposal], who)) == "no_such_proposal"
    assert code(actions.second([proposal], office.second)) == "not_waiting"


def test_a_reason_from_the_list_and_in_words_is_needed(office: Office) -> None:
    award = office.award()
    for reason, text, refusal in (
        ("dropout", WHY, "reason_unknown"), ("leave", "短", "reason_required"),
        ("leave", "长" * 1001, "reason_too_long"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            actions.propose([award.pk], "suspend", reason, text, FIRST_DAY, office.officer)
        assert (refused.value.code, bool(str(refused.value))) == (refusal, True)


@pytest.mark.parametrize(
    ("on", "refusal"), [(FIRST_DAY + timedelta(days=1), "date_ahead"), (date(2026, 8, 31), "date_too_old")]
)
def test_a_change_has_happened_in_the_time_of_the_award(office: Office, on: date, refusal: str) -> None:
    answers = actions.propose([office.award().pk], "suspend", "leave", WHY, on, office.officer)
    assert code(answers) == refusal


def test_one_change_waits_at_a_time(office: Office) -> None:
    award = office.award()
    office.propose(award, "suspend", "leave")
    answers = actions.propose([award.pk], "terminate", "dropout", WHY, FIRST_DAY, office.officer)
    assert code(answers) == "already_proposed"
    with pytest.raises(IntegrityError), transaction.atomic():
        first = AwardProposal.objects.get()
        AwardProposal.objects.create(
            award=award, path=award.path, kind="terminate", reason_code="death", effective_on=FIRST_DAY,
            from_school=office.school, proposed_by=first.proposed_by, proposed_at=first.proposed_at,
        )  # fmt: skip


def test_an_award_cannot_be_resumed_before_it_was_stopped(office: Office) -> None:
    office.today(FIRST_DAY + timedelta(days=3))
    award = office.suspended(office.award(), FIRST_DAY + timedelta(days=2))
    answers = actions.propose([award.pk], "resume", "return", WHY, FIRST_DAY, office.officer)
    assert code(answers) == "before_the_stop"


def test_a_declined_change_changes_nothing(office: Office) -> None:
    award = office.award()
    proposal = office.propose(award, "suspend", "leave")
    with pytest.raises(Refused):
        actions.decline([proposal], office.reviewer, "不")
    done(actions.decline([proposal], office.reviewer, "经核实该生一直在校就读。"))
    assert fresh(award).state == "active"
    assert AwardProposal.objects.get().answer == "经核实该生一直在校就读。"
    assert code(actions.confirm([proposal], office.reviewer)) == "not_waiting"


def test_only_who_proposed_takes_it_back(office: Office) -> None:
    proposal = office.propose(office.award(), "suspend", "leave")
    colleague = acting(officer_of(office.school))
    assert code(actions.withdraw([proposal], colleague)) == "not_own_proposal"
    done(actions.withdraw([proposal], office.officer))
    assert AwardProposal.objects.get().state == "withdrawn"


def test_many_are_decided_at_once_with_an_answer_each(office: Office) -> None:
    proposals = [office.propose(office.award(), "suspend", "leave") for _ in range(3)]
    done(actions.decline(proposals[:1], office.reviewer, WHY))
    answers = actions.confirm([*proposals, 0], office.reviewer)
    assert [answer.code for answer in answers] == ["not_waiting", "", "", "no_such_proposal"]
    assert Award.objects.filter(state="suspended").count() == 2


def test_own_kin_are_decided_by_others(office: Office) -> None:
    award = office.award()
    proposal = office.propose(award, "suspend", "leave")
    Kinship.objects.create(
        person=office.reviewer.user.person, id_hash=award.student.id_hash, id_tail="0000", relation="child"
    )
    assert code(actions.confirm([proposal], office.reviewer)) == "own_kin"
    done(actions.confirm([proposal], acting(person("county_reviewer", office.county))))


# ---------------------------------------------------------------- an end needs two persons


def test_an_end_needs_two_persons_of_the_county(office: Office) -> None:
    award = office.award()
    proposal = office.propose(award, "terminate", "dropout")
    assert code(actions.second([proposal], office.second)) == "not_waiting"
    done(actions.confirm([proposal], office.reviewer))
    assert (fresh(award).state, AwardProposal.objects.get().state) == ("active", "to_second")
    assert code(actions.second([proposal], office.reviewer)) == "no_such_proposal"
    done(actions.second([proposal], office.second))
    award = fresh(award)
    assert (award.state, award.stopped_for, award.taken) == ("terminated", "dropout", False)
    assert set(award.terms.values_list("term", "hold")) == {(TERM, ""), ("2026-2027-2", "ended")}


def test_the_two_are_different_natural_persons_whatever_their_accounts(office: Office) -> None:
    proposal = office.propose(office.award(), "terminate", "given_up")
    done(actions.confirm([proposal], office.reviewer))
    twin = acting(person("county_second_reviewer", office.county, person=office.reviewer.user.person))
    assert code(actions.second([proposal], twin)) == "same_person"
    row = AwardProposal.objects.get()
    row.second_by = twin.user
    with pytest.raises(IntegrityError, match="award_proposal_persons_differ"), transaction.atomic():
        row.save()


def test_the_database_confirms_no_end_by_one_person(office: Office) -> None:
    proposal = office.propose(office.award(), "terminate", "death")
    done(actions.confirm([proposal], office.reviewer))
    with pytest.raises(IntegrityError, match="confirmed_proposal_has_its_persons"), transaction.atomic():
        AwardProposal.objects.filter(pk=proposal).update(state="confirmed")


def test_the_reviewer_may_propose_an_end_and_the_second_person_confirms_it(office: Office) -> None:
    award = office.award()
    proposal = office.propose(award, "terminate", "revoked", by=office.reviewer)
    assert AwardProposal.objects.get().state == "to_second"
    assert code(actions.confirm([proposal], office.reviewer)) == "not_waiting"
    done(actions.second([proposal], office.second))
    assert fresh(award).state == "terminated"


def test_what_was_paid_for_a_term_after_the_end_is_listed_for_recovery(office: Office) -> None:
    award = office.award()
    office.pay()
    office.today(date(2027, 3, 1))
    office.pay("2026-2027-2")
    office.terminated(award, date(2027, 1, 20), "death")
    [difference] = AwardDifference.objects.all()
    assert (difference.term, difference.amount, difference.cause) == ("2026-2027-2", Decimal("-625.00"), "ended")
    assert set(PaymentLine.objects.values_list("amount", "state")) == {(Decimal("625.00"), "paid")}


def test_an_ended_award_leaves_its_place_to_another(office: Office) -> None:
    award = office.terminated(office.award(), code="given_up")
    award.case.application.__class__.objects.filter(pk=award.case_id).update(live=False)
    again = office.award(student=award.student)
    assert again.pk != award.pk
    assert again.state == "active"


# ---------------------------------------------------------------- the audit


def test_the_auditor_holds_at_once_and_nobody_else_releases(office: Office) -> None:
    award = office.award()
    assert code(actions.hold([award.pk], office.reviewer, WHY)) == "no_such_award"
    done(actions.hold([award.pk], office.auditor, WHY))
    award = fresh(award)
    assert (award.state, award.audit_held, award.stopped_for) == ("suspended", True, "audit")
    answers = actions.propose([award.pk], "resume", "cleared", WHY, FIRST_DAY, office.officer)
    assert code(answers) == "audit_held"
    assert code(actions.hold([award.pk], office.auditor, WHY)) == "already_held"
    done(actions.release([award.pk], office.auditor, WHY))
    assert (fresh(award).state, fresh(award).audit_held) == ("active", False)
    assert code(actions.release([award.pk], office.auditor, WHY)) == "wrong_state"


def test_a_hold_ends_without_ending_another_suspension(office: Office) -> None:
    award = office.suspended(office.award())
    assert code(actions.release([award.pk], office.auditor, WHY)) == "not_held"
    done(actions.hold([award.pk], office.auditor, WHY))
    done(actions.release([award.pk], office.auditor, WHY))
    assert (fresh(award).state, fresh(award).stopped_for, fresh(award).audit_held) == ("suspended", "leave", False)


def test_a_resumption_proposed_before_a_hold_waits_for_its_end(office: Office) -> None:
    award = office.suspended(office.award())
    proposal = office.propose(award, "resume", "return")
    done(actions.hold([award.pk], office.auditor, WHY))
    assert code(actions.confirm([proposal], office.reviewer)) == "audit_held"
    done(actions.release([award.pk], office.auditor, WHY))
    done(actions.confirm([proposal], office.reviewer))
    assert fresh(award).state == "active"


# ---------------------------------------------------------------- back-pay


@pytest.mark.parametrize(
    ("rule", "payable"),
    [
        ("all", ["2026-2027-1", "2026-2027-2"]),
        ("from_resumption", ["2026-2027-2"]),
        ("none", []),
    ],
)
def test_missed_terms_are_paid_afterwards_as_the_programme_says(office: Office, rule: str, payable: list[str]) -> None:
    version = office.version
    version.definition["award"] = {"back_pay": rule}
    version.digest = rule
    version.save()
    award = office.suspended(office.award())
    office.today(date(2027, 3, 8))
    award = office.resumed(award, date(2027, 3, 8))
    assert list(award.terms.filter(hold="").order_by("term").values_list("term", flat=True)) == payable


def test_back_pay_never_touches_what_was_paid(office: Office) -> None:
    office.version.definition["award"] = {"back_pay": "none"}
    office.version.digest = "none-paid"
    office.version.save()
    award = office.award()
    office.pay()
    office.suspended(award)
    award = office.resumed(award, FIRST_DAY)
    assert set(award.terms.values_list("hold", flat=True)) == {""}


# ---------------------------------------------------------------- its time is over


def test_it_is_completed_when_its_time_is_over_and_everything_is_paid(office: Office) -> None:
    award = office.award()
    office.pay()
    office.today(date(2027, 3, 8))
    office.today(date(2027, 9, 1))
    assert actions.complete_over() == 0  # spring was not paid
    office.pay("2026-2027-2")
    assert actions.complete_over() == 1
    assert (fresh(award).state, fresh(award).taken) == ("completed", True)
    assert actions.complete_over() == 0


def test_graduation_ends_it_with_that_day(office: Office) -> None:
    award = office.award()
    office.pay()
    proposal = office.propose(award, "complete", "graduation")
    done(actions.confirm([proposal], office.reviewer))
    award = fresh(award)
    assert (award.state, award.ends_on) == ("active", FIRST_DAY)
    assert award.terms.get(term="2026-2027-2").hold == "ended"
    office.today(FIRST_DAY + timedelta(days=1))
    assert actions.complete_over() == 1


def test_a_line_under_way_keeps_it_open(office: Office) -> None:
    award = office.award()
    office.batch()
    office.propose(award, "complete", "graduation")
    done(actions.confirm([AwardProposal.objects.get().pk], office.reviewer))
    office.today(FIRST_DAY + timedelta(days=1))
    assert actions.complete_over() == 0
