"""Guards over a set: rules that compare the cases of one decision with each other (quota, average).

A guard sees all cases that are about to take an edge and names those that may not, each with its refusal.
It runs inside the deciding transaction and takes whatever lock its rule needs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.encoding import force_str
from django.utils.functional import Promise

from workflows.actors import Actor
from workflows.refusals import SENTENCES


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one case may not go: a code, its sentence, and the values that the sentence names in %(…)s."""

    code: str
    sentence: Promise | str
    values: Mapping[str, Any] = field(default_factory=dict)

    def kept(self) -> Mapping[str, Any]:
        """What is remembered besides the code, for the same sentence again: its values, or where the room has
        not added the sentence to `refusals`, its words.
        """
        if self.code in SENTENCES and (self.values or SENTENCES[self.code] == self.sentence):
            return self.values
        return {"message": self.told()}

    def told(self) -> str:
        """The sentence with its values, in the reader's language."""
        sentence = force_str(self.sentence)
        return sentence % self.values if self.values else sentence


Guard = Callable[[list[int], Actor], dict[int, Refusal]]
_guards: dict[tuple[str, str, str], list[Guard]] = {}


def guard(kind: str, step: str, outcome: str) -> Callable[[Guard], Guard]:
    """Registers a guard on an edge of a route."""

    def register(function: Guard) -> Guard:
        _guards.setdefault((kind, step, outcome), []).append(function)
        return function

    return register


def guarded(kind: str, step: str, outcome: str) -> bool:
    """Whether any guard stands on an edge."""
    return (kind, step, outcome) in _guards


def refusals(kind: str, step: str, outcome: str, case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """Asks the guards of an edge in turn; each sees only what the ones before it let through."""
    refused: dict[int, Refusal] = {}
    for function in _guards.get((kind, step, outcome), ()):
        refused |= function([case for case in case_ids if case not in refused], by)
    return refused
