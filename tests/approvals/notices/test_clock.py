"""The legal clock on every day of three years, against a count of its own over another calendar."""

from datetime import date, timedelta

import chinese_calendar
import pytest

from workflows import working_days
from workflows.working_days import load_calendar, notice_end

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
LENGTHS = (1, 5, 7, 10, 20)


@pytest.fixture
def loaded() -> None:
    """The calendar as the files of the project have it."""
    load_calendar()
    yield
    working_days.forget()


def counted(published: date, days: int) -> date | None:
    """The n-th working day after a day, step by step; None where it lies in a year that is not published."""
    day = published
    while days:
        day += timedelta(days=1)
        if day > LAST:
            return None
        days -= chinese_calendar.is_workday(day)
    return day


@pytest.mark.parametrize("days", LENGTHS)
def test_every_day_of_three_years_ends_where_another_count_ends(loaded: None, days: int) -> None:
    compared = 0
    for number in range((LAST - FIRST).days + 1):
        published = FIRST + timedelta(days=number)
        expected = counted(published, days)
        if expected is not None:
            assert notice_end(published, days) == expected, published
            assert not working_days.calendar().is_provisional(published, expected)
            compared += 1
        else:
            assert working_days.calendar().is_provisional(notice_end(published, days))
    assert compared > 1_060


def test_calendar_days_are_counted_from_the_day_after_whatever_day_it_is(loaded: None) -> None:
    for number in range((LAST - FIRST).days + 1):
        published = FIRST + timedelta(days=number)
        assert notice_end(published, 10, "calendar") == published + timedelta(days=10)


@pytest.mark.parametrize(
    ("published", "days", "end"),
    [
        (date(2025, 9, 15), 5, date(2025, 9, 22)),
        (date(2025, 9, 26), 5, date(2025, 10, 10)),
        (date(2025, 9, 28), 5, date(2025, 10, 11)),
        (date(2025, 9, 30), 5, date(2025, 10, 14)),
        (date(2025, 9, 26), 10, date(2025, 10, 16)),
    ],
)
def test_the_vectors_of_the_domain_hold_with_the_loaded_calendar(
    loaded: None, published: date, days: int, end: date
) -> None:
    assert notice_end(published, days) == end
