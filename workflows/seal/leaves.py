"""What of a line of the record is sealed: all of it, as canonical bytes, with a salt of its own.

The salt keeps a published hash from being guessed at: whoever is shown a line is shown its salt with it.
"""

import hmac
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection

from workflows.seal.merkle import leaf_hash

FORMAT = "zhuxue-record-1"
SALT = 16
_TIME = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
COLUMNS = f"""
    r.id, {_TIME.format("r.at")}, {_TIME.format("r.business_at")}, r.actor, r.actor_name, r.post, r.act, r.about,
    r.about_id, r.item, r.step, r.state_from, r.state_to, r.reason_code, r.reason_text, r.data::text, r.path,
    r.request_id"""
"""Everything that stands in a line, of a row of the record named `r`; its data as PostgreSQL writes jsonb."""
CANONICAL = f"""
    convert_to('["{FORMAT}",' || r.id || ',' || to_json({_TIME.format("r.at")}) || ','
        || to_json({_TIME.format("r.business_at")}) || ',"'
        || encode(sha256(convert_to('[' || to_json(r.actor) || ',' || to_json(r.actor_name) || ','
            || to_json(r.request_id) || ']', 'UTF8')), 'hex') || '",'
        || to_json(r.post) || ',' || to_json(r.act) || ',' || to_json(r.about) || ',' || r.about_id || ','
        || coalesce(r.item::text, 'null') || ',' || to_json(r.step) || ',' || to_json(r.state_from) || ','
        || to_json(r.state_to) || ',' || to_json(r.reason_code) || ',' || to_json(r.reason_text) || ','
        || to_json(r.data::text) || ',' || to_json(r.path) || ']', 'UTF8')"""
"""What `canonical` gives, as PostgreSQL writes it: for a whole record, while this process hashes the rows before.

It only has to be right where it fits the leaf, which it cannot by chance; a line that does not fit is read again and
written by `canonical`.
"""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def canonical(line: Sequence[Any]) -> bytes:
    """The bytes of a line: a UTF-8 JSON list of the format's name and `COLUMNS`, without spaces.

    Who acted is in it as one hash of actor, name and request, so that a proof can be public and names no official.
    """
    key, at, business_at, actor, name, *rest, request = line
    who = sha256(_encode([actor, name, request]).encode()).hexdigest()
    return _encode([FORMAT, key, at, business_at, who, *rest]).encode()


class Salts:
    """The salts of lines, by key of the record. They follow from the sealing key and never change."""

    def __init__(self) -> None:
        self._begun = hmac.new(settings.SEAL_KEY, b"salt", "sha256")

    def of(self, line: int) -> bytes:
        salt = self._begun.copy()
        salt.update(line.to_bytes(8, "big"))
        return salt.digest()[:SALT]

    def leaf_of(self, line: int, content: bytes) -> bytes:
        """The hash of a line's canonical bytes as a leaf."""
        return leaf_hash(self.of(line) + content)

    def leaf(self, line: Sequence[Any]) -> bytes:
        """The hash of a line as a leaf."""
        return leaf_hash(self.of(line[0]) + canonical(line))


def streamed(sql: str) -> Iterator[list[tuple[int, int, bytes, int | None, bytes | None]]]:
    """Rows of a statement with five columns (position, line, leaf, key of the line, its canonical bytes), in portions,
    as fast as the server can send them: in PostgreSQL's binary COPY format.
    """
    with connection.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int8", "int8", "bytea", "int8", "bytea"])
        rows = copy.rows()
        while portion := list(islice(rows, 5000)):
            yield portion
