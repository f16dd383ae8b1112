"""The one statement that moves cases: any number of them, along the same way, under the same post.

Finished task, next task, link, state, lines of the record and the acting level are written together. Nobody
calls this but `decide`, which has locked the rows and made its checks.
"""

import json
from typing import Any

from viewflow.workflow.fields import get_task_ref
from viewflow.workflow.status import STATUS

from workflows.actors import SYSTEM, Actor
from workflows.bars import recused
from workflows.clock import Moment
from workflows.nodes import Ended
from workflows.planned import planned_cursor
from workflows.reasons import Reason
from workflows.requests import request_id
from workflows.ways import Way
from workflows.working_days import due_dates

# The row per (case, person) keeps the level it was first written with: at another level nothing comes back, nor for
# who is recused from the case.
_SEPARATED = f"""
    WITH going AS (
        INSERT INTO workflows_actinglevel AS kept (case_id, person, level)
        SELECT asked.case_id, %(person)s::varchar, %(level)s::varchar
          FROM unnest(%(cases)s::bigint[]) AS asked (case_id)
         WHERE NOT {recused("asked.case_id", "%(person)s::varchar", "%(level)s::varchar")}
        ON CONFLICT (case_id, person) DO UPDATE SET level = excluded.level WHERE kept.level = excluded.level
        RETURNING case_id
    )"""
_UNSEPARATED = """
    WITH going AS (
        SELECT case_id FROM unnest(%(cases)s::bigint[]) AS case_id
    )"""

# A case has one open task (a unique index), and its row is locked: that task is the one that was asked for. The
# next task's id is drawn where the case is moved, so that task, link and lines need no join to find each other.
_MOVE = """, done AS (
        UPDATE workflows_workitem i
           SET status = 'DONE', finished = %(now)s, outcome = %(outcome)s, owner_id = %(owner)s,
               decided_by = %(person)s, holder = '', holder_name = ''
          FROM going WHERE i.case_id = going.case_id AND i.finished IS NULL
        RETURNING i.case_id, i.id AS item
    ), stands AS (
        UPDATE workflows_case c
           SET state = %(state)s, status = %(status)s, finished = %(ended)s::timestamptz,
               resume = COALESCE(%(resume)s, c.resume), round = c.round + %(new_round)s,
               noticed = array_remove(c.noticed, %(next)s)
          FROM done WHERE c.id = done.case_id
        RETURNING c.id AS case_id, c.path, c.round, c.limits, c.title, done.item,
                  nextval('workflows_workitem_id_seq') AS next
    ), ahead AS (
        INSERT INTO workflows_workitem
               (id, case_id, flow_task, flow_task_type, status, created, started, finished, token, path, round, due_on,
                outcome, decided_by, queue, title)
        SELECT next, case_id, %(next_ref)s, %(next_type)s, %(status)s, %(now)s, %(ended)s::timestamptz,
               %(ended)s::timestamptz, 'start', path, round,
               COALESCE(%(due_on)s::date, (%(dates)s::jsonb ->> (limits ->> %(next)s::text))::date), '', '',
               %(queue)s, title
          FROM stands
    ), links AS (
        INSERT INTO workflows_link (from_workitem_id, to_workitem_id) SELECT next, item FROM stands
    ), lines AS (
        INSERT INTO workflows_record
               (at, business_at, about, about_id, item, path, request_id, act, step, state_from, state_to, actor,
                actor_name, post, reason_code, reason_text, data)
        SELECT %(now)s, %(business)s, 'case', case_id, item, path, %(request)s, act, step, state_from, state_to, actor,
               actor_name, post, reason_code, reason_text, data
          FROM stands CROSS JOIN jsonb_to_recordset(%(lines)s::jsonb) AS line
               (number int, act text, step text, state_from text, state_to text, actor text, actor_name text, post text,
                reason_code text, reason_text text, data jsonb)
         ORDER BY case_id, number
    )
    SELECT item, next FROM stands"""


def move(
    way: Way, cases: list[int], by: Actor, post: str, reason: Reason | None, data: dict[str, Any], moment: Moment
) -> dict[int, int]:
    """Moves locked cases along their way, in one statement; {task that this finished: the task that follows}.

    A task that stays behind belongs to a case on which this person has acted at another level, or from which he is
    recused (DOMAIN.md §2.8).
    A case that arrives at a public notice has not had that notice yet, whatever an earlier round did.
    """
    ended = moment.machine if isinstance(way.final, Ended) else None
    values = {
        "cases": cases,
        "person": by.key,
        "owner": getattr(by, "user_id", None),
        "level": way.outcome.level,
        "now": moment.machine,
        "business": moment.business,
        "outcome": way.outcome.name,
        "state": way.final.state,
        "status": STATUS.DONE.value if ended else STATUS.NEW.value,
        "ended": ended,
        "resume": way.resume,
        "new_round": int(way.outcome.new_round),
        "next": way.final.name,
        "next_ref": get_task_ref(way.final),
        "next_type": way.final.task_type,
        "queue": way.final.queue,
        "due_on": None if ended else data.get("due_on"),
        "dates": due_dates(moment.date),
        "lines": json.dumps(_lines(way, by, post, reason, data)),
        "request": request_id(),
    }
    separated = way.outcome.level and by.key
    with planned_cursor() as cursor:
        cursor.execute((_SEPARATED if separated else _UNSEPARATED) + _MOVE, values)
        return dict(cursor.fetchall())


_TAKE_LEVEL = f"""
    INSERT INTO workflows_actinglevel AS kept (case_id, person, level)
    SELECT asked.case_id, %(person)s::varchar, asked.level
      FROM unnest(%(cases)s::bigint[], %(levels)s::varchar[]) AS asked (case_id, level)
     WHERE NOT {recused("asked.case_id", "%(person)s::varchar", "asked.level")}
        ON CONFLICT (case_id, person) DO UPDATE SET level = excluded.level WHERE kept.level = excluded.level
    RETURNING case_id
"""


def take_level(levels: list[tuple[int, str]], person: str) -> set[int]:
    """Spends a person's one level on each [(case, level)] without moving it; the cases on which he may act so."""
    cases, wanted = [case for case, _ in levels], [level for _, level in levels]
    with planned_cursor() as cursor:
        cursor.execute(_TAKE_LEVEL, {"person": person, "cases": cases, "levels": wanted})
        return {case for (case,) in cursor.fetchall()}


def _lines(way: Way, by: Actor, post: str, reason: Reason | None, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The record's lines of one move: the decision, then the steps that the system passed over because of it."""
    lines = [
        hop._asdict()
        | {"number": number, "actor": SYSTEM.key, "actor_name": SYSTEM.name, "post": "system"}
        | {"reason_code": "", "reason_text": "", "data": {}}
        for number, hop in enumerate(way.hops)
    ]
    lines[0] |= {"actor": by.key, "actor_name": by.name, "post": post, "data": data}
    if reason:
        lines[0] |= {"reason_code": reason.code, "reason_text": reason.text}
    return lines
