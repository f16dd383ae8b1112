"""Findings as a file: names masked, and no cell that a spreadsheet would take for a formula."""

import csv
import io
from collections.abc import Iterable

import xlsxwriter

MOST = 20_000
"""Rows of one file."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: str) -> str:
    """A cell that is text to any spreadsheet: what would begin a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_csv(rows: Iterable[list[str]]) -> bytes:
    """UTF-8 with a mark, which spreadsheets in China read rightly."""
    made = io.StringIO()
    csv.writer(made).writerows([safe(cell) for cell in row] for row in rows)
    return made.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[list[str]], title: str) -> bytes:
    output = io.BytesIO()
    with xlsxwriter.Workbook(output, {"constant_memory": True}) as book:
        sheet, bold = book.add_worksheet(title[:31]), book.add_format({"bold": True, "bg_color": "#DDEBF7"})
        sheet.set_column(0, 20, 18)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, safe(cell), *([bold] if number == 0 else []))
    return output.getvalue()
