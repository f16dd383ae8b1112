"""In which states of a case which act may be done at all: said by the permission matrix of whoever runs the engine.

The state machine holds what a case may become; this holds what people may do to it, acts that move nothing included.
A kind of case of which nothing is said goes by its state machine alone.
"""

from collections.abc import Mapping

_said: dict[str, Mapping[str, frozenset[str]]] = {}


def say(kind: str, states: Mapping[str, frozenset[str]]) -> None:
    """Says for a kind of case, {act: states}, what may be done when; what is not named is forbidden."""
    _said[kind] = states


def forbidden(kind: str, act: str, state: str) -> bool:
    """Whether an act, by the name of its outcome or its own, may not be done to such a case in this state."""
    known = _said.get(kind)
    return known is not None and state not in known.get(act, ())
