"""The enrolment register: pupils with their households and guardians, taken over in bulk from another system."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection, transaction

from approvals.people.crypto import blind_index, encrypt
from approvals.people.identity import birth_date_of, sex_of
from approvals.people.models import Guardian, Household, Student

BATCH = 5000
"""Households written at a time: three COPYs, and no more of them in memory."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A guardian; numbers are normalised and valid."""

    name: str
    id_number: str
    phone: str


@dataclass(frozen=True, slots=True)
class Pupil:
    """A pupil as the register has it; numbers are normalised and valid. `school` is a key."""

    name: str
    id_number: str
    school: int
    stage: str
    grade: str
    class_name: str
    boarder: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """A household with the pupils in it and those who answer for them."""

    number: str
    village: str
    size: int
    parents: list[Parent] = field(default_factory=list)
    pupils: list[Pupil] = field(default_factory=list)


def take_over(families: Iterable[Family]) -> int:
    """Writes families whose pupils the enrolment register has verified; returns how many pupils.

    Nobody in them may be known yet: the database refuses a second pupil of the same ID number (IntegrityError).
    """
    count = 0
    stream = iter(families)
    with transaction.atomic():
        while batch := list(islice(stream, BATCH)):
            count += _write(batch)
    return count


def _write(families: list[Family]) -> int:
    households = _keys(Household, len(families))
    pupils = [
        (household, family, pupil)
        for household, family in zip(households, families, strict=True)
        for pupil in family.pupils
    ]
    students = _keys(Student, len(pupils))
    _copy(
        Household,
        "id number village size",
        ((key, family.number, family.village, family.size) for key, family in zip(households, families, strict=True)),
    )
    _copy(
        Student,
        "id name sex birth_date id_number id_hash id_tail enrolment_no school_id grade class_name stage boarder"
        " household_id verified",
        (_student(key, household, pupil) for key, (household, _, pupil) in zip(students, pupils, strict=True)),
    )
    _copy(Guardian, "student_id name id_number id_hash phone", _guardians(students, pupils))
    return len(pupils)


def _student(key: int, household: int, pupil: Pupil) -> tuple[Any, ...]:
    number = pupil.id_number
    return (
        key, pupil.name, sex_of(number), birth_date_of(number), encrypt(number), blind_index(number), number[-4:],
        encrypt("G" + number), pupil.school, pupil.grade, pupil.class_name, pupil.stage, pupil.boarder, household, True,
    )  # fmt: skip


def _guardians(students: list[int], pupils: list[tuple[int, Family, Pupil]]) -> Iterator[tuple[Any, ...]]:
    for key, (_, family, _) in zip(students, pupils, strict=True):
        for parent in family.parents:
            number = parent.id_number
            yield key, parent.name, encrypt(number), blind_index(number), encrypt(parent.phone)


def _keys(model: Any, count: int) -> list[int]:
    """Fresh keys of a table, so that rows that belong together can be copied table by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [key for (key,) in cursor.fetchall()]


def _copy(model: Any, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    names = ", ".join(columns.split())
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
