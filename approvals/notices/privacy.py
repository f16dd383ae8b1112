"""Looks for what must never be public: ID, enrolment, phone and card numbers, birth dates, addresses, causes.

Digits are found however they are written: full-width, in other scripts, in Chinese numerals, or split by spaces,
hyphens, dots and invisible characters (DOMAIN.md §2.7). The scan errs on the side of refusing.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, Promise] = {
    "id": _("an ID number"),
    "enrolment": _("an enrolment number"),
    "card": _("a bank card or account number"),
    "phone": _("a phone number"),
    "birth_date": _("a birth date"),
    "address": _("an address"),
    "cause": _("the cause of a family's hardship"),
}
NUMBERS = frozenset({"id", "enrolment", "card", "phone", "birth_date"})
EVERYTHING = frozenset(KINDS)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something private: what `kind` it is and `where`, a line number and heading or the name of a text."""

    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}：{KINDS[self.kind]}"


_DIGITS = str.maketrans("〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖", "00123456789123456789")
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPLIT = re.compile(r"(?<=[0-9Xx*GJLgjl])[\s\-‐-―−_.·•/|\\'’]+(?=[0-9Xx*])")
_NUMBERS = (
    ("enrolment", re.compile(r"(?<![A-Za-z0-9])[GJLgjl][0-9]{17}[0-9Xx](?![0-9])")),
    ("id", re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])")),
    ("id", re.compile(r"(?<![0-9])[1-9][0-9]{14}(?![0-9])")),
    ("id", re.compile(r"[0-9]{3,6}\*{2,}[0-9*]*[0-9Xx]{2,4}")),
    ("phone", re.compile(r"(?<![0-9])(?:86)?1[3-9][0-9]{9}(?![0-9])")),
    ("phone", re.compile(r"(?<![0-9])0[1-9][0-9]{8,10}(?![0-9])")),
    ("card", re.compile(r"[0-9]{12,}")),
)
_DAY = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})\s*(?:[-‐-―−./·年]\s*)(0?[1-9]|1[0-2])\s*(?:[-‐-―−./·月]\s*)"
    r"(0?[1-9]|[12][0-9]|3[01])(?![0-9])"
)
_COMPACT_DAY = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(?![0-9])")
_BIRTH = re.compile(r"出生|生日|生于")
_ADDRESS = re.compile(
    r"住址|家庭地址|户籍地|(?:村|庄|屯|街|路|巷|道|胡同|小区|组)[^，。；、\s]{0,8}?[0-9一二三四五六七八九十百]+"
    r"(?:号|组|户|排|栋|幢|座|弄)|[0-9一二三四五六七八九十]+(?:号楼|单元|栋|幢)[0-9一二三四五六七八九十]*"
)
_CAUSE = re.compile(
    r"孤儿|事实无人抚养|残疾|低保|特困|脱贫户|建档立卡|监测对象|单亲|离异|丧父|丧母|父亡|母亡|服刑|重病|大病|癌|白血病|尿毒症|艾滋"
    r"|精神病|烈士子女|家庭收入|欠债"
)
YOUNGEST = 2
"""Years: a full date this long ago may be a pupil's birth date; a later one is a date of the work itself."""


def plain(text: str) -> str:
    """The text with every kind of digit and sign as ASCII and invisible characters taken out."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in folded)


def scan(text: str, today: date, kinds: frozenset[str] = EVERYTHING) -> list[str]:
    """The kinds of private data found in a text, each once, in order of `KINDS`."""
    if not text or (text.isascii() and text.isalpha()):
        return []
    found = {kind for kind in _kinds(plain(text), today) if kind in kinds}
    return [kind for kind in KINDS if kind in found]


def _kinds(text: str, today: date) -> Iterator[str]:
    if _BIRTH.search(text) or any(_is_birth(match, today) for match in _DAY.finditer(text)):
        yield "birth_date"
    if _ADDRESS.search(text):
        yield "address"
    if _CAUSE.search(text):
        yield "cause"
    joined = _SPLIT.sub("", _DAY.sub(lambda match: match[0] if _is_birth(match, today) else "。", text))
    if any(_is_birth(match, today) for match in _COMPACT_DAY.finditer(joined)):
        yield "birth_date"
    yield from _numbers(joined)
    yield from _numbers(joined.translate(_DIGITS))


def _numbers(text: str) -> Iterator[str]:
    for kind, pattern in _NUMBERS:
        if pattern.search(text):
            yield kind
            text = pattern.sub("。", text)


def _is_birth(match: re.Match[str], today: date) -> bool:
    return int(match[1]) <= today.year - YOUNGEST


def scan_list(rows: Iterable[tuple[int, dict[str, str]]], today: date, official: frozenset[str]) -> list[Finding]:
    """Findings in the values of numbered rows {heading: value}.

    Headings in `official` hold names of schools and programmes, in which only numbers are looked for. Equal
    values are looked at once: a list has few schools, grades and classes.
    """
    seen: dict[tuple[bool, str], list[str]] = {}
    findings = []
    for number, shown in rows:
        for heading, value in shown.items():
            key = (heading in official, value)
            if key not in seen:
                seen[key] = scan(value, today, NUMBERS if key[0] else EVERYTHING)
            where = {"number": number, "heading": heading}
            findings += [Finding(kind, _("line %(number)s, %(heading)s") % where) for kind in seen[key]]
    return findings
