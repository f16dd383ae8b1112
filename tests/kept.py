"""What the database holds, emptied after a test that committed; kept and put back: quicker than making it again.

Triggers and keys to other tables are off meanwhile: the record refuses to be emptied, and what is put back held before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from django.db import connection, transaction

MADE_BY_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission"}
FEW_BYTES = 1_000_000
_FILLED = "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname = ANY(%s) AND pg_relation_size(oid) > 0"
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"


def empty() -> None:
    """Empties every table that tests fill: a few rows are deleted, which is quicker than a new file."""
    with _unguarded() as cursor:
        for table, size in _filled(cursor):
            cursor.execute(f'DELETE FROM "{table}"' if size < FEW_BYTES else f'TRUNCATE "{table}" CASCADE')


@dataclass(frozen=True)
class Kept:
    """Rows as PostgreSQL copies them, by table, and where the sequences stand."""

    rows: dict[str, bytes]
    sequences: dict[str, int]

    @classmethod
    def now(cls) -> Self:
        """What the database holds now."""
        rows = {}
        with connection.cursor() as cursor:
            for table, _ in _filled(cursor):
                with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as copy:
                    rows[table] = b"".join(bytes(piece) for piece in copy)
            cursor.execute(_SEQUENCES)
            return cls(rows, dict(cursor.fetchall()))

    def put_back(self) -> None:
        """Fills empty tables with what was kept."""
        with _unguarded() as cursor:
            for table, found in self.rows.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT binary)') as copy:
                    copy.write(found)
            for name, last in self.sequences.items():
                cursor.execute("SELECT setval(%s, %s)", [name, last])


@contextmanager
def _unguarded() -> Iterator[Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor


def _filled(cursor: Any) -> list[tuple[str, int]]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    cursor.execute(_FILLED, [list(set(tables) - MADE_BY_MIGRATIONS)])
    return list(cursor.fetchall())
