"""Working days in China: Monday to Friday less statutory holidays, plus make-up working days (DOMAIN.md §2.3).

The calendar is a table, loaded from `fixtures/calendar/`. A year that the State Council has not published yet
is computed provisionally (暂定) as Monday to Friday.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings
from django.db import transaction

from workflows import clock
from workflows.models import CalendarDay, CalendarYear

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LONGEST = 60
"""Most working days that a step may be allowed."""


@dataclass(frozen=True)
class Calendar:
    """Published years and the days in them that differ from Monday-to-Friday."""

    years: frozenset[int] = frozenset()
    special: dict[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        """Whether `day` is a working day, make-up days included."""
        return self.special.get(day, day.weekday() < 5)

    def is_provisional(self, *days: date) -> bool:
        """Whether any of these days lies in a year that has not been published."""
        return any(day.year not in self.years for day in days)

    def after(self, start: date, count: int) -> date:
        """The `count`-th working day after `start`; counting begins on the day after. `start` itself for 0."""
        if count < 0:
            raise ValueError("count must not be negative")
        day = start
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day

    def before(self, start: date, count: int) -> date:
        """The `count`-th working day before `start`; `start` itself for 0."""
        if count < 0:
            raise ValueError("count must not be negative")
        day = start
        while count:
            day -= timedelta(days=1)
            count -= self.is_working(day)
        return day

    def between(self, start: date, end: date) -> int:
        """How many working days lie after `start` up to and including `end`."""
        return sum(self.is_working(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


def notice_end(published_on: date, count: int, day_kind: str = "working", using: Calendar | None = None) -> date:
    """Last day of a notice published on a day: the count begins the day after (DOMAIN.md §2.3).

    `day_kind` is "working" or "calendar"; the notice ends at 24:00 of the day returned.
    """
    if day_kind == "calendar":
        return published_on + timedelta(days=count)
    return (using or calendar()).after(published_on, count)


_REFRESH = 30.0
_kept: tuple[float, Calendar] | None = None


def calendar() -> Calendar:
    """The calendar as the database has it, read again every half minute."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > _REFRESH:
        days = list(CalendarYear.objects.values_list("year", "calendarday__day", "calendarday__working"))
        special = {day: working for _, day, working in days if day is not None}
        _kept = (time.monotonic(), Calendar(frozenset(year for year, _, _ in days), special))
        _due_dates.cache_clear()
    return _kept[1]


def forget() -> None:
    """Makes the next `calendar()` read the table again."""
    global _kept
    _kept = None
    _due_dates.cache_clear()


def due_dates(today: date) -> str:
    """For each allowance of 1 to `LONGEST` working days from `today`, the date on which it runs out.

    As JSON, {"5": "2026-09-14", …}: it is sent with every decision and parsed by the database.
    """
    calendar()
    return _due_dates(today)


@lru_cache(maxsize=64)
def _due_dates(today: date) -> str:
    days: dict[str, str] = {}
    day, using = today, calendar()
    for count in range(1, LONGEST + 1):
        day = using.after(day, 1)
        days[str(count)] = day.isoformat()
    return json.dumps(days)


def due_on(allowed: int | None) -> date | None:
    """The day on which an allowance of working days that begins today runs out; None where there is none."""
    return calendar().after(clock.today(), allowed) if allowed and allowed <= LONGEST else None


def load_calendar(folder: Path | None = None) -> list[int]:
    """Loads the published years from `fixtures/calendar/*.yaml`; returns the years. Idempotent."""
    folder = folder or Path(settings.BASE_DIR) / "fixtures" / "calendar"
    years = []
    with transaction.atomic():
        for file in sorted(folder.glob("*.yaml")):
            published = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 a safe one
            year, _ = CalendarYear.objects.update_or_create(
                year=published["year"], defaults={"source": published["source"]}
            )
            CalendarDay.objects.filter(year=year).delete()
            CalendarDay.objects.bulk_create(
                [
                    CalendarDay(day=day, year=year, working=working, name=entry["name"])
                    for working, kind in ((False, "holidays"), (True, "makeup_days"))
                    for entry in published.get(kind) or ()
                    for day in entry["days"]
                ],
                update_conflicts=True,
                unique_fields=["day"],
                update_fields=["year", "working", "name"],
            )
            years.append(year.year)
    forget()
    return years
