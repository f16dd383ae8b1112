"""What a list does when a case leaves a notice step, by whichever door it left."""

from approvals.notices import actions
from approvals.notices.steps import STEPS
from workflows.events import Move, on_move


def follow(move: Move) -> None:
    """Concluded: the line is settled. Anything else: it comes off the list."""
    if move.outcome == "conclude":
        actions.confirm_lines(move.case_ids, move.step)
    else:
        actions.remove_lines(move.case_ids, move.step, move.by, move.reason, move.moment)


for _step in STEPS:
    on_move("aid", step=_step)(follow)
