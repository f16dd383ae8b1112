"""Conditions of a transition: one filter, run the same way for one case and for ten thousand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise

from workflows.copying import among
from workflows.refusals import SENTENCES


@dataclass(frozen=True)
class Condition:
    """A code, the sentence shown when it does not hold, and the filter that tells.

    Run as SQL always: `Q.check` would let NULL pass where SQL refuses.
    """

    code: str
    sentence: Promise
    holds: Callable[[], Q]

    def __post_init__(self) -> None:
        SENTENCES.setdefault(self.code, self.sentence)

    def __call__(self, instance: Any) -> bool:
        return not failing([self], type(instance), [instance.pk])

    def __hash__(self) -> int:
        return hash(self.code)


def failing(conditions: Sequence[Condition], model: Any, ids: Sequence[int]) -> dict[int, Condition]:
    """Of the rows `ids`, those where a condition does not hold, each with the first such condition.

    One statement where everything holds, which is nearly always.
    """
    failed: dict[int, Condition] = {}
    suspects = sorted(set(ids) - _holding(conditions, model, ids))
    for condition in conditions if suspects else ():
        held = _holding([condition], model, suspects)
        failed.update((pk, condition) for pk in suspects if pk not in held)
        suspects = [pk for pk in suspects if pk in held]
    return failed


def _holding(conditions: Sequence[Condition], model: Any, ids: Sequence[int]) -> set[int]:
    rows = model._base_manager.filter(pk__in=among(ids))
    for condition in conditions:
        rows = rows.filter(condition.holds())
    return set(rows.values_list("pk", flat=True))
