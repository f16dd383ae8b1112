"""Work in the background: deadlines that come near, pass, or stand where nobody may decide."""

from approvals.review import deadlines
from workflows.background import due


@due("deadlines")
def watch_deadlines() -> int:
    """期限: reminders once a business day, overdue tasks to the office above."""
    return deadlines.remind() + deadlines.escalate()


@due("undecidable", queue="long")
def look_for_undecidable() -> int:
    """无人可办: tasks that nobody may decide, to the office above."""
    return deadlines.look_for_undecidable()
