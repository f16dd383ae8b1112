"""What is asked of funds: by year and source, by document, by entry."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from approvals.disbursement.funds.choosing import by_source, fitting
from approvals.disbursement.funds.ledger import NOTHING, held_for
from approvals.disbursement.funds.models import (
    BALANCES,
    Account,
    Allotment,
    Balance,
    FundSource,
    LedgerEntry,
    Posting,
)
from approvals.disbursement.models import Batch
from approvals.organisations.queries import below

COLUMNS = ("allotted", "committed", "paid", "returned", "recovered", "available")
"""The columns of the overview, in the order in which a finance officer reads them."""
Row = dict[str, Any]
ORDER = list(enumerate(FundSource.values))
IN_ORDER = Case(*(When(source=source, then=Value(place)) for place, source in ORDER))


def allotments(prefixes: Iterable[str], year: int | None = None, source: str = "", programme: str = "") -> QuerySet:
    """Allotments of these offices with their balances; of a programme: those that may be spent on it."""
    found = Allotment.objects.filter(below(prefixes)).select_related("balance", "by")
    if year:
        found = found.filter(budget_year=year)
    if source:
        found = found.filter(source=source)
    if programme:
        found = found.filter(Q(programmes=[]) | Q(programmes__contains=[programme]))
    return found.order_by("-budget_year", IN_ORDER, "dated", "pk")


def overview(found: QuerySet) -> tuple[list[Row], Row]:
    """By budget year and source what was allotted and became of it, in yuan, and the sums of all."""
    sums: dict[str, Any] = {column: Sum(f"balance__{column}") for column in COLUMNS}
    rows = found.order_by().values("budget_year", "source").annotate(**sums).order_by("-budget_year", IN_ORDER)
    listed = [row | {"name": FundSource(row["source"]).label} for row in rows]
    return listed, {column: sum((row[column] for row in listed), NOTHING) for column in COLUMNS}


def years(prefixes: Iterable[str]) -> list[int]:
    """Budget years of which there are allotments, newest first."""
    found = Allotment.objects.filter(below(prefixes)).order_by("-budget_year")
    return list(found.values_list("budget_year", flat=True).distinct())


def entries_of(allotment: Allotment) -> QuerySet[LedgerEntry]:
    """The entries that touched an allotment, newest first: `moved` holds what each put onto its accounts."""
    sums: dict[str, Any] = {
        f"to_{account}": Coalesce(Sum("postings__amount", filter=Q(postings__account=account)), NOTHING)
        for account in BALANCES
    }
    touched = LedgerEntry.objects.filter(postings__allotment=allotment).select_related("batch")
    return touched.annotate(**sums).order_by("-pk")


def trial_balance(prefixes: Iterable[str]) -> tuple[list[Row], Row]:
    """试算平衡表: by account what was put on, what was taken off, what is left; and the sums, which must be nothing.

    Read from the postings alone, and compared with the balances kept.
    """
    found = Posting.objects.filter(allotment__in=Allotment.objects.filter(below(prefixes)))
    on, off = Sum("amount", filter=Q(amount__gt=0)), Sum("amount", filter=Q(amount__lt=0))
    sums = {row["account"]: row for row in found.values("account").annotate(on=on, off=off)}
    kept = Balance.objects.filter(allotment__in=Allotment.objects.filter(below(prefixes))).aggregate(
        **{str(account): Sum(str(account)) for account in Account.values}
    )
    rows = []
    for account in Account:
        row = sums.get(account.value, {})
        put, taken = row.get("on") or NOTHING, -(row.get("off") or NOTHING)
        balance = kept[account.value] or NOTHING
        kept_as = -balance if account == Account.ALLOTTED else balance
        rows.append(
            {
                "account": account.value,
                "name": account.label,
                "on": put,
                "off": taken,
                "left": put - taken,
                "kept": kept_as,
            }
        )
    total = {column: sum((row[column] for row in rows), NOTHING) for column in ("on", "off", "left", "kept")}
    return rows, total


def split_of(batch: Batch) -> list[Row]:
    """What each allotment bears of a batch, by source: [{"name", "amount", "allotments": […]}]."""
    held = Posting.objects.filter(batch=batch).exclude(account__in=[Account.ALLOTTED, Account.AVAILABLE])
    rows = held.values(source=F("allotment__source"), number=F("allotment__document"), key=F("allotment")).annotate(
        sum=Sum("amount")
    )
    found: dict[str, Row] = {}
    for row in rows.order_by(Case(*(When(allotment__source=source, then=Value(n)) for n, source in ORDER)), "key"):
        if row["sum"]:
            new = {
                "source": row["source"],
                "name": FundSource(row["source"]).label,
                "amount": NOTHING,
                "allotments": [],
            }
            of = found.setdefault(row["source"], new)
            of["amount"] += row["sum"]
            of["allotments"].append(row)
    return list(found.values())


def choices_for(batch: Batch) -> list[Row]:
    """What the treasury can choose from for a batch: [{"allotment", "now", "most"}], of the sources that bear it."""
    now = held_for(batch.pk, Account.COMMITTED)
    found = fitting(batch, by_source(now)).select_related("balance")
    rows = [
        {
            "allotment": allotment,
            "now": now.get(allotment.pk, NOTHING),
            "most": allotment.balance.available + now.get(allotment.pk, NOTHING),
        }
        for allotment in found.order_by(IN_ORDER, F("dated"), "pk")
    ]
    return [row for row in rows if row["most"]]
