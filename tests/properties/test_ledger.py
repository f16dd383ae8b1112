"""Whatever happens to the money, in whatever order: what always holds (DESIGN §3).

Two machines. One does every act of the room on real batches of a few lines. The other posts on the ledger alone, many
times more, beside the same sums told once more in plain Python.
"""

from collections import Counter, defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from approvals.disbursement.funds import actions as funds
from approvals.disbursement.funds.ledger import LedgerError, Move, held_for, lock, open_of, portion, post
from approvals.disbursement.funds.models import BALANCES, Account, Balance, Posting
from approvals.disbursement.funds.splitting import spread
from approvals.disbursement.models import Batch, PaymentLine
from approvals.disbursement.refusals import Refused
from tests.approvals.disbursement.test_batches import Office
from tests.drills.paying import out_of_step
from tests.drills.test_two_officers import Hall
from tests.factories import TERM, allotted
from workflows.actors import SYSTEM
from workflows.clock import today

WHY = "经核实，按照规定办理此事项。"
SOURCES = {"central": "33.40", "provincial": "33.30", "county": "33.30"}
AMOUNTS = ["625.00", "312.51", "0.01", "1000.07"]
NOTHING = Decimal("0.00")
seeds = st.integers(0, 10**6)


@pytest.fixture(autouse=True)
def alone() -> None:
    """With everything that the rooms registered: an approved case is an award."""


def undone(machine: Any) -> None:
    """Back to what stood before the walk."""
    transaction.set_rollback(True)
    machine.atomic.__exit__(None, None, None)


# ---------------------------------------------------------------- the ledger alone

ACCOUNTS = [Account.AVAILABLE, Account.COMMITTED, Account.PAID, Account.RETURNED, Account.RECOVERED]
WAYS = {
    Account.AVAILABLE: [Account.COMMITTED],
    Account.COMMITTED: [Account.AVAILABLE, Account.PAID, Account.PAID],
    Account.PAID: [Account.RETURNED, Account.RECOVERED],
    Account.RETURNED: [Account.COMMITTED, Account.AVAILABLE],
}


class Ledger(RuleBasedStateMachine):
    """Three allotments, three batches; entries of up to four moves, some of which take more than there is."""

    office: Office
    batches: list[int]
    done: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.holds: dict[tuple[int, int | None, str], Decimal] = defaultdict(lambda: NOTHING)
        self.given: dict[int, Decimal] = {}
        self.step = 0

    def teardown(self) -> None:
        undone(self)

    @initialize(seed=seeds)
    def begin(self, seed: int) -> None:
        chance = Random(seed)
        for source in SOURCES:
            amount = Decimal(chance.randint(1, 500_000)) / 100
            allotment = allotted(self.office.county, source, str(amount))
            self.given[allotment.pk] = amount
            self.holds[allotment.pk, None, Account.AVAILABLE] = amount

    @rule(seed=seeds)
    def somebody_books(self, seed: int) -> None:
        self.step += 1
        chance = Random(f"{seed} {self.step}")
        lock(self.given)
        chance.choice([self.moves, self.moves, self.share, self.adjust, self.more_than_there_is])(chance)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def moves(self, chance: Random) -> None:
        """Money goes on from where there is some."""
        made = []
        for _ in range(chance.randint(1, 4)):
            full = [key for key in sorted(self.holds, key=str) if key[2] in WAYS and self.there(key) > 0]
            if not full:
                break
            allotment, batch, off = chance.choice(full)
            there = self.there((allotment, batch, off))
            amount = there if chance.random() < 0.3 else Decimal(chance.randint(1, int(there * 100))) / 100
            made.append(self.move(chance, allotment, batch, off, amount))
        self.posted("pay", made)

    def move(self, chance: Random, allotment: int, batch: int | None, off: str, amount: Decimal) -> Move:
        """As `post` wants it: what is available belongs to no batch, on whichever side names one."""
        onto = chance.choice(WAYS[Account(off)])
        to = batch or chance.choice(self.batches)
        if onto == Account.COMMITTED and chance.random() < 0.3:
            to = chance.choice(self.batches)
        self.holds[allotment, batch, off] -= amount
        self.holds[allotment, to, onto] += amount
        return Move(allotment, amount, Account(off), onto, batch, to)

    def posted(self, kind: str, made: list[Move]) -> None:
        entry = post(kind, made, SYSTEM)
        self.done["entry" if entry else "nothing"] += 1

    def share(self, chance: Random) -> None:
        """A part of what a batch holds is taken in proportion, first of what came back."""
        batch = chance.choice(self.batches)
        held = {account: held_for(batch, account) for account in (Account.RETURNED, Account.COMMITTED)}
        total = sum((sum(each.values(), NOTHING) for each in held.values()), NOTHING)
        amount = Decimal(chance.randint(0, int(total * 100))) / 100
        taken = open_of(amount, batch)
        assert sum((part for *_, part in taken), NOTHING) == amount
        for allotment, account, part in taken:
            assert NOTHING < part <= held[account][allotment]
            self.holds[allotment, batch, account] -= part
            self.holds[allotment, batch, Account.AVAILABLE] += part
        self.posted("release", [Move(pk, part, account, Account.AVAILABLE, batch) for pk, account, part in taken])
        with pytest.raises(LedgerError):
            open_of(total + 1, batch)

    def adjust(self, chance: Random) -> None:
        allotment = chance.choice(list(self.given))
        amount = Decimal(chance.randint(-200_000, 100_000)) / 100
        if not amount:
            return
        document = f"调整{self.step}号"
        there = self.balance(allotment, Account.AVAILABLE)
        try:
            with transaction.atomic():
                told = {"document": document, "dated": today(), "amount": amount}
                funds.adjust(allotment, self.office.treasury, **told)
        except Refused as refused:
            if refused.code != "adjustment_too_much" or there + amount >= 0:
                raise
            self.done["refused"] += 1
        else:
            assert there + amount >= 0
            self.given[allotment] += amount
            self.holds[allotment, None, Account.AVAILABLE] += amount
            self.done["adjust"] += 1

    def more_than_there_is(self, chance: Random) -> None:
        """The database refuses it, whoever asks."""
        allotment, off = chance.choice(list(self.given)), chance.choice(ACCOUNTS[:-1])
        amount = self.balance(allotment, off) + Decimal("0.01")
        onto = chance.choice(WAYS[off])
        with pytest.raises(IntegrityError, match=f"balance_{off}_not_negative"), transaction.atomic():
            post("pay", [Move(allotment, amount, off, onto, self.batches[0])], SYSTEM)
        self.done["overdraft"] += 1

    def there(self, key: tuple[int, int | None, str]) -> Decimal:
        """What can be taken: what was freed of one batch may have been lowered away since."""
        return min(self.holds[key], self.balance(key[0], key[2]))

    def balance(self, allotment: int, account: str) -> Decimal:
        return sum((part for (of, _, at), part in self.holds.items() if (of, at) == (allotment, account)), NOTHING)

    @invariant()
    def balances_are_the_sums_of_postings_and_nothing_is_below_nothing(self) -> None:
        rows = Posting.objects.filter(allotment__in=self.given).values_list("allotment", "batch", "account")
        held = {(pk, of, at): total for pk, of, at, total in rows.annotate(total=Sum("amount")) if total}
        told = {key: part for key, part in self.holds.items() if part}
        assert {key: part for key, part in held.items() if key[2] != Account.ALLOTTED} == told
        balances = Balance.objects.in_bulk(list(self.given))
        for pk, given in self.given.items():
            assert balances[pk].allotted == given == -held.get((pk, None, Account.ALLOTTED), NOTHING)
            found = {account: getattr(balances[pk], account) for account in BALANCES}
            assert found == {account: self.balance(pk, account) for account in BALANCES}
            assert sum(found.values()) == given
            assert min(found.values()) >= 0


def walk(examples: int) -> None:
    Ledger.done.clear()
    Ledger.office = Office()
    programme = Ledger.office.version.programme
    common = {"programme": programme, "term": TERM, "kind": "bank_transfer", "path": Ledger.office.county.path}
    common |= {"maker": Ledger.office.maker.user, "created_at": "2026-09-07T08:00+08:00"}
    Ledger.batches = [Batch.objects.create(number=f"20260907-900{n}", **common).pk for n in range(3)]
    walks = settings(max_examples=examples, stateful_step_count=100, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Ledger, settings=walks)
    print(f"\n{Ledger.done.total()} steps: {Ledger.done.most_common()}")
    assert Ledger.done.total() >= 80 * examples
    assert min(Ledger.done[each] for each in ("entry", "adjust", "refused", "overdraft")) >= examples


@pytest.mark.django_db
def test_what_always_holds_of_the_ledger() -> None:
    walk(20)


@pytest.mark.drill
@pytest.mark.django_db
def test_what_always_holds_of_the_ledger_for_ten_thousand_steps() -> None:
    walk(125)


class Payments(RuleBasedStateMachine):
    """Every act of the room, by whoever may, on the batches of one office and their reissues."""

    done: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.hall: Hall | None = None

    def teardown(self) -> None:
        undone(self)

    @initialize(seed=seeds)
    def begin(self, seed: int) -> None:
        self.hall = Hall(seed)

    @rule(seed=seeds)
    def somebody_acts(self, seed: int) -> None:
        assert self.hall is not None
        self.hall.chance = Random(seed)
        batch = self.hall.next_batch()
        acts = self.hall.acts_on(batch)
        act = self.hall.chance.choice(acts[:2] if self.hall.chance.random() < 0.8 else acts)
        self.done["tried"] += 1
        try:
            with transaction.atomic():
                act()
        except Refused as refused:
            self.done[f"{refused.code}: {refused}".partition(":")[0]] += 1
        else:
            self.done[f"at {batch.state}"] += 1

    @invariant()
    def the_money_is_in_step(self) -> None:
        assert out_of_step() == []
        held = Posting.objects.exclude(batch=None).values("account").annotate(total=Sum("amount"))
        sums = {row["account"]: row["total"] for row in held}
        balances = Balance.objects.aggregate(*(Sum(account) for account in BALANCES))
        for account in BALANCES[1:]:
            assert (balances[f"{account}__sum"] or NOTHING) == sums.get(account, NOTHING)
        paid = PaymentLine.objects.filter(state="paid").aggregate(total=Sum("amount"))["total"] or NOTHING
        assert sums.get(Account.PAID, NOTHING) + sums.get(Account.RECOVERED, NOTHING) == paid


@pytest.mark.django_db
def test_what_always_holds_of_payments() -> None:
    walks = settings(max_examples=4, stateful_step_count=40, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Payments, settings=walks)
    print(f"\n{Payments.done.most_common()}")
    assert Payments.done["tried"] >= 40
    assert {"at draft", "at submitted", "at reviewed"} <= Payments.done.keys()


@pytest.mark.parametrize("amount", ["0.00", "0.01", "99.99"])
def test_a_portion_is_what_was_asked_for(amount: str) -> None:
    held = {1: Decimal("33.33"), 2: Decimal("66.66")}
    part = portion(Decimal(amount), held)
    assert sum(part.values(), NOTHING) == Decimal(amount)
    assert part in ({}, dict(zip(held, spread(Decimal(amount), list(held.values())), strict=True)))
