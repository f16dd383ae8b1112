"""Judging a roster against what the database knows: pupils, schools, applications already made. Writes nothing.

target = target_of(school, "living_subsidy", "2026-2027-1")        # Refused when it cannot be uploaded for that
judged = judge(content, "名单.xlsx", target)                        # RosterUnreadable when it is no roster
"""

import gc
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Self

from django.db import connection
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.applications.actions.creating import ApplicationSpec
from approvals.applications.findings import REGISTERED, Finder, Pupil
from approvals.applications.models import Application
from approvals.applications.refusals import Refused
from approvals.applications.rosters import (
    WARNING,
    CheckedRow,
    Problem,
    ProgrammeChoice,
    RosterContext,
    RosterRow,
    Table,
    check_rows,
    read_roster,
    root_cause,
)
from approvals.applications.rosters.problems import ROW
from approvals.organisations.models import Organisation
from approvals.people.crypto import blind_index
from approvals.people.models import Student
from approvals.programmes import queries as programmes
from approvals.programmes.models import ProgrammeVersion, Rate
from approvals.programmes.terms import Term
from workflows.clock import today
from workflows.copying import bytes_array

KNOWN: dict[str, Promise] = {
    "pupil_elsewhere": _("The enrolment register has this pupil at another school (%(school)s)."),
    "applied_before": _("A repeated application: the pupil already has one in this school year (%(programme)s)."),
    "name_on_register": _("The enrolment register has another name for this ID number."),
    "new_pupil": _("Not on the enrolment register yet; added with this roster, marked unverified."),
}
"""What the database knows of a row that the sheet cannot tell."""
SENTENCES: dict[str, Promise] = ROW | KNOWN
DUPLICATE = "duplicate"
CHUNK = 5000
ROWS_NAMED = 20
"""Rows that a summary names."""


@dataclass(frozen=True)
class Target:
    """What a roster is uploaded for: a school, the versions that its rows may be for, and a term."""

    school: Organisation
    versions: Sequence[ProgrammeVersion]
    term: str
    today: date
    rates: dict[tuple[int, str], dict[str, Rate]] = field(default_factory=dict)
    grants: dict[tuple[str, str | None, Decimal | None], "Grant"] = field(default_factory=dict)
    """What `grant_of` worked out."""

    def rates_of(self, version: ProgrammeVersion, stage: str) -> dict[str, Rate]:
        """The rates by tier of a version for a stage in this term, read once."""
        key = (version.pk, stage)
        if key not in self.rates:
            self.rates[key] = programmes.amounts_for(version, self.term, stage)
        return self.rates[key]

    def version_of(self, code: str) -> ProgrammeVersion:
        return next(version for version in self.versions if version.programme_id == code)


def target_of(school: Organisation, code_or_group: str, term: str, *, to_apply: bool = True) -> Target:
    """The target of a roster. Raises Refused for an unknown programme, or, `to_apply`, outside its window."""
    on = today()
    versions = programmes.current(code_or_group)
    if not versions:
        raise Refused("unknown_programme", given=code_or_group, known=", ".join(programmes.codes()))
    if to_apply and not programmes.is_open(code_or_group, term, on):
        raise Refused("window_closed")
    return Target(school, versions, term, on)


def context_of(target: Target) -> RosterContext:
    """The target as the checks of the sheet take it."""
    return RosterContext(
        school_code=target.school.code,
        school_name=target.school.name,
        term=target.term,
        programmes=[_choice(target, version) for version in target.versions],
        today=target.today,
        school_stages=target.school.stages,
        other_school_names=list(target.school.former_names.values_list("name", flat=True)),
    )


def _choice(target: Target, version: ProgrammeVersion) -> ProgrammeChoice:
    rules = version.rules
    names = [rules.project, rules.name, rules.group_name, *rules.also_written]

    def amounts(stage: str | None, level: str | None) -> set[Decimal]:
        return {rate.amount for rate in target.rates_of(version, stage or rules.stages[0]).values()}

    return ProgrammeChoice(
        code=rules.code,
        names=names,
        boarder=rules.boarder,
        stages=rules.stages,
        amounts=amounts if rules.rates else None,
        needs_account="account" in rules.needs,
        needs_level="level" in rules.needs,
        needs_amount="tier" in rules.needs,
    )


class Enrolled(NamedTuple):
    """A pupil that the register has."""

    id: int
    school: int
    school_name: str
    name: str
    pupil: Pupil


@dataclass
class Judgement:
    """A roster, row by row: what was understood, what refuses rows, what travels along."""

    target: Target
    table: Table
    rows: list[CheckedRow]
    hashes: dict[int, bytes]
    enrolled: dict[bytes, Enrolled]

    @property
    def refused(self) -> list[CheckedRow]:
        return [checked for checked in self.rows if checked.refused]

    @property
    def valid(self) -> list[CheckedRow]:
        return [checked for checked in self.rows if not checked.refused]

    def findings(self) -> Iterator[tuple[str, str]]:
        """(programme, findings as JSON) of each valid row, as its draft will carry them."""
        versions = {version.pk: version for version in self.target.versions}
        finder = Finder(versions, {self.target.school.pk}, list(self.hashes.values()), self.target.today)
        for checked in self.valid:
            hashed = self.hashes[checked.row]
            assert checked.values is not None
            known = self.enrolled.get(hashed)
            pupil = Pupil(checked.values.birth_date, hashed, known.pupil.verified if known else False)
            grant = grant_of(checked.values, self.target)
            stated = Stated.of(checked.values, grant)
            yield grant.programme, finder.findings_json(grant.version, stated, self.target.school.pk, pupil)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Leaves reference cycles uncollected for a while; also a decorator.

    A roster is a million small objects that stay, and Python looks through all of them again and again for cycles
    that there are none of: a sixth of the time. Where two threads do this at once, the first to end ends it for both.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@without_collecting()
def judge(
    content: bytes | Path,
    filename: str,
    target: Target,
    lang: str | None = None,
    ignore_roster: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Judgement:
    """Reads and checks a roster. `ignore_roster`: applications that came with it do not count as repeated."""
    table = read_roster(content, filename)
    rows = []
    for checked in check_rows(table, context_of(target), lang):
        rows.append(checked)
        if progress and len(rows) % CHUNK == 0:
            progress(len(rows))
    hashes = {checked.row: blind_index(checked.values.id_number) for checked in rows if checked.values}
    enrolled = enrolled_pupils(hashes.values())
    judgement = Judgement(target, table, rows, hashes, enrolled)
    _add_known(judgement, lang, ignore_roster)
    return judgement


_ENROLLED = f"""
    SELECT s.id, s.id_hash, s.school_id, o.name, s.name, s.birth_date, s.verified
      FROM {Student._meta.db_table} s JOIN {Organisation._meta.db_table} o ON o.id = s.school_id
     WHERE s.id_hash = ANY(%s::bytea[])
"""


def enrolled_pupils(hashes: Iterable[bytes]) -> dict[bytes, Enrolled]:
    """The pupils of these blind indexes, by index."""
    with connection.cursor() as cursor:
        cursor.execute(_ENROLLED, [bytes_array(set(hashes))])
        return {
            bytes(hashed): Enrolled(pk, school, school_name, name, Pupil(born, bytes(hashed), verified))
            for pk, hashed, school, school_name, name, born, verified in cursor.fetchall()
        }


def _add_known(judgement: Judgement, lang: str | None, ignore_roster: int | None) -> None:
    """Adds to each row what the database knows; a pupil of another school or with an application is refused."""
    target = judgement.target
    applied = _applied(target, [pupil.id for pupil in judgement.enrolled.values()], ignore_roster)
    for checked in judgement.rows:
        if checked.values is None:
            continue
        pupil = judgement.enrolled.get(judgement.hashes[checked.row])
        if pupil is None:
            _note(checked, "new_pupil", lang)
        elif pupil.school != target.school.pk:
            _refuse(checked, "pupil_elsewhere", lang, school=pupil.school_name)
        elif pupil.id in applied:
            _refuse(checked, "applied_before", lang, code=DUPLICATE, programme=applied[pupil.id])
        elif pupil.name != checked.values.name:
            _note(checked, "name_on_register", lang)


def _applied(target: Target, students: list[int], ignore_roster: int | None) -> dict[int, str]:
    groups = {version.programme.group for version in target.versions}
    live = Application.objects.filter(
        live=True, student__in=students, group__in=groups, school_year=Term.of(target.term).school_year
    )
    if ignore_roster is not None:
        live = live.exclude(roster=ignore_roster)
    names = {version.programme_id: version.rules.project for version in target.versions}
    return {student: names.get(code, code) for student, code in live.values_list("student", "programme")}


def _refuse(checked: CheckedRow, sentence: str, lang: str | None, code: str = "", **params: Any) -> None:
    checked.values = None
    problem = Problem("身份证号", code or sentence, params=params, lang=lang, sentence=KNOWN[sentence])
    checked.problems.insert(0, problem)


def _note(checked: CheckedRow, code: str, lang: str | None) -> None:
    column = "姓名" if code == "name_on_register" else "身份证号"
    checked.problems.append(Problem(column, code, severity=WARNING, lang=lang, sentence=KNOWN[code]))


def refused_as_json(refused: Iterable[CheckedRow]) -> list[dict[str, Any]]:
    """Each refused row once, with its root cause and the rest in `also`; sentences as the check spoke them."""
    listed = []
    for checked in refused:
        first, others = root_cause(checked.problems)
        assert first is not None
        also = [problem.as_dict() for problem in others if problem.severity != WARNING]
        listed.append({"row": checked.row, **first.as_dict(), "also": also})
    return listed


def spec_of(
    values: RosterRow,
    target: Target,
    student: int,
    *,
    roster: int | None = None,
    roster_row: int | None = None,
    commitment_on: date | None = None,
    consent_on: date | None = None,
) -> ApplicationSpec:
    """A checked row as a new application."""
    grant = grant_of(values, target)
    return ApplicationSpec(
        student=student,
        school=target.school.pk,
        path=target.school.path,
        version=grant.version,
        term=target.term,
        stage=grant.stage,
        grade=values.grade,
        class_name=values.class_name,
        boarder=bool(values.boarder),
        special_groups=values.special_groups,
        level=values.level or "",
        tier=grant.tier,
        amount=grant.amount,
        rate=grant.rate,
        guardian_name=values.guardian_name,
        guardian_id=values.guardian_id,
        guardian_phone=values.phone,
        bank=values.bank,
        account_no=values.account_no,
        account_kind=values.account_kind or "bank_card",
        holder_name=values.holder_name,
        remark=values.remark,
        commitment_on=commitment_on,
        consent_on=consent_on,
        roster=roster,
        roster_row=roster_row,
    )


class Grant(NamedTuple):
    """What a row is for: programme and version (its key), stage, and the tier, yuan and rate its amount stands for."""

    programme: str
    version: int
    stage: str
    tier: str
    amount: Decimal | None
    rate: int | None


def grant_of(values: RosterRow, target: Target) -> Grant:
    """What a row is for; worked out once for rows that agree."""
    key = (values.programme_code, values.stage, values.amount)
    if key not in target.grants:
        version = target.version_of(values.programme_code)
        stage = values.stage or next(iter(target.school.stages), version.rules.stages[0])
        tier, rate = _tier(target.rates_of(version, stage), values.amount)
        target.grants[key] = Grant(
            values.programme_code, version.pk, stage, tier, rate.amount if rate else None, rate.pk if rate else None
        )
    return target.grants[key]


class Stated(NamedTuple):
    """What the rules ask of a row, before there is an application."""

    stage: str
    grade: str
    boarder: bool
    special_groups: tuple[str, ...]
    level: str
    amount: Decimal | None

    @classmethod
    def of(cls, values: RosterRow, grant: Grant) -> Self:
        """As `spec_of` puts the same."""
        return cls(
            grant.stage, values.grade, bool(values.boarder), values.special_groups, values.level or "", grant.amount
        )


def _tier(rates: dict[str, Rate], amount: Decimal | None) -> tuple[str, Rate | None]:
    """The tier and rate that an amount stands for; the only rate where no amount is written."""
    if amount is None:
        return next(iter(rates.items())) if len(rates) == 1 else ("", None)
    return next(((tier, rate) for tier, rate in rates.items() if rate.amount == amount), ("", None))


def summary(judgement: Judgement) -> dict[str, Any]:
    """What was understood of the sheet, as the preview shows it; codes are told in the reader's language."""
    table = judgement.table
    return {
        "format": table.format,
        "encoding": table.encoding,
        "sheet": table.sheet,
        "sheets": [{"name": sheet.name, "hidden": sheet.hidden, "why": sheet.why} for sheet in table.sheets],
        "header_row": table.header_row,
        "columns": [
            {"column": column, "heading": match.heading, "letter": match.letter}
            for column, match in table.columns.items()
        ],
        "unmapped": [{"heading": match.heading, "letter": match.letter} for match in table.unmapped],
        "missing": table.missing,
        "notes": _notes(table),
        "skipped": [{"row": skipped.row, "why": skipped.why} for skipped in table.skipped if skipped.why != "blank"],
        "findings": _finding_counts(judgement),
    }


def _notes(table: Table) -> dict[str, list[str]]:
    said = {}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said[language] = [note.message for note in table.notes]
    return said


def _finding_counts(judgement: Judgement, most: int = 40) -> list[dict[str, Any]]:
    """What eligibility and register say of the valid rows, the commonest first; what simply holds is left out.

    [{"programme", "code", "holds", "values", "count", "rows"}], equal sentences counted together; `rows` are
    (row, pupil's name) of the first ones.
    """
    alike: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for checked, said in zip(judgement.valid, judgement.findings(), strict=True):
        assert checked.values is not None
        alike[said].append((checked.row, checked.values.name))
    found: dict[tuple[str, str, Any, str], list[tuple[int, str]]] = defaultdict(list)
    for (programme, findings), rows in alike.items():
        for finding in json.loads(findings):
            if finding["holds"] is not True or finding["code"] == REGISTERED:
                values = json.dumps(finding.get("values", {}), ensure_ascii=False, sort_keys=True)
                found[programme, finding["code"], finding["holds"], values] += rows
    return [
        {
            "programme": programme,
            "code": code,
            "holds": holds,
            "values": json.loads(values),
            "count": len(rows),
            "rows": sorted(rows)[:ROWS_NAMED],
        }
        for (programme, code, holds, values), rows in sorted(found.items(), key=lambda each: -len(each[1]))[:most]
    ]
