"""Work in the background: applications that wait for the data match, rosters that wait to be read or taken over."""

from approvals.applications import actions
from approvals.applications.actions import match_runs, registers, rosters
from workflows.background import due


@due("data_check")
def match_waiting() -> int:
    """数据比对: a bounded piece of whatever waits at the data check."""
    return actions.match_waiting()


@due("registers", queue="long")
def work_on_registers() -> int:
    """名册: one list of another office, read or taken over."""
    return registers.work_on_next()


@due("match_runs", queue="long")
def work_on_match_runs() -> int:
    """重新比对: the next applications of a term."""
    return match_runs.work_on_next()


@due("rosters", queue="long")
def work_on_rosters() -> int:
    """名单导入: one roster, judged or taken over."""
    return rosters.work_on_next()


@due("roster_files")
def forget_roster_files() -> int:
    """名单文件到期删除: a bounded number of files that are no longer needed."""
    return rosters.forget_files()
