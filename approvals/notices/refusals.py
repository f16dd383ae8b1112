"""Why an act on a notice was refused: codes and their sentences."""

from collections.abc import Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows.refusals import SENTENCES as ENGINE

SENTENCES: dict[str, Promise] = {
    "nothing_waits": _("No application waits here for a notice of this programme and term."),
    "not_waiting": _("%(count)s of the applications do not stand at this step any more."),
    "already_listed": _("%(count)s of the applications are on another notice already."),
    "no_notice_here": _("This programme has no public notice at this step."),
    "wrong_office": _("This office gives no notice of this step."),
    "wrong_state": _("The notice is not in a state in which this is allowed. Reload the page to see where it stands."),
    "empty_notice": _("The list is empty."),
    "title_missing": _("Please give a title."),
    "contact_missing": _("The contact for objections is incomplete: %(fields)s."),
    "column_not_allowed": _("The list has columns that may not be public at this step: %(columns)s."),
    "private_data": _("The notice shows something private, so it cannot be published: %(places)s."),
    "same_person": _("Who drafted a notice may not sign it."),
    "privacy_not_checked": _("Please confirm that you checked the list for private information."),
    "changed": _("The notice has changed since you opened it. Please look at it again before you sign."),
    "kind_unknown": _("Please choose what kind of announcement it is."),
    "text_missing": _("Please give a text."),
    "figures_changed": _(
        "The results have changed since this was handed in: another notice has concluded, or an approval was taken "
        "back. Send it back to its author, who hands it in again with the new figures."
    ),
    "yearly_is_owed": _(
        "The results of a school year are to be announced by law; the draft cannot be thrown away, only changed."
    ),
    "not_listed": _("This line is not on the list any more."),
    "reason_required": ENGINE["reason_required"],
    "reason_unknown": ENGINE["reason_unknown"],
    "reason_too_short": ENGINE["reason_too_short"],
    "busy": ENGINE["busy"],
}


class Refused(Exception):
    """An act that may not be done; `code` is a key of `SENTENCES`, `str()` the sentence.

    `findings` says where private data was found (see privacy.py).
    """

    def __init__(self, code: str, findings: Sequence[Any] = (), **values: Any) -> None:
        self.code = code
        self.findings = list(findings)
        self.values = values
        super().__init__(code)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.values
