"""New applications, one from the form or fifty thousand from a roster, through one set-based door."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from approvals.applications.findings import Finder, Pupil
from approvals.applications.missing import Supplied, missing_codes
from approvals.applications.models import Application
from approvals.organisations import queries as organisations
from approvals.people.crypto import blind_index, encrypt
from approvals.people.models import Student
from approvals.programmes.models import ProgrammeVersion
from approvals.programmes.terms import Term
from workflows import CaseSpec, open_cases
from workflows.actors import Actor
from workflows.clock import Moment, moment
from workflows.copying import array, copy, ints_array, line, short_array
from workflows.versions import route_named

DUPLICATE = "duplicate"
"""The pupil already has a live application in this group and school year, or stands earlier in the same set."""
BUSY = "busy"
"""Somebody else is entering the same pupils at this moment."""
NO_PUPIL = "no_pupil"
AT_TOWNSHIPS = ("township_review", "township_notice")
"""Steps that are passed only by cases of a school under a township."""


@dataclass(frozen=True, slots=True)
class ApplicationSpec:
    """One pupil's application, validated and normalised: values are plain here and stored encrypted.

    `student`, `school`, `version`, `rate` and `roster` are keys; `path` is the school's office path; `amount` is
    yuan per term from the rates; `circumstances` what the family states.
    """

    student: int
    school: int
    path: str
    version: int
    term: str
    stage: str
    grade: str
    class_name: str
    boarder: bool = False
    special_groups: Sequence[str] = ()
    level: str = ""
    tier: str = ""
    amount: Decimal | None = None
    rate: int | None = None
    guardian_name: str = ""
    guardian_id: str = ""
    guardian_phone: str = ""
    bank: str = ""
    account_no: str = ""
    account_kind: str = "bank_card"
    holder_name: str = ""
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""
    class_opinion: str = ""
    commitment_on: date | None = None
    consent_on: date | None = None
    roster: int | None = None
    roster_row: int | None = None


class Created(NamedTuple):
    """What became of one spec: its case, or why there is none (a code: duplicate, no_pupil, busy)."""

    case_id: int | None
    refused: str = ""


def create_applications(specs: Iterable[ApplicationSpec], by: Actor, act: str = "open") -> list[Created]:
    """Opens a draft for each spec and answers each in the order given; a refused row leaves the others alone.

    One transaction, or a part of the caller's. A pupil has one live application per group and school year: two
    people entering the same pupil at once get one draft and one `duplicate`, never an exception. Raises
    PermissionDenied when `by` may not submit at one of the schools.
    """
    wanted = list(specs)
    posts = _posts(wanted, by)
    try:
        with transaction.atomic():
            return _create(wanted, by, posts, act)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise
        return [Created(None, BUSY)] * len(wanted)


def _posts(specs: list[ApplicationSpec], by: Actor) -> Mapping[str, str]:
    paths = {spec.path for spec in specs}
    posts = by.permits("submit_application", paths)
    if set(posts) != paths:
        raise PermissionDenied("submit_application")
    return posts


def _create(specs: list[ApplicationSpec], by: Actor, posts: Mapping[str, str], act: str) -> list[Created]:
    versions = ProgrammeVersion.objects.select_related("programme").in_bulk({spec.version for spec in specs})
    pupils = _locked_pupils({spec.student for spec in specs})
    years = _years(specs)
    groups = {key: version.programme.group for key, version in versions.items()}
    taken = _taken(specs, groups, years)
    results: list[Created | None] = [None] * len(specs)
    accepted: list[int] = []
    for number, spec in enumerate(specs):
        place = (spec.student, groups[spec.version], years[spec.term])
        if spec.student not in pupils:
            results[number] = Created(None, NO_PUPIL)
        elif place in taken:
            results[number] = Created(None, DUPLICATE)
        else:
            taken.add(place)
            accepted.append(number)
    chosen = [specs[number] for number in accepted]
    for number, case_id in zip(accepted, _store(chosen, by, posts, act, versions, pupils), strict=True):
        results[number] = Created(case_id)
    return [result for result in results if result is not None]


def _locked_pupils(ids: set[int]) -> dict[int, Pupil]:
    """The pupils, locked in order: whoever enters one of them at the same time waits for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, birth_date, id_hash, verified, name FROM {Student._meta.db_table}"
            " WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
            [ints_array(ids)],
        )
        return {
            key: Pupil(birth_date, bytes(id_hash), verified, name)
            for key, birth_date, id_hash, verified, name in cursor.fetchall()
        }


def _years(specs: list[ApplicationSpec]) -> dict[str, str]:
    """The school year of each term."""
    return {term: Term.of(term).school_year for term in {spec.term for spec in specs}}


_TAKEN = f"""
    SELECT student_id, "group", school_year FROM {Application._meta.db_table}
     WHERE live AND student_id = ANY(%s::bigint[]) AND "group" = ANY(%s::text[]) AND school_year = ANY(%s::text[])
"""


def _taken(
    specs: list[ApplicationSpec], groups: Mapping[int, str], years: Mapping[str, str]
) -> set[tuple[int, str, str]]:
    """(pupil, group, school year) of the live applications that these pupils have; read after the lock."""
    params = [ints_array({spec.student for spec in specs}), array(set(groups.values())), array(set(years.values()))]
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, params)
        return set(cursor.fetchall())


def _store(
    specs: list[ApplicationSpec],
    by: Actor,
    posts: Mapping[str, str],
    act: str,
    versions: Mapping[int, ProgrammeVersion],
    pupils: Mapping[int, Pupil],
) -> list[int]:
    at = moment()
    below_township = organisations.below_township({spec.path for spec in specs})
    routes = {
        (version, path): [
            step for step in versions[version].rules.steps if step not in AT_TOWNSHIPS or path in below_township
        ]
        for version, path in {(spec.version, spec.path) for spec in specs}
    }
    together: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, spec in enumerate(specs):
        together[posts[spec.path], versions[spec.version].rules.flow].append(number)
    case_ids: list[int] = [0] * len(specs)
    for (post, flow), numbers in together.items():
        opened = open_cases(
            route_named(flow),
            (_case(specs[number], versions, routes, pupils, at) for number in numbers),
            by,
            post=post,
            act=act,
        )
        for number, case_id in zip(numbers, opened, strict=True):
            case_ids[number] = case_id
    found = Finder(
        versions,
        {spec.school for spec in specs},
        [pupils[spec.student].id_hash for spec in specs],
        at.date,
    )
    copy(Application, _COLUMNS, _lines(case_ids, specs, versions, pupils, found, at))
    return case_ids


def _case(
    spec: ApplicationSpec,
    versions: Mapping[int, ProgrammeVersion],
    routes: Mapping[tuple[int, str], list[str]],
    pupils: Mapping[int, Pupil],
    at: Moment,
) -> CaseSpec:
    version = versions[spec.version]
    return CaseSpec(
        path=spec.path,
        programme=version.programme_id,
        programme_version=version.number,
        term=spec.term,
        steps=routes[spec.version, spec.path],
        limits=version.rules.limits,
        returns=version.rules.returns,
        panels=version.rules.seats,
        title=pupils[spec.student].name,
        missing=missing_codes(version.rules.needs, supplied_by(spec, pupils[spec.student].birth_date), at.date),
    )


def supplied_by(spec: ApplicationSpec, birth_date: date) -> Supplied:
    """What a spec holds of the things that can be missing."""
    return Supplied(
        level=bool(spec.level),
        tier=bool(spec.tier),
        amount=spec.amount is not None,
        guardian=bool(spec.guardian_name),
        account=bool(spec.account_no),
        commitment=spec.commitment_on is not None,
        consent=spec.consent_on is not None,
        birth_date=birth_date,
    )


_COLUMNS = """
    case_id student_id school_id path version_id programme group school_year term live stage grade class_name boarder
    special_groups level tier amount rate_id guardian_name guardian_id guardian_phone bank account_no account_hash
    account_tail account_kind holder_name circumstances remark class_opinion commitment_on consent_on findings
    roster_id roster_row created_at
"""


def _lines(
    case_ids: list[int],
    specs: list[ApplicationSpec],
    versions: Mapping[int, ProgrammeVersion],
    pupils: Mapping[int, Pupil],
    found: Finder,
    at: Moment,
) -> Iterator[str]:
    """The rows of `_COLUMNS`, as COPY reads them."""
    years, created = _years(specs), at.machine.isoformat()
    programmes = {key: version.programme for key, version in versions.items()}
    for case_id, spec in zip(case_ids, specs, strict=True):
        programme, pupil = programmes[spec.version], pupils[spec.student]
        yield line((
            case_id, spec.student, spec.school, spec.path, spec.version, programme.code, programme.group,
            years[spec.term], spec.term, True, spec.stage, spec.grade, spec.class_name, spec.boarder,
            short_array(tuple(spec.special_groups)), spec.level, spec.tier, spec.amount, spec.rate, spec.guardian_name,
            _secret(spec.guardian_id), _secret(spec.guardian_phone), spec.bank, _secret(spec.account_no),
            blind_index(spec.account_no) if spec.account_no else None, spec.account_no[-4:], spec.account_kind,
            spec.holder_name, _secret(_json(spec.circumstances)), spec.remark, spec.class_opinion,
            spec.commitment_on, spec.consent_on, found.findings_json(spec.version, spec, spec.school, pupil),
            spec.roster, spec.roster_row, created,
        ))  # fmt: skip


def _secret(value: str) -> bytes | None:
    return encrypt(value) if value else None


def _json(circumstances: Mapping[str, Any]) -> str:
    return json.dumps(circumstances, ensure_ascii=False, default=str) if circumstances else ""
