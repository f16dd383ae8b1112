"""Quota and average of a grant, judged when the school decides: the set is taken, best paid first, while it fits.

DOMAIN.md §2.4: a school's list may not be longer than the headcount the county gave it, and the average of its
amounts may not fall below the programme's; together they may not cost more than headcount times average.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.applications.models import Application
from approvals.organisations.models import Organisation
from approvals.programmes import queries as programmes
from approvals.programmes.models import ProgrammeVersion
from workflows.actors import Actor
from workflows.guards import Refusal, guard
from workflows.planned import planned_cursor

SENTENCES: dict[str, Promise] = {
    "quota_missing": _("The county has not set a headcount for %(school)s in %(year)s; ask it to."),
    "over_quota": _("The headcount of %(school)s for %(year)s is %(headcount)s, and %(count)s are taken already."),
    "over_budget": _(
        "%(school)s may give %(budget)s yuan a term (%(headcount)s × %(average)s); %(total)s are given already and "
        "this one is %(amount)s. Of a list, the highest amounts are taken first."
    ),
    "average_below": _(
        "With %(amount)s yuan the average of %(school)s would fall to %(new)s, below %(average)s. Approve higher tiers "
        "first or together, or have the tier changed. Of a list, the highest amounts are taken first."
    ),
}
UNDECIDED = Q(case__state__in=["draft", "submitted", "class_review", "class_notice", "school_review"]) | Q(
    case__state="returned", case__resume__in=["class_review", "school_review"]
)
"""Not past the school's decision. A case that another office returned keeps its place: it does not come back here."""


class Place(NamedTuple):
    """Where one quota holds."""

    programme: str
    school: int
    school_year: str


class Candidate(NamedTuple):
    """A case about to be approved."""

    case: int
    amount: Decimal


@dataclass(slots=True)
class Room:
    """What a school has left for a programme and year: taken so far, and the limits."""

    headcount: int
    average: Decimal | None
    count: int
    total: Decimal

    def refusal(self, amount: Decimal) -> str | None:
        """Why one more of this amount does not fit; None, and it is counted, when it does."""
        if self.count >= self.headcount:
            return "over_quota"
        if self.average is not None:
            if self.total + amount > self.headcount * self.average:
                return "over_budget"
            if self.total + amount < self.average * (self.count + 1):
                return "average_below"
        self.count += 1
        self.total += amount
        return None


def fit(room: Room, candidates: Iterable[Candidate]) -> dict[int, tuple[str, Room, Decimal]]:
    """Takes candidates into a room, best paid first; {case: (code, the room as it then was, its amount)} refused."""
    refused = {}
    for case, amount in sorted(candidates, key=lambda each: (-each.amount, each.case)):
        code = room.refusal(amount)
        if code:
            refused[case] = (code, Room(room.headcount, room.average, room.count, room.total), amount)
    return refused


@guard("aid", "school_review", "approve")
def within_quota(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """Refuses the approvals of a school that its quota, budget or average does not allow.

    Decisions of one school and programme wait for each other (advisory lock until the transaction ends), so that
    two heads approving at once cannot both take the last place.
    """
    limited = _limited(case_ids)
    if not limited:
        return {}
    candidates: dict[Place, list[Candidate]] = defaultdict(list)
    names: dict[int, str] = {}
    averages: dict[Place, Decimal | None] = {}
    for case, place, school, amount, average in limited:
        candidates[place].append(Candidate(case, amount or Decimal(0)))
        names[place.school] = school
        averages[place] = average
    _lock(candidates)
    refused: dict[int, Refusal] = {}
    for place, waiting in candidates.items():
        headcount = programmes.headcount(*place)
        if headcount is None:
            sentence = SENTENCES["quota_missing"] % {"school": names[place.school], "year": place.school_year}
            refused |= {each.case: Refusal("quota_missing", sentence) for each in waiting}
            continue
        count, total = _taken(place)
        room = Room(headcount, averages[place], count, total)
        for case, why in fit(room, waiting).items():
            refused[case] = _refusal(*why, place, names[place.school])
    return refused


_LIMITED = f"""
    SELECT a.case_id, a.programme, a.school_id, a.school_year, o.name, a.amount, v.definition -> 'quota' ->> 'average'
      FROM {Application._meta.db_table} a
      JOIN {ProgrammeVersion._meta.db_table} v ON v.id = a.version_id
       AND jsonb_typeof(v.definition -> 'quota') = 'object'
      JOIN {Organisation._meta.db_table} o ON o.id = a.school_id
     WHERE a.case_id = ANY(%s)
"""


def _limited(case_ids: list[int]) -> list[tuple[int, Place, str, Decimal | None, Decimal | None]]:
    """Of these cases those whose programme has a quota: case, place, the school's name, amount, average.

    Asked at every approval of a school, and nearly always answered with nothing: one plain statement.
    """
    with planned_cursor() as cursor:
        cursor.execute(_LIMITED, [case_ids])
        return [
            (case, Place(programme, school, year), name, amount, Decimal(average) if average else None)
            for case, programme, school, year, name, amount, average in cursor.fetchall()
        ]


def _lock(places: Iterable[Place]) -> None:
    """One lock per school and programme, always taken in the same order."""
    with connection.cursor() as cursor:
        for programme, school in sorted({(place.programme, place.school) for place in places}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), %s)", [f"quota:{programme}", school])


def _taken(place: Place) -> tuple[int, Decimal]:
    """How many of a school are past its decision, and their amounts together."""
    taken = Application.objects.filter(
        programme=place.programme, school=place.school, school_year=place.school_year, live=True
    ).exclude(UNDECIDED)
    found = taken.aggregate(count=Count("pk"), total=Coalesce(Sum("amount"), Decimal(0)))
    return found["count"], found["total"]


def _refusal(code: str, room: Room, amount: Decimal, place: Place, school: str) -> Refusal:
    average = room.average or Decimal(0)
    return Refusal(
        code,
        SENTENCES[code]
        % {
            "school": school,
            "year": place.school_year,
            "headcount": room.headcount,
            "count": room.count,
            "amount": _yuan(amount),
            "average": _yuan(average),
            "budget": _yuan(room.headcount * average),
            "total": _yuan(room.total),
            "new": _yuan((room.total + amount) / (room.count + 1)),
        },
    )


def _yuan(amount: Decimal) -> str:
    return f"{amount:,.2f}"
