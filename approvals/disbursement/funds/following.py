"""What the ledger does as a batch goes its way: the one place where payments and funds meet.

Money is committed when a batch is approved, so that who has too little hears it before anything is signed at the
treasury; it is paid when lines are, and stays committed for a line that failed until a reissue takes it over or
somebody gives it up (docs/decisions/ledger.md).
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from approvals.disbursement.funds import choosing
from approvals.disbursement.funds.ledger import NOTHING, Held, Move, held_for, lock, lock_of, open_of, portion, post
from approvals.disbursement.funds.models import Account
from approvals.disbursement.models import Batch, PaymentLine
from approvals.disbursement.refusals import Refused
from workflows.actors import Actor
from workflows.clock import moment

PAID = ["paid", "acknowledged"]
"""States of a line that stands for money which left and did not come back."""


def follow(batch: Batch, act: str, by: Actor) -> None:
    """Books what a step of a batch means for the money. Raises Refused where there is too little."""
    if step := STEPS.get(act):
        step(batch, by)


def commit(batch: Batch, by: Actor) -> None:
    """Binds the batch's total. A reissue takes over what its failed lines still hold. Raises Refused."""
    taken = _replaced(batch)
    lock_of(taken)
    fresh = batch.total - sum(taken.values(), NOTHING)
    if fresh:
        chosen = choosing.choose(batch, fresh)
        post("commit", _moves(chosen, Account.AVAILABLE, Account.COMMITTED, batch), by, batch=batch.pk)
    for old, amount in taken.items():
        moves = (
            Move(allotment, part, account, Account.COMMITTED, old, batch.pk)
            for allotment, account, part in open_of(amount, old)
        )
        post("take_over", moves, by, batch=batch.pk)
    batch.committed_at = moment().business
    Batch.objects.filter(pk=batch.pk).update(committed_at=batch.committed_at)


def release(batch: Batch, by: Actor) -> None:
    """Frees what is committed for a batch that goes back to its maker; a reissue's goes back to the batch before."""
    if batch.committed_at is None:
        return
    taken = _replaced(batch)
    lock_of([batch.pk, *taken])
    for old, amount in taken.items():
        back = portion(amount, held_for(batch.pk, Account.COMMITTED))
        moves = (
            Move(allotment, part, Account.COMMITTED, Account.COMMITTED, batch.pk, old)
            for allotment, part in back.items()
        )
        post("take_over", moves, by, batch=old)
    left = held_for(batch.pk, Account.COMMITTED)
    post("release", _moves(left, Account.COMMITTED, Account.AVAILABLE, batch), by, batch=batch.pk)
    batch.committed_at = None
    Batch.objects.filter(pk=batch.pk).update(committed_at=None)


def paid(batch: Batch, by: Actor) -> None:
    """Books what the batch's lines say was paid, or came back (退汇), since it was asked last; safe to repeat."""
    if batch.committed_at is None:
        return
    lock_of([batch.pk])
    booked = {account: held_for(batch.pk, account) for account in (Account.PAID, Account.RECOVERED)}
    known = sum((sum(held.values(), NOTHING) for held in booked.values()), NOTHING)
    new = _sum(batch.lines.filter(state__in=PAID)) - known
    if new > 0:
        part = portion(new, held_for(batch.pk, Account.COMMITTED))
        post("pay", _moves(part, Account.COMMITTED, Account.PAID, batch), by, batch=batch.pk)
    elif new < 0:
        part = portion(-new, booked[Account.PAID])
        post("return", _moves(part, Account.PAID, Account.RETURNED, batch), by, batch=batch.pk)


def given_up(batch: Batch, amount: Decimal, by: Actor) -> None:
    """Frees what was kept for lines that will not be paid after all."""
    if batch.committed_at is None:
        return
    lock_of([batch.pk])
    moves = (Move(pk, part, account, Account.AVAILABLE, batch.pk) for pk, account, part in open_of(amount, batch.pk))
    post("release", moves, by, batch=batch.pk)


def recovered(batch: Batch, amount: Decimal, document: str, by: Actor) -> None:
    """Books what was paid back into the treasury's account (追回) under a receipt. It is not available again by itself:
    only a new document of its source makes it so.
    """
    if batch.committed_at is None:
        return
    lock_of([batch.pk])
    part = portion(amount, held_for(batch.pk, Account.PAID))
    post("recover", _moves(part, Account.PAID, Account.RECOVERED, batch), by, batch=batch.pk, document=document)


def rechoose(batch: Batch, wanted: Held, by: Actor) -> None:
    """The treasury's own choice of allotments. Each source bears what it bore before, and each allotment may be spent
    on the programme and has as much. Raises Refused.
    """
    now = held_for(batch.pk, Account.COMMITTED)
    wanted = {pk: part for pk, part in wanted.items() if part}
    if wanted == now:
        return
    if any(part < 0 for part in wanted.values()):
        raise Refused("share_negative")
    allowed = {one.pk: one for one in choosing.fitting(batch, set(choosing.by_source(now)))}
    if not set(wanted) <= set(allowed) | set(now):
        raise Refused("share_not_allowed")
    balances = lock({*wanted, *now})
    bound, given = choosing.by_source(now), choosing.by_source(wanted)
    if bound != given:
        raise Refused("share_not_split", wanted=choosing.named(bound), given=choosing.named(given) or "0.00")
    for pk, part in wanted.items():
        if part - now.get(pk, NOTHING) > balances[pk].available:
            have = balances[pk].available + now.get(pk, NOTHING)
            raise Refused("share_too_much", document=balances[pk].allotment.document, have=f"{have:,.2f}")
    moves = [
        *_moves(now, Account.COMMITTED, Account.AVAILABLE, batch),
        *_moves(wanted, Account.AVAILABLE, Account.COMMITTED, batch),
    ]
    post("choose", moves, by, batch=batch.pk)


STEPS: dict[str, Callable[[Batch, Actor], None]] = {
    "approve": commit,
    "return_from_treasury": release,
    "answer_partly": paid,
    "answer_fully": paid,
}
"""By transition of a batch. A settlement pays its lines after the step, and calls `paid` itself."""


def _replaced(batch: Batch) -> dict[int, Decimal]:
    """Of a reissue's total, what each earlier batch still holds for the lines it replaces, in the order of keys."""
    lines = batch.lines.filter(state="included", replaces__batch__committed_at__isnull=False)
    rows = lines.values("replaces__batch").annotate(sum=Sum("amount")).order_by("replaces__batch")
    return {row["replaces__batch"]: row["sum"] for row in rows}


def _moves(held: Held, off: Account, onto: Account, batch: Batch) -> Iterable[Move]:
    return [Move(allotment, part, off, onto, batch.pk) for allotment, part in held.items()]


def _sum(lines: QuerySet[PaymentLine]) -> Decimal:
    found: dict[str, Any] = lines.aggregate(sum=Sum("amount"))
    return found["sum"] or NOTHING
