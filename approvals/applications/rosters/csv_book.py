"""Reading lists that are plain text: comma, semicolon or tab between cells, in UTF-8, UTF-16 or GB18030."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from approvals.applications.rosters.columns import match_heading
from approvals.applications.rosters.problems import RosterUnreadable
from approvals.applications.rosters.sheets import MAX_CELL_TEXT, MAX_COLUMNS, Book, Cell, Row, Sheet

DELIMITERS = ",\t;|，"
HEAD = 40
"""Rows in which a heading is looked for."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_QUOTED_TEXT = re.compile(r'="(.*)"', re.DOTALL)


def _without_mark(data: bytes) -> str | None:
    """UTF-16 without a byte-order mark shows by its NUL bytes, which stand on one side only."""
    sample = data[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample) // 2 or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _has_heading(text: str) -> bool:
    words = re.split(rf"[{DELIMITERS}\r\n\"]+", text[:20_000])
    return len({found[0] for word in words if (found := match_heading(word))}) >= 2


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding; unreadable characters become U+FFFD. Raises RosterUnreadable."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), encoding
    if encoding := _without_mark(data):
        return data.decode(encoding, "replace"), encoding
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    for encoding in ("utf-8", "gb18030"):  # a few broken bytes do not spoil the list whose headings can be read
        text = data.decode(encoding, "replace")
        if _has_heading(text):
            return text, encoding
    raise RosterUnreadable("encoding")


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str:
    """The one by which most headings are found."""
    best, most = ",", 0
    for delimiter in DELIMITERS:
        try:
            head = list(islice(_records(text, delimiter), HEAD))
        except csv.Error:
            continue
        found = max((len({m[0] for word in row if (m := match_heading(word))}) for row in head), default=0)
        if found > most:
            best, most = delimiter, found
    return best


def _cell(text: str) -> Cell:
    """A cell's text; ="0123" is how programs keep Excel from making a number of it, other formulas stay text."""
    if not text or text.isspace():
        return None
    if text[0] == "=" and (found := _QUOTED_TEXT.fullmatch(text.strip())):
        text = found[1].replace('""', '"')
    return text[:MAX_CELL_TEXT] or None


def _swallowed(record: list[str], delimiter: str) -> bool:
    """Whether a cell runs over several lines and holds whole rows: a quotation mark was never closed."""
    return any("\n" in cell and cell.count(delimiter) >= 5 and cell.count("\n") >= 2 for cell in record)


class _Reading:
    """Numbers records as a spreadsheet shows them: a line break inside quotation marks starts no new row."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.delimiter = _delimiter(text)
        self.seen: dict[str, Cell] = {}

    def __call__(self, sheet: Sheet) -> Iterator[Row]:
        number = 0
        try:
            for number, record in enumerate(_records(self.text, self.delimiter), start=1):
                if "\n" in "".join(record) and _swallowed(record, self.delimiter):
                    raise RosterUnreadable("open_quote", row=number)
                cells = [self.seen.setdefault(cell, _cell(cell)) for cell in record[:MAX_COLUMNS]]
                while cells and cells[-1] is None:
                    cells.pop()
                if cells:
                    yield number, cells
        except csv.Error:
            raise RosterUnreadable("open_quote", row=number + 1) from None


def open_csv(data: bytes, name: str) -> Book:
    """The list in a text file. Raises RosterUnreadable."""
    text, encoding = decode(data)
    lost = text.count("\ufffd")
    text = text.replace("\0", "")
    return Book("csv", [Sheet(name, False, _Reading(text))], encoding, lost)
