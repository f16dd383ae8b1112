"""Conditions of a transition: one filter, run the same way for one case and for ten thousand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise


@dataclass(frozen=True)
class Condition:
    """A code, the sentence shown when it does not hold, and the filter that tells.

    Run as SQL always: `Q.check` would let NULL pass where SQL refuses.
    """

    code: str
    sentence: Promise
    holds: Callable[[], Q]

    def __call__(self, instance: Any) -> bool:
        return type(instance)._base_manager.filter(pk=instance.pk).filter(self.holds()).exists()

    def __hash__(self) -> int:
        return hash(self.code)


def failing(conditions: list[Condition], model: Any, ids: list[int]) -> dict[int, Condition]:
    """Of the rows `ids`, those where a condition does not hold, each with the first such condition."""
    failed: dict[int, Condition] = {}
    for condition in conditions:
        left = [pk for pk in ids if pk not in failed]
        held = set(model._base_manager.filter(pk__in=left).filter(condition.holds()).values_list("pk", flat=True))
        failed.update((pk, condition) for pk in left if pk not in held)
    return failed
