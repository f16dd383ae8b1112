"""What follows from a move: listeners get sets of case ids along an edge, inside the same transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflows.actors import Actor
from workflows.clock import Moment
from workflows.reasons import Reason


@dataclass(frozen=True)
class Move:
    """Cases that took the same edge in one transaction.

    `entered` names the steps arrived at, skipped ones included, in order; the last is where they now stand.
    """

    kind: str
    step: str
    outcome: str
    entered: tuple[str, ...]
    case_ids: list[int]
    by: Actor
    moment: Moment
    reason: Reason | None
    data: dict[str, Any]


Listener = Callable[[Move], None]
_listeners: list[tuple[Callable[[Move], bool], Listener]] = []


def on_move(
    kind: str, *, step: str | None = None, outcome: str | None = None, to: str | None = None
) -> Callable[[Listener], Listener]:
    """Registers a listener for the moves of a kind of case: leaving `step`, by `outcome`, entering `to`."""

    def wanted(move: Move) -> bool:
        return (
            move.kind == kind
            and (step is None or move.step == step)
            and (outcome is None or move.outcome == outcome)
            and (to is None or to in move.entered)
        )

    def register(listener: Listener) -> Listener:
        _listeners.append((wanted, listener))
        return listener

    return register


def tell(move: Move) -> None:
    """Calls every listener that wants this move, in order of registration."""
    for wanted, listener in _listeners:
        if wanted(move):
            listener(move)
