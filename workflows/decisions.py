"""The one door through which every case moves.

`decide` locks, checks, moves, writes the record and tells what follows, for one task or ten thousand, in one
transaction per chunk. The writing is a single statement per group of tasks that take the same way; the checks
are set-based as well. It never raises for a lost race: each task gets its own `Result`.
"""

import json
import keyword
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db import OperationalError, connection, transaction
from django.utils.encoding import force_str
from django_fsm import GET_STATE
from psycopg.errors import LockNotAvailable
from viewflow.workflow.fields import get_task_ref, import_task_by_ref

from workflows import events, guards
from workflows.actors import SYSTEM, Actor
from workflows.clock import Moment, moment_on
from workflows.conditions import failing
from workflows.models import ActingLevel, Case, KeyedDecision, Record, TrainingClock, WorkItem
from workflows.nodes import Ended, Outcome, Step
from workflows.reasons import Reason, refusal_of
from workflows.refusals import SENTENCES
from workflows.requests import request_id
from workflows.working_days import due_dates

CHUNK = 5000
"""Tasks per transaction: large enough to spread the cost of a statement, small enough to hold locks briefly."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one task: `ok`, or refused with a code and a sentence."""

    task_id: int
    ok: bool
    code: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A locked task with what the checks need of its case."""

    item: int
    case: int
    task_ref: str
    closed: bool
    path: str
    state: str
    steps: list[str]
    resume: str
    training: date | None


class Hop(NamedTuple):
    """A line of the record that one move writes: the act, the step left, the states before and after."""

    act: str
    step: str
    state_from: str
    state_to: str


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Where an outcome leads a case: the lines it writes and the step at which it then stands."""

    step: Step
    outcome: Outcome
    hops: tuple[Hop, ...]
    final: Step | Ended
    entered: tuple[str, ...]


@dataclass
class _Chunk:
    """The state of one transaction's worth of decisions."""

    outcome: str
    by: Actor
    reason: Reason | None
    data: dict[str, Any]
    moment: Moment
    results: dict[int, Result] = field(default_factory=dict)

    def refuse(self, item: int, code: str, message: str = "") -> None:
        self.results[item] = Result(item, False, code, message or force_str(SENTENCES[code]))

    def accept(self, item: int) -> None:
        self.results[item] = Result(item, True, "ok", force_str(SENTENCES["ok"]))


def decide(
    task_ids: Iterable[int],
    outcome: str,
    by: Actor,
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    key: str | None = None,
) -> list[Result]:
    """Decides tasks, one or ten thousand, and returns one `Result` per task in the order given.

    `reason` is compulsory where the route says so. `data` goes on the record with what the outcome needs
    (fields to correct, `due_on` as an ISO date). The same `key` from the same person returns the first
    results and changes nothing.
    """
    ordered = list(dict.fromkeys(task_ids))
    results: dict[int, Result] = {}
    for number, start in enumerate(range(0, len(ordered), CHUNK)):
        chunk = ordered[start : start + CHUNK]
        try:
            with transaction.atomic():
                results |= _keyed(chunk, number, outcome, by, reason, data or {}, key)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            results |= {item: Result(item, False, "busy", force_str(SENTENCES["busy"])) for item in chunk}
    return [results[item] for item in ordered]


def _keyed(
    items: list[int],
    number: int,
    outcome: str,
    by: Actor,
    reason: Reason | None,
    data: dict[str, Any],
    key: str | None,
) -> dict[int, Result]:
    if key is None:
        return _decide_chunk(items, outcome, by, reason, data)
    kept, first = KeyedDecision.objects.get_or_create(
        key=key, person=by.key, chunk=number, defaults={"results": []}
    )
    if not first:
        seen = {row["task_id"]: Result(**row) for row in kept.results}
        return {item: seen[item] if item in seen else _unknown(item) for item in items}
    results = _decide_chunk(items, outcome, by, reason, data)
    kept.results = [asdict(result) for result in results.values()]
    kept.save(update_fields=["results"])
    return results


def _unknown(item: int) -> Result:
    return Result(item, False, "not_found", force_str(SENTENCES["not_found"]))


def _decide_chunk(
    items: list[int], outcome: str, by: Actor, reason: Reason | None, data: dict[str, Any]
) -> dict[int, Result]:
    waiting = _lock(items)
    chunk = _Chunk(outcome, by, reason, data, moment_on(waiting[0].training if waiting else None))
    for item in set(items) - {row.item for row in waiting}:
        chunk.refuse(item, "not_found")
    planned = _plan(chunk, waiting)
    posts = _permitted(chunk, planned)
    planned = {row: way for row, way in planned.items() if row.item in posts}
    planned = _legal(chunk, planned)
    planned = _guarded(chunk, planned)
    _move(chunk, planned, posts)
    return chunk.results


_LOCK = f"""
    SELECT i.id, i.case_id, i.flow_task, i.finished IS NOT NULL, c.path, c.state, c.steps, c.resume,
           (SELECT date FROM {TrainingClock._meta.db_table})
      FROM {WorkItem._meta.db_table} i JOIN {Case._meta.db_table} c ON c.id = i.case_id
     WHERE i.id = ANY(%s) ORDER BY c.id, i.id FOR NO KEY UPDATE
"""


def _lock(items: list[int]) -> list[Waiting]:
    """Locks the tasks and their cases, always in the same order, so that two bulk decisions cannot deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [items])
        return [Waiting(*row) for row in cursor.fetchall()]


def _plan(chunk: _Chunk, waiting: list[Waiting]) -> dict[Waiting, Way]:
    """The way each open task would take; refuses closed ones, unknown outcomes and unsuitable reasons."""
    ways: dict[tuple[Any, ...], Way | str] = {}
    planned: dict[Waiting, Way] = {}
    for row in waiting:
        if row.closed:
            chunk.refuse(row.item, "closed")
            continue
        same = (row.task_ref, row.state, tuple(row.steps), row.resume)
        if same not in ways:
            ways[same] = way_of(import_task_by_ref(row.task_ref), chunk.outcome, row.state, row.steps, row.resume)
        way = ways[same]
        unsuitable = way if isinstance(way, str) else refusal_of(chunk.reason, chunk.outcome, way.outcome.reason)
        if unsuitable:
            chunk.refuse(row.item, unsuitable)
        elif isinstance(way, Way):
            planned[row] = way
    return planned


def way_of(step: Step, outcome: str, state: str, steps: list[str], resume: str) -> Way | str:
    """Where `outcome` leads a case that stands at `step`, over the steps it skips; a refusal code if nowhere.

    The route says where the work goes and the state machine must agree at every hop.
    """
    if outcome not in step.outcomes:
        return "no_such_outcome"
    taken = step.outcomes[outcome]
    here = step.flow_class.instance.node(resume) if taken.target == "resume" else taken.target
    if transition_of(step.flow_class, outcome, state, here.state) is None:
        return "wrong_state"
    hops = [Hop(outcome, step.name, state, here.state)]
    entered = [here.name]
    while not here.passes(steps):
        onward = here.outcomes[here.onward].target
        act = here.onward if here.through else "skip"
        if transition_of(step.flow_class, act, here.state, onward.state) is None:
            return "wrong_state"
        hops.append(Hop(act, here.name, here.state, onward.state))
        entered.append(onward.name)
        here = onward
    return Way(step, taken, tuple(hops), here, tuple(entered))


def transition_of(flow_class: Any, outcome: str, source: str, target: str) -> Any:
    """The state machine's transition for an outcome between two states, or None where it allows none."""
    name = f"{outcome}_" if keyword.iskeyword(outcome) else outcome
    method = getattr(flow_class.process_class, name, None)
    found = method._django_fsm.get_transition(source) if method is not None else None
    if found is None:
        return None
    allowed = found.target.allowed_states if isinstance(found.target, GET_STATE) else [found.target]
    return found if target in allowed else None


def _permitted(chunk: _Chunk, planned: dict[Waiting, Way]) -> dict[int, str]:
    """The post under which each task may be decided, asked now and not when it was assigned."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for row, way in planned.items():
        wanted[way.outcome.permission].add(row.path)
    granted = {permission: chunk.by.permits(permission, paths) for permission, paths in wanted.items()}
    posts: dict[int, str] = {}
    for row, way in planned.items():
        post = granted[way.outcome.permission].get(row.path)
        if post is None:
            chunk.refuse(row.item, "not_permitted")
        else:
            posts[row.item] = post
    return posts


def _legal(chunk: _Chunk, planned: dict[Waiting, Way]) -> dict[Waiting, Way]:
    """Keeps the cases for which the conditions of the state machine's transition hold."""
    groups: dict[Any, list[Waiting]] = defaultdict(list)
    for row, way in planned.items():
        first = way.hops[0]
        groups[transition_of(way.step.flow_class, first.act, first.state_from, first.state_to)].append(row)
    for found, rows in groups.items():
        if not found.conditions:
            continue
        failed = failing(found.conditions, Case, [row.case for row in rows])
        for row in rows:
            if row.case in failed:
                condition = failed[row.case]
                chunk.refuse(row.item, condition.code, force_str(condition.sentence))
                del planned[row]
    return planned


def _guarded(chunk: _Chunk, planned: dict[Waiting, Way]) -> dict[Waiting, Way]:
    """Keeps the cases that the guards of their edge let pass."""
    groups: dict[tuple[str, str], list[Waiting]] = defaultdict(list)
    for row, way in planned.items():
        groups[way.step.flow_class.kind, way.step.name].append(row)
    for (kind, step), rows in groups.items():
        refused = guards.refusals(kind, step, chunk.outcome, [row.case for row in rows], chunk.by)
        for row in rows:
            if row.case in refused:
                chunk.refuse(row.item, refused[row.case].code, force_str(refused[row.case].sentence))
                del planned[row]
    return planned


def _move(chunk: _Chunk, planned: dict[Waiting, Way], posts: dict[int, str]) -> None:
    """Moves each group that takes the same way, then tells the listeners."""
    groups: dict[tuple[Way, str], list[Waiting]] = defaultdict(list)
    for row, way in planned.items():
        groups[way, posts[row.item]].append(row)
    for (way, post), rows in groups.items():
        moved = _write(chunk, way, post, [row.item for row in rows])
        for row in rows:
            if row.item in moved:
                chunk.accept(row.item)
            else:
                chunk.refuse(row.item, "other_level")
        cases = [row.case for row in rows if row.item in moved]
        if cases:
            events.tell(
                events.Move(
                    kind=way.step.flow_class.kind,
                    step=way.step.name,
                    outcome=chunk.outcome,
                    entered=way.entered,
                    case_ids=cases,
                    by=chunk.by,
                    moment=chunk.moment,
                    reason=chunk.reason,
                    data=chunk.data,
                )
            )


def _table(model: Any) -> str:
    return str(model._meta.db_table)


_ACTED = f"""
    acted AS (
        INSERT INTO {_table(ActingLevel)} AS l (case_id, person, level)
        SELECT DISTINCT case_id, %(actor)s::varchar, %(level)s::varchar
          FROM {_table(WorkItem)} WHERE id = ANY(%(items)s)
        ON CONFLICT (case_id, person) DO UPDATE SET level = excluded.level WHERE l.level = excluded.level
        RETURNING case_id
    ),"""

_MOVE = f"""
    moved AS (
        UPDATE {_table(WorkItem)}
           SET status = 'DONE', finished = %(now)s, owner_id = %(owner)s, outcome = %(outcome)s,
               decided_by = %(actor)s
         WHERE id = ANY(%(items)s) AND finished IS NULL %(acted)s
        RETURNING id, case_id
    ), cases AS (
        UPDATE {_table(Case)} c
           SET state = %(state)s, status = %(case_status)s, finished = %(ended)s,
               resume = CASE WHEN %(outcome)s = 'return' THEN %(step)s ELSE c.resume END,
               round = c.round + %(new_round)s
          FROM moved WHERE c.id = moved.case_id
        RETURNING c.id, c.path, c.round, c.limits, moved.id AS item
    ), ahead AS (
        INSERT INTO {_table(WorkItem)}
               (case_id, flow_task, flow_task_type, status, created, started, finished, token, path, round,
                due_on, outcome, decided_by)
        SELECT id, %(next_ref)s, %(next_type)s, %(next_status)s, %(now)s, %(ended)s, %(ended)s, 'start', path,
               round, COALESCE(%(due_on)s::date, (%(dates)s::jsonb ->> (limits ->> %(next)s))::date), '', ''
          FROM cases
        RETURNING id, case_id
    ), links AS (
        INSERT INTO {_table(WorkItem.previous.through)} (from_workitem_id, to_workitem_id)
        SELECT ahead.id, moved.id FROM ahead JOIN moved USING (case_id)
    ), lines AS (
        INSERT INTO {_table(Record)}
               (at, business_at, actor, actor_name, post, act, about, about_id, item, step, state_from, state_to,
                reason_code, reason_text, data, path, request_id)
        SELECT %(now)s, %(business)s, hop.actor, hop.name, hop.post, hop.act, 'case', cases.id, cases.item, hop.step,
               hop.state_from, hop.state_to, hop.code, hop.text, hop.data, cases.path, %(request)s
          FROM cases CROSS JOIN jsonb_to_recordset(%(hops)s::jsonb) AS hop
               (actor varchar, name varchar, post varchar, act varchar, step varchar, state_from varchar,
                state_to varchar, code varchar, text text, data jsonb)
    )
    SELECT id FROM moved
"""


def _write(chunk: _Chunk, way: Way, post: str, items: Sequence[int]) -> set[int]:
    """Moves a group of tasks in one statement and returns those that moved.

    A task that stays behind belongs to a case on which this person has acted at another level: the unique row
    per (case, person) refuses it (DOMAIN.md §2.8, DESIGN §6).
    """
    separated = bool(way.outcome.level and chunk.by.key)
    ends = isinstance(way.final, Ended)
    values = {
        "items": list(items),
        "actor": chunk.by.key,
        "level": way.outcome.level,
        "owner": getattr(chunk.by, "user_id", None),
        "now": chunk.moment.machine,
        "business": chunk.moment.business,
        "outcome": chunk.outcome,
        "state": way.final.state,
        "case_status": "DONE" if ends else "NEW",
        "ended": chunk.moment.machine if ends else None,
        "step": way.step.name,
        "new_round": 1 if chunk.outcome in ("return", "adjust") else 0,
        "next": way.final.name,
        "next_ref": get_task_ref(way.final),
        "next_type": way.final.task_type,
        "next_status": "DONE" if ends else "NEW",
        "due_on": chunk.data.get("due_on"),
        "dates": json.dumps(due_dates(chunk.moment.date)),
        "hops": json.dumps(list(_lines(chunk, way, post))),
        "request": request_id(),
    }
    statement = "WITH" + (_ACTED if separated else "") + _MOVE.replace(
        "%(acted)s", "AND case_id IN (SELECT case_id FROM acted)" if separated else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {item for (item,) in cursor.fetchall()}


def _lines(chunk: _Chunk, way: Way, post: str) -> Iterator[dict[str, Any]]:
    """The record lines of one move: the decision, then the steps the system passed over because of it."""
    for number, hop in enumerate(way.hops):
        actor, under = (chunk.by, post) if number == 0 else (SYSTEM, "system")
        reason = chunk.reason if number == 0 else None
        yield hop._asdict() | {
            "actor": actor.key,
            "name": actor.name,
            "post": under,
            "code": reason.code if reason else "",
            "text": reason.text if reason else "",
            "data": chunk.data if number == 0 else {},
        }
