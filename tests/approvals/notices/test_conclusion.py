"""The system ends a notice at the due minute: closes it, moves its cases on, takes the list down."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import time_machine

from approvals.notices import actions, listeners, queries, tasks
from approvals.notices.actions import ending
from approvals.notices.models import Notice
from approvals.notices.refusals import Refused
from notifications.models import Message
from project import doors
from tests.approvals.notices.conftest import Place, refused
from tests.factories import TERM, SchoolFactory, acting, at_step, person, set_training_date, stand_in
from workflows import Reason, decide, working_days
from workflows.background import run_due
from workflows.clock import CHINA
from workflows.models import CalendarYear, Case, Record, TrainingClock
from workflows.queries import open_item_of
from workflows.record import history

WITHDRAWN = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")
OVER = date(2026, 9, 15)
"""The day after the last day of a notice published on the demo's first day."""


def states(notice: Notice) -> list[str]:
    return list(Case.objects.filter(pk__in=notice.lines.values("case")).order_by("pk").values_list("state", flat=True))


# ---------------------------------------------------------------- the due minute


def test_a_notice_concludes_at_24_00_of_its_last_day_and_not_a_second_before(school_place: Place) -> None:
    notice = school_place.published()
    assert notice.ends_on == date(2026, 9, 14)
    TrainingClock.objects.all().delete()
    with time_machine.travel("2026-09-14 23:59:59+08:00", tick=False):
        assert tasks.conclude_notices() == 0
        assert list(queries.current()) == [notice]
    with time_machine.travel("2026-09-15 00:00:00+08:00", tick=False):
        assert list(queries.current()) == []
        run_due()
    notice.refresh_from_db()
    assert notice.state == "taken_down"
    assert set(states(notice)) == {"township_review"}


def test_moving_the_training_date_ends_a_notice(school_place: Place) -> None:
    notice = school_place.published()
    set_training_date(date(2026, 9, 14))
    run_due()
    notice.refresh_from_db()
    assert notice.state == "published"
    set_training_date(OVER)
    run_due()
    notice.refresh_from_db()
    assert (notice.state, notice.conclusion) == ("taken_down", "no_objection")
    assert notice.concluded_at.astimezone(CHINA).date() == OVER


def test_the_list_is_hidden_from_that_minute_even_before_the_sweep(school_place: Place) -> None:
    notice = school_place.published()
    set_training_date(OVER)
    assert list(queries.current()) == []
    assert not queries.is_current(notice, OVER)


def test_the_system_closes_concludes_and_takes_down_and_the_record_says_so(school_place: Place) -> None:
    notice = school_place.published(2)
    set_training_date(OVER)
    run_due()
    lines = history("notice", notice.pk)
    assert [(line.act, line.state_to, line.actor) for line in lines][-3:] == [
        ("close", "closed", ""),
        ("conclude", "concluded", ""),
        ("take_down", "taken_down", ""),
    ]
    case = notice.lines.first().case_id
    concluded = Record.objects.filter(about="case", about_id=case, act="conclude").get()
    assert (concluded.state_from, concluded.state_to) == ("school_notice", "township_review")
    assert {line.state for line in notice.lines.all()} == {"confirmed"}


def test_a_county_notice_that_concludes_approves_its_cases(county_place: Place) -> None:
    notice = county_place.published()
    set_training_date(OVER)
    run_due()
    assert set(states(notice)) == {"approved"}
    assert Case.objects.filter(noticed__contains=["school_notice", "county_notice"]).count() == 3


def test_the_frozen_list_stays_after_it_was_taken_down(school_place: Place) -> None:
    notice = Notice.objects.get(pk=school_place.published().pk)
    set_training_date(OVER)
    run_due()
    after = Notice.objects.get(pk=notice.pk)
    assert (after.frozen, after.sha256) == (notice.frozen, notice.sha256)


# ---------------------------------------------------------------- lines that left


def test_a_withdrawn_line_goes_back_to_review_and_the_rest_goes_on(school_place: Place) -> None:
    notice = school_place.published(3)
    line = notice.lines.get(number=2)
    result = actions.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN)
    assert result.ok, result.message
    line.refresh_from_db()
    assert (line.state, line.open, line.reason) == ("removed", False, WITHDRAWN.text)
    assert Case.objects.get(pk=line.case_id).state == "school_review"
    assert [row.number for row in queries.listed(notice)] == [1, 3]
    assert Notice.objects.get(pk=notice.pk).line_count == 3
    set_training_date(OVER)
    run_due()
    assert sorted(states(notice)) == ["school_review", "township_review", "township_review"]
    assert history("notice", notice.pk).filter(act="remove_line").get().reason_code == "line_withdrawn"


def test_a_withdrawn_case_keeps_its_history_and_is_noticed_again(school_place: Place) -> None:
    notice = school_place.published(1)
    case = notice.lines.get().case_id
    actions.withdraw_line(notice.lines.get().pk, school_place.reviewer, WITHDRAWN)
    item = open_item_of(case)
    assert item is not None
    [result] = decide([item.pk], "approve", stand_in("review_school"))
    assert result.ok, result.message
    again = school_place.draft()
    assert again.lines.get().case_id == case
    assert [line.notice_id for line in queries.notices_of(case)] == [notice.pk, again.pk]
    actions.submit(again.pk, school_place.author)
    actions.publish(again.pk, school_place.signer, privacy_checked=True, sealed=True)
    set_training_date(OVER)
    run_due()
    assert Case.objects.get(pk=case).state == "township_review"
    acts = list(Record.objects.filter(about="case", about_id=case).order_by("pk").values_list("act", flat=True))
    assert acts[-3:] == ["adjust", "approve", "conclude"]


def test_a_notice_of_which_nothing_is_left_says_so(school_place: Place) -> None:
    notice = school_place.published(1)
    actions.withdraw_line(notice.lines.get().pk, school_place.reviewer, WITHDRAWN)
    set_training_date(OVER)
    run_due()
    notice.refresh_from_db()
    assert (notice.state, notice.conclusion) == ("taken_down", "nothing_left")


def test_a_line_is_withdrawn_once(school_place: Place) -> None:
    notice = school_place.published(2)
    line = notice.lines.first()
    actions.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN)
    with refused("not_listed"):
        actions.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN)


def test_after_the_last_day_no_line_can_be_withdrawn(school_place: Place) -> None:
    notice = school_place.published(1)
    set_training_date(OVER)
    line = notice.lines.get()
    assert actions.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN).code == "period_over"
    by_another_door = decide([open_item_of(line.case_id).pk], "adjust", school_place.reviewer, WITHDRAWN)
    assert [result.code for result in by_another_door] == ["period_over"]
    line.refresh_from_db()
    assert (line.state, line.case.state) == ("listed", "school_notice")


@pytest.mark.parametrize(
    "reason", [Reason("line_withdrawn", "短"), Reason("over_quota", "这个理由不适用于撤回公示名单")]
)
def test_withdrawing_a_line_needs_a_fitting_reason(school_place: Place, reason: Reason) -> None:
    notice = school_place.published(1)
    assert not actions.withdraw_line(notice.lines.get().pk, school_place.reviewer, reason).ok
    assert notice.lines.get().state == "listed"


@pytest.mark.parametrize("role", ["aid_officer", "township_reviewer", "county_reviewer", "county_leader", "auditor"])
def test_only_the_school_head_withdraws_a_line_of_a_school_notice(school_place: Place, role: str) -> None:
    line = school_place.published(1).lines.get()
    with pytest.raises(Exception, match="review_school"):
        actions.withdraw_line(line.pk, acting(person(role, school_place.school)), WITHDRAWN)
    assert actions.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN).ok


def test_only_the_county_reviewer_withdraws_a_line_of_a_county_notice(county_place: Place) -> None:
    line = county_place.published(1).lines.get()
    for role in ("county_leader", "county_second_reviewer"):
        with pytest.raises(Exception, match="review_county"):
            actions.withdraw_line(line.pk, acting(person(role, county_place.office)), WITHDRAWN)
    assert actions.withdraw_line(line.pk, county_place.reviewer, WITHDRAWN).ok
    assert Case.objects.get(pk=line.case_id).state == "county_review"


def test_a_case_that_is_adjusted_by_another_door_leaves_the_list_too(school_place: Place) -> None:
    notice = school_place.published(2)
    line = notice.lines.first()
    item = open_item_of(line.case_id)
    [result] = decide([item.pk], "adjust", stand_in("review_school"), WITHDRAWN)
    assert result.ok
    line.refresh_from_db()
    assert line.state == "removed"


# ---------------------------------------------------------------- many at once, killed, twice


def _many(school_place: Place, notices: int) -> list[Notice]:
    made = []
    for _ in range(notices):
        school = SchoolFactory(parent=school_place.school.get_parent())
        author, signer = acting(person("aid_officer", school)), acting(person("school_head", school))
        for _ in range(2):
            at_step("school_notice", school=school, version=school_place.version)
        notice = actions.draft("school_notice", school, school_place.version.programme, TERM, author)
        actions.submit(notice.pk, author)
        made.append(actions.publish(notice.pk, signer, privacy_checked=True, sealed=True))
    return made


def test_many_notices_end_in_a_fixed_number_of_statements(
    school_place: Place, django_assert_max_num_queries: Any
) -> None:
    _many(school_place, 6)
    set_training_date(OVER)
    with django_assert_max_num_queries(45):
        tasks.conclude_notices()
    assert set(Notice.objects.values_list("state", flat=True)) == {"taken_down"}
    assert set(Case.objects.values_list("state", flat=True)) == {"township_review"}


def test_author_and_signer_are_told_once_that_nobody_objected(school_place: Place) -> None:
    notice = school_place.published(1)
    set_training_date(OVER)
    run_due()
    tasks.conclude_notices()
    told = Message.objects.filter(event="notice_concluded", about_id=notice.pk).values_list("recipient", flat=True)
    assert sorted(told) == sorted([school_place.author.user.pk, school_place.signer.user.pk])


def test_a_sweep_takes_a_bounded_piece_and_goes_on(school_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "NOTICES_AT_ONCE", 2)
    monkeypatch.setattr(ending, "LINES_AT_ONCE", 3)
    made = _many(school_place, 3)
    set_training_date(OVER)
    assert tasks.conclude_notices() > 0
    assert Notice.objects.filter(state="taken_down").count() < len(made)
    run_due()
    assert set(Notice.objects.values_list("state", flat=True)) == {"taken_down"}
    assert Record.objects.filter(act="conclude", about="case").count() == 6


@pytest.mark.parametrize("moment", ["add_noticed", "decide", "confirm", "_take_down"])
def test_killed_at_any_moment_it_goes_on_where_it_stopped(
    school_place: Place, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    notice = school_place.published(3)
    set_training_date(OVER)

    class Killed(BaseException):
        pass

    def killed(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "confirm":
            patch.setattr(listeners.actions, "confirm_lines", killed)
        else:
            patch.setattr(ending, moment, killed)
        with pytest.raises(Killed):
            tasks.conclude_notices()
    notice.refresh_from_db()
    assert notice.state == "closed"
    assert list(queries.current()) == []
    run_due()
    notice.refresh_from_db()
    assert notice.state == "taken_down"
    assert set(states(notice)) == {"township_review"}
    assert Record.objects.filter(act="conclude", about="case").count() == 3
    assert run_due() == 0


def test_running_it_again_changes_nothing(school_place: Place) -> None:
    school_place.published(2)
    set_training_date(OVER)
    run_due()
    before = Record.objects.count()
    assert tasks.conclude_notices() == 0
    assert Record.objects.count() == before


def test_a_calendar_that_comes_before_the_end_is_counted_before_the_end_is_judged(school_place: Place) -> None:
    notice = school_place.pending()
    set_training_date(date(2026, 12, 30))
    notice = actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    assert (notice.ends_on, notice.provisional) == (date(2027, 1, 6), True)
    year = CalendarYear.objects.create(year=2027, source="示例")
    year.calendarday_set.create(day=date(2027, 1, 1), working=False, name="元旦")
    set_training_date(date(2027, 1, 7))
    run_due()
    notice.refresh_from_db()
    assert (notice.state, notice.ends_on, notice.provisional) == ("published", date(2027, 1, 7), False)


def test_a_calendar_that_is_loaded_counts_for_the_notices_that_run(
    school_place: Place, tmp_path: Path, settings: Any
) -> None:
    notice = school_place.pending()
    set_training_date(date(2026, 12, 30))
    notice = actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    shutil.copytree(settings.BASE_DIR / "fixtures", tmp_path / "fixtures")
    (tmp_path / "fixtures" / "calendar" / "2027.yaml").write_text(
        "{year: 2027, source: 示例, holidays: [{name: 元旦, days: [2027-01-01]}]}", encoding="utf-8"
    )
    settings.BASE_DIR = tmp_path
    doors.load()
    notice.refresh_from_db()
    assert (notice.ends_on, notice.provisional) == (date(2027, 1, 7), False)
    working_days.forget()


def test_the_public_is_never_shown_a_draft_or_a_voided_notice(school_place: Place) -> None:
    notice = school_place.pending()
    assert list(queries.current()) == []
    with pytest.raises(Refused):
        actions.send_back(notice.pk, school_place.signer, None)
    assert list(queries.current()) == []
