"""The account that aid is paid to: bank card, account of a social-security card, passbook (DOMAIN.md §4.3)."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.people.identity import plain_text

BANK_CARD = "bank_card"
SOCIAL_SECURITY_CARD = "social_security_card"
PASSBOOK = "passbook"
KINDS = (BANK_CARD, SOCIAL_SECURITY_CARD, PASSBOOK)

SENTENCES: dict[str, Promise] = {
    "account_missing": _("The account number is missing."),
    "account_format": _("The account number may hold only digits."),
    "account_length": _("A card number has 16 to 19 digits."),
    "account_check_digit": _("The card number does not fit its own check digit; one digit is mistyped."),
    "passbook_length": _("A passbook number has 8 to 32 digits."),
    "passbook_unchecked": _("A passbook number cannot be checked by calculation. Please compare it with the passbook."),
}

_SIGNS = re.compile(r"[\s'‘’`‐-―−-]+")
_DIGITS = re.compile(r"\d+", re.ASCII)
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
"""A digit doubled, the digits of the result added."""


def normalise_account(text: str) -> str:
    """Digits only: full-width digits made plain; spaces, hyphens and apostrophes taken out."""
    return text if text.isdecimal() and text.isascii() else _SIGNS.sub("", plain_text(text))


def account_problem(number: str, kind: str = BANK_CARD) -> str | None:
    """What is wrong with a normalised account number: None, or a code of `SENTENCES`.

    Cards, and the financial account on a social-security card, have 16 to 19 digits and pass Luhn's check.
    """
    if not number:
        return "account_missing"
    if not _DIGITS.fullmatch(number):
        return "account_format"
    if kind == PASSBOOK:
        return None if 8 <= len(number) <= 32 else "passbook_length"
    if not 16 <= len(number) <= 19:
        return "account_length"
    return None if fits_check_digit(number) else "account_check_digit"


def fits_check_digit(number: str) -> bool:
    """Whether digits end in their own check digit (Luhn); a list has fifty thousand of them."""
    if not _DIGITS.fullmatch(number):
        return False
    digits = number.encode()[::-1]
    weighed = sum(digits[::2]) + sum(digits[1::2].translate(_DOUBLED))
    return (weighed - ord("0") * len(digits)) % 10 == 0


def account_doubt(number: str, kind: str = BANK_CARD) -> str | None:
    """What a person must compare before paying, as a code: a passbook number that fails Luhn's check."""
    return "passbook_unchecked" if kind == PASSBOOK and not fits_check_digit(number) else None
