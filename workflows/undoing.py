"""Taking back (拿回): what the last decision on a case was, and whose."""

from collections.abc import Sequence
from typing import NamedTuple

from workflows.nodes import Correction, Draft
from workflows.planned import planned_cursor
from workflows.ways import step_at

# Backwards along the links from each open item, over what the system did by itself in between.
_LAST = """
    WITH RECURSIVE back AS (
        SELECT l.from_workitem_id AS item, p.id, p.flow_task, p.flow_task_type, p.outcome, p.decided_by, 1 AS hops
          FROM workflows_link l JOIN workflows_workitem p ON p.id = l.to_workitem_id
         WHERE l.from_workitem_id = ANY(%s)
         UNION ALL
        SELECT back.item, p.id, p.flow_task, p.flow_task_type, p.outcome, p.decided_by, hops + 1
          FROM back JOIN workflows_link l ON l.from_workitem_id = back.id
          JOIN workflows_workitem p ON p.id = l.to_workitem_id
         WHERE back.flow_task_type = 'AUTOMATIC' AND back.decided_by = '' AND hops < 5
    )
    SELECT DISTINCT ON (item) item, flow_task, outcome, decided_by FROM back ORDER BY item, hops DESC
"""


class Last(NamedTuple):
    """The last decision that a person made on a case."""

    step: str
    person: str
    permission: str
    by_applicant: bool
    """It was a submission: taken back only until somebody opens the case."""


def last_decisions(items: Sequence[int]) -> dict[int, Last]:
    """The last decision before each of these open items; those that cannot be taken back are left out."""
    with planned_cursor() as cursor:
        cursor.execute(_LAST, [list(items)])
        rows = cursor.fetchall()
    found = {}
    for item, ref, outcome, person in rows:
        step = step_at(ref)
        if step is not None and outcome in step.outcomes:
            by_applicant = isinstance(step, Draft | Correction)
            found[item] = Last(step.name, person, step.outcomes[outcome].permission, by_applicant)
    return found
