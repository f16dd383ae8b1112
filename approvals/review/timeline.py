"""The record of a case as people read it: one line an act, in words of the trade."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

from approvals.programmes.evidence import EVIDENCE
from approvals.review import route
from approvals.review.purposes import PURPOSES
from workflows.models import Record
from workflows.nodes import OUTCOMES
from workflows.reasons import REASONS
from workflows.states import NAMES

ACTS: dict[str, Promise] = {
    "open": _p("act", "Draft opened"),
    "import": _p("act", "Taken over from a roster"),
    "edit": _p("act", "Changed"),
    "correct": _p("act", "Corrected"),
    "add_evidence": _p("act", "Paper attached"),
    "remove_evidence": _p("act", "Paper taken away"),
    "open_evidence": _p("act", "Paper opened"),
    "form_pdf": _p("act", "Application form opened"),
    "unmask": _p("act", "Full numbers opened"),
    "waive": _p("act", "Hit waived"),
    "match": _p("act", "Registers matched"),
    "correct_account": _p("act", "Account corrected"),
    "sign": _p("act", "Signed"),
    "claim": _p("act", "Taken on"),
    "release": _p("act", "Given back"),
    "take_over": _p("act", "Taken over"),
    "transfer": _p("act", "Handed on"),
    "add_signer": _p("act", "Signers added"),
    "remove_signer": _p("act", "Signature taken off"),
    "unsign": _p("act", "Signature taken back"),
    "ask_papers": _p("act", "Papers asked for"),
    "close_papers": _p("act", "Earlier request for papers closed"),
    "supply_papers": _p("act", "Papers supplied"),
    "suspend": _p("act", "Suspended"),
    "resume": _p("act", "Resumed"),
    "step_aside": _p("act", "Stepped aside"),
    "recuse": _p("act", "Recusal found"),
    "comment": _p("act", "Comment"),
    "copy_to": _p("act", "Copied"),
    "watch": _p("act", "Watched"),
    "unwatch": _p("act", "Watched no longer"),
    "urge": _p("act", "Urged"),
    "vacate": _p("act", "Seat vacated: no post any more"),
    "seat": _p("act", "Seated in a vacant place"),
    "not_granted": _p("act", "No award: the pupil has one that excludes it"),
    "escalate": _p("act", "Brought before the office above"),
}
"""What other acts on a case than decisions are called."""
LOOKS = frozenset({"open_evidence", "unmask", "form_pdf", "watch", "unwatch"})
"""Acts that only looked: on the record, but in the timeline only when asked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a case's timeline."""

    act: str
    label: Promise | str
    step: str
    at: datetime
    machine_at: datetime
    who: str
    post: str
    reason: Promise | str
    text: str
    note: Promise | str
    fields: tuple[str, ...]
    due_on: str
    by_system: bool


def lines(records: Iterable[Record]) -> list[Line]:
    """The lines of a timeline, oldest first."""
    return [line(record) for record in records]


def line(record: Record) -> Line:
    """What a line of the record says."""
    data = record.data or {}
    return Line(
        act=record.act,
        label=OUTCOMES.get(record.act) or ACTS.get(record.act) or record.act,
        step=record.step,
        at=record.business_at,
        machine_at=record.at,
        who=record.actor_name,
        post=record.post,
        reason=_reason(record.reason_code),
        text=record.reason_text,
        note=_note(record),
        fields=tuple(data.get("fields") or ()),
        due_on=data.get("due_on") or "",
        by_system=not record.actor,
    )


def _note(record: Record) -> Promise | str:
    """What else a line says: why a step was passed over, whom an act concerns, how somebody signed."""
    data = record.data or {}
    if record.act == "skip":
        return route.SKIPPED.get(record.step, route.NOT_IN_PROGRAMME)
    if data.get("vote"):
        return OUTCOMES.get(data["vote"], data["vote"])
    if data.get("kinds"):
        return "、".join(str(EVIDENCE.get(kind, kind)) for kind in data["kinds"])
    people = data.get("to")
    if isinstance(people, list):
        return "、".join(name for name in people if name)
    return NAMES.get(people, "") if people else ""


def _reason(code: str) -> Promise | str:
    if code in REASONS:
        return REASONS[code][0]
    return PURPOSES.get(code, code)
