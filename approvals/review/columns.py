"""The columns of the queue that a reviewer may choose from."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

COLUMNS: dict[str, Promise] = {
    "number": _("Number"),
    "school": _("School"),
    "class": _("Class"),
    "programme": _("Programme"),
    "level": _("Level or tier"),
    "amount": _("Yuan a term"),
    "notes": _("To note"),
    "holder": _("Taken on by"),
    "arrived": _("Arrived"),
    "due": _("Due"),
    "step": _("Step"),
}
"""Besides the box and the pupil, in the order in which they stand."""
USUAL = ("school", "class", "programme", "level", "amount", "notes", "holder", "arrived", "due")
"""What stands there while nothing was chosen."""
ALWAYS = "notes"
"""What one must see before deciding."""
ACROSS = "step"
"""The column that cannot be missed where tasks of several steps stand together."""


def shown(chosen: tuple[str, ...] | None, across: bool) -> list[str]:
    """The columns of a page, in their order."""
    wanted = set(USUAL if chosen is None else chosen) | {ALWAYS} | ({ACROSS} if across else set())
    return [name for name in COLUMNS if name in wanted]
