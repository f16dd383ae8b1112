"""Names of the states that a case can be in. Those every kind of case has are here; a route adds its own."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

NAMES: dict[str, Promise] = {
    "draft": _p("case state", "Draft"),
    "submitted": _p("case state", "Submitted"),
    "returned": _p("case state", "Returned for correction"),
    "completed": _p("case state", "Completed"),
    "rejected": _p("case state", "Rejected"),
    "withdrawn": _p("case state", "Withdrawn"),
    "cancelled": _p("case state", "Cancelled"),
}
ENDED = frozenset({"completed", "rejected", "withdrawn", "cancelled"})
"""States that nothing leads out of."""


def add_names(names: Mapping[str, Promise]) -> None:
    """Adds the names of a route's own states. A state means the same in every route."""
    for state, name in names.items():
        if NAMES.setdefault(state, name) is not name:
            raise ValueError(f"the state {state!r} has a name already")
