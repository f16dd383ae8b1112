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


@due("roster_files")
def forget_roster_files() -> int:
    """名单文件到期删除: a bounded number of files that are no longer needed."""
    return rosters.forget_files()
