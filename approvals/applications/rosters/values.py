"""From what stands in a cell to a value: yes and no, amounts, dates, grades and classes."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from approvals.applications.rosters.sheets import Cell, CellFault, cell_text

PRESCHOOL, PRIMARY, JUNIOR, SENIOR, VOCATIONAL, SPECIAL = (
    "preschool",
    "primary",
    "junior",
    "senior",
    "voc",
    "special",
)
STAGE_OF_SCHOOL_TYPE = {
    "11": PRESCHOOL,
    "21": PRIMARY,
    "31": JUNIOR,
    "34": SENIOR,
    "36": VOCATIONAL,
    "51": SPECIAL,
}
"""First two digits of a school code (DOMAIN.md §2.10)."""

_FLOAT_FORM = re.compile(r"[\d.]+[eE][+-]?\d+|\d{16,}\.0+")
_SHORT_FLOAT = re.compile(r"(\d{1,15})\.0+")


def number_text(cell: Cell) -> tuple[str, str | None]:
    """Text of a cell that holds a long number (ID, account), and number_form where Excel cut its tail off.

    A number cell keeps 15 digits; whatever is longer has lost its end (DOMAIN.md §4.3).
    """
    if isinstance(cell, str) and cell.isascii() and (cell.isdecimal() or (len(cell) >= 15 and cell.isalnum())):
        return cell, None  # most cells: an ID, an account or a phone number, as it should be
    if isinstance(cell, CellFault):
        return "", cell.code
    text = cell_text(cell)
    if isinstance(cell, float):
        return text, "number_form"
    if _FLOAT_FORM.fullmatch(text):
        return text, "number_form"
    if short := _SHORT_FLOAT.fullmatch(text):
        return short[1], None
    return text, None


# ---------------------------------------------------------------- yes and no

_YES = "是 寄宿 寄宿生 住宿 住宿生 住校 住校生 住读 y yes 1 √ ✓ ✔ 对 有 true t 内宿 内宿生 全寄宿 住"
_NO = (
    "否 非寄宿 非寄宿生 不寄宿 走读 走读生 通校 通校生 不住宿 不住校 非住宿 非住宿生 "
    "n no 0 × x ✗ ✘ 不是 无 false f 外宿 走"
)
_BOARDS = frozenset(_YES.split())
_GOES_HOME = frozenset(_NO.split())


def parse_boarder(text: str) -> bool | None:
    """True for a boarder, False for a day pupil, None for neither word. Raises ValueError for other words."""
    word = text.replace(" ", "").lower()
    if not word:
        return None
    if word in _BOARDS:
        return True
    if word in _GOES_HOME:
        return False
    raise ValueError(text)


_SEXES = {
    **dict.fromkeys(("男", "男性", "男生", "男孩", "m", "male", "1"), "M"),
    **dict.fromkeys(("女", "女性", "女生", "女孩", "f", "female", "2"), "F"),
}


def parse_sex(text: str) -> str | None:
    """M, F, or None for a blank cell. Raises ValueError for other words."""
    word = text.replace(" ", "").lower()
    if not word:
        return None
    if word not in _SEXES:
        raise ValueError(text)
    return _SEXES[word]


_LEVELS = {
    **dict.fromkeys(("特别困难", "特殊困难", "特别贫困", "severe", "一档", "一级"), "severe"),
    **dict.fromkeys(("困难", "比较困难", "较困难", "moderate", "二档", "二级"), "moderate"),
    **dict.fromkeys(("一般困难", "一般", "一般贫困", "general", "三档", "三级"), "general"),
}


def parse_level(text: str) -> str | None:
    """severe, moderate, general, or None for a blank cell (DOMAIN.md §7). Raises ValueError for other words."""
    word = text.replace(" ", "").lower()
    if word in ("", "无", "-"):
        return None
    if word not in _LEVELS:
        raise ValueError(text)
    return _LEVELS[word]


_KINDS_OF_ACCOUNT = {
    **dict.fromkeys(("银行卡", "储蓄卡", "借记卡", "卡", "一卡通", "bank_card"), "bank_card"),
    **dict.fromkeys(("社保卡", "社会保障卡", "社会保障卡金融账户", "social_security_card"), "social_security_card"),
    **dict.fromkeys(("存折", "折", "活期存折", "passbook"), "passbook"),
}


def parse_account_kind(text: str) -> str | None:
    """bank_card, social_security_card, passbook, or None for a blank cell. Raises ValueError for other words."""
    word = text.replace(" ", "").lower()
    if not word:
        return None
    if word not in _KINDS_OF_ACCOUNT:
        raise ValueError(text)
    return _KINDS_OF_ACCOUNT[word]


# ---------------------------------------------------------------- amounts and dates

_CURRENCY = re.compile(r"^(?:¥|￥|rmb|cny|人民币)|(?:元整?|圆|yuan)$", re.IGNORECASE)
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PLAIN_AMOUNT = re.compile(r"-?\d{1,12}(?:\.\d*)?|-?\.\d+", re.ASCII)
_CENT = Decimal("0.01")


def parse_amount(cell: Cell) -> tuple[Decimal | None, str | None]:
    """Yuan with two decimals, or a code of what is wrong; (None, None) for a blank cell."""
    if isinstance(cell, bool | date):
        return None, "amount_format"
    if isinstance(cell, float):
        cell = repr(round(cell, 6))  # 1150.0000000000002 is what a formula leaves of 1150
    text = _CURRENCY.sub("", cell_text(cell).replace(" ", "").replace("，", ","))
    if not text:
        return None, None
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if not _PLAIN_AMOUNT.fullmatch(text):
        return None, "amount_format"
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None, "amount_format"
    if amount < 0:
        return None, "amount_negative"
    if amount != amount.quantize(_CENT):
        return None, "amount_decimals"
    return amount.quantize(_CENT), None


_DATE = re.compile(r"((?:19|20)\d\d)[-./年 ](\d{1,2})(?:[-./月 ](\d{1,2})日?|月)?(?: 00:00:00)?", re.ASCII)
_EIGHT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)?", re.ASCII)
_FIRST_SERIAL, _LAST_SERIAL = 18264, 73051
"""Excel's day numbers of 1950 and 2100."""


class WrittenDate(NamedTuple):
    """A date as somebody wrote it; `day` is None where only year and month were given."""

    year: int
    month: int
    day: int | None

    def says(self, day: date) -> bool:
        """Whether it does not contradict a date."""
        return (self.year, self.month) == (day.year, day.month) and self.day in (None, day.day)


def parse_date(cell: Cell) -> WrittenDate | None:
    """2012-03-05, 2012.3.5, 2012年3月, 20120305, or Excel's day number 40973; None for a blank cell.

    Raises ValueError for anything else.
    """
    if isinstance(cell, datetime | date):
        return WrittenDate(cell.year, cell.month, cell.day)
    text = cell_text(cell)
    if not text:
        return None
    number = cell if isinstance(cell, int | float) else int(text) if text.isdecimal() else 0
    if _FIRST_SERIAL <= number <= _LAST_SERIAL:
        found = date(1899, 12, 30) + timedelta(days=int(number))
        return WrittenDate(found.year, found.month, found.day)
    match = _DATE.fullmatch(text) or _EIGHT.fullmatch(text)
    if not match:
        raise ValueError(text)
    year, month, day = int(match[1]), int(match[2]), int(match[3]) if match[3] else None
    date(year, month, day or 1)  # ValueError when there is no such day
    return WrittenDate(year, month, day)


# ---------------------------------------------------------------- grades and classes

_DIGITS = {"1": "一", "2": "二", "3": "三", "4": "四", "5": "五", "6": "六", "7": "七", "8": "八", "9": "九"}
_ORDER = "一二三四五六七八九"
_GRADE = re.compile(
    r"(?P<school>小学?|初级?中?学?|高级?中?学?|中职|职业高中|职高|职业|职教|中专|技校|普高|普通高中|培智|特教)?(?:部|段)?"
    r"(?P<number>[一二三四五六七八九1-9])(?:年级?|级)?"
)
_PRESCHOOL = re.compile(r"(幼儿园)?(大|中|小|托|学前)班?|学前(班|教育)?")
_TWELVE = {"十": 1, "10": 1, "十一": 2, "11": 2, "十二": 3, "12": 3}


class Grade(NamedTuple):
    """A grade's usual name and its stage (None where it cannot be told)."""

    name: str
    stage: str | None


def _stage_of_word(word: str) -> str | None:
    if word.startswith("小"):
        return PRIMARY
    if word.startswith("初"):
        return JUNIOR
    if word.startswith(("高", "普")):
        return SENIOR
    return SPECIAL if word in ("培智", "特教") else VOCATIONAL


def _named(stage: str | None, number: int) -> Grade | None:
    """The usual name of the n-th grade of a stage; junior grades count from 1 or from 7."""
    if stage == JUNIOR and number < 7:
        return _named(stage, number + 6) if number <= 3 else None
    if stage == SENIOR:
        return Grade("高" + _ORDER[number - 1], SENIOR) if number <= 3 else None
    if stage == VOCATIONAL:
        return Grade(f"中职{_ORDER[number - 1]}年级", VOCATIONAL) if number <= 3 else None
    if stage == SPECIAL:
        return Grade(f"{_ORDER[number - 1]}年级", SPECIAL)
    if stage == PRIMARY and number > 6:
        return None
    return Grade(f"{_ORDER[number - 1]}年级", stage or (PRIMARY if number <= 6 else JUNIOR))


def parse_grade(text: str, school_stage: str | None = None) -> Grade | None:
    """三年级, 3年级, 初一, 高2, 职高一, 七年级; None for other words.

    A bare number is read by the stage of a school that has only one: 一年级 of a vocational school is its first.
    """
    word = re.sub(r"[\s()（）]", "", text)
    if word in _TWELVE or word.removesuffix("年级") in _TWELVE:
        return _named(SENIOR, _TWELVE[word.removesuffix("年级")])
    if _PRESCHOOL.fullmatch(word):
        return Grade(word, PRESCHOOL)
    found = _GRADE.fullmatch(word)
    if not found:
        return None
    digit = _DIGITS.get(found["number"], found["number"])
    number = _ORDER.index(digit) + 1
    if found["school"]:
        return _named(_stage_of_word(found["school"]), number)
    if school_stage in (SENIOR, VOCATIONAL, SPECIAL):
        return _named(school_stage, number)
    return _named(None, number)


_CLASS_WITH_GRADE = re.compile(
    r"(?P<grade>.*?年级|[初高职][一二三123]|[1-9一二三四五六七八九](?=[(（.\-]))"
    r"[(（.\-]?(?P<group>\d{1,2}|[一二三四五六七八九十]{1,3})[)）]?班?"
)


def parse_class(text: str) -> tuple[str, str]:
    """Grade (blank where the cell names none) and class: 三年级2班 -> 三年级, 2班; 3(2) -> 3, 2班; 2 -> "", 2班."""
    word = text.replace(" ", "")
    if word.isdecimal() and len(word) <= 2:
        return "", f"{int(word)}班"
    if found := _CLASS_WITH_GRADE.fullmatch(word):
        return found["grade"], found["group"] + "班"
    return "", text
