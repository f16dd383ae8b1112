"""Why an act on an award was refused: codes and their sentences."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "busy": _("Somebody else is working on this at the moment. Please try again."),
    "no_such_award": _("There is no such award, or it is not one of your schools'."),
    "no_such_proposal": _("There is no such proposal, or it is not yours to decide."),
    "not_waiting": _("This proposal does not wait for that step any more. Reload the page."),
    "wrong_state": _("The award is in a state in which this cannot be done. Reload the page to see where it stands."),
    "already_proposed": _("Another change of this award waits to be decided. Decide or take back that one first."),
    "same_person": _("You have had a hand in this proposal already; another person must confirm it."),
    "not_own_proposal": _("Only who proposed it can take it back."),
    "own_kin": _("You have declared kinship with this pupil; another person must decide."),
    "audit_held": _("The audit holds this award. Only the auditor can release it."),
    "not_held": _("The audit does not hold this award."),
    "already_held": _("The audit holds this award already."),
    "reason_unknown": _("Please choose a reason from the list."),
    "reason_required": _("Please say why, in at least 10 characters."),
    "reason_too_long": _("The reason must not have more than %(most)s characters."),
    "date_ahead": _("The date lies in the future. Record the change once it has happened."),
    "date_too_old": _("The date lies before the award's school year (%(first)s)."),
    "before_the_stop": _("The award was stopped on %(day)s; it cannot be resumed before that day."),
    "goal_missing": _("Please say which school the pupil goes to: one of the county, or the name of one elsewhere."),
    "same_school": _("The pupil is at this school already."),
    "school_not_covered": _(
        "The programme does not cover %(school)s, so the award cannot follow the pupil there. Propose its end instead."
    ),
    "earlier_term_open": _(
        "The money of an earlier term (%(term)s) has not been settled with the present school yet. Settle it first."
    ),
    "not_of_school": _("This pupil is not at your school."),
    "unknown_pupil": _("No pupil has this ID number. Check the number."),
    "event_known": _("This change is on record already; nothing was changed."),
    "list_known": _("This very file was taken over before. Nothing was changed."),
    "wrong_list_state": _("This list is no longer at the point where that can be done. Reload the page."),
    "no_valid_row": _("No row of this list can be taken."),
    "not_instalments": _("This award is not paid in instalments."),
    "proof_earlier": _("The proof of an earlier year is not confirmed yet. One year after the other."),
    "proof_ahead": _("The year of this instalment has not begun yet."),
    "proof_missing": _("No proof has been recorded for this instalment yet."),
    "proof_confirmed": _("The proof of this instalment is confirmed already."),
    "already_awarded": _(
        "The pupil has an award of this group already (%(programme)s, granted for %(year)s), which lasts or excludes "
        "another one. Reject or cancel this application."
    ),
}


class Refused(Exception):
    """An act that may not be done; `code` is a key of `SENTENCES`, `str()` the sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        super().__init__(code)

    @property
    def message(self) -> str:
        """In the present language."""
        return str(SENTENCES[self.code]) % self.values

    def __str__(self) -> str:
        return self.message
