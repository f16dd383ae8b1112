"""What of a line of the record is sealed: all of it, as canonical bytes, with a salt of its own.

The salt keeps a published hash from being guessed at: whoever is shown a line is shown its salt with it.
"""

import hmac
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import psycopg
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

    def leaf(self, line: Sequence[Any]) -> bytes:
        """The hash of a line as a leaf."""
        return leaf_hash(self.of(line[0]) + canonical(line))


def lines(sql: str, params: Sequence[Any] = (), at_once: int = 5000) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of a statement, in portions, on a cursor of the server's."""
    connection.ensure_connection()
    session: Any = connection.connection
    with psycopg.ServerCursor(session, "sealed_lines", withhold=not connection.in_atomic_block) as cursor:
        cursor.itersize = at_once
        cursor.execute(sql, list(params))
        while rows := cursor.fetchmany(at_once):
            yield rows
