"""Why an act on an application was refused: codes and their sentences."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

SENTENCES: dict[str, Promise] = {
    "duplicate": _(
        "This pupil already has an application in this group of programmes for the school year. "
        "Correct or cancel that one instead."
    ),
    "busy": _("Somebody else is working on this at the moment. Please try again."),
    "no_pupil": _("This pupil is no longer on the register."),
    "window_closed": _("Applications for this programme and term are not being taken at present."),
    "unknown_programme": _("There is no programme or group of programmes “%(given)s”. There are: %(known)s."),
    "unknown_school": _("There is no school with the code %(given)s."),
    "unknown_person": _("There is no account “%(name)s”."),
    "no_officer": _("The school has no aid officer; say who uploads with --by."),
    "wrong_roster_state": _("This roster is no longer at the point where that can be done. Reload the page."),
    "nothing_valid": _("No row of this roster can be taken."),
    "some_refused": _("All or nothing was chosen, and %(count)s rows are refused; nothing was taken."),
    "no_longer_permitted": _(
        "Whoever took this list over may no longer act for the school. Somebody who may has to upload it again."
    ),
    "not_editable": _("The application has been submitted and can no longer be changed here."),
    "number_taken": _("Another pupil on the register has this ID number."),
    "older_paper": _(
        "The reviewer judges by this paper: only what was attached since more was asked for is taken away."
    ),
    "already_removed": _("This paper has been taken away already."),
    "nothing_changed": _("Nothing was changed."),
    "pupil_of_other_school": _("This ID number belongs to a pupil of another school."),
    "identity_in_use": _(
        "Another application of this pupil is being judged, or was approved, under this name and ID number. "
        "Have that one returned or cancelled first."
    ),
    "other_level": _("You have acted on this application as a reviewer, or are recused: somebody else must do this."),
    "account_shared": _("This account is named for other pupils who do not share a household. Please enter another."),
    "account_of_other": _(
        "This account is on record for %(pupils)s, who shares neither household nor guardian with this pupil. "
        "Please check the number and enter another."
    ),
    "holder_unknown": _("The account holder must be the pupil or a guardian on record."),
    "file_missing": _("The file %(name)s cannot be opened."),
    "file_empty": _("The file is empty."),
    "file_too_big": _("The file has more than %(limit)s MB. Take the photo with fewer pixels, or scan it in grey."),
    "photo_type": _("Only photos can be added here (JPEG, PNG, WebP); this is none, whatever its name."),
    "file_type": _("Only photos (JPEG, PNG, WebP) and PDF files can be attached; this is neither, whatever its name."),
    "image_damaged": _("The picture cannot be read. Take it again."),
    "image_too_large": _("The picture has more than %(limit)s million pixels. Take it again with fewer."),
    "pdf_damaged": _("The PDF cannot be read. Make it again."),
    "pdf_locked": _("The PDF is protected with a password. Save it without one."),
    "pdf_active": _("The PDF holds a program, a form action or another file. Print it to a new PDF and attach that."),
    "unknown_register": _("There is no kind of list “%(given)s”."),
    "origin_missing": _("Please name the office that issued the list."),
    "date_ahead": _("The date of the list lies in the future."),
    "date_too_old": _("The date of the list lies before 2000."),
    "date_format": _("“%(text)s” is not a date; write it like 2026-08-31."),
    "list_known": _("This very file was uploaded before, as the list of %(origin)s of %(day)s. Nothing was changed."),
    "list_loaded_meanwhile": _("The same file was taken over meanwhile. Nothing was changed."),
    "list_doubtful": _("%(why)s If it is the right one all the same, load it with --despite-doubts."),
    "list_doubted": _("Something speaks against this list. Read it, and confirm that the list is the right one."),
    "no_valid_row": _("No row of this list can be taken."),
    "wrong_list_state": _("This list is no longer at the point where that can be done. Reload the page."),
    "withdraw_why": _("Please say in at least 10 characters why the list is withdrawn."),
    "no_match_officer": _("Nobody in the county office may load lists; say who does with --by."),
    "hit_not_open": _("This hit need not be waived: it is for information, waived already, or no longer found."),
    "said": _p("a sentence that is said already", "%(message)s"),
    "too_much_evidence": _("There are already %(limit)s papers with this application."),
}


class Refused(Exception):
    """An act that the rules do not allow; `code` is a key of `SENTENCES`."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    @property
    def message(self) -> str:
        """In the present language."""
        return str(SENTENCES[self.code]) % self.params

    def __str__(self) -> str:
        return self.message
