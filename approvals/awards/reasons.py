"""Why an award changes: codes and what they are called, by kind of change (DOMAIN.md §3.2)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

SUSPEND, RESUME, TRANSFER, TERMINATE, COMPLETE = "suspend", "resume", "transfer", "terminate", "complete"
KINDS: list[tuple[str, Promise]] = [
    (SUSPEND, _p("change of an award", "Suspend")),
    (RESUME, _p("change of an award", "Resume")),
    (TRANSFER, _p("change of an award", "Transfer")),
    (TERMINATE, _p("change of an award", "Terminate")),
    (COMPLETE, _p("change of an award", "End with graduation")),
]
"""What can be proposed of an award."""
REASONS: dict[str, dict[str, Promise]] = {
    SUSPEND: {
        "leave": _("Leave of absence"),
        "status_unknown": _("Enrolment unclear"),
        "account_problem": _("Something is wrong with the account"),
    },
    RESUME: {
        "return": _("Back from leave"),
        "cleared": _("Cleared up"),
    },
    TRANSFER: {"transfer": _("Changed schools")},
    TERMINATE: {
        "dropout": _("Left school"),
        "death": _("Death"),
        "given_up": _("Given up by the pupil or the family"),
        "revoked": _("Recognition revoked"),
    },
    COMPLETE: {"graduation": _("Graduated")},
}
"""The reasons a person may choose from."""
AUDIT = "audit"
UNDECIDED = "undecided"
NAMES: dict[str, Promise] = {code: name for reasons in REASONS.values() for code, name in reasons.items()} | {
    AUDIT: _("Held by the audit"),
    UNDECIDED: _("A change of enrolment was not decided in time"),
}
"""Every reason there is, the system's and the auditor's own included."""
EVENTS: list[tuple[str, Promise]] = [
    ("leave", _p("enrolment event", "Leave of absence")),
    ("return", _p("enrolment event", "Return from leave")),
    ("transfer", _p("enrolment event", "Change of school")),
    ("dropout", _p("enrolment event", "Withdrawal or dropout")),
    ("death", _p("enrolment event", "Death")),
    ("graduation", _p("enrolment event", "Graduation")),
]
"""学籍变动 (DOMAIN.md §7: enrolment_event)."""
PROPOSES = {
    "leave": SUSPEND,
    "return": RESUME,
    "transfer": TRANSFER,
    "dropout": TERMINATE,
    "death": TERMINATE,
    "graduation": COMPLETE,
}
"""What a change of enrolment proposes of the pupil's awards."""
