"""The record of an award as people read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy as _p

from approvals.awards.reasons import NAMES
from workflows import record
from workflows.models import Record

ACTS: dict[str, Promise] = {
    "grant": _p("award act", "Granted"),
    "activate": _p("award act", "Took effect"),
    "propose_suspend": _p("award act", "Suspension proposed"),
    "propose_resume": _p("award act", "Resumption proposed"),
    "propose_transfer": _p("award act", "Transfer proposed"),
    "propose_terminate": _p("award act", "End proposed"),
    "propose_complete": _p("award act", "End with graduation proposed"),
    "confirm_first": _p("award act", "End confirmed by the first person"),
    "suspend": _p("award act", "Suspended"),
    "resume": _p("award act", "Resumed"),
    "transfer_out": _p("award act", "Transferred out of the county"),
    "terminate": _p("award act", "Ended, confirmed by the second person"),
    "graduate": _p("award act", "Ends with graduation"),
    "follow": _p("award act", "Accepted by the new school"),
    "decline_proposal": _p("award act", "Proposal declined"),
    "withdraw_proposal": _p("award act", "Proposal taken back"),
    "lapse_proposal": _p("award act", "Proposal overtaken by another change"),
    "hold": _p("award act", "Held by the audit"),
    "release": _p("award act", "Released by the audit"),
    "record_proof": _p("award act", "Proof of a year recorded"),
    "confirm_proof": _p("award act", "Proof of a year confirmed"),
    "continue": _p("award act", "Continued in a new school year"),
    "complete": _p("award act", "Completed"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as the timeline component asks for it."""

    act: str
    label: Promise | str
    step: str
    business_at: datetime
    actor: str
    actor_name: str
    post: str
    reason_code: str
    reason_text: str


def lines(award: int) -> list[Line]:
    """What was done to an award, oldest first."""
    return list(_lines(record.history("award", award)))


def _lines(rows: Iterable[Record]) -> Iterable[Line]:
    for row in rows:
        reason = str(NAMES.get(row.reason_code, ""))
        text = (
            _("%(reason)s: %(text)s") % {"reason": reason, "text": row.reason_text}
            if reason and row.reason_text
            else (reason or row.reason_text)
        )
        yield Line(
            row.act, ACTS.get(row.act, row.act), "", row.business_at, row.actor, row.actor_name, row.post, "", text
        )
