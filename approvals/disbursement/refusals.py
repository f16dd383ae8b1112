"""Why an act on money was refused: codes and their sentences."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "nothing_to_pay": _("No award of this programme and term waits for payment."),
    "all_left_out": _(
        "Nothing can be paid yet: %(no_account)s awards have no account on file, the accounts of %(holder)s are in a "
        "name that is neither the pupil's nor a recorded guardian's, those of %(shared)s are named for too many pupils "
        "who do not share a household, and %(stopped)s are stopped by a hit of the data match."
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
    "recovery_state": _("This recovery is not in a state in which this is allowed. Reload the page to see its state."),
    "recovery_cause": _("Please choose why the money is asked back."),
    "line_not_paid": _("This payment is not one that was paid; only money that arrived can be asked back."),
    "recovery_too_much": _("Of this payment at most %(most)s yuan can still be asked back."),
    "difference_settled": _("This difference was taken up already, or its amount is another by now. Reload the page."),
    "recovery_due_past": _("The last day to pay cannot be in the past."),
    "no_repayment_account": _(
        "The account of the treasury for repayments is not recorded yet. The treasury officer enters it on the page "
        "of recoveries; then the guardian can be asked."
    ),
    "repayment_account_incomplete": _("Please give holder, bank and number of the account."),
    "receipt_number_required": _("Please give the number of the receipt."),
    "receipt_future": _("The receipt cannot be dated in the future."),
    "receipt_too_much": _("Only %(left)s yuan are still asked for; more cannot be booked."),
    "receipt_known": _("Receipt %(number)s is booked already."),
    "write_off_own": _("Who proposed the write-off cannot confirm it: it takes a second person."),
    "recovery_of_difference": _(
        "This recovery follows from a difference that was found, and cannot be withdrawn. Propose to write it off."
    ),
    "signed_future": _("The day of the signature cannot be in the future."),
    "signed_before_paid": _(
        "Some of these payments arrived only after that day. Please check the day of the signature."
    ),
    "nothing_signed": _("Please tick first for which payments somebody has signed."),
    "not_to_acknowledge": _("Some of these payments are signed for already, or are not paid. Reload the page."),
    "signer_missing": _("Please say for each payment who signed: the pupil or a guardian, by name."),
    "signed_by_staff": _("%(names)s holds a post at the school. The pupil or a guardian signs, never the staff."),
    "reason_required": _("Please give a reason of at least 10 characters."),
    "not_a_transfer": _("This batch is settled with the schools; there is no bank file for it."),
    "not_a_settlement": _("This batch is paid through the bank; it cannot be settled with the schools."),
    "document_required": _("Please give the number of the settlement document."),
    "return_unreadable": _(
        "Line %(line)s of the file cannot be read: it is cut off or holds signs that do not belong there. Please "
        "fetch the file from the bank once more and use it unchanged."
    ),
    "return_empty": _("The file is empty. Please choose the file with which the bank answers this batch."),
    "return_too_big": _(
        "The file has %(size)s MB; at most %(limit)s MB are read. The answer to this batch is smaller: please check "
        "which file it is."
    ),
    "return_too_many": _(
        "The file holds %(count)s payments, this batch only %(most)s. It is the answer to another batch, or to several."
    ),
    "return_encoding": _(
        "The characters of the file cannot be read: it is neither UTF-8 nor UTF-16 nor GB18030, or it was cut off. "
        "Please fetch it from the bank once more."
    ),
    "return_kind": _(
        "This is a file of the kind %(kind)s. The answer of “%(wanted)s” is plain text; please choose that file."
    ),
    "return_no_workbook": _("This is no Excel workbook. The answer of “%(bank)s” is one; please choose that file."),
    "return_damaged": _(
        "The workbook is damaged, protected with a password, or was cut off. Please fetch it from the bank once more."
    ),
    "return_no_xml": _(
        "This is no answer of “%(bank)s”: it should be an XML message pain.002 or camt.054 that names payments."
    ),
    "return_broken_xml": _(
        "The XML of the file ends or breaks in line %(line)s. Please fetch the answer of “%(bank)s” once more."
    ),
    "return_columns": _(
        "Line %(line)s has %(found)s columns; an answer of “%(bank)s” has %(wanted)s. The line is cut off, or the file "
        "is another bank's."
    ),
    "return_width": _(
        "Line %(line)s is %(found)s bytes long; a line of “%(bank)s” has %(wanted)s. The line is cut off, or the file "
        "is another bank's."
    ),
    "return_header": _(
        "The first line must say how many payments there are and their total, as “%(bank)s” writes it. Please use the "
        "bank's file unchanged."
    ),
    "return_number_cell": _(
        "In line %(line)s the column %(column)s is a number, whose last digits Excel has lost. Please use the bank's "
        "file as it came, without saving it again."
    ),
    "return_no_amount": _("Line %(line)s gives the amount “%(given)s”, which is none. Please ask the bank."),
    "return_no_reference": _("Line %(line)s does not say which payment it answers. Please ask the bank."),
    "return_unknown_code": _(
        "Line %(line)s bears the code “%(given)s”, and the profile of “%(bank)s” does not say whether it means paid. "
        "Please ask the bank, and have the code added to the profile."
    ),
    "return_pending": _(
        "Payment %(reference)s (line %(line)s) is not decided yet: %(says)s. Please wait for the bank's final answer."
    ),
    "return_other_batch": _(
        "Line %(line)s answers payment %(reference)s, which is not in this batch. Please choose the answer to this "
        "batch."
    ),
    "return_twice": _(
        "Payment %(reference)s is answered twice (lines %(first)s and %(line)s). Please ask the bank which one holds."
    ),
    "return_amount": _(
        "Line %(line)s gives %(given)s yuan for payment %(reference)s; it was sent with %(sent)s. Please ask the bank."
    ),
    "return_account": _(
        "Line %(line)s names another account than payment %(reference)s was sent to. Please ask the bank."
    ),
    "return_missing": _(
        "%(count)s payments are not answered, the first is %(reference)s. The file is incomplete: please ask the bank "
        "for an answer to all payments of the batch."
    ),
    "return_contradicts": _(
        "Line %(line)s says “%(says)s” of payment %(reference)s, which stands as “%(stands)s” by an earlier answer. "
        "Please ask the bank which one holds; only money that came back (退汇) changes what was answered."
    ),
    "return_count": _(
        "The header says %(said)s payments, the file holds %(found)s. It was cut off or changed: please fetch it from "
        "the bank once more."
    ),
    "return_total": _(
        "The header says %(said)s yuan, the lines add up to %(found)s. The file was changed or is incomplete: please "
        "fetch it from the bank once more."
    ),
    "unknown_bank": _("There is no profile of this bank. Please choose one of the list."),
    "export_too_many": _(
        "The batch has %(count)s payments; a file of “%(bank)s” holds at most %(most)s. Please choose another format."
    ),
    "export_too_long": _(
        "Payment no. %(line)s does not fit: “%(column)s” is %(length)s long, the bank's file has room for %(width)s. "
        "Nothing was sent. Please correct the payment, or choose another format."
    ),
    "line_not_failed": _("Only a payment that failed or came back can be corrected."),
    "correction_waits": _(
        "Another account is proposed for this payment already and waits for a second person. Take it back first."
    ),
    "correction_decided": _("This correction was decided or taken back already. Reload the page to see it."),
    "correction_own": _("Whoever proposed an account cannot confirm or refuse it; another person has to."),
    "account_twice": _("The two account numbers are not the same. Please type both once more."),
    "account_differs": _(
        "The number you typed is not the one that was proposed. Compare it with the card; where the proposal is wrong, "
        "do not confirm it, and say why."
    ),
    "account_editor": _(
        "You entered or confirmed accounts to which this batch pays (no. %(lines)s); another person has to check and "
        "approve it."
    ),
    "accounts_wrong": _(
        "%(count)s lines cannot be paid because of their accounts: %(problems)s. Return the batch to the maker, who "
        "takes these lines out; the schools correct the accounts."
    ),
    "account_unchanged": _("This is the account that failed. Please enter another one or another holder."),
    "account_shared": _(
        "The accounts of %(count)s payments (no. %(lines)s) are by now named for too many pupils who do not share a "
        "household. The schools must correct them again."
    ),
    "nothing_corrected": _("No corrected account waits for a reissue."),
}


ACCOUNT_PROBLEMS: dict[str, Promise] = {
    "no_account": _("no account on file (no. %(lines)s)"),
    "number": _("the number does not fit its check digit or length (no. %(lines)s)"),
    "holder": _("the holder is neither the pupil nor a guardian on record (no. %(lines)s)"),
    "shared": _("the account is named for too many pupils who do not share a household (no. %(lines)s)"),
}
"""What is wrong with the account of a payment; each with the lines of which it is."""


class Refused(Exception):
    """An act that may not be done; `code` is a key of `SENTENCES`, `str()` the sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(code)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.values


def listed(numbers: list[int]) -> str:
    """Numbers of lines as a sentence names them: the first ten."""
    return "、".join(map(str, numbers[:10])) + ("…" if len(numbers) > 10 else "")
