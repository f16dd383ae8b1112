"""Registers of other offices that pupils are matched against: set-based, by blind index only (DOMAIN.md §2.8)."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db import connection, transaction

from approvals.people.models import RegisterEntry, RegisterList
from workflows.copying import bytes_array

POOR_HOUSEHOLDS = "poor_households"
"""Lifted and monitored households, and those on subsistence allowance or extreme-poverty support."""


class Row(NamedTuple):
    """A person to be put on a register: the blind index of the ID number, and under what the person is listed."""

    id_hash: bytes
    category: str
    household_no: str = ""
    in_county: bool = True


class Entry(NamedTuple):
    """What a register says of a person."""

    category: str
    household_no: str
    in_county: bool
    kind: str
    as_of: date


def load_list(kind: str, origin: str, as_of: date, rows: Iterable[Row]) -> RegisterList:
    """Takes over a register as another office gave it; it replaces the current list of its kind.

    The older list is kept with its entries: earlier decisions were taken by it.
    """
    with transaction.atomic():
        RegisterList.objects.filter(kind=kind, current=True).update(current=False)
        register = RegisterList.objects.create(kind=kind, origin=origin, as_of=as_of)
        with (
            connection.cursor() as cursor,
            cursor.copy(
                f"COPY {RegisterEntry._meta.db_table} (list_id, id_hash, category, household_no, in_county) FROM STDIN"
            ) as copy,
        ):
            for row in rows:
                copy.write_row((register.pk, *row))
    return register


_MATCH = f"""
    SELECT DISTINCT ON (e.id_hash) e.id_hash, e.category, e.household_no, e.in_county, l.kind, l.as_of
      FROM {RegisterEntry._meta.db_table} e
      JOIN {RegisterList._meta.db_table} l ON l.id = e.list_id AND l.current
     WHERE e.id_hash = ANY(%s::bytea[])
     ORDER BY e.id_hash, l.as_of DESC, e.id
"""


def match(hashes: Iterable[bytes]) -> dict[bytes, Entry]:
    """Of these people (blind indexes), those on a current register, in one statement.

    Who stands on several is answered from the latest; who stands on none is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MATCH, [bytes_array(hashes)])
        return {bytes(id_hash): Entry(*entry) for id_hash, *entry in cursor.fetchall()}


def are_loaded() -> bool:
    """Whether there is any register to match against."""
    return RegisterList.objects.filter(current=True).exists()
