"""The page of a case: where it stands, what is known, who did what, and what the reader can do now."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.applications.matching import sentence as hit_sentence
from approvals.applications.models import Application, Hit
from approvals.notices import actions as notices
from approvals.organisations.models import Organisation, User
from approvals.organisations.roles import NAMES as ROLES
from approvals.people.masking import mask_id
from tests.approvals.review.scene import Scene, signed_in, state_of, text_of
from tests.factories import PostFactory, VersionFactory, acting, at_step, head_of, officer_of, person, walk_to
from workflows import Reason, decide
from workflows.actors import SYSTEM
from workflows.models import Case, Record
from workflows.queries import open_item_of
from workflows.states import NAMES
from workflows.working_days import load_calendar

pytestmark = pytest.mark.django_db
WORDS = "户口簿首页不清楚,请重新拍照上传"


def address(application: Application, tail: str = "") -> str:
    return f"/cases/{application.pk}/{tail}"


def read(user: User, application: Application, **query: Any) -> str:
    return text_of(signed_in(user).get(address(application), query))


def act(application: Application, outcome: str, by: Any, reason: Reason | None = None, **data: Any) -> None:
    item = open_item_of(application.pk)
    assert item
    [result] = decide([item.pk], outcome, by, reason, data)
    assert result.ok, result.message


# ---------------------------------------------------------------- waiting for a public notice


def test_before_its_notice_it_says_who_drafts_one_and_then_on_which_it_is(scene: Scene) -> None:
    load_calendar()
    application = at_step("school_notice", school=scene.school)
    before = read(scene.officer, application)
    assert "等待列入公示" in before
    assert str(ROLES["aid_officer"]) in before
    assert "系统将自动处理" not in before
    author, signer = acting(scene.officer), acting(scene.head)
    notice = notices.draft("school_notice", scene.school, application.version.programme, application.term, author)
    assert "已列入公示（" in read(scene.officer, application)
    notices.submit(notice.pk, author)
    notices.publish(notice.pk, signer, privacy_checked=True, sealed=True)
    assert "公示至" in read(scene.officer, application)


# ---------------------------------------------------------------- who sees it

SEEING = ["officer", "head", "township_reviewer", "county_reviewer", "second_reviewer", "leader", "auditor"]


@pytest.mark.parametrize("role", SEEING)
def test_whoever_sees_cases_of_the_office_sees_its_page(scene: Scene, role: str) -> None:
    application = at_step("township_review", school=scene.school)
    assert application.student.name in read(getattr(scene, role), application)


@pytest.mark.parametrize("role", ["finance_maker", "finance_checker", "finance_approver"])
def test_finance_sees_it_too(scene: Scene, role: str) -> None:
    application = at_step("township_review", school=scene.school)
    assert application.student.name in read(person(role, scene.county), application)


def test_for_others_it_does_not_exist(scene: Scene) -> None:
    application = at_step("township_review", school=scene.school)
    strangers = [
        scene.administrator,
        officer_of(scene.sister),
        head_of(scene.elsewhere),
        person("township_reviewer", Organisation.objects.get_parent(scene.elsewhere)),
    ]
    for user in strangers:
        client = signed_in(user)
        assert client.get(address(application)).status_code == 404
        assert client.get(address(application, "route.svg")).status_code == 404
        assert client.post(address(application, "numbers/"), {"purpose": "audit"}).status_code == 404
    assert not Record.objects.filter(act="unmask").exists()


def test_a_case_that_never_was_is_not_found(scene: Scene) -> None:
    unknown = signed_in(scene.head).get("/cases/999999999/")
    assert unknown.status_code == 404
    other = at_step("school_review", school=scene.sister)
    elsewhere = signed_in(scene.head).get(address(other))
    assert "没有这件申请，或不由您负责" in text_of(elsewhere)
    assert text_of(elsewhere) == text_of(unknown), "nothing tells whether it exists"
    assert "没有这件申请" in text_of(signed_in(scene.officer).get(f"/applications/{other.pk}/edit/"))


def test_a_stranger_is_asked_to_sign_in(scene: Scene) -> None:
    application = at_step("draft", school=scene.school)
    for tail in ("", "route.svg"):
        assert Client().get(address(application, tail)).headers["Location"].startswith("/sign-in/")


# ---------------------------------------------------------------- numbers


def test_numbers_are_masked(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    html = signed_in(scene.head).get(address(application)).content.decode()
    number = str(application.student.id_number)
    assert mask_id(number) in html
    for secret in (number, str(application.student.enrolment_no), "13800000000", str(application.account_no)):
        assert secret not in html


def test_the_full_record_opens_for_a_purpose_once_and_leaves_a_line(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    opened = client.post(address(application, "numbers/"), {"purpose": "contact_family"})
    html = opened.content.decode()
    for secret in (str(application.student.id_number), "13800000000", str(application.account_no)):
        assert secret in html
    assert "no-store" in opened.headers["Cache-Control"]
    line = Record.objects.get(act="unmask", about="case", about_id=application.pk)
    assert (line.actor, line.reason_code) == (scene.head.person.hex, "contact_family")
    assert line.post.startswith("school_head@")
    assert str(application.student.id_number) not in client.get(address(application)).content.decode()


@pytest.mark.parametrize("sent", [{}, {"purpose": "curiosity"}, {"purpose": "other", "text": " "}])
def test_without_a_purpose_nothing_opens(scene: Scene, sent: dict[str, str]) -> None:
    application = at_step("school_review", school=scene.school)
    answer = signed_in(scene.head).post(address(application, "numbers/"), sent)
    assert answer.status_code == 422
    assert str(application.student.id_number) not in answer.content.decode()
    assert not Record.objects.filter(act="unmask").exists()


def test_a_link_opens_no_numbers(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    assert signed_in(scene.head).get(address(application, "numbers/")).status_code == 405


def test_looking_is_not_in_the_timeline_unless_asked_for(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    client.post(address(application, "numbers/"), {"purpose": "audit"})
    assert all(line.act != "unmask" for line in client.get(address(application)).context["file"].lines)
    shown = client.get(address(application), {"looks": "1"})
    assert shown.context["file"].lines[-1].act == "unmask"
    assert "审计" in text_of(shown)


# ---------------------------------------------------------------- what is known


def test_findings_and_hits_speak_in_sentences(scene: Scene) -> None:
    words = {"zh": "是否寄宿", "en": "Boards?"}
    version = VersionFactory(
        changes={
            "rules": [
                {
                    "code": "boards", "when": "boarder", "asks": words, "holds": {"zh": "在校寄宿。", "en": "Boards."},
                    "fails": {"zh": "并未寄宿。", "en": "Does not board."}, "unknown": words,
                }
            ]
        }
    )  # fmt: skip
    application = at_step(
        "county_review",
        school=scene.school,
        version=version,
        findings=[{"code": "boards", "holds": False, "values": {}}],
    )
    waived, still = (
        Hit.objects.create(application=application, source="accounts", code=code, values={"count": 3})
        for code in ("account_shared", "card_name_mismatch")
    )
    Hit.objects.filter(pk=waived.pk).update(
        waived_by="李复核", waived_reason="兄弟姐妹共用一卡", waived_at="2026-09-08T09:00+08:00"
    )
    text = read(scene.county_reviewer, application)
    assert "并未寄宿。" in text
    assert hit_sentence(still.code, still.values) in text
    assert hit_sentence(waived.code, waived.values) in text
    assert "李复核：兄弟姐妹共用一卡" in text


def test_corrections_show_before_and_after(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    application.revisions.create(by="测试员", changes={"account_no": ["***0010", "***0028"]})
    text = read(scene.head, application)
    assert "***0010" in text
    assert "***0028" in text


# ---------------------------------------------------------------- who did what


def test_the_timeline_says_who_did_what_under_which_post_and_why(scene: Scene) -> None:
    application = at_step("draft", school=scene.school, by=acting(scene.officer))
    act(application, "submit", acting(scene.officer))
    act(
        application,
        "return",
        acting(scene.head),
        Reason("evidence_missing", WORDS),
        fields=["evidence"],
        due_on="2026-09-14",
    )
    html = signed_in(scene.township_reviewer).get(address(application)).content.decode()
    text = read(scene.township_reviewer, application)
    for words in (scene.officer.name, scene.head.name, str(ROLES["school_head"]), WORDS, "需补正", "2026-09-07"):
        assert words in text
    machine = Record.objects.filter(about="case", about_id=application.pk).latest("id").at
    assert f"{timezone.localtime(machine):%Y-%m-%d %H:%M:%S}" in html


def test_a_skipped_step_says_why_on_stepper_and_timeline(scene: Scene) -> None:
    application = at_step("county_review", school=scene.direct)
    page = signed_in(scene.county_reviewer).get(address(application))
    place = next(place for place in page.context["file"].places if place.name == "township_review")
    assert (place.status, str(place.note)) == ("skipped", "县直学校，不经乡镇审核")
    line = next(line for line in page.context["file"].lines if line.act == "skip")
    assert (line.step, str(line.note), line.by_system) == ("township_review", "县直学校，不经乡镇审核", True)


# ---------------------------------------------------------------- what can be done


@pytest.mark.parametrize(
    ("role", "choices"),
    [
        ("head", ["approve", "return", "reject"]),
        ("officer", []),
        ("township_reviewer", []),
        ("auditor", []),
        ("leader", []),
    ],
)
def test_the_panel_offers_what_the_reader_may_really_do(scene: Scene, role: str, choices: list[str]) -> None:
    application = at_step("school_review", school=scene.school)
    page = signed_in(getattr(scene, role)).get(address(application))
    assert [choice.outcome for choice in page.context["panel"].choices] == choices
    offered = set(re.findall(r'name="outcome" value="(\w+)"', page.content.decode()))
    assert offered == set(choices)


def test_the_panel_says_whose_turn_it_is(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    text = read(scene.officer, application)
    assert "等待办理" in text
    assert str(ROLES["school_head"]) in text


def test_the_panel_says_that_one_has_acted_at_another_level(scene: Scene) -> None:
    application = at_step("draft", school=scene.school)
    PostFactory(user=scene.head, organisation=scene.school, role="aid_officer")
    act(application, "submit", acting(scene.head))
    page = signed_in(scene.head).get(address(application))
    assert page.context["panel"].choices == []
    assert "您已在其他环节（填报提交）处理过本件" in text_of(page)


def test_an_open_hit_stands_in_the_way_of_approval_only(scene: Scene) -> None:
    application = at_step("pending_approval", school=scene.school)
    Case.objects.filter(pk=application.pk).update(open_hits=1)
    panel = signed_in(scene.leader).get(address(application)).context["panel"]
    assert [bool(choice.obstacle) for choice in panel.choices] == [True, False, False]


def test_an_ended_case_offers_nothing(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    act(application, "reject", acting(scene.head), Reason("conditions_not_met", "家庭情况不符合本项目条件"))
    page = signed_in(scene.head).get(address(application))
    assert "已办结" in text_of(page)
    stopped = [place for place in page.context["file"].places if place.status == "stopped"]
    assert [(place.name, str(place.note)) for place in stopped] == [("school_review", str(NAMES["rejected"]))]


def test_finance_reads_award_and_payment(scene: Scene) -> None:
    application = at_step("payment", school=scene.school)
    assert state_of(application) == "approved"
    maker = person("finance_maker", scene.county)
    page = signed_in(maker).get(address(application))
    assert page.context["file"].award is not None
    assert "资助资格" in text_of(page)


# ---------------------------------------------------------------- languages, drawing, cost


def test_the_page_reads_in_english_too(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    client.cookies["django_language"] = "en"
    text = text_of(client.get(address(application)))
    for words in ("What you can do now", "Who did what", "School review", "Approve", "Return for correction"):
        assert words in text
    assert "Pupil" in text_of(client.get("/queue/"))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("step", ["draft", "school_review", "township_review", "county_notice", "payment"])
def test_the_drawing_marks_the_present_step_in_the_readers_language(scene: Scene, step: str, language: str) -> None:
    application = at_step(step, school=scene.school)
    client = signed_in(scene.county_reviewer)
    client.cookies["django_language"] = language
    answer = client.get(address(application, "route.svg"))
    svg = answer.content.decode()
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert [box.name for box in answer.context["drawing"].boxes if box.status == "current"] == [step]
    assert {"zh-hans": ">学校审核<", "en": ">School review<"}[language] in svg
    assert "<style" not in svg
    assert "style=" not in svg
    assert "<script" not in svg


def test_a_returned_case_is_drawn_at_its_correction(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    act(application, "return", acting(scene.head), Reason("evidence_missing", WORDS))
    client = signed_in(scene.head)
    places = client.get(address(application)).context["file"].places
    assert [place.name for place in places if place.status == "current"] == ["correction"]
    drawing = client.get(address(application, "route.svg")).context["drawing"]
    assert [box.name for box in drawing.boxes if box.status == "current"] == ["correction"]


def test_a_case_at_re_check_stands_beside_the_data_check(scene: Scene) -> None:
    application = at_step("data_check", school=scene.school)
    act(application, "hit", SYSTEM)
    places = signed_in(scene.second_reviewer).get(address(application)).context["file"].places
    names = [place.name for place in places]
    assert names.index("recheck") == names.index("data_check") + 1
    assert [place.name for place in places if place.status == "current"] == ["recheck"]


@pytest.mark.parametrize("step", ["school_review", "pending_approval", "payment"])
def test_the_page_takes_at_most_25_statements(scene: Scene, step: str) -> None:
    application = at_step("school_review", school=scene.school)
    act(application, "return", acting(scene.head), Reason("evidence_missing", WORDS))
    walk_to(step, application)
    for number in range(3):
        application.revisions.create(by="测试员", changes={"bank": ["甲", str(number)]})
        Hit.objects.create(application=application, source="accounts", code=f"code{number}")
    client = signed_in(scene.leader)
    client.get("/queue/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address(application), {"step": "pending_approval", "looks": "1"}).status_code == 200
    assert len(captured) <= 25


def test_a_long_reason_folds_in_the_timeline_and_stands_there_once(scene: Scene) -> None:
    application, long = at_step("school_review", school=scene.school), "始" + "照片不清楚" * 60 + "终"
    act(application, "return", acting(scene.head), Reason("evidence_missing", long))
    html = signed_in(scene.officer).get(address(application)).content.decode()
    timeline = html.partition('class="timeline"')[2]
    assert '<details class="line-reason"><summary>' in timeline
    assert (timeline.count("始照片"), timeline.count("清楚终")) == (1, 1)
