"""What a standing query is: one SELECT over the county's books, and the sentences for what it finds (DOMAIN.md §2.9).

A statement has the columns of `COLUMNS`. `key` tells subjects apart within a code and a kind of thing; `said` are
the values of the sentence, as JSON, without anybody's name or number. Money that has left is `PAID`.
"""

from datetime import date
from typing import Any, ClassVar

from django.utils.functional import Promise

from approvals.applications.models import Application, Hit
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement.models import Batch, PaymentLine
from approvals.notices.archive.models import Dossier
from approvals.notices.models import Notice, NoticeLine
from approvals.organisations.models import Organisation
from approvals.people.models import Guardian, RegisterEntry, RegisterList, Student
from approvals.programmes.models import ProgrammeVersion, Rate
from workflows.models import Case, Record

COLUMNS = "code, about, about_id, key, path, student_id, case_id, batch_id, amount, said"
SCHOOL, FINANCE, COUNTY = "school", "finance", "county"
"""Who puts it right: the school it happened at, the county's finance office, the county's aid office."""
HIGH, MEDIUM, LOW = "high", "medium", "low"
PAID = "('sent', 'paid', 'acknowledged')"
"""States of a line whose money has left."""

APPLICATION, HIT, AWARD, AWARD_TERM = (m._meta.db_table for m in (Application, Hit, Award, AwardTerm))
BATCH, LINE, NOTICE, NOTICE_LINE = (m._meta.db_table for m in (Batch, PaymentLine, Notice, NoticeLine))
DOSSIER, OFFICE, GUARDIAN, ENTRY = (m._meta.db_table for m in (Dossier, Organisation, Guardian, RegisterEntry))
LIST, STUDENT, VERSION, RATE = (m._meta.db_table for m in (RegisterList, Student, ProgrammeVersion, Rate))
CASE, RECORD = Case._meta.db_table, Record._meta.db_table
STEP = Organisation.steplen


class Audit:
    """A standing query. The registry holds one instance of each."""

    code: ClassVar[str]
    title: ClassVar[Promise]
    asks: ClassVar[Promise]
    """What it means that something is found, in a sentence."""
    law: ClassVar[Promise]
    owner: ClassVar[str] = SCHOOL
    deadline: ClassVar[int] = 10
    """Working days that its office has to put it right."""
    severity: ClassVar[str] = MEDIUM
    says: ClassVar[dict[str, Promise]] = {}
    """By code, the sentence of a finding."""
    statement: ClassVar[str] = ""
    """Empty: there is no data of this kind, and nothing is judged."""
    gaps: ClassVar[tuple[Promise, ...]] = ()
    """What of it is not judged, and why."""
    proof: ClassVar[Promise | None] = None
    """Why there can be no such thing, where the database itself refuses it."""

    @property
    def judged(self) -> bool:
        return bool(self.statement)

    def params(self, on: date) -> dict[str, Any]:
        """The values of the statement, on a business day."""
        return {}


# ---------------------------------------------------------------- pieces of statements


def term_starts(term: str) -> str:
    """The first day of a term, as `Term.starts_on`: 1 September or 1 February."""
    return (
        f"CASE right({term}, 1) WHEN '1' THEN make_date(left({term}, 4)::int, 9, 1)"
        f" ELSE make_date(left({term}, 4)::int + 1, 2, 1) END"
    )


def term_ends(term: str) -> str:
    """The last day of a term: 31 January or 31 August."""
    return f"make_date(left({term}, 4)::int + 1, CASE right({term}, 1) WHEN '1' THEN 1 ELSE 8 END, 31)"


def of_line(code: str, said: str = "") -> str:
    """The columns of a finding about payment line `l`."""
    values = "jsonb_build_object('term', l.term, 'programme', l.programme)" + (f" || {said}" if said else "")
    return (
        f"SELECT {code if code.startswith('CASE') else repr(code)} AS code, 'line' AS about, l.id AS about_id,"
        f" l.id::text AS key, l.path, l.student_id, l.case_id, l.batch_id, l.amount::numeric AS amount,"
        f" {values} AS said"
    )


def of_award(code: str, key: str, said: str, amount: str = "NULL::numeric") -> str:
    """The columns of a finding about award `a`."""
    return (
        f"SELECT {code!r} AS code, 'award' AS about, a.id AS about_id, {key} AS key, a.path, a.student_id, a.case_id,"
        f" NULL::bigint AS batch_id, {amount} AS amount, jsonb_build_object('programme', a.programme) || {said} AS said"
    )


def on_list(kind: str, hashed: str) -> str:
    """A join with the entries `e` of the current list `r` of a kind, by a blind index."""
    return (
        f"JOIN {LIST} r ON r.kind = {kind!r} AND r.current JOIN {ENTRY} e ON e.list_id = r.id AND e.id_hash = {hashed}"
    )


def waived(source: str) -> str:
    """Whether somebody has waived the hit of the data match that says the same of line `l`."""
    return (
        f"EXISTS (SELECT FROM {HIT} h WHERE h.application_id = l.case_id AND h.source = {source!r}"
        " AND h.waived_at IS NOT NULL)"
    )
