"""Tasks locked with their cases, always in one order, with all that decides whether somebody may act on them.

Whatever acts on tasks goes through `in_chunks` and `lock`: one transaction per chunk, a `Result` per task, never an
exception for a lost race.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import Any

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from workflows.actors import Actor
from workflows.bars import BARS, NO_BARS, SEAT, Bars, Seat, bars_of
from workflows.clock import Moment, moment_on
from workflows.models import WorkItem
from workflows.nodes import Step
from workflows.planned import planned_cursor
from workflows.refusals import words
from workflows.ways import Stand, step_at

CHUNK = 5000
"""Tasks per transaction: enough to spread the cost of a statement, few enough to hold their locks briefly."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one task: `ok`, or refused with a code and a sentence in the active language."""

    task_id: int
    ok: bool
    code: str
    message: str


DONE = frozenset({"ok", "signed"})
"""Codes of what was done: the task is decided, or signed and waits for other signatures."""
Answer = tuple[str, Mapping[str, Any]]
"""A refusal code (or one of DONE) and the values of its sentence."""
Refused = str | Answer
"""A refusal code, with the values of its sentence where it has any."""
Work = Callable[[list[int], int, bool], dict[int, Answer]]
"""(items, number of the chunk, patient) -> answers."""


def results_from(answers: Iterable[tuple[int, str, Mapping[str, Any]]]) -> list[Result]:
    """Results from [(task id, code, values)], said in the active language."""
    said: dict[str, str] = {}
    results = []
    for item, code, values in answers:
        if not values and code not in said:
            said[code] = words(code, values)
        results.append(Result(item, code in DONE, code, words(code, values) if values else said[code]))
    return results


def _distinct(task_ids: Iterable[int]) -> list[int]:
    items = list(dict.fromkeys(task_ids))
    if not all(type(item) is int for item in items):
        raise TypeError("task_ids must be numbers")
    return items


def in_chunks(task_ids: Iterable[int], work: Work, size: int = CHUNK) -> list[Result]:
    """Does `work` on tasks, chunk by chunk, each in one transaction, all or nothing; a `Result` per task, in the
    order given, a repeated one once.

    A lock that is not had in time costs a second try, which waits for nobody: then only the tasks that somebody
    else holds are refused as busy, and a deadlock is over.
    """
    items = _distinct(task_ids)
    answers: dict[int, Answer] = {}
    for number, start in enumerate(range(0, len(items), size)):
        answers |= _in_one_transaction(items[start : start + size], number, work)
    return results_from((item, *answers[item]) for item in items)


def _in_one_transaction(items: list[int], number: int, work: Work) -> dict[int, Answer]:
    for patient in (True, False):
        try:
            with transaction.atomic():
                return work(items, number, patient)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise
    return dict.fromkeys(items, ("busy", {}))


@dataclass(slots=True, eq=False)
class Standing:
    """A locked task with what the checks need of it and of its case. Not frozen: that would make it slowly."""

    item: int
    case: int
    closed: bool
    step: Step | None
    path: str
    stand: Stand
    panels: str
    """The panels of its route, as JSON; empty for none."""
    seat: Seat
    bars: Bars
    due_on: date | None


_LOCK, _LOCK_WITH_BARS = (
    f"""
    SELECT i.id, i.case_id, i.finished IS NOT NULL, i.flow_task, c.path, c.state, c.steps, c.resume, c.returns,
           CASE WHEN c.panels = '{{}}' THEN '' ELSE c.panels::text END, i.due_on,
           (SELECT date FROM workflows_trainingclock), {SEAT}{bars}
      FROM workflows_workitem i JOIN workflows_case c ON c.id = i.case_id
     WHERE i.id = ANY(%(items)s::bigint[]) ORDER BY c.id, i.id
"""
    for bars in ("", f", {BARS}")
)
_FOR_UPDATE = " FOR NO KEY UPDATE OF c, i"
FEW = 20
"""Up to so many tasks, what bars is read by the statement that locks; of more, by one of its own."""

_KEYS_END = 2**63
WAITED = 0.02
"""Seconds from which on locking is taken to have waited for somebody: what was written meanwhile is read again."""


def lock(
    items: list[int], by: Actor, patient: bool, *, bars_afresh: bool = False
) -> tuple[list[Standing], Moment, dict[int, Answer]]:
    """Locks tasks and cases, always in the same order, so that two acts on many cannot deadlock; the moment, by the
    training date read with them; and answers for those that were not locked.

    Where not `patient`, what somebody else holds is left out. `bars_afresh`: what bars is read with the locks had
    even where nothing seems to have been waited for.
    """
    possible = [item for item in items if 0 < item < _KEYS_END]
    apart = bool(by.key) and (bars_afresh or len(possible) > FEW)
    begun = perf_counter()
    with planned_cursor() as cursor:
        statement = (_LOCK if apart else _LOCK_WITH_BARS) + _FOR_UPDATE + ("" if patient else " SKIP LOCKED")
        cursor.execute(statement, {"person": by.key, "items": possible})
        rows = cursor.fetchall()
    tasks = [_standing(row) for row in rows]
    # A statement that waits sees the rows it locks as they are then, all others as they were when it began. What bars
    # the system stands on the case itself, or is a period that was set for days.
    if apart or (by.key and perf_counter() - begun > WAITED):
        bars = bars_of([task.case for task in tasks], by.key)
        for task in tasks:
            task.bars = bars[task.case]
    return tasks, moment_on(rows[0][_TRAINING] if rows else None), _missing(items, tasks, patient)


_TRAINING = 11
_SEAT_AT, _BARS_AT = 12, 12 + len(Seat._fields)


def _standing(row: tuple[Any, ...]) -> Standing:
    item, case, closed, ref, path, state, steps, resume, returns, panels, due_on = row[:_TRAINING]
    stand = Stand(state, tuple(steps), resume, returns == "straight")
    seat = Seat(*row[_SEAT_AT:_BARS_AT])
    bars = Bars.read(*row[_BARS_AT:]) if len(row) > _BARS_AT else NO_BARS
    return Standing(item, case, closed, step_at(ref), path, stand, panels, seat, bars, due_on)


def _missing(items: list[int], tasks: list[Standing], patient: bool) -> dict[int, Answer]:
    """Answers for the tasks that were not locked: there is no such task, or somebody else holds it."""
    missing = set(items) - {task.item for task in tasks}
    held: set[int] = set()
    if missing and not patient:
        held = set(WorkItem.objects.filter(pk__in=missing).values_list("pk", flat=True))
    return {item: ("busy" if item in held else "not_found", {}) for item in missing}
