"""A notice is signed for a later day and becomes public on it by itself; until then its signer may take it back."""

import json
from datetime import date
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, freezing, queries, tasks
from approvals.notices.models import Notice
from notifications.models import Message
from tests.approvals.notices.conftest import Place, refused
from tests.factories import TERM, set_training_date
from workflows import Reason, working_days
from workflows.background import run_due
from workflows.models import CalendarYear, Record, TrainingClock
from workflows.record import history

DAY = date(2026, 9, 10)
"""Thursday; a notice of five working days published on it ends on the 17th."""
WHY = Reason("wrong_date", "学校当天停课，改期公示，请重新送审。")
WITHDRAWN = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")


def at(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def events(notice: Notice, event: str) -> set[int]:
    return set(Message.objects.filter(event=event, about_id=notice.pk).values_list("recipient", flat=True))


# ---------------------------------------------------------------- signing for a day


def test_a_notice_signed_for_a_day_waits_and_nobody_outside_sees_it(school_place: Place, client: Client) -> None:
    notice = school_place.scheduled(DAY)
    assert (notice.state, notice.publish_on, notice.ends_on) == ("scheduled", DAY, date(2026, 9, 17))
    assert (notice.published_at, notice.sha256, notice.frozen) == (None, "", None)
    assert list(queries.current()) == []
    assert client.get(reverse("public:notice", args=[notice.public_id])).status_code == 404


def test_on_its_day_it_is_public_frozen_and_its_clock_starts_the_day_after(school_place: Place) -> None:
    notice = school_place.scheduled(DAY)
    set_training_date(date(2026, 9, 9))
    run_due()
    assert at(notice).state == "scheduled"
    set_training_date(DAY)
    run_due()
    found = at(notice)
    assert (found.state, found.published_on, found.ends_on) == ("published", DAY, date(2026, 9, 17))
    assert len(found.sha256) == 64
    assert list(queries.current()) == [found]
    line = history("notice", notice.pk).last()
    assert (line.act, line.actor, line.data["sha256"], line.data["edition"]) == ("publish", "", found.sha256, 1)
    assert events(notice, "notice_appeared") == {school_place.author.user.pk, school_place.signer.user.pk}


def test_a_sweep_that_comes_days_late_starts_the_clock_on_its_own_day(school_place: Place) -> None:
    """The public has its full period, whatever the server did."""
    notice = school_place.scheduled(DAY)
    set_training_date(date(2026, 9, 14))
    run_due()
    assert (at(notice).published_on, at(notice).ends_on) == (date(2026, 9, 14), date(2026, 9, 21))


def test_signed_for_today_is_public_at_once(school_place: Place) -> None:
    assert school_place.sign(school_place.pending(), date(2026, 9, 7)).state == "published"


@pytest.mark.parametrize(
    ("day", "code"),
    [(date(2026, 9, 6), "date_past"), (date(2026, 10, 8), "date_too_far"), (date(9999, 1, 1), "date_too_far")],
)
def test_a_day_that_is_past_or_far_ahead_is_refused(school_place: Place, day: date, code: str) -> None:
    notice = school_place.pending()
    with refused(code):
        school_place.sign(notice, day)
    assert at(notice).state == "pending_review"
    assert school_place.sign(notice, date(2026, 10, 7)).state == "scheduled"


def test_a_day_in_a_year_that_is_not_published_yet_is_provisional(school_place: Place) -> None:
    set_training_date(date(2026, 12, 20))
    notice = school_place.scheduled(date(2027, 1, 4))
    assert (notice.ends_on, notice.provisional) == (date(2027, 1, 11), True)
    CalendarYear.objects.create(year=2027, source="示例").calendarday_set.create(
        day=date(2027, 1, 5), working=False, name="示例假日"
    )
    run_due()
    actions.recompute_open()
    assert (at(notice).ends_on, at(notice).provisional) == (date(2027, 1, 12), False)
    assert events(notice, "notice_recomputed") == {school_place.author.user.pk, school_place.signer.user.pk}


def test_where_no_year_is_loaded_at_all_nothing_is_signed(school_place: Place) -> None:
    notice = school_place.pending()
    CalendarYear.objects.all().delete()
    working_days.forget()
    for day in (None, DAY):
        with refused("no_calendar"):
            school_place.sign(notice, day)
    assert at(notice).state == "pending_review"


# ---------------------------------------------------------------- seal and date


def test_the_signer_confirms_the_seal_and_its_date(school_place: Place) -> None:
    notice = school_place.pending()
    with refused("not_sealed"):
        school_place.sign(notice, sealed=False)
    for odd in (date(2026, 8, 22), date(2026, 9, 8)):
        with refused("seal_date"):
            school_place.sign(notice, sealed_on=odd)
    signed = school_place.sign(notice, sealed_on=date(2026, 9, 4))
    assert signed.sealed_on == date(2026, 9, 4)
    line = history("notice", notice.pk).last()
    assert (line.data["sealed"], line.data["sealed_on"]) == (True, "2026-09-04")
    assert '"sealed_on":"2026-09-04"' in bytes(at(notice).frozen).decode()


def test_without_another_date_it_is_that_of_publication(school_place: Place) -> None:
    assert school_place.published().sealed_on == date(2026, 9, 7)
    assert school_place.scheduled(DAY).sealed_on == DAY


def test_the_database_refuses_a_scheduled_notice_without_day_or_seal(school_place: Place) -> None:
    notice = school_place.scheduled(DAY)
    for field in ("publish_on", "sealed_on", "ends_on"):
        with pytest.raises(IntegrityError, match="scheduled_notice_is_signed_and_dated"), transaction.atomic():
            Notice.objects.filter(pk=notice.pk).update(**{field: None})


# ---------------------------------------------------------------- taken back, voided


def test_the_signer_takes_it_back_with_a_reason(school_place: Place) -> None:
    notice = school_place.scheduled(DAY)
    with pytest.raises(PermissionDenied):
        actions.recall(notice.pk, school_place.author, WHY)
    with refused("reason_required"):
        actions.recall(notice.pk, school_place.signer, None)
    back = actions.recall(notice.pk, school_place.signer, WHY)
    assert (back.state, back.publish_on, back.signed_by, back.ends_on) == ("draft", None, None, None)
    set_training_date(DAY)
    run_due()
    assert at(notice).state == "draft"
    actions.submit(notice.pk, school_place.author)
    assert school_place.sign(notice).state == "published"


def test_the_signer_voids_it_and_its_cases_wait_again(school_place: Place) -> None:
    notice = school_place.scheduled(DAY, 2)
    actions.void(notice.pk, school_place.signer, Reason("wrong_list", "名单整体有误，另行拟写公示名单。"))
    set_training_date(DAY)
    run_due()
    assert at(notice).state == "voided"
    assert school_place.draft().line_count == 2


@pytest.mark.parametrize("act", ["submit", "send_back", "publish", "pause", "edit"])
def test_what_waits_for_its_day_is_not_changed(school_place: Place, act: str) -> None:
    notice = school_place.scheduled(DAY)
    words = {name: getattr(notice, name) for name in ("title", "remark", "contact", "contact_phone", "contact_place")}
    with refused("wrong_state"):
        {
            "submit": lambda: actions.submit(notice.pk, school_place.author),
            "send_back": lambda: actions.send_back(notice.pk, school_place.signer, Reason("other", WHY.text)),
            "publish": lambda: school_place.sign(notice),
            "pause": lambda: actions.pause(notice.pk, school_place.signer, Reason("other", WHY.text)),
            "edit": lambda: actions.edit(notice.pk, school_place.author, **words),
        }[act]()


# ---------------------------------------------------------------- what changed meanwhile


def test_a_line_that_left_meanwhile_is_not_published_and_the_others_are_numbered_anew(school_place: Place) -> None:
    notice = school_place.scheduled(DAY, 4)
    gone: Any = notice.lines.get(number=2)
    assert actions.withdraw_line(gone.pk, school_place.reviewer, WITHDRAWN).ok
    set_training_date(DAY)
    run_due()
    found = at(notice)
    rows = list(queries.listed(found).values_list("number", "shown__序号"))
    assert rows == [(1, "1"), (2, "2"), (3, "3")]
    assert (found.line_count, queries.removed(found)) == (3, 0)
    assert "3名同学" in found.body
    assert [row[0] for row in json.loads(bytes(found.frozen))["rows"]] == ["1", "2", "3"]


def test_a_list_that_became_empty_is_voided_by_the_system_and_its_author_told(school_place: Place) -> None:
    notice = school_place.scheduled(DAY, 1)
    assert actions.withdraw_line(notice.lines.get().pk, school_place.reviewer, WITHDRAWN).ok
    set_training_date(DAY)
    run_due()
    assert at(notice).state == "voided"
    line = history("notice", notice.pk).last()
    assert (line.act, line.actor, line.reason_code) == ("void", "", "nothing_left")
    assert school_place.author.user.pk in events(notice, "notice_lapsed")
    assert run_due() == 0


def test_something_private_found_on_its_day_keeps_it_from_the_public(school_place: Place) -> None:
    notice = school_place.scheduled(DAY)
    Notice.objects.filter(pk=notice.pk).update(remark="联系家长１３８００００００００")
    set_training_date(DAY)
    run_due()
    found = at(notice)
    assert (found.state, found.signed_by, found.sha256) == ("draft", None, "")
    line = history("notice", notice.pk).last()
    assert (line.act, line.reason_code) == ("hold_back", "private_data")
    assert "138" not in line.reason_text
    assert events(notice, "notice_held_back") == {school_place.author.user.pk, school_place.signer.user.pk}


# ---------------------------------------------------------------- killed, twice, a clock that jumps


@pytest.mark.parametrize("moment", ["freezing.frozen_bytes", "check", "write"])
def test_killed_in_the_middle_of_publishing_it_is_public_or_not_and_then_published_once(
    school_place: Place, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    notice = school_place.scheduled(DAY)
    set_training_date(DAY)

    class Killed(BaseException):
        pass

    def killed(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"approvals.notices.actions.signing.{moment}", killed)
        with pytest.raises(Killed):
            tasks.publish_notices()
    assert (at(notice).state, at(notice).edition) == ("scheduled", 0)
    run_due()
    assert (at(notice).state, at(notice).edition) == ("published", 1)
    assert Record.objects.filter(about="notice", about_id=notice.pk, act="publish").count() == 1
    assert tasks.publish_notices() == 0


def test_one_that_fails_keeps_no_other_waiting(school_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = school_place.scheduled(DAY, 1), school_place.scheduled(DAY, 1)
    set_training_date(DAY)
    made = freezing.frozen_bytes

    def broken(notice: Notice) -> bytes:
        if notice.pk == first.pk:
            raise RuntimeError("broken")
        return made(notice)

    monkeypatch.setattr(freezing, "frozen_bytes", broken)
    tasks.publish_notices()
    assert (at(first).state, at(second).state) == ("scheduled", "published")


def test_a_clock_that_jumps_back_an_hour_over_midnight_publishes_and_closes_once(school_place: Place) -> None:
    notice = school_place.scheduled(DAY)
    TrainingClock.objects.all().delete()
    with time_machine.travel("2026-09-10 00:00:05+08:00", tick=False):
        run_due()
    with time_machine.travel("2026-09-09 23:00:05+08:00", tick=False):
        run_due()
        assert at(notice).state == "published"
        assert list(queries.current()) == [notice]
    with time_machine.travel("2026-09-18 00:00:05+08:00", tick=False):
        run_due()
    with time_machine.travel("2026-09-17 23:00:05+08:00", tick=False):
        run_due()
        assert list(queries.current()) == []
    assert at(notice).state == "taken_down"
    acts = list(history("notice", notice.pk).values_list("act", flat=True))
    assert [acts.count(act) for act in ("publish", "close", "conclude", "take_down")] == [1, 1, 1, 1]


# ---------------------------------------------------------------- the page


def test_a_signer_chooses_the_day_on_the_page_and_takes_it_back_there(school_place: Place, client: Client) -> None:
    notice = school_place.pending()
    client.force_login(school_place.signer.user)
    form = {"seen": queries.content(notice).mark, "privacy_checked": "on", "sealed": "on", "sealed_on": "2026-09-07",
            "publish_on": "2026-09-01"}  # fmt: skip
    address = reverse("notices:publish", args=[notice.pk])
    answer = client.post(address, form)
    assert answer.status_code == 422
    assert "发布日期已过" in answer.content.decode()
    assert 'value="2026-09-01"' in answer.content.decode()
    answer = client.post(address, form | {"publish_on": "昨天"})
    assert answer.status_code == 422
    answer = client.post(address, form | {"publish_on": "2026-09-10"}, follow=True)
    page = answer.content.decode()
    assert "到期自动发布" in page
    assert "待发布" in page
    answer = client.post(
        reverse("notices:recall", args=[notice.pk]),
        {"recall-reason_code": "wrong_date", "recall-reason_text": WHY.text},
        follow=True,
    )
    assert "已取回" in answer.content.decode()
    assert at(notice).state == "draft"
    assert TERM in at(notice).term
