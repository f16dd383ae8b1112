"""Who a person is: citizen ID, enrolment number, name, phone (DOMAIN.md §4.1, §4.3).

Values are normalised first (`normalise_…`), then judged (`…_problem`: None, or a code of `SENTENCES`).
"""

import re
import unicodedata
from datetime import date
from operator import mul

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.people.masking import (
    mask_account,
    mask_enrolment_no,
    mask_id,
    mask_name,
    mask_phone,
    mask_text,
)

__all__ = [
    "SENTENCES",
    "age_on",
    "birth_date_of",
    "enrolment_fits_id",
    "enrolment_problem",
    "id_problem",
    "is_under_14",
    "mask_account",
    "mask_enrolment_no",
    "mask_id",
    "mask_name",
    "mask_phone",
    "mask_text",
    "name_problem",
    "normalise_enrolment_no",
    "normalise_id",
    "normalise_name",
    "normalise_phone",
    "phone_problem",
    "plain_text",
    "sex_of",
]

SENTENCES: dict[str, Promise] = {
    "id_missing": _("The ID number is missing."),
    "id_length": _("The ID number must have 18 characters."),
    "id_first_generation": _("This is an old ID number of 15 digits; the present one has 18."),
    "id_format": _("The ID number may hold only digits, and an X at the end."),
    "id_date": _("The birth date in the ID number does not exist."),
    "id_future": _("The birth date in the ID number is in the future."),
    "id_check_digit": _("The last character of the ID number does not fit the others; one of them is mistyped."),
    "name_missing": _("The name is missing."),
    "name_length": _("The name is longer than 50 characters."),
    "name_lost_character": _(
        "A rare character of the name was lost on the way and now reads ? or a box. Type the name again."
    ),
    "name_characters": _("The name holds characters that no name has, such as digits or signs."),
    "enrolment_format": _("The enrolment number must be G, J or L followed by 18 characters."),
    "phone_format": _("The phone number is neither a mobile number of 11 digits nor a landline such as 0310-7520123."),
}

NAME_LENGTH = 50

# ---------------------------------------------------------------- plain characters

_INVISIBLE = dict.fromkeys(
    (
        *range(0x20),
        *range(0x7F, 0xA0),
        0xAD,
        0x180E,
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2065),
        0xFEFF,
    )
)
_SPACES = dict.fromkeys([0x09, 0x0A, 0x0D, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_FULL_WIDTH = {code + 0xFEE0: chr(code) for code in range(0x21, 0x7F)}
_PLAIN = _INVISIBLE | _SPACES | _FULL_WIDTH
_NOT_PLAIN = re.compile("[ " + "".join(map(chr, _PLAIN)) + "]")


def plain_text(text: str) -> str:
    """Full-width letters, digits and signs become ASCII; every kind of space a plain one, single, none outside."""
    if not _NOT_PLAIN.search(text):
        return text
    return " ".join(text.translate(_PLAIN).split())


# ---------------------------------------------------------------- citizen ID (GB 11643)

_ID = re.compile(r"[1-9]\d{16}[\dX]", re.ASCII)
_CENTURIES = ("18", "19", "20")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_ZEROS = ord("0") * sum(_WEIGHTS)
"""What the digits' codes weigh more than the digits."""
_SPELLINGS = str.maketrans({"Ⅹ": "X", "ⅹ": "X", " ": None, "-": None, "'": None, "‘": None, "’": None, "`": None})


def normalise_id(text: str) -> str:
    """Digits and a capital X: full-width characters, spaces, hyphens and leading apostrophes are taken out."""
    if text.isalnum() and text.isascii():
        return text.upper()
    return plain_text(text).translate(_SPELLINGS).upper()


def _real_date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def id_problem(number: str, today: date) -> str | None:
    """What is wrong with a normalised citizen ID; the region is never looked at (DOMAIN.md §4.3)."""
    if not number:
        return "id_missing"
    if len(number) != 18:
        return "id_first_generation" if len(number) == 15 and number.isdigit() else "id_length"
    if not _ID.fullmatch(number):
        return "id_format"
    born = _real_date(number[6:10], number[10:12], number[12:14])
    if born is None or number[6:8] not in _CENTURIES:
        return "id_date"
    if born > today:
        return "id_future"
    if _CHECK_DIGITS[(sum(map(mul, _WEIGHTS, number.encode())) - _ZEROS) % 11] != number[17]:
        return "id_check_digit"
    return None


def birth_date_of(number: str) -> date:
    """Birth date in a valid citizen ID."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def sex_of(number: str) -> str:
    """M or F, from the parity of the 17th digit of a valid citizen ID."""
    return "M" if int(number[16]) % 2 else "F"


def age_on(birth_date: date, day: date) -> int:
    """Full years on a day; who was born on 29 February turns a year older on 1 March."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def is_under_14(birth_date: date, day: date) -> bool:
    """Children whose data need their guardian's consent (PIPL Art. 31, DOMAIN.md §6)."""
    return age_on(birth_date, day) < 14


# ---------------------------------------------------------------- enrolment number

_ENROLMENT = re.compile(r"[GJL]\d{17}[\dX]", re.ASCII)


def normalise_enrolment_no(text: str) -> str:
    """As `normalise_id`: capital letters, no spaces, full-width characters made plain."""
    return normalise_id(text)


def enrolment_problem(number: str) -> str | None:
    """G, J or L and 18 characters (DOMAIN.md §4.1); an empty number is nobody's fault."""
    return None if not number or _ENROLMENT.fullmatch(number) else "enrolment_format"


def enrolment_fits_id(enrolment_no: str, id_number: str) -> bool:
    """Whether a G number ends in this ID; it may not after an ID change (DOMAIN.md §4.3). J and L always fit."""
    return not enrolment_no.startswith("G") or enrolment_no[1:] == id_number


# ---------------------------------------------------------------- names

_HAN = "\u3007\u3400-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U0003ffff\U000f0000-\U0010ffff"
"""Chinese characters; old systems keep rare ones in the private areas."""

_DOTS = str.maketrans(dict.fromkeys("・•‧･∙⋅・●⚫", "·"))
_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}])\s*\.\s*(?=[{_HAN}])")
_AROUND_DOT = re.compile(r"\s*·[\s·]*")
_LATIN = "A-Za-z\u00c0-\u024f.'’-"
_NEEDLESS_SPACE = re.compile(rf"(?<![{_LATIN}]) | (?![{_LATIN}])")
_LOST = re.compile(r"[?\ufffd□■]")
_NAME = re.compile(rf"(?:[^\W\d_]|[{_HAN}·]|[\u0300-\u036f\ufe00-\ufe0f\U000e0100-\U000e01ef]|[ .'’-])+")

# GBK-era systems put these characters into the private area; GB 18030-2005 gave them their own places.
_MOVED = str.maketrans(
    {
        "\ue816": "\U00020087",
        "\ue817": "\U00020089",
        "\ue818": "\U000200cc",
        "\ue81e": "\u9fb4",
        "\ue826": "\u9fb5",
        "\ue82b": "\u9fb6",
        "\ue82c": "\u9fb7",
        "\ue831": "\U000215d7",
        "\ue832": "\u9fb8",
        "\ue83b": "\U0002298f",
        "\ue843": "\u9fb9",
        "\ue854": "\u9fba",
        "\ue855": "\U000241fe",
        "\ue863": "\u4dae",
        "\ue864": "\u9fbb",
    }
)


def normalise_name(text: str) -> str:
    """One spelling of a name, so that names can be compared and printed.

    NFC; every middle dot is · (U+00B7); no spaces, except single ones between Latin words; rare characters survive.
    """
    text = unicodedata.normalize("NFC", plain_text(text).translate(_MOVED)).translate(_DOTS)
    if text.isalpha():
        return text
    text = _AROUND_DOT.sub("·", _BETWEEN_HAN.sub("·", text)).strip("·'’` ")
    return _NEEDLESS_SPACE.sub("", text)


def name_problem(name: str) -> str | None:
    """What is wrong with a normalised name (DOMAIN.md §4.1)."""
    if not name:
        return "name_missing"
    if len(name) > NAME_LENGTH:
        return "name_length"
    if _LOST.search(name):
        return "name_lost_character"
    return None if _NAME.fullmatch(name) else "name_characters"


# ---------------------------------------------------------------- phones

_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}", re.ASCII)
_PHONE_SIGNS = str.maketrans(dict.fromkeys(" '‘’`()", ""))
_DASHES = re.compile(r"[-‐-―−]+")


def normalise_phone(text: str) -> str:
    """Digits: without spaces, brackets and +86; a landline keeps one hyphen where it had one."""
    if _MOBILE.fullmatch(text):
        return text
    text = _DASHES.sub("-", plain_text(text).translate(_PHONE_SIGNS))
    text = re.sub(r"^(\+|00)86-?", "", text)
    digits = text.replace("-", "")
    return digits if _MOBILE.fullmatch(digits) else text


def phone_problem(phone: str) -> str | None:
    """A mobile number of 11 digits, or a landline with its area code (DOMAIN.md §4.1); empty is allowed."""
    return None if not phone or _MOBILE.fullmatch(phone) or _LANDLINE.fullmatch(phone) else "phone_format"
