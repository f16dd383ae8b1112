"""Which allotments a batch is paid from: shared by the programme's split, earmarked money first, then the oldest."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet

from approvals.disbursement.funds.ledger import NOTHING, Held, lock
from approvals.disbursement.funds.models import Allotment, FundSource, SplitRule
from approvals.disbursement.funds.splitting import spread
from approvals.disbursement.models import Batch
from approvals.disbursement.refusals import Refused
from approvals.organisations.queries import STEP
from workflows.clock import today


def with_ancestors(path: str) -> list[str]:
    """The paths of an office and of those above it."""
    return [path[:end] for end in range(STEP, len(path) + 1, STEP)]


Shares = dict[str, Decimal]
"""Yuan by fund source."""


def split_on(programme: str, day: date) -> SplitRule | None:
    """The split of a programme that holds on a day."""
    return SplitRule.objects.filter(programme=programme, valid_from__lte=day).order_by("-valid_from").first()


def shares_of(programme: str, total: Decimal, day: date) -> Shares:
    """A total by source, to the fen; the parts add up. Raises Refused where the programme has no split yet."""
    rule = split_on(programme, day)
    if rule is None:
        raise Refused("no_split")
    sources = [source for source in FundSource.values if source in rule.shares]
    parts = spread(total, [Decimal(rule.shares[source]) for source in sources])
    return {source: part for source, part in zip(sources, parts, strict=True) if part}


def fitting(batch: Batch, sources: Iterable[str]) -> QuerySet[Allotment]:
    """Allotments of these sources that may be spent on a batch: of its office or one above, of no later year, earmarked
    for nothing else.
    """
    earmark = Q(programmes=[]) | Q(programmes__contains=[batch.programme_id])
    return Allotment.objects.filter(
        earmark, path__in=with_ancestors(batch.path), source__in=list(sources), budget_year__lte=today().year
    ).order_by("pk")


def choose(batch: Batch, amount: Decimal) -> Held:
    """What to commit of which allotment for `amount` yuan of a batch; their balances are locked.

    Raises Refused with what is missing of each source.
    """
    shares = shares_of(batch.programme_id, amount, today())
    allotments = sorted(fitting(batch, shares), key=lambda one: (not one.programmes, one.dated, one.pk))
    balances = lock(allotment.pk for allotment in allotments)
    chosen: Held = {}
    missing = dict(shares)
    for allotment in allotments:
        part = min(missing[allotment.source], balances[allotment.pk].available)
        if part > 0:
            chosen[allotment.pk] = part
            missing[allotment.source] -= part
    if short := {source: part for source, part in missing.items() if part}:
        raise Refused("funds_short", missing=named(short), total=f"{sum(short.values(), NOTHING):,.2f}")
    return chosen


def by_source(held: Held) -> Shares:
    """What is held of allotments, by their source in the order of the split."""
    of = dict(Allotment.objects.filter(pk__in=held).values_list("pk", "source"))
    sums: Shares = defaultdict(lambda: NOTHING)
    for pk, part in held.items():
        sums[of[pk]] += part
    return {source: sums[source] for source in FundSource.values if source in sums}


def named(shares: Shares) -> str:
    """中央 1,200.00、县级 300.00."""
    return "、".join(f"{FundSource(source).label} {part:,.2f}" for source, part in shares.items())
