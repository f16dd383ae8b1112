"""记账: entries whose postings add up to nothing, on balances that are locked first (DESIGN §3).

Who writes in the ledger locks the balances it may touch, in the order of their keys, and reads only then. The database
keeps the balances, and refuses one below nothing and an entry that does not add up.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from approvals.disbursement.funds.models import Account, Balance, LedgerEntry, Posting
from approvals.disbursement.funds.splitting import spread
from workflows.actors import Actor
from workflows.clock import moment

NOTHING = Decimal("0.00")
Held = dict[int, Decimal]
"""Yuan by allotment."""


class LedgerError(Exception):
    """The ledger does not hold what the lines say it must: a fault to be looked into, not somebody's mistake."""


@dataclass(frozen=True, slots=True)
class Move:
    """So many yuan of an allotment from one account to another, of a batch or of two."""

    allotment: int
    amount: Decimal
    off: Account
    onto: Account
    batch: int | None = None
    to_batch: int | None = None
    """Where it goes to another batch."""


def lock(allotments: Iterable[int]) -> dict[int, Balance]:
    """The balances of these allotments, locked in the order of their keys until the transaction ends."""
    rows = Balance.objects.select_for_update().filter(pk__in=set(allotments)).order_by("pk")
    return {row.pk: row for row in rows}


def lock_of(batches: Iterable[int]) -> None:
    """Locks the balances of every allotment that holds or held money for these batches."""
    lock(Posting.objects.filter(batch__in=set(batches)).values_list("allotment", flat=True).distinct())


def held_for(batch: int, account: Account) -> Held:
    """What an account holds for a batch, by allotment in the order of their keys; nothing where it holds nothing."""
    rows = Posting.objects.filter(batch=batch, account=account).values("allotment").annotate(sum=Sum("amount"))
    return {row["allotment"]: row["sum"] for row in rows.order_by("allotment") if row["sum"]}


def post(
    kind: str, moves: Iterable[Move], by: Actor, *, batch: int | None = None, document: str = ""
) -> LedgerEntry | None:
    """Writes one entry of these moves; None where they come to nothing."""
    sides: dict[tuple[int, int | None, str], Decimal] = defaultdict(lambda: NOTHING)
    for move in moves:
        sides[move.allotment, move.batch, move.off] -= move.amount
        sides[move.allotment, move.to_batch or move.batch, move.onto] += move.amount
    postings = [(key, amount) for key, amount in sorted(sides.items(), key=_order) if amount]
    if not postings:
        return None
    at = moment()
    entry = LedgerEntry.objects.create(
        kind=kind,
        batch_id=batch,
        document=document[:60],
        at=at.machine,
        business_at=at.business,
        by=by.key,
        by_name=by.name[:80],
    )
    Posting.objects.bulk_create(
        Posting(entry=entry, allotment_id=allotment, batch_id=of, account=account, amount=amount)
        for (allotment, of, account), amount in postings
    )
    return entry


def _order(side: tuple[tuple[int, int | None, str], Decimal]) -> tuple[int, Decimal, int, str]:
    """What is put on stands before what is taken off, so that no balance is below nothing in between."""
    (allotment, batch, account), amount = side
    return allotment, -amount, batch or 0, account


def portion(amount: Decimal, held: Held) -> Held:
    """`amount` taken in proportion from what is held. Raises LedgerError where that is less."""
    if amount > sum(held.values(), NOTHING):
        raise LedgerError(f"{amount} yuan wanted, {sum(held.values(), NOTHING)} held")
    if not amount:
        return {}
    return dict(zip(held, spread(amount, list(held.values())), strict=True))


def open_of(amount: Decimal, batch: int) -> list[tuple[int, Account, Decimal]]:
    """`amount` of what a batch holds and has not paid: first what the bank returned, then what is committed."""
    returned, committed = held_for(batch, Account.RETURNED), held_for(batch, Account.COMMITTED)
    first = min(amount, sum(returned.values(), NOTHING))
    return [
        *((pk, Account.RETURNED, part) for pk, part in portion(first, returned).items() if part),
        *((pk, Account.COMMITTED, part) for pk, part in portion(amount - first, committed).items() if part),
    ]
