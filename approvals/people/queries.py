"""Pupils as lists show them."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from approvals.people.models import Student


def students_under(prefixes: Iterable[str]) -> QuerySet[Student]:
    """The pupils of the schools at or below offices, by school and key."""
    below = Q(pk__in=[])
    for prefix in prefixes:
        below |= Q(school__path__startswith=prefix)
    return Student.objects.filter(below).order_by("school_id", "id")


def by_id_hash(hashes: Iterable[bytes]) -> dict[bytes, Student]:
    """Of these people (blind indexes), the pupils on the enrolment register, with their schools; one statement."""
    found = Student.objects.filter(id_hash__in=list(hashes)).select_related("school")
    return {bytes(student.id_hash): student for student in found}
