"""What a list shows of each application: whitelisted columns, in the order of a class register."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from approvals.applications.models import Application
from approvals.notices import wording
from approvals.notices.steps import LEVEL, NAME, NUMBER, SCHOOL, SUBJECT
from approvals.people.masking import mask_name

_SOURCES = {
    SCHOOL: "school__name",
    "年级": "grade",
    "班级": "class_name",
    NAME: "student__name",
    LEVEL: "level",
}
"""Where the value of a heading comes from, where it differs from pupil to pupil."""
OFFICIAL = frozenset({SCHOOL, SUBJECT})
"""Headings whose values are names of schools and programmes."""
_NUMERALS = {char: number for number, char in enumerate("零一二三四五六七八九十")}
_STAGES = {"小": 0, "初": 1, "七": 1, "八": 1, "九": 1, "高": 2, "职": 3}


def rows(
    case_ids: Iterable[int], columns: Sequence[str], subject: str, mask_names: bool
) -> list[tuple[int, dict[str, str]]]:
    """(case, {heading: value}) for each application, ordered by school, grade, class and name, numbered from 1."""
    found = Application.objects.filter(case__in=list(case_ids)).values("case_id", "school__path", *_SOURCES.values())
    return [
        (row["case_id"], _shown(columns, row, {NUMBER: str(number), SUBJECT: subject}, mask_names))
        for number, row in enumerate(sorted(found, key=_place), 1)
    ]


def _shown(columns: Sequence[str], row: dict[str, Any], given: dict[str, str], mask_names: bool) -> dict[str, str]:
    values = given | {heading: row[source] or "" for heading, source in _SOURCES.items()}
    values[LEVEL] = wording.LEVELS.get(values[LEVEL], "")
    if mask_names:
        values[NAME] = mask_name(values[NAME])
    return {heading: values[heading] for heading in columns}


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["school__path"], rank(row["grade"]), rank(row["class_name"]), row["student__name"], row["case_id"]


def rank(text: str) -> tuple[int, int, str]:
    """Sorts grades and classes as a school does: 二年级 before 三年级 before 初一, (2)班 before (10)班."""
    stage = _STAGES.get(text[:1], 0)
    if digits := re.search(r"[0-9]+", text):
        return stage, int(digits[0]), text
    numerals = re.search(r"[一二三四五六七八九]?十?[一二三四五六七八九]?(?=\D|$)", text.lstrip("小初高职"))
    return stage, _number(numerals[0] if numerals else ""), text


def _number(numerals: str) -> int:
    """三 -> 3, 十二 -> 12, 二十一 -> 21."""
    tens, ten, ones = numerals.rpartition("十")
    if not ten:
        return _NUMERALS.get(numerals, 0)
    return (_NUMERALS.get(tens, 1) if tens else 1) * 10 + _NUMERALS.get(ones, 0)
