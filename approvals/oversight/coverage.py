"""应助尽助: of every registered pupil, an award, an application on its way, or why not (DOMAIN.md G-03).

One statement over the registers, awards and applications says how each registered pupil of the county stands in a term;
counts, lists and the audit all ask it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.models import Application
from approvals.awards.models import Award, AwardTerm
from approvals.oversight.models import CoverageReason
from approvals.people.models import RegisterEntry, RegisterList, Student
from approvals.people.registers import DISABLED, LOW_INCOME, POOR_HOUSEHOLDS
from approvals.programmes.models import ProgrammeVersion, Window
from approvals.programmes.terms import Term
from workflows.models import Case

REGISTERS = (POOR_HOUSEHOLDS, LOW_INCOME, DISABLED)
"""The registers that say who is to be aided."""


class Standing(TextChoices):
    """How a registered pupil stands in a term; the first that holds counts."""

    AIDED = "aided", _p("coverage", "Aided")
    ON_THE_WAY = "on_the_way", _p("coverage", "Application on its way")
    REASON = "reason", _p("coverage", "Reason recorded")
    REFUSED = "refused", _p("coverage", "Refused with a reason")
    UNEXPLAINED = "unexplained", _p("coverage", "Unexplained")


STANDING = f"""
    registered AS (
        SELECT s.id, s.school_id, array_agg(DISTINCT e.category) AS categories
          FROM {RegisterList._meta.db_table} r JOIN {RegisterEntry._meta.db_table} e ON e.list_id = r.id
          JOIN {Student._meta.db_table} s ON s.id_hash = e.id_hash AND s.verified
         WHERE r.current AND r.kind = ANY(%(registers)s::varchar[]) AND NOT (r.kind = 'low_income' AND e.category = '')
         GROUP BY s.id, s.school_id),
    aided AS (
        SELECT DISTINCT a.student_id FROM {Award._meta.db_table} a
          JOIN {AwardTerm._meta.db_table} t ON t.award_id = a.id AND t.term = %(term)s
         WHERE a.state IN ('pending', 'active', 'suspended', 'completed')),
    asked AS (
        SELECT p.student_id, bool_or(p.live) AS on_the_way, bool_or(c.state = 'rejected') AS refused
          FROM {Application._meta.db_table} p JOIN {Case._meta.db_table} c ON c.id = p.case_id
          JOIN {ProgrammeVersion._meta.db_table} v ON v.id = p.version_id AND v.definition ->> 'disbursement' <> 'none'
         WHERE p.school_year = %(year)s AND p.term <= %(term)s GROUP BY p.student_id),
    reasons AS (SELECT student_id, code FROM {CoverageReason._meta.db_table}
                 WHERE term = %(term)s AND ended_at IS NULL),
    standing AS (
        SELECT g.id AS student_id, g.school_id, g.categories, reasons.code AS reason,
               CASE WHEN aided.student_id IS NOT NULL THEN 'aided' WHEN asked.on_the_way THEN 'on_the_way'
                    WHEN reasons.code IS NOT NULL THEN 'reason' WHEN asked.refused THEN 'refused'
                    ELSE 'unexplained' END AS standing
          FROM registered g LEFT JOIN aided ON aided.student_id = g.id LEFT JOIN asked ON asked.student_id = g.id
          LEFT JOIN reasons ON reasons.student_id = g.id)
"""
"""Parts of a WITH; `params` gives the values."""


def params(term: str) -> dict[str, Any]:
    return {
        "term": term,
        "year": Term.of(term).school_year,
        "registers": "{" + ",".join(REGISTERS) + "}",
    }


# ---------------------------------------------------------------- counts


@dataclass
class Row:
    """One office: how many of its registered pupils stand how, its own schools' rows below it."""

    path: str
    name: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Standing.values, 0))
    schools: list["Row"] = field(default_factory=list)
    school_id: int | None = None

    @property
    def registered(self) -> int:
        return sum(self.counts.values())

    def _percent(self, count: int) -> str:
        return f"{100 * count / self.registered:.1f}%" if self.registered else "—"

    @property
    def aided_share(self) -> str:
        """资助率: of the registered, those who are aided."""
        return self._percent(self.counts["aided"])

    @property
    def settled_share(self) -> str:
        """应助尽助率: aided, refused with a reason, or with a reason on record."""
        return self._percent(self.counts["aided"] + self.counts["reason"] + self.counts["refused"])

    @property
    def bar(self) -> Iterator[tuple[str, float, float]]:
        """(standing, left, width) of the row's bar, in percent."""
        left = 0.0
        for standing in Standing.values:
            width = round(100 * self.counts[standing] / self.registered, 2) if self.registered else 0.0
            yield standing, round(left, 2), width
            left += width

    def add(self, counts: dict[str, int]) -> None:
        for standing, count in counts.items():
            self.counts[standing] += count


_COUNTS = f"""
    WITH {STANDING}
    SELECT o.id, o.path, o.name, standing, count(*)
      FROM standing JOIN organisations_organisation o ON o.id = standing.school_id
     WHERE o.path LIKE ANY(%(below)s::varchar[])
     GROUP BY o.id, o.path, o.name, standing ORDER BY o.path
"""


def counts(term: str, prefixes: Iterable[str], offices: dict[str, str], step: int) -> Row:
    """The term's figures by township and school, for these offices; one statement.

    `offices` are names by path; schools of no township stand under the county itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, params(term) | {"below": _below(prefixes)})
        rows = cursor.fetchall()
    schools: dict[int, Row] = {}
    for key, path, name, standing, count in rows:
        schools.setdefault(key, Row(path, name, school_id=key)).counts[standing] = count
    top = Row("", "")
    for school in schools.values():
        above = school.path[: 2 * step] if len(school.path) > 2 * step else school.path[:step]
        group = next((row for row in top.schools if row.path == above), None)
        if group is None:
            group = Row(above, offices.get(above, ""))
            top.schools.append(group)
        group.schools.append(school)
        group.add(school.counts)
        top.add(school.counts)
    return top


def _below(prefixes: Iterable[str]) -> str:
    return "{" + ",".join(f"{prefix}%" for prefix in prefixes) + "}"


# ---------------------------------------------------------------- the pupils behind a figure


@dataclass(frozen=True, slots=True)
class Pupil:
    """A registered pupil on the list: no numbers."""

    id: int
    name: str
    school: str
    path: str
    grade: str
    class_name: str
    categories: list[str]
    standing: str
    reason: str


_PUPILS = f"""
    WITH {STANDING}
    SELECT s.id, s.name, o.name, o.path, s.grade, s.class_name, categories, standing, COALESCE(reason, '')
      FROM standing JOIN {Student._meta.db_table} s ON s.id = standing.student_id
      JOIN organisations_organisation o ON o.id = standing.school_id
     WHERE o.path LIKE ANY(%(below)s::varchar[]) AND standing = ANY(%(standings)s::varchar[]) AND s.id > %(after)s
       AND (%(school)s::bigint IS NULL OR o.id = %(school)s::bigint)
     ORDER BY s.id LIMIT %(limit)s
"""


def pupils(
    term: str, prefixes: Iterable[str], standing: str, school: int | None = None, after: int = 0, limit: int = 51
) -> list[Pupil]:
    """Registered pupils of these offices who stand so (any, for an empty `standing`), in the order of their keys."""
    wanted = [standing] if standing else Standing.values
    values = {
        "below": _below(prefixes), "standings": "{" + ",".join(wanted) + "}", "school": school, "after": after,
        "limit": limit,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PUPILS, params(term) | values)
        return [Pupil(*row) for row in cursor.fetchall()]


def standing_of(student: int, term: str) -> str:
    """How one pupil stands; empty for one who is on no register."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {STANDING} SELECT standing FROM standing WHERE student_id = %(student)s",
            params(term) | {"student": student},
        )
        found = cursor.fetchone()
    return str(found[0]) if found else ""


def terms() -> list[str]:
    """The terms for which anything could be applied for, the latest first."""
    return sorted(set(Window.objects.values_list("term", flat=True)), reverse=True)
