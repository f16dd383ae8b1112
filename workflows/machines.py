"""Moving many rows of a state machine at once, under the same sources and conditions as one row."""

from typing import Any

from django.db.models import QuerySet


def transition_all(rows: QuerySet[Any], act: str, target: str | None = None, **also: Any) -> int:
    """Takes `act` for every row of `rows` that may take it now; returns how many did. Others are left alone.

    Sources, target and conditions are those of the model's django-fsm transition named `act`; `target` picks among
    several. `also` are columns to set in the same statement. Raises ValueError where a row could be moved twice.
    """
    method = getattr(rows.model, act)._django_fsm
    wanted = {source: found for source, found in method.transitions.items() if target in (None, found.target)}
    if wanted.keys() & {found.target for found in wanted.values()}:
        raise ValueError(f"{act} leads from {sorted(wanted)} into one of them")
    moved = 0
    for source, transition in wanted.items():
        able = rows.filter(**{method.field.name: source})
        for condition in transition.conditions:
            able = able.filter(condition.holds())
        moved += able.update(**{method.field.name: transition.target}, **also)
    return moved
