"""Money asked back: never more than was paid, never an edit of what was paid, and the ledger agrees to the fen."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, transaction

from approvals.awards.models import AwardDifference
from approvals.disbursement import actions as batches
from approvals.disbursement.funds.ledger import held_for
from approvals.disbursement.funds.models import Account
from approvals.disbursement.funds.verifying import findings
from approvals.disbursement.models import Batch, PaymentLine
from approvals.disbursement.recovery import actions, queries
from approvals.disbursement.recovery.models import RecoveryCase, RecoveryReceipt
from tests.approvals.disbursement.test_batches import Office, bank_answers, refusal
from tests.factories import acting, person
from workflows.clock import moment, today
from workflows.models import Record

pytestmark = pytest.mark.django_db
WHY = "学生已于上学期末退学，本学期不应再发放。"
FULL = Decimal("625.00")


class Recoveries(Office):
    """An office of which a batch of two lines was paid, with a leader and the treasury's account."""

    def __init__(self) -> None:
        super().__init__()
        self.leader = acting(person("county_leader", self.county))
        self.approved(2)
        self.batch_paid = self.sent()
        batches.take_return(self.batch_paid.pk, bank_answers(self.batch_paid), "r.txt", self.maker)
        self.line = self.batch_paid.lines.get(number=1)

    def account(self) -> None:
        told = {"holder": "鸡泽县财政局", "bank": "县农村信用社", "account_no": "1304 0000 1234"}
        actions.set_account(self.county.path, self.treasury, **told)

    def opened(self, amount: Decimal = FULL, cause: str = "dropout") -> RecoveryCase:
        return actions.open_case(self.line.pk, cause, WHY, amount, self.maker)

    def noticed(self, amount: Decimal = FULL) -> RecoveryCase:
        self.account()
        return actions.notice(self.opened(amount).pk, today() + timedelta(days=15), self.maker)

    def receive(self, case: RecoveryCase, amount: str, number: str = "缴款书001") -> RecoveryReceipt:
        return actions.receive(case.pk, number, today(), Decimal(amount), self.maker)


@pytest.fixture
def office() -> Recoveries:
    return Recoveries()


def again(case: RecoveryCase) -> RecoveryCase:
    return RecoveryCase.objects.get(pk=case.pk)


def test_money_comes_back_in_two_receipts_and_the_paid_line_stays_as_it_is(office: Recoveries) -> None:
    before = PaymentLine.objects.filter(pk=office.line.pk).values().get()
    case = office.noticed()
    first = office.receive(case, "225.01")
    assert (again(case).state, again(case).left) == ("partly_recovered", Decimal("399.99"))
    office.receive(case, "399.99", "缴款书002")
    assert again(case).state == "recovered"
    assert PaymentLine.objects.filter(pk=office.line.pk).values().get() == before
    negative = first.line
    assert (negative.amount, negative.purpose, negative.state) == (Decimal("-225.01"), "recovery", "recovered")
    assert negative.recovers_id == office.line.pk
    batch = office.batch_paid.pk
    assert sum(held_for(batch, Account.RECOVERED).values()) == FULL
    assert sum(held_for(batch, Account.PAID).values()) == FULL
    assert findings() == []
    entry = Batch.objects.get(pk=batch).entries.filter(kind="recover").latest("pk")
    assert entry.document == "缴款书002"
    assert Record.objects.filter(about="recovery", about_id=case.pk).count() == 4


def test_a_batch_with_recovered_money_is_reconciled_and_closed_all_the_same(office: Recoveries) -> None:
    office.receive(office.noticed(), "625.00")
    batch = office.batch_paid
    batches.reconcile(batch.pk, office.treasury, Decimal("1250.00"))
    batches.close(batch.pk, office.treasury)
    assert Batch.objects.get(pk=batch.pk).state == "closed"
    assert findings() == []


def test_no_more_is_asked_back_than_was_paid_by_code_and_by_database(office: Recoveries) -> None:
    assert refusal(office.opened, FULL + Decimal("0.01")) == "recovery_too_much"
    assert refusal(office.opened, Decimal(0)) == "amount_required"
    assert refusal(office.opened, FULL, "greed") == "recovery_cause"
    office.opened(Decimal("600.00"))
    assert refusal(office.opened, Decimal("25.01")) == "recovery_too_much"
    second = office.opened(Decimal("25.00"), "wrong_rate")
    with pytest.raises(IntegrityError, match="more is asked back"), transaction.atomic():
        RecoveryCase.objects.filter(pk=second.pk).update(amount=Decimal("25.01"))
    told = {"path": office.line.path, "cause": "duplicate", "words": WHY, "opened_by": office.maker.user}
    with pytest.raises(IntegrityError, match="more is asked back"), transaction.atomic():
        RecoveryCase.objects.create(line=office.line, amount=Decimal("0.01"), opened_at=moment().business, **told)


def test_only_what_was_paid_is_asked_back(office: Recoveries) -> None:
    office.approved(1)
    batch = office.batch()
    office.line = batch.lines.get()
    assert refusal(office.opened) == "line_not_paid"


def test_a_withdrawn_case_frees_its_amount(office: Recoveries) -> None:
    case = office.opened()
    actions.withdraw(case.pk, office.maker, WHY)
    assert queries.claimable(office.line) == FULL
    assert office.opened().state == "opened"
    assert refusal(actions.withdraw, case.pk, office.maker, WHY) == "recovery_state"


def test_a_guardian_is_asked_only_with_an_account_and_a_day_to_come(office: Recoveries) -> None:
    case = office.opened()
    assert refusal(actions.notice, case.pk, today(), office.maker) == "no_repayment_account"
    office.account()
    assert refusal(actions.notice, case.pk, today() - timedelta(days=1), office.maker) == "recovery_due_past"
    actions.notice(case.pk, today(), office.maker)
    told = {"holder": "别的户名", "bank": "别的银行", "account_no": "1"}
    actions.set_account(office.county.path, office.treasury, **told)
    assert again(case).account_no == "130400001234", "the notice keeps the account that it named"


@pytest.mark.parametrize(
    ("amount", "number", "days", "code"),
    [
        ("625.01", "1", 0, "receipt_too_much"),
        ("0.00", "1", 0, "amount_required"),
        ("1.00", " ", 0, "receipt_number_required"),
        ("1.00", "1", 1, "receipt_future"),
    ],
)
def test_a_wrong_receipt_is_refused(office: Recoveries, amount: str, number: str, days: int, code: str) -> None:
    case = office.noticed()
    day = today() + timedelta(days=days)
    assert refusal(actions.receive, case.pk, number, day, Decimal(amount), office.maker) == code
    assert not PaymentLine.objects.filter(purpose="recovery").exists()


def test_a_receipt_is_booked_once_and_never_changed(office: Recoveries) -> None:
    case = office.noticed()
    receipt = office.receive(case, "1.00")
    assert refusal(office.receive, case, "1.00") == "receipt_known"
    for change in (
        lambda: RecoveryReceipt.objects.filter(pk=receipt.pk).update(amount=2),
        lambda: PaymentLine.objects.filter(pk=receipt.line_id).update(amount=-2),
        lambda: PaymentLine.objects.filter(pk=receipt.line_id).delete(),
        lambda: RecoveryCase.objects.filter(pk=case.pk).update(recovered=FULL + 1),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_nothing_is_received_before_the_guardian_was_asked(office: Recoveries) -> None:
    assert refusal(office.receive, office.opened(), "1.00") == "recovery_state"


def test_a_write_off_takes_two_persons(office: Recoveries) -> None:
    case = office.noticed()
    office.receive(case, "25.00")
    actions.propose_write_off(case.pk, office.maker, WHY)
    with pytest.raises(PermissionDenied):
        actions.write_off(case.pk, office.maker)
    both = acting(person("county_leader", office.county, person=office.maker.user.person))
    assert refusal(actions.write_off, case.pk, both) == "write_off_own"
    with pytest.raises(IntegrityError), transaction.atomic():
        alone = {"confirmed_person": office.maker.user.person, "confirmed_by": both.user}
        RecoveryCase.objects.filter(pk=case.pk).update(state="written_off", **alone)
    actions.decline_write_off(case.pk, office.leader, WHY)
    assert again(case).state == "partly_recovered"
    actions.propose_write_off(case.pk, office.maker, WHY)
    actions.write_off(case.pk, office.leader)
    assert again(case).state == "written_off"
    assert refusal(office.receive, case, "1.00", "x") == "recovery_state"
    assert findings() == []


def test_money_that_comes_after_the_hand_over_is_still_booked(office: Recoveries) -> None:
    case = office.noticed()
    actions.refer(case.pk, office.maker, "监护人拒不退缴，移送县纪委监委处理。")
    office.receive(case, "625.00")
    assert again(case).state == "recovered"


def test_who_may_not_is_refused(office: Recoveries) -> None:
    for by in (office.checker, office.officer, office.leader):
        with pytest.raises(PermissionDenied):
            actions.open_case(office.line.pk, "dropout", WHY, FULL, by)
    with pytest.raises(PermissionDenied):
        actions.set_account(office.county.path, office.maker, holder="a", bank="b", account_no="1")


def test_what_the_house_found_is_proposed_until_it_is_taken_up(office: Recoveries) -> None:
    assert queries.proposals([office.county.path]) == []
    PaymentLine.objects.filter(pk=office.line.pk).update(paid_after_end=True)
    found = AwardDifference.objects.create(
        award_id=office.batch_paid.lines.get(number=2).award_id,
        term=office.line.term,
        cause="rate",
        amount=Decimal("-125.00"),
        found_at=moment().business,
    )
    rate, late = queries.proposals([office.county.path])
    assert (rate.amount, rate.cause, rate.difference) == (Decimal("125.00"), "wrong_rate", found.pk)
    assert (late.line.pk, late.amount, late.cause) == (office.line.pk, FULL, "after_end")
    wrong: tuple[Any, ...] = (rate.line.pk, "wrong_rate", WHY, Decimal("124.00"), office.maker, found.pk)
    assert refusal(actions.open_case, *wrong) == "difference_settled"
    case = actions.open_case(rate.line.pk, rate.cause, WHY, rate.amount, office.maker, found.pk)
    found.refresh_from_db()
    assert found.settled_at is not None
    assert refusal(actions.withdraw, case.pk, office.maker, WHY) == "recovery_of_difference"
    office.opened()
    assert queries.proposals([office.county.path]) == []
