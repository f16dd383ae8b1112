"""Workbooks that go back to the school."""

import io
from datetime import date

import openpyxl
import pytest
import xlwt

from approvals.applications.rosters import (
    COLUMNS,
    TEMPLATE_VERSION,
    blank_template,
    check_rows,
    error_workbook,
    read_roster,
)
from tests.roster_files import context, csv_text, grid, pupil, pupils, roster, xlsx


def answer(data, filename="名单.xlsx", **options):
    """The sheet that the school gets back for a list, and the list as it was understood."""
    table = read_roster(data, filename)
    refused = [one for one in check_rows(table, context()) if one.refused]
    return openpyxl.load_workbook(io.BytesIO(error_workbook(table, refused, data, **options))).active, table


def values(sheet):
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_the_same_sheet_comes_back_with_the_reasons_in_a_last_column():
    rows = [["名单标题"], [], *grid([pupil(0), pupil(1, 性别="女", 金额="1"), pupil(2)]), ["合计", *[None] * 13, 1875]]
    sheet, _table = answer(xlsx(rows))
    got = values(sheet)
    assert got[0][0] == "名单标题"
    assert got[2] == [*COLUMNS, "错误原因"]
    assert got[3][:22] == list(pupil(0).values())
    assert got[3][22] is None
    assert (
        got[4][22]
        == "性别：性别与身份证号不符，按身份证号应为男。；金额：金额1.00元与资助标准不符，该生本学期的标准为625.00元。"
    )
    assert got[6][0] == "合计"
    assert sheet.freeze_panes == "A4"


def test_ids_accounts_and_codes_stay_text_with_a_text_format():
    sheet, table = answer(roster(pupil(学校标识码=2113049901, 联系电话=13812345678, 姓名=None)))
    for column in ("身份证号", "学籍号", "监护人身份证号", "银行账号", "联系电话", "学校标识码"):
        cell = sheet[f"{table.columns[column].letter}2"]
        assert (cell.data_type, cell.number_format) == ("s", "@"), column
    assert sheet["R2"].value == "13812345678"


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "=1+1"])
@pytest.mark.parametrize("column", ["备注", "姓名", "银行账号"])
def test_a_cell_that_begins_like_a_formula_is_written_as_text(column, cell):
    data = csv_text(grid([pupil(0, **{column: cell, "性别": "女"})])).encode()
    sheet, table = answer(data, "名单.csv")
    written = sheet[f"{table.columns[column].letter}2"]
    assert (written.data_type, written.value.strip()) == ("s", cell.strip())


def test_an_old_workbook_and_a_text_file_come_back_as_xlsx():
    workbook = xlwt.Workbook()
    old = workbook.add_sheet("名单")
    for number, row in enumerate(grid([pupil(性别="女")])):
        for column, cell in enumerate(row):
            if cell is not None:
                old.write(number, column, cell)
    output = io.BytesIO()
    workbook.save(output)
    for data in (output.getvalue(), csv_text(grid([pupil(性别="女")])).encode("gb18030")):
        sheet, _table = answer(data, "名单")
        assert sheet["W1"].value == "错误原因"
        assert sheet["W2"].value.startswith("性别：")
        assert sheet["H2"].value == pupil()["身份证号"]


def test_an_answer_that_is_mended_and_sent_again_gets_its_reasons_replaced():
    first, _table = answer(roster(pupil(0, 性别="女"), pupil(1)))
    first["H3"] = "130499201203050011"
    first["G2"] = "男"
    again = io.BytesIO()
    first.parent.save(again)
    second, table = answer(again.getvalue())
    assert (table.unmapped, [cell.value for cell in second[1]].count("错误原因")) == ([], 1)
    assert second["W2"].value is None
    assert second["W3"].value.startswith("身份证号：")


def test_only_the_refused_rows_may_be_asked_for():
    rows = [["名单标题"], *grid([pupil(0), pupil(1, 姓名=None), pupil(2), pupil(3, 姓名=None)]), ["合计"]]
    sheet, _table = answer(xlsx(rows), only_refused=True)
    got = values(sheet)
    assert [row[0] for row in got] == ["名单标题", "序号", 2, 4]
    assert all(row[22] for row in got[2:])


def test_dates_and_faults_are_kept_as_they_looked():
    def cells(workbook, sheet):
        sheet.write_datetime("V2", date(2026, 9, 7), workbook.add_format({"num_format": "yyyy.m.d"}))
        sheet.write_formula("O2", "=A9", None, "#REF!")

    sheet, _table = answer(roster(pupil(), arrange=cells))
    assert sheet["V2"].value.date() == date(2026, 9, 7)
    assert (sheet["O2"].value, sheet["O2"].data_type) == ("#REF!", "s")


def test_titles_merged_across_the_sheet_stay_merged():
    def merge(_workbook, sheet):
        sheet.merge_range(0, 0, 0, 21, "鸡泽县示例中心小学名单")

    data = xlsx([["鸡泽县示例中心小学名单"], *grid([pupil(姓名=None)])], arrange=merge)
    sheet, _table = answer(data)
    assert [str(one) for one in sheet.merged_cells.ranges] == ["A1:V1"]
    assert sheet["A1"].value == "鸡泽县示例中心小学名单"


# ---------------------------------------------------------------- the blank template


def template(**options):
    data = blank_template(
        "义务教育生活补助", school_name="鸡泽县示例中心小学", term_name="2026年秋季学期", grades=["三年级"], **options
    )
    return data, openpyxl.load_workbook(io.BytesIO(data))


def test_the_template_has_the_countys_columns_and_its_version():
    _data, workbook = template()
    sheet = workbook["名单"]
    assert [cell.value for cell in sheet[2]] == list(COLUMNS)
    assert sheet["A1"].value == "鸡泽县示例中心小学义务教育生活补助名单"
    assert TEMPLATE_VERSION in sheet["V1"].value
    assert workbook["选项"].sheet_state == "hidden"
    assert workbook["填写说明"]["A1"].value


def test_long_numbers_are_text_columns_in_the_template():
    sheet = template()[1]["名单"]
    for column in ("身份证号", "学籍号", "监护人身份证号", "银行账号", "联系电话", "学校标识码"):
        letter = openpyxl.utils.get_column_letter(COLUMNS.index(column) + 1)
        dimension = next(d for d in sheet.column_dimensions.values() if d.min <= COLUMNS.index(column) + 1 <= d.max)
        assert dimension.number_format == "@", letter


def test_codes_are_chosen_from_lists():
    workbook = template(programme_names=["义务教育生活补助", "寄宿生生活补助"])[1]
    sheet, options = workbook["名单"], workbook["选项"]
    lists = {}
    for rule in sheet.data_validations.dataValidation:
        column = COLUMNS[openpyxl.utils.cell.range_boundaries(str(rule.sqref))[0] - 1]
        cells = options[rule.formula1.removeprefix("选项!").replace("$", "")]
        lists[column] = [row[0].value for row in cells] if isinstance(cells, tuple) else [cells.value]
    assert lists["性别"] == ["男", "女"]
    assert lists["资助项目"] == ["义务教育生活补助", "寄宿生生活补助"]
    assert lists["学期"] == ["2026年秋季学期"]
    assert lists["困难等级"] == ["特别困难", "困难", "一般困难"]
    assert "孤儿" in lists["特殊群体类型"]


def test_a_filled_template_is_read_without_a_word():
    data, workbook = template()
    sheet = workbook["名单"]
    for row in pupils(3):
        sheet.append(list(row.values()))
    output = io.BytesIO()
    workbook.save(output)
    table = read_roster(output.getvalue(), "名单.xlsx")
    assert [one.problems for one in check_rows(table, context())] == [[], [], []]
    assert (table.template_version, table.header_row, table.notes) == (TEMPLATE_VERSION, 2, [])
    with pytest.raises(Exception, match="no_rows"):
        read_roster(data, "名单.xlsx")
