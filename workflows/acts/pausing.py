"""Suspending single cases and resuming them; freeze periods, in which an office decides nothing."""

from collections import defaultdict
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction

from workflows import record
from workflows.actors import Actor
from workflows.acts.frame import Act
from workflows.clock import Moment, moment
from workflows.locking import Refused, Standing
from workflows.models import Case, Freeze, WorkItem
from workflows.nodes import Correction, Review
from workflows.reasons import MIN_LENGTH, Reason
from workflows.working_days import calendar

SUSPEND, FREEZE = "suspend_case", "set_freeze"
"""The permissions to suspend a case and to set a freeze period."""


class Suspend(Act):
    """挂起: nobody decides on the case until it is resumed; its deadline stands still."""

    name = "suspend"
    reason_required = True
    judges = False

    def permission(self, task: Standing) -> str:
        return SUSPEND

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        if not isinstance(task.step, Review | Correction):
            return "not_here"
        return "suspended" if task.bars.suspended else None

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        Case.objects.filter(pk__in=[task.case for task in tasks]).update(suspended_on=moment.date)


class Resume(Act):
    """恢复: the case goes on; its deadline moves by the working days that it stood still."""

    name = "resume"
    reason_required = True
    judges = False

    def permission(self, task: Standing) -> str:
        return SUSPEND

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        return None if task.bars.suspended else "not_suspended"

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        cases = Case.objects.filter(pk__in=[task.case for task in tasks])
        since = dict(cases.values_list("pk", "suspended_on"))
        days, later = calendar(), defaultdict(list)
        for task in tasks:
            stood = since[task.case]
            if task.due_on is not None and stood is not None:
                later[days.after(task.due_on, days.between(stood, moment.date))].append(task.item)
        for due_on, items in later.items():
            WorkItem.objects.filter(pk__in=items).update(due_on=due_on)
        cases.update(suspended_on=None)


def set_freeze(path: str, starts_on: date, ends_on: date, text: str, by: Actor, open_to: str = "") -> Freeze:
    """Sets a freeze period for an office and all below it; `open_to` names the permission that may act all the same.

    Raises PermissionDenied without `set_freeze` there, ValueError for dates in the wrong order or without a reason.
    """
    post = by.permits(FREEZE, [path]).get(path)
    if post is None:
        raise PermissionDenied(FREEZE)
    if ends_on < starts_on or len(text.strip()) < MIN_LENGTH:
        raise ValueError("a freeze period needs dates in order and a reason")
    with transaction.atomic():
        freeze = Freeze.objects.create(
            path=path, starts_on=starts_on, ends_on=ends_on, text=text.strip()[:200], open_to=open_to, set_by=by.name
        )
        data = {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat(), "open_to": open_to}
        reason = Reason("other", freeze.text)
        record.write("freeze", "freeze", [freeze.pk], by, post=post, reason=reason, path=path, data=data)
    return freeze


def end_freeze(freeze_id: int, by: Actor) -> Freeze:
    """Ends a freeze period at once. Raises PermissionDenied without `set_freeze` there, Freeze.DoesNotExist."""
    with transaction.atomic():
        freeze: Freeze = Freeze.objects.select_for_update().get(pk=freeze_id, ended_at=None)
        post = by.permits(FREEZE, [freeze.path]).get(freeze.path)
        if post is None:
            raise PermissionDenied(FREEZE)
        freeze.ended_at = moment().machine
        freeze.save(update_fields=["ended_at"])
        record.write("unfreeze", "freeze", [freeze.pk], by, post=post, path=freeze.path)
    return freeze
