"""New applications through the one door that the form and the roster share."""

import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from approvals.applications.actions import ApplicationSpec, create_applications
from approvals.applications.models import Application
from approvals.people import registers
from approvals.people.models import Student
from approvals.programmes.models import ProgrammeVersion
from tests.factories import (
    FIRST_DAY,
    TERM,
    CountySchoolFactory,
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    account_number,
    acting,
    head_of,
    officer_of,
    set_training_date,
)
from workflows.models import Case, Record, WorkItem

pytestmark = pytest.mark.django_db


def spec(student: Student, version: ProgrammeVersion, **changes: Any) -> ApplicationSpec:
    rate = version.rates.first()
    values: dict[str, Any] = {
        "student": student.pk,
        "school": student.school_id,
        "path": student.school.path,
        "version": version.pk,
        "term": TERM,
        "stage": student.stage,
        "grade": student.grade,
        "class_name": student.class_name,
        "boarder": True,
        "amount": rate.amount,
        "rate": rate.pk,
        "guardian_name": "王大山",
        "guardian_phone": "13800000000",
        "bank": "鸡泽县农村信用联社",
        "account_no": account_number(student.pk),
        "holder_name": student.name,
        "commitment_on": FIRST_DAY,
        "consent_on": FIRST_DAY,
    }
    return ApplicationSpec(**values | changes)


@pytest.fixture(autouse=True)
def first_day() -> None:
    set_training_date()


def test_an_application_is_stored_with_its_case_and_its_secrets_encrypted() -> None:
    pupil, version = StudentFactory(), VersionFactory()
    officer = officer_of(pupil.school)
    [made] = create_applications(
        [spec(pupil, version, guardian_id="130499198507043042", circumstances={"size": 4})], acting(officer)
    )
    stored = Application.objects.get(pk=made.case_id)
    assert stored.account_no == account_number(pupil.pk)
    assert stored.guardian_id == "130499198507043042"
    assert stored.amount == Decimal("625.00")
    assert (stored.group, stored.school_year) == ("living_subsidy", "2026-2027")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {Application._meta.db_table} t WHERE case_id = %s", [made.case_id])
        text = cursor.fetchone()[0]
    assert account_number(pupil.pk) not in text
    assert "130499198507043042" not in text
    case = Case.objects.get(pk=made.case_id)
    assert (case.state, case.missing) == ("draft", [])
    assert "township_review" in case.steps
    assert case.limits["school_review"] == 10
    line = Record.objects.get(about="case", about_id=case.pk)
    assert line.act == "open"
    assert line.post.startswith("aid_officer@")


def test_a_county_direct_school_passes_no_township() -> None:
    school = CountySchoolFactory(stages=["primary"])
    pupil = StudentFactory(school=school)
    [made] = create_applications([spec(pupil, VersionFactory())], acting(officer_of(school)))
    assert "township_review" not in Case.objects.get(pk=made.case_id).steps


def test_what_is_missing_stands_on_the_case() -> None:
    pupil = StudentFactory()
    bare = spec(pupil, VersionFactory(), account_no="", commitment_on=None, consent_on=None, amount=None, rate=None)
    [made] = create_applications([bare], acting(officer_of(pupil.school)))
    assert Case.objects.get(pk=made.case_id).missing == ["amount", "account", "commitment", "consent"]


def test_consent_is_asked_for_until_the_fourteenth_birthday_on_the_business_date() -> None:
    school, version = SchoolFactory(), VersionFactory()
    turned = StudentFactory(school=school, birth_date=date(2012, 9, 7))
    tomorrow = StudentFactory(school=school, birth_date=date(2012, 9, 8))
    made = create_applications(
        [spec(pupil, version, consent_on=None) for pupil in (turned, tomorrow)], acting(officer_of(school))
    )
    assert [Case.objects.get(pk=each.case_id).missing for each in made] == [[], ["consent"]]


def test_a_second_application_in_the_group_and_year_is_refused_and_the_others_go_on() -> None:
    school, version = SchoolFactory(), VersionFactory()
    day = VersionFactory(changes={"code": "living_subsidy_day"})
    officer = acting(officer_of(school))
    first, second = StudentFactory(school=school), StudentFactory(school=school)
    create_applications([spec(first, version)], officer)
    made = create_applications([spec(first, day), spec(second, version), spec(second, day)], officer)
    assert [each.refused for each in made] == ["duplicate", "", "duplicate"]
    assert Application.objects.count() == 2


def test_an_application_that_ended_leaves_room_for_another() -> None:
    pupil, version = StudentFactory(), VersionFactory()
    officer = acting(officer_of(pupil.school))
    [first] = create_applications([spec(pupil, version)], officer)
    Application.objects.filter(pk=first.case_id).update(live=False)
    [again] = create_applications([spec(pupil, version)], officer)
    assert not again.refused


def test_the_register_and_the_rules_are_asked_at_once() -> None:
    rule = {
        "code": "boards", "when": "boarder",
        "asks": {"zh": "寄宿。", "en": "Boards."}, "holds": {"zh": "寄宿。", "en": "Boards."},
        "fails": {"zh": "不寄宿。", "en": "Does not."}, "unknown": {"zh": "不明。", "en": "Unknown."},
    }  # fmt: skip
    pupil, version = StudentFactory(), VersionFactory(changes={"rules": [rule]})
    row = registers.Row(bytes(pupil.id_hash), "lifted_household")
    registers.load_list(registers.POOR_HOUSEHOLDS, "县农业农村局", date(2026, 8, 31), [row])
    [made] = create_applications([spec(pupil, version, boarder=False)], acting(officer_of(pupil.school)))
    findings = {each["code"]: each for each in Application.objects.get(pk=made.case_id).findings}
    assert findings["boards"]["holds"] is False
    assert findings["registered"]["values"]["category"] == "lifted_household"


@pytest.mark.parametrize("who", ["head", "officer of another school"])
def test_only_an_officer_of_the_school_may(who: str) -> None:
    pupil, version = StudentFactory(), VersionFactory()
    stranger = head_of(pupil.school) if who == "head" else officer_of(SchoolFactory())
    with pytest.raises(PermissionDenied):
        create_applications([spec(pupil, version)], acting(stranger))
    assert not Case.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_rows(django_assert_max_num_queries: Any) -> None:
    school, version = SchoolFactory(), VersionFactory()
    officer = acting(officer_of(school))
    specs = [spec(StudentFactory(school=school), version) for _ in range(30)]
    with django_assert_max_num_queries(20):
        create_applications(specs, officer)
    assert WorkItem.objects.count() == 30


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_people_entering_the_same_pupil_at_once_one_gets_a_draft() -> None:
    set_training_date()
    pupil, version = StudentFactory(), VersionFactory()
    officers = [acting(officer_of(pupil.school)) for _ in range(2)]
    answers: list[str] = []
    started = threading.Barrier(2)

    def enter(officer: Any) -> None:
        try:
            started.wait()
            with transaction.atomic():
                answers.extend(each.refused for each in create_applications([spec(pupil, version)], officer))
        finally:
            connection.close()

    threads = [threading.Thread(target=enter, args=[officer]) for officer in officers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["", "duplicate"]
    assert Application.objects.filter(live=True).count() == 1
