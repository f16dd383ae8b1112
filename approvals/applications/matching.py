"""What the data match has against an application (DOMAIN.md §2.8, §3.1): codes, sentences, and how they are found.

What is matched against are the kinds of sources (`sources`), all in one statement. A second application or award of
the same group and year needs no match: the database does not let it exist.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from approvals.applications.findings import Finder, Pupil
from approvals.applications.models import Application
from approvals.applications.sources import registry
from approvals.applications.sources.base import Found, Kind, Matched, Scope
from approvals.people import registers
from approvals.people.crypto import blind_index, decrypt
from approvals.people.models import Guardian, RegisterEntry, Student
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes.models import ProgrammeVersion
from workflows.copying import bytes_array, ints_array
from workflows.models import Case

SHARING = 2
"""Most pupils of different households whose aid may go to one account (DOMAIN.md §4.3)."""
MANY = 1000
"""Applications above which they are joined by hashes."""
PAST_JUDGING = ("approved", "disbursing", "completed")
"""States in which a family's claims are judged no more: what was granted lasts (DOMAIN.md §2.5)."""


# ---------------------------------------------------------------- what a hit says


def sentence(code: str, values: Mapping[str, Any]) -> str:
    """What a hit says, in the present language."""
    says = registry.says(code)
    if says is None:
        return code
    return str(says.sentence) % {name: _shown(name, value) for name, value in values.items()}


def _shown(name: str, value: Any) -> Any:
    if name in ("groups", "category"):
        named = [str(SPECIAL_GROUPS.get(code, code)) for code in (value if isinstance(value, list) else [value])]
        return "、".join(named)
    if isinstance(value, list):
        return "、".join(str(each) for each in value if each) or "—"
    return "—" if value == "" else value


def source_name(code: str) -> str:
    """What a source is called."""
    kind = registry.kind_of(code)
    return str(kind.title) if kind else code


# ---------------------------------------------------------------- finding


class Match(NamedTuple):
    """What the match found of one application."""

    of: Matched
    found: list[Found]
    entry: registers.Entry | None
    """What a register of households says for it."""
    facts: bytes
    """Keyed digest of what was matched: the account, who holds it, what is claimed."""


_READ = f"""
    SELECT a.case_id, a.version_id, a.school_id, a.stage, a.grade, a.boarder, a.special_groups, a.level, a.amount,
           a.account_hash, a.holder_name, a.guardian_name, a.guardian_id, s.birth_date, s.id_hash, s.verified, s.name,
           c.state
      FROM {Application._meta.db_table} a
      JOIN {Case._meta.db_table} c ON c.id = a.case_id
      JOIN {Student._meta.db_table} s ON s.id = a.student_id
     WHERE a.case_id = ANY(%s::bigint[])
"""

# What a kind's statement may ask of: the applications (`scope`), whoever answers for the pupils (`parents`), and what
# the current lists say of any of them or their accounts (`listed`), found once for all kinds.
_SCOPE = f"""
    WITH scope AS MATERIALIZED (
        SELECT a.case_id, a.student_id, s.id_hash, s.name AS pupil, a.account_hash, a.holder_name, a.guardian_name,
               a.special_groups, a.school_id, a."group", a.school_year, c.state <> ALL(%(past)s) AS judged
          FROM {Application._meta.db_table} a
          JOIN {Case._meta.db_table} c ON c.id = a.case_id
          JOIN {Student._meta.db_table} s ON s.id = a.student_id
         WHERE a.case_id = ANY(%(cases)s::bigint[])
    ), parents AS MATERIALIZED (
        SELECT scope.case_id, g.id_hash
          FROM scope JOIN {Guardian._meta.db_table} g ON g.student_id = scope.student_id AND g.id_hash IS NOT NULL
        UNION
        SELECT case_id, id_hash
          FROM unnest(%(named_cases)s::bigint[], %(named_guardians)s::bytea[]) AS named (case_id, id_hash)
    ), listed AS MATERIALIZED (
        SELECT e.list_id, e.id_hash, e.category, e.household_no, e.name, e.school_year, e.told
          FROM (SELECT id_hash FROM scope UNION SELECT id_hash FROM parents UNION SELECT account_hash FROM scope) sought
          JOIN {RegisterEntry._meta.db_table} e ON e.id_hash = sought.id_hash
         WHERE e.list_id = ANY(%(lists)s::bigint[])
    )
"""


def match(
    case_ids: Collection[int], lists: Mapping[str, int], versions: dict[int, ProgrammeVersion], today: date
) -> dict[int, Match]:
    """Matches applications against every kind of source, by case; the same few statements for one or ten thousand.

    `lists` are the current lists by kind. `versions` keeps the programme versions that were read, for the next call.
    """
    matched, guardians = _read(case_ids)
    versions |= ProgrammeVersion.objects.in_bulk({one.version for one in matched} - set(versions))
    finder = Finder(versions, {one.school for one in matched}, [one.pupil.id_hash for one in matched], today)
    scope = Scope(matched, finder, versions, lists)
    result = {one.case_id: Match(one, [], finder.entry(one.pupil), digest_of(one)) for one in matched}
    for case, found in _found(scope, guardians):
        result[case].found.append(found)
    return result


def _read(case_ids: Collection[int]) -> tuple[list[Matched], dict[int, bytes]]:
    """The applications, and the blind index of the guardian whom each names."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [ints_array(case_ids)])
        rows = cursor.fetchall()
    matched, guardians = [], {}
    for row in rows:
        *stated, account, holder, guardian, guardian_id, born, id_hash, verified, name, state = row
        pupil = Pupil(born, bytes(id_hash), verified, name)
        matched.append(Matched(*stated, bytes(account or b""), holder, guardian, pupil, state not in PAST_JUDGING))
        if guardian_id:
            guardians[row[0]] = blind_index(decrypt(bytes(guardian_id)))
    return matched, guardians


def _found(scope: Scope, guardians: Mapping[int, bytes]) -> Iterator[tuple[int, Found]]:
    asked = [kind for kind in registry.kinds() if kind.asked(scope.lists)]
    params: dict[str, Any] = {
        "past": list(PAST_JUDGING),
        "cases": ints_array(one.case_id for one in scope.matched),
        "lists": ints_array(scope.lists.values()),
        "named_cases": ints_array(guardians),
        "named_guardians": bytes_array(guardians.values()),
        **{f"list_{kind.code}": scope.lists.get(kind.code) for kind in registry.listed_kinds()},
    }
    parts = []
    for kind in asked:
        yield from kind.found(scope)
        if kind.statement:
            parts.append(_part(kind))
            params |= kind.params()
    with connection.cursor() as cursor, _hashed(cursor, len(scope.matched) > MANY):
        cursor.execute(_SCOPE + " UNION ALL ".join(parts), params)
        for case, source, code, said in cursor.fetchall():
            yield case, Found(source, code, json.loads(said))


@contextmanager
def _hashed(cursor: Any, many: bool) -> Iterator[None]:
    """Has many applications joined by hashes. Of a part of a statement PostgreSQL before 17 cannot tell how many rows
    it has, takes it for a few, and lays every application beside every line of the lists. Within a transaction.
    """
    if not many:
        yield
        return
    cursor.execute("SET LOCAL enable_nestloop = off")
    yield
    cursor.execute("SET LOCAL enable_nestloop = on")


def _part(kind: Kind) -> str:
    statement = kind.statement.replace("%(list)s", f"%(list_{kind.code})s")
    return f"SELECT case_id, '{kind.code}', code, said::text FROM ({statement}) AS {kind.code}"


def digest_of(one: Matched) -> bytes:
    """A keyed digest of what is matched of an application: a hit that was waived for other facts counts again."""
    matched = (
        one.pupil.id_hash.hex(),
        one.account_hash.hex(),
        one.holder_name,
        one.guardian_name,
        one.pupil.name,
        ",".join(sorted(one.special_groups)),
    )
    return blind_index("\n".join(matched))


# ---------------------------------------------------------------- accounts


class Owner(NamedTuple):
    """A pupil whose aid goes, or went, to an account."""

    account: bytes
    student: int
    household: int | None


def shared_accounts(accounts: set[bytes], also: Iterable[Owner] = ()) -> dict[bytes, int]:
    """Of these accounts those that serve more pupils of different households than is allowed, with how many.

    Every live application counts, and `also`: who was paid there, or is about to be.
    """
    live = Application.objects.filter(account_hash__in=list(accounts), live=True)
    named = live.values_list("account_hash", "student_id", "student__household_id")
    owners: dict[bytes, dict[int, int | None]] = defaultdict(dict)
    for account, student, household in [*named, *also]:
        owners[bytes(account or b"")][student] = household
    return {
        account: len(students)
        for account, students in owners.items()
        if len(students) > SHARING and not _one_household(set(students.values()))
    }


def _one_household(households: set[int | None]) -> bool:
    return len(households) == 1 and None not in households
