"""Pupils who are not on the enrolment register yet: added by their school, marked unverified, corrected by it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from approvals.organisations.models import Organisation
from approvals.people.crypto import blind_index, encrypt
from approvals.people.identity import birth_date_of, sex_of
from approvals.people.models import Student
from workflows import record
from workflows.actors import Actor
from workflows.copying import array, bytes_array, ints_array


@dataclass(frozen=True, slots=True)
class NewPupil:
    """A pupil as the school states it; numbers are normalised and valid. `school` is a key, `path` its office path."""

    name: str
    id_number: str
    school: int
    path: str
    stage: str
    grade: str
    class_name: str
    boarder: bool = False
    enrolment_no: str = ""

    @property
    def birth_date(self) -> date:
        return birth_date_of(self.id_number)

    @property
    def sex(self) -> str:
        return sex_of(self.id_number)


class NumberTaken(Exception):
    """Another pupil bears this ID number."""


_ADD = f"""
    INSERT INTO {Student._meta.db_table}
           (name, sex, birth_date, id_number, id_hash, id_tail, enrolment_no, school_id, grade, class_name, stage,
            boarder, verified)
    SELECT name, sex, birth_date, id_number, id_hash, id_tail, enrolment_no, school, grade, class_name, stage,
           boarder, false
      FROM unnest(%s::text[], %s::text[], %s::date[], %s::bytea[], %s::bytea[], %s::text[], %s::bytea[], %s::bigint[],
                  %s::text[], %s::text[], %s::text[], %s::bool[])
           AS pupil (name, sex, birth_date, id_number, id_hash, id_tail, enrolment_no, school, grade, class_name,
                     stage, boarder)
     ORDER BY id_hash
        ON CONFLICT (id_hash) DO NOTHING
 RETURNING id_hash, id
"""
_KNOWN = f"SELECT id_hash, id FROM {Student._meta.db_table} WHERE id_hash = ANY(%s::bytea[])"


def add_pupils(pupils: Iterable[NewPupil], by: Actor) -> dict[bytes, int]:
    """Adds those who are not on the register yet, unverified; {blind index: key} of all of them, new or known.

    Who is known is left as the register has it. Two schools adding the same pupil at once get the same pupil.
    Raises PermissionDenied when `by` may not submit at one of the schools.
    """
    wanted = {blind_index(pupil.id_number): pupil for pupil in pupils}
    paths = {pupil.path for pupil in wanted.values()}
    posts = by.permits("submit_application", paths)
    if set(posts) != paths:
        raise PermissionDenied("submit_application")
    with transaction.atomic():
        known = _keys(_KNOWN, [bytes_array(wanted)])
        new = {id_hash: pupil for id_hash, pupil in wanted.items() if id_hash not in known}
        if not new:
            return known
        known |= _keys(_ADD, _columns(new))
        for (school, path), count in Counter((pupil.school, pupil.path) for pupil in new.values()).items():
            record.write("add_pupils", "school", [school], by, post=posts[path], path=path, data={"count": count})
        others = [id_hash for id_hash in new if id_hash not in known]
        return known | _keys(_KNOWN, [bytes_array(others)]) if others else known


def _keys(statement: str, params: list[str]) -> dict[bytes, int]:
    """The pupils that a statement answers with: {blind index: key}."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {bytes(id_hash): key for id_hash, key in cursor.fetchall()}


def _columns(pupils: Mapping[bytes, NewPupil]) -> list[str]:
    """The columns of `_ADD`, an array each."""
    each = pupils.values()
    return [
        array(pupil.name for pupil in each),
        array(pupil.sex for pupil in each),
        array(pupil.birth_date.isoformat() for pupil in each),
        bytes_array(encrypt(pupil.id_number) for pupil in each),
        bytes_array(pupils),
        array(pupil.id_number[-4:] for pupil in each),
        bytes_array(encrypt(pupil.enrolment_no) if pupil.enrolment_no else None for pupil in each),
        ints_array(pupil.school for pupil in each),
        array(pupil.grade for pupil in each),
        array(pupil.class_name for pupil in each),
        array(pupil.stage for pupil in each),
        array("t" if pupil.boarder else "f" for pupil in each),
    ]


def correct_pupil(student: Student, name: str, id_number: str, enrolment_no: str, by: Actor) -> list[str]:
    """Corrects who an unverified pupil is; returns the names of the fields that changed.

    A pupil whom the register has verified is not touched here: ValueError. Raises NumberTaken when the ID number
    is another pupil's, PermissionDenied unless `by` may submit at the pupil's school.
    """
    path = student.school.path
    post = by.permits("submit_application", [path]).get(path)
    if post is None:
        raise PermissionDenied("submit_application")
    if student.verified:
        raise ValueError("a verified pupil is corrected on the enrolment register")
    changes: dict[str, object] = {}
    if name != student.name:
        changes["name"] = name
    if enrolment_no != (student.enrolment_no or ""):
        changes["enrolment_no"] = enrolment_no or None
    if id_number != str(student.id_number):
        changes |= {"id_number": id_number, "birth_date": birth_date_of(id_number), "sex": sex_of(id_number)}
        changes |= {"id_hash": blind_index(id_number), "id_tail": id_number[-4:]}
    if not changes:
        return []
    for field, value in changes.items():
        setattr(student, field, value)
    try:
        with transaction.atomic():
            student.save(update_fields=list(changes))
            names: list[str] = [field for field in ("name", "id_number", "enrolment_no") if field in changes]
            record.write("correct_pupil", "student", [student.pk], by, post=post, path=path, data={"fields": names})
    except IntegrityError as error:
        raise NumberTaken from error
    return names


def move_pupils(students: Iterable[int], school: Organisation, by: Actor, post: str) -> int:
    """转入: pupils whom a school has accepted are on its roll; their class there is not known yet. Returns how many.

    The caller has checked under which `post` the school accepts them.
    """
    keys = sorted(set(students))
    moved = Student.objects.filter(pk__in=keys).exclude(school=school).update(school=school, class_name="")
    if moved:
        record.write("move_pupils", "school", [school.pk], by, post=post, path=school.path, data={"count": moved})
    return moved
