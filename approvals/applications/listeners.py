"""What follows in this room when cases move."""

from approvals.applications import actions
from workflows.events import Move, on_move


@on_move("aid", to="rejected")
@on_move("aid", to="withdrawn")
@on_move("aid", to="cancelled")
def free_the_place(move: Move) -> None:
    """不予通过, 撤回, 作废: the pupil may apply again in this group and school year."""
    actions.mark_ended(move.case_ids)


@on_move("aid", step="recheck", outcome="approve")
def waive_hits(move: Move) -> None:
    """复核通过: what the match found is waived, with who, when and why."""
    actions.waive_hits(move.case_ids, move.by, move.reason)
