"""Registers of other offices: taken over whole, matched many at once, by blind index only."""

from datetime import date

import pytest
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries

from approvals.people import registers
from approvals.people.crypto import blind_index
from approvals.people.enrolment import Family, Parent, Pupil, take_over
from approvals.people.models import Guardian, Household, RegisterEntry, RegisterList, Student
from approvals.people.registers import POOR_HOUSEHOLDS, Row
from tests.factories import SchoolFactory, id_number

pytestmark = pytest.mark.django_db
DAY = date(2026, 8, 31)


def person(order: int) -> bytes:
    return blind_index(id_number(date(2016, 5, 4), order))


def test_who_is_listed_is_found_and_who_is_not_is_left_out(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    registers.load_list(
        POOR_HOUSEHOLDS, "县农业农村局", DAY,
        [Row(person(1), "lifted_household", "H1"), Row(person(2), "dibao", "H2", in_county=False)],
    )  # fmt: skip
    with django_assert_num_queries(1):
        found = registers.match([person(1), person(2), person(3)])
    assert set(found) == {person(1), person(2)}
    assert (found[person(1)].category, found[person(1)].in_county) == ("lifted_household", True)
    assert (found[person(2)].household_no, found[person(2)].in_county, found[person(2)].as_of) == ("H2", False, DAY)


def test_a_new_list_replaces_the_current_one_and_keeps_the_old() -> None:
    registers.load_list(POOR_HOUSEHOLDS, "县农业农村局", DAY, [Row(person(1), "lifted_household")])
    registers.load_list(POOR_HOUSEHOLDS, "县农业农村局", date(2026, 9, 30), [Row(person(2), "dibao")])
    assert set(registers.match([person(1), person(2)])) == {person(2)}
    assert RegisterList.objects.filter(current=True).count() == 1
    assert RegisterEntry.objects.count() == 2


def test_who_stands_on_two_registers_is_answered_from_that_of_poor_households_though_it_is_older() -> None:
    registers.load_list(POOR_HOUSEHOLDS, "县农业农村局", DAY, [Row(person(1), "lifted_household", in_county=False)])
    registers.load_list(
        registers.LOW_INCOME, "县民政局", date(2026, 9, 1),
        [Row(person(1), "dibao"), Row(person(2), "dibao_marginal"), Row(person(2), "tekun"),
         Row(person(3), "dibao_marginal")],
    )  # fmt: skip
    found = registers.match([person(1), person(2), person(3)])
    entries = [found[person(n)] for n in (1, 2, 3)]
    assert [(entry.category, entry.registered, entry.judged_by) for entry in entries] == [
        ("lifted_household", True, "lifted_household"), ("tekun", False, "tekun"), ("dibao_marginal", False, ""),
    ]  # fmt: skip
    assert not found[person(1)].in_county


def test_nobody_and_an_empty_register_are_matched_without_trouble() -> None:
    assert registers.match([]) == {}
    assert not registers.is_loaded()
    registers.load_list(registers.LOW_INCOME, "县民政局", DAY, [Row(person(2), "dibao")])
    assert not registers.is_loaded(), "a list of civil affairs is no register of poor households"
    registers.load_list(POOR_HOUSEHOLDS, "县农业农村局", DAY, [])
    assert registers.is_loaded()
    assert registers.match([person(1)]) == {}


# ---------------------------------------------------------------- the enrolment register


def family(school: int, *orders: int, number: str = "H1") -> Family:
    return Family(
        number=number, village="示例村", size=4,
        parents=[Parent("王大山", id_number(date(1985, 7, 4), orders[0]), "13900000001")],
        pupils=[
            Pupil("王小禾", id_number(date(2016, 5, 4), order), school, "primary", "三年级", "1班", boarder=True)
            for order in orders
        ],
    )  # fmt: skip


def test_a_family_is_taken_over_with_its_pupils_and_guardians() -> None:
    school = SchoolFactory()
    assert take_over([family(school.pk, 1, 2), family(school.pk, 3, number="H2")]) == 3
    assert Household.objects.count() == 2
    student = Student.objects.get(id_hash=person(1))
    assert (student.name, student.sex, student.birth_date) == ("王小禾", "M", date(2016, 5, 4))
    assert student.enrolment_no == "G" + student.id_number
    assert student.verified
    assert student.household.students.count() == 2
    assert Guardian.objects.filter(id_hash=blind_index(id_number(date(1985, 7, 4), 1))).count() == 2
    assert student.guardians.get().phone == "13900000001"


def test_what_lies_in_the_table_is_encrypted() -> None:
    take_over([family(SchoolFactory().pk, 1)])
    number = id_number(date(2016, 5, 4), 1)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, enrolment_no FROM people_student")
        [(stored, enrolment)] = cursor.fetchall()
    assert number.encode() not in bytes(stored) + bytes(enrolment)


def test_a_pupil_who_is_known_is_not_taken_over_again() -> None:
    school = SchoolFactory()
    take_over([family(school.pk, 1)])
    with pytest.raises(IntegrityError):
        take_over([family(school.pk, 1, number="H9")])
