"""A workbook as rows of cells, whatever kind of file it came from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from approvals.people.identity import plain_text

MAX_BYTES = 50 * 1024 * 1024
"""Largest file that is looked at."""
MAX_ROWS = 100_000
"""Most pupil rows of one list."""
MAX_COLUMNS = 256
"""Cells further right belong to no list and are not read."""
MAX_CELL_TEXT = 32_767
"""Longest text of a cell, Excel's own limit."""


class CellFault(NamedTuple):
    """A cell without a usable value: `code` is cell_error or not_calculated, `text` what it shows (#REF!)."""

    code: str
    text: str


Cell = str | int | float | bool | date | datetime | CellFault | None
Row = tuple[int, list[Cell]]
"""Row number as a person sees it (from 1), and its cells from column A on."""


@dataclass
class Sheet:
    """One sheet. `read` gives its rows that hold anything; the sets are complete once it was read to the end."""

    name: str
    hidden: bool
    read: Callable[["Sheet"], Iterator[Row]]
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First row, first column, last row, last column: rows from 1, columns from 0."""
    cut_below: int | None = None
    """Row below which nothing was read, because so many blank rows follow."""

    def rows(self) -> Iterator[Row]:
        """From the top, every time anew."""
        self.hidden_rows.clear()
        self.hidden_columns.clear()
        self.merged.clear()
        return self.read(self)


@dataclass
class Book:
    """A file that was recognised: `format` is xlsx, xls or csv; `encoding` only for csv."""

    format: str
    sheets: list[Sheet]
    encoding: str = ""
    lost_characters: int = 0


def letter(index: int) -> str:
    """Column letters of an index from 0: 0 -> A, 26 -> AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell_text(cell: Cell) -> str:
    """What the cell says, as plain text on one line: full-width characters made ASCII, leading apostrophe gone."""
    if isinstance(cell, str):  # first: most cells are
        return plain_text(cell.lstrip("'‘’ ") if cell[:1] in "'‘’" else cell)
    if cell is None or isinstance(cell, CellFault):
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return repr(cell)
