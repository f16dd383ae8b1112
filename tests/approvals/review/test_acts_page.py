"""The acts of the desk, as pages offer them: each asks what it needs to know, and answers in words."""

from typing import Any

import pytest
from django.http import HttpResponse

from approvals.organisations.authority import actor_of
from tests.approvals.review.scene import Scene, signed_in, state_of, tasks_of, text_of
from tests.factories import at_step, head_of, person
from workflows import Reason, decide
from workflows.acts import AddSigners, Claim, StepAside, perform
from workflows.models import ActingLevel, Follower, Record, Signer, WorkItem

pytestmark = pytest.mark.django_db


def send(user: Any, act: str, *applications: Any, confirmed: bool = True, **fields: Any) -> HttpResponse:
    data = {"act": act, "task": tasks_of(*applications), **fields}
    if len(applications) == 1:
        data["case"] = str(applications[0].pk)
    if confirmed:
        data["confirmed"] = "yes"
    return signed_in(user).post("/queue/act/", data, follow=True)


def item(application: Any) -> WorkItem:
    return WorkItem.objects.get(process_id=application.pk, finished=None)


def test_claiming_and_giving_back_on_the_case_page(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    page = send(scene.head, "claim", application)
    assert "您已签收这件申请" in text_of(page)
    assert item(application).holder == actor_of(scene.head).key
    assert "已签收1件。" in text_of(page)
    send(scene.head, "release", application)
    assert item(application).holder == ""


def test_a_colleague_reads_who_holds_it_and_may_take_it_over(scene: Scene) -> None:
    application, colleague = at_step("school_review", school=scene.school), head_of(scene.school)
    perform(Claim(), [item(application).pk], actor_of(scene.head))
    page = signed_in(colleague).get(f"/cases/{application.pk}/")
    assert f"{scene.head}已签收这件申请" in text_of(page)
    assert page.context["panel"].choices == []
    send(colleague, "take_over", application)
    assert item(application).holder == actor_of(colleague).key


def test_handing_on_asks_to_whom_among_those_who_may_decide(scene: Scene) -> None:
    application, colleague = at_step("school_review", school=scene.school), head_of(scene.school)
    asked = send(scene.head, "transfer", application, confirmed=False)
    assert [key for key, _ in asked.context["form"].fields["person"].choices] == ["", str(colleague.pk)]
    nobody = send(scene.head, "transfer", application)
    assert (nobody.status_code, "请选择人员" in text_of(nobody)) == (422, True)
    page = send(scene.head, "transfer", application, person=str(colleague.pk), reason_code="away")
    assert "已转办1件。" in text_of(page)
    assert item(application).holder == actor_of(colleague).key
    outsider = send(colleague, "transfer", application, person=str(scene.leader.pk))
    assert outsider.status_code == 422, "who may not decide it is not on the list"


def test_where_nobody_can_be_handed_it_that_is_said_instead_of_an_empty_list(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    asked = send(scene.head, "transfer", application, confirmed=False)
    assert "没有可以转办的人员" in text_of(asked)
    assert "reason_code" not in asked.content.decode()


def test_only_those_are_offered_who_may_judge_the_case(scene: Scene) -> None:
    application, free = at_step("school_review", school=scene.school), head_of(scene.school)
    aside, signing = head_of(scene.school), head_of(scene.school)
    perform(StepAside(), [item(application).pk], actor_of(aside), Reason("kin", "申请人是本人的外甥，申请回避"))
    perform(AddSigners([actor_of(signing)]), [item(application).pk], actor_of(scene.head))
    ActingLevel.objects.create(case_id=application.pk, person=actor_of(scene.officer).key, level="submit")

    def offered(act: str, name: str) -> set[str]:
        form = send(scene.head, act, application, confirmed=False).context["form"]
        return {key for key, _ in form.fields[name].choices if key}

    assert offered("transfer", "person") == {str(free.pk), str(signing.pk)}
    people = offered("add_signer", "people")
    assert str(free.pk) in people
    assert not people & {str(aside.pk), str(signing.pk), str(scene.officer.pk)}, "the officer has entered it"


def test_what_was_typed_stays_when_an_act_is_refused(scene: Scene) -> None:
    application, colleague = at_step("school_review", school=scene.school), head_of(scene.school)
    words, third = "本人外出培训两周，请您办理", head_of(scene.school)
    perform(Claim(), [item(application).pk], actor_of(colleague))
    page = send(scene.head, "transfer", application, person=str(third.pk), reason_code="away", reason_text=words)
    assert (page.status_code, words in page.content.decode()) == (422, True)
    assert f"{colleague}已签收这件申请" in text_of(page)


def test_signers_are_added_seen_and_taken_off(scene: Scene) -> None:
    application = at_step("county_review", school=scene.direct)
    stranger = send(scene.county_reviewer, "add_signer", application, people=[str(scene.head.pk)])
    assert stranger.status_code == 422, "the head of another school does not see the case"
    send(scene.county_reviewer, "add_signer", application, people=[str(scene.second_reviewer.pk)])
    assert Signer.objects.get().person == actor_of(scene.second_reviewer).key
    page = signed_in(scene.second_reviewer).get(f"/cases/{application.pk}/")
    assert [choice.outcome for choice in page.context["panel"].choices] == ["approve", "return", "reject"]
    key = actor_of(scene.second_reviewer).key
    short = send(scene.county_reviewer, "remove_signer", application, signer=key, reason_code="not_needed")
    assert short.status_code == 422
    send(
        scene.county_reviewer, "remove_signer", application, signer=key, reason_code="not_needed",
        reason_text="情况已经清楚，不再需要会签",
    )  # fmt: skip
    assert not Signer.objects.filter(ended_at=None).exists()


def test_an_added_signer_signs_on_the_case_page_and_takes_it_back(scene: Scene) -> None:
    application = at_step("county_review", school=scene.direct)
    perform(AddSigners([actor_of(scene.second_reviewer)]), [item(application).pk], actor_of(scene.county_reviewer))
    client = signed_in(scene.second_reviewer)
    decided = {"task": tasks_of(application), "case": str(application.pk), "confirmed": "yes", "outcome": "approve",
               "step": "county_review"}  # fmt: skip
    client.post("/queue/decide/", decided)
    assert Signer.objects.get().vote == "approve"
    assert state_of(application) == "county_review"
    assert "拿回" in text_of(client.get(f"/cases/{application.pk}/"))
    client.post(f"/cases/{application.pk}/take-back/")
    assert Signer.objects.get(ended_at=None).vote == ""


def test_taking_back_ones_own_decision(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    decide([item(application).pk], "approve", actor_of(scene.head))
    assert state_of(application) == "school_notice"
    stranger = signed_in(scene.township_reviewer).post(f"/cases/{application.pk}/take-back/", follow=True)
    assert "不是您作出的" in text_of(stranger)
    page = signed_in(scene.head).post(f"/cases/{application.pk}/take-back/", follow=True)
    assert ("已拿回" in text_of(page), state_of(application)) == (True, "school_review")


def test_suspending_needs_a_reason_and_shows_on_the_case(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    why = {"reason_code": "under_inquiry", "reason_text": "家庭收入情况正在入户核实"}
    assert send(scene.head, "suspend", application, reason_code="under_inquiry").status_code == 422
    page = send(scene.head, "suspend", application, **why)
    assert "自2026年9月7日起挂起" in text_of(page)
    assert page.context["panel"].choices == []
    send(scene.head, "resume", application, reason_code="inquiry_over", reason_text="入户核实完毕，情况属实，恢复办理")
    assert signed_in(scene.head).get(f"/cases/{application.pk}/").context["panel"].choices


def test_stepping_aside(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    page = send(scene.head, "step_aside", application, reason_code="kin", reason_text="申请人是本人的外甥，申请回避")
    assert "您已就这件申请申报回避" in text_of(page)
    assert "目前无人可以审核" in text_of(page)
    assert "代理人" in text_of(signed_in(scene.officer).get(f"/cases/{application.pk}/"))
    head_of(scene.school)
    assert "目前无人可以审核" not in text_of(signed_in(scene.officer).get(f"/cases/{application.pk}/"))


def test_comments_copies_watching_and_urging(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    asked = send(scene.officer, "comment", application, confirmed=False)
    assert str(asked.context["form"]["reason_text"].label) == "批注"
    send(scene.officer, "comment", application, reason_text="家长已补来医院证明原件，存校备查")
    assert "家长已补来医院证明原件" in text_of(signed_in(scene.head).get(f"/cases/{application.pk}/"))
    send(scene.officer, "copy_to", application, people=[str(scene.township_reviewer.pk)])
    copy = Follower.objects.get()
    assert (copy.person, copy.read_at) == (actor_of(scene.township_reviewer).key, None)
    signed_in(scene.township_reviewer).get(f"/cases/{application.pk}/")
    copy.refresh_from_db()
    assert copy.read_at is not None
    send(scene.officer, "watch", application)
    send(scene.officer, "unwatch", application)
    assert not Follower.objects.filter(copied_by="").exists()
    assert "已催办1件。" in text_of(send(scene.officer, "urge", application))
    assert "今天已经催办过" in text_of(send(scene.officer, "urge", application))


def test_an_act_on_many_answers_with_counts(scene: Scene) -> None:
    mine = [at_step("school_review", school=scene.school) for _ in range(2)]
    other = at_step("school_review", school=scene.sister)
    page = text_of(send(scene.head, "claim", *mine, other))
    assert "已签收2件。" in page
    assert "您的岗位" in page
    assert other.student.name not in page


def test_a_return_may_go_to_an_earlier_review(scene: Scene) -> None:
    application = at_step("county_review", school=scene.school)
    page = signed_in(scene.county_reviewer).get(f"/cases/{application.pk}/")
    [form] = [each["form"] for each in page.context["decisions"] if each["form"].act == "return"]
    assert [place for place, _ in form.fields["to"].choices] == ["", "school_review", "township_review"]
    direct = at_step("county_review", school=scene.direct)
    page = signed_in(scene.county_reviewer).get(f"/cases/{direct.pk}/")
    [form] = [each["form"] for each in page.context["decisions"] if each["form"].act == "return"]
    assert [place for place, _ in form.fields["to"].choices] == ["", "school_review"]
    signed_in(scene.county_reviewer).post(
        "/queue/decide/",
        {"task": tasks_of(application), "case": str(application.pk), "confirmed": "yes", "outcome": "return",
         "step": "county_review", "to": "township_review", "reason_code": "level_to_review",
         "reason_text": "请乡镇核对困难等级后再报"},
    )  # fmt: skip
    assert state_of(application) == "township_review"


def test_the_pages_are_for_who_may_see_the_case(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    stranger = person("school_head", scene.elsewhere)
    assert signed_in(stranger).post(f"/cases/{application.pk}/look/").status_code == 404
    assert signed_in(stranger).post(f"/cases/{application.pk}/take-back/").status_code == 404
    assert send(stranger, "comment", application, reason_text="不该看到这件申请").status_code == 404
    assert not Record.objects.filter(about_id=application.pk, act="comment").exists()
    assert signed_in(scene.head).post("/queue/act/", {"act": "unknown"}).status_code == 404
    assert signed_in(scene.head).get("/queue/act/").status_code == 405


def test_two_who_look_at_one_case_read_of_each_other(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    assert text_of(signed_in(scene.head).post(f"/cases/{application.pk}/look/")) == ""
    assert str(scene.head) in text_of(signed_in(scene.officer).post(f"/cases/{application.pk}/look/"))


def test_other_applications_of_pupil_and_household_are_shown_where_the_reader_may_see_them(scene: Scene) -> None:
    from approvals.people.models import Household

    application = at_step("school_review", school=scene.school)
    brother, cousin = at_step("school_review", school=scene.school), at_step("school_review", school=scene.elsewhere)
    home = Household.objects.create(number="H1", size=5)
    for each in (application, brother, cousin):
        each.student.household = home
        each.student.save()
    mine = signed_in(scene.head).get(f"/cases/{application.pk}/").context["file"].relatives
    assert [row.case for row in mine] == [brother.pk]
    county = signed_in(scene.county_reviewer).get(f"/cases/{application.pk}/").context["file"].relatives
    assert {row.case for row in county} == {brother.pk, cousin.pk}
