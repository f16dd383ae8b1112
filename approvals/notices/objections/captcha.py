"""A question that a person answers and a careless script does not: worded sums, read by a screen reader like any text.

Nobody else is asked and no cookie is set. The question follows from a signed token that names its notice and its time;
that it was answered is a row, so that it is answered once (docs/decisions/public-notices.md).
"""

import secrets
import unicodedata
from dataclasses import dataclass

from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import get_language, gettext

GOOD_FOR = 2 * 60 * 60
"""Seconds in which a question may be answered: whoever writes much takes long."""
_SALT = "approvals.notices.objections.captcha"
_CHINESE = [ten + one for ten in ("", "十") for one in ("", *"一二三四五六七八九")]
_ENGLISH = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_WORDS = {"zh-hans": ["零", *_CHINESE[1:]], "en": _ENGLISH}
"""Numbers up to nineteen, which no sum is above."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of one notice's form, as its token tells it."""

    token: str
    nonce: str

    @property
    def _sum(self) -> tuple[bool, int, int]:
        drawn = salted_hmac(_SALT, self.nonce, algorithm="sha256").digest()
        first, second = 2 + drawn[0] % 9, 1 + drawn[1] % 9
        add = drawn[2] % 2 == 0
        return add, (first if add else max(first, second)), (second if add else min(first, second))

    @property
    def words(self) -> str:
        """In the present language: 七加三等于几？"""
        add, first, second = self._sum
        names = _WORDS.get(get_language() or "", _WORDS["zh-hans"])
        plus, less = gettext("What is %(first)s plus %(second)s?"), gettext("What is %(first)s less %(second)s?")
        sentence = plus if add else less
        return sentence % {"first": names[first], "second": names[second]}

    def is_answer(self, text: str) -> bool:
        """Whether somebody's answer is right: in digits of any kind, or in words of either language."""
        add, first, second = self._sum
        right = first + second if add else first - second
        given = unicodedata.normalize("NFKC", text).strip().strip("。.").lower()
        ways = (str(right), *(names[right] for names in _WORDS.values()))
        return any(constant_time_compare(given, way) for way in ways)


def ask(about: str) -> Question:
    """A new question for the form of one notice."""
    nonce = secrets.token_hex(16)
    return Question(TimestampSigner(salt=_SALT).sign(f"{about}:{nonce}"), nonce)


def asked(token: str, about: str) -> Question | None:
    """The question of a token; None where it is forged, too old, or another notice's."""
    try:
        said = TimestampSigner(salt=_SALT).unsign(token, max_age=GOOD_FOR)
    except BadSignature:
        return None
    named, _colon, nonce = said.rpartition(":")
    return Question(token, nonce) if nonce and named == about else None
