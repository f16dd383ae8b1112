"""The work on a roster: one worker at a time, nothing lost when it stops half way, no file kept for ever."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from approvals.applications.actions import rosters as actions
from approvals.applications.actions.creating import BUSY, Created
from approvals.applications.models import Application, Roster
from approvals.applications.refusals import Refused
from approvals.organisations.models import Post
from notifications.models import Message
from tests.approvals.applications.test_roster_import import (  # noqa: F401
    TERM,
    clean,
    county,
    officer,
    school,
    spoilt,
    take,
    uploaded,
)
from tests.factories import FIRST_DAY, acting, officer_of, set_training_date
from workflows.background import run_due
from workflows.models import ActingLevel, Record

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """Another session with the same database."""
    given = connection.get_connection_params()
    wanted = {"dbname", "user", "password", "host", "port"}
    with psycopg.connect(**{name: value for name, value in given.items() if name in wanted}) as session:
        yield session


@pytest.fixture
def confirmed(school: Any, officer: Any, monkeypatch: pytest.MonkeyPatch) -> Roster:  # noqa: F811
    monkeypatch.setattr(actions, "CHUNK", 50)
    roster = uploaded(school, officer, clean())
    return actions.confirm(roster.pk, False, True, False, acting(officer))


def end_posts(user: Any) -> None:
    Post.objects.filter(user=user).update(revoked_at=now())


def test_a_roster_that_another_worker_holds_is_left_alone_and_no_try_is_counted(
    school: Any,  # noqa: F811
    officer: Any,  # noqa: F811
    elsewhere: Any,
) -> None:
    roster = actions.upload(clean(), "a.xlsx", school, "living_subsidy", TERM, acting(officer))
    elsewhere.execute("SELECT pg_advisory_lock(hashtext('roster'), %s)", [roster.pk])
    for _ in range(actions.ATTEMPTS + 1):
        run_due("long")
    roster.refresh_from_db()
    assert (roster.state, roster.attempts) == ("uploaded", 0)

    elsewhere.execute("SELECT pg_advisory_unlock_all()")
    run_due("long")
    roster.refresh_from_db()
    assert (roster.state, roster.attempts) == ("previewed", 1)


def test_a_worker_lets_go_of_its_roster_also_after_a_failure(
    school: Any,  # noqa: F811
    officer: Any,  # noqa: F811
    elsewhere: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roster = actions.upload(clean(), "a.xlsx", school, "living_subsidy", TERM, acting(officer))
    monkeypatch.setattr(actions, "_judge", lambda roster: 1 / 0)
    run_due("long")
    free = elsewhere.execute("SELECT pg_try_advisory_lock(hashtext('roster'), %s)", [roster.pk]).fetchone()
    assert free == (True,)


def test_one_held_roster_does_not_hold_up_the_next(school: Any, officer: Any, elsewhere: Any) -> None:  # noqa: F811
    first, second = (
        actions.upload(clean(), "a.xlsx", school, "living_subsidy", TERM, acting(officer)) for _ in range(2)
    )
    elsewhere.execute("SELECT pg_advisory_lock(hashtext('roster'), %s)", [first.pk])
    run_due("long")
    assert dict(Roster.objects.values_list("pk", "state")) == {first.pk: "uploaded", second.pk: "previewed"}


def test_a_post_that_ended_before_the_import_refuses_it_in_words(confirmed: Roster) -> None:
    end_posts(confirmed.uploaded_by)
    run_due("long")
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.attempts) == ("failed", 1)
    assert "重新上传" in confirmed.error
    assert not Application.objects.exists()


def test_what_was_taken_before_a_post_ended_is_accounted_for(
    confirmed: Roster, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = actions._take_chunk

    def last(*args: Any) -> Any:
        answer = real(*args)
        end_posts(confirmed.uploaded_by)
        return answer

    monkeypatch.setattr(actions, "_take_chunk", last)
    run_due("long")
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.accepted, Application.objects.count()) == ("imported", 50, 50)
    assert "50" in confirmed.error
    line = Record.objects.get(about="roster", act="import")
    assert (line.data["accepted"], line.data["complete"]) == (50, False)
    Post.objects.update(revoked_at=None)
    with pytest.raises(Refused):
        actions.discard(confirmed.pk, acting(confirmed.uploaded_by))
    client.force_login(confirmed.uploaded_by)
    assert confirmed.error in client.get(reverse("applications:roster", args=[confirmed.pk])).content.decode()


def test_the_database_lets_no_roster_be_thrown_away_that_was_taken(confirmed: Roster) -> None:
    run_due("long")
    with pytest.raises(IntegrityError), transaction.atomic():
        Roster.objects.filter(pk=confirmed.pk).update(state="discarded")


def test_tried_in_vain_what_was_taken_is_accounted_for_too(confirmed: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = actions._take_chunk, []

    def dies(*args: Any) -> Any:
        calls.append(1)
        return real(*args) if len(calls) == 1 else 1 / 0

    monkeypatch.setattr(actions, "_take_chunk", dies)
    for _ in range(actions.ATTEMPTS + 1):
        run_due("long")
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.accepted) == ("imported", 50)
    assert "50" in confirmed.error


def test_a_worker_that_comes_late_settles_nothing_again(confirmed: Roster) -> None:
    late = Roster.objects.get(pk=confirmed.pk)
    run_due("long")
    with pytest.raises(actions._TakenOver):
        actions._finish(late, 7, acting(late.uploaded_by))
    confirmed.refresh_from_db()
    assert confirmed.accepted == 120
    assert Record.objects.filter(about="roster", act="import").count() == 1
    assert Message.objects.filter(event="roster_imported").count() == 1


def test_rows_that_somebody_was_working_on_are_taken_by_a_later_sweep(
    confirmed: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = actions._take_chunk

    def busy_for_the_last(*args: Any) -> Any:
        rows = args[2]
        return [Created(None, BUSY)] * len(rows) if len(rows) < 50 else real(*args)

    monkeypatch.setattr(actions, "_take_chunk", busy_for_the_last)
    for _ in range(actions.ATTEMPTS + 1):
        run_due("long")
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.attempts, Application.objects.count()) == ("importing", 0, 100)
    monkeypatch.setattr(actions, "_take_chunk", real)
    run_due("long")
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.accepted) == ("imported", 120)
    assert not any(problem["refused"] for problem in confirmed.problems)


# ---------------------------------------------------------------- what is kept of the file


def test_the_file_is_offered_for_some_days_after_the_import_and_then_dropped(
    school: Any,  # noqa: F811
    officer: Any,  # noqa: F811
    client: Client,
    settings: Any,
) -> None:
    roster = uploaded(school, officer, spoilt((5, "身份证号", "1")))
    actions.confirm(roster.pk, False, True, True, acting(officer))
    run_due("long")
    client.force_login(officer)
    page, sheet = (reverse(f"applications:{name}", args=[roster.pk]) for name in ("roster", "roster_errors"))
    assert sheet in (shown := client.get(page).content.decode())
    assert shown.count("10月6日") == 2
    assert client.get(sheet).status_code == 200

    set_training_date(FIRST_DAY + timedelta(settings.ROSTER_FILE_DAYS - 1))
    run_due()
    assert client.get(sheet).status_code == 200
    set_training_date(FIRST_DAY + timedelta(settings.ROSTER_FILE_DAYS + 1))
    run_due()
    roster.refresh_from_db()
    assert roster.content is None
    assert Record.objects.filter(act="drop_file", about_id=roster.pk).count() == 1
    assert sheet not in client.get(page).content.decode()
    assert client.get(sheet).status_code == 404


def test_a_list_that_waits_for_the_schools_decision_keeps_its_file(school: Any, officer: Any, settings: Any) -> None:  # noqa: F811
    roster = uploaded(school, officer, clean())
    set_training_date(FIRST_DAY + timedelta(settings.ROSTER_FILE_DAYS + 1))
    run_due()
    roster.refresh_from_db()
    assert roster.content is not None


def test_a_list_taken_by_command_keeps_no_file_and_offers_no_sheet(
    school: Any,  # noqa: F811
    officer: Any,  # noqa: F811
    client: Client,
) -> None:
    take(spoilt((5, "身份证号", "1")), school, officer)
    roster = Roster.objects.get()
    client.force_login(officer)
    page = client.get(reverse("applications:roster", args=[roster.pk])).content.decode()
    assert reverse("applications:roster_errors", args=[roster.pk]) not in page


def test_a_number_in_the_files_name_is_masked_before_it_is_kept(school: Any, officer: Any) -> None:  # noqa: F811
    name = "张三130499201203050010.xlsx"
    roster = actions.upload(clean(), name, school, "living_subsidy", TERM, acting(officer))
    assert roster.filename == "张三1304**********0010.xlsx"
    run_due("long")
    roster.refresh_from_db()
    assert roster.state == "previewed"


def test_who_uploaded_a_list_and_who_took_it_over_both_prepared_its_applications(
    school: Any,  # noqa: F811
    officer: Any,  # noqa: F811
) -> None:
    roster = uploaded(school, officer, clean())
    other = officer_of(school)
    actions.confirm(roster.pk, False, True, False, acting(other))
    run_due("long")
    roster.refresh_from_db()
    assert (roster.state, roster.uploaded_by, roster.confirmed_by) == ("imported", officer, other)
    levels = ActingLevel.objects.filter(case__application__roster=roster).values_list("person", "level").distinct()
    assert set(levels) == {(officer.person.hex, "submit"), (other.person.hex, "submit")}
    assert ActingLevel.objects.filter(case__application__roster=roster).count() == 2 * roster.accepted
