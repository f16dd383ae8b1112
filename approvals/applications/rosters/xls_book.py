"""Reading the old .xls with xlrd."""

import io
from collections.abc import Iterator
from typing import Any

import xlrd
from xlrd.biffh import (
    XL_CELL_BOOLEAN,
    XL_CELL_DATE,
    XL_CELL_ERROR,
    XL_CELL_NUMBER,
    XL_CELL_TEXT,
    error_text_from_code,
)

from approvals.applications.rosters.problems import RosterUnreadable
from approvals.applications.rosters.sheets import MAX_CELL_TEXT, MAX_COLUMNS, Book, Cell, CellFault, Row, Sheet
from approvals.applications.rosters.xlsx_book import as_date


def _open(data: bytes) -> Any:
    try:
        return xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, on_demand=True, logfile=io.StringIO()
        )
    except xlrd.XLRDError as error:
        raise RosterUnreadable("password" if "encrypted" in str(error) else "damaged") from None
    except Exception:  # xlrd trusts the file: a broken one ends in any error there is
        raise RosterUnreadable("damaged") from None


def open_xls(data: bytes) -> Book:
    """The workbook of an old Excel or of a program that writes like one. Raises RosterUnreadable."""
    workbook = _open(data)
    sheets = []
    for index, name in enumerate(workbook.sheet_names()):
        hidden = bool(workbook._sheet_visibility[index])
        sheets.append(Sheet(name, hidden, _Reading(workbook, index)))
    return Book("xls", sheets)


class _Reading:
    """Reads one sheet when its rows are asked for."""

    def __init__(self, workbook: Any, index: int) -> None:
        self.workbook = workbook
        self.index = index

    def __call__(self, sheet: Sheet) -> Iterator[Row]:
        try:
            found = self.workbook.sheet_by_index(self.index)
        except Exception:
            raise RosterUnreadable("damaged") from None
        sheet.hidden_rows.update(row + 1 for row, info in found.rowinfo_map.items() if info.hidden)
        hidden = (column for column, info in found.colinfo_map.items() if info.hidden)
        sheet.hidden_columns.update(column for column in hidden if column < MAX_COLUMNS)
        sheet.merged.extend((top + 1, left, bottom, right - 1) for top, bottom, left, right in found.merged_cells)
        for row in range(found.nrows):
            kinds, values = found.row_types(row), found.row_values(row)
            cells = [self._value(kind, value) for kind, value in zip(kinds, values, strict=True)]
            while cells and cells[-1] is None:
                cells.pop()
            if cells:
                yield row + 1, cells

    def _value(self, kind: int, value: Any) -> Cell:
        if kind == XL_CELL_TEXT:
            return None if not value or value.isspace() else value[:MAX_CELL_TEXT]
        if kind == XL_CELL_NUMBER:
            return int(value) if value.is_integer() and abs(value) < 1e15 else value
        if kind == XL_CELL_DATE:
            return as_date(value, bool(self.workbook.datemode)) or value
        if kind == XL_CELL_BOOLEAN:
            return bool(value)
        if kind == XL_CELL_ERROR:
            return CellFault("cell_error", error_text_from_code.get(value, "#ERR!"))
        return None
