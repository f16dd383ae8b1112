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


# ---------------------------------------------------------------- acts that move nothing


@dataclass(frozen=True)
class Acted:
    """Tasks on which an act was done in one transaction (see `workflows.acts`): who did it, and to whom it goes.

    `tasks` are (task, case, office path, queue). `to` are the keys of the natural persons whom it concerns.
    """

    act: str
    tasks: list[tuple[int, int, str, str]]
    by: Actor
    to: tuple[str, ...]
    moment: Moment
    reason: Reason | None


ActListener = Callable[[Acted], None]
_act_listeners: dict[str, list[ActListener]] = {}


def on_act(act: str) -> Callable[[ActListener], ActListener]:
    """Registers a listener for an act: claim, transfer, add_signer, urge …"""

    def register(listener: ActListener) -> ActListener:
        _act_listeners.setdefault(act, []).append(listener)
        return listener

    return register


def tell_act(acted: Acted) -> None:
    """Calls the listeners of an act, in order of registration."""
    for listener in _act_listeners.get(acted.act, ()):
        listener(acted)
