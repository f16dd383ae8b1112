"""Rosters however they were laid out: the sheet, the headings, the rows (DOMAIN.md §4.5)."""

import io
from datetime import date, datetime

import openpyxl
import pytest
import xlwt

from approvals.applications.rosters import COLUMNS, check_rows, read_roster
from tests.roster_files import (
    SENIOR_GRANT,
    checked,
    context,
    csv_text,
    found,
    grid,
    pupil,
    pupils,
    refusal_of,
    repacked,
    roster,
    table_of,
    xlsx,
)


def row_numbers(table):
    return [row.row for row in table.rows]


def skipped(table):
    return [(one.row, one.why) for one in table.skipped]


def notes(table):
    return {note.code: dict(note.params) for note in table.notes}


def of_openpyxl(change=lambda sheet: None, rows=None) -> bytes:
    workbook = openpyxl.Workbook()
    for row in rows or grid(pupils(3)):
        workbook.active.append(row)
    change(workbook.active)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def old_workbook(rows, change=lambda workbook, sheet: None) -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("名单")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell is not None:
                sheet.write(number, column, cell)
    change(workbook, sheet)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


# ---------------------------------------------------------------- above and below the list

TITLES = [
    ["鸡泽县示例中心小学2026年秋季学期义务教育生活补助名单"],
    ["填报单位：鸡泽县示例中心小学", None, "2026年9月8日"],
    [],
]
ENDING = [
    ["合计", *[None] * 13, "1875.00"],
    [],
    ["制表人：李老师", None, None, None, None, "审核人：王校长", None, "2026年9月8日"],
    ["单位（盖章）："],
    ["注：1.本表一式两份；2.金额按学期填写，不含上学期结余，请认真核对后再上报。"],
]


def test_titles_above_and_totals_and_signatures_below_are_not_pupils():
    table = read_roster(xlsx([*TITLES, *grid(pupils(3)), *ENDING]), "名单.xlsx")
    assert (table.header_row, row_numbers(table)) == (4, [5, 6, 7])
    assert skipped(table) == [
        (1, "title"), (2, "title"), (8, "total"), (9, "blank"), (10, "signature"), (11, "signature"), (12, "footnote"),
    ]  # fmt: skip
    assert all(one.message for one in table.skipped)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (["合 计", *[None] * 13, 1250], "total"),
        (["总计：", None, None, None, None, "36人"], "total"),
        ([None, "小计", *[None] * 12, "1250.00"], "total"),
        ([None, None, None, None, None, "本页合计"], "total"),
        ([*[None] * 14, "1250.00"], "total"),
        (["合计金额：1250.00元"], "total"),
        (["共120人"], "total"),
        ([*[None] * 5, "以上名单属实，特此证明。"], "footnote"),
        (["填表人:张三  联系电话:0310-7520123  填表日期:2026年9月8日"], "signature"),
        (["校长签字：", None, None, None, "经办人："], "signature"),
        ([None, None, None, "学校（公章）"], "signature"),
        (["负责人签字", None, None, None, None, "经办人"], "signature"),
        (["2026年9月8日"], "signature"),
        (["说明：本表由学校填写。"], "footnote"),
        (["备注：困难等级按学校认定结果填写"], "footnote"),
        (["※ 以上学生均已在校内公示五个工作日且无异议，特此说明。"], "footnote"),
        (list(COLUMNS), "heading"),
        ([str(n) for n in range(1, 23)], "numbering"),
        ([f"({n})" for n in range(1, 23)], "numbering"),
        (["示例", *list(pupil(9).values())[1:]], "example"),
        ([4], "unfilled"),
        ([4, "鸡泽县示例中心小学", "2113049901", *[None] * 9, "义务教育生活补助", "2026年秋季学期"], "unfilled"),
    ],
)
def test_a_row_that_is_no_pupils_is_skipped_and_named(row, why):
    table = read_roster(xlsx([*grid(pupils(2)), row]), "名单.xlsx")
    assert row_numbers(table) == [2, 3]
    assert skipped(table) == [(4, why)]


@pytest.mark.parametrize(
    "changes",
    [
        {"身份证号": None},
        {"姓名": None},
        {"姓名": None, "身份证号": None},
        {"身份证号": "无"},
        {"身份证号": "130499"},
        {"身份证号": None, "备注": "合计在内"},
        {"姓名": "单位"},
    ],
)
def test_a_pupil_with_something_missing_is_a_pupil_still(changes):
    table = read_roster(xlsx(grid([pupil(0), pupil(1, **changes)])), "名单.xlsx")
    assert row_numbers(table) == [2, 3]


def test_totals_between_two_classes_do_not_end_the_list():
    rows = [*grid(pupils(2)), ["小计", *[None] * 13, 1250], list(COLUMNS), list(pupil(5).values())]
    table = read_roster(xlsx(rows), "名单.xlsx")
    assert row_numbers(table) == [2, 3, 6]


# ---------------------------------------------------------------- headings


def test_headings_in_two_rows_with_merged_cells_are_read_together():
    above = [
        "序号",
        "学校信息",
        None,
        None,
        None,
        "学生信息",
        None,
        None,
        None,
        "监护人信息",
        None,
        None,
        "发放账户",
        None,
        None,
    ]
    below = [None, "学校名称", "年级", "班级", "是否寄宿", "姓名", "性别", "身份证号码", "金额（元）",
             "姓名", "身份证号码", "联系电话", "账号", "姓名", "开户银行"]  # fmt: skip
    order = ["序号", "学校", "年级", "班级", "是否寄宿", "姓名", "性别", "身份证号", "金额",
             "监护人姓名", "监护人身份证号", "联系电话", "银行账号", "户名", "开户行"]  # fmt: skip
    rows = [[row[column] for column in order] for row in pupils(2)]

    def merge(_workbook, sheet):
        sheet.merge_range(1, 0, 2, 0, "序号")
        sheet.merge_range(1, 5, 1, 8, "学生信息")

    table = read_roster(xlsx([["名单"], above, below, *rows], arrange=merge), "名单.xlsx")
    assert (table.header_row, list(table.columns), row_numbers(table)) == (3, order, [4, 5])
    assert "two_heading_rows" in notes(table)
    assert table.columns["监护人姓名"].heading == "监护人信息/姓名"
    assert table.rows[0].get("监护人姓名") == "王大山"
    assert table.rows[0].get("户名") == "王小一"


def test_the_list_may_begin_anywhere_on_the_sheet():
    rows = [[], [], [], *([None, None, *row] for row in grid(pupils(2)))]
    table = read_roster(xlsx(rows), "名单.xlsx")
    assert (table.header_row, row_numbers(table)) == (4, [5, 6])
    assert (table.columns["序号"].letter, table.columns["备注"].letter) == ("C", "X")


def test_columns_may_stand_in_any_order_and_be_headed_by_other_words():
    headings = {"公民身份号码": "身份证号", "卡号": "银行账号", "家长手机": "联系电话", "寄宿": "是否寄宿",
                "学生姓名": "姓名", "家长姓名": "监护人姓名", "困难认定等级": "困难等级"}  # fmt: skip
    rows = [[row[column] for column in headings.values()] for row in pupils(2)]
    table = read_roster(xlsx([list(headings), *rows]), "名单.xlsx")
    assert {match.heading: column for column, match in table.columns.items()} == headings
    assert not any(match.exact for match in table.columns.values())
    assert "金额" in table.missing
    assert table.rows[0].cells["身份证号"] == pupil()["身份证号"]


def test_headings_that_mean_nothing_here_are_named():
    table = table_of(pupil() | {"民族": "汉族", "错误原因": "旧的原因"}, headings=[*COLUMNS, "民族", "错误原因"])
    assert [(one.letter, one.heading) for one in table.unmapped] == [("W", "民族")]


def test_two_columns_of_one_name_with_different_names_are_refused():
    rows = [["姓名", "身份证号", "姓名"], ["王小禾", pupil()["身份证号"], "王大山"]]
    error = refusal_of(xlsx(rows))
    assert (error.code, error.params["column"], error.params["letters"]) == ("duplicate_columns", "姓名", "A、C")


@pytest.mark.parametrize("second", [None, pupil()["身份证号"]])
def test_a_second_column_that_says_nothing_else_is_only_noted(second):
    rows = [["姓名", "身份证号", "身份证号"], ["王小禾", pupil()["身份证号"], second]]
    table = read_roster(xlsx(rows), "名单.xlsx")
    assert table.columns["身份证号"].letter == "B"
    assert notes(table)["column_ignored"]["letter"] == "C"


def test_the_filled_one_of_two_columns_is_taken():
    rows = [["姓名", "身份证号", "身份证号"], ["王小禾", None, pupil()["身份证号"]]]
    assert read_roster(xlsx(rows), "名单.xlsx").columns["身份证号"].letter == "C"


def test_the_number_on_a_social_security_card_is_the_account_only_where_nothing_better_is():
    number = pupil()["银行账号"]
    both = [["姓名", "身份证号", "社保卡号", "银行账号"], ["王小禾", pupil()["身份证号"], "A12345678", number]]
    alone = [["姓名", "身份证号", "社保卡号"], ["王小禾", pupil()["身份证号"], number]]
    assert read_roster(xlsx(both), "名单.xlsx").rows[0].get("银行账号") == number
    assert read_roster(xlsx(alone), "名单.xlsx").rows[0].get("银行账号") == number


# ---------------------------------------------------------------- sheets


def several(*sheets) -> bytes:
    """Sheets as (name, rows, state)."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows, state in sheets:
        sheet = workbook.create_sheet(name)
        sheet.sheet_state = state
        for row in rows:
            sheet.append(row)
    workbook.active = next((i for i, (_n, _r, state) in enumerate(sheets) if state == "visible"), 0)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


GUIDE = [["填表说明"], ["1. 姓名、身份证号必填"], ["2. 银行账号设为文本"]]


def test_the_sheet_with_the_roster_is_found_among_others():
    data = several(("填表说明", GUIDE, "visible"), ("空", [], "visible"), ("名单", grid(pupils(2)), "visible"))
    table = read_roster(data, "名单.xlsx")
    assert table.sheet == "名单"
    assert [(one.name, one.why) for one in table.sheets] == [
        ("填表说明", "no_roster"),
        ("空", "blank"),
        ("名单", "read"),
    ]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_not_taken_where_a_visible_one_fits(state):
    few = [["姓名", "身份证号"], ["王小禾", pupil()["身份证号"]]]
    table = read_roster(several(("去年", grid(pupils(9)), state), ("今年", few, "visible")), "名单.xlsx")
    assert table.sheet == "今年"
    assert [(one.name, one.hidden, one.why) for one in table.sheets] == [
        ("去年", True, "hidden"),
        ("今年", False, "read"),
    ]


def test_a_hidden_sheet_is_taken_and_noted_where_no_visible_one_fits():
    table = read_roster(several(("说明", GUIDE, "visible"), ("名单", grid(pupils(2)), "hidden")), "名单.xlsx")
    assert notes(table)["hidden_sheet"] == {"sheet": "名单"}


def test_other_sheets_with_rosters_are_named_and_can_be_asked_for():
    data = several(("一班", grid(pupils(2)), "visible"), ("二班", grid(pupils(3)), "visible"))
    table = read_roster(data, "名单.xlsx")
    assert (table.sheet, notes(table)["other_sheets"]["others"]) == ("一班", "二班")
    assert len(read_roster(data, "名单.xlsx", sheet="二班").rows) == 3
    with pytest.raises(Exception, match="no_such_sheet"):
        read_roster(data, "名单.xlsx", sheet="三班")


# ---------------------------------------------------------------- hidden and merged


def test_hidden_rows_and_columns_are_read_and_noted():
    def hide(_workbook, sheet):
        for row in (2, 3, 5):
            sheet.set_row(row, None, None, {"hidden": True})
        sheet.set_column("H:I", None, None, {"hidden": True})
        sheet.set_column("AZ:BB", None, None, {"hidden": True})

    table = table_of(*pupils(6), arrange=hide)
    assert row_numbers(table) == [2, 3, 4, 5, 6, 7]
    assert notes(table) == {"hidden_rows": {"count": 3, "rows": "3-4、6"}, "hidden_columns": {"letters": "H、I"}}


def test_hidden_rows_and_columns_of_an_old_workbook_are_noted_too():
    def hide(_workbook, sheet):
        sheet.row(2).hidden = True
        sheet.col(7).hidden = True

    table = read_roster(old_workbook(grid(pupils(3)), hide), "名单.xls")
    assert notes(table) == {"hidden_rows": {"count": 1, "rows": "3"}, "hidden_columns": {"letters": "H"}}


def test_a_school_name_merged_down_over_the_pupils_holds_for_each():
    rows = grid([pupil(0), pupil(1, 学校=None, 班级=None), pupil(2, 学校=None)])

    def merge(_workbook, sheet):
        sheet.merge_range(1, 1, 3, 1, "鸡泽县示例中心小学")
        sheet.merge_range(1, 4, 2, 4, "2班")

    table = read_roster(xlsx(rows, arrange=merge), "名单.xlsx")
    assert [row.get("学校") for row in table.rows] == ["鸡泽县示例中心小学"] * 3
    assert [row.get("班级") for row in table.rows] == ["2班", "2班", "2班"]
    assert notes(table)["merged_cells"] == {"columns": "学校、班级"}


def test_an_account_merged_down_is_not_given_to_the_next_pupil():
    def merge(_workbook, sheet):
        sheet.merge_range(1, 19, 2, 19, pupil()["银行账号"])

    rows = table_of(pupil(0), pupil(1, 银行账号=None), arrange=merge).rows
    assert [row.get("银行账号") for row in rows] == [pupil()["银行账号"], None]


# ---------------------------------------------------------------- kinds of files


def test_an_old_workbook_says_the_same_as_a_new_one():
    rows = grid(pupils(4))
    old, new = read_roster(old_workbook(rows), "a.xls"), read_roster(xlsx(rows), "a.xlsx")
    assert (old.format, new.format) == ("xls", "xlsx")
    assert [row.cells for row in old.rows] == [row.cells for row in new.rows]


def test_workbooks_of_several_writers_say_the_same():
    rows = grid(pupils(4))
    plain = read_roster(xlsx(rows), "a.xlsx")
    for data in (of_openpyxl(rows=rows), xlsx(rows, constant_memory=True), xlsx(rows, in_memory=True)):
        assert [row.cells for row in read_roster(data, "a.xlsx").rows] == [row.cells for row in plain.rows]


def test_a_writer_that_prefixes_its_tags_and_leaves_references_out_is_understood():
    data = """<?xml version="1.0" encoding="utf-8"?>
    <x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
      <x:cols><x:col min="2" max="2" hidden="1"/></x:cols>
      <x:sheetData>
        <x:row>
          <x:c t="inlineStr"><x:is><x:t>姓名</x:t></x:is></x:c>
          <x:c t="inlineStr"><x:is><x:r><x:t>身份</x:t></x:r><x:r><x:t>证号</x:t></x:r></x:is></x:c>
        </x:row>
        <x:row>
          <x:c t="str"><x:v>王小禾</x:v></x:c>
          <x:c t="str"><x:f>A1</x:f><x:v>130499201203050010</x:v></x:c>
        </x:row>
      </x:sheetData>
    </x:worksheet>""".encode()
    table = read_roster(repacked(roster(pupil()), sheet1=data), "名单.xlsx")
    assert table.rows[0].cells == {"姓名": "王小禾", "身份证号": "130499201203050010"}
    assert notes(table) == {"hidden_columns": {"letters": "B"}}


def test_hints_on_pronunciation_and_escaped_characters_are_not_part_of_a_text():
    strings = """<sst xmlns="x"><si><t>姓名</t></si><si><t>身份证号</t></si>
    <si><r><t>王</t></r><r><t>小禾</t></r><rPh sb="0" eb="1"><t>Wang</t></rPh></si>
    <si><t>13049920120305_x000D_0010</t></si></sst>"""
    sheet = """<worksheet xmlns="x"><sheetData>
    <row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>
    <row r="9"><c r="A9" t="s"><v>2</v></c><c r="B9" t="s"><v>3</v></c></row></sheetData></worksheet>"""
    data = repacked(roster(pupil()), sheet1=sheet.encode(), strings=strings.encode())
    table = read_roster(data, "名单.xlsx")
    assert row_numbers(table) == [9]
    assert table.rows[0].get("姓名") == "王小禾"
    assert check_one(table).id_number == "130499201203050010"


def check_one(table, **about):
    choices = [SENIOR_GRANT[0].__class__("any", {"任何"}, needs_account=False)]
    return next(iter(check_rows(table, context(programmes=choices, **about)))).values


CSV_KINDS = {
    "UTF-8": ("utf-8", ",", "\r\n"),
    "UTF-8 with BOM": ("utf-8-sig", ",", "\n"),
    "UTF-16": ("utf-16", "\t", "\r\n"),
    "UTF-16 without BOM": ("utf-16-le", ",", "\r\n"),
    "UTF-16 big-endian without BOM": ("utf-16-be", ",", "\r\n"),
    "GB18030": ("gb18030", ",", "\r\n"),
    "tabs": ("gb18030", "\t", "\n"),
    "semicolons": ("utf-8", ";", "\n"),
    "old Mac line ends": ("utf-8", ",", "\r"),
}


@pytest.mark.parametrize("kind", CSV_KINDS)
def test_text_files_of_every_kind_say_the_same(kind):
    encoding, delimiter, newline = CSV_KINDS[kind]
    rows = grid([pupil(0, 姓名="𠮷田·䶮㛃"), *pupils(3)[1:]])
    table = read_roster(csv_text(rows, delimiter, newline).encode(encoding), "名单.csv")
    assert row_numbers(table) == [2, 3, 4]
    assert table.encoding.replace("_", "-").startswith(encoding[:5])
    assert table.rows[0].get("姓名") == "𠮷田·䶮㛃"
    assert table.rows[2].get("银行账号") == pupil(2)["银行账号"]


def test_line_breaks_inside_quotation_marks_start_no_new_row():
    headings = ["姓名", "身份证号\n（18位）", "备注"]
    rows = [
        headings,
        ["王小禾", pupil(0)["身份证号"], '第一行\n第二行，"引号"'],
        [],
        ["李小二", pupil(1)["身份证号"], None],
    ]
    table = read_roster(csv_text(rows).encode(), "名单.csv")
    assert row_numbers(table) == [2, 4]
    assert skipped(table) == [(3, "blank")]


def test_a_quotation_mark_that_never_closes_is_pointed_at():
    lines = csv_text(grid(pupils(30))).split("\r\n")
    lines[4] = lines[4].replace("王小", '"王小', 1)
    error = refusal_of("\r\n".join(lines).encode(), "名单.csv")
    assert (error.code, error.params["row"]) == ("open_quote", 5)


def test_nul_bytes_in_a_text_file_are_dropped():
    data = csv_text(grid(pupils(2))).encode().replace("王小".encode(), "王\0小".encode())
    assert read_roster(data, "名单.csv").rows[0].get("姓名") == "王小一"


def test_a_few_broken_bytes_do_not_spoil_a_list_but_are_noted():
    data = csv_text(grid(pupils(5))).encode()
    place = data.index("王小".encode()) + 3
    broken = data[:place] + b"\xff" + data[place + 1 :]
    table = read_roster(broken, "名单.csv")
    assert notes(table)["lost_characters"]["count"] >= 1
    problem = next(iter(check_rows(table, context()))).problems[0]
    assert (problem.column, problem.code) == ("姓名", "name_lost_character")


def test_text_that_begins_like_a_formula_stays_text_and_excels_own_trick_is_undone():
    number = pupil()["身份证号"]
    rows = [
        ["姓名", "身份证号", "备注"],
        ["王小禾", f'="{number}"', "=1+1"],
        ["李小二", f"\t{pupil(1)['身份证号']}", "@SUM(A1)"],
    ]
    table = read_roster(csv_text(rows).encode(), "名单.csv")
    assert table.rows[0].get("身份证号") == number
    assert [row.get("备注") for row in table.rows] == ["=1+1", "@SUM(A1)"]
    assert check_one(table).remark == "=1+1"


# ---------------------------------------------------------------- cells

MOMENT = datetime(2026, 9, 7, 8, 30)  # noqa: DTZ001 a cell has no time zone


def test_formulas_are_read_by_their_results():
    def formulas(_workbook, sheet):
        sheet.write_formula("O2", "=625*1", None, 625)
        sheet.write_formula("F2", '="王"&"小禾"', None, "王小禾")
        sheet.write_formula("V2", '=IF(A1="","x","")', None, "")

    def as_excel_writes_an_empty_text(xml):
        return xml.replace(b'<c r="V2"><f>', b'<c r="V2" t="str"><f>')

    data = repacked(roster(pupil(), arrange=formulas), sheet1=as_excel_writes_an_empty_text)
    row = read_roster(data, "名单.xlsx").rows[0]
    assert (row.get("金额"), row.get("姓名"), row.get("备注")) == (625, "王小禾", None)


def test_a_formula_without_a_result_refuses_its_cell():
    def formula(sheet):
        sheet["O3"] = "=625*1"

    table = read_roster(of_openpyxl(formula), "名单.xlsx")
    results = list(check_rows(table, context()))
    assert [(one.row, p.column, p.code) for one in results for p in one.problems] == [(3, "金额", "not_calculated")]
    assert "公式" in results[1].problems[0].message


def test_an_error_in_a_cell_is_named():
    new = roster(pupil(), arrange=lambda _w, sheet: sheet.write_formula("H2", "=Sheet9!A1", None, "#REF!"))
    old = old_workbook(grid([pupil(身份证号=None)]), lambda _w, sheet: sheet.row(1).set_cell_error(7, "#REF!"))
    for data in (new, old):
        problem = next(iter(check_rows(read_roster(data, "a.xls"), context()))).problems[0]
        assert (problem.column, problem.code) == ("身份证号", "cell_error")
        assert "#REF!" in problem.message


def test_numbers_and_dates_keep_their_kind():
    def cells(workbook, sheet):
        sheet.write_number("S2", 12.5)
        sheet.write_datetime("V2", MOMENT, workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_datetime("D2", date(2026, 9, 7), workbook.add_format({"num_format": "yyyy年m月d日"}))
        sheet.write_boolean("J2", True)
        sheet.write_number("R2", 13812345678)

    row = table_of(pupil(), arrange=cells).rows[0]
    assert row.get("开户行") == 12.5
    assert row.get("备注") == MOMENT
    assert row.get("年级") == date(2026, 9, 7)
    assert row.get("是否寄宿") is True
    assert row.get("联系电话") == 13812345678


@pytest.mark.parametrize("number", [b"1e999", b"nan", b"-inf"])
def test_a_number_that_is_none_is_a_word(number):
    data = roster(pupil(0, 序号=987), arrange=lambda _w, sheet: sheet.write_number("V2", 654))
    data = repacked(data, sheet1=lambda xml: xml.replace(b"<v>987</v>", b"<v>%s</v>" % number).replace(b"654", number))
    assert read_roster(data, "名单.xlsx").rows[0].get("备注") == number.decode()


def test_days_count_from_1904_where_the_workbook_says_so():
    workbook = openpyxl.Workbook()
    workbook.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in grid([pupil(备注=date(2026, 9, 7))]):
        workbook.active.append(row)
    output = io.BytesIO()
    workbook.save(output)
    assert read_roster(output.getvalue(), "a.xlsx").rows[0].get("备注") == date(2026, 9, 7)


def test_an_old_template_is_noted():
    rows = [["义务教育生活补助名单", *[None] * 20, "模板版本：2024-1"], *grid(pupils(1))]
    table = read_roster(xlsx(rows), "名单.xlsx")
    assert table.template_version == "2024-1"
    assert notes(table)["old_template"]["version"] == "2024-1"


def test_notes_are_sentences():
    table = table_of(*pupils(2), arrange=lambda _w, sheet: sheet.set_row(2, None, None, {"hidden": True}))
    assert [note.message for note in table.notes] == ["隐藏的1行也已读取（第3行）。"]


def test_rows_are_numbered_as_a_person_sees_them_in_what_is_refused():
    rows = [*TITLES, *grid([pupil(0), pupil(1, 性别="女"), pupil(2)]), *ENDING]
    table = read_roster(xlsx(rows), "名单.xlsx")
    refused = [(one.row, one.problems[0].column) for one in check_rows(table, context()) if one.refused]
    assert refused == [(6, "性别")]
    assert found(pupil(0, 性别="女"))[0][0] == 2
    assert checked(pupil(0))[0].row == 2
