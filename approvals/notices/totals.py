"""What the public is told when notices are over: how many pupils, how much money, by school, programme and term.

A cell is one school, one programme, one term. Four pupils or fewer could be recognised from a number, so their cell is
given as 少于5, without an amount; and every total is the sum of the cells that are shown, with the number of those that
are not, so that nobody reckons a hidden one by taking totals from each other. Counted are pupils whose line was
confirmed by a notice that has concluded and whose application has been approved since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Sum

from approvals.applications.models import Application
from approvals.notices.models import NoticeLine
from approvals.programmes.models import Programme

LEAST = 5
"""Fewest pupils that a number is given for."""
GRANTED = ("approved", "disbursing", "completed")
"""States of an application that was decided in the pupil's favour."""


def shown_count(count: int) -> int | None:
    """The number of pupils, or None where it is given as 少于5; nobody at all is nobody's secret."""
    return count if count >= LEAST or count == 0 else None


@dataclass(frozen=True, slots=True)
class Cell:
    """The pupils of one school, programme and term; None for a number that is not given."""

    school: str
    school_name: str
    programme: str
    programme_name: str
    term: str
    count: int | None
    amount: Decimal | None
    """Yuan a term; None also where the programme pays nothing."""


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of the cells that are shown, and how many are not."""

    label: str
    count: int
    amount: Decimal | None
    hidden: int


def cells(*, school_year: str = "", term: str = "", school: str = "", programme: str = "") -> list[Cell]:
    """The cells in the order of the tree of offices, the programmes, and the terms."""
    confirmed = NoticeLine.objects.filter(
        case=OuterRef("pk"), state="confirmed", notice__concluded_at__isnull=False
    ).exclude(notice__state="voided")
    found = Application.objects.filter(Exists(confirmed), case__state__in=GRANTED)
    wanted = {"school_year": school_year, "term": term, "school__code": school, "programme": programme}
    found = found.filter(**{name: value for name, value in wanted.items() if value})
    rows = (
        found.values("school__path", "school__code", "school__name", "programme", "term")
        .annotate(count=Count("pk"), amount=Sum("amount"))
        .order_by("school__path", "programme", "term")
    )
    programmes = {each.pk: each for each in Programme.objects.all()}
    made = [_cell(row, programmes) for row in rows]
    order = {code: at for at, code in enumerate(programmes)}
    places = {row["school__code"]: at for at, row in enumerate(rows)}
    return sorted(made, key=lambda cell: (places[cell.school], order.get(cell.programme, 0), cell.term))


def _cell(row: dict[str, Any], programmes: dict[str, Programme]) -> Cell:
    count = shown_count(row["count"])
    return Cell(
        school=row["school__code"],
        school_name=row["school__name"],
        programme=row["programme"],
        programme_name=programmes[row["programme"]].name if row["programme"] in programmes else row["programme"],
        term=row["term"],
        count=count,
        amount=None if count is None else row["amount"],
    )


def total(label: str, of: Iterable[Cell]) -> Total:
    """The sum over cells: of what is shown."""
    found = list(of)
    amounts = [cell.amount for cell in found if cell.amount is not None]
    return Total(
        label=label,
        count=sum(cell.count or 0 for cell in found),
        amount=sum(amounts, Decimal(0)) if amounts else None,
        hidden=sum(cell.count is None for cell in found),
    )


def by_programme(of: Iterable[Cell]) -> list[Total]:
    """A total for each programme among the cells, in their order."""
    groups: dict[str, list[Cell]] = {}
    for cell in of:
        groups.setdefault(cell.programme_name, []).append(cell)
    return [total(name, group) for name, group in groups.items()]


def terms() -> list[str]:
    """The terms for which there are results, the latest first."""
    confirmed = NoticeLine.objects.filter(state="confirmed", notice__concluded_at__isnull=False)
    return sorted(set(confirmed.values_list("notice__term", flat=True).distinct()), reverse=True)
