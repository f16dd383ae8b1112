"""Money is allotted, committed, paid and given back to the fen; the database itself refuses what does not add up."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from approvals.disbursement import actions, demo_bank
from approvals.disbursement.funds import actions as funds
from approvals.disbursement.funds import queries
from approvals.disbursement.funds.following import recovered
from approvals.disbursement.funds.ledger import held_for
from approvals.disbursement.funds.models import Account, Allotment, Balance, LedgerEntry, Posting, SplitRule
from approvals.disbursement.funds.splitting import spread
from approvals.disbursement.funds.verifying import findings
from approvals.disbursement.models import Batch
from approvals.disbursement.refusals import Refused
from approvals.organisations.tables import plain
from tests.approvals.disbursement.test_batches import Office, bank_answers, correct, refusal
from tests.factories import FIRST_DAY, TERM, account_number, acting, allotted, funded, person
from workflows.clock import today

pytestmark = pytest.mark.django_db
WHY = "经核实，按照规定办理此事项。"
MONEY = st.decimals("0", "99999999.99", places=2)


@pytest.fixture
def office() -> Office:
    return Office()


class Short(Office):
    """An office whose programme has a split, and funds only as a test gives them."""

    def __init__(self) -> None:
        super().__init__()
        halves = {"central": "50.00", "county": "50.00"}
        SplitRule.objects.create(programme=self.version.programme, valid_from=FIRST_DAY, shares=halves, basis="示例")

    def batch(self) -> Batch:
        return actions.make_batch(self.version.programme, TERM, self.maker, self.county.path)


@pytest.fixture
def short() -> Short:
    return Short()


def sums(**expected: str) -> None:
    """What the balances of all allotments come to."""
    rows = Balance.objects.all()
    found = {account: sum((getattr(row, account) for row in rows), Decimal(0)) for account in expected}
    assert found == {account: Decimal(amount) for account, amount in expected.items()}
    assert findings() == []


@given(MONEY, st.lists(st.integers(1, 10_000), min_size=1, max_size=6))
def test_parts_add_up_to_the_fen_and_are_off_by_less_than_one(total: Decimal, weights: list[int]) -> None:
    parts = spread(total, [Decimal(weight) for weight in weights])
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < Decimal("0.01")


def test_the_odd_fen_goes_to_the_one_that_lost_most_and_then_to_the_first() -> None:
    assert spread(Decimal("0.01"), [Decimal(50), Decimal(50)]) == [Decimal("0.01"), Decimal("0.00")]
    assert spread(Decimal("100.00"), [Decimal(1)] * 3) == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


def test_money_goes_from_allotted_to_committed_to_paid(office: Office) -> None:
    office.approved(3)
    batch = office.sent_for_approval()
    sums(available="2000000.00", committed="0.00")
    actions.approve(batch.pk, office.approver)
    sums(available="1998125.00", committed="1875.00", paid="0.00")
    assert sorted(held_for(batch.pk, Account.COMMITTED).values()) == [Decimal("937.50")] * 2
    office.allot(batch)
    actions.export(batch.pk, office.maker)
    batch.refresh_from_db()
    actions.take_return(batch.pk, bank_answers(batch, failing=(2,)), "r.txt", office.maker)
    sums(committed="625.00", paid="1250.00")
    line = batch.lines.get(state="failed")
    actions.give_up(line.pk, office.maker, WHY)
    sums(available="1998750.00", committed="0.00", paid="1250.00")
    batch.refresh_from_db()
    assert batch.state == "paid"
    assert refusal(actions.reconcile, batch.pk, office.treasury, Decimal("1250.01")) == "bank_total_differs"
    actions.reconcile(batch.pk, office.treasury, Decimal("1250.00"))
    assert actions.close(batch.pk, office.treasury).state == "closed"


def test_a_reissue_takes_over_what_its_failed_lines_hold_and_gives_it_back_when_returned(office: Office) -> None:
    office.approved(2)
    first = office.sent()
    actions.take_return(first.pk, bank_answers(first, failing=(2,)), "r.txt", office.maker)
    line = first.lines.get(state="failed")
    correct(office, line, account_number(700_001), line.student.name)
    second = actions.reissue(first.pk, office.maker)
    actions.submit(second.pk, office.maker)
    actions.check(second.pk, office.checker)
    assert sum(held_for(first.pk, Account.COMMITTED).values()) == Decimal("625.00")
    actions.approve(second.pk, office.approver)
    assert held_for(first.pk, Account.COMMITTED) == {}
    sums(committed="625.00", paid="625.00")
    actions.send_back(second.pk, office.treasury, WHY)
    assert held_for(second.pk, Account.COMMITTED) == {}
    sums(committed="625.00", paid="625.00")
    actions.submit(second.pk, office.maker)
    actions.check(second.pk, office.checker)
    office.allot(actions.approve(second.pk, office.approver))
    actions.export(second.pk, office.maker)
    second.refresh_from_db()
    actions.take_return(second.pk, bank_answers(second), "r2.txt", office.maker)
    sums(committed="0.00", paid="1250.00")


def test_money_that_came_back_is_free_when_its_payment_is_given_up(office: Office, client: Client) -> None:
    office.approved(2)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch), "r.txt", office.maker)
    actions.take_return(batch.pk, demo_bank.answer(batch, bouncing=(1,)), "b.txt", office.maker)
    sums(available="1998750.00", paid="625.00", returned="625.00")
    line = batch.lines.get(state="bounced")
    client.force_login(office.maker.user)
    address = reverse("disbursement:give_up", args=[line.pk])
    assert address in client.get(reverse("disbursement:detail", args=[batch.pk])).content.decode()
    client.post(address, {"reason": WHY})
    sums(available="1999375.00", paid="625.00", returned="0.00")
    batch.refresh_from_db()
    assert batch.state == "paid"


def test_what_is_held_back_in_a_reissue_stays_with_the_batch_before(office: Office) -> None:
    office.approved(2)
    first = office.sent()
    actions.take_return(first.pk, bank_answers(first, failing=(1, 2)), "r.txt", office.maker)
    for line in first.lines.all():
        correct(office, line, account_number(700_000 + line.pk), line.payee)
    second = actions.reissue(first.pk, office.maker)
    held = second.lines.get(number=1)
    actions.hold_line(held.pk, office.maker, WHY)
    actions.submit(second.pk, office.maker)
    actions.check(second.pk, office.checker)
    office.allot(actions.approve(second.pk, office.approver))
    sums(committed="1250.00")
    assert sum(held_for(first.pk, Account.COMMITTED).values()) == Decimal("625.00")
    actions.let_go(held.pk, office.maker)
    sums(committed="1250.00")
    assert first.lines.get(state="account_fix").pk == held.replaces_id


def test_giving_up_the_last_payment_of_a_reissue_settles_the_batch_before_too(office: Office) -> None:
    office.approved(2)
    first = office.sent()
    actions.take_return(first.pk, bank_answers(first, failing=(1, 2)), "r.txt", office.maker)
    for line in first.lines.all():
        correct(office, line, account_number(700_000 + line.pk), line.payee)
    second = actions.reissue(first.pk, office.maker)
    actions.submit(second.pk, office.maker)
    actions.check(second.pk, office.checker)
    office.allot(actions.approve(second.pk, office.approver))
    actions.export(second.pk, office.maker)
    actions.take_return(
        second.pk, demo_bank.answer(Batch.objects.get(pk=second.pk), failing=(2,)), "r2.txt", office.maker
    )
    actions.give_up(second.lines.get(state="failed").pk, office.maker, WHY)
    assert list(Batch.objects.values_list("state", flat=True)) == ["paid", "paid"]
    sums(committed="0.00", paid="625.00")
    assert office.batch().line_count == 1, "what was given up waits anew"


def test_recovered_money_is_not_paid_any_more_and_not_available_by_itself(office: Office) -> None:
    office.approved(1)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch), "r.txt", office.maker)
    recovered(batch, Decimal("100.01"), "缴款书1号", office.treasury)
    sums(paid="524.99", recovered="100.01", available="1999375.00")


def test_too_little_money_is_refused_with_what_each_source_lacks(short: Short) -> None:
    short.approved(2)
    allotted(short.county, "central", "600.00")
    allotted(short.county, "county", "1000.00")
    batch = short.sent_for_approval()
    with pytest.raises(Refused) as refused, transaction.atomic():
        actions.approve(batch.pk, short.approver)
    assert refused.value.code == "funds_short"
    assert (refused.value.values["missing"], refused.value.values["total"]) == ("中央 25.00", "25.00")
    sums(committed="0.00")
    allotted(short.county, "central", "25.00")
    assert actions.approve(batch.pk, short.approver).state == "finance_review"


def test_earmarked_money_is_spent_first_then_the_oldest_and_never_on_another_programme(short: Short) -> None:
    short.approved(1)
    old = allotted(short.county, "central", "300.00")
    mine = allotted(short.county, "central", "10.00", programmes=(short.version.programme_id,))
    others = allotted(short.county, "central", "500.00", programmes=("another",))
    new = allotted(short.county, "central", "500.00")
    allotted(short.county, "county", "312.50")
    batch = short.sent_for_approval()
    actions.approve(batch.pk, short.approver)
    held = held_for(batch.pk, Account.COMMITTED)
    assert (held[mine.pk], held[old.pk], held[new.pk]) == (Decimal("10.00"), Decimal("300.00"), Decimal("2.50"))
    bad = {**held, others.pk: held.pop(new.pk)}
    assert refusal(actions.allot, batch.pk, short.treasury, "文1", today(), bad) == "share_not_allowed"
    unequal = {**held, new.pk: Decimal("2.51")}
    assert refusal(actions.allot, batch.pk, short.treasury, "文1", today(), unequal) == "share_not_split"
    chosen = {**held, old.pk: Decimal("0.00"), mine.pk: Decimal("0.00"), new.pk: Decimal("312.50")}
    actions.allot(batch.pk, short.treasury, "文1", today(), chosen)
    assert held_for(batch.pk, Account.COMMITTED)[new.pk] == Decimal("312.50")
    sums(committed="625.00")


def test_an_allotment_is_not_taken_below_what_is_committed(short: Short) -> None:
    short.approved(1)
    central = allotted(short.county, "central", "400.00")
    allotted(short.county, "county", "400.00")
    actions.approve(short.sent_for_approval().pk, short.approver)
    told: dict[str, Any] = {"document": "调减1号", "dated": today(), "amount": Decimal("-100.00")}
    with pytest.raises(Refused) as refused, transaction.atomic():
        funds.adjust(central.pk, short.treasury, **told)
    assert (refused.value.code, refused.value.values["missing"]) == ("adjustment_too_much", "12.50")
    funds.adjust(central.pk, short.treasury, **told | {"amount": Decimal("-87.50")})
    sums(allotted="712.50", available="87.50")
    with pytest.raises(Refused), transaction.atomic():
        funds.adjust(central.pk, short.treasury, **told | {"amount": Decimal("1.00")})


def test_who_makes_batches_does_not_record_funds(office: Office) -> None:
    for by in (office.maker, office.checker, office.approver):
        with pytest.raises(PermissionDenied), transaction.atomic():
            funds.record_allotment(
                office.county.path, by, source="city", budget_year=2026, document="文", dated=today(), amount=Decimal(1)
            )


def test_the_treasury_officer_is_a_fourth_person(office: Office) -> None:
    office.approved(1)
    batch = office.sent_for_approval()
    actions.approve(batch.pk, office.approver)
    same = acting(person("treasury_officer", office.county))
    same.user.person = office.checker.user.person
    same.user.save()
    assert refusal(actions.allot, batch.pk, same, "文1", today()) == "same_person"
    office.allot(batch)
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(treasury_person=office.maker.user.person)


def test_the_auditor_stops_a_batch_and_lets_it_go_on_from_where_it_was(office: Office) -> None:
    office.approved(2)
    auditor = acting(person("auditor", office.county))
    batch = office.allotted()
    actions.hold(batch.pk, auditor, WHY)
    assert refusal(actions.export, batch.pk, office.maker) == "wrong_state"
    assert refusal(actions.take_out, batch.lines.first().pk, office.maker, WHY) == "audit_held"  # type: ignore[union-attr]
    sums(committed="1250.00")
    assert actions.release_hold(batch.pk, auditor, WHY).state == "allotted"
    actions.export(batch.pk, office.maker)


def test_a_line_held_back_is_not_paid_and_waits_anew_when_let_go_later(office: Office) -> None:
    office.approved(2)
    batch = office.batch()
    line = batch.lines.get(number=1)
    assert actions.hold_line(line.pk, office.maker, WHY).total == Decimal("625.00")
    assert actions.let_go(line.pk, office.maker).total == Decimal("1250.00")
    actions.hold_line(line.pk, office.maker, WHY)
    assert refusal(office.batch) == "nothing_to_pay", "it is held in the first batch"
    actions.submit(batch.pk, office.maker)
    actions.let_go(line.pk, office.maker)
    assert office.batch().line_count == 1


# ---------------------------------------------------------------- what the database refuses


@pytest.mark.parametrize("model", [LedgerEntry, Posting, Allotment])
def test_the_ledger_is_append_only(office: Office, model: Any) -> None:
    funded(office.county, office.version.programme)
    connection.check_constraints()
    for act in (lambda rows: rows.update(id=0), lambda rows: rows._raw_delete(rows.db)):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act(model.objects.all())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


def test_an_entry_that_does_not_add_up_and_an_overdraft_are_refused(office: Office) -> None:
    central, _county = funded(office.county, office.version.programme, "100.00")
    at = today().isoformat() + "T08:00+08:00"
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        entry = LedgerEntry.objects.create(kind="pay", at=at, business_at=at, by="x", by_name="某人")
        Posting.objects.create(entry=entry, allotment=central, account="paid", amount=1)
        connection.check_constraints()
    with pytest.raises(IntegrityError, match="balance_available_not_negative"), transaction.atomic():
        entry = LedgerEntry.objects.create(kind="commit", at=at, business_at=at, by="x", by_name="某人")
        Posting.objects.create(entry=entry, allotment=central, account="committed", amount=101)
        Posting.objects.create(entry=entry, allotment=central, account="available", amount=-101)


def test_what_is_off_is_named(office: Office) -> None:
    office.approved(1)
    batch = office.sent()
    Balance.objects.filter(committed__gt=0).update(committed=1)
    batch.lines.update(amount=Decimal("600.00"))
    assert {(finding.code, finding.about.split(" ")[0]) for finding in findings()} >= {("committed", batch.number)}
    assert "balance" in {finding.code for finding in findings()}
    assert all(finding.message for finding in findings())


# ---------------------------------------------------------------- pages


def test_funds_are_recorded_adjusted_and_read_on_the_pages(short: Short, client: Client) -> None:
    client.force_login(short.treasury.user)
    typed = {
        "source": "central", "budget_year": "2026", "document": "=财教〔2026〕5号", "dated": str(today()),
        "amount": "1,200.50", "note": "示例",
    }  # fmt: skip
    page = client.post(reverse("disbursement:record_allotment"), typed | {"amount": "很多"})
    assert "请填写金额（元）" in page.content.decode()
    assert "=财教〔2026〕5号" in page.content.decode()
    client.post(reverse("disbursement:record_allotment"), typed)
    one = Allotment.objects.get()
    assert one.amount == Decimal("1200.50")
    taken = {"document": "调减2号", "dated": str(today()), "amount": "-2000"}
    assert "799.50" in client.post(reverse("disbursement:adjust", args=[one.pk]), taken).content.decode()
    client.post(reverse("disbursement:adjust", args=[one.pk]), taken | {"amount": "-200.50"})
    for name, args in (("funds", []), ("allotment", [one.pk]), ("trial_balance", [])):
        page = client.get(reverse(f"disbursement:{name}", args=args))
        assert "1,000.00" in page.content.decode(), name
        file = client.get(reverse(f"disbursement:{name}", args=args), {"file": "xlsx"})
        assert file.content.startswith(b"PK"), name
    assert "试算平衡：差额 0.00" in client.get(reverse("disbursement:trial_balance")).content.decode()
    csv = client.get(reverse("disbursement:allotment", args=[one.pk]), {"file": "csv"}).content.decode("utf-8-sig")
    assert "'=财教〔2026〕5号" in csv
    assert plain("-1+1") == "'-1+1"
    assert plain(Decimal("-1")) == Decimal("-1")
    rows, total = queries.trial_balance([short.county.path])
    assert total["left"] == total["kept"] == 0
    assert len(rows) == 6
    client.force_login(short.officer.user)
    assert client.get(reverse("disbursement:funds")).status_code == 403


def test_the_treasury_allots_and_reconciles_on_pages_that_keep_what_was_typed(office: Office, client: Client) -> None:
    office.approved(1)
    batch = office.sent_for_approval()
    actions.approve(batch.pk, office.approver)
    client.force_login(office.treasury.user)
    address = reverse("disbursement:allot", args=[batch.pk])
    names = {f"share_{pk}": "312.50" for pk in held_for(batch.pk, Account.COMMITTED)}
    typed = {"document": "鸡财拨〔2026〕9号", "dated": str(today()), **names}
    wrong = client.post(address, typed | {next(iter(names)): "300.00"}).content.decode()
    assert "分担比例" in wrong
    assert "鸡财拨〔2026〕9号" in wrong
    client.post(address, typed)
    batch.refresh_from_db()
    assert (batch.state, batch.treasury_document) == ("allotted", "鸡财拨〔2026〕9号")
    actions.export(batch.pk, office.maker)
    batch.refresh_from_db()
    actions.take_return(batch.pk, bank_answers(batch), "r.txt", office.maker)
    address = reverse("disbursement:reconcile", args=[batch.pk])
    assert "不一致" in client.post(address, {"bank_total": "624"}).content.decode()
    client.post(address, {"bank_total": "625"})
    client.post(reverse("disbursement:close", args=[batch.pk]))
    batch.refresh_from_db()
    assert batch.state == "closed"
