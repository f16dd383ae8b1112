"""An application that reaches payment has been approved: it becomes an award in the same transaction."""

from approvals.awards import actions
from workflows.events import Move, on_move


@on_move("aid", to="payment")
def grant_awards(move: Move) -> None:
    """Grants the awards of all cases that were approved together."""
    actions.grant(move.case_ids, move.moment)
