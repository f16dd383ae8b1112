"""Registers of other offices that applications are matched against: by blind index only (DOMAIN.md §2.8)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from django.db import connection, transaction

from approvals.people.models import RegisterEntry, RegisterList
from workflows.clock import today
from workflows.copying import bytes_array, copy, line

POOR_HOUSEHOLDS = "poor_households"
"""Lifted and monitored households, and those on subsistence allowance or extreme-poverty support."""
LOW_INCOME = "low_income"
DISABLED = "disabled"
DECEASED = "deceased"
DUAL_ENROLMENT = "dual_enrolment"
OTHER_AID = "other_aid"
ACCOUNT_HOLDER = "account_holder"
HOUSEHOLDS = (POOR_HOUSEHOLDS, LOW_INCOME)
"""Registers that say under which household category a pupil is listed."""
STANDING_IN = ("dibao", "tekun")
"""Categories under which the list of civil affairs stands in for whom the register of poor households does not have."""


class Row(NamedTuple):
    """A line to be put on a register: the blind index it is matched by, and what it says; see `RegisterEntry`."""

    id_hash: bytes
    category: str
    household_no: str = ""
    in_county: bool = True
    name: str = ""
    school_year: str = ""
    told: str = "{}"
    """JSON."""


class Entry(NamedTuple):
    """What a register of households says of a person."""

    category: str
    household_no: str
    in_county: bool
    kind: str
    as_of: date

    @property
    def registered(self) -> bool:
        """Whether the register of poor households says so, and not the list of civil affairs in its place."""
        return self.kind == POOR_HOUSEHOLDS

    @property
    def judged_by(self) -> str:
        """The category that rules may go by; empty where the list of civil affairs bears out nothing."""
        return self.category if self.registered or self.category in STANDING_IN else ""


def load_list(kind: str, origin: str, as_of: date, rows: Iterable[Row], on: date | None = None) -> RegisterList:
    """Takes over a register as another office gave it, `on` a business date; it replaces the current one of its kind.

    The older list is kept with its entries: earlier decisions were taken by it.
    """
    with alone_with(kind):
        register = RegisterList.objects.create(
            kind=kind, origin=origin, as_of=as_of, current=False, uploaded_on=on or today()
        )
        register.accepted = register.rows = register.valid = write_entries(register.pk, rows)
        RegisterList.objects.filter(kind=kind, current=True).update(current=False)
        register.current = True
        register.save(update_fields=["accepted", "rows", "valid", "current"])
    return register


@contextmanager
def alone_with(kind: str) -> Iterator[None]:
    """A transaction in which nobody else changes which list of a kind is the current one."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('register'), hashtext(%s))", [kind])
        yield


def write_entries(list_id: int, rows: Iterable[Row]) -> int:
    """Writes the lines of a list; returns how many."""
    count = 0

    def lines() -> Iterator[str]:
        nonlocal count
        for row in rows:
            count += 1
            yield line((list_id, *row))

    copy(RegisterEntry, "list_id id_hash category household_no in_county name school_year told", lines())
    return count


_MATCH = f"""
    SELECT DISTINCT ON (e.id_hash) e.id_hash, e.category, e.household_no, e.in_county, l.kind, l.as_of
      FROM {RegisterEntry._meta.db_table} e
      JOIN {RegisterList._meta.db_table} l ON l.id = e.list_id AND l.current AND l.kind = ANY(%s)
     WHERE e.id_hash = ANY(%s::bytea[])
     ORDER BY e.id_hash,
              CASE WHEN l.kind = '{POOR_HOUSEHOLDS}' THEN 0 WHEN e.category = ANY(%s) THEN 1 ELSE 2 END, e.id
"""


def match(hashes: Iterable[bytes]) -> dict[bytes, Entry]:
    """Of these people (blind indexes), those on a current register of households, in one statement.

    Who stands on the register of poor households is answered from it, whatever civil affairs say and whichever list is
    the later; who stands on none is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MATCH, [list(HOUSEHOLDS), bytes_array(hashes), list(STANDING_IN)])
        return {bytes(id_hash): Entry(*entry) for id_hash, *entry in cursor.fetchall()}


def is_loaded() -> bool:
    """Whether there is a register of poor households to match against; a list of civil affairs is none."""
    return RegisterList.objects.filter(current=True, kind=POOR_HOUSEHOLDS).exists()


def current() -> dict[str, int]:
    """The current list of each kind that has one: {kind: key}."""
    return dict(RegisterList.objects.filter(current=True).values_list("kind", "pk"))
