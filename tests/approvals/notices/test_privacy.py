"""What must never be public is found however it is written, and ordinary words of the trade pass."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.notices.privacy import EVERYTHING, NUMBERS, plain, scan, scan_list
from tests.factories import account_number, id_number

TODAY = date(2026, 9, 7)
ID = "130499201603050010"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("身份证130499201603050010", "id"),
        ("13049920160305001x", "id"),
        ("１３０４９９２０１６０３０５００１０", "id"),
        ("130499 20160305 0010", "id"),
        ("130499-2016-0305-0010", "id"),
        ("1 3 0 4 9 9 2 0 1 6 0 3 0 5 0 0 1 0", "id"),
        ("130499\u200b201603\u2060050010", "id"),
        ("130499·20160305·0010", "id"),
        ("一三〇四九九二〇一六〇三〇五〇〇一〇", "id"),
        ("130499160305001", "id"),
        ("1304**********0010", "id"),
        ("学籍号G130499201603050010", "enrolment"),
        ("Ｇ１３０４９９ 20160305 0010", "enrolment"),
        ("13800000000", "phone"),
        ("138-0000-0000", "phone"),
        ("１３８ ００００ ００００", "phone"),
        ("+86 138 0000 0000", "phone"),
        ("电话一三八零零零零零零零零", "phone"),
        ("0310-7520123", "phone"),
        ("6219990000000000010", "card"),
        ("6219 9900 0000 0000 010", "card"),
        ("2016年3月5日", "birth_date"),
        ("2016-03-05", "birth_date"),
        ("２０１６．３．５", "birth_date"),
        ("20160305", "birth_date"),
        ("出生于春天", "birth_date"),
        ("东王村三组12号", "address"),
        ("家庭住址见附件", "address"),
        ("幸福小区3号楼2单元", "address"),
        ("父亲残疾", "cause"),
        ("低保户", "cause"),
        ("建档立卡脱贫户", "cause"),
        ("单亲家庭", "cause"),
    ],
)
def test_private_data_is_found_however_it_is_written(text: str, kind: str) -> None:
    assert kind in scan(text, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "王小禾",
        "阿卜杜拉·买买提",
        "Anna Maria",
        "五年级",
        "（12）班",
        "2026级3班",
        "特别困难",
        "鸡泽县示例中心小学",
        "鸡泽县第一中学",
        "鸡泽县示例中心小学关于2026—2027学年家庭经济困难学生认定结果的公示",
        "关于2026年秋季学期普通高中国家助学金拟资助学生名单的公示",
        "拟将以下312名同学列为资助对象，本学期资助金额合计358,800.00元",
        "请于2026年9月14日前反映",
        "2026-09-07 至 2026-09-14",
        "1,150.00元、1,500.00元",
        "校内公示栏张贴于教学楼一层",
        "学校（机构）标识码2113049901",
        "冀财教〔2025〕1号",
    ],
)
def test_ordinary_words_of_a_notice_pass(text: str) -> None:
    assert scan(text, TODAY) == []


@given(
    st.dates(date(2005, 1, 1), date(2020, 12, 31)),
    st.integers(1, 999),
    st.sampled_from(["", " ", "-", "\u3000", "·", ".", "\u200b", " - ", "／"]),
    st.integers(1, 6),
    st.booleans(),
)
def test_any_id_number_is_found_whatever_splits_it(
    born: date, order: int, split: str, every: int, full_width: bool
) -> None:
    number = id_number(born, order)
    text = split.join(number[at : at + every] for at in range(0, 18, every))
    if full_width:
        text = text.translate({ord("0") + n: "０１２３４５６７８９"[n] for n in range(10)})
    assert "id" in scan(f"备注{text}完", TODAY)


@given(st.integers(0, 10**12 - 1), st.sampled_from(["", " ", "-"]))
def test_any_bank_card_is_found(order: int, split: str) -> None:
    number = account_number(order)
    text = split.join(number[at : at + 4] for at in range(0, len(number), 4))
    assert set(scan(text, TODAY)) & {"card", "id"}


def test_every_decimal_digit_of_unicode_reads_as_its_value() -> None:
    assert plain("０１２٣٤𝟓६") == "0123456"


def test_a_scan_can_be_asked_for_numbers_only() -> None:
    assert scan("残疾学生13800000000", TODAY, NUMBERS) == ["phone"]


def test_findings_of_a_list_say_line_and_heading() -> None:
    rows = [(1, {"姓名": "王小禾", "班级": "1班"}), (2, {"姓名": "13800000000", "班级": "1班"})]
    assert [str(finding) for finding in scan_list(rows, TODAY, frozenset())] == ["第2行“姓名”：电话号码"]


def test_names_of_schools_and_programmes_are_only_looked_through_for_numbers() -> None:
    row = {"资助项目": "残疾学生资助", "学校": "特殊教育学校 13800000000", "备注": "残疾"}
    found = scan_list([(1, row)], TODAY, frozenset({"资助项目", "学校"}))
    assert [(finding.kind) for finding in found] == ["phone", "cause"]


def test_everything_is_looked_for_by_default() -> None:
    assert EVERYTHING > NUMBERS
    assert scan(f"{ID} 父亲残疾", TODAY) == ["id", "cause"]
