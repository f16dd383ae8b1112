"""Two persons at the same money at the same time: one has it, the other is told why not; nobody waits for ever."""

from collections.abc import Callable
from decimal import Decimal
from threading import Event
from typing import Any

import pytest

from approvals.disbursement import actions, demo_bank
from approvals.disbursement.actions import batches, common
from approvals.disbursement.funds import actions as funds
from approvals.disbursement.funds.ledger import held_for
from approvals.disbursement.funds.models import Account, Adjustment, Allotment, Balance, LedgerEntry, SplitRule
from approvals.disbursement.funds.verifying import findings
from approvals.disbursement.models import Batch
from approvals.disbursement.refusals import Refused
from tests.approvals.disbursement.test_batches import Office, correct
from tests.factories import FIRST_DAY, TERM, account_number, acting, allotted, person
from workflows.clock import today
from workflows.models import Record

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
AtOnce = Callable[..., list[Any]]
WHY = "经核实，按照规定办理此事项。"


@pytest.fixture(autouse=True)
def alone() -> None:
    """With everything that the rooms registered: an approved case is an award."""


@pytest.fixture
def office() -> Office:
    return Office()


def one_wins(answers: list[Any], *codes: str) -> Refused:
    """The one refusal among answers, with its sentence; every other answer is no exception."""
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(each) for each in refused] == [Refused], refused
    [told] = refused
    assert told.code in codes
    assert str(told)
    assert findings() == []
    return told


def twin(office: Office, role: str) -> Any:
    """A colleague in the same post."""
    return acting(person(role, office.county))


def corrected(office: Office, failing: tuple[int, ...]) -> Batch:
    """A batch of which these lines failed and have another account by now."""
    batch = office.sent()
    actions.take_return(batch.pk, demo_bank.answer(batch, failing=failing), "r.txt", office.maker)
    for number in failing:
        line = batch.lines.get(number=number)
        correct(office, line, account_number(700_000 + line.pk), line.payee)
    batch.refresh_from_db()
    return batch


def reissued(office: Office, first: Batch, last: str = "export") -> Batch:
    """Its reissue, taken as far as `last`."""
    batch = actions.reissue(first.pk, office.maker)
    for name, act in office.acts().items():
        act(batch.pk)
        if name == last:
            break
    batch.refresh_from_db()
    return batch


def test_the_last_money_goes_to_one_of_two_batches(office: Office, at_once: AtOnce) -> None:
    halves = {"central": "50.00", "county": "50.00"}
    SplitRule.objects.create(programme=office.version.programme, valid_from=FIRST_DAY, shares=halves, basis="示例")
    for source in halves:
        allotted(office.county, source, "400.00")
    made = []
    for _ in range(2):
        office.approved(1)
        batch = actions.make_batch(office.version.programme, TERM, office.maker, office.county.path)
        actions.submit(batch.pk, office.maker)
        made.append(actions.check(batch.pk, office.checker).pk)
    approvers = office.approver, twin(office, "finance_approver")
    pairs = list(zip(made, approvers, strict=True))
    told = one_wins(at_once(*(lambda pk=pk, by=by: actions.approve(pk, by) for pk, by in pairs)), "funds_short")
    assert told.values["missing"] == "中央 225.00、县级 225.00"
    assert told.values["total"] == "450.00"
    assert sorted(Batch.objects.values_list("state", flat=True)) == ["finance_review", "reviewed"]
    assert set(Balance.objects.values_list("available", "committed")) == {(Decimal("87.50"), Decimal("312.50"))}


def test_a_return_file_taken_twice_at_once_is_booked_once(office: Office, at_once: AtOnce) -> None:
    office.approved(3)
    batch = office.sent()
    content = demo_bank.answer(batch, failing=(2,))
    makers = office.maker, twin(office, "finance_maker")
    answers = at_once(*(lambda by=by: actions.take_return(batch.pk, content, "r.txt", by) for by in makers))
    assert sorted(answers, key=str) == [{"paid": 0, "failed": 0}, {"paid": 2, "failed": 1}]
    assert batch.files.filter(direction="in").count() == 1
    assert LedgerEntry.objects.filter(kind="pay").count() == 1
    assert findings() == []


def test_two_different_answers_at_once_do_not_both_stand(office: Office, at_once: AtOnce) -> None:
    office.approved(2)
    batch = office.sent()
    contents = [demo_bank.answer(batch, failing=failing) for failing in ((1,), (2,))]
    answers = at_once(*(lambda c=c: actions.take_return(batch.pk, c, "r.txt", office.maker) for c in contents))
    one_wins(answers, "return_contradicts")
    assert sorted(batch.lines.values_list("state", flat=True)) == ["failed", "paid"]


def test_two_reissues_at_once_make_one(office: Office, at_once: AtOnce) -> None:
    office.approved(2)
    first = corrected(office, (1, 2))
    makers = office.maker, twin(office, "finance_maker")
    one_wins(at_once(*(lambda by=by: actions.reissue(first.pk, by) for by in makers)), "nothing_corrected")
    assert Batch.objects.count() == 2
    assert set(first.lines.values_list("state", flat=True)) == {"reissued"}


def test_a_payment_is_reissued_or_given_up_but_not_both(office: Office, at_once: AtOnce) -> None:
    office.approved(1)
    first = corrected(office, (1,))
    line = first.lines.get()
    answers = at_once(
        lambda: actions.reissue(first.pk, office.maker),
        lambda: actions.give_up(line.pk, twin(office, "finance_maker"), WHY),
    )
    one_wins(answers, "nothing_corrected", "wrong_state")
    line.refresh_from_db()
    assert (line.state, Batch.objects.count()) in (("reissued", 2), ("cancelled", 1))


def test_cancelled_or_submitted_but_not_both(office: Office, at_once: AtOnce) -> None:
    office.approved(1)
    batch = office.batch()
    answers = at_once(
        lambda: actions.submit(batch.pk, office.maker),
        lambda: actions.cancel(batch.pk, twin(office, "finance_maker"), WHY),
    )
    one_wins(answers, "wrong_state")
    batch.refresh_from_db()
    assert (batch.state, batch.lines.get().state) in (("submitted", "included"), ("cancelled", "cancelled"))


def test_a_batch_that_the_auditor_stops_is_not_sent_in_the_same_moment(office: Office, at_once: AtOnce) -> None:
    office.approved(1)
    batch = office.allotted()
    auditor = twin(office, "auditor")
    answers = at_once(lambda: actions.export(batch.pk, office.maker), lambda: actions.hold(batch.pk, auditor, WHY))
    batch.refresh_from_db()
    assert batch.state == "audit_held"
    if batch.held_from == "allotted":
        one_wins(answers, "wrong_state")
        assert not batch.files.exists()
    else:  # it was sent before it was stopped
        assert (batch.held_from, batch.files.count()) == ("sent_to_bank", 1)
        assert not any(isinstance(answer, Exception) for answer in answers)


def test_a_batch_is_sent_to_the_bank_once(office: Office, at_once: AtOnce) -> None:
    office.approved(1)
    batch = office.allotted()
    makers = office.maker, twin(office, "finance_maker")
    one, two = at_once(*(lambda by=by: actions.export(batch.pk, by) for by in makers))
    assert one.pk == two.pk
    assert bytes(one.content) == bytes(two.content)
    assert Record.objects.filter(about="batch", about_id=batch.pk, act="send").count() == 1


def test_the_treasury_gives_the_money_once(office: Office, at_once: AtOnce) -> None:
    office.approved(1)
    batch = office.sent_for_approval()
    actions.approve(batch.pk, office.approver)
    treasurers = office.treasury, twin(office, "treasury_officer")
    papers = [(by, f"鸡财拨〔2026〕{n}号") for n, by in enumerate(treasurers, start=1)]
    told = at_once(*(lambda by=by, doc=doc: actions.allot(batch.pk, by, doc, today()) for by, doc in papers))
    one_wins(told, "wrong_state")
    batch.refresh_from_db()
    assert (batch.treasury.pk, batch.treasury_document) in [(by.user.pk, doc) for by, doc in papers]


def test_a_batch_is_given_its_money_or_sent_back_but_not_both(office: Office, at_once: AtOnce) -> None:
    office.approved(1)
    batch = office.sent_for_approval()
    actions.approve(batch.pk, office.approver)
    at_once(lambda: office.allot(batch), lambda: actions.send_back(batch.pk, twin(office, "treasury_officer"), WHY))
    batch.refresh_from_db()
    assert batch.state == "draft", "whoever came second, an allotted batch may be sent back too"
    assert held_for(batch.pk, Account.COMMITTED) == {}
    assert findings() == []


def test_a_document_is_recorded_once(office: Office, at_once: AtOnce) -> None:
    told = {"source": "county", "budget_year": 2026, "dated": today()}

    def record(by: Any) -> Allotment:
        return funds.record_allotment(office.county.path, by, document="县财〔2026〕1号", amount=Decimal(100), **told)

    treasurers = office.treasury, twin(office, "treasury_officer")
    one_wins(at_once(*(lambda by=by: record(by) for by in treasurers)), "allotment_known")
    assert Allotment.objects.count() == 1


def test_an_allotment_is_lowered_once_and_never_below_nothing(office: Office, at_once: AtOnce) -> None:
    one = allotted(office.county, "county", "100.00")

    def lower(document: str) -> Adjustment:
        less = Decimal("-60.00")
        return funds.adjust(one.pk, office.treasury, document=document, dated=today(), amount=less)

    told = one_wins(at_once(lambda: lower("调减1号"), lambda: lower("调减2号")), "adjustment_too_much")
    assert told.values["missing"] == "20.00"
    one_wins([*at_once(lambda: lower("调减1号")), *at_once(lambda: None)], "adjustment_known", "adjustment_too_much")
    assert Balance.objects.get().available == Decimal("40.00")


# ---------------------------------------------------------------- a batch and its reissue


@pytest.fixture
def crossing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives a payment up has locked its batch when the other books, and only then wants the balances."""
    batch_locked, booked = Event(), Event()
    given_up, follow = batches.given_up, common.follow

    def after_the_other(*args: Any) -> None:
        batch_locked.set()
        booked.wait(1)
        given_up(*args)

    def in_between(*args: Any) -> None:
        batch_locked.wait(1)
        follow(*args)
        booked.set()

    monkeypatch.setattr(batches, "given_up", after_the_other)
    monkeypatch.setattr(common, "follow", in_between)


def bounced_beside(office: Office, last: str) -> tuple[Batch, Batch, int]:
    """A batch of which one payment came back, the reissue of another of its payments, and the one that came back."""
    office.approved(3)
    first = corrected(office, (1,))
    second = reissued(office, first, last)
    actions.take_return(first.pk, demo_bank.answer(first, bouncing=(2,)), "b.txt", office.maker)
    return first, second, first.lines.get(number=2).pk


def test_a_reissue_is_answered_while_a_payment_of_the_batch_before_is_given_up(
    office: Office, at_once: AtOnce, request: pytest.FixtureRequest
) -> None:
    _first, second, line = bounced_beside(office, "export")
    answer = demo_bank.answer(second, failing=())
    request.getfixturevalue("crossing")
    answers = at_once(
        lambda: actions.take_return(second.pk, answer, "r.txt", office.maker),
        lambda: actions.give_up(line, office.maker, WHY),
    )
    assert [each for each in answers if isinstance(each, Exception)] == []
    assert list(Batch.objects.values_list("state", flat=True)) == ["paid", "paid"]
    assert findings() == []


def test_a_reissue_is_approved_while_a_payment_of_the_batch_before_is_given_up(
    office: Office, at_once: AtOnce, request: pytest.FixtureRequest
) -> None:
    _first, second, line = bounced_beside(office, "check")
    request.getfixturevalue("crossing")
    answers = at_once(
        lambda: actions.approve(second.pk, office.approver), lambda: actions.give_up(line, office.maker, WHY)
    )
    assert [each for each in answers if isinstance(each, Exception)] == []
    assert sum(held_for(second.pk, Account.COMMITTED).values()) == Decimal("625.00")
    assert findings() == []
