"""Two clocks: the machine's, and the business clock that a demo database may set to a training date.

Business dates (windows, notice periods, deadlines) follow the training date where there is one; sessions,
locks and timers keep machine time; the record keeps both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks; `business` is what rules are computed with."""

    machine: datetime
    business: datetime

    @property
    def date(self) -> date:
        """The business date in China."""
        return self.business.astimezone(CHINA).date()


_held: ContextVar[Moment | None] = ContextVar("held_moment", default=None)


def training_date() -> date | None:
    """The demo's date, or None where the machine's date counts."""
    from workflows.models import TrainingClock

    return TrainingClock.objects.values_list("date", flat=True).first()


def moment_on(training: date | None) -> Moment:
    """The present moment, given the training date (or None)."""
    machine = timezone.now()
    if training is None:
        return Moment(machine, machine)
    return Moment(machine, datetime.combine(training, machine.astimezone(CHINA).time(), CHINA))


def moment() -> Moment:
    """The present moment on both clocks; reads the training date unless one is held."""
    return _held.get() or moment_on(training_date())


def now() -> datetime:
    """The business time."""
    return moment().business


def today() -> date:
    """The business date in China."""
    return moment().date


@contextmanager
def held(reading: Moment | None = None) -> Iterator[Moment]:
    """Reads the clock once for a whole request or job, or holds the `reading` given."""
    reading = reading or moment()
    token = _held.set(reading)
    try:
        yield reading
    finally:
        _held.reset(token)


@contextmanager
def released() -> Iterator[None]:
    """Forgets a held reading, for the act that moves the clock itself."""
    token = _held.set(None)
    try:
        yield
    finally:
        _held.reset(token)


def end_of(day: date) -> datetime:
    """24:00 of a day in China, the instant at which a period ending that day is over."""
    return datetime.combine(day + timedelta(days=1), time.min, CHINA)
