"""What was done to a notice, in words."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.notices.models import Notice
from approvals.notices.reasons import REASONS
from workflows.models import Record
from workflows.reasons import REASONS as DECISION_REASONS
from workflows.record import history as record_of

ACTS: dict[str, Promise] = {
    "draft": _p("act on a notice", "Drafted"),
    "edit": _p("act on a notice", "Changed"),
    "submit": _p("act on a notice", "Handed to the signer"),
    "send_back": _p("act on a notice", "Sent back"),
    "schedule": _p("act on a notice", "Signed, to be public on its date"),
    "publish": _p("act on a notice", "Published"),
    "recall": _p("act on a notice", "Taken back before its date"),
    "hold_back": _p("act on a notice", "Not published on its date"),
    "pause": _p("act on a notice", "Taken out of public view"),
    "void": _p("act on a notice", "Voided"),
    "remove_line": _p("act on a notice", "Line taken off the list"),
    "recompute": _p("act on a notice", "End computed anew"),
    "close": _p("act on a notice", "Period over"),
    "propose": _p("act on a notice", "Conclusion proposed"),
    "conclude": _p("act on a notice", "Concluded"),
    "take_down": _p("act on a notice", "Taken down"),
    "add_photo": _p("act on a notice", "Photo of the board added"),
    "remove_photo": _p("act on a notice", "Photo of the board taken away"),
    "posting": _p("act on a notice", "Proof of posting given"),
    "pdf": _p("act on a notice", "Whole list set as PDF"),
    "make_package": _p("act on a notice", "Evidence package asked for"),
    "package": _p("act on a notice", "Evidence package made"),
    "open_package": _p("act on a notice", "Evidence package opened"),
    "archive": _p("act on a notice", "Archived"),
    "discard": _p("act on a notice", "Thrown away"),
    "withdraw": _p("act on a notice", "Withdrawn"),
    "results_near": _p("act on a notice", "Office reminded"),
    "results_overdue": _p("act on a notice", "Overdue, office reminded"),
}
CONCLUSIONS: dict[str, Promise] = {
    "no_objection": _("Nobody objected."),
    "nothing_left": _("Every line was withdrawn before the end."),
    "objections_settled": _("Somebody objected; every objection has been decided."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the timeline component shows it."""

    act: str
    label: str
    business_at: datetime
    actor: str
    actor_name: str
    post: str
    reason_code: str
    reason_text: str
    step: str = ""


def timeline(notice: Notice) -> list[Line]:
    """Everything that was done to a notice, oldest first; repeated edits of one person as one line."""
    return timeline_of("notice", notice.pk)


def timeline_of(about: str, about_id: int) -> list[Line]:
    """The same of anything whose acts have the names above."""
    lines = record_of(about, about_id)
    grouped = groupby(lines, key=lambda line: (line.act, line.actor) if line.act == "edit" else line.pk)
    return [_line(list(group)[-1]) for _key, group in grouped]


def _line(record: Record) -> Line:
    known = REASONS.get(record.reason_code) or DECISION_REASONS.get(record.reason_code)
    conclusion = CONCLUSIONS.get(record.data.get("conclusion", "")) if not record.reason_text else None
    code = record.reason_code if record.act != "hold_back" else ""
    return Line(
        act=record.act,
        label=str(ACTS.get(record.act, record.act)),
        business_at=record.business_at,
        actor=record.actor,
        actor_name=record.actor_name,
        post=record.post,
        reason_code=str(known[0]) if known else str(CONCLUSIONS.get(code, code)),
        reason_text=str(conclusion) if conclusion else record.reason_text,
    )
