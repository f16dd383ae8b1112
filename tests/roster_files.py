"""Rosters as schools send them, built in memory for tests. Division 130499: nobody real is meant."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from approvals.applications.rosters import (
    COLUMNS,
    CheckedRow,
    ProgrammeChoice,
    RosterContext,
    RosterUnreadable,
    Table,
    check_rows,
    read_roster,
)
from tests.factories import FIRST_DAY, TERM, account_number, id_number

SCHOOL = ("2113049901", "鸡泽县示例中心小学")
SENIOR_SCHOOL = ("3413049990", "鸡泽县第一中学")
_RATES = {True: {"primary": "625.00", "junior": "750.00"}, False: {"primary": "312.50", "junior": "375.00"}}

LIVING_SUBSIDY = [
    ProgrammeChoice(
        code=code,
        names={"义务教育生活补助", own_name},
        boarder=boarder,
        stages=("primary", "junior"),
        amounts={stage: {Decimal(amount)} for stage, amount in _RATES[boarder].items()},
        needs_level=True,
        needs_amount=True,
    )
    for code, own_name, boarder in (
        ("living_subsidy_boarder", "寄宿生生活补助", True),
        ("living_subsidy_day", "非寄宿生生活补助", False),
    )
]
SENIOR_GRANT = [
    ProgrammeChoice(
        code="senior_state_grant",
        names={"普通高中国家助学金"},
        stages=("senior",),
        amounts={"senior": {Decimal(750), Decimal(1150), Decimal(1500)}},
        needs_level=True,
        needs_amount=True,
    )
]
WAIVER = [ProgrammeChoice(code="tuition_waiver_registered", names={"建档立卡学生免学费"}, needs_account=False)]


def context(**changes: Any) -> RosterContext:
    """The living subsidy at the sample primary school on the demo's first day."""
    return replace(RosterContext(*SCHOOL, TERM, LIVING_SUBSIDY, FIRST_DAY), **changes)


def pupil(order: int = 0, **changes: Any) -> dict[str, Any]:
    """The cells of a faultless row, by canonical column; each `order` is another pupil."""
    number = id_number(date(2016, 3, 1), 2 * order + 1)
    cells = {
        "序号": order + 1,
        "学校": SCHOOL[1],
        "学校标识码": SCHOOL[0],
        "年级": "三年级",
        "班级": "2班",
        "姓名": "王小" + chr(0x4E00 + order),
        "性别": "男",
        "身份证号": number,
        "学籍号": "G" + number,
        "是否寄宿": "是",
        "特殊群体类型": "低保",
        "困难等级": "困难",
        "资助项目": "义务教育生活补助",
        "学期": "2026年秋季学期",
        "金额": "625.00",
        "监护人姓名": "王大山",
        "监护人身份证号": id_number(date(1985, 7, 4), 2 * order + 1),
        "联系电话": f"138{order:08d}",
        "开户行": "鸡泽县农村信用联社",
        "银行账号": account_number(order),
        "户名": "王小" + chr(0x4E00 + order),
        "备注": None,
    }
    return cells | changes


def pupils(count: int, **changes: Any) -> list[dict[str, Any]]:
    """Several different pupils."""
    return [pupil(order, **changes) for order in range(count)]


Row = dict[str, Any] | Sequence[Any]


def grid(rows: Iterable[Row], headings: Sequence[str] = COLUMNS) -> list[list[Any]]:
    """Headings and rows as lists; a row given as a list stays as it is."""
    return [list(headings), *([row.get(h) for h in headings] if isinstance(row, dict) else list(row) for row in rows)]


def xlsx(
    rows: Iterable[Sequence[Any]],
    sheet: str = "名单",
    arrange: Callable[[Any, Any], None] | None = None,
    **options: Any,
) -> bytes:
    """A workbook of these rows; texts are written as text. `arrange(workbook, worksheet)` may add to it.

    The same rows give the same bytes: no hour of making is in it.
    """
    output = io.BytesIO()
    workbook = xlsxwriter.Workbook(output, {"strings_to_formulas": False, "strings_to_urls": False, **options})
    workbook.set_properties({"created": datetime(2026, 9, 7, tzinfo=UTC)})
    worksheet = workbook.add_worksheet(sheet)
    for number, row in enumerate(rows):
        worksheet.write_row(number, 0, ["" if cell is None else cell for cell in row])
    if arrange:
        arrange(workbook, worksheet)
    workbook.close()
    return output.getvalue()


def roster(*rows: Row, headings: Sequence[str] = COLUMNS, **options: Any) -> bytes:
    """A workbook whose first row is the headings."""
    return xlsx(grid(rows, headings), **options)


def csv_text(rows: Iterable[Sequence[Any]], delimiter: str = ",", newline: str = "\r\n") -> str:
    """The same as delimited text."""
    output = io.StringIO(newline="")
    csv.writer(output, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return output.getvalue()


def table_of(*rows: Row, **options: Any) -> Table:
    """`roster` read back."""
    return read_roster(roster(*rows, **options), "名单.xlsx")


def checked(
    *rows: Row, lang: str | None = None, about: RosterContext | None = None, **options: Any
) -> list[CheckedRow]:
    """`roster` read and checked."""
    return list(check_rows(table_of(*rows, **options), about or context(), lang))


def found(*rows: Row, **options: Any) -> list[tuple[int, str, str, str]]:
    """Row, column, code and severity of everything that was found wrong."""
    return [
        (one.row, problem.column, problem.code, problem.severity)
        for one in checked(*rows, **options)
        for problem in one.problems
    ]


def refusal_of(source: Any, filename: str = "名单.xlsx") -> RosterUnreadable:
    """Why a file cannot be read as a roster."""
    try:
        table = read_roster(source, filename)
    except RosterUnreadable as error:
        return error
    raise AssertionError(f"read {len(table.rows)} rows")


def repacked(data: bytes, **parts: bytes | Callable[[bytes], bytes]) -> bytes:
    """The workbook with some parts replaced or changed; `sheet1` is xl/worksheets/sheet1.xml, and so on."""
    paths = {"sheet1": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml", "book": "xl/workbook.xml"}
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new:
        changes = {paths.get(name, name): change for name, change in parts.items()}
        for name in old.namelist():
            change = changes.get(name, old.read(name))
            new.writestr(name, change(old.read(name)) if callable(change) else change)
    return output.getvalue()
