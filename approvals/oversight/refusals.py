"""Why an act of the audit, or on the coverage, was refused: codes and their sentences."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "wrong_state": _("The finding is not in a state in which this is allowed. Reload the page to see where it stands."),
    "same_person": _("Whoever put a finding right does not verify it: that is for another person."),
    "reason_too_short": _("Please write at least 10 characters."),
    "reason_too_long": _("Please write at most 1,000 characters."),
    "no_such_finding": _("There is no such finding any more, or it is not in your charge."),
    "reason_unknown": _("Please choose a reason from the list."),
    "term_unknown": _("Nothing could be applied for in this term."),
    "not_unexplained": _(
        "This pupil is aided, or an application is on its way or was refused, or is on no register; no reason is"
        " needed."
    ),
}


class Refused(Exception):
    """An act that may not be done; `code` is a key of `SENTENCES`, `str()` the sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(code)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.values
