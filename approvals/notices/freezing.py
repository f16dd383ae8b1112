"""A list as it is frozen at publication, and the hash that stands for it on the record.

Every row is committed by a hash of its own, salted: a line that was withdrawn can be left out of a copy of the list,
its hash in its place, and the copy still has the hash that was recorded (format `zhuxue-notice-2`).

    frozen    {…, "rows": [["1", "某校", …], …],      "salts": ["9f…", …]}
    redacted  {…, "rows": [["1", "某校", …], "5a0…"], "salts": ["9f…", ""]}
    hashed    {…, "rows": ["c41…", "5a0…"]}
"""

import hmac
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import connection

from approvals.notices import queries, wording
from approvals.notices.models import Notice

FORMAT = "zhuxue-notice-2"
SALT = 16


def canonical(content: Any) -> bytes:
    """UTF-8 JSON, keys sorted, no spaces."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def frozen_bytes(notice: Notice) -> bytes:
    """The canonical bytes of a notice as it is published.

    The end of the period is not part of it: it follows from the date and the calendar, which may still change.
    """
    shown = queries.listed(notice).values_list("shown", flat=True)
    content = {
        "public_id": notice.public_id,
        "edition": notice.edition,
        "supplements": notice.supplements.public_id if notice.supplements else "",
        "step": notice.step,
        "organisation": {"code": notice.organisation.code, "name": wording.issuer(notice.organisation)},
        "class": [notice.grade, notice.class_name],
        "programme": {"code": notice.programme_id, "name": notice.programme.name},
        "term": notice.term,
        "title": notice.title,
        "body": notice.body,
        "remark": notice.remark,
        "contact": [notice.contact, notice.contact_phone, notice.contact_place, notice.supervision_phone],
        "sealed_on": notice.sealed_on.isoformat() if notice.sealed_on else "",
        "published_on": notice.published_on.isoformat() if notice.published_on else "",
        "days": notice.days,
        "day_kind": notice.day_kind,
        "columns": notice.columns,
    }
    return _salted(notice, content, [[row[heading] for heading in notice.columns] for row in shown])


def _salted(notice: Notice, content: dict[str, Any], rows: list[list[str]]) -> bytes:
    """The content with its rows and a salt for each. Salts follow from the sealing key and never change."""
    edition = f"{notice.public_id}\n{notice.published_at.isoformat() if notice.published_at else ''}"
    begun = hmac.new(settings.SEAL_KEY, b"notice-row\n" + edition.encode(), "sha256")
    salts = []
    for place, row in enumerate(rows):
        salt = begun.copy()
        salt.update(b"\n%d\n" % place + canonical(row))
        salts.append(salt.digest()[:SALT].hex())
    return canonical(content | {"format": FORMAT, "rows": rows, "salts": salts})


def digest(frozen: bytes | memoryview) -> str:
    """What stands for a list on the record, in hexadecimal; the same for a redacted copy. Raises ValueError."""
    content = json.loads(bytes(frozen))
    if content.get("format") != FORMAT:
        return sha256(bytes(frozen)).hexdigest()
    if canonical(content) != bytes(frozen):  # a name that stands twice reads in two ways
        raise ValueError("this is not the canonical form of a list")
    salts = content.pop("salts")
    content["rows"] = [
        row if isinstance(row, str) else row_hash(salt, row) for salt, row in zip(salts, content["rows"], strict=True)
    ]
    return sha256(canonical(content)).hexdigest()


def row_hash(salt: str, row: Sequence[str]) -> str:
    """The hash that commits one row."""
    return sha256(bytes.fromhex(salt) + canonical(row)).hexdigest()


def is_redactable(notice: Notice) -> bool:
    """Whether rows can be left out of a copy of its list: one of the first format was hashed as a whole."""
    with connection.cursor() as cursor:  # the list itself may be long and stays where it is
        cursor.execute(
            "SELECT position(%s::bytea in frozen) > 0 FROM notices_notice WHERE id = %s",
            [f'"format":"{FORMAT}"'.encode(), notice.pk],
        )
        return bool(cursor.fetchone()[0])


def redacted(frozen: bytes | memoryview, standing: Iterable[Sequence[str]]) -> bytes:
    """A copy that shows only rows that stand on the list still; of the others their hashes."""
    content = json.loads(bytes(frozen))
    left = Counter(tuple(row) for row in standing)
    for place, row in enumerate(content["rows"]):
        if left[tuple(row)]:
            left[tuple(row)] -= 1
        else:
            content["rows"][place], content["salts"][place] = row_hash(content["salts"][place], row), ""
    return canonical(content)
