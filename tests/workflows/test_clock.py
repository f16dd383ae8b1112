"""Two clocks: the machine's, and the business date that a demo may set."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from workflows import clock
from workflows.models import TrainingClock

pytestmark = pytest.mark.django_db


def test_without_a_training_date_business_is_the_machine_s_time() -> None:
    moment = clock.moment()
    assert moment.machine == moment.business
    assert clock.training_date() is None
    assert abs(clock.now() - timezone.now()) < timedelta(seconds=5)


def test_with_one_the_date_is_the_training_s_and_the_time_of_day_the_machine_s() -> None:
    TrainingClock.objects.create(date=date(2026, 9, 7))
    moment = clock.moment()
    assert clock.today() == date(2026, 9, 7)
    assert abs(moment.machine - timezone.now()) < timedelta(seconds=5)
    assert moment.business.timetz() == moment.machine.astimezone(clock.CHINA).timetz()


def test_the_business_date_is_china_s() -> None:
    late = datetime(2026, 9, 6, 16, 30, tzinfo=UTC)
    assert clock.Moment(late, late).date == date(2026, 9, 7)


def test_a_day_ends_at_midnight_in_china() -> None:
    assert clock.end_of(date(2026, 9, 14)) == datetime(2026, 9, 14, 16, tzinfo=UTC)


def test_a_held_clock_is_read_once_and_let_go_for_the_act_that_moves_it() -> None:
    TrainingClock.objects.create(date=date(2026, 9, 7))
    with clock.held() as moment:
        TrainingClock.objects.update(date=date(2026, 9, 8))
        assert clock.moment() == moment
        assert clock.today() == date(2026, 9, 7)
        with clock.released():
            assert clock.today() == date(2026, 9, 8)
    assert clock.today() == date(2026, 9, 8)


def test_there_is_one_training_clock() -> None:
    TrainingClock.objects.create(date=date(2026, 9, 7))
    for only in (True, False):
        with pytest.raises(IntegrityError), transaction.atomic():
            TrainingClock.objects.create(date=date(2026, 9, 8), only=only)
