"""中止: a public notice is hidden at once, corrected, signed again by a second person, published with a new clock."""

import json
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, freezing, proofs, queries
from approvals.notices.models import Notice, NoticeEdition
from approvals.notices.refusals import Refused
from approvals.people.models import Student
from tests.approvals.notices.conftest import LEAK, Place, refused, unguarded
from tests.factories import acting, person, set_training_date
from workflows import Reason
from workflows.background import run_due
from workflows.models import Case
from workflows.record import history
from workflows.seal.sealing import seal_now
from workflows.seal.verifying import Report

LATER = date(2026, 9, 9)
WHY = Reason("wrong_list", "名单整体有误，作废后另行公示名单。")
WITHDRAWN = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")


def at(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def words(notice: Notice, **changes: Any) -> dict[str, Any]:
    names = ("title", "remark", "contact", "contact_phone", "contact_place")
    return {name: getattr(notice, name) for name in names} | changes


def again(place: Place, notice: Notice) -> Notice:
    """Handed on and published once more."""
    actions.submit(notice.pk, place.author)
    return place.sign(notice)


# ---------------------------------------------------------------- hidden at once


def test_a_paused_notice_is_in_no_public_view_from_that_moment(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    seal_now()
    actions.pause(notice.pk, school_place.signer, LEAK)
    assert list(queries.current()) == []
    for page in ("notice", "pdf", "proof"):
        answer = client.get(reverse(f"public:{page}", args=[notice.public_id]))
        assert answer.status_code == 410
        assert "王小" not in answer.content.decode()
        assert notice.title not in answer.content.decode()
    assert "已中止" in client.get(reverse("public:notice", args=[notice.public_id])).content.decode()
    assert {line.case.state for line in notice.lines.select_related("case")} == {"school_notice"}


@pytest.mark.parametrize("who", ["author", "signer"])
def test_author_or_signer_pause_with_a_reason_that_is_kept(school_place: Place, who: str) -> None:
    notice = school_place.published()
    with refused("reason_required"):
        actions.pause(notice.pk, getattr(school_place, who), None)
    actions.pause(notice.pk, getattr(school_place, who), LEAK)
    line = history("notice", notice.pk).last()
    assert (line.act, line.reason_code, line.data) == ("pause", "privacy_leak", {"sha256": notice.sha256, "edition": 1})
    [edition] = NoticeEdition.objects.filter(notice=notice)
    assert (edition.number, edition.sha256, edition.reason, edition.reason_text) == (
        1, notice.sha256, LEAK.code, LEAK.text,
    )  # fmt: skip


@pytest.mark.parametrize("role", ["class_teacher", "township_reviewer", "county_reviewer", "auditor"])
def test_nobody_else_pauses(school_place: Place, role: str) -> None:
    notice = school_place.published(1)
    with pytest.raises(PermissionDenied):
        actions.pause(notice.pk, acting(person(role, school_place.school)), LEAK)
    assert at(notice).state == "published"


def test_after_its_last_day_there_is_nothing_to_pause(school_place: Place) -> None:
    notice = school_place.published()
    set_training_date(date(2026, 9, 15))
    with refused("wrong_state"):
        actions.pause(notice.pk, school_place.signer, LEAK)


def test_a_period_that_ends_while_it_is_paused_ends_nothing(school_place: Place) -> None:
    notice = school_place.paused()
    set_training_date(date(2026, 9, 30))
    run_due()
    assert at(notice).state == "paused"
    assert set(Case.objects.filter(notice_lines__notice=notice).values_list("state", flat=True)) == {"school_notice"}


# ---------------------------------------------------------------- corrected, signed again


def test_it_is_published_again_with_its_clock_started_anew_and_the_old_hash_is_kept(school_place: Place) -> None:
    notice = school_place.paused()
    first = at(notice)
    actions.edit(notice.pk, school_place.author, **words(first, remark="更正后重新公示。"))
    set_training_date(LATER)
    actions.submit(notice.pk, school_place.author)
    assert list(queries.current()) == []
    second = school_place.sign(notice)
    assert (second.state, second.edition, second.published_on, second.ends_on) == (
        "published", 2, LATER, date(2026, 9, 16),
    )  # fmt: skip
    assert second.sha256 != first.sha256
    assert freezing.digest(at(notice).frozen) == second.sha256
    kept = NoticeEdition.objects.get(notice=notice)
    assert freezing.digest(kept.frozen) == first.sha256
    hashes = history("notice", notice.pk).filter(act="publish").values_list("data__sha256", flat=True)
    assert list(hashes) == [first.sha256, second.sha256]
    set_training_date(date(2026, 9, 15))  # past the first period
    run_due()
    assert at(notice).state == "published"
    set_training_date(date(2026, 9, 17))
    run_due()
    assert at(notice).state == "taken_down"


def test_who_corrected_it_may_not_sign_it_and_another_must(school_place: Place) -> None:
    notice = school_place.paused(1)
    corrector = person("aid_officer", school_place.school)
    corrector.posts.create(organisation=school_place.school, role="school_head", starts_on="2020-01-01")
    actions.edit(notice.pk, acting(corrector), **words(at(notice), remark="已更正。"))
    actions.submit(notice.pk, school_place.author)
    for by in (acting(corrector), school_place.author):
        with pytest.raises((Refused, PermissionDenied)):
            actions.publish(notice.pk, by, privacy_checked=True, sealed=True)
    assert school_place.sign(notice).edition == 2


def test_a_column_that_leaked_is_left_out_and_no_other_is_added(school_place: Place) -> None:
    notice = school_place.paused(2)
    columns = [heading for heading in notice.columns if heading != "班级"]
    actions.edit(notice.pk, school_place.author, **words(at(notice)), columns=columns)
    with refused("column_not_allowed"):
        actions.edit(notice.pk, school_place.author, **words(at(notice)), columns=[*columns, "困难等级"])
    with refused("name_needed"):
        actions.edit(notice.pk, school_place.author, **words(at(notice)), columns=["序号", "学校"])
    second = again(school_place, notice)
    content = json.loads(bytes(at(second).frozen))
    assert content["columns"] == columns
    assert [len(row) for row in content["rows"]] == [len(columns)] * 2
    assert all("班级" not in line.shown for line in notice.lines.all())
    actions.pause(notice.pk, school_place.author, LEAK)  # and may come back
    actions.edit(notice.pk, school_place.author, **words(at(notice)), columns=[*columns, "班级"])
    assert at(notice).columns == first_columns(school_place)


def first_columns(place: Place) -> list[str]:
    return list(place.version.definition["notices"][place.step]["columns"])


def test_a_name_corrected_in_the_application_is_read_again(school_place: Place) -> None:
    notice = school_place.paused(2)
    pupil = Student.objects.get(applications__case=notice.lines.get(number=2).case_id)
    Student.objects.filter(pk=pupil.pk).update(name="欧阳小禾")
    again(school_place, notice)
    assert "欧阳小禾" in bytes(at(notice).frozen).decode()
    assert "欧阳小禾" not in bytes(NoticeEdition.objects.get(notice=notice).frozen).decode()


def test_a_line_taken_off_while_it_is_paused_is_not_published_again(school_place: Place) -> None:
    notice = school_place.paused(3)
    line = notice.lines.get(number=1)
    assert actions.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN).ok
    second = again(school_place, notice)
    assert (second.line_count, queries.removed(second)) == (2, 0)
    assert [row.number for row in queries.listed(second)] == [1, 2]


def test_what_is_sent_back_stays_out_of_view(school_place: Place) -> None:
    notice = school_place.paused()
    actions.submit(notice.pk, school_place.author)
    assert actions.send_back(notice.pk, school_place.signer, Reason("wrong_text", LEAK.text)).state == "paused"
    actions.submit(notice.pk, school_place.author)
    school_place.sign(notice, date(2026, 9, 11))
    assert list(queries.current()) == []
    assert actions.recall(notice.pk, school_place.signer, Reason("wrong_date", LEAK.text)).state == "paused"


def test_published_again_on_a_later_day(school_place: Place) -> None:
    notice = school_place.paused()
    actions.submit(notice.pk, school_place.author)
    school_place.sign(notice, date(2026, 9, 11))
    set_training_date(date(2026, 9, 11))
    run_due()
    assert (at(notice).edition, at(notice).published_on) == (2, date(2026, 9, 11))


def test_what_is_out_of_view_is_voided_by_the_signer_alone(school_place: Place) -> None:
    notice = school_place.paused(2)
    with pytest.raises(PermissionDenied):
        actions.void(notice.pk, school_place.author, WHY)
    assert actions.void(notice.pk, school_place.signer, WHY).state == "voided"
    assert school_place.draft().line_count == 2


# ---------------------------------------------------------------- proofs


def verified() -> list[str]:
    report = Report()
    proofs.verify_notices(report)
    return [finding.code for finding in report.findings]


def sealed() -> None:
    while seal_now():
        pass


def test_the_proof_is_that_of_the_edition_now_public(school_place: Place) -> None:
    notice = school_place.published()
    sealed()
    first = proofs.package(at(notice))
    assert first is not None
    actions.pause(notice.pk, school_place.author, LEAK)
    sealed()
    assert proofs.package(at(notice)) is None
    assert not proofs.is_provable(at(notice))
    again(school_place, notice)
    sealed()
    second = proofs.package(at(notice))
    assert second is not None
    assert second["list"] != first["list"]
    assert at(notice).sha256 in second["line"]
    assert verified() == []


def test_every_edition_is_held_against_the_record(school_place: Place) -> None:
    again(school_place, school_place.paused())
    assert verified() == []
    unguarded("UPDATE notices_noticeedition SET frozen = convert_to('{}', 'UTF8')")
    assert verified() == ["edition_changed"]
    unguarded("DELETE FROM notices_noticeedition")
    assert verified() == ["edition_changed"]


def test_a_notice_that_is_out_of_view_or_voided_since_proves_its_edition(school_place: Place) -> None:
    notice = school_place.paused()
    actions.edit(notice.pk, school_place.author, **words(at(notice)), columns=["序号", "姓名"])
    assert verified() == []
    actions.void(notice.pk, school_place.signer, WHY)
    assert verified() == []


# ---------------------------------------------------------------- the page


def test_on_the_page_it_is_taken_out_of_view_corrected_and_handed_on(school_place: Place, client: Client) -> None:
    notice = school_place.published(2)
    client.force_login(school_place.author.user)
    form = {"pause-reason_code": LEAK.code, "pause-reason_text": LEAK.text}
    page = client.post(reverse("notices:pause", args=[notice.pk]), form, follow=True).content.decode()
    assert "外界看不到本公示" in page
    assert "此前公布过1版" in page
    assert notice.sha256 in page
    edit = reverse("notices:edit", args=[notice.pk])
    assert "公示的列" in client.get(edit).content.decode()
    columns = ["序号", "学校", "姓名", "资助项目"]
    client.post(edit, words(at(notice)) | {"columns": columns})
    assert at(notice).columns == columns
    client.post(reverse("notices:submit", args=[notice.pk]))
    assert at(notice).state == "pending_review"
