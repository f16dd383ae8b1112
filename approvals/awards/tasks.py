"""What happens to awards by itself, swept."""

from approvals.awards import actions
from workflows import clock
from workflows.background import due


@due("awards")
def activate_due() -> int:
    """生效: awards whose term has begun since they were granted."""
    return actions.activate_started()


@due("undecided_awards")
def suspend_undecided() -> int:
    """暂停: changes of enrolment that nobody decided in time."""
    with clock.held():
        return actions.suspend_undecided()


@due("lasting_awards")
def continue_lasting() -> int:
    """续享: awards for a stage in a new school year."""
    with clock.held():
        return actions.continue_lasting()


@due("finished_awards")
def complete_over() -> int:
    """完成: awards whose time is over and whose money is all paid."""
    with clock.held():
        return actions.complete_over()
