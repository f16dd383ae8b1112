"""A notice as it is read: text, columns, a page of its list. The same for offices, the public and print."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import segno
from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from approvals.notices import queries, wording
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.steps import HEADINGS, SCHOOL, SUBJECT
from approvals.organisations import papers

ROWS_PER_FILE = 2000
"""Typst keeps a whole document in memory; longer lists are printed in parts."""
LONG = frozenset({SCHOOL, SUBJECT})
TEMPLATE = Path(__file__).parent / "typst" / "notice.typ"


class Cell(NamedTuple):
    """A heading or value of the list; `long` ones may be broken over lines on a phone."""

    text: str
    long: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list as shown: its cells in the order of the columns."""

    line: int
    number: int
    cells: list["Cell"]


@dataclass(frozen=True, slots=True)
class Paper:
    """What a page of a notice shows."""

    title: str
    issuer: str
    issued: str
    """The date under the seal."""
    parts: list[wording.Part]
    headings: list[Cell]
    rows: list[Row]
    next: int | None
    """Number after which the next page begins; None on the last one."""


def page_of(lines: QuerySet[NoticeLine], after: int | None, size: int) -> tuple[list[NoticeLine], int | None]:
    """The lines after a number, at most `size`, and the number after which the next page begins."""
    if after is not None:
        lines = lines.filter(number__gt=after)
    found = list(lines[: size + 1])
    return found[:size], found[size - 1].number if len(found) > size else None


def paper_of(notice: Notice, lines: Sequence[NoticeLine], following: int | None = None) -> Paper:
    """A notice with these lines of its list."""
    columns = headings_of(notice)
    return Paper(
        title=notice.title,
        issuer=wording.issuer(notice.organisation),
        issued=wording.issued(notice),
        parts=wording.parts(notice),
        headings=[Cell(str(HEADINGS[heading]), heading in LONG) for heading in columns],
        rows=[
            Row(line.pk, line.number, [Cell(line.shown.get(heading, ""), heading in LONG) for heading in columns])
            for line in lines
        ],
        next=following,
    )


def headings_of(notice: Notice) -> list[str]:
    """The canonical headings of the columns that are shown, in their order."""
    return [heading for heading in notice.columns if heading in HEADINGS]


def files_of(notice: Notice, count: int | None = None) -> list[int]:
    """The parts in which the list is printed, from 1; `count` is the number of its lines where that is known."""
    lines = queries.listed(notice).count() if count is None else count
    return list(range(1, max(1, -(-lines // ROWS_PER_FILE)) + 1))


def pdf_of(notice: Notice, part: int = 1, address: str = "") -> bytes:
    """The A4 paper for the notice board: text and list, or a further part of a long list.

    With the `address` of its page a code is printed that a telephone reads and that leads there.
    Raises approvals.organisations.papers.PaperUnavailable without a Chinese font.
    """
    return papers.render(TEMPLATE, _data(notice, _part(notice, part), part, address))


def piece_of(notice: Notice, part: int, parts: int, first: int) -> bytes:
    """A part of the whole paper: its pages are numbered from `first`; the last one is signed and knows how many."""
    whole = {"whole": True, "first": first, "last": part == parts}
    return papers.render_apart(TEMPLATE, {**_data(notice, _part(notice, part), part, address_of(notice)), **whole})


def _part(notice: Notice, part: int) -> Paper:
    start = (part - 1) * ROWS_PER_FILE
    return paper_of(notice, list(queries.listed(notice)[start : start + ROWS_PER_FILE]))


def address_of(notice: Notice) -> str:
    """Where its page is, as the office has set it (PUBLIC_URL); empty where that is not known."""
    return settings.PUBLIC_URL + reverse("public:notice", args=[notice.public_id]) if settings.PUBLIC_URL else ""


def code_of(address: str) -> str:
    """A QR code as an SVG drawing."""
    drawing = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawing, kind="svg", border=2, xmldecl=False)
    return drawing.getvalue().decode()


def _data(notice: Notice, paper: Paper, part: int, address: str) -> Mapping[str, Any]:
    return {
        "whole": False,
        "first": 1,
        "last": True,
        "title": paper.title,
        "issuer": paper.issuer,
        "date": paper.issued,
        "parts": [{"heading": piece.heading, "text": piece.text} for piece in paper.parts] if part == 1 else [],
        "columns": headings_of(notice),
        "rows": [[cell.text for cell in row.cells] for row in paper.rows],
        "removed": queries.removed(notice),
        "sha256": notice.sha256,
        "part": part,
        "code": code_of(address) if address else "",
    }
