"""School terms: 2026-2027-1 is the autumn term of the school year 2026-2027, 2026-2027-2 its spring term."""

import re
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from approvals.people.identity import plain_text

AUTUMN = "autumn"
SPRING = "spring"

SENTENCES: dict[str, Promise] = {
    "term_unknown": _("“%(text)s” is not a term. Write 2026-2027-1 or 2026年秋季学期."),
}


class UnknownTerm(ValueError):
    """A text that names no term; `code` is a key of `SENTENCES`."""

    code = "term_unknown"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)

    @property
    def message(self) -> str:
        return str(SENTENCES[self.code]) % {"text": self.text}

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, order=True)
class Term:
    """A term by its school year's first calendar year and its number in it, 1 or 2. Terms sort by time."""

    year: int
    number: int

    @classmethod
    def of(cls, code: str) -> "Term":
        """The term of a code or of any spelling that `parse_term` knows."""
        year, _year, number = parse_term(code).split("-")
        return cls(int(year), int(number))

    @classmethod
    def on(cls, day: date) -> "Term":
        """The term that a day belongs to."""
        if day.month >= 9:
            return cls(day.year, 1)
        return cls(day.year - 1, 1 if day.month == 1 else 2)

    @property
    def school_year(self) -> str:
        """2026-2027."""
        return f"{self.year}-{self.year + 1}"

    @property
    def code(self) -> str:
        """2026-2027-1."""
        return f"{self.school_year}-{self.number}"

    @property
    def season(self) -> str:
        """autumn or spring."""
        return AUTUMN if self.number == 1 else SPRING

    @property
    def calendar_year(self) -> int:
        """The year people name the term by: 2027年春季学期 is 2026-2027-2."""
        return self.year if self.number == 1 else self.year + 1

    @property
    def starts_on(self) -> date:
        """1 September, or 1 February: terms leave no day of the school year out, holidays included."""
        return date(self.year, 9, 1) if self.number == 1 else date(self.year + 1, 2, 1)

    @property
    def ends_on(self) -> date:
        """31 January, or 31 August."""
        return date(self.year + 1, 1, 31) if self.number == 1 else date(self.year + 1, 8, 31)

    def next(self) -> "Term":
        """The term after this one."""
        return Term(self.year, 2) if self.number == 1 else Term(self.year + 1, 1)

    def previous(self) -> "Term":
        """The term before this one."""
        return Term(self.year, 1) if self.number == 2 else Term(self.year - 1, 2)

    def name(self) -> str:
        """In the present language: 2026年秋季学期, or Autumn term 2026."""
        if self.season == AUTUMN:
            return gettext("Autumn term %(year)s") % {"year": self.calendar_year}
        return gettext("Spring term %(year)s") % {"year": self.calendar_year}

    def __str__(self) -> str:
        return self.code


_DASH = re.compile(r"[‐-―−~～/至]+")
_YEARS = re.compile(r"(20\d\d)-(20)?(\d\d)(?:学年度?)?-?第?([12一二上下秋春])(?:季)?(?:学期)?", re.ASCII)
_SEASON = re.compile(r"(20)?(\d\d)年?([秋春])季?(?:学期)?", re.ASCII)
_ENGLISH = re.compile(r"(?:(autumn|fall|spring)(?:term)?(20\d\d)|(20\d\d)-?(autumn|fall|spring)(?:term)?)", re.ASCII)
_NUMBERS = {"1": 1, "一": 1, "上": 1, "秋": 1, "2": 2, "二": 2, "下": 2, "春": 2}


def _by_season(year: int, autumn: bool) -> str:
    return Term(year, 1).code if autumn else Term(year - 1, 2).code


def parse_term(text: str) -> str:
    """The code of a term however it is written: 2026-2027-1, 2026年秋季学期, 2026秋, 2026—2027学年第一学期.

    Raises UnknownTerm.
    """
    plain = _DASH.sub("-", re.sub(r"[\s()（）.]", "", plain_text(text))).lower()
    if found := _YEARS.fullmatch(plain):
        first, last = int(found[1]), int((found[2] or "20") + found[3])
        if last == first + 1:
            return Term(first, _NUMBERS[found[4]]).code
    if found := _SEASON.fullmatch(plain):
        return _by_season(int("20" + found[2]), found[3] == "秋")
    if found := _ENGLISH.fullmatch(plain):
        return _by_season(int(found[2] or found[3]), (found[1] or found[4]) != "spring")
    raise UnknownTerm(text)
