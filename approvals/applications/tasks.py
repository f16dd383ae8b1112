"""Work in the background: applications that wait for the data match, rosters that wait to be read or taken over."""

from approvals.applications import actions
from approvals.applications.actions import rosters
from workflows.background import due


@due("data_check")
def match_waiting() -> int:
    """数据比对: a bounded piece of whatever waits at the data check."""
    return actions.match_waiting()


@due("rosters", queue="long")
def work_on_rosters() -> int:
    """名单导入: one roster, judged or taken over."""
    return rosters.work_on_next()
