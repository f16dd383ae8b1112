"""Taking tasks on (签收), letting them go, taking them over, handing them on (转办); the next one for me."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models.functions import Coalesce

from workflows.actors import Actor
from workflows.acts.frame import Act, Concerns, perform
from workflows.clock import Moment
from workflows.locking import Refused, Result, Standing, lock
from workflows.models import Signer, WorkItem
from workflows.panels import leave, tallies
from workflows.record import Line, write_lines


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


# ---------------------------------------------------------------- whoever may not any more


def return_to_office(person: Actor, by: Actor) -> int:
    """放回: what a person has taken on, or was asked to sign and has not, and may not do any more, is the office's
    again; returns how many tasks. Signatures that he gave stand. In the caller's transaction, if there is one.
    """
    with transaction.atomic():
        held = WorkItem.objects.filter(holder=person.key, finished=None)
        asked = Signer.objects.filter(person=person.key, ended_at=None, vote="", item__finished=None)
        seats = {seat.item_id: seat for seat in asked}
        items = {*held.values_list("pk", flat=True), *seats}
        if not items:
            return 0
        tasks, moment, _missing = lock(sorted(items), person, patient=True)
        tasks = [task for task in tasks if not task.closed]
        seats = {seat.item_id: seat for seat in asked.filter(item__in=[task.item for task in tasks])}  # under the locks
        found = tallies(list(seats), person.key)
        signs = {task.item: found[task.item].need(task.step.permission) for task in tasks
                 if task.step is not None and task.item in seats and task.item in found}  # fmt: skip
        holds = {task.item: task.step.permission for task in tasks
                 if task.step is not None and task.seat.holder == person.key}  # fmt: skip
        released, risen = _not_permitted(person, tasks, holds), _not_permitted(person, tasks, signs)
        WorkItem.objects.filter(pk__in=[task.item for task in released]).update(
            holder="", holder_name="", assigned=None
        )
        leave([seats[task.item] for task in risen], moment)
        for act, which in (("release", released), ("remove_signer", risen)):
            lines = [
                Line(task.case, task.path, item=task.item, step=task.step.name if task.step else "") for task in which
            ]
            write_lines(act, "case", lines, by, data={"to": [person.name], "cause": "no_post"}, at=moment)
        return len({task.item for task in (*released, *risen)})


def _not_permitted(person: Actor, tasks: Iterable[Standing], needs: Mapping[int, str]) -> list[Standing]:
    """Of these tasks, those for which a person lacks what each needs, asked once a permission."""
    offices: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        if task.item in needs:
            offices[needs[task.item]].add(task.path)
    granted = {need: person.permits(need, paths) for need, paths in offices.items()}
    return [task for task in tasks if task.item in needs and task.path not in granted[needs[task.item]]]


def holders_of_tasks() -> set[str]:
    """The keys of all natural persons who have an open task or are asked to sign one."""
    held = WorkItem.objects.filter(finished=None).exclude(holder="").values_list("holder", flat=True)
    asked = Signer.objects.filter(ended_at=None, vote="", item__finished=None).values_list("person", flat=True)
    return {*held.distinct(), *asked.distinct()}
