"""What was done about an objection, in words; never who objected."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.notices.history import Line
from approvals.notices.objections.models import OUTCOMES, Objection
from approvals.notices.objections.words import NOT_ACCEPTED, PURPOSES
from workflows.models import Record
from workflows.record import history as record_of

ACTS: dict[str, Promise] = {
    "receive": _p("act on an objection", "Received"),
    "accept": _p("act on an objection", "Accepted"),
    "not_accept": _p("act on an objection", "Not accepted"),
    "refer": _p("act on an objection", "Handed to the county"),
    "assign": _p("act on an objection", "Investigator named"),
    "unseal": _p("act on an objection", "Identity opened"),
    "decide": _p("act on an objection", "Decided"),
    "answer": _p("act on an objection", "Answered"),
    "appeal": _p("act on an objection", "Appealed"),
    "close": _p("act on an objection", "Closed"),
    "recompute": _p("act on an objection", "Deadline counted anew"),
}
PAPER = _p("act on an objection", "Paper opened")
WHY_REFERRED: dict[str, Promise] = {
    "nobody": _("Nobody at the office may look into it."),
    "complained_of": _("It complains of who accepted it."),
}


def timeline(objection: Objection) -> list[Line]:
    """Everything that was done about it, oldest first."""
    return [_line(record) for record in record_of("objection", objection.pk)]


def _line(record: Record) -> Line:
    label = PAPER if record.data.get("what") == "paper" else ACTS.get(record.act, record.act)
    by_public = record.act in ("receive", "appeal")
    code = NOT_ACCEPTED.get(record.reason_code)
    return Line(
        act=record.act,
        label=str(label),
        business_at=record.business_at,
        actor="public" if by_public else record.actor,
        actor_name=str(_("By the public form")) if by_public else record.actor_name,
        post=record.post,
        reason_code=str(code) if code else record.reason_code,
        reason_text=record.reason_text or _said(record),
    )


def _said(record: Record) -> str:
    """What a line says besides: who was named, what was decided, what it was opened for."""
    data = record.data
    known: dict[str, object] = {
        "assign": data.get("to"),
        "decide": dict(OUTCOMES).get(data.get("outcome", "")),
        "unseal": PURPOSES.get(data.get("purpose", "")),
        "refer": WHY_REFERRED.get(data.get("why", "")),
    }
    return str(known.get(record.act) or "")
