"""What the system does for the audit by itself."""

from approvals.oversight import actions
from workflows import clock
from workflows.background import due
from workflows.deadlines import once_a_day


@due("audits", queue="long")
def look_for_findings() -> int:
    """Every business day, and whenever an auditor asks: a query a piece."""
    with clock.held():
        return once_a_day("audit", actions.ask_daily) + actions.look_on()


@due("findings")
def remind_of_findings() -> int:
    """Once a business day: what is to be put right soon."""
    return once_a_day("findings", actions.remind)
