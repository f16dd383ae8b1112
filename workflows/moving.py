"""The one statement that moves cases: any number of them, along the same way, under the same post.

Finished task, next task, link, state, lines of the record and the acting level are written together. Nobody
calls this but `decide`, which has locked the rows and made its checks.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from viewflow.workflow.fields import get_task_ref
from viewflow.workflow.status import STATUS

from workflows.actors import SYSTEM, Actor
from workflows.clock import Moment
from workflows.nodes import Ended
from workflows.reasons import Reason
from workflows.requests import request_id
from workflows.ways import Way
from workflows.working_days import due_dates

_TASKS = """
    WITH task AS (
        SELECT * FROM unnest(%(items)s::bigint[], %(cases)s::bigint[]) AS task (item, case_id)
    )"""

# The row per (case, person) keeps the level it was first written with: at another level nothing comes back.
_ACTED = """, acted AS (
        INSERT INTO workflows_actinglevel AS kept (case_id, person, level)
        SELECT case_id, %(person)s, %(level)s FROM task
        ON CONFLICT (case_id, person) DO UPDATE SET level = excluded.level WHERE kept.level = excluded.level
        RETURNING case_id
    )"""

# The next task's id is drawn where the case is moved, so that task and link need no join to find each other.
_MOVED = """, moved AS (
        UPDATE workflows_workitem i
           SET status = 'DONE', finished = %(now)s, outcome = %(outcome)s, owner_id = %(owner)s, decided_by = %(person)s
          FROM task WHERE i.id = task.item AND i.finished IS NULL {acted}
        RETURNING i.id AS item, i.case_id
    ), stands AS (
        UPDATE workflows_case c
           SET state = %(state)s, status = %(status)s, finished = %(ended)s,
               resume = COALESCE(%(comes_back_to)s, c.resume), round = c.round + %(new_round)s,
               noticed = array_remove(c.noticed, %(next)s)
          FROM moved WHERE c.id = moved.case_id
        RETURNING c.id AS case_id, c.path, c.round, c.limits, moved.item, nextval('workflows_workitem_id_seq') AS next
    ), ahead AS (
        INSERT INTO workflows_workitem
               (id, case_id, flow_task, flow_task_type, status, created, started, finished, token, path, round, due_on,
                outcome, decided_by)
        SELECT next, case_id, %(next_ref)s, %(next_type)s, %(status)s, %(now)s, %(ended)s, %(ended)s, 'start', path,
               round, COALESCE(%(due_on)s::date, (%(dates)s::jsonb ->> (limits ->> %(next)s))::date), '', ''
          FROM stands
    ), links AS (
        INSERT INTO workflows_link (from_workitem_id, to_workitem_id) SELECT next, item FROM stands
    ), lines AS (
        INSERT INTO workflows_record
               (at, business_at, about, about_id, item, path, request_id, act, step, state_from, state_to, actor,
                actor_name, post, reason_code, reason_text, data)
        SELECT %(now)s, %(business)s, 'case', case_id, item, path, %(request)s, act, step, state_from, state_to, actor,
               actor_name, post, reason_code, reason_text, data
          FROM stands CROSS JOIN
               unnest(%(act)s::varchar[], %(step)s::varchar[], %(state_from)s::varchar[], %(state_to)s::varchar[],
                      %(actor)s::varchar[], %(actor_name)s::varchar[], %(post)s::varchar[], %(reason_code)s::varchar[],
                      %(reason_text)s::text[], %(data)s::jsonb[]) WITH ORDINALITY
               AS hop (act, step, state_from, state_to, actor, actor_name, post, reason_code, reason_text, data, number)
         ORDER BY case_id, number
    )
    SELECT item FROM moved"""

_MOVE = _TASKS + _MOVED.format(acted="")
_MOVE_SEPARATED = _TASKS + _ACTED + _MOVED.format(acted="AND task.case_id IN (SELECT case_id FROM acted)")


def move(
    way: Way,
    tasks: Sequence[tuple[int, int]],
    by: Actor,
    post: str,
    reason: Reason | None,
    data: dict[str, Any],
    moment: Moment,
) -> set[int]:
    """Moves tasks, [(task id, case id)], in one statement; returns the ids of those that moved.

    A task that stays behind belongs to a case on which this person has acted at another level (DOMAIN.md §2.8).
    A case that arrives at a public notice has not had that notice yet, whatever an earlier round did.
    """
    ended = moment.machine if isinstance(way.final, Ended) else None
    values = {
        "items": [item for item, _ in tasks],
        "cases": [case for _, case in tasks],
        "person": by.key,
        "owner": getattr(by, "user_id", None),
        "level": way.outcome.level,
        "now": moment.machine,
        "business": moment.business,
        "outcome": way.outcome.name,
        "state": way.final.state,
        "status": STATUS.DONE if ended else STATUS.NEW,
        "ended": ended,
        "comes_back_to": way.step.name if way.outcome.comes_back else None,
        "new_round": int(way.outcome.new_round),
        "next": way.final.name,
        "next_ref": get_task_ref(way.final),
        "next_type": way.final.task_type,
        "due_on": None if ended else data.get("due_on"),
        "dates": json.dumps(due_dates(moment.date)),
        "request": request_id(),
    }
    lines = list(_lines(way, by, post, reason, data))
    values |= {column: [line[column] for line in lines] for column in lines[0]}
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_SEPARATED if way.outcome.level and by.key else _MOVE, values)
        return {item for (item,) in cursor.fetchall()}


def _lines(way: Way, by: Actor, post: str, reason: Reason | None, data: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The record's lines of one move: the decision, then the steps that the system passed over because of it."""
    decision, *passed = way.hops
    said = {"reason_code": reason.code, "reason_text": reason.text} if reason else _NOTHING_SAID
    yield decision._asdict() | {"actor": by.key, "actor_name": by.name, "post": post, "data": json.dumps(data)} | said
    for hop in passed:
        yield (
            hop._asdict()
            | {"actor": SYSTEM.key, "actor_name": SYSTEM.name, "post": "system", "data": "{}"}
            | _NOTHING_SAID
        )


_NOTHING_SAID = {"reason_code": "", "reason_text": ""}
