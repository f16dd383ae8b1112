"""Workbooks that go back to the school: its own list with the reasons beside it, and the blank template."""

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils.translation import gettext
from xlsxwriter.exceptions import OverlappingRange

from approvals.applications.rosters.checking import CheckedRow
from approvals.applications.rosters.columns import COLUMNS, REASONS
from approvals.applications.rosters.problems import ERROR, root_cause
from approvals.applications.rosters.reading import TEMPLATE_VERSION, Table, read_book
from approvals.applications.rosters.sheets import Cell, CellFault, Row, Sheet, cell_text
from approvals.people.special_groups import WORDS

TEXT_COLUMNS = frozenset(("学校标识码", "身份证号", "学籍号", "监护人身份证号", "联系电话", "银行账号"))
"""Numbers that Excel must keep as text."""

_WIDTHS = {
    **dict.fromkeys(("学校", "身份证号", "学籍号", "监护人身份证号", "银行账号"), 22),
    **dict.fromkeys(("学校标识码", "特殊群体类型", "资助项目", "学期", "联系电话", "开户行", "备注"), 17),
    **dict.fromkeys(("序号", "性别"), 6),
}


def reasons(checked: CheckedRow) -> str:
    """Why a row was refused, the root cause first: 身份证号：……；性别：……"""
    first, others = root_cause(problem for problem in checked.problems if problem.severity == ERROR)
    return "；".join(f"{problem.column}：{problem.message}" for problem in [first, *others] if problem)


class _Writer:
    """Writes cells as they were: text stays text, even where it begins like a formula."""

    def __init__(self, worksheet: Any, workbook: Any, text_indexes: set[int]) -> None:
        self.worksheet = worksheet
        self.text_indexes = text_indexes
        self.day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self.text = workbook.add_format({"num_format": "@"})

    def row(self, number: int, cells: list[Cell]) -> None:
        for index, cell in enumerate(cells):
            if cell is not None:
                self.cell(number, index, cell)

    def cell(self, row: int, index: int, cell: Cell) -> None:
        write = self.worksheet
        if index in self.text_indexes:
            text = cell if isinstance(cell, str) else cell.text if isinstance(cell, CellFault) else cell_text(cell)
            write.write_string(row, index, text, self.text)
        elif isinstance(cell, str):
            write.write_string(row, index, cell)
        elif isinstance(cell, CellFault):
            write.write_string(row, index, cell.text)
        elif isinstance(cell, bool):
            write.write_boolean(row, index, cell)
        elif isinstance(cell, datetime):
            write.write_datetime(row, index, cell, self.moment)
        elif isinstance(cell, date):
            write.write_datetime(row, index, cell, self.day)
        else:
            write.write_number(row, index, cell)


def _reasons_index(table: Table, rows: list[Row]) -> int:
    """The column right of everything, or the one that an earlier answer of ours already has."""
    for index, (_group, text) in enumerate(table.heading.texts):
        if text == REASONS:
            return index
    return max((len(cells) for _number, cells in rows), default=0)


def _merged_titles(sheet: Sheet, table: Table) -> dict[int, list[tuple[int, int]]]:
    """Cells merged across one row above the pupils, by row."""
    merged: dict[int, list[tuple[int, int]]] = {}
    for top, left, bottom, right in sheet.merged:
        if top == bottom <= table.header_row and right > left:
            merged.setdefault(top, []).append((left, right))
    return merged


def error_workbook(
    table: Table, refused: Iterable[CheckedRow], original: Path | bytes, only_refused: bool = False
) -> bytes:
    """The school's own sheet as .xlsx with a last column 错误原因; all its rows, or only the refused ones."""
    sheet = next(one for one in read_book(original, table.filename).sheets if one.name == table.sheet)
    rows = list(sheet.rows())
    why = {checked.row: reasons(checked) for checked in refused}
    place = _reasons_index(table, rows)
    merged = _merged_titles(sheet, table)
    output = io.BytesIO()
    workbook = xlsxwriter.Workbook(output, {"constant_memory": True})
    worksheet = workbook.add_worksheet("名单")
    texts = {match.index for column, match in table.columns.items() if column in TEXT_COLUMNS}
    writer = _Writer(worksheet, workbook, texts)
    red = workbook.add_format({"font_color": "#9C0006", "bg_color": "#FFC7CE", "text_wrap": True, "valign": "top"})
    bold = workbook.add_format({"bold": True})
    for column, match in table.columns.items():
        worksheet.set_column(
            match.index, match.index, _WIDTHS.get(column, 10), writer.text if column in texts else None
        )
    worksheet.set_column(place, place, 60)
    worksheet.freeze_panes(table.header_row, 0)
    line = 0
    for number, cells in rows:
        below = number > table.header_row
        if below and only_refused and number not in why:
            continue
        line = line + 1 if below and only_refused else number
        if len(cells) > place:
            cells = [*cells[:place], None, *cells[place + 1 :]]
        writer.row(line - 1, cells)
        for left, right in merged.get(number, ()):
            _merge(worksheet, line - 1, left, right, cells)
        if number == table.header_row:
            worksheet.write_string(line - 1, place, REASONS, bold)
        elif number in why:
            worksheet.write_string(line - 1, place, why[number], red)
    worksheet.autofilter(table.header_row - 1, 0, max(line - 1, table.header_row), place)
    workbook.close()
    return output.getvalue()


def _merge(worksheet: Any, row: int, left: int, right: int, cells: list[Cell]) -> None:
    text = cell_text(cells[left]) if left < len(cells) else ""
    try:
        worksheet.merge_range(row, left, row, right, "")
    except OverlappingRange:  # the sheet was broken before it came to us
        return
    worksheet.write_string(row, left, text)


# ---------------------------------------------------------------- the blank template

_TEMPLATE_ROWS = 2_000
"""Rows that carry formats and drop-downs."""
_GRADES = (
    *("一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "七年级", "八年级", "九年级"),
    *("高一", "高二", "高三", "中职一年级", "中职二年级", "中职三年级"),
)


def _choices(programmes: Sequence[str], term: str, grades: Sequence[str]) -> dict[str, Sequence[str]]:
    return {
        "性别": ("男", "女"),
        "是否寄宿": ("是", "否"),
        "困难等级": ("特别困难", "困难", "一般困难"),
        "特殊群体类型": WORDS,
        "年级": grades,
        "资助项目": programmes,
        "学期": (term,) if term else (),
    }


def _guide() -> list[str]:
    return [
        gettext("One row is one pupil. Leave the headings as they are; columns may be left out, not renamed."),
        gettext("Required: 姓名 and 身份证号; for money paid to an account also 银行账号 and 户名."),
        gettext("ID, enrolment, phone and account numbers are text: paste them as values, or they lose their end."),
        gettext("Several special groups in one cell are separated by 、 as in 低保、孤儿."),
        gettext("Totals and signatures below the list may stay; they are not read."),
    ]


def _drop_downs(workbook: Any, worksheet: Any, first_row: int, choices: dict[str, Sequence[str]]) -> None:
    """Lists to choose from, kept on a hidden sheet; special groups may also be typed, since there may be several."""
    options = workbook.add_worksheet("选项")
    options.hide()
    for place, (column, words) in enumerate((c, w) for c, w in choices.items() if w):
        options.write_column(0, place, words)
        index = COLUMNS.index(column)
        rule = {
            "validate": "list",
            "source": f"=选项!${chr(65 + place)}$1:${chr(65 + place)}${len(words)}",
            "error_type": "information" if column == "特殊群体类型" else "stop",
            "ignore_blank": True,
        }
        worksheet.data_validation(first_row, index, first_row + _TEMPLATE_ROWS - 1, index, rule)


def blank_template(
    programme_name: str,
    *,
    school_name: str = "",
    term_name: str = "",
    programme_names: Sequence[str] = (),
    grades: Sequence[str] = (),
) -> bytes:
    """An empty roster (.xlsx): the county's columns, drop-downs, long numbers as text, and the template's version.

    `programme_names` are what 资助项目 may hold (else `programme_name`), `grades` those of the school (else all).
    """
    output = io.BytesIO()
    workbook = xlsxwriter.Workbook(output)
    worksheet = workbook.add_worksheet("名单")
    title = workbook.add_format({"bold": True, "font_size": 14})
    heading = workbook.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "align": "center"})
    text = workbook.add_format({"num_format": "@"})
    worksheet.write_string(0, 0, f"{school_name}{programme_name}名单", title)
    worksheet.write_string(0, len(COLUMNS) - 1, f"模板版本：{TEMPLATE_VERSION}")
    for index, column in enumerate(COLUMNS):
        worksheet.set_column(index, index, _WIDTHS.get(column, 10), text if column in TEXT_COLUMNS else None)
        worksheet.write_string(1, index, column, heading)
    worksheet.freeze_panes(2, 0)
    choices = _choices(programme_names or (programme_name,), term_name, grades or _GRADES)
    guide = workbook.add_worksheet(gettext("How to fill in"))
    guide.set_column(0, 0, 100)
    guide.write_column(0, 0, _guide())
    _drop_downs(workbook, worksheet, 2, choices)
    workbook.close()
    return output.getvalue()
