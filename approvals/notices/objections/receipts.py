"""回执号: how somebody who may be unknown follows his objection. Twelve digits, the last one a check (ISO 7064)."""

import re
import secrets

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10

from approvals.people.crypto import blind_index
from approvals.people.identity import plain_text

DIGITS = 12
_BETWEEN = re.compile(r"[\s\-‐-―−.·]+")


def new() -> str:
    """A number that nobody can guess, as digits."""
    stem = "".join(secrets.choice("0123456789") for _ in range(DIGITS - 1))
    return stem + str(mod_11_10.calc_check_digit(stem))


def shown(digits: str) -> str:
    """In groups, to be read aloud: 4021 7735 9268."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def read(text: str) -> str:
    """The digits of a number as people write it; empty for one that is mistyped."""
    digits = _BETWEEN.sub("", plain_text(text))
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return ""
    try:
        return str(mod_11_10.validate(digits))
    except ValidationError:
        return ""


def index(digits: str) -> bytes:
    """What is kept of a number."""
    return blind_index(f"objection receipt {digits}")
