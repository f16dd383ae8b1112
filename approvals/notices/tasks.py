"""What the system does with notices by itself, swept every two seconds."""

from approvals.notices import actions
from approvals.notices.announcements import yearly
from approvals.notices.models import Notice
from approvals.notices.objections import actions as objections
from workflows import clock
from workflows.background import due
from workflows.working_days import calendar, forget


@due("scheduled_notices")
def publish_notices() -> int:
    """Publishes the signed notices whose day has come."""
    with clock.held():
        return actions.publish_due()


@due("notices")
def conclude_notices() -> int:
    """Closes and concludes notices whose period is over, and ends computed before a calendar was known."""
    with clock.held():
        if _calendar_has_come():
            actions.recompute_open()
            objections.recompute()
        return actions.close_due() + actions.conclude_closed()


def _calendar_has_come() -> bool:
    """Whether a year that a notice had to guess, running or waiting for its date, has been published since.

    Before a guessed end is taken for true, the calendar is read afresh: it may have been loaded a moment ago.
    """
    guessing = Notice.objects.filter(state__in=["published", "scheduled"], provisional=True)
    ends = [day for day in guessing.values_list("ends_on", flat=True).distinct() if day is not None]
    if any(day < clock.today() for day in ends):
        forget()
    return any(not calendar().is_provisional(day) for day in ends)


@due("yearly_results")
def announce_years() -> int:
    """Drafts the results of the school year that ended, and reminds the office of those not yet announced."""
    with clock.held():
        return yearly.draft_due() + yearly.remind_due()
