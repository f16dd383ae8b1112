"""What is asked of objections: by offices, by the person named, by whoever holds a receipt, by the file of a notice."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from approvals.notices.models import Notice
from approvals.notices.objections import receipts
from approvals.notices.objections.actions import HELD
from approvals.notices.objections.models import ENDED, OPEN, TO_HANDLE, TO_INVESTIGATE, Objection, SealedIdentity
from approvals.organisations.queries import below
from workflows.clock import CHINA

SEALED = ("statement", "appeal_statement")
"""Decrypted only for who may read what was said."""


def _rows() -> QuerySet[Objection]:
    rows = Objection.objects.select_related("notice__organisation", "line", "investigator")
    return rows.defer(*SEALED, "notice__frozen", "notice__body")


def mine(person: UUID) -> QuerySet[Objection]:
    """Those that a person is to look into now, the most urgent first."""
    return _rows().filter(investigator_person=person, state__in=TO_INVESTIGATE).order_by("due_on", "pk")


def to_handle(prefixes: Iterable[str]) -> QuerySet[Objection]:
    """Those that wait at these offices to be accepted, or for somebody to be named."""
    return _rows().filter(path__in=list(prefixes), state__in=TO_HANDLE).order_by("due_on", "pk")


def open_below(prefixes: Iterable[str]) -> QuerySet[Objection]:
    """Everything open at these offices and below."""
    return _rows().filter(below(prefixes), state__in=OPEN).order_by("due_on", "pk")


def overdue(objections: QuerySet[Objection], today: date) -> QuerySet[Objection]:
    """Of these, those whose deadline is over."""
    return objections.filter(due_on__lt=today)


def ended_below(prefixes: Iterable[str]) -> QuerySet[Objection]:
    """What is closed or was not accepted, the latest first."""
    return _rows().filter(below(prefixes), state__in=ENDED).order_by("-pk")


def one(objection_id: int) -> Objection | None:
    """An objection with what its page shows, but for what was said."""
    return _rows().filter(pk=objection_id).first()


def looked_into_by(objection: Objection, person: UUID) -> bool:
    """Whether a person looks into it, or decided it once."""
    return objection.investigator_person == person or objection.rulings.filter(person=person).exists()


def has_paper(objection: Objection) -> bool:
    """Whether its author added a paper."""
    return SealedIdentity.objects.filter(pk=objection.pk).exclude(file="").exists()


def by_receipt(digits: str) -> Objection | None:
    """The objection of a receipt number, without what was said and by whom."""
    return _rows().filter(receipt_hash=receipts.index(digits)).first()


def held_numbers(notice: Notice) -> list[int]:
    """The numbers of the lines that open objections hold."""
    return list(notice.lines.filter(state=HELD).order_by("number").values_list("number", flat=True))


def counts(notice: Notice) -> dict[str, int]:
    """How many objections there are to a notice, and how many of them are open."""
    return notice.objections.aggregate(all=Count("pk"), open=Count("pk", filter=Q(state__in=OPEN)))


def summary(notice: Notice) -> list[dict[str, Any]]:
    """Every objection to a notice for its file, without anybody's name: what, when, how it ended, what was answered."""
    rows = notice.objections.select_related("line").defer(*SEALED).prefetch_related("rulings").order_by("number")
    return [
        {
            "number": row.number,
            "line": row.line.number if row.line else None,
            "ground": row.ground,
            "named": row.named,
            "received_on": row.received_on,
            "state": row.state,
            "outcome": row.outcome,
            "appealed": row.appealed_at is not None,
            "replied_on": _day(row.replied_at),
            "reply": row.reply,
            "rulings": [
                {"round": ruling.round, "outcome": ruling.outcome, "on": _day(ruling.at), "reply": ruling.reply}
                for ruling in sorted(row.rulings.all(), key=lambda ruling: ruling.round)
            ],
        }
        for row in rows
    ]


def _day(at: datetime | None) -> date | None:
    return at.astimezone(CHINA).date() if at else None
