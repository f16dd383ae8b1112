"""The one door through which every case moves.

`decide` locks, checks, moves, writes the record and tells what follows, for one task or ten thousand, in one
transaction per chunk. Checks and writing are set-based: a handful of statements, however many tasks. It never
raises for a lost race: each task gets its own `Result`.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from workflows import events, guards
from workflows.actors import Actor
from workflows.allowed import forbidden
from workflows.bars import bars_of
from workflows.clock import Moment
from workflows.conditions import failing
from workflows.locking import CHUNK, Answer, Refused, Result, Standing, in_chunks, lock
from workflows.models import Case
from workflows.moving import move, take_level
from workflows.nodes import TAKE_BACK, UNDO, Outcome, Step
from workflows.panels import Panel, Tally, panel_at, seat, seat_again, sign, signed, tallies
from workflows.reasons import Reason, refusal_of
from workflows.record import Line, write_lines
from workflows.undoing import Last, last_decisions
from workflows.vacancies import renew
from workflows.ways import Way, outcome_level, outcome_of, way_of


def decide(
    task_ids: Iterable[int],
    outcome: str,
    by: Actor,
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    key: str | None = None,
) -> list[Result]:
    """Decides tasks, one or ten thousand; returns one `Result` per task, in the order given, a repeated one once.

    `reason` is compulsory where the route says so. `data`, plain JSON, goes on the record; its `due_on`, an ISO
    date, is when the next step is due, its `to` the earlier step that a return goes to. A step with a panel takes
    the decision as this person's signature, and moves on with the one that settles it (`panels`). The same `key`
    from the same person returns the first results and changes nothing, but for tasks that were busy then. Raises
    TypeError or ValueError for ids that are no numbers and data that is no JSON, before anything is written; an
    exception of a listener undoes its chunk and is raised.
    """
    asked = _Asked(outcome, by, reason, plain(data or {}), digest(key) if key else "")

    def decide_chunk(items: list[int], number: int, patient: bool) -> dict[int, Answer]:
        return _once(items, number, asked, patient) if asked.key else _decide(items, asked, patient)

    return in_chunks(task_ids, decide_chunk, CHUNK)


# ---------------------------------------------------------------- what was asked


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one call asks of every task. `key` is a digest; empty where the request may not be repeated safely."""

    outcome: str
    by: Actor
    reason: Reason | None
    data: dict[str, Any]
    key: str


_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """`data`, if PostgreSQL can keep it as JSON: no NaN, no NUL, no half of a surrogate pair."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False)
    text.encode()
    if not isinstance(data, dict) or _NUL.search(text):
        raise ValueError("data must be a dict of plain JSON")
    return data


def digest(key: str) -> str:
    """How a key is kept: keys come from outside and may be long or odd."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


# ---------------------------------------------------------------- under a key


_TAKE_KEY = """
    INSERT INTO workflows_keyeddecision (key, person, chunk, results, at) VALUES (%s, %s, %s, '[]', now())
    ON CONFLICT DO NOTHING RETURNING id
"""
_FIRST_ANSWERS = "SELECT results FROM workflows_keyeddecision WHERE key = %s AND person = %s AND chunk = %s FOR UPDATE"
_KEEP_ANSWERS = "UPDATE workflows_keyeddecision SET results = %s WHERE key = %s AND person = %s AND chunk = %s"


def _once(items: list[int], number: int, asked: _Asked, patient: bool) -> dict[int, Answer]:
    """Decides a chunk under a key the first time, and gives the first answers after that.

    A second request that arrives while the first is under way waits for it at the unique key.
    """
    answers: dict[int, Answer] = {}
    with connection.cursor() as cursor:
        whose: tuple[str, str, int] = (asked.key, asked.by.key, number)
        cursor.execute(_TAKE_KEY, whose)
        first = cursor.fetchone() is not None
        if not first:
            cursor.execute(_FIRST_ANSWERS, whose)
            answers = {item: (code, values) for item, code, values in json.loads(cursor.fetchone()[0])}
        again = items if first else [item for item in items if item in answers and answers[item][0] == "busy"]
        if again:
            answers |= _decide(again, asked, patient)
            kept = json.dumps([(item, code, dict(values)) for item, (code, values) in answers.items()], default=str)
            cursor.execute(_KEEP_ANSWERS, (kept, *whose))
    return {item: answers.get(item, ("key_used", {})) for item in items}


# ---------------------------------------------------------------- a chunk, in one transaction


@dataclass(slots=True)
class _Chunk:
    """One transaction's decisions: what was asked, when, the answers so far, and how the rest would go."""

    asked: _Asked
    moment: Moment
    answers: dict[int, Answer] = field(default_factory=dict)
    needs: dict[int, str] = field(default_factory=dict)
    """The permission that each task asks of this person."""
    posts: dict[int, str] = field(default_factory=dict)
    ways: dict[int, Way] = field(default_factory=dict)
    seats: dict[int, Tally] = field(default_factory=dict)
    """Of tasks with a panel: who signs, who has, and what this person's signature does."""
    last: dict[int, Last] = field(default_factory=dict)
    """The last decision of each case, where it is to be taken back."""

    def refuse(self, task: Standing, code: str, values: Mapping[str, Any] | None = None) -> None:
        self.answers[task.item] = (code, values or {})


def _decide(items: list[int], asked: _Asked, patient: bool) -> dict[int, Answer]:
    """Decides a chunk, in order: lock, who may, what each task would do, what must hold, and the move itself."""
    taking_back = asked.outcome == TAKE_BACK.name
    tasks, moment, missing = lock(items, asked.by, patient, bars_afresh=taking_back)
    chunk = _Chunk(asked, moment, missing)
    if taking_back:
        chunk.last = last_decisions([task.item for task in tasks])
    joint = [task.item for task in tasks if task.seat.panel and not task.closed]
    renew(joint, moment)
    chunk.seats = tallies(joint, asked.by.key)
    chunk.needs = {task.item: need for task in tasks if (need := _need(chunk, task))}
    chunk.posts = _posts(chunk, tasks)
    for task in tasks:
        found = _way(chunk, task)
        if isinstance(found, Way):
            chunk.ways[task.item] = found
        else:
            chunk.refuse(task, *((found,) if isinstance(found, str) else found))
    going = [task for task in tasks if task.item in chunk.ways]
    _sign(chunk, [task for task in going if _only_signs(chunk, task)])
    settling = [task for task in going if task.item not in chunk.answers]
    settling = _lawful(chunk, settling)
    settling = _guarded(chunk, settling)
    _move(chunk, settling)
    return chunk.answers


# ---------------------------------------------------------------- checks


def _need(chunk: _Chunk, task: Standing) -> str:
    """The permission that a task asks for: its outcome's, its panel's, or that of the decision taken back."""
    outcome = outcome_of(task.step, chunk.asked.outcome) if task.step else None
    if outcome is None:
        return ""
    if outcome.target == UNDO:
        taken = chunk.last.get(task.item)
        return taken.permission if taken else ""
    tally = chunk.seats.get(task.item)
    return tally.need(outcome.permission) if tally and outcome.level else outcome.permission


def _posts(chunk: _Chunk, tasks: list[Standing]) -> dict[int, str]:
    """The post under which each task may be decided, asked now and not when it was assigned; others are left out."""
    offices: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        if need := chunk.needs.get(task.item):
            offices[need].add(task.path)
    granted = {need: chunk.asked.by.permits(need, paths) for need, paths in offices.items()}
    return {
        task.item: post
        for task in tasks
        if (need := chunk.needs.get(task.item)) and (post := granted[need].get(task.path)) is not None
    }


def _way(chunk: _Chunk, task: Standing) -> Way | Refused:
    """The way that a task would take; the code of a refusal where it may not."""
    asked, outcome = chunk.asked, outcome_of(task.step, chunk.asked.outcome) if task.step else None
    if task.step is None or outcome is None:
        return task.too_late or "no_such_outcome"
    if outcome.target == UNDO and (refused := _refusal_to_undo(chunk, task)):
        return refused
    if task.item not in chunk.posts:
        return "not_permitted"
    if task.too_late:
        return task.too_late
    if forbidden(task.step.flow_class.kind, outcome.name, task.stand.state):
        return "wrong_state"
    return (
        _refusal_of_person(chunk, task, outcome)
        or refusal_of(asked.reason, outcome.name, outcome.reason)
        or _refusal_of_date(chunk)
        or way_of(task.step, outcome.name, task.stand, _to(chunk, task))
    )


def _to(chunk: _Chunk, task: Standing) -> str:
    if task.item in chunk.last:
        return chunk.last[task.item].step
    to = chunk.asked.data.get("to", "")
    return to if isinstance(to, str) else ""


def _refusal_to_undo(chunk: _Chunk, task: Standing) -> str | None:
    """A decision is taken back by who made it, while nobody has acted on what it led to (拿回)."""
    last = chunk.last.get(task.item)
    if last is None or not last.person or last.person != chunk.asked.by.key:
        return "not_your_decision"
    if task.closed or task.seat.holder not in ("", last.person) or (task.seat.panel and signed(task.item)):
        return "acted_on"
    if code := task.bars.recusal(last.level):
        return f"recused_{code}"
    return "opened_meanwhile" if last.by_applicant and task.seat.opened else None


def _refusal_of_person(chunk: _Chunk, task: Standing, outcome: Outcome) -> Refused | None:
    """What bars this person, or everybody, from deciding this task now; the system is barred by nothing."""
    by = chunk.asked.by
    if not by.key:
        return "suspended" if task.bars.suspended else None
    if refused := task.bars.refusal(by, task.path, outcome.level):
        return refused
    if not outcome.level:
        return None
    tally = chunk.seats.get(task.item)
    if task.seat.holder not in ("", by.key) and not (tally and tally.seats_me()):
        return "held", {"name": task.seat.holder_name}
    return tally.refusal(outcome.name, task.step.onward if task.step else "") if tally else None


def _only_signs(chunk: _Chunk, task: Standing) -> bool:
    """Whether this person's decision is one signature among several, and others are still waited for."""
    tally, outcome = chunk.seats.get(task.item), chunk.asked.outcome
    if tally is None or task.step is None or not outcome_level(task.step, outcome):
        return False
    return not tally.settles(outcome, task.step.onward)


def _refusal_of_date(chunk: _Chunk) -> str | None:
    """The day on which the next step is due, if given, must be one that lies ahead."""
    if "due_on" not in chunk.asked.data:
        return None
    try:
        return None if date.fromisoformat(chunk.asked.data["due_on"]) >= chunk.moment.date else "due_on_invalid"
    except (TypeError, ValueError):
        return "due_on_invalid"


def _lawful(chunk: _Chunk, tasks: list[Standing]) -> list[Standing]:
    """Keeps the cases for which every condition of the state machine holds, on each hop of their way."""
    for conditions, group in _grouped(tasks, lambda task: chunk.ways[task.item].conditions):
        failed = failing(conditions, Case, [task.case for task in group]) if conditions else {}
        for task in group:
            if task.case in failed:
                chunk.refuse(task, failed[task.case].code)
    return [task for task in tasks if task.item not in chunk.answers]


def _guarded(chunk: _Chunk, tasks: list[Standing]) -> list[Standing]:
    """Keeps the cases that the guards of their edge let pass, which see all of them at once."""
    for step, group in _grouped(tasks, lambda task: task.step):
        refused = guards.refusals(
            step.flow_class.kind, step.name, chunk.asked.outcome, [task.case for task in group], chunk.asked.by
        )
        for task in group:
            if task.case in refused:
                refusal = refused[task.case]
                chunk.refuse(task, refusal.code, refusal.kept())
    return [task for task in tasks if task.item not in chunk.answers]


def _grouped(tasks: list[Standing], by: Callable[[Standing], Any]) -> Iterable[tuple[Any, list[Standing]]]:
    groups: dict[Any, list[Standing]] = {}
    for task in tasks:
        groups.setdefault(by(task), []).append(task)
    return groups.items()


# ---------------------------------------------------------------- signing


def _sign(chunk: _Chunk, tasks: list[Standing]) -> None:
    """Writes this person's signature on tasks whose panel waits for more of them; nothing moves."""
    asked = chunk.asked
    if not tasks:
        return
    levels = [(task.case, outcome_level(task.step, asked.outcome)) for task in tasks]
    free = take_level(levels, asked.by.key)
    for task in tasks:
        chunk.answers[task.item] = ("signed", {})
    _say_why(chunk, [task for task in tasks if task.case not in free])
    signing = [task for task in tasks if task.case in free]
    sign([task.item for task in signing], asked.by, asked.outcome, chunk.moment)
    lines = [
        Line(task.case, task.path, chunk.posts[task.item], item=task.item, step=task.step.name if task.step else "")
        for task in signing
    ]
    data = asked.data | {"vote": asked.outcome}
    write_lines("sign", "case", lines, asked.by, reason=asked.reason, data=data, at=chunk.moment)


# ---------------------------------------------------------------- the move


def _move(chunk: _Chunk, tasks: list[Standing]) -> None:
    """Moves each group that takes the same way under the same post, in one statement, then tells the listeners."""
    asked, moment = chunk.asked, chunk.moment
    for (way, post, panels), group in _grouped(tasks, lambda task: _company(chunk, task)):
        seating = panel_at(panels, way.final.name)
        moved = move(way, [task.case for task in group], asked.by, post, asked.reason, asked.data, moment)
        for task in group:
            chunk.answers[task.item] = ("ok", {})
        _say_why(chunk, [task for task in group if task.item not in moved])
        joint = [task.item for task in group if task.item in moved and task.item in chunk.seats]
        if joint and way.outcome.level:
            sign(joint, asked.by, asked.outcome, moment)
        _seat(chunk, way, seating, moved)
        if moved:
            events.tell(
                events.Move(
                    kind=way.step.flow_class.kind,
                    step=way.step.name,
                    outcome=way.outcome.name,
                    entered=way.entered,
                    case_ids=[task.case for task in group if task.item in moved],
                    by=asked.by,
                    moment=moment,
                    reason=asked.reason,
                    data=asked.data,
                )
            )


def _seat(chunk: _Chunk, way: Way, panel: Panel | None, moved: Mapping[int, int]) -> None:
    """Seats those who sign where cases arrived: the panel, or who sat when the decision that is taken back was made."""
    level = way.final.level if isinstance(way.final, Step) else ""
    decided = {new: chunk.last[old] for old, new in moved.items() if old in chunk.last}
    again = {new: last.item for new, last in decided.items() if last.joint}
    seat_again(again, chunk.asked.by.key, level)
    if panel and (fresh := [new for new in moved.values() if new not in again]):
        seat(fresh, panel, level)


def _say_why(chunk: _Chunk, tasks: list[Standing]) -> None:
    """What kept this person from acting, found by the statement itself: he was recused, or acted, a moment before."""
    for case, bars in bars_of([task.case for task in tasks], chunk.asked.by.key).items() if tasks else ():
        for task in tasks:
            if task.case == case:
                code = bars.recusal(outcome_level(task.step, chunk.asked.outcome))
                chunk.refuse(task, f"recused_{code}" if code else "other_level")


def _company(chunk: _Chunk, task: Standing) -> tuple[Way, str, str]:
    """What tasks that move in one statement have in common."""
    return chunk.ways[task.item], chunk.posts[task.item], task.panels
