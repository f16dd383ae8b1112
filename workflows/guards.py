"""Guards over a set: rules that compare the cases of one decision with each other (quota, average).

A guard sees all cases that are about to take an edge and names those that may not, each with its refusal.
It runs inside the deciding transaction and takes whatever lock its rule needs.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from workflows.actors import Actor


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one case may not go: a code and its sentence."""

    code: str
    sentence: Promise | str


Guard = Callable[[list[int], Actor], dict[int, Refusal]]
_guards: dict[tuple[str, str, str], list[Guard]] = {}


def guard(kind: str, step: str, outcome: str) -> Callable[[Guard], Guard]:
    """Registers a guard on an edge of a route."""

    def register(function: Guard) -> Guard:
        _guards.setdefault((kind, step, outcome), []).append(function)
        return function

    return register


def refusals(kind: str, step: str, outcome: str, case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """Asks the guards of an edge in turn; each sees only what the ones before it let through."""
    refused: dict[int, Refusal] = {}
    for function in _guards.get((kind, step, outcome), ()):
        refused |= function([case for case in case_ids if case not in refused], by)
    return refused
