"""Who may not judge which application: kin declared, and kin found in households and guardians (DOMAIN.md §2.8)."""

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext_lazy as _

from approvals.applications.models import Application
from approvals.organisations.models import User
from approvals.people.models import Guardian, Kinship, Student
from workflows.actors import SYSTEM
from workflows.acts import recuse
from workflows.acts.recusing import add_recusals
from workflows.events import Move, on_move

DECLARED, HOUSEHOLD = "kin_declared", "kin_household"
add_recusals(
    {
        DECLARED: _("You have declared the pupil or a guardian as your relative and do not judge this case."),
        HOUSEHOLD: _("You are a guardian of the pupil or of a child in the same household and do not judge this case."),
    }
)

_CASES = f"""
    SELECT a.case_id, s.id AS student, s.id_hash, s.household_id
      FROM {Application._meta.db_table} a JOIN {Student._meta.db_table} s ON s.id = a.student_id
     WHERE a.live AND a.case_id = ANY(%(cases)s)
"""
_DECLARED = f"""
    WITH cases AS ({_CASES})
    SELECT c.case_id, k.person FROM cases c
      JOIN {Kinship._meta.db_table} k ON k.id_hash = c.id_hash AND k.ended_at IS NULL
     UNION
    SELECT c.case_id, k.person FROM cases c
      JOIN {Guardian._meta.db_table} g ON g.student_id = c.student
      JOIN {Kinship._meta.db_table} k ON k.id_hash = g.id_hash AND k.ended_at IS NULL
"""
_HOUSEHOLD = f"""
    WITH cases AS ({_CASES})
    SELECT c.case_id, u.person FROM cases c
      JOIN {Guardian._meta.db_table} g ON g.student_id = c.student
      JOIN {User._meta.db_table} u ON u.id_hash = g.id_hash
     UNION
    SELECT c.case_id, u.person FROM cases c
      JOIN {Student._meta.db_table} h ON h.household_id = c.household_id
      JOIN {Guardian._meta.db_table} g ON g.student_id = h.id
      JOIN {User._meta.db_table} u ON u.id_hash = g.id_hash
"""


def find(case_ids: Iterable[int]) -> int:
    """Recuses kin from these cases, in two statements for any number of them; how many recusals are new."""
    cases, found = list(case_ids), 0
    for statement, code in ((_DECLARED, DECLARED), (_HOUSEHOLD, HOUSEHOLD)):
        with connection.cursor() as cursor:
            cursor.execute(statement, {"cases": cases})
            pairs = [(case, person.hex) for case, person in cursor.fetchall()]
        found += recuse(pairs, code, SYSTEM)
    return found


def find_for(id_hash: bytes) -> int:
    """Looks for kin in the open applications that a person with this blind index has a part in."""
    open_cases = Application.objects.filter(live=True, case__finished=None)
    own = open_cases.filter(student__id_hash=id_hash).values_list("pk", flat=True)
    guarded = Guardian.objects.filter(id_hash=id_hash)
    students = guarded.values_list("student", flat=True)
    households = guarded.exclude(student__household=None).values_list("student__household", flat=True)
    near = open_cases.filter(student__in=students) | open_cases.filter(student__household__in=households)
    return find({*own, *near.values_list("pk", flat=True)})


@on_move("aid", outcome="submit")
def find_on_submission(move: Move) -> None:
    """Whoever is kin is known before anybody can judge."""
    find(move.case_ids)


@on_move("aid", outcome="resubmit")
def find_on_resubmission(move: Move) -> None:
    """A correction may have changed who the pupil is."""
    find(move.case_ids)
