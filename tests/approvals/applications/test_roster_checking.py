"""Judging rows: data errors refuse, doubts travel along (DOMAIN.md §4.3, §4.5)."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import gettext_lazy as _
from hypothesis import given
from hypothesis import strategies as st

from approvals.applications.rosters import (
    COLUMNS,
    ERROR,
    WARNING,
    Problem,
    ProgrammeChoice,
    RosterUnreadable,
    check_rows,
    root_cause,
)
from approvals.applications.rosters.reading import RawRow
from approvals.applications.rosters.sheets import CellFault
from approvals.applications.rosters.values import parse_class, parse_grade
from approvals.programmes.definition import STAGES
from tests.factories import FIRST_DAY, account_number, id_number
from tests.roster_files import (
    SENIOR_GRANT,
    SENIOR_SCHOOL,
    WAIVER,
    checked,
    context,
    csv_text,
    found,
    grid,
    pupil,
    pupils,
    read_roster,
    table_of,
)

ID = pupil()["身份证号"]
CARD = pupil()["银行账号"]


def value(name, *, about=None, headings=COLUMNS, **changes):
    """A value of the only row, which nothing refuses."""
    one = checked(pupil() | changes, about=about, headings=headings)[0]
    assert not one.refused, [problem.message for problem in one.problems]
    return getattr(one.values, name)


def test_a_faultless_row_has_no_problems_and_all_its_values():
    one = checked(pupil())[0]
    assert one.problems == []
    row = one.values
    assert (row.name, row.sex, row.birth_date, row.id_number) == ("王小一", "M", date(2016, 3, 1), ID)
    assert (row.enrolment_no, row.grade, row.class_name, row.stage) == ("G" + ID, "三年级", "2班", "primary")
    assert (row.boarder, row.special_groups, row.level) == (True, ("dibao",), "moderate")
    assert (row.programme_code, row.term, row.amount) == ("living_subsidy_boarder", "2026-2027-1", Decimal("625.00"))
    assert (row.guardian_name, row.phone, row.bank) == ("王大山", "13800000000", "鸡泽县农村信用联社")
    assert (row.account_no, row.account_kind, row.holder_name, row.remark) == (CARD, "bank_card", "王小一", "")


# ---------------------------------------------------------------- what refuses a row, and where

REFUSED = [
    ("姓名", None, "name_missing"),
    ("姓名", "王小1", "name_characters"),
    ("姓名", "王?", "name_lost_character"),
    ("身份证号", None, "id_missing"),
    ("身份证号", "130499201203050011", "id_check_digit"),
    ("身份证号", "130499201002290018", "id_date"),
    ("身份证号", "13049920120305", "id_length"),
    ("身份证号", "130499120305001", "id_first_generation"),
    ("身份证号", 130499201203050010, "number_form"),
    ("身份证号", "1.30499E+17", "number_form"),
    ("身份证号", "１．３０４９９Ｅ＋１７", "number_form"),
    ("性别", "女", "sex_against_id"),
    ("性别", "未知", "sex_unknown"),
    ("学籍号", "X123", "enrolment_format"),
    ("学籍号", "130499201203050010", "enrolment_format"),
    ("学校标识码", "2113049902", "other_school"),
    ("学校", "鸡泽县第二小学", "other_school"),
    ("是否寄宿", "有时", "boarder_unknown"),
    ("是否寄宿", None, "boarder_missing"),
    ("特殊群体类型", "外星人", "group_unknown"),
    ("困难等级", "很困难", "level_unknown"),
    ("困难等级", None, "level_missing"),
    ("资助项目", "普通高中国家助学金", "programme_mismatch"),
    ("资助项目", "没有这个项目", "programme_mismatch"),
    ("学期", "2026年春季学期", "term_mismatch"),
    ("学期", "下学期", "term_unknown"),
    ("金额", "312.50", "amount_not_rate"),
    ("金额", 0, "amount_not_rate"),
    ("金额", "-625", "amount_negative"),
    ("金额", "625.001", "amount_decimals"),
    ("金额", "六百二十五", "amount_format"),
    ("金额", "=SUM(A1:A3)", "amount_format"),
    ("监护人姓名", "王大山1", "name_characters"),
    ("监护人身份证号", "130499198507043043", "id_check_digit"),
    ("监护人身份证号", 130499198507043042, "number_form"),
    ("联系电话", "12345", "phone_format"),
    ("银行账号", None, "account_missing"),
    ("银行账号", "6219990000000000011", "account_check_digit"),
    ("银行账号", "621999000000001", "account_length"),
    ("银行账号", "62199900000000000A0", "account_format"),
    ("银行账号", 6219990000000000010, "number_form"),
    ("银行账号", "6.21999E+18", "number_form"),
    ("年级", "高一", "stage_not_covered"),
    ("备注", "长" * 501, "too_long"),
]


@pytest.mark.parametrize(("column", "cell", "code"), REFUSED)
def test_a_data_error_refuses_its_row_at_its_column(column, cell, code):
    one = checked(pupil(0), pupil(1, **{column: cell}), pupil(2))[1]
    first, _others = root_cause(one.problems)
    assert (one.values, first.column, first.code, first.severity) == (None, column, code, ERROR)
    assert first.message.endswith("。")
    assert not any(later.refused for later in checked(pupil(0), pupil(1, **{column: cell}), pupil(2))[2:])


WARNED = [
    ("学籍号", "G130499201203050010", "enrolment_against_id"),
    ("年级", "启智班", "grade_unknown"),
    ("监护人姓名", None, "guardian_missing"),
    ("监护人身份证号", id_number(date(2012, 1, 1), 1), "guardian_under_18"),
    ("户名", "王大山", "holder_is_guardian"),
    ("户名", "李四", "holder_is_other"),
    ("户名", None, "holder_missing"),
    ("开户行", None, "bank_missing"),
]


@pytest.mark.parametrize(("column", "cell", "code"), WARNED)
def test_a_doubt_is_shown_and_the_row_is_taken(column, cell, code):
    assert found(pupil(**{column: cell})) == [(2, column, code, WARNING)]
    assert not checked(pupil(**{column: cell}))[0].refused


def test_a_pupil_under_18_cannot_be_its_own_guardian():
    assert found(pupil(监护人身份证号=ID)) == [(2, "监护人身份证号", "guardian_is_pupil", ERROR)]
    grown = id_number(date(2008, 9, 7), 1)
    assert found(pupil(身份证号=grown, 学籍号=None, 监护人身份证号=grown, 监护人姓名=None)) == []


# ---------------------------------------------------------------- spellings


@pytest.mark.parametrize(
    "cell",
    [ID.lower(), f"'{ID}", f" {ID} ", "".join(chr(ord(c) + 0xFEE0) for c in ID), f"{ID[:6]} {ID[6:14]} {ID[14:]}"],
)
def test_an_id_is_understood_however_it_was_typed(cell):
    assert value("id_number", 身份证号=cell) == ID


def test_a_small_x_is_a_capital_one():
    number = next(n for order in range(1, 99, 2) if (n := id_number(date(2016, 3, 2), order)).endswith("X"))
    row = pupil(身份证号=number.lower(), 学籍号="g" + number.lower())
    assert [(one.values.id_number, one.problems) for one in checked(row)] == [(number, [])]


@pytest.mark.parametrize(
    "cell", [f"{CARD[:4]} {CARD[4:8]} {CARD[8:]}", f"{CARD[:6]}-{CARD[6:]}", f"'{CARD}", f"{CARD}\n"]
)
def test_a_card_number_may_be_spaced(cell):
    assert value("account_no", 银行账号=cell) == CARD


@pytest.mark.parametrize(
    ("cell", "phone"), [(13812345678, "13812345678"), ("138 1234 5678", "13812345678"), (None, "")]
)
def test_a_phone_may_stand_in_a_number_cell(cell, phone):
    assert value("phone", 联系电话=cell) == phone


@pytest.mark.parametrize(
    "cell", ["625", "625.0", "625.00", 625, 625.0, "¥625.00", "￥625", "625元", "625.00 元", "６２５"]
)
def test_an_amount_is_understood_however_it_was_typed(cell):
    assert value("amount", 金额=cell) == Decimal("625.00")


def test_half_yuan_are_exact_even_from_a_number_cell():
    assert str(value("amount", 是否寄宿="否", 金额=312.5)) == "312.50"
    assert value("amount", 是否寄宿="否", 金额=312.50000000001) == Decimal("312.50")


def test_thousands_may_be_separated():
    about = context(programmes=SENIOR_GRANT, school_code=SENIOR_SCHOOL[0], school_name=SENIOR_SCHOOL[1])
    row = {"学校": SENIOR_SCHOOL[1], "学校标识码": SENIOR_SCHOOL[0], "年级": "高二", "资助项目": "普通高中国家助学金"}
    assert value("amount", about=about, 金额="1,150.00", **row) == Decimal("1150.00")
    assert value("amount", about=about, 金额="1，500", **row) == Decimal("1500.00")


@pytest.mark.parametrize("cell", ["是", "寄宿", "寄宿生", "住校", "√", "Y", 1, True])
def test_these_say_that_a_pupil_boards(cell):
    assert value("boarder", 是否寄宿=cell) is True


@pytest.mark.parametrize("cell", ["否", "走读", "非寄宿生", "×", "N", 0, False])
def test_these_say_that_a_pupil_does_not(cell):
    assert value("boarder", 是否寄宿=cell, 金额="312.50") is False


@pytest.mark.parametrize("cell", ["2026-2027-1", "2026秋", "2026—2027学年第一学期", None])
def test_the_same_term_may_be_written_in_many_ways(cell):
    assert value("term", 学期=cell) == "2026-2027-1"


@pytest.mark.parametrize("cell", [2113049901, "2113049901.0", "２１１３０４９９０１", None])
def test_a_school_code_may_be_a_number_or_missing(cell):
    assert value("name", 学校标识码=cell)


@pytest.mark.parametrize(
    "cell", ["示例中心小学", "河北省邯郸市鸡泽县示例中心小学", "鸡泽县 示例中心小学", "老名字小学", None]
)
def test_a_school_may_be_called_by_its_short_or_former_name(cell):
    assert value("name", about=context(other_school_names=["老名字小学"]), 学校=cell)


@pytest.mark.parametrize(
    "cell", ["2016-03-01", "2016.3.1", "2016年3月1日", "20160301", "2016年3月", 42430, date(2016, 3, 1)]
)
def test_a_birth_date_in_any_form_is_compared_with_the_id(cell):
    headings = [*COLUMNS, "出生日期"]
    if isinstance(cell, date):
        rows = csv_text(grid([pupil(出生日期=cell.isoformat())], headings))
        assert [one.problems for one in check_rows(read_roster(rows.encode(), "a.csv"), context())] == [[]]
    else:
        assert value("birth_date", headings=headings, 出生日期=cell) == date(2016, 3, 1)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2016-03-02", "birth_date_against_id"),
        ("去年", "birth_date_unknown"),
        (42431, "birth_date_against_id"),
        ("2016-02-30", "birth_date_unknown"),
    ],
)
def test_another_birth_date_refuses_the_row(cell, code):
    assert found(pupil(出生日期=cell), headings=[*COLUMNS, "出生日期"]) == [(2, "出生日期", code, ERROR)]


def test_names_keep_dots_and_rare_characters_and_lose_spaces():
    row = pupil(姓名="买买提・艾 力", 户名="买买提·艾力", 监护人姓名="𠮷 田䶮")
    one = checked(row)[0]
    assert one.problems == []
    assert (one.values.name, one.values.guardian_name) == ("买买提·艾力", "𠮷田䶮")


# ---------------------------------------------------------------- grades and classes


@pytest.mark.parametrize(
    ("text", "school_stage", "name", "stage"),
    [
        ("三年级", None, "三年级", "primary"),
        ("3年级", None, "三年级", "primary"),
        ("小学三年级", None, "三年级", "primary"),
        ("3", None, "三年级", "primary"),
        ("七年级", None, "七年级", "junior"),
        ("初一", None, "七年级", "junior"),
        ("初三年级", None, "九年级", "junior"),
        ("高一", None, "高一", "senior"),
        ("高2", None, "高二", "senior"),
        ("高中三年级", None, "高三", "senior"),
        ("十年级", None, "高一", "senior"),
        ("一年级", "senior", "高一", "senior"),
        ("一年级", "voc", "中职一年级", "voc"),
        ("职高二", None, "中职二年级", "voc"),
        ("中职三年级", None, "中职三年级", "voc"),
        ("五年级", "special", "五年级", "special"),
        ("大班", None, "大班", "preschool"),
    ],
)
def test_a_grade_tells_its_stage(text, school_stage, name, stage):
    assert parse_grade(text, school_stage) == (name, stage)
    assert stage in {*STAGES, "preschool"}


@pytest.mark.parametrize("text", ["", "启智", "高四", "初五", "2023级", "十三年级", "0年级"])
def test_other_words_are_no_grade(text):
    assert parse_grade(text) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2班", ("", "2班")),
        ("2", ("", "2班")),
        ("三年级2班", ("三年级", "2班")),
        ("三年级（2）班", ("三年级", "2班")),
        ("3(2)", ("3", "2班")),
        ("3.2班", ("3", "2班")),
        ("高一1班", ("高一", "1班")),
        ("实验班", ("", "实验班")),
        ("", ("", "")),
    ],
)
def test_a_class_may_name_its_grade(text, parts):
    assert parse_class(text.replace("（", "(").replace("）", ")")) == parts


def test_one_column_for_grade_and_class_serves_for_both():
    headings = [column for column in COLUMNS if column != "年级"]
    one = checked(pupil(班级="七年级3班", 金额="750.00"), headings=headings)[0]
    assert (one.values.grade, one.values.stage, one.values.class_name) == ("七年级", "junior", "3班")


def test_the_stage_of_the_grade_decides_the_rate():
    assert found(pupil(年级="初二", 金额="625.00")) == [(2, "金额", "amount_not_rate", ERROR)]
    assert value("amount", 年级="初二", 金额="750.00") == 750


def test_without_a_grade_the_schools_stage_is_taken():
    assert value("stage", 年级=None) == "primary"
    assert value("stage", 年级=None, 金额="750.00", about=context(school_stages=["junior"])) == "junior"


def test_where_no_stage_is_known_the_rates_of_all_stages_are_right():
    about = context(school_stages=["primary", "junior"])
    assert value("amount", 年级=None, 金额="750.00", about=about) == 750
    assert found(pupil(年级=None, 金额="700"), about=about) == [(2, "金额", "amount_not_rate", ERROR)]


# ---------------------------------------------------------------- programme and amount


def test_in_an_exclusive_group_the_row_decides_boarder_or_day_pupil():
    rows = checked(pupil(0, 是否寄宿="是"), pupil(1, 是否寄宿="否", 金额="312.50"))
    assert [one.values.programme_code for one in rows] == ["living_subsidy_boarder", "living_subsidy_day"]


def test_a_programme_named_for_boarders_is_wrong_for_a_day_pupil():
    assert found(pupil(是否寄宿="否", 资助项目="寄宿生生活补助"))[0] == (
        2,
        "是否寄宿",
        "boarder_against_programme",
        ERROR,
    )


def test_a_blank_programme_is_the_one_the_list_is_uploaded_for():
    assert value("programme_code", 资助项目=None) == "living_subsidy_boarder"


@pytest.mark.parametrize("text", ["living_subsidy_boarder", "义务教育 生活补助", "义务教育生活补助\n"])
def test_a_programme_may_be_given_by_its_code_or_with_spaces(text):
    assert value("programme_code", 资助项目=text) == "living_subsidy_boarder"


def test_a_blank_amount_is_the_rate_where_only_one_is_right():
    assert value("amount", 金额=None) == Decimal("625.00")


def test_a_blank_amount_is_refused_where_the_grant_has_tiers():
    about = context(programmes=SENIOR_GRANT, school_code=SENIOR_SCHOOL[0], school_name=SENIOR_SCHOOL[1])
    row = pupil(学校=SENIOR_SCHOOL[1], 学校标识码=SENIOR_SCHOOL[0], 年级="高二", 资助项目=None, 金额=None)
    assert found(row, about=about) == [(2, "金额", "amount_missing", ERROR)]


def test_rates_may_be_asked_for_by_stage_and_level():
    def amounts(stage, level):
        return {Decimal(1500)} if (stage, level) == ("primary", "severe") else {Decimal(500)}

    about = context(programmes=[ProgrammeChoice("grant", {"助学金"}, stages=("primary",), amounts=amounts)])
    assert value("amount", about=about, 资助项目="助学金", 困难等级="特别困难", 金额=1500) == 1500
    assert found(pupil(资助项目="助学金", 金额=1500), about=about) == [(2, "金额", "amount_not_rate", ERROR)]


def test_a_waiver_needs_no_account_and_judges_a_given_one_mildly():
    about = context(programmes=WAIVER)
    given = {"资助项目": "建档立卡学生免学费", "金额": None}
    assert value("account_no", about=about, 银行账号=None, 户名=None, 开户行=None, **given) == ""
    assert found(pupil(银行账号="123", **given), about=about) == [(2, "银行账号", "account_length", WARNING)]
    lost = pupil(银行账号=6219990000000000010, **given)
    assert found(lost, about=about) == [(2, "银行账号", "number_form", WARNING)]
    few = ["姓名", "身份证号"]
    assert checked(pupil(), about=about, headings=few)[0].problems[0].severity == WARNING


@pytest.mark.parametrize("column", ["银行账号", "是否寄宿", "困难等级"])
def test_a_list_without_a_column_that_the_programme_needs_is_refused_whole(column):
    table = table_of(pupil(), headings=[one for one in COLUMNS if one != column])
    with pytest.raises(RosterUnreadable) as refused:
        check_rows(table, context())
    assert (refused.value.code, refused.value.params["columns"]) == ("missing_columns", column)
    assert column in refused.value.message


# ---------------------------------------------------------------- rows compared with each other


def test_a_repeated_pupil_is_refused_at_the_later_row():
    rows = checked(pupil(0), pupil(1), pupil(0, 班级="3班"), pupil(0))
    assert [one.refused for one in rows] == [False, False, True, True]
    problem = root_cause(rows[2].problems)[0]
    assert (problem.column, problem.code) == ("身份证号", "duplicate")
    assert "重复" in problem.message
    assert "第2行" in problem.message


def test_a_repeated_pupil_is_noticed_however_the_id_was_typed():
    full_width = "".join(chr(ord(c) + 0xFEE0) for c in ID)
    assert [problem[2] for problem in found(pupil(0), pupil(0, 身份证号=full_width)) if problem[3] == ERROR] == [
        "duplicate"
    ]


def test_two_pupils_of_one_name_are_two_pupils():
    assert found(pupil(0, 姓名="王小禾", 户名="王小禾"), pupil(1, 姓名="王小禾", 户名="王小禾")) == []


def test_brothers_and_sisters_may_share_their_guardians_account():
    guardian = pupil(0)["监护人身份证号"]
    rows = [pupil(order, 银行账号=CARD, 户名="王大山", 监护人身份证号=guardian) for order in range(4)]
    assert {problem[2] for problem in found(*rows)} == {"holder_is_guardian"}


def test_an_account_shared_by_strangers_is_doubted_and_at_the_third_pupil_refused():
    rows = [pupil(order, 银行账号=CARD) for order in range(4)]
    assert found(*rows) == [
        (3, "银行账号", "account_shared_once", WARNING),
        (4, "银行账号", "account_shared", ERROR),
        (5, "银行账号", "account_shared", ERROR),
    ]
    assert "第2、3行" in checked(*rows)[2].problems[0].message


# ---------------------------------------------------------------- kinds of account

KINDS = [*COLUMNS, "账户类型"]


def test_a_passbook_is_taken_with_a_doubt_where_it_cannot_be_checked():
    row = pupil(账户类型="存折", 银行账号="123456789012345")
    assert found(row, headings=KINDS) == [(2, "银行账号", "passbook_unchecked", WARNING)]
    assert checked(row, headings=KINDS)[0].values.account_kind == "passbook"


def test_a_kind_of_account_that_is_none_is_refused():
    assert found(pupil(账户类型="支付宝"), headings=KINDS) == [(2, "账户类型", "account_kind_unknown", ERROR)]
    assert value("account_kind", headings=KINDS, 账户类型="社保卡") == "social_security_card"


# ---------------------------------------------------------------- root causes and sentences


def test_the_id_is_told_before_what_derives_from_it():
    row = pupil(身份证号=pupil()["身份证号"][:-1] + "?", 性别="女生", 学籍号="G1", 姓名=None, 金额="1")
    first, others = root_cause(checked(row)[0].problems)
    assert first.column == "身份证号"
    assert [problem.column for problem in others] == ["姓名", "学籍号", "金额"]


def test_a_wrong_id_does_not_accuse_the_sex_and_the_enrolment_number():
    assert [problem[1] for problem in found(pupil(身份证号="130499201203050011"))] == ["身份证号"]


def test_a_wrong_boarder_does_not_accuse_the_amount():
    assert [problem[1] for problem in found(pupil(是否寄宿="有时"))] == ["是否寄宿"]


def test_of_no_problems_there_is_no_cause():
    assert root_cause([]) == (None, [])


def test_errors_come_before_doubts():
    problems = [Problem("姓名", "name_missing", WARNING), Problem("备注", "too_long", ERROR, {"limit": 1})]
    assert root_cause(problems)[0].column == "备注"


def test_sentences_are_chinese_unless_another_language_is_asked_for():
    row = pupil(0, 性别="女")
    assert checked(row)[0].problems[0].message == "性别与身份证号不符，按身份证号应为男。"
    assert checked(row, lang="zh-hans")[0].problems[0].message == "性别与身份证号不符，按身份证号应为男。"
    english = checked(row, lang="en")[0].problems[0]
    assert english.message == "The sex does not fit the ID number, which says male."
    assert english.as_dict() == {"column": "性别", "code": "sex_against_id", "message": english.message}


def test_the_terms_in_a_sentence_are_in_its_language():
    row = pupil(学期="2027年春季学期")
    assert "2027年春季学期" in checked(row)[0].problems[0].message
    assert "Spring term 2027" in checked(row, lang="en")[0].problems[0].message


def test_sentences_show_nobodys_numbers():
    row = pupil(性别=ID, 金额=CARD, 困难等级=f"困难{ID}", 资助项目=f"G{ID}", 学校标识码=ID)
    messages = " ".join(problem.message for problem in checked(row)[0].problems)
    assert ID not in messages
    assert CARD not in messages
    assert "1304**********" in messages


def test_a_cell_with_percent_signs_does_not_break_a_sentence():
    assert "100%s%(x)s" in checked(pupil(困难等级="100%s%(x)s"))[0].problems[0].message


def test_what_the_database_knows_is_added_in_the_language_asked_for():
    def known(row):
        yield Problem("身份证号", "elsewhere", params={"name": row.name}, sentence=_("The name is missing."))

    one = checked(pupil(), about=context(known=known), lang="en")[0]
    assert (one.refused, one.problems[0].message) == (True, "The name is missing.")


def test_the_database_is_not_asked_about_refused_rows():
    asked = []
    checked(pupil(0, 姓名=None), pupil(1), about=context(known=lambda row: asked.append(row.name) or []))
    assert asked == ["王小丁"]


def test_eligibility_refuses_nobody():
    assert found(pupil(特殊群体类型=None, 困难等级="一般困难")) == []
    born_early = id_number(date(1999, 5, 5), 1)
    assert found(pupil(身份证号=born_early, 学籍号="G" + born_early)) == []


def test_a_birth_date_after_today_is_refused_at_the_id():
    tomorrow = id_number(date(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day + 1), 1)
    assert found(pupil(身份证号=tomorrow, 学籍号=None)) == [(2, "身份证号", "id_future", ERROR)]


def test_rows_count_pupils_only():
    assert len(checked(*pupils(7))) == 7
    assert account_number(0) == CARD


# ---------------------------------------------------------------- anything at all

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=True, allow_infinity=True),
    st.dates(),
    st.datetimes(),
    st.text(max_size=40),
    st.sampled_from(
        ["是", "3(2)", "1.3E+17", "=1+1", "合计", ID, CARD, "2026秋", "¥1,250.00元", "低保、孤儿", "%s", "'"]
    ),
    st.builds(CellFault, st.sampled_from(["cell_error", "not_calculated"]), st.just("#REF!")),
)
ANY_COLUMN = st.sampled_from([*COLUMNS, "出生日期", "账户类型"])
ALL_COLUMNS = table_of(pupil(), headings=[*COLUMNS, "出生日期", "账户类型"])
PLACES = {column: place for place, column in enumerate(ALL_COLUMNS.columns)}


@given(st.lists(st.dictionaries(ANY_COLUMN, CELLS, max_size=8), min_size=1, max_size=4))
def test_whatever_the_cells_hold_each_row_is_taken_or_refused_with_sentences(changes):
    rows = [pupil(order) | change for order, change in enumerate(changes)]
    ALL_COLUMNS.rows = [
        RawRow(number, tuple(row.get(column) for column in PLACES), PLACES) for number, row in enumerate(rows, start=2)
    ]
    results = list(check_rows(ALL_COLUMNS, context()))
    assert [one.row for one in results] == list(range(2, len(rows) + 2))
    for one in results:
        assert all(problem.message for problem in one.problems)
        assert one.refused == any(problem.severity == ERROR for problem in one.problems)
