"""Moving many rows of a state machine at once, under the same sources and conditions as one row."""

from typing import Any

from django.db.models import QuerySet


def transition_all(rows: QuerySet[Any], act: str, target: str | None = None, **also: Any) -> int:
    """Takes `act` for every row of `rows` that may take it now; returns how many did. Others are left alone.

    Sources, target and conditions are those of the model's django-fsm transition named `act`. `also` are
    columns to set in the same statement.
    """
    method = getattr(rows.model, act)._django_fsm
    moved = 0
    for source, transition in method.transitions.items():
        if target not in (None, transition.target):
            continue
        able = rows.filter(**{method.field.name: source})
        for condition in transition.conditions:
            able = able.filter(condition.holds())
        moved += able.update(**{method.field.name: transition.target}, **also)
    return moved
