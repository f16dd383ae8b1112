"""Workbooks: .xlsx, and the old .xls that many agent banks still ask for (docs/decisions/bank-files.md)."""

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import xlsxwriter
import xlwt

from approvals.applications.rosters.opening import open_book
from approvals.applications.rosters.problems import RosterUnreadable
from approvals.applications.rosters.sheets import Cell, CellFault
from approvals.applications.rosters.sheets import Row as SheetRow
from approvals.disbursement.bank.base import Head, Order, Read, Row
from approvals.disbursement.bank.layout import control_of, named, tabular_lacks
from approvals.disbursement.bank.profiles import Columns, Profile
from approvals.disbursement.bank.texts import cell, header_cells, kind_of, value_of
from approvals.disbursement.refusals import Refused

SHEET = "代发明细"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""When every workbook says it was made, so that the same payments give the same bytes."""


def _rows(orders: Iterable[Order], head: Head, bank: Profile) -> Iterator[list[str | Decimal]]:
    """Texts, except amounts in yuan: numbers of accounts would lose their tail as numbers."""
    if bank.header:
        yield list(header_cells(bank.header, head, bank))
    if bank.titles:
        yield [cell(column.name) for column in bank.columns]
    yuan = [column.field == "amount" and bank.amount == "yuan" for column in bank.columns]
    for order in orders:
        yield [
            order.amount if is_amount else cell(value_of(column, order, head, bank))
            for column, is_amount in zip(bank.columns, yuan, strict=True)
        ]


class _Workbook:
    """What both kinds share: they are read alike, by content and never by name."""

    code = ""

    def lacks(self, bank: Profile) -> Iterator[str]:
        yield from tabular_lacks(bank)
        if bank.extension != self.code:
            yield f"extension: is {self.code} for this format"

    def read(self, content: bytes, bank: Profile) -> Read:
        if kind_of(content) not in ("xls", "xlsx"):
            raise Refused("return_no_workbook", bank=bank.name)
        try:
            book = open_book(content, f"return.{bank.extension}")
            rows = next((read for sheet in book.sheets if not sheet.hidden if (read := _peeked(sheet.rows()))), None)
        except RosterUnreadable:
            raise Refused("return_damaged") from None
        if rows is None:
            raise Refused("return_empty")
        control = (
            control_of(bank.read_header, _texts(bank.read_header, *next(rows)), bank) if bank.read_header else None
        )
        if bank.read_titles:
            next(rows, None)
        return Read(control, _answers(rows, bank))


def _peeked(rows: Iterator[SheetRow]) -> Iterator[SheetRow] | None:
    """The rows of a sheet that has any."""
    first = next(rows, None)
    return None if first is None else chain([first], rows)


def _answers(rows: Iterator[SheetRow], bank: Profile) -> Iterator[Row]:
    try:
        for line, cells in rows:
            if any(each not in (None, "") for each in cells):
                yield Row(line, named(bank.answer_columns, line, _texts(bank.answer_columns, line, cells), bank))
    except RosterUnreadable:
        raise Refused("return_damaged") from None


def _texts(columns: Columns, line: int, cells: list[Cell]) -> list[str]:
    """The cells as text; empty ones at the end may be missing or too many."""
    texts = [_text(each, line, column.field if column else "") for each, column in _beside(cells, columns)]
    while len(texts) > len(columns) and not texts[-1]:
        texts.pop()
    return texts + [""] * (len(columns) - len(texts))


def _beside(cells: list[Cell], columns: Columns) -> Iterator[tuple[Cell, Any]]:
    return ((each, columns[n] if n < len(columns) else None) for n, each in enumerate(cells))


def _text(value: Cell, line: int, field: str) -> str:
    if isinstance(value, CellFault):
        raise Refused("return_unreadable", line=line)
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        if field in ("account", "reference"):
            raise Refused("return_number_cell", line=line, column=field)
        return str(int(value)) if value == int(value) and field != "amount" else f"{value!r}"
    return str(value).strip().removeprefix("'")


class Xlsx(_Workbook):
    """The present workbook of Excel and WPS."""

    code = "xlsx"
    most = 1_048_570

    def write(self, orders: Iterable[Order], head: Head, bank: Profile) -> bytes:
        made = io.BytesIO()
        book = xlsxwriter.Workbook(made, {"constant_memory": True, "strings_to_urls": False})
        book.set_properties({"created": EPOCH})
        sheet = book.add_worksheet(SHEET)
        yuan = book.add_format({"num_format": "0.00"})
        for row, cells in enumerate(_rows(orders, head, bank)):
            for column, value in enumerate(cells):
                if isinstance(value, Decimal):
                    sheet.write_number(row, column, float(value), yuan)
                else:
                    sheet.write_string(row, column, value)
        book.close()
        return made.getvalue()


class Xls(_Workbook):
    """The workbook of Excel 97 to 2003: 65,536 rows, no more."""

    code = "xls"
    most = 65_000

    def write(self, orders: Iterable[Order], head: Head, bank: Profile) -> bytes:
        book = xlwt.Workbook(encoding="utf-8")
        sheet = book.add_sheet(SHEET)
        yuan = xlwt.easyxf(num_format_str="0.00")
        for at, cells in enumerate(_rows(orders, head, bank)):
            row = sheet.row(at)
            for column, value in enumerate(cells):
                if isinstance(value, Decimal):
                    row.set_cell_number(column, float(value), yuan)
                else:
                    row.set_cell_text(column, value)
            if at % 1000 == 999:
                sheet.flush_row_data()
        made = io.BytesIO()
        book.save(made)
        return made.getvalue()
