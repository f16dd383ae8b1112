"""Whoever submitted is told what became of it: one message per school and decision, with the count."""

from collections import Counter

from approvals.organisations.authority import holders
from notifications import send
from workflows.clock import Moment
from workflows.events import Move, on_move
from workflows.models import Case
from workflows.reasons import REASONS


def _tell(event: str, move: Move) -> None:
    cases = dict(Case.objects.filter(pk__in=move.case_ids).values_list("pk", "path"))
    count = Counter(cases.values())
    reason = str(REASONS[move.reason.code][0]) if move.reason else ""
    for path, officers in holders("submit_application", count).items():
        of_school = [case for case, where in cases.items() if where == path]
        about, about_id = ("case", of_school[0]) if len(of_school) == 1 else ("applications", 0)
        send(
            event,
            officers,
            about=about,
            about_id=about_id,
            cause=f"{min(of_school)}:{_stamp(move.moment)}",
            data={"count": len(of_school), "reason": reason},
        )


def _stamp(moment: Moment) -> str:
    return moment.machine.isoformat()


@on_move("aid", outcome="return")
def tell_of_return(move: Move) -> None:
    """退回补正."""
    _tell("returned", move)


@on_move("aid", outcome="reject")
def tell_of_rejection(move: Move) -> None:
    """不予通过."""
    _tell("rejected", move)
