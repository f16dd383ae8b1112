"""Reading a list of another office: whatever file it is, row by row, each refused cell with a sentence.

The same reader as for rosters: xlsx, xls and csv in any encoding, titles above and totals below, numbers that Excel
spoilt, full-width digits.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.applications.rosters import Problem, RosterUnreadable, Table, read_roster
from approvals.applications.rosters.checking import bare, shown
from approvals.applications.rosters.columns import EXACT, SYNONYM, bare_heading, match_heading
from approvals.applications.rosters.problems import ROW
from approvals.applications.rosters.reading import Layout, RawRow
from approvals.applications.rosters.sheets import CellFault, cell_text
from approvals.applications.rosters.values import number_text, parse_date
from approvals.people.accounts import normalise_account
from approvals.people.crypto import blind_index
from approvals.people.identity import id_problem, name_problem, normalise_id, normalise_name
from approvals.people.registers import Row

if TYPE_CHECKING:
    from approvals.applications.sources.base import Kind

MAX_ROWS = 500_000
"""Most rows of one list."""

LIST: dict[str, Promise] = {
    "listed_twice": _("The same line already stands in row %(row)s."),
    "category_unknown": _("“%(text)s” is no category of this list; write one of: %(known)s."),
    "category_missing": _("The list must say under which category the person stands."),
    "date_unknown": _("“%(text)s” is not a date; write it like 2012-03-05."),
    "date_future": _("The date lies after the date of the list."),
    "text_missing": _("This cell is blank, and nothing can be compared without it."),
    "account_digits": _("The account number must have 8 to 32 digits."),
    "year_unknown": _("“%(text)s” names neither a term nor a school year; write 2026-2027-1 or 2026-2027."),
}
"""What can be wrong with a line, beyond what can be wrong with a roster's."""
SENTENCES: dict[str, Promise] = ROW | LIST


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: its heading, other ways to head it (apart by spaces), whether the list needs it."""

    heading: str
    also: str = ""
    required: bool = False
    example: str = ""


def empty_list(title: str, columns: Sequence[Column]) -> bytes:
    """A workbook without rows to be filled in: the headings, and one example row that is not read."""
    output = io.BytesIO()
    with xlsxwriter.Workbook(output, {"in_memory": True}) as book:
        sheet, text = book.add_worksheet(title), book.add_format({"num_format": "@"})
        bold = book.add_format({"bold": True, "border": 1, "bg_color": "#DDEBF7"})
        sheet.write_string(0, 0, "序号", bold)
        sheet.write_string(1, 0, "示例")
        for place, column in enumerate(columns, 1):
            sheet.set_column(place, place, 22, text)
            sheet.write_string(0, place, column.heading, bold)
            sheet.write_string(1, place, column.example, text)
    return output.getvalue()


def layout_of(kind: "Kind") -> Layout:
    """How a kind's list is read."""
    headings = tuple(column.heading for column in kind.columns)
    required = tuple(column.heading for column in kind.columns if column.required)
    return Layout(
        columns=headings,
        required=required,
        critical=frozenset(required),
        shared=(),
        weak=frozenset(("序号",)),
        name="户名" if "户名" in headings else "姓名",
        number=kind.number,
        lookup=_lookup(kind.columns),
        most=MAX_ROWS,
    )


def _lookup(columns: tuple[Column, ...]) -> Callable[[str, str], tuple[str, int] | None]:
    own = {bare_heading(word): (column.heading, SYNONYM) for column in columns for word in column.also.split()}
    own |= {bare_heading(column.heading): (column.heading, EXACT) for column in columns}
    known = {column.heading for column in columns} | {"序号"}

    @lru_cache(maxsize=1024)
    def lookup(text: str, group: str = "") -> tuple[str, int] | None:
        """As the kind names its columns, else as rosters are headed."""
        found = own.get(bare_heading(text)) or match_heading(text, group)
        return found if found and found[0] in known else None

    return lookup


# ---------------------------------------------------------------- a row


class RowReader:
    """The cells of one row, as a kind asks for them; what is wrong with them is collected."""

    def __init__(self, as_of: date, lang: str | None) -> None:
        self.as_of = as_of
        self.lang = lang
        self.memory: dict[str, Any] = {}
        """What a kind worked out once for the whole list."""
        self.raw: RawRow
        self.problems: list[Problem]

    def turn_to(self, raw: RawRow) -> None:
        self.raw, self.problems = raw, []

    def refuse(self, column: str, code: str, /, **params: Any) -> None:
        """Refuses the row; only the first problem of a column is kept."""
        if all(problem.column != column for problem in self.problems):
            self.problems.append(Problem(column, code, params=params, lang=self.lang, sentence=SENTENCES[code]))

    def text(self, column: str, most: int = 100, required: bool = False) -> str:
        cell = self.raw.get(column)
        if isinstance(cell, CellFault):
            self.refuse(column, cell.code, text=cell.text)
            return ""
        text = cell_text(cell)
        if required and not text:
            self.refuse(column, "text_missing")
        elif len(text) > most:
            self.refuse(column, "too_long", limit=most)
        return text

    def _digits(self, column: str, normalise: Callable[[str], str]) -> str:
        text, code = number_text(self.raw.get(column))
        if code == "number_form":
            self.refuse(column, code, column=column)
        elif code:
            self.refuse(column, code, text=text)
        return "" if code else normalise(text)

    def person(self, column: str = "身份证号") -> bytes:
        """The blind index of a citizen ID; empty where the cell holds none, which refuses the row."""
        number = self._digits(column, normalise_id)
        if code := id_problem(number, self.as_of):
            self.refuse(column, code)
            return b""
        return blind_index(number)

    def account(self, column: str = "银行账号") -> bytes:
        """The blind index of an account number, which is the bank's own and not checked further than its length."""
        number = self._digits(column, normalise_account)
        if not (number.isascii() and number.isdecimal() and 8 <= len(number) <= 32):
            self.refuse(column, "account_missing" if not number else "account_digits")
            return b""
        return blind_index(number)

    def name(self, column: str) -> str:
        """A person's name in one spelling; a company's may hold what a person's cannot."""
        name = normalise_name(self.text(column, 50, required=True))
        if name and (code := name_problem(name)) in ("name_lost_character", "name_length"):
            self.refuse(column, code)
        return name

    def day(self, column: str) -> str:
        """A date as 2026-05-04 or 2026-05; empty for a blank cell. It cannot lie after the list's own."""
        cell = self.raw.get(column)
        if cell is None or isinstance(cell, CellFault):
            return ""
        try:
            found = parse_date(cell)
        except ValueError:
            self.refuse(column, "date_unknown", text=shown(cell_text(cell)))
            return ""
        if found is None:
            return ""
        if (found.year, found.month, found.day or 1) > (self.as_of.year, self.as_of.month, self.as_of.day):
            self.refuse(column, "date_future")
        return f"{found.year}-{found.month:02d}" + (f"-{found.day:02d}" if found.day else "")

    def category(self, column: str, known: Mapping[str, str], usual: str | None = None) -> str:
        """The code of a word of the list, written without spaces, brackets and capitals; `usual` for a blank cell,
        which else refuses the row. A word that is not known refuses it too: no part of one is taken for the whole.
        """
        text = self.text(column)
        if not text:
            if usual is None:
                self.refuse(column, "category_missing")
            return usual or ""
        code = known.get(bare(text))
        if code is None:
            words = list(dict.fromkeys(known.values()))
            names = [next(word for word, code in known.items() if code == each) for each in words]
            self.refuse(column, "category_unknown", text=shown(text), known="、".join(names))
        return code or ""


def told(**values: str) -> str:
    """What a hit will say of a row, as JSON; what is blank is left out."""
    return json.dumps({key: value for key, value in values.items() if value}, ensure_ascii=False)


# ---------------------------------------------------------------- a list


@dataclass
class Reading:
    """A list as it was understood: the rows to take over, the refused ones with their reasons."""

    table: Table
    rows: list[Row] = field(default_factory=list)
    refused: list[tuple[int, list[Problem]]] = field(default_factory=list)
    """[(row, problems)], in the order of the sheet."""

    @property
    def total(self) -> int:
        return len(self.rows) + len(self.refused)


def read_list(
    kind: "Kind",
    content: bytes | Path,
    filename: str,
    as_of: date,
    lang: str | None = None,
) -> Reading:
    """Reads a kind's list. Raises RosterUnreadable when the file is no such list."""
    reading = Reading(read_roster(content, filename, layout=layout_of(kind)))
    for read, row in _rows(kind, reading.table.rows, as_of, lang):
        if read.problems:
            reading.refused.append((read.raw.row, read.problems))
        else:
            reading.rows.append(row)
    return reading


def _rows(kind: "Kind", raws: Iterable[RawRow], as_of: date, lang: str | None) -> Iterator[tuple[RowReader, Row]]:
    read = RowReader(as_of, lang)
    seen: dict[Row, int] = {}
    for raw in raws:
        read.turn_to(raw)
        row = kind.row(read)
        if not read.problems and (first := seen.setdefault(row, raw.row)) != raw.row:
            read.refuse(kind.number, "listed_twice", row=first)
        yield read, row


__all__ = ["LIST", "Column", "Reading", "RosterUnreadable", "RowReader", "layout_of", "read_list", "told"]
