"""Deciding on one and on many over the pages: asked once more, told what happened, never done twice."""

import re
import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from approvals.applications.models import Application
from approvals.organisations.models import Post, User
from approvals.review import actions
from tests.approvals.applications.test_application_quotas import quota, reviewed
from tests.approvals.review.scene import Scene, signed_in, state_of, tasks_of, text_of
from tests.factories import PostFactory, UserFactory, VersionFactory, acting, at_step, definition, person, walk_to
from workflows import decide
from workflows.actors import SYSTEM
from workflows.acts import Claim, perform
from workflows.flows.aid import REVIEWERS
from workflows.models import Record
from workflows.nodes import OUTCOMES
from workflows.queries import open_item_of
from workflows.refusals import SENTENCES

pytestmark = pytest.mark.django_db
DECIDE = "/queue/decide/"
WORDS = "材料照片模糊,请重新拍照上传"


def form(
    *applications: Application, outcome: str = "approve", step: str = "school_review", **more: Any
) -> dict[str, Any]:
    """What the page that asks once more sends."""
    return {
        "task": tasks_of(*applications),
        "outcome": outcome,
        "step": step,
        "token": uuid.uuid4().hex,
        "confirmed": "yes",
        "back": f"step={step}",
        **more,
    }


def reasoned(*applications: Application, outcome: str = "return", **more: Any) -> dict[str, Any]:
    code = {"return": "evidence_missing", "reject": "conditions_not_met"}[outcome]
    return form(*applications, outcome=outcome, reason_code=code, reason_text=WORDS, **more)


def sent_again(page: HttpResponse) -> dict[str, Any]:
    """The form of the page that asks once more, as a browser would send it."""
    found: dict[str, Any] = {}
    html = page.content.decode()
    [inside] = re.findall(r'<form class="stack" method="post" action="/queue/decide/">(.*?)</form>', html, flags=re.S)
    for tag in re.findall(r"<input[^>]*>", inside):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            found.setdefault(name[1], []).append(value[1])
    return {name: values if name == "task" else values[0] for name, values in found.items()}


def revoke(user: User) -> None:
    Post.objects.filter(user=user).update(revoked_at=timezone.now())


# ---------------------------------------------------------------- many


def test_approving_many_is_asked_once_more_with_count_and_sum(scene: Scene) -> None:
    waiting = [at_step("school_review", school=scene.school) for _ in range(3)]
    client = signed_in(scene.head)
    asked = client.post(DECIDE, {"task": tasks_of(*waiting), "outcome": "approve", "back": "step=school_review"})
    assert asked.status_code == 200
    assert "3 件" in text_of(asked)
    assert "1,875.00" in text_of(asked)
    assert {state_of(each) for each in waiting} == {"school_review"}

    answer = client.post(DECIDE, sent_again(asked))
    assert answer.status_code == 302
    assert {state_of(each) for each in waiting} == {"school_notice"}
    page = client.get(answer.headers["Location"])
    assert f"已审核 3 件：{OUTCOMES['approve']}。 每学期合计 ¥ 1,875.00" in text_of(page)


def test_approving_many_with_findings_needs_a_confirmation_of_its_own(scene: Scene) -> None:
    clean, found = (at_step("school_review", school=scene.school) for _ in range(2))
    found.findings = [{"code": "registered_household", "holds": False, "values": {}}]
    found.save()
    client = signed_in(scene.head)
    asked = client.post(DECIDE, {"task": tasks_of(clean, found), "outcome": "approve", "back": "step=school_review"})
    assert "其中1件有比对命中或条件不符" in text_of(asked)
    refused = client.post(DECIDE, form(clean, found))
    assert (refused.status_code, "请确认已核对" in text_of(refused)) == (422, True)
    with pytest.raises(actions.Unconfirmed):
        actions.decide_tasks(map(int, tasks_of(clean, found)), "approve", acting(scene.head), token="a")
    assert {state_of(clean), state_of(found)} == {"school_review"}
    client.post(DECIDE, form(clean, found, findings_seen="on"))
    assert {state_of(clean), state_of(found)} == {"school_notice"}


def test_the_answer_leads_back_to_the_same_place_of_the_queue(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    back = f"step=school_review&school={scene.school.code}&order=due&after=none_1"
    answer = signed_in(scene.head).post(DECIDE, form(application, back=back))
    place = answer.headers["Location"]
    assert place.startswith("/queue/?step=school_review&")
    for part in back.split("&"):
        assert part in place


def test_a_double_click_does_nothing_twice(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client, sent = signed_in(scene.head), form(application)
    first, second = client.post(DECIDE, sent), client.post(DECIDE, sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert Record.objects.filter(about="case", about_id=application.pk, act="approve").count() == 1
    assert "未办理" not in text_of(client.get(second.headers["Location"]))


def test_a_second_window_says_that_one_decided_it_oneself_and_when(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client, first = signed_in(scene.head), form(application, case=str(application.pk))
    second = first | {"token": uuid.uuid4().hex}
    client.post(DECIDE, first)
    in_person = f"您已办理过这件申请：{OUTCOMES['approve']}，2026-09-07"
    assert in_person in text_of(client.post(DECIDE, second, follow=True))
    many = {name: value for name, value in second.items() if name not in ("case", "token")}
    assert in_person in text_of(client.post(DECIDE, many, follow=True))
    unconfirmed = {name: value for name, value in many.items() if name != "confirmed"}
    assert in_person in text_of(client.post(DECIDE, unconfirmed, follow=True))


def test_a_changed_form_is_another_decision(scene: Scene) -> None:
    one, two = (at_step("school_review", school=scene.school) for _ in range(2))
    client, token = signed_in(scene.head), uuid.uuid4().hex
    client.post(DECIDE, form(one, token=token))
    client.post(DECIDE, form(two, token=token))
    assert {state_of(one), state_of(two)} == {"school_notice"}


def test_equal_refusals_are_said_once_with_their_cases(scene: Scene) -> None:
    taken = [at_step("school_review", school=scene.school) for _ in range(3)]
    sent = form(*taken)
    decide([int(task) for task in sent["task"]], "approve", acting(person("school_head", scene.school)))
    client = signed_in(scene.head)
    page = client.get(client.post(DECIDE, sent).headers["Location"])
    assert text_of(page).count(str(SENTENCES["closed"])) == 1
    for each in taken:
        assert f'href="/cases/{each.pk}/"' in page.content.decode()


def test_each_refusal_is_told_by_name_and_the_rest_is_done(scene: Scene) -> None:
    mine, taken = (at_step("school_review", school=scene.school) for _ in range(2))
    sent = form(mine, taken)
    other_head = person("school_head", scene.school)
    [result] = decide([int(sent["task"][1])], "approve", acting(other_head))
    assert result.ok
    client = signed_in(scene.head)
    page = client.get(client.post(DECIDE, sent).headers["Location"])
    text = text_of(page)
    assert "1 件未办理" in text
    assert f'href="/cases/{taken.pk}/"' in page.content.decode()
    assert str(SENTENCES["closed"]) in text
    assert state_of(mine) == "school_notice"


def test_what_the_person_may_not_judge_is_left_out_before_asking(scene: Scene) -> None:
    mine = at_step("county_review", school=scene.direct)
    barred = at_step("school_review", school=scene.direct)
    PostFactory(user=scene.county_reviewer, organisation=scene.direct, role="school_head")
    item = open_item_of(barred.pk)
    assert item
    decide([item.pk], "approve", acting(scene.county_reviewer))
    walk_to("county_review", barred)
    client = signed_in(scene.county_reviewer)
    asked = client.post(DECIDE, {"task": tasks_of(mine, barred), "outcome": "approve", "back": "step=county_review"})
    assert sent_again(asked)["task"] == tasks_of(mine)
    assert "另有 1 件不在其中" in text_of(asked)

    forced = client.post(DECIDE, form(barred, step="county_review"))
    assert state_of(barred) == "county_review"
    assert "1 件未办理" in text_of(client.get(forced.headers["Location"]))


def test_tasks_of_other_offices_are_neither_shown_nor_decided(scene: Scene) -> None:
    foreign = at_step("school_review", school=scene.elsewhere)
    client = signed_in(scene.head)
    asked = client.post(
        DECIDE, {"task": tasks_of(foreign), "outcome": "approve", "back": "step=school_review"}, follow=True
    )
    assert foreign.student.name not in text_of(asked)
    answer = client.get(client.post(DECIDE, form(foreign)).headers["Location"])
    assert state_of(foreign) == "school_review"
    assert foreign.student.name not in text_of(answer)


def test_nothing_ticked_is_said(scene: Scene) -> None:
    answer = signed_in(scene.head).post(DECIDE, {"outcome": "approve", "back": "step=school_review"}, follow=True)
    assert "没有勾选" in text_of(answer)


@pytest.mark.parametrize("outcome", ["submit", "conclude", "pay", "nonsense", ""])
def test_only_a_reviewers_answers_can_be_given_here(scene: Scene, outcome: str) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    for sent in (form(application, outcome=outcome), {"task": tasks_of(application), "outcome": outcome}):
        assert client.post(DECIDE, sent, follow=True).status_code in (200, 422)
    assert state_of(application) == "school_review"


# ---------------------------------------------------------------- reasons


@pytest.mark.parametrize("outcome", ["return", "reject"])
def test_return_and_refusal_need_a_reason_of_ten_characters(scene: Scene, outcome: str) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    for changed in (
        {"reason_code": ""},
        {"reason_text": "太短了"},
        {"reason_code": "verified"},
        {"reason_text": " " * 12},
    ):
        answer = client.post(DECIDE, reasoned(application, outcome=outcome) | changed)
        assert answer.status_code == 422
        assert sent_again(answer)["task"] == tasks_of(application)
        assert state_of(application) == "school_review"
    client.post(DECIDE, reasoned(application, outcome=outcome))
    assert state_of(application) == {"return": "returned", "reject": "rejected"}[outcome]


def test_many_are_returned_with_one_reason_with_what_to_correct_and_by_when(scene: Scene) -> None:
    waiting = [at_step("school_review", school=scene.school) for _ in range(2)]
    sent = reasoned(*waiting, fields_to_correct=["evidence", "account"], due_on="2026-09-14")
    signed_in(scene.head).post(DECIDE, sent)
    for application in waiting:
        line = Record.objects.get(about="case", about_id=application.pk, act="return")
        assert (line.reason_code, line.reason_text) == ("evidence_missing", WORDS)
        assert line.data == {"fields": ["evidence", "account"], "due_on": "2026-09-14"}
        item = open_item_of(application.pk)
        assert item
        assert str(item.due_on) == "2026-09-14"


def test_a_day_that_is_over_is_no_deadline(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    answer = signed_in(scene.head).post(DECIDE, reasoned(application, due_on="2026-09-04"))
    assert answer.status_code == 422
    assert state_of(application) == "school_review"


def test_a_re_check_is_passed_only_with_a_reason(scene: Scene) -> None:
    application = at_step("data_check", school=scene.direct)
    item = open_item_of(application.pk)
    assert item
    decide([item.pk], "hit", SYSTEM)
    client = signed_in(scene.second_reviewer)
    assert client.post(DECIDE, form(application, step="recheck")).status_code == 422
    client.post(
        DECIDE, form(application, step="recheck", reason_code="verified", reason_text="已逐人核实户籍与学籍信息,无误")
    )
    assert state_of(application) == "county_review"


# ---------------------------------------------------------------- stale pages


def test_two_people_decide_the_same_task_and_the_second_is_told(scene: Scene) -> None:
    application = at_step("county_review", school=scene.direct)
    first, second = signed_in(scene.county_reviewer), signed_in(person("county_reviewer", scene.county))
    sent_first, sent_second = form(application, step="county_review"), form(application, step="county_review")
    first.post(DECIDE, sent_first)
    page = second.get(second.post(DECIDE, sent_second).headers["Location"])
    assert "1 件未办理" in text_of(page)
    assert (
        Record.objects.filter(about="case", about_id=application.pk, act="approve", step="county_review").count() == 1
    )


def test_a_page_opened_before_the_post_was_revoked_is_refused_in_words(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    sent = sent_again(
        client.post(DECIDE, {"task": tasks_of(application), "outcome": "approve", "back": "step=school_review"})
    )
    revoke(scene.head)
    answer = client.post(DECIDE, sent, follow=True)
    assert answer.status_code == 200
    assert "1 件未办理" in text_of(answer)
    assert str(SENTENCES["not_permitted"]) in text_of(answer)
    assert state_of(application) == "school_review"


def test_a_queue_opened_before_the_post_was_revoked_is_refused_in_words(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    client.get("/queue/")
    revoke(scene.head)
    for outcome in ("approve", "return", "reject"):
        answer = client.post(DECIDE, {"task": tasks_of(application), "outcome": outcome, "back": "step=school_review"})
        assert answer.status_code == 200
        assert str(SENTENCES["not_permitted"]) in text_of(answer)
    assert state_of(application) == "school_review"


def test_a_case_page_opened_before_the_post_was_revoked_is_refused_in_words(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head)
    sent = form(application, case=str(application.pk))
    revoke(scene.head)
    answer = client.post(DECIDE, sent)
    assert answer.status_code == 200
    assert str(SENTENCES["not_permitted"]) in text_of(answer)
    assert application.student.name not in text_of(answer)
    assert state_of(application) == "school_review"


def test_nobody_reads_what_another_person_was_answered(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    place = signed_in(scene.head).post(DECIDE, form(application)).headers["Location"]
    other = signed_in(person("school_head", scene.school)).get(place)
    assert other.context["answer"] is None


# ---------------------------------------------------------------- from the page of a case


def test_deciding_on_a_case_page_opens_the_next_one_of_the_queue(scene: Scene) -> None:
    first, second = (at_step("school_review", school=scene.school) for _ in range(2))
    client = signed_in(scene.head)
    answer = client.post(DECIDE, form(first, case=str(first.pk)))
    assert answer.headers["Location"] == f"/cases/{second.pk}/?step=school_review"
    assert first.student.name in text_of(client.get(answer.headers["Location"]))
    last = client.post(DECIDE, form(second, case=str(second.pk)))
    assert last.headers["Location"].startswith("/queue/")
    assert {state_of(first), state_of(second)} == {"school_notice"}


def test_the_next_one_is_the_next_that_one_may_judge_by_the_same_filters(scene: Scene) -> None:
    first = at_step("county_review", school=scene.direct, level="severe")
    at_step("county_review", school=scene.direct, level="general")
    third = at_step("county_review", school=scene.direct, level="severe")
    sent = form(first, step="county_review", case=str(first.pk), back="step=county_review&level=severe&order=due")
    answer = signed_in(scene.county_reviewer).post(DECIDE, sent)
    assert answer.headers["Location"].startswith(f"/cases/{third.pk}/?")


def test_without_a_queue_one_stays_on_the_case(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    answer = signed_in(scene.head).post(DECIDE, form(application, case=str(application.pk), back=""))
    assert answer.headers["Location"] == f"/cases/{application.pk}/"


def test_what_was_written_stays_on_the_page_when_the_decision_is_refused(scene: Scene) -> None:
    application, colleague = at_step("school_review", school=scene.school), person("school_head", scene.school)
    perform(Claim(), [int(tasks_of(application)[0])], acting(colleague))
    answer = signed_in(scene.head).post(DECIDE, reasoned(application, case=str(application.pk)))
    assert (answer.status_code, WORDS in text_of(answer)) == (422, True)


def test_a_mistake_on_the_case_page_comes_back_with_what_was_written(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    sent = reasoned(application, case=str(application.pk)) | {"reason_text": "太短"}
    answer = signed_in(scene.head).post(DECIDE, sent)
    assert answer.status_code == 422
    assert ">太短</textarea>" in answer.content.decode().replace("\n", "")
    assert state_of(application) == "school_review"


# ---------------------------------------------------------------- who may

ROLES = {
    "class_review": "class_teacher",
    "school_review": "head",
    "township_review": "township_reviewer",
    "county_review": "county_reviewer",
    "recheck": "second_reviewer",
    "pending_approval": "leader",
}
REASON = {"reason_code": "verified", "reason_text": "已逐人核实,情况属实,同意通过"}


def standing_at(step: str, scene: Scene) -> Application:
    if step == "class_review":
        steps = [step, *definition()["steps"]]
        version = VersionFactory(changes={"code": "with_class_review", "flow": "aid_2027", "steps": steps})
        return at_step(step, school=scene.school, version=version)
    if step != "recheck":
        return at_step(step, school=scene.school)
    application = at_step("data_check", school=scene.school)
    item = open_item_of(application.pk)
    assert item
    decide([item.pk], "hit", SYSTEM)
    return application


@pytest.mark.parametrize("step", REVIEWERS)
def test_the_step_is_decided_by_its_own_reviewer(scene: Scene, step: str) -> None:
    application = standing_at(step, scene)
    signed_in(getattr(scene, ROLES[step])).post(DECIDE, form(application, step=step, **REASON))
    assert state_of(application) != step


@pytest.mark.parametrize("step", REVIEWERS)
def test_the_step_is_decided_by_nobody_else(scene: Scene, step: str) -> None:
    application = standing_at(step, scene)
    others = [role for role in (*ROLES.values(), "officer", "auditor", "administrator") if role != ROLES[step]]
    for role in others:
        answer = signed_in(getattr(scene, role)).post(DECIDE, form(application, step=step, **REASON), follow=True)
        assert answer.status_code == 200, role
        assert "1 件未办理" in text_of(answer), role
    assert state_of(application) == step


@pytest.mark.parametrize(("role", "step"), [("head", "school_review"), ("township_reviewer", "township_review")])
def test_the_same_role_elsewhere_decides_nothing_here(scene: Scene, role: str, step: str) -> None:
    application = at_step(step, school=scene.elsewhere)
    signed_in(getattr(scene, role)).post(DECIDE, form(application, step=step))
    assert state_of(application) == step


def test_a_stranger_is_asked_to_sign_in(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    assert Client().post(DECIDE, form(application)).headers["Location"].startswith("/sign-in/")
    assert state_of(application) == "school_review"


def test_a_person_without_any_post_is_refused_in_words(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    answer = signed_in(UserFactory()).post(DECIDE, form(application), follow=True)
    assert answer.status_code == 200
    assert str(SENTENCES["not_permitted"]) in text_of(answer)
    assert state_of(application) == "school_review"


def test_a_link_decides_nothing(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    assert signed_in(scene.head).get(DECIDE, form(application)).status_code == 405
    assert state_of(application) == "school_review"


def test_a_form_of_another_site_decides_nothing(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.head, enforce_csrf_checks=True)
    assert client.post(DECIDE, form(application)).status_code == 403
    assert state_of(application) == "school_review"


def test_what_the_quota_will_refuse_is_said_before_it_is_decided(scene: Scene) -> None:
    quota(scene.school, 1)
    waiting = reviewed(scene.school, "tier_2", "tier_2", "tier_2")
    page = signed_in(scene.head).post(DECIDE, {"task": tasks_of(*waiting), "outcome": "approve", "back": ""})
    [(sentence, count)] = page.context["foreseen"]
    assert count == 2
    assert scene.school.name in sentence
    assert sentence in text_of(page)
    assert [state_of(each) for each in waiting] == ["school_review"] * 3


def test_nothing_is_foreseen_where_all_fits(scene: Scene) -> None:
    quota(scene.school, 3)
    waiting = reviewed(scene.school, "tier_2", "tier_2", "tier_2")
    page = signed_in(scene.head).post(DECIDE, {"task": tasks_of(*waiting), "outcome": "approve", "back": ""})
    assert page.context["foreseen"] == []


def test_a_reason_that_is_too_long_is_refused_and_nothing_of_it_is_cut(scene: Scene) -> None:
    application, long = at_step("school_review", school=scene.school), "长" * 1001
    answer = signed_in(scene.head).post(DECIDE, reasoned(application, case=str(application.pk)) | {"reason_text": long})
    assert (answer.status_code, long in answer.content.decode()) == (422, True)
    assert "理由最多1000个字，现为1001个字" in text_of(answer)
    assert state_of(application) == "school_review"
    page = signed_in(scene.head).get(f"/cases/{application.pk}/").content.decode()
    assert "10至1000字" in page
    assert "maxlength" not in page.partition('name="reason_text"')[2][:200]
