"""Tables as files for a spreadsheet: Excel, or CSV. No cell is ever a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import HttpResponse

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(_STARTS_A_FORMULA):
        return f"'{cell}"
    return cell


def download(
    name: str, kind: str, head: Sequence[Any], rows: Iterable[Sequence[Any]], sheet: str | None = None
) -> HttpResponse:
    """The table as `name`.xlsx, or as `name`.csv in UTF-8 with its mark, which Excel asks for."""
    table = [[str(cell) for cell in head], *([plain(cell) for cell in row] for row in rows)]
    content, content_type, ending = (_csv(table), "text/csv; charset=utf-8", "csv") if kind == "csv" else (
        _xlsx(table, sheet), XLSX, "xlsx",
    )  # fmt: skip
    response = HttpResponse(content, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _csv(table: list[list[Any]]) -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made).writerows(table)
    return made.getvalue().encode("utf-8-sig")


def _xlsx(table: list[list[Any]], title: str | None) -> bytes:
    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(made, options)
    sheet, money = book.add_worksheet(title), book.add_format({"num_format": "#,##0.00"})
    bold = book.add_format({"bold": True, "bg_color": "#DDEBF7"})
    for y, row in enumerate(table):
        for x, cell in enumerate(row):
            if isinstance(cell, Decimal):
                sheet.write_number(y, x, float(cell), money)
            elif isinstance(cell, int):
                sheet.write_number(y, x, cell)
            else:
                sheet.write_string(y, x, str(cell), bold if y == 0 else None)
    sheet.set_column(0, max(len(row) for row in table) - 1, 18)
    sheet.freeze_panes(1, 0)
    book.close()
    return made.getvalue()
