"""Deadlines: what is due soon or overdue, and bringing what is overdue before the office above.

A deadline never decides anything: it reminds, and it escalates.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Count, Q

from workflows import events
from workflows.actors import SYSTEM
from workflows.clock import moment
from workflows.models import DailyWork, WorkItem
from workflows.record import Line, write_lines
from workflows.working_days import calendar

SOON = 2
"""Working days within which a deadline is near."""
GRACE = 1
"""Working days after a deadline before it goes to the office above."""
AT_ONCE = 2000


def soon(today: date) -> date:
    """The last day of deadlines that are near."""
    return calendar().after(today, SOON)


class Load(NamedTuple):
    """What waits at one office for one step: how many of its tasks are due soon, and how many overdue."""

    queue: str
    path: str
    near: int
    overdue: int


def loads(today: date) -> list[Load]:
    """Offices and steps at which something is due soon or overdue."""
    late = Q(due_on__lt=today)
    rows = (
        WorkItem.objects.filter(finished__isnull=True, due_on__lte=soon(today), process__suspended_on=None)
        .exclude(queue="")
        .values_list("queue", "path")
        .annotate(near=Count("pk", filter=~late), overdue=Count("pk", filter=late))
        .order_by("queue", "path")
    )
    return [Load(*row) for row in rows]


def escalate(today: date, limit: int = AT_ONCE) -> int:
    """Brings tasks that are overdue by more than `GRACE` before the office above, once each; returns how many.

    They stay where they are. Listeners of the act `escalate` tell the people. Safe to be killed and to run twice.
    """
    with transaction.atomic():
        late = list(
            WorkItem.objects.filter(
                finished__isnull=True, escalated_on=None, due_on__lt=calendar().before(today, GRACE)
            )
            .exclude(queue="")
            .filter(process__suspended_on=None)
            .order_by("due_on", "pk")
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
            .values_list("pk", "process_id", "path", "queue")[:limit]
        )
        escalated(late, "overdue")
    return len(late)


def escalated(tasks: list[tuple[int, int, str, str]], why: str) -> None:
    """Marks tasks (task, case, path, queue) as brought before the office above, in the caller's transaction."""
    if not tasks:
        return
    at = moment()
    WorkItem.objects.filter(pk__in=[task for task, *_ in tasks]).update(escalated_on=at.date)
    lines = [Line(case, path, "system", item=task, step=queue.partition(".")[2]) for task, case, path, queue in tasks]
    write_lines("escalate", "case", lines, SYSTEM, data={"why": why}, at=at)
    events.tell_act(events.Acted(f"escalate_{why}", tasks, SYSTEM, (), at, None))


def once_a_day(name: str, work: Callable[[date], object]) -> int:
    """Does daily work for the present business date unless it was done; returns 1, or 0 when it had been.

    A name that changes through the day makes it more often.
    """
    today = moment().date
    if DailyWork.objects.filter(name=name, date=today).exists():
        return 0
    try:
        with transaction.atomic():
            DailyWork.objects.create(name=name, date=today)
            work(today)
    except IntegrityError:
        return 0
    return 1
