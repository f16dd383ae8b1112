"""Two finance officers and two others at the same batch in the same moment, over and over: one outcome, and whoever
came too late is told so in a sentence; nobody meets an error, and the ledger adds up after each.

In CI forty times; the drill does it five hundred times.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, connections

from approvals.disbursement import actions, demo_bank, queries
from approvals.disbursement.models import Batch
from approvals.disbursement.refusals import Refused
from tests.approvals.disbursement.test_batches import Office
from tests.drills.paying import ENDED, WHY, out_of_step
from tests.factories import TERM, account_number, acting, funded, person
from workflows.clock import today
from workflows.models import Record

Act = Callable[[], Any]
PUPILS = 4


class Hall:
    """An office with two of each kind, who all act at once on what stands there."""

    def __init__(self, seed: int) -> None:
        self.office, self.chance = Office(), random.Random(seed)
        funded(self.office.county, self.office.version.programme)
        county, office = self.office.county, self.office
        roles = ("finance_maker", "finance_checker", "finance_approver", "treasury_officer", "auditor")
        held = {"finance_maker": office.maker, "finance_checker": office.checker, "finance_approver": office.approver}
        held["treasury_officer"] = office.treasury
        self.pairs = {
            role: (held.get(role) or acting(person(role, county)), acting(person(role, county))) for role in roles
        }
        self.told: Counter[str] = Counter()

    def acts_on(self, batch: Batch) -> list[Act]:
        """Acts of two finance officers and two others that all could be taken where the batch stands now."""
        pk, chance = batch.pk, self.chance
        makers, checkers = self.pairs["finance_maker"], self.pairs["finance_checker"]
        approvers, treasurers = self.pairs["finance_approver"], self.pairs["treasury_officer"]
        auditor = self.pairs["auditor"][chance.randrange(2)]
        stop: Act = lambda: actions.hold(pk, auditor, WHY)  # noqa: E731
        numbers = list(batch.lines.filter(state="paid").values_list("number", flat=True))
        lines = list(batch.lines.order_by("number"))
        match batch.state:
            case "draft":
                line = chance.choice(lines).pk
                wild: list[Act] = [
                    lambda: actions.cancel(pk, makers[1], WHY),
                    lambda: actions.take_out(line, makers[1], WHY),
                    lambda: actions.hold_line(line, makers[1], WHY),
                    stop,
                ]
                return [*(lambda by=by: actions.submit(pk, by) for by in makers), *chance.sample(wild, 2)]
            case "submitted" | "reviewed" as state:
                act, people = (actions.check, checkers) if state == "submitted" else (actions.approve, approvers)
                back: Act = lambda: actions.send_back(pk, people[1], WHY)  # noqa: E731
                return [*(lambda by=by: act(pk, by) for by in people), back, stop]
            case "finance_review":
                give: list[Act] = [
                    lambda by=by: actions.allot(pk, by, "鸡财拨〔2026〕1号", today()) for by in treasurers
                ]
                return [*give, chance.choice([stop, lambda: actions.send_back(pk, treasurers[1], WHY)]), stop]
            case "allotted":
                back = lambda: actions.send_back(pk, treasurers[0], WHY)  # noqa: E731
                return [*(lambda by=by: actions.export(pk, by) for by in makers), chance.choice([back, stop]), stop]
            case "sent_to_bank":
                failing = tuple(line.number for line in lines if chance.random() < 0.5)
                same, other = demo_bank.answer(batch, failing), demo_bank.answer(batch, failing[1:])
                take = [*(lambda by=by: actions.take_return(pk, same, "r.txt", by) for by in makers)]
                return [*take, lambda: actions.take_return(pk, other, "o.txt", makers[1]), stop]
            case "audit_held":
                free = [lambda by=by: actions.release_hold(pk, by, WHY) for by in self.pairs["auditor"]]
                return [*free, lambda: actions.export(pk, makers[0]), lambda: actions.submit(pk, makers[1])]
            case "partially_paid":
                return self.mending(batch, lines)
            case "paid":
                total = queries.paid_total(batch)
                settle: list[Act] = [lambda by=by: actions.reconcile(pk, by, total) for by in treasurers]
                bounced = demo_bank.answer(batch, (), tuple(chance.sample(numbers, min(1, len(numbers)))))
                return [*settle, *(lambda by=by: actions.take_return(pk, bounced, "b.txt", by) for by in makers)]
            case _:
                close: list[Act] = [lambda by=by: actions.close(pk, by) for by in treasurers]
                return [*close, *(lambda by=by: actions.export(pk, by) for by in makers)]

    def mending(self, batch: Batch, lines: list[Any]) -> list[Act]:
        """What failed is corrected by the school, given up or reissued by the officers."""
        office, chance, pk = self.office, self.chance, batch.pk
        makers, treasurers = self.pairs["finance_maker"], self.pairs["treasury_officer"]
        failed = [line for line in lines if line.state in ("failed", "bounced")]
        fixed = [line for line in lines if line.state == "account_fix"]
        if failed:
            line = chance.choice(failed)
            number = account_number(700_000 + line.pk)
            waiting = line.corrections.filter(state="waiting").first()
            proposed: Act = lambda: actions.propose_account(  # noqa: E731
                line.pk, number, number, "bank_card", line.payee, "农信社", office.officer
            )
            if waiting:
                proposed = lambda: actions.confirm_account(waiting.pk, number, office.head)  # noqa: E731
            give = lambda: actions.give_up(line.pk, makers[1], WHY)  # noqa: E731
            redo = lambda: actions.reissue(pk, makers[0])  # noqa: E731
            return [proposed, proposed, chance.choice([give, redo, redo]), redo]
        if fixed:
            line = chance.choice(fixed)
            give = lambda: actions.give_up(line.pk, makers[1], WHY)  # noqa: E731
            return [*(lambda by=by: actions.reissue(pk, by) for by in makers), give, give]
        total = queries.paid_total(batch)
        return [lambda by=by: actions.reconcile(pk, by, total) for by in (*treasurers, *treasurers)]

    def next_batch(self) -> Batch:
        """Some batch on its way; a new one where there are none."""
        open_ones = list(Batch.objects.exclude(state__in=ENDED).order_by("pk"))
        if len(open_ones) < 2 and queries.payable_awards([""], queries.Q(), TERM):
            return actions.make_batch(self.office.version.programme, TERM, self.office.maker, self.office.county.path)
        if not open_ones:
            self.office.approved(PUPILS)
            return self.next_batch()
        return self.chance.choice(open_ones)

    def once(self, pool: ThreadPoolExecutor) -> None:
        """Four at once; what they were told, and what the batch then looks like."""
        batch = self.next_batch()
        acts = self.acts_on(batch)
        assert len(acts) == 4
        together = threading.Barrier(4)
        waits = [self.chance.choice([0.0, 0.0, 0.002, 0.01]) for _ in acts]
        answers = list(pool.map(lambda pair: _acted(together, *pair), zip(acts, waits, strict=True)))
        where = f"{batch.number} at {batch.state}"
        for answer in answers:
            assert not isinstance(answer, Exception) or (isinstance(answer, Refused) and str(answer)), (where, answer)
            self.told[answer.code if isinstance(answer, Refused) else "done"] += 1
        assert out_of_step() == [], where
        moves = Record.objects.filter(about="batch", about_id=batch.pk, state_to__gt="").order_by("pk")
        hops = list(moves.values_list("state_from", "state_to"))
        batch.refresh_from_db()
        assert all(earlier[1] == later[0] for earlier, later in pairwise(hops)), (where, hops)
        assert hops[-1][1] == batch.state, where


def _acted(together: threading.Barrier, act: Act, wait: float) -> Any:
    """In a session that its thread keeps."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '50ms'")
        together.wait(30)
        time.sleep(wait)
        return act()
    except Exception as error:
        return error


def interleave(times: int, seed: int = 7) -> None:
    hall, begun = Hall(seed), time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        try:
            for _ in range(times):
                hall.once(pool)
        finally:
            leaving = threading.Barrier(4)
            list(pool.map(lambda _: (leaving.wait(30), connections.close_all()), range(4)))
    print(f"\n{times} times four at once in {time.monotonic() - begun:.0f} s: {hall.told.most_common()}")
    assert hall.told["done"] > times / 2
    assert hall.told.total() - hall.told["done"] > times / 2, "hardly anybody was told that he came too late"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_forty_times_four_at_once_have_one_outcome() -> None:
    interleave(40)


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_five_hundred_times_four_at_once_have_one_outcome() -> None:
    interleave(500)
