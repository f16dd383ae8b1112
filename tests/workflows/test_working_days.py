"""Working days: the State Council's calendar, and the ends of notices counted with it (DOMAIN.md §2.3)."""

import json
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import working_days
from workflows.models import CalendarDay, CalendarYear, TrainingClock
from workflows.working_days import LONGEST, Calendar, notice_end


@pytest.fixture(autouse=True)
def read_again() -> None:
    working_days.forget()


@pytest.fixture
def published(db: None) -> Calendar:
    """The calendar that the project ships."""
    working_days.load_calendar()
    return working_days.calendar()


# ---------------------------------------------------------------- DOMAIN.md §2.3, the vectors


@pytest.mark.parametrize(
    ("published_on", "count", "end"),
    [
        (date(2025, 9, 15), 5, date(2025, 9, 22)),
        (date(2025, 9, 26), 5, date(2025, 10, 10)),
        (date(2025, 9, 28), 5, date(2025, 10, 11)),
        (date(2025, 9, 30), 5, date(2025, 10, 14)),
        (date(2025, 9, 26), 10, date(2025, 10, 16)),
    ],
)
def test_the_vectors_of_the_domain(published: Calendar, published_on: date, count: int, end: date) -> None:
    assert notice_end(published_on, count) == end


def test_the_demo_s_first_notice(published: Calendar) -> None:
    assert notice_end(date(2026, 9, 7), 5) == date(2026, 9, 14)
    assert notice_end(date(2026, 9, 24), 5) == date(2026, 10, 9), "Mid-Autumn and National Day lie between"


def test_calendar_days_are_counted_one_by_one(published: Calendar) -> None:
    assert notice_end(date(2025, 9, 26), 10, "calendar") == date(2025, 10, 6)


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_every_day_agrees_with_the_published_holidays(published: Calendar, year: int) -> None:
    """Against a calendar kept by others."""
    day, different = date(year, 1, 1), []
    while day.year == year:
        if published.is_working(day) != chinese_calendar.is_workday(day):
            different.append(day)
        day += timedelta(days=1)
    assert different == []
    assert not published.is_provisional(date(year, 6, 1))


def test_a_year_not_published_yet_is_provisional(published: Calendar) -> None:
    assert published.is_provisional(date(2026, 12, 31), date(2027, 1, 4))
    assert not published.is_provisional(date(2026, 12, 31))
    assert published.is_working(date(2027, 10, 1)), "a Friday, until the notice comes"


# ---------------------------------------------------------------- loading


def test_loading_again_changes_nothing(published: Calendar) -> None:
    before = list(CalendarDay.objects.order_by("day").values())
    working_days.load_calendar()
    assert list(CalendarDay.objects.order_by("day").values()) == before


def test_a_corrected_notice_replaces_the_year(db: None, tmp_path: Path) -> None:
    notice = tmp_path / "2030.yaml"
    notice.write_text(
        "year: 2030\nsource: 通知一\nholidays:\n  - {name: 元旦, days: [2030-01-01, 2030-01-02]}\n", encoding="utf-8"
    )
    assert working_days.load_calendar(tmp_path) == [2030]
    assert working_days.calendar().after(date(2029, 12, 31), 1) == date(2030, 1, 3)
    notice.write_text(
        "year: 2030\nsource: 通知二\nholidays:\n  - {name: 元旦, days: [2030-01-01]}\n"
        "makeup_days:\n  - {name: 元旦, days: [2030-01-05]}\n",
        encoding="utf-8",
    )
    working_days.load_calendar(tmp_path)
    calendar = working_days.calendar()
    assert calendar.after(date(2029, 12, 31), 1) == date(2030, 1, 2)
    assert calendar.is_working(date(2030, 1, 5)), "a Saturday to make up for it"
    assert CalendarYear.objects.get().source == "通知二"


def test_a_day_that_two_notices_name_is_taken_from_the_later(db: None, tmp_path: Path) -> None:
    (tmp_path / "2030.yaml").write_text(
        "year: 2030\nsource: 一\nmakeup_days:\n  - {name: 元旦, days: [2030-12-29]}\n", encoding="utf-8"
    )
    (tmp_path / "2031.yaml").write_text(
        "year: 2031\nsource: 二\nholidays:\n  - {name: 元旦, days: [2030-12-29, 2031-01-01]}\n", encoding="utf-8"
    )
    working_days.load_calendar(tmp_path)
    assert not working_days.calendar().is_working(date(2030, 12, 29))


def test_an_empty_year_is_published_all_the_same(db: None, tmp_path: Path) -> None:
    (tmp_path / "2030.yaml").write_text("year: 2030\nsource: 一\n", encoding="utf-8")
    working_days.load_calendar(tmp_path)
    assert not working_days.calendar().is_provisional(date(2030, 1, 1))


def test_the_calendar_is_read_in_one_statement_and_kept(published: Calendar, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    working_days.forget()
    with django_assert_num_queries(1):
        working_days.calendar()
        working_days.calendar()
        working_days.due_dates(date(2026, 9, 7))


# ---------------------------------------------------------------- due dates


def test_due_dates_are_the_ends_of_each_allowance(published: Calendar) -> None:
    start = date(2025, 9, 26)
    dates = json.loads(working_days.due_dates(start))
    assert dates["5"] == "2025-10-10"
    assert dates == {str(count): published.after(start, count).isoformat() for count in range(1, LONGEST + 1)}


def test_a_step_without_an_allowance_has_no_due_date(published: Calendar) -> None:
    TrainingClock.objects.create(date=date(2025, 9, 26))
    assert working_days.due_on(None) is None
    assert working_days.due_on(5) == date(2025, 10, 10)


# ---------------------------------------------------------------- properties

days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
calendars = st.dictionaries(days, st.booleans(), max_size=60).map(lambda special: Calendar(frozenset(), special))


@given(calendars, days, st.integers(0, 40))
def test_counting_forth_and_counting_back_agree(calendar: Calendar, start: date, count: int) -> None:
    end = calendar.after(start, count)
    assert calendar.between(start, end) == count
    assert end == start if count == 0 else calendar.is_working(end)


@given(calendars, days, st.integers(0, 20), st.integers(0, 20))
def test_a_period_is_the_sum_of_its_parts(calendar: Calendar, start: date, first: int, second: int) -> None:
    assert calendar.after(calendar.after(start, first), second) == calendar.after(start, first + second)


@given(calendars, days, st.integers(1, 20))
def test_a_longer_notice_never_ends_earlier_nor_one_published_later(calendar: Calendar, day: date, count: int) -> None:
    end = notice_end(day, count, using=calendar)
    assert end > day
    assert notice_end(day, count + 1, using=calendar) > end
    assert notice_end(day + timedelta(days=1), count, using=calendar) >= end


@given(calendars, days, st.integers(0, 20))
def test_the_day_of_publication_itself_does_not_count(calendar: Calendar, day: date, count: int) -> None:
    turned = Calendar(calendar.years, calendar.special | {day: not calendar.is_working(day)})
    assert calendar.after(day, count) == turned.after(day, count)


@given(calendars, days, st.integers(1, 20))
def test_a_holiday_more_never_shortens_a_notice(calendar: Calendar, day: date, count: int) -> None:
    end = calendar.after(day, count)
    longer = Calendar(calendar.years, calendar.special | {end: False})
    assert longer.after(day, count) > end


def test_a_count_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Calendar().after(date(2026, 1, 1), -1)
