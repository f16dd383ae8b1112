"""What happens to objections by itself: time for an appeal runs out, people are reminded, traces are forgotten."""

from approvals.notices.objections import actions, limits
from workflows import clock
from workflows.background import due
from workflows.deadlines import once_a_day


@due("objections")
def settle_objections() -> int:
    """Closes what nobody appealed in time, so that its lines are free."""
    with clock.held():
        return actions.close_run_out()


@due("objection_reminders")
def remind_of_objections() -> int:
    """Once a business day."""
    return once_a_day("objections", actions.remind)


@due("objection_traces")
def forget_traces() -> int:
    """What the limits remember of who sent something is kept one day."""
    return limits.forget()
