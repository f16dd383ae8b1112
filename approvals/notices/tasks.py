"""What the system does with notices by itself, swept every two seconds."""

from approvals.notices import actions
from approvals.notices.models import Notice
from workflows import clock
from workflows.background import due
from workflows.working_days import calendar


@due("notices")
def conclude_notices() -> int:
    """Closes and concludes notices whose period is over, and ends computed before a calendar was known."""
    if _calendar_has_come():
        actions.recompute_open()
    with clock.held():
        return actions.close_due() + actions.conclude_closed()


def _calendar_has_come() -> bool:
    """Whether a year that a running notice had to guess has been published since."""
    guessed = Notice.objects.filter(state="published", provisional=True).values_list("ends_on", flat=True).distinct()
    return any(not calendar().is_provisional(day) for day in guessed if day)
