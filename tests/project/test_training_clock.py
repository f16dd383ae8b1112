"""Moving the demo's date: by working days, in a demo only, doing what has become due."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from approvals.notices import actions as notices
from project import clock
from tests.factories import (
    FIRST_DAY,
    TERM,
    SchoolFactory,
    VersionFactory,
    acting,
    at_step,
    head_of,
    officer_of,
    set_training_date,
)
from workflows import background
from workflows import clock as business
from workflows.models import CalendarDay, CalendarYear, Case, Record
from workflows.working_days import forget

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def calendar_of_this_test() -> None:
    forget()


def test_the_date_goes_from_monday_to_tuesday() -> None:
    set_training_date(FIRST_DAY)
    assert clock.forward().today == date(2026, 9, 8)
    assert business.today() == date(2026, 9, 8)


def test_the_date_leaves_out_weekends_and_holidays() -> None:
    year = CalendarYear.objects.create(year=2026, source="示例")
    CalendarDay.objects.bulk_create(
        CalendarDay(day=date(2026, 10, day), year=year, working=False, name="国庆节") for day in range(1, 8)
    )
    forget()
    set_training_date(date(2026, 9, 30))
    assert clock.forward().today == date(2026, 10, 8)


def test_the_date_stops_at_make_up_working_days() -> None:
    year = CalendarYear.objects.create(year=2026, source="示例")
    CalendarDay.objects.create(day=date(2026, 9, 20), year=year, working=True, name="国庆节调休")
    forget()
    set_training_date(date(2026, 9, 18))
    assert clock.forward().today == date(2026, 9, 20)


def test_two_visitors_who_saw_the_same_date_move_it_once() -> None:
    set_training_date(FIRST_DAY)
    assert clock.forward(seen=FIRST_DAY).moved
    second = clock.forward(seen=FIRST_DAY)
    assert not second.moved
    assert second.today == date(2026, 9, 8)


def test_without_a_training_clock_nothing_is_moved() -> None:
    with pytest.raises(PermissionDenied):
        clock.forward()


def test_outside_a_demo_nothing_is_moved(settings: object) -> None:
    settings.DEMO = False  # type: ignore[attr-defined]
    training = set_training_date(FIRST_DAY)
    with pytest.raises(PermissionDenied):
        clock.forward()
    training.refresh_from_db()
    assert training.date == FIRST_DAY


def test_what_is_due_is_done_on_the_new_date(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[date] = []

    def work() -> int:
        seen.append(business.today())
        return len(seen) == 1

    monkeypatch.setitem(background._registry, "test", background.Due("test", "default", work))
    set_training_date(FIRST_DAY)
    with business.held():
        clock.forward()
    assert seen[0] == date(2026, 9, 8)


def test_a_notice_of_five_working_days_is_over_after_five_clicks() -> None:
    CalendarYear.objects.create(year=2026, source="示例")
    set_training_date(FIRST_DAY)
    school = SchoolFactory()
    for _ in range(2):
        at_step("school_notice", school=school)
    officer, head = acting(officer_of(school)), acting(head_of(school))
    version = VersionFactory()
    notice = notices.draft("school_notice", school, version.programme, TERM, officer)
    notices.submit(notice.pk, officer)
    notices.publish(notice.pk, head, privacy_checked=True, sealed=True)
    moves = [clock.forward() for _ in range(6)]
    assert [(move.notices, move.cases) for move in moves] == [(0, 0)] * 5 + [(1, 2)]
    assert {case.state for case in Case.objects.all()} == {"township_review"}


def test_the_move_stands_on_the_record_with_both_dates() -> None:
    set_training_date(FIRST_DAY)
    clock.forward()
    line = Record.objects.get(act="clock_forward")
    assert line.data == {"from": "2026-09-07", "to": "2026-09-08"}


def test_a_page_s_business_date_follows_and_its_session_does_not(client: Client) -> None:
    set_training_date(FIRST_DAY)
    client.post(reverse("clock_forward"))
    page = client.get("/sign-in/").content.decode()
    assert "2026年9月8日 星期二" in page
