"""The test database itself: what tests commit is cleared, the record's guard stands all the same."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests import kept
from workflows.models import Record


@pytest.mark.django_db(transaction=True)
def test_clearing_after_a_test_that_commits_empties_the_record_and_leaves_its_guard() -> None:
    a_line()
    kept.empty()
    assert not Record.objects.exists()

    a_line()
    for forbidden in (
        "UPDATE workflows_record SET id = id",
        "DELETE FROM workflows_record",
        "TRUNCATE workflows_record",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(forbidden)


def a_line() -> None:
    now = timezone.now()
    Record.objects.create(at=now, business_at=now, act="test", about="case", about_id=1)


@pytest.mark.django_db
def test_a_row_that_somebody_holds_is_given_up_after_five_seconds_not_waited_for() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("5s",)
