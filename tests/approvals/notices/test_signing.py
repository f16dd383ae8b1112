"""A second natural person signs; from that moment the list is public, frozen and runs by working days."""

import json
from datetime import date
from hashlib import sha256

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError

from approvals.notices import actions, queries
from approvals.notices.models import Notice
from tests.approvals.notices.conftest import Place, refused
from tests.factories import acting, person, set_training_date
from workflows import Reason, working_days
from workflows.models import CalendarDay, CalendarYear, TrainingClock
from workflows.record import history

WHY = Reason("wrong_list", "名单里缺了两个班级，请重新拟稿。")


# ---------------------------------------------------------------- who signs


def test_a_second_person_signs_and_the_notice_is_public_at_once(school_place: Place) -> None:
    notice = actions.publish(school_place.pending().pk, school_place.signer, privacy_checked=True, sealed=True)
    assert (notice.state, notice.signed_by) == ("published", school_place.signer.user)
    assert list(queries.current()) == [notice]


def test_the_drafter_may_not_sign_even_as_head_of_the_school(school_place: Place) -> None:
    notice = school_place.pending()
    person("school_head", school_place.school)
    school_place.author.user.posts.create(
        organisation=school_place.school, role="school_head", starts_on=date(2020, 1, 1)
    )
    with refused("same_person"):
        actions.publish(notice.pk, school_place.author, privacy_checked=True, sealed=True)


def test_a_second_account_of_the_drafter_may_not_sign(school_place: Place) -> None:
    notice = school_place.pending()
    second_account = acting(person("school_head", school_place.school, person=school_place.author.user.person))
    with refused("same_person"):
        actions.publish(notice.pk, second_account, privacy_checked=True, sealed=True)


def test_the_database_refuses_the_drafters_signature(school_place: Place) -> None:
    notice = school_place.pending()
    with pytest.raises(IntegrityError, match="signer_is_another_person_than_drafter"):
        Notice.objects.filter(pk=notice.pk).update(signed_person=notice.drafted_person)


@pytest.mark.parametrize("role", ["aid_officer", "township_reviewer", "county_reviewer", "auditor"])
def test_only_the_school_head_signs_a_school_notice(school_place: Place, role: str) -> None:
    notice = school_place.pending()
    with pytest.raises(PermissionDenied):
        actions.publish(notice.pk, acting(person(role, school_place.school)), privacy_checked=True, sealed=True)
    assert actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True).state == "published"


@pytest.mark.parametrize("role", ["school_head", "county_reviewer", "county_second_reviewer", "administrator"])
def test_only_the_county_leader_signs_a_county_notice(county_place: Place, role: str) -> None:
    notice = county_place.pending()
    with pytest.raises(PermissionDenied):
        actions.publish(notice.pk, acting(person(role, county_place.office)), privacy_checked=True, sealed=True)
    assert actions.publish(notice.pk, county_place.signer, privacy_checked=True, sealed=True).state == "published"


def test_a_post_that_was_revoked_meanwhile_signs_nothing(school_place: Place) -> None:
    notice = school_place.pending()
    school_place.signer.user.posts.update(ends_on=date(2026, 9, 6))
    with pytest.raises(PermissionDenied):
        actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)


def test_the_privacy_check_must_be_ticked(school_place: Place) -> None:
    notice = school_place.pending()
    with refused("privacy_not_checked"):
        actions.publish(notice.pk, school_place.signer, privacy_checked=False, sealed=True)
    notice.refresh_from_db()
    assert (notice.state, notice.sha256) == ("pending_review", "")


def test_what_changed_since_the_signer_looked_is_not_signed(school_place: Place) -> None:
    notice = school_place.pending()
    seen = queries.content(notice).mark
    actions.send_back(notice.pk, school_place.signer, WHY)
    actions.edit(
        notice.pk, school_place.author, title="换了标题的公示", remark="", contact="王", contact_phone="0310-7520123",
        contact_place="一楼",
    )  # fmt: skip
    actions.submit(notice.pk, school_place.author)
    with refused("changed"):
        actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True, seen=seen)
    now = queries.content(Notice.objects.get(pk=notice.pk)).mark
    assert (
        actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True, seen=now).state
        == "published"
    )


def test_private_data_that_came_in_after_the_draft_is_found_at_the_signature(school_place: Place) -> None:
    notice = school_place.pending()
    Notice.objects.filter(pk=notice.pk).update(remark="电话１３８ ００００ ００００")
    with refused("private_data"):
        actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)


@pytest.mark.parametrize("act", ["edit", "submit", "publish", "send_back"])
def test_a_published_notice_can_not_be_changed(school_place: Place, act: str) -> None:
    notice = school_place.published()
    with refused("wrong_state"):
        match act:
            case "edit":
                actions.edit(
                    notice.pk,
                    school_place.author,
                    title="改",
                    remark="",
                    contact="",
                    contact_phone="",
                    contact_place="",
                )
            case "submit":
                actions.submit(notice.pk, school_place.author)
            case "publish":
                actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
            case "send_back":
                actions.send_back(notice.pk, school_place.signer, WHY)


# ---------------------------------------------------------------- frozen


def test_the_published_list_is_frozen_and_its_hash_can_be_computed_by_anyone(school_place: Place) -> None:
    notice = Notice.objects.get(pk=school_place.published(2).pk)
    frozen = bytes(notice.frozen)
    content = json.loads(frozen)
    plain = {key: value for key, value in content.items() if key != "salts"}
    plain["rows"] = [
        sha256(bytes.fromhex(salt) + json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
        for salt, row in zip(content["salts"], content["rows"], strict=True)
    ]
    hashed = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert sha256(hashed.encode()).hexdigest() == notice.sha256
    assert len(set(content["salts"])) == 2
    assert content["columns"] == notice.columns
    assert [row[0] for row in content["rows"]] == ["1", "2"]
    assert content["published_on"] == "2026-09-07"
    assert "ends_on" not in content


def test_the_frozen_bytes_hold_no_id_account_or_phone(school_place: Place) -> None:
    notice = Notice.objects.get(pk=school_place.published(1).pk)
    application = notice.lines.get().case.application
    text = bytes(notice.frozen).decode()
    for secret in (
        application.student.id_number, application.student.enrolment_no, application.account_no,
        application.guardian_phone, application.guardian_name,
    ):  # fmt: skip
        assert secret not in text


def test_the_database_refuses_a_public_notice_that_is_not_frozen(school_place: Place) -> None:
    notice = school_place.pending()
    with pytest.raises(IntegrityError, match="published_notice_is_frozen_and_signed"):
        Notice.objects.filter(pk=notice.pk).update(state="published")


# ---------------------------------------------------------------- the clock


@pytest.mark.parametrize(
    ("published", "days", "ends"),
    [
        (date(2025, 9, 15), 5, date(2025, 9, 22)),
        (date(2025, 9, 26), 5, date(2025, 10, 10)),
        (date(2025, 9, 28), 5, date(2025, 10, 11)),
        (date(2025, 9, 30), 5, date(2025, 10, 14)),
        (date(2025, 9, 26), 10, date(2025, 10, 16)),
    ],
)
def test_the_end_is_counted_in_working_days_from_the_day_after(
    school_place: Place, published: date, days: int, ends: date
) -> None:
    notice = school_place.pending()
    Notice.objects.filter(pk=notice.pk).update(days=days)
    set_training_date(published)
    notice = actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    assert (notice.published_on, notice.ends_on, notice.provisional) == (published, ends, False)


def test_calendar_days_are_counted_as_such(school_place: Place) -> None:
    notice = school_place.pending()
    Notice.objects.filter(pk=notice.pk).update(days=10, day_kind="calendar")
    set_training_date(date(2025, 9, 26))
    notice = actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    assert (notice.ends_on, notice.provisional) == (date(2025, 10, 6), False)


def test_the_training_date_counts_and_not_the_machines(school_place: Place) -> None:
    with time_machine.travel("2031-01-15 12:00+08:00"):
        assert school_place.published().published_on == date(2026, 9, 7)


def test_without_a_training_date_the_machines_date_in_china_counts(school_place: Place) -> None:
    notice = school_place.pending()
    TrainingClock.objects.all().delete()
    with time_machine.travel("2025-09-25 23:30:00+00:00"):  # already the 26th in China
        notice = actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    assert (notice.published_on, notice.ends_on) == (date(2025, 9, 26), date(2025, 10, 10))


def test_an_end_in_an_unpublished_year_is_provisional_and_computed_again_when_the_calendar_comes(
    school_place: Place,
) -> None:
    notice = school_place.pending()
    set_training_date(date(2026, 12, 30))
    notice = actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    assert (notice.ends_on, notice.provisional) == (date(2027, 1, 6), True)
    year = CalendarYear.objects.create(year=2027, source="示例")
    CalendarDay.objects.create(day=date(2027, 1, 1), year=year, working=False, name="元旦")
    assert actions.recompute_open() == 1
    notice.refresh_from_db()
    assert (notice.ends_on, notice.provisional) == (date(2027, 1, 7), False)
    assert history("notice", notice.pk).last().data == {"was": "2027-01-06", "ends_on": "2027-01-07"}
    assert actions.recompute_open() == 0


def test_a_calendar_that_leaves_an_end_as_it_was_takes_the_mark_off(school_place: Place) -> None:
    notice = school_place.pending()
    set_training_date(date(2027, 3, 1))
    notice = actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    CalendarYear.objects.create(year=2027, source="示例")
    working_days.forget()
    assert actions.recompute_open() == 1
    notice.refresh_from_db()
    assert (notice.ends_on, notice.provisional) == (date(2027, 3, 8), False)


# ---------------------------------------------------------------- giving back, voiding


def test_the_signer_gives_a_notice_back_with_a_reason(school_place: Place) -> None:
    notice = actions.send_back(school_place.pending().pk, school_place.signer, WHY)
    assert notice.state == "draft"
    assert history("notice", notice.pk).last().reason_text == WHY.text


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (None, "reason_required"),
        (Reason("unheard_of", "一个不在清单上的理由说明"), "reason_unknown"),
        (Reason("wrong_list", "短"), "reason_too_short"),
    ],
)
@pytest.mark.parametrize("act", [actions.send_back, actions.void])
def test_a_reason_must_be_given(school_place: Place, act: object, reason: Reason | None, code: str) -> None:
    notice = school_place.pending()
    with refused(code):
        act(notice.pk, school_place.signer, reason)  # type: ignore[operator]


def test_only_the_signer_gives_back(school_place: Place) -> None:
    notice = school_place.pending()
    with pytest.raises(PermissionDenied):
        actions.send_back(notice.pk, school_place.author, WHY)


def test_a_voided_notice_is_hidden_at_once_and_its_cases_go_on_a_new_one(school_place: Place) -> None:
    notice = school_place.published(2)
    cases = set(notice.lines.values_list("case", flat=True))
    actions.void(notice.pk, school_place.signer, WHY)
    assert list(queries.current()) == []
    again = school_place.draft()
    assert set(again.lines.values_list("case", flat=True)) == cases
    assert history("notice", notice.pk).last().reason_code == "wrong_list"
    assert {line.case.state for line in again.lines.select_related("case")} == {"school_notice"}


def test_the_author_gives_up_a_draft_but_nothing_that_was_handed_on(school_place: Place) -> None:
    notice = school_place.pending(1)
    with pytest.raises(PermissionDenied):
        actions.void(notice.pk, school_place.author, WHY)
    actions.send_back(notice.pk, school_place.signer, WHY)
    assert actions.void(notice.pk, school_place.author, WHY).state == "voided"
    assert school_place.draft().line_count == 1


def test_only_the_signer_voids_what_is_public(school_place: Place) -> None:
    notice = school_place.published()
    for role in ("aid_officer", "township_reviewer", "auditor", "county_reviewer"):
        with pytest.raises(PermissionDenied):
            actions.void(notice.pk, acting(person(role, school_place.school)), WHY)
    assert actions.void(notice.pk, school_place.signer, WHY).state == "voided"


def test_a_notice_whose_period_is_over_can_no_longer_be_voided(school_place: Place) -> None:
    notice = school_place.published()
    set_training_date(date(2026, 9, 15))
    with refused("wrong_state"):
        actions.void(notice.pk, school_place.signer, WHY)
