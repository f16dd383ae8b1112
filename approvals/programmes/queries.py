"""What can be applied for, for how much, and when."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db.models import F, Max, Q, QuerySet

from approvals.programmes.models import Programme, ProgrammeVersion, Quota, Rate, Window


def current(code_or_group: str | None = None) -> list[ProgrammeVersion]:
    """The versions in force, in the programmes' order: of one programme, of an exclusive group, or of all.

    Empty for a code that is neither. A group may bear the code of a programme; then the programme is meant.
    """
    versions = (
        ProgrammeVersion.objects.select_related("programme")
        .annotate(latest=Max("programme__versions__number"))
        .filter(number=F("latest"))
        .order_by("programme__order", "programme_id")
    )
    if code_or_group is None:
        return list(versions)
    found = list(versions.filter(Q(programme_id=code_or_group) | Q(programme__group=code_or_group)))
    return [version for version in found if version.programme_id == code_or_group] or found


def codes() -> list[str]:
    """What a roster may be uploaded for: programmes in force, and exclusive groups of several; in their order."""
    versions = current()
    groups = [version.programme.group for version in versions]
    several = [group for group in dict.fromkeys(groups) if groups.count(group) > 1]
    return [*dict.fromkeys([*several, *(version.programme_id for version in versions)])]


# ---------------------------------------------------------------- rates


def rate_for(version: ProgrammeVersion, term: str, stage: str, tier: str = "") -> Rate | None:
    """What a version gives in a term: the latest rate that has begun by then (DOMAIN.md §2.4). None: no rate."""
    return amounts_for(version, term, stage).get(tier)


def amounts_for(version: ProgrammeVersion, term: str, stage: str) -> dict[str, Rate]:
    """The rates of a term by tier; one under "" where the programme has no tiers. In the order of the amounts."""
    return in_force(Rate.objects.filter(version=version), term, stage)


def in_force(rates: Iterable[Rate], term: str, stage: str) -> dict[str, Rate]:
    """Of a version's rates those of a term and stage, by tier, in the order of the amounts."""
    begun = [rate for rate in rates if rate.first_term <= term and rate.stage in ("", stage)]
    latest = {rate.tier: rate for rate in sorted(begun, key=lambda rate: rate.first_term)}
    return {rate.tier: rate for rate in sorted(latest.values(), key=lambda rate: rate.amount)}


# ---------------------------------------------------------------- windows


def window_for(code: str, term: str) -> Window | None:
    """When a programme takes applications for a term; None where that was never announced."""
    return Window.objects.filter(programme_id=code, term=term).first()


def is_open(code_or_group: str, term: str, on: date) -> bool:
    """Whether a programme, or any of a group, takes applications for a term on a business day."""
    return open_windows(on).filter(_of(code_or_group), term=term).exists()


def open_windows(on: date) -> QuerySet[Window]:
    """The windows that are open on a business day, in the programmes' order."""
    return Window.objects.filter(opens_on__lte=on, closes_on__gte=on).order_by("programme__order", "term")


def _of(code_or_group: str) -> Q:
    if Programme.objects.filter(pk=code_or_group).exists():
        return Q(programme_id=code_or_group)
    return Q(programme__group=code_or_group)


# ---------------------------------------------------------------- quotas


def headcount(programme: str, school: int, school_year: str) -> int | None:
    """How many pupils of a school (its key) a programme may take in a school year; None: not limited."""
    return (
        Quota.objects.filter(programme_id=programme, school_id=school, school_year=school_year)
        .values_list("headcount", flat=True)
        .first()
    )


# ---------------------------------------------------------------- names


def group_name(group: str, language: str | None = None) -> str:
    """What an exclusive group is called; the group's code where nothing belongs to it."""
    for each in current(group):
        return each.rules.group_name_en if language == "en" else each.rules.group_name
    return group


# ---------------------------------------------------------------- for the public page


class Offer(NamedTuple):
    """A programme as the public page shows it."""

    version: ProgrammeVersion
    windows: list[Window]
    rates: list[Rate]

    def open_window(self, on: date) -> Window | None:
        return next((window for window in self.windows if window.opens_on <= on <= window.closes_on), None)


def offers(code: str | None = None) -> list[Offer]:
    """The programmes in force, or one, each with its windows (latest first) and rates; three statements."""
    versions = [each for each in current() if code in (None, each.programme_id)]
    windows: dict[str, list[Window]] = {}
    for window in Window.objects.filter(programme__in=[each.programme_id for each in versions]).order_by("-term"):
        windows.setdefault(window.programme_id, []).append(window)
    rates: dict[int, list[Rate]] = {}
    for rate in Rate.objects.filter(version__in=versions).order_by("-first_term", "stage", "-amount"):
        rates.setdefault(rate.version_id, []).append(rate)
    return [Offer(each, windows.get(each.programme_id, []), rates.get(each.pk, [])) for each in versions]
