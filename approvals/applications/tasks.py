"""Work in the background: applications that wait for the data match."""

from approvals.applications import actions
from workflows.background import due


@due("data_check")
def match_waiting() -> int:
    """数据比对: a bounded piece of whatever waits at the data check."""
    return actions.match_waiting()
