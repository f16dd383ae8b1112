"""Taking back (拿回): what the last decision on a case was, and whose."""

from collections.abc import Sequence
from typing import NamedTuple

from workflows.nodes import Correction, Draft
from workflows.panels import SEES, panel_at
from workflows.planned import planned_cursor
from workflows.ways import step_at

# Backwards along the links from each open item, over what the system did by itself in between.
_LAST = """
    WITH RECURSIVE back AS (
        SELECT l.from_workitem_id AS item, p.id, p.flow_task, p.flow_task_type, p.outcome, p.decided_by, p.panel,
               p.case_id, 1 AS hops
          FROM workflows_link l JOIN workflows_workitem p ON p.id = l.to_workitem_id
         WHERE l.from_workitem_id = ANY(%s)
         UNION ALL
        SELECT back.item, p.id, p.flow_task, p.flow_task_type, p.outcome, p.decided_by, p.panel, p.case_id, hops + 1
          FROM back JOIN workflows_link l ON l.from_workitem_id = back.id
          JOIN workflows_workitem p ON p.id = l.to_workitem_id
         WHERE back.flow_task_type = 'AUTOMATIC' AND back.decided_by = '' AND hops < 5
    )
    SELECT DISTINCT ON (item) item, back.id, flow_task, outcome, decided_by, panel, COALESCE(s.part, ''),
           CASE WHEN s.part = 'panel' THEN (SELECT c.panels::text FROM workflows_case c WHERE c.id = back.case_id) END
      FROM back
      LEFT JOIN workflows_signer s ON s.item_id = back.id AND s.person = back.decided_by AND s.ended_at IS NULL
     ORDER BY item, hops DESC
"""


class Last(NamedTuple):
    """The last decision that a person made on a case."""

    step: str
    person: str
    permission: str
    """With which it was made: that of the outcome, or of the person's seat where several signed."""
    by_applicant: bool
    """It was a submission: taken back only until somebody opens the case."""
    item: int = 0
    """The task that was decided."""
    level: str = ""
    joint: bool = False
    """It was decided by several: their signatures stand when the last one is taken back."""


def last_decisions(items: Sequence[int]) -> dict[int, Last]:
    """The last decision before each of these open items; those that cannot be taken back are left out."""
    with planned_cursor() as cursor:
        cursor.execute(_LAST, [list(items)])
        rows = cursor.fetchall()
    found = {}
    for item, decided, ref, outcome, person, panel, part, panels in rows:
        step = step_at(ref)
        if step is not None and outcome in step.outcomes:
            taken = step.outcomes[outcome]
            permission = SEES if part == "added" else _seat_of(panels, step.name) or taken.permission
            by_applicant = isinstance(step, Draft | Correction)
            found[item] = Last(step.name, person, permission, by_applicant, decided, taken.level, bool(panel))
    return found


def _seat_of(panels: str | None, step: str) -> str:
    panel = panel_at(panels or "", step)
    return panel.of if panel else ""
