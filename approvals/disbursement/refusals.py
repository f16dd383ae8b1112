"""Why an act on money was refused: codes and their sentences."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "nothing_to_pay": _("No award of this programme and term waits for payment."),
    "all_left_out": _(
        "Nothing can be paid yet: %(no_account)s awards have no account on file, the accounts of %(shared)s are named "
        "for too many pupils who do not share a household, and %(stopped)s are stopped by a hit of the data match."
    ),
    "wrong_state": _("The batch is not in a state in which this is allowed. Reload the page to see where it stands."),
    "same_person": _("Maker, checker, approver and treasury officer must be four different persons."),
    "no_split": _(
        "It is not laid down which funds bear this programme. The administrator enters its split in the programme's "
        "file (funds), and loads it."
    ),
    "funds_short": _(
        "The funds do not suffice: %(missing)s yuan are missing (together %(total)s). The treasury officer records "
        "another allotment, or the batch is made smaller."
    ),
    "share_negative": _("An amount cannot be below 0."),
    "share_unreadable": _("%(given)s is no amount in yuan. Write it as 1234.50."),
    "share_not_allowed": _("An allotment that was chosen may not be spent on this batch."),
    "share_not_split": _("Each source must bear what the split gives: %(wanted)s yuan. Entered were %(given)s."),
    "share_too_much": _("Of %(document)s only %(have)s yuan are left."),
    "treasury_document_required": _("Please give the number of the treasury document."),
    "treasury_date_future": _("The treasury document cannot be dated in the future."),
    "allotment_future": _("The document cannot be dated in the future."),
    "allotment_known": _("Document %(document)s of this source is recorded already."),
    "adjustment_known": _("Document %(document)s is recorded for this allotment already."),
    "adjustment_too_much": _(
        "Only %(available)s yuan of this allotment are neither committed nor paid: %(missing)s yuan are missing. "
        "Have batches sent back first, or take less."
    ),
    "amount_required": _("Please give an amount other than 0, in yuan."),
    "bank_total_differs": _(
        "The bank's total of %(given)s yuan is not that of the paid lines, %(paid)s yuan: the difference is "
        "%(difference)s. Nothing was reconciled."
    ),
    "lines_open": _(
        "%(count)s lines (no. %(lines)s) still wait: failed ones are reissued or given up, held ones are let go. "
        "Then the batch can be closed."
    ),
    "audit_held": _("The auditor has stopped this batch. Nothing is done with it until it is let go on."),
    "award_not_active": _(
        "%(count)s lines (no. %(lines)s) are of awards that are suspended or ended. Return the batch to the maker, "
        "who takes these lines out."
    ),
    "lines_stopped": _(
        "%(count)s lines (no. %(lines)s) are stopped by a hit of the data match that nobody has waived (the pupil "
        "died, or is on the roll of another school). Return the batch to the maker, who takes these lines out."
    ),
    "reissue_stopped": _(
        "The corrected payments (no. %(lines)s) are stopped by a hit of the data match that nobody has waived."
    ),
    "cases_busy": _("%(count)s cases cannot be moved at this moment: %(why)s Nothing was booked; please try again."),
    "reason_required": _("Please give a reason of at least 10 characters."),
    "not_a_transfer": _("This batch is settled with the schools; there is no bank file for it."),
    "not_a_settlement": _("This batch is paid through the bank; it cannot be settled with the schools."),
    "document_required": _("Please give the number of the settlement document."),
    "return_unreadable": _("Line %(line)s of the file cannot be read. Please use the bank's file unchanged."),
    "return_empty": _("The file is empty."),
    "return_too_big": _("The file is larger than 20 MB."),
    "return_encoding": _("The file is neither GB18030 nor UTF-8 text."),
    "return_other_batch": _("Line %(line)s answers payment %(reference)s, which is not in this batch."),
    "return_twice": _("Payment %(reference)s is answered twice (lines %(first)s and %(line)s)."),
    "return_amount": _("Line %(line)s gives %(given)s yuan for payment %(reference)s; it was sent with %(sent)s."),
    "return_account": _("Line %(line)s names another account than payment %(reference)s was sent to."),
    "return_missing": _("%(count)s payments are not answered, the first is %(reference)s. The file is incomplete."),
    "return_total": _("The header says %(count)s payments and %(total)s yuan; the lines do not add up to that."),
    "line_not_failed": _("Only a failed payment can be corrected."),
    "account_unchanged": _("This is the account that failed. Please enter another one or another holder."),
    "account_shared": _(
        "The accounts of %(count)s payments (no. %(lines)s) are by now named for too many pupils who do not share a "
        "household. The schools must correct them again."
    ),
    "nothing_corrected": _("No corrected account waits for a reissue."),
}


class Refused(Exception):
    """An act that may not be done; `code` is a key of `SENTENCES`, `str()` the sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(code)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.values
