"""A school with pupils whose applications wait for its notice, and the two people who give it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import connection

from approvals.applications.models import Application
from approvals.notices import actions
from approvals.notices.models import Notice
from approvals.notices.refusals import Refused
from approvals.notices.site.frame import shelf
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.programmes.models import ProgrammeVersion
from tests.factories import (
    TERM,
    CountyFactory,
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    acting,
    at_step,
    every_notice,
    person,
    set_training_date,
)
from workflows import Reason, working_days
from workflows.models import CalendarDay, CalendarYear

LEAK = Reason("privacy_leak", "名单的班级一栏误写了家长电话，须更正后重新公示。")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No page of another test's database is in this process's memory."""
    shelf.clear()


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[Refused]]:
    """The act is refused with this code."""
    with pytest.raises(Refused) as refusal:
        yield refusal
    assert refusal.value.code == code


def unguarded(statement: str) -> None:
    """What somebody does who owns the tables and lifts their guards."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("notices_notice", "notices_noticeline", "notices_noticeedition"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table in ("notices_notice", "notices_noticeline", "notices_noticeedition"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@dataclass
class Place:
    """An office, its step, and the people of its notices."""

    step: str
    office: Organisation
    school: Organisation
    author: UserActor
    signer: UserActor
    reviewer: UserActor
    version: ProgrammeVersion

    def applications(self, count: int, **pupil: Any) -> list[Application]:
        """Applications of this place's school that wait for a notice."""
        return [
            at_step(
                self.step, school=self.school, version=self.version, student=StudentFactory(school=self.school, **pupil)
            )
            for _ in range(count)
        ]

    def draft(self, *cases: int, **chosen: Any) -> Notice:
        return actions.draft(
            self.step, self.office, self.version.programme, TERM, self.author, list(cases) if cases else None, **chosen
        )

    def pending(self, count: int = 3) -> Notice:
        """A notice of so many pupils that waits for its signer."""
        self.applications(count)
        return actions.submit(self.draft().pk, self.author)

    def published(self, count: int = 3) -> Notice:
        """A notice of so many pupils that is public."""
        return self.sign(self.pending(count))

    def sign(self, notice: Notice, publish_on: date | None = None, **given: Any) -> Notice:
        """Signed and sealed: public at once, or on a day."""
        given = {"privacy_checked": True, "sealed": True, "publish_on": publish_on} | given
        return actions.publish(notice.pk, self.signer, **given)

    def scheduled(self, publish_on: date, count: int = 3) -> Notice:
        """A notice of so many pupils that is signed for a day."""
        return self.sign(self.pending(count), publish_on)

    def paused(self, count: int = 3) -> Notice:
        """A notice of so many pupils that was public and is out of view."""
        return actions.pause(self.published(count).pk, self.author, LEAK)


@pytest.fixture
def calendar_of_2025() -> None:
    """The State Council's year 2025 as far as autumn needs it (DOMAIN.md §2.3), and a plain 2026."""
    for year in (2025, 2026):
        CalendarYear.objects.create(year=year, source="国办发明电〔示例〕")
    holidays = [date(2025, 10, day) for day in range(1, 9)]
    makeup = [date(2025, 9, 28), date(2025, 10, 11)]
    CalendarDay.objects.bulk_create(
        CalendarDay(day=day, year_id=2025, working=day in makeup, name="国庆节、中秋节") for day in holidays + makeup
    )
    working_days.forget()
    yield
    working_days.forget()


@pytest.fixture
def school_place(db: None, calendar_of_2025: None) -> Place:
    set_training_date()
    school = SchoolFactory()
    return Place(
        step="school_notice",
        office=school,
        school=school,
        author=acting(person("aid_officer", school)),
        signer=acting(person("school_head", school)),
        reviewer=acting(person("school_head", school)),
        version=VersionFactory(),
    )


@pytest.fixture
def county_place(db: None, calendar_of_2025: None) -> Place:
    set_training_date()
    school, county = SchoolFactory(), CountyFactory()
    return Place(
        step="county_notice",
        office=county,
        school=school,
        author=acting(person("county_reviewer", county)),
        signer=acting(person("county_leader", county)),
        reviewer=acting(person("county_reviewer", county)),
        version=VersionFactory(),
    )


@pytest.fixture
def class_place(db: None, calendar_of_2025: None) -> Place:
    """A school whose programme gives notice at all four levels; the class's, drafted by its teacher."""
    set_training_date()
    school = SchoolFactory()
    return Place(
        step="class_notice",
        office=school,
        school=school,
        author=acting(person("class_teacher", school)),
        signer=acting(person("school_head", school)),
        reviewer=acting(person("class_teacher", school)),
        version=VersionFactory(changes=every_notice()),
    )


@pytest.fixture
def township_place(db: None, calendar_of_2025: None) -> Place:
    set_training_date()
    school = SchoolFactory()
    township = Organisation.objects.get_parent(school)
    return Place(
        step="township_notice",
        office=township,
        school=school,
        author=acting(person("township_reviewer", township)),
        signer=acting(person("township_leader", township)),
        reviewer=acting(person("township_reviewer", township)),
        version=VersionFactory(changes=every_notice()),
    )
