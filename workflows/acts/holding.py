"""Taking tasks on (签收), letting them go, taking them over, handing them on (转办); the next one for me."""

from collections.abc import Iterable

from django.db.models.functions import Coalesce

from workflows.actors import Actor
from workflows.acts.frame import Act, Concerns, perform
from workflows.clock import Moment
from workflows.locking import Refused, Result, Standing
from workflows.models import WorkItem


def _hold(tasks: list[Standing], person: Actor, moment: Moment) -> None:
    WorkItem.objects.filter(pk__in=[task.item for task in tasks]).update(
        holder=person.key,
        holder_name=person.name[:150],
        assigned=moment.machine,
        opened_at=Coalesce("opened_at", moment.machine),
    )


class Claim(Act):
    """签收: takes a task on. Nobody else decides it until it is released, handed on or taken over."""

    name = "claim"

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        return None if task.seat.holder in ("", by.key) else ("held", {"name": task.seat.holder_name})

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        _hold(tasks, by, moment)


class Release(Act):
    """放回: gives a task that one has taken on back to the office."""

    name = "release"
    judges = False

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        if not task.seat.holder:
            return "not_held"
        return None if task.seat.holder == by.key else "not_yours"

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        WorkItem.objects.filter(pk__in=[task.item for task in tasks]).update(holder="", holder_name="", assigned=None)


class TakeOver(Act):
    """接办: takes over what a colleague has taken on, who is told."""

    name = "take_over"

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        if not task.seat.holder:
            return "not_held"
        return "already_yours" if task.seat.holder == by.key else None

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        self.also_told = tuple({task.seat.holder for task in tasks})
        _hold(tasks, by, moment)


class Transfer(Act):
    """转办: hands a task on to somebody who may decide it; from then on it is his."""

    name = "transfer"

    def __init__(self, to: Actor) -> None:
        self.concerns = Concerns([to])

    @property
    def to(self) -> tuple[Actor, ...]:
        return self.concerns.people

    def begin(self, tasks: list[Standing]) -> None:
        self.concerns.read(tasks)

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        [person] = self.to
        if person.key == task.seat.holder or person.key == by.key == "":
            return "already_theirs", {"name": person.name}
        if task.seat.holder not in ("", by.key):
            return "held", {"name": task.seat.holder_name}
        return self.concerns.refusal(task)

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        [person] = self.to
        _hold(tasks, person, moment)


def claim_next(candidates: Iterable[int], by: Actor) -> Result | None:
    """Takes on the first of these tasks that can be had, in their order; None when none can.

    Those that somebody is locking at this moment, or holds, are passed over: n people get n different tasks.
    """
    for item in candidates:
        free = WorkItem.objects.filter(pk=item, finished=None, holder__in=["", by.key]).exists()
        result = perform(Claim(), [item], by)[0] if free else None
        if result is not None and result.ok:
            return result
    return None


def open_item(item: int, by: Actor, moment: Moment) -> bool:
    """Notes that somebody who may decide a task has opened it, the first time; whether this was the first."""
    untouched = WorkItem.objects.filter(pk=item, finished=None, opened_at=None)
    return bool(untouched.update(opened_at=moment.machine))
