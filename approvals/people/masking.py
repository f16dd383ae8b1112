"""How secrets are shown: the one place that shortens them for pages, exports and logs (DOMAIN.md §6)."""

import re

STARS = "*"


def mask_id(number: str) -> str:
    """130499201203050010 -> 1304**********0010; anything too short to keep a secret is all stars."""
    if len(number) < 12:
        return STARS * len(number)
    return f"{number[:4]}{STARS * (len(number) - 8)}{number[-4:]}"


def mask_enrolment_no(number: str) -> str:
    """The enrolment number holds the ID number, so it is masked the same: G1304**********0010."""
    return number[:1] + mask_id(number[1:])


def mask_account(number: str) -> str:
    """6219990000000000010 -> ***0010, whatever its length."""
    return STARS * 3 + (number[-4:] if len(number) >= 8 else "")


def mask_phone(number: str) -> str:
    """13812341234 -> 138****1234; of a landline only the last three digits: 0310-7520123 -> ****123."""
    if len(number) == 11 and number.startswith("1"):
        return f"{number[:3]}{STARS * 4}{number[-4:]}"
    return STARS * 4 + (number[-3:] if len(number) >= 7 else "")


def mask_name(name: str) -> str:
    """The first character and one or two stars: 张三 -> 张*, 张小三 -> 张**."""
    if len(name) < 2:
        return STARS * len(name)
    return name[0] + STARS * min(len(name) - 1, 2)


_SECRET = re.compile(
    # Left alone: UUIDs, and digests or request ids in hexadecimal, which hold letters between their digits.
    r"(?P<token>(?<![0-9A-Za-z])(?:"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|(?=(?:[0-9]*[a-f]){4})(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})"
    r")(?![0-9A-Za-z]))"
    # Whatever stands before a number; only its own digits end it.
    r"|(?<!\d)(?:"
    r"(?P<enrolment>[GJLgjl]\d{17}[\dXx])"
    r"|(?P<id>[1-9]\d{16}[\dXx])"
    r"|(?P<phone>1[3-9]\d{9})"
    r"|(?P<account>\d{11,})"
    r")(?!\d)"
)
_MASKS = {"enrolment": mask_enrolment_no, "id": mask_id, "account": mask_account, "phone": mask_phone, "token": str}


def mask_text(text: str) -> str:
    """Any text for logs, pages and names of files: what looks like an ID, enrolment, account or phone is masked."""
    return _SECRET.sub(lambda found: _MASKS[found.lastgroup or "id"](found.group()), text)
