"""The only writers of this room; what others may call is named here."""

from approvals.applications.actions.accounts import checked_account, replace_account
from approvals.applications.actions.changing import Entry, Identity, change, enter
from approvals.applications.actions.creating import ApplicationSpec, Created, create_applications
from approvals.applications.actions.evidence import add_evidence, open_evidence, open_form, remove_evidence
from approvals.applications.actions.matching import match_waiting, waive_hit, waive_hits
from approvals.applications.actions.submitting import (
    Answer,
    confirm_papers,
    mark_ended,
    refresh_missing,
    submit,
    take_back,
)

__all__ = [
    "Answer",
    "ApplicationSpec",
    "Created",
    "Entry",
    "Identity",
    "add_evidence",
    "change",
    "checked_account",
    "confirm_papers",
    "create_applications",
    "enter",
    "mark_ended",
    "match_waiting",
    "open_evidence",
    "open_form",
    "refresh_missing",
    "remove_evidence",
    "replace_account",
    "submit",
    "take_back",
    "waive_hit",
    "waive_hits",
]
