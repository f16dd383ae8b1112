"""Two people, or two sweeps, at the same notice in the same moment."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from approvals.notices import actions, queries, tasks
from approvals.notices.actions import drafting, lines
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.refusals import Refused
from tests.approvals.notices.conftest import Place
from tests.factories import TERM, SchoolFactory, acting, at_step, person, set_training_date
from workflows import Reason
from workflows.background import run_due
from workflows.clock import held
from workflows.models import Case, Record

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def place(transactional_db: None, school_place: Place) -> Place:
    return school_place


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Runs acts in threads with connections of their own that start together; results or refusals, in order."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return act()
        except Refused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_officers_who_draft_the_same_cases_one_is_told(place: Place) -> None:
    cases = [application.case_id for application in place.applications(4)]
    second = acting(person("aid_officer", place.school))

    def draft(by: Any) -> Notice:
        return actions.draft(place.step, place.school, place.version.programme, TERM, by, cases)

    results = at_once(lambda: draft(place.author), lambda: draft(second))
    assert sorted(str(type(result)) for result in results) == sorted([str(Notice), str(str)])
    assert "already_listed" in results
    assert NoticeLine.objects.filter(open=True).count() == 4


def test_without_the_lock_the_database_still_keeps_a_case_on_one_notice(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race itself: both see the cases as free, and the unique constraint decides."""
    cases = [application.case_id for application in place.applications(3)]
    second = acting(person("aid_officer", place.school))
    both_looked = Barrier(2, timeout=20)
    listing = lines.write_lines

    def after_both_looked(*args: Any) -> None:
        both_looked.wait()
        listing(*args)

    monkeypatch.setattr(queries, "standing", _unlocked(queries.standing))
    monkeypatch.setattr(drafting, "_told_apart", lambda title, *_rest: title)  # holds the office's row
    monkeypatch.setattr(lines, "write_lines", after_both_looked)

    def draft(by: Any) -> Notice:
        return actions.draft(place.step, place.school, place.version.programme, TERM, by, cases)

    results = at_once(lambda: draft(place.author), lambda: draft(second))
    assert "already_listed" in results
    assert Notice.objects.count() == 1


def _unlocked(standing: Callable[..., Any]) -> Callable[..., Any]:
    class Unlocked:
        def __init__(self, rows: Any) -> None:
            self.rows = rows

        def order_by(self, *fields: str) -> "Unlocked":
            return Unlocked(self.rows.order_by(*fields))

        def select_for_update(self, **options: Any) -> Any:
            return self.rows

    return lambda *args: Unlocked(standing(*args))


def test_of_two_heads_who_sign_one_publishes(place: Place) -> None:
    notice = place.pending()
    results = at_once(
        lambda: actions.publish(notice.pk, place.signer, privacy_checked=True, sealed=True),
        lambda: actions.publish(notice.pk, place.reviewer, privacy_checked=True, sealed=True),
    )
    assert results.count("wrong_state") == 1
    assert Record.objects.filter(about="notice", about_id=notice.pk, act="publish").count() == 1


def test_signing_and_sending_back_at_once_do_one_of_them(place: Place) -> None:
    notice = place.pending()
    reason = Reason("wrong_list", "名单里缺了两个班级，请重新拟稿。")
    results = at_once(
        lambda: actions.publish(notice.pk, place.signer, privacy_checked=True, sealed=True),
        lambda: actions.send_back(notice.pk, place.reviewer, reason),
    )
    assert results.count("wrong_state") == 1
    assert Notice.objects.get(pk=notice.pk).state in ("published", "draft")


def test_two_sweeps_conclude_each_notice_once(place: Place) -> None:
    for _ in range(4):
        school = SchoolFactory()
        author, signer = acting(person("aid_officer", school)), acting(person("school_head", school))
        at_step("school_notice", school=school, version=place.version)
        notice = actions.draft("school_notice", school, place.version.programme, TERM, author)
        actions.submit(notice.pk, author)
        actions.publish(notice.pk, signer, privacy_checked=True, sealed=True)
    set_training_date(date(2026, 9, 15))
    at_once(tasks.conclude_notices, tasks.conclude_notices, tasks.conclude_notices)
    run_due()
    assert set(Notice.objects.values_list("state", flat=True)) == {"taken_down"}
    for act in ("close", "conclude", "take_down"):
        assert Record.objects.filter(about="notice", act=act).count() == 4
    assert Record.objects.filter(about="case", act="conclude").count() == 4


def test_a_line_withdrawn_in_the_last_minute_is_withdrawn_or_concluded_never_both(place: Place) -> None:
    notice = place.published(3)
    line = notice.lines.get(number=1)
    reason = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")

    def withdraw() -> Any:
        with held():  # the page was opened before the day ended
            return actions.withdraw_line(line.pk, place.reviewer, reason)

    def end() -> int:
        Notice.objects.filter(pk=notice.pk).update(ends_on=date(2026, 9, 6))
        return tasks.conclude_notices()

    at_once(withdraw, end)
    run_due()
    states = list(Case.objects.filter(pk__in=notice.lines.values("case")).values_list("state", flat=True))
    assert states.count("township_review") + states.count("school_review") == 3
    line.refresh_from_db()
    assert (line.state, Case.objects.get(pk=line.case_id).state) in [
        ("removed", "school_review"),
        ("confirmed", "township_review"),
    ]
    assert Notice.objects.get(pk=notice.pk).state == "taken_down"


def test_a_case_that_somebody_holds_is_concluded_by_the_next_sweep_and_the_others_at_once(place: Place) -> None:
    from django.db import transaction

    notice = place.published(3)
    held_case = notice.lines.get(number=2).case_id
    set_training_date(date(2026, 9, 15))
    locked, done = Barrier(2, timeout=20), Barrier(2, timeout=20)

    def hold() -> None:
        with transaction.atomic():
            list(Case.objects.select_for_update().filter(pk=held_case))
            locked.wait()
            done.wait()

    def sweep() -> None:
        locked.wait()
        tasks.conclude_notices()
        done.wait()

    at_once(hold, sweep)
    assert Notice.objects.get(pk=notice.pk).state == "closed"
    assert NoticeLine.objects.filter(notice=notice, state="confirmed").count() == 2
    run_due()
    assert Notice.objects.get(pk=notice.pk).state == "taken_down"
    assert NoticeLine.objects.filter(notice=notice, state="confirmed").count() == 3


# ---------------------------------------------------------------- on its date, out of view


def test_two_sweeps_publish_a_notice_on_its_day_once(place: Place) -> None:
    notices = [place.scheduled(date(2026, 9, 9), 1) for _ in range(3)]
    set_training_date(date(2026, 9, 9))
    at_once(tasks.publish_notices, tasks.publish_notices, tasks.publish_notices)
    run_due()
    assert set(Notice.objects.values_list("state", "edition")) == {("published", 1)}
    assert Record.objects.filter(about="notice", act="publish").count() == len(notices)


def test_taken_back_or_published_on_its_day_never_both(place: Place) -> None:
    notice = place.scheduled(date(2026, 9, 9), 1)
    set_training_date(date(2026, 9, 9))
    reason = Reason("wrong_date", "学校当天停课，改期公示，请重新送审。")
    results = at_once(lambda: actions.recall(notice.pk, place.signer, reason), tasks.publish_notices)
    found = Notice.objects.get(pk=notice.pk)
    assert (found.state, found.edition) == (("published", 1) if results[0] == "wrong_state" else ("draft", 0))


def test_a_line_withdrawn_while_its_notice_is_published_is_on_it_or_not_but_the_bytes_agree(place: Place) -> None:
    notice = place.scheduled(date(2026, 9, 9), 3)
    set_training_date(date(2026, 9, 9))
    line = notice.lines.get(number=2)
    reason = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")
    at_once(lambda: actions.withdraw_line(line.pk, place.reviewer, reason), tasks.publish_notices)
    run_due()
    found = Notice.objects.get(pk=notice.pk)
    rows = json.loads(bytes(found.frozen))["rows"]
    assert found.state == "published"
    assert len(rows) == found.line_count
    assert len(rows) - queries.removed(found) == queries.listed(found).count() == 2


def test_paused_or_closed_at_midnight_never_both(place: Place) -> None:
    notice = place.published(2)
    reason = Reason("privacy_leak", "名单的班级一栏误写了家长电话，须更正。")

    def pause() -> Any:
        with held():  # the page was opened before the day ended
            return actions.pause(notice.pk, place.signer, reason)

    def end() -> int:
        Notice.objects.filter(pk=notice.pk).update(ends_on=date(2026, 9, 6))
        return tasks.conclude_notices()

    at_once(pause, end)
    run_due()
    found = Notice.objects.get(pk=notice.pk)
    states = set(Case.objects.filter(pk__in=notice.lines.values("case")).values_list("state", flat=True))
    assert (found.state, states) in [("paused", {"school_notice"}), ("taken_down", {"township_review"})]


def test_of_two_officers_who_draft_the_same_class_at_once_one_is_told(
    transactional_db: None, class_place: Place
) -> None:
    class_place.applications(3)
    second = acting(person("aid_officer", class_place.school))

    def draft(by: Any) -> Notice:
        return actions.draft(
            "class_notice", class_place.school, class_place.version.programme, TERM, by, group=("五年级", "1班")
        )

    results = at_once(lambda: draft(class_place.author), lambda: draft(second))
    assert sum(isinstance(result, Notice) for result in results) == 1
    assert {"already_listed", "nothing_waits"} & set(map(str, results))
    assert NoticeLine.objects.filter(open=True).count() == 3


def test_of_two_heads_who_conclude_one_does(place: Place) -> None:
    notice = place.published(1)
    Notice.objects.filter(pk=notice.pk).update(contested=True)
    set_training_date(date(2026, 9, 15))
    run_due()
    actions.propose(notice.pk, place.author, "公示期内收到异议一件，经核查不成立。")
    results = at_once(
        lambda: actions.conclude(notice.pk, place.signer), lambda: actions.conclude(notice.pk, place.reviewer)
    )
    assert results.count("wrong_state") == 1
    assert Record.objects.filter(about="notice", about_id=notice.pk, act="conclude").count() == 1
