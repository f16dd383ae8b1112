"""The many ways schools head their columns (DOMAIN.md §4.5)."""

import pytest

from approvals.applications.rosters.columns import COLUMNS, EXACT, LAST_RESORT, match_heading


@pytest.mark.parametrize("column", COLUMNS)
def test_a_canonical_heading_names_itself(column):
    assert match_heading(column) == (column, EXACT)
    assert match_heading(f" {column[0]} {column[1:]}\n")[0] == column
    assert match_heading(f"*{column}（必填）")[0] == column


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("公民身份号码", "身份证号"),
        ("身份证件号码", "身份证号"),
        ("居民身份证号码(18位)", "身份证号"),
        ("学生身份证号", "身份证号"),
        ("证件号码", "身份证号"),
        ("卡号", "银行账号"),
        ("银行帐号", "银行账号"),
        ("学生银行卡号", "银行账号"),
        ("社会保障卡金融账户", "银行账号"),
        ("一卡通账号", "银行账号"),
        ("账号/卡号", "银行账号"),
        ("家长手机", "联系电话"),
        ("家长联系电话", "联系电话"),
        ("监护人手机号码", "联系电话"),
        ("联系方式", "联系电话"),
        ("寄宿", "是否寄宿"),
        ("是否住校", "是否寄宿"),
        ("寄宿/走读", "是否寄宿"),
        ("学生姓名", "姓名"),
        ("受助学生姓名", "姓名"),
        ("姓　名", "姓名"),
        ("家长姓名", "监护人姓名"),
        ("监护人（家长）姓名", "监护人姓名"),
        ("法定监护人身份证号码", "监护人身份证号"),
        ("家长身份证", "监护人身份证号"),
        ("监护人公民身份号码", "监护人身份证号"),
        ("学校(机构)标识码", "学校标识码"),
        ("学校代码", "学校标识码"),
        ("金额（元）", "金额"),
        ("补助金额", "金额"),
        ("全国学籍号", "学籍号"),
        ("持卡人姓名", "户名"),
        ("开户银行", "开户行"),
        ("困难认定等级", "困难等级"),
        ("特殊困难群体类型", "特殊群体类型"),
        ("出生年月", "出生日期"),
        ("1.姓名", "姓名"),
        ("ＮＯ", "序号"),
    ],
)
def test_a_synonym_names_its_column(heading, column):
    assert match_heading(heading)[0] == column


@pytest.mark.parametrize(
    "heading",
    [
        "民族",
        "家庭住址",
        "是否走读",
        "第二监护人姓名",
        "与学生关系",
        "监护人签字",
        "学生照片",
        "家庭人口数",
        "",
        "一卡通照片",
        "身份证件类型",
    ],
)
def test_other_headings_name_nothing(heading):
    assert match_heading(heading) is None


@pytest.mark.parametrize(
    ("group", "heading", "column"),
    [
        ("监护人信息", "姓名", "监护人姓名"),
        ("家长情况", "身份证号码", "监护人身份证号"),
        ("监护人", "电话", "联系电话"),
        ("学生信息", "姓名", "姓名"),
        ("银行账户", "姓名", "户名"),
        ("一卡通", "账号", "银行账号"),
    ],
)
def test_below_another_heading_a_word_means_that_ones(group, heading, column):
    assert match_heading(heading, group)[0] == column


def test_words_that_may_mean_something_else_are_a_last_resort():
    assert match_heading("社保卡号") == ("银行账号", LAST_RESORT)
    assert match_heading("补助标准") == ("金额", LAST_RESORT)
