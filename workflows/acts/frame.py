"""The frame of every act: lock, check, write, record, tell; in one transaction per chunk."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from workflows import events
from workflows.actors import Actor
from workflows.allowed import forbidden
from workflows.bars import bars_of
from workflows.clock import Moment
from workflows.locking import Answer, Refused, Result, Standing, in_chunks, lock
from workflows.nodes import Review
from workflows.reasons import Reason, refusal_of
from workflows.record import Line, write_lines
from workflows.vacancies import renew


class Act:
    """One act on open tasks. A subclass says what it needs, what refuses it, and what it writes."""

    name = ""
    reason_required = False
    judges = True
    """Only who could decide the task may do it: not barred by recusal, by another level, by a freeze."""

    def permission(self, task: Standing) -> str:
        """What the actor must hold at the case's office: for most acts, what opens the step."""
        return task.step.permission if isinstance(task.step, Review) else ""

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        """Why this task cannot be acted on so; None when it can."""
        return None

    def begin(self, tasks: list[Standing]) -> None:
        """Reads what the checks need besides the tasks themselves, once for all of them."""

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        """Writes what the act does to tasks that passed every check; they are locked."""

    @property
    def to(self) -> tuple[Actor, ...]:
        """Whom the act concerns besides the actor."""
        return ()

    also_told: tuple[str, ...] = ()
    """Keys of others who are to be told, known once the act is written."""

    @property
    def data(self) -> dict[str, Any]:
        """What the record keeps of the act; no personal data but the names of staff."""
        return {"to": [person.name for person in self.to]} if self.to else {}


def perform(act: Act, task_ids: Iterable[int], by: Actor, reason: Reason | None = None) -> list[Result]:
    """Does an act on tasks, one or many; returns one `Result` per task, in the order given, a repeated one once.

    Raises TypeError for ids that are no numbers; an exception of a listener undoes its chunk and is raised.
    """

    def act_on(items: list[int], number: int, patient: bool) -> dict[int, Answer]:
        return _perform(act, items, by, reason, patient)

    return in_chunks(task_ids, act_on)


def _perform(act: Act, items: list[int], by: Actor, reason: Reason | None, patient: bool) -> dict[int, Answer]:
    tasks, moment, answers = lock(items, by, patient, bars_afresh=act.judges)
    renew([task.item for task in tasks if task.seat.panel and not task.closed], moment)
    act.begin(tasks)
    posts = _posts(act, tasks, by)
    going = []
    for task in tasks:
        refused = _refusal(act, task, by, reason, task.item in posts)
        if refused is None:
            going.append(task)
        answers[task.item] = ("ok", {}) if refused is None else (refused, {}) if isinstance(refused, str) else refused
    if going:
        act.write(going, by, moment)
        lines = [
            Line(task.case, task.path, posts[task.item], item=task.item, step=task.step.name if task.step else "")
            for task in going
        ]
        write_lines(act.name, "case", lines, by, reason=reason, data=act.data, at=moment)
        told = [(task.item, task.case, task.path, task.step.queue if task.step else "") for task in going]
        to = (*(person.key for person in act.to), *act.also_told)
        events.tell_act(events.Acted(act.name, told, by, to, moment, reason))
    return answers


def _posts(act: Act, tasks: list[Standing], by: Actor) -> dict[int, str]:
    """The post under which each task may be acted on, asked now; the others are left out."""
    offices: dict[str, set[str]] = defaultdict(set)
    needs = {task.item: need for task in tasks if not task.closed and (need := act.permission(task))}
    for task in tasks:
        if task.item in needs:
            offices[needs[task.item]].add(task.path)
    granted = {need: by.permits(need, paths) for need, paths in offices.items()}
    return {
        task.item: post
        for task in tasks
        if task.item in needs and (post := granted[needs[task.item]].get(task.path)) is not None
    }


def _refusal(act: Act, task: Standing, by: Actor, reason: Reason | None, permitted: bool) -> Refused | None:
    if task.too_late:
        return task.too_late
    if not permitted:
        return "not_permitted"
    if task.step is not None and forbidden(task.step.flow_class.kind, act.name, task.stand.state):
        return "not_here"
    level = task.step.level if task.step and act.judges else ""
    barred = task.bars.refusal(by, task.path, level) if act.judges else None
    return barred or refusal_of(reason, act.name, act.reason_required) or act.refusal(task, by)


class Concerns:
    """People whom an act on many tasks concerns, and what bars each of them from each case."""

    def __init__(self, people: Iterable[Actor], permission: str = "") -> None:
        self.people = tuple({person.key: person for person in people}.values())
        self.permission = permission
        self._bars: dict[tuple[str, int], Any] = {}
        self._permitted: dict[tuple[str, str], set[str]] = {}

    def read(self, tasks: list[Standing]) -> None:
        """Reads bars and permissions of all of them for all tasks: one statement and one question a person."""
        for person in self.people:
            for case, bars in bars_of([task.case for task in tasks], person.key).items():
                self._bars[person.key, case] = bars
            needs: dict[str, set[str]] = defaultdict(set)
            for task in tasks:
                if task.step is not None:
                    needs[self.permission or task.step.permission].add(task.path)
            for need, paths in needs.items():
                self._permitted[person.key, need] = set(person.permits(need, paths))

    def refusal(self, task: Standing) -> Refused | None:
        """Why one of them may not have a part in this task; None when all may."""
        if task.step is None:
            return "no_such_outcome"
        need = self.permission or task.step.permission
        for person in self.people:
            if task.path not in self._permitted.get((person.key, need), ()):
                return "they_not_permitted", {"name": person.name}
            bars = self._bars.get((person.key, task.case))
            barred = bars.refusal(person, task.path, task.step.level) if bars else None
            if barred is not None and barred[0] not in ("suspended", "frozen"):
                return "they_barred", {"name": person.name}
        return None
