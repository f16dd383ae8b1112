"""Why an act on a notice was refused: codes and their sentences."""

from collections.abc import Sequence
from typing import Any, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from workflows.refusals import SENTENCES as ENGINE

SENTENCES: dict[str, Promise] = {
    "nothing_waits": _("No application waits here for a notice of this programme and term."),
    "not_waiting": _("%(count)s of the applications do not stand at this step any more."),
    "already_listed": _("%(count)s of the applications are on another notice already."),
    "no_notice_here": _("This programme has no public notice at this step."),
    "wrong_office": _("This office gives no notice of this step."),
    "several_classes": _("A class notice lists one class. Draft one for each."),
    "not_supplementable": _("There is no public notice of this programme and term that this one could supplement."),
    "wrong_state": _("The notice is not in a state in which this is allowed. Reload the page to see where it stands."),
    "empty_notice": _("The list is empty."),
    "title_missing": _("Please give a title."),
    "contact_missing": _("The contact for objections is incomplete: %(fields)s."),
    "column_not_allowed": _("The list has columns that may not be public at this step: %(columns)s."),
    "name_needed": _("A list without names is no notice: the column of names stays."),
    "names_not_masked": _("Names on this list must be masked; it was drafted under another rule. Draft it again."),
    "private_data": _("The notice shows something private, so it cannot be published: %(places)s."),
    "same_person": _("Who drafted a notice, or changed it, may not sign it."),
    "same_person_concludes": _("Who proposed the conclusion may not sign it."),
    "privacy_not_checked": _("Please confirm that you checked the list for private information."),
    "not_sealed": _("Please confirm that the seal is on the paper, and its date of issue."),
    "seal_date": _("The date of issue must lie between %(first)s and %(last)s."),
    "date_past": _("The day of publication is past. Choose today or a later day."),
    "date_too_far": _("A notice is signed at most %(days)s days ahead, until %(last)s."),
    "no_calendar": _(
        "No year's calendar of working days is loaded, so no end can be computed. Ask the administrator to load one."
    ),
    "contested": _("An objection to this notice was accepted; people conclude it."),
    "uncontested": _("Nobody objected to this notice; the system concludes it by itself."),
    "not_proposed": _("The drafting office has not proposed a conclusion."),
    "lines_held": _("Not every line is settled: an objection is still open, or a line is still to be moved on."),
    "conclusion_length": _("A conclusion has %(fewest)s to %(most)s characters."),
    "conclusion_private": _("The conclusion holds something private: %(what)s. It may become public; leave that out."),
    "changed": _("The notice has changed since you opened it. Please look at it again before you sign."),
    "photo_unfit": _("The photo cannot be taken: %(why)s"),
    "photo_date": _("The photo cannot have been taken on that day: it lies before the publication or in the future."),
    "too_many_photos": _("A notice has %(limit)s photos at most. Take one away first."),
    "photo_gone": _("This photo was taken away already."),
    "no_posting": _("The proof of posting is missing: say where and when the list hung on the board."),
    "no_photo": _("There is no photo of the board. Add one, or say why there is none."),
    "no_package": _("The evidence package is not ready yet. Wait until it has been made, then archive."),
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
    "objected": _("An objection about this line is open; the line waits until it is settled."),
    "period_ended": _("The period of this public notice is over; no objection can be made to it any more."),
    "not_on_notice": _("This list is not on public notice at present, so no objection can be made to it."),
    "no_such_line": _("This list has no line %(number)s. The number stands in the first column."),
    "line_removed": _("Line %(number)s has been taken off the list already."),
    "too_many": _("Too much has been sent from here in the last hour. Please try again later, or call the office."),
    "question_used": _("This form has been sent already. If you have a receipt number, it was received."),
    "answered_before": _("The objection is not at the point where that can be done. Reload the page."),
    "not_investigator": _("Only the person named to look into this objection may do that."),
    "cannot_investigate": _("%(name)s may not look into this objection: %(why)s."),
    "nobody_named": _("Please choose somebody who holds a post at this office."),
    "nothing_sealed": _("The author stayed unknown, or added no paper: there is nothing to open."),
    "said": _p("a sentence that is said already", "%(message)s"),
    "at_county": _("The county handles this objection already."),
    "reply_too_long": _("The reply must not have more than 1,000 characters."),
    "reply_too_short": _("Please write what was found and what follows, in at least 20 characters."),
    "reply_unfinished": _("The reply still has the place of the template that you are to fill in."),
    "reply_private": _("The reply holds what nobody else may read: %(places)s."),
    "no_such_receipt": _("There is no objection with this number. Please compare it with the receipt."),
    "receipt_mistyped": _("A receipt number has 12 digits; in this one a digit is missing or mistyped."),
    "no_appeal": _("This answer cannot be appealed: the objection was upheld, or the county has decided finally."),
    "appeal_too_late": _("The time in which this answer could be appealed ended on %(until)s."),
    "appealed_already": _("An appeal was made already. Each objection can be appealed once."),
    "reason_required": ENGINE["reason_required"],
    "reason_unknown": ENGINE["reason_unknown"],
    "reason_too_short": ENGINE["reason_too_short"],
    "reason_too_long": ENGINE["reason_too_long"],
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

    @classmethod
    def private(cls, findings: Sequence[Any]) -> Self:
        """Something private is shown; the sentence names the first five places."""
        return cls("private_data", findings, places="；".join(str(finding) for finding in findings[:5]))

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.values
