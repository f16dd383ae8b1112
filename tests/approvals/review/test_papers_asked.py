"""补充材料: papers asked for while the case stays with its reviewer, and what a rejection says of the appeal."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from approvals.applications.asking import WANTED, AskPapers, open_requests
from approvals.applications.models import Application, Evidence, PaperRequest
from approvals.applications.queries import PAPERS_ASKED
from notifications.models import Message
from tests.approvals.applications.test_application_evidence import photo
from tests.approvals.review.scene import Scene, signed_in, state_of, tasks_of, text_of
from tests.approvals.review.test_acts_page import item, send
from tests.factories import ApplicationFactory, VersionFactory, acting, at_step, head_of, set_training_date, walk_to
from workflows import Reason, decide
from workflows.acts import perform
from workflows.models import Record

pytestmark = pytest.mark.django_db
WORDS = "户口簿首页看不清，请补拍首页和本人页"
KINDS = ["household_register", "medical_papers"]


def ask(scene: Scene, *applications: object) -> list[str]:
    tasks = [item(each).pk for each in applications]
    results = perform(AskPapers(KINDS, WORDS), tasks, acting(scene.head), Reason(WANTED, WORDS))
    return [result.code for result in results]


def attach(scene: Scene, application: object, kind: str) -> object:
    sent = {"kind": kind, "file": SimpleUploadedFile("p.jpg", photo(), content_type="image/jpeg")}
    return signed_in(scene.officer).post(f"/applications/{application.pk}/evidence/", sent, follow=True)


def test_the_case_stays_while_the_school_supplies_what_is_asked_for(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    page = send(scene.head, "ask_papers", application, papers=KINDS, reason_text=WORDS)
    assert WORDS in text_of(page)
    assert state_of(application) == "school_review"
    assert "paper-kind" not in page.content.decode(), "the reviewer is not asked to supply them himself"
    assert Message.objects.filter(event="papers_asked", recipient=scene.officer).count() == 1
    seen = signed_in(scene.officer).get(f"/cases/{application.pk}/")
    assert "paper-kind" in seen.content.decode()
    assert "请您上传要求补充的材料" in text_of(seen)
    assert "您的岗位不负责这一环节" not in text_of(seen)
    [row] = signed_in(scene.officer).get(f"/applications/?state={PAPERS_ASKED}").context["rows"]
    assert row["application"].pk == application.pk
    attach(scene, application, KINDS[0])
    assert open_requests().count() == 1, "one of two is there"
    attach(scene, application, KINDS[1])
    assert open_requests().count() == 0
    assert Evidence.objects.filter(application=application).count() == 2
    assert Message.objects.filter(event="papers_supplied", recipient=scene.head).count() == 1
    assert list(Record.objects.filter(about_id=application.pk, act="supply_papers").values_list("data", flat=True)) == [
        {"kinds": KINDS}
    ]


def test_a_paper_that_the_programme_does_not_name_is_taken_when_it_is_asked_for(scene: Scene) -> None:
    version = VersionFactory(number=2, changes={"evidence": ["dibao_certificate", "other"]})
    application = at_step("school_review", school=scene.school, version=version)
    send(scene.head, "ask_papers", application, papers=["medical_papers"], reason_text=WORDS)
    attach(scene, application, "disaster_papers")
    assert not Evidence.objects.exists(), "neither the programme nor the reviewer asks for it"
    attach(scene, application, "medical_papers")
    assert Evidence.objects.get().kind == "medical_papers"
    assert open_requests().count() == 0


def test_papers_are_taken_only_while_they_are_asked_for(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    refused = attach(scene, application, KINDS[0])
    assert not Evidence.objects.exists()
    assert "不能" in text_of(refused)
    ask(scene, application)
    decide([item(application).pk], "approve", acting(scene.head))
    attach(scene, application, KINDS[0])
    assert not Evidence.objects.exists(), "once the task is decided, nobody waits for them"


def test_asking_is_for_who_decides_and_what_is_asked_last_is_waited_for(scene: Scene) -> None:
    first, second = (at_step("school_review", school=scene.school) for _ in range(2))
    elsewhere = at_step("school_review", school=scene.elsewhere)
    assert ask(scene, first) == ["ok"]
    assert ask(scene, first, second, elsewhere) == ["ok", "ok", "not_permitted"]
    tasks = [item(first).pk]
    by_officer = perform(AskPapers(KINDS, WORDS), tasks, acting(scene.officer), Reason(WANTED, WORDS))
    assert [result.code for result in by_officer] == ["not_permitted"]
    assert PaperRequest.objects.count() == 3
    assert open_requests().filter(application=first).count() == 1
    assert list(Record.objects.filter(act="close_papers").values_list("about_id", "item")) == [(first.pk, tasks[0])]


def test_a_colleague_corrects_what_was_asked_for_and_the_school_is_told(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    ask(scene, application)
    page = send(head_of(scene.school), "ask_papers", application, papers=["bank_card"], reason_text=WORDS)
    assert "原补充材料要求已取代" in text_of(page)
    [waiting] = open_requests()
    assert waiting.kinds == ["bank_card"]
    assert PaperRequest.objects.filter(answered_at__isnull=False).count() == 1
    assert Message.objects.filter(event="papers_asked", recipient=scene.officer).count() == 2
    attach(scene, application, KINDS[0])
    attach(scene, application, "bank_card")
    assert open_requests().count() == 0
    assert Message.objects.filter(event="papers_supplied").count() == 1


def take_away(scene: Scene, application: Application, paper: Evidence) -> str:
    address = f"/applications/{application.pk}/evidence/{paper.pk}/remove/"
    return text_of(signed_in(scene.officer).post(address, follow=True))


def test_what_was_attached_by_mistake_is_taken_away_while_papers_are_waited_for(scene: Scene) -> None:
    application = ApplicationFactory(school=scene.school)
    attach(scene, application, "bank_card")
    walk_to("school_review", application)
    older = Evidence.objects.get()
    assert "不能" in take_away(scene, application, older)
    ask(scene, application)
    attach(scene, application, KINDS[0])
    wrong = Evidence.objects.exclude(pk=older.pk).get()
    page = signed_in(scene.officer).get(f"/cases/{application.pk}/").content.decode()
    assert f"/evidence/{wrong.pk}/remove/" in page
    assert f"/evidence/{older.pk}/remove/" not in page
    assert "/remove/" not in signed_in(scene.head).get(f"/cases/{application.pk}/").content.decode()
    assert "已移除" in take_away(scene, application, wrong)
    assert "要求补充材料之后" in take_away(scene, application, older)
    assert list(Evidence.objects.filter(removed_at=None)) == [older]
    attach(scene, application, KINDS[1])
    assert open_requests().count() == 1, "the one that was taken away is wanted again"
    attach(scene, application, KINDS[0])
    assert open_requests().count() == 0
    for paper in Evidence.objects.filter(removed_at=None):
        take_away(scene, application, paper)
    assert Evidence.objects.filter(removed_at=None).count() == 3, "nobody waits for papers any more"


def test_many_papers_leave_room_for_those_that_are_asked_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("approvals.applications.actions.evidence.MOST", 2)
    application = ApplicationFactory(school=scene.school)
    for kind in ("bank_card", "commitment", "other"):
        attach(scene, application, kind)
    walk_to("school_review", application)
    assert Evidence.objects.count() == 2
    ask(scene, application)
    attach(scene, application, KINDS[0])
    attach(scene, application, KINDS[0])
    attach(scene, application, KINDS[1])
    assert Evidence.objects.count() == 4, "no more for one request than for the application"
    take_away(scene, application, Evidence.objects.latest("pk"))
    attach(scene, application, KINDS[1])
    assert open_requests().count() == 0


def test_it_says_which_and_what_for(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    assert send(scene.head, "ask_papers", application, reason_text=WORDS).status_code == 422
    assert send(scene.head, "ask_papers", application, papers=KINDS, reason_text="太短").status_code == 422
    assert not PaperRequest.objects.exists()
    assert send(scene.head, "ask_papers", application, papers=["gold"], reason_text=WORDS).status_code == 422


def test_many_are_asked_for_the_same_at_once(scene: Scene) -> None:
    several = [at_step("school_review", school=scene.school) for _ in range(3)]
    sent = {"act": "ask_papers", "task": tasks_of(*several), "confirmed": "yes", "papers": KINDS, "reason_text": WORDS}
    signed_in(scene.head).post("/queue/act/", sent)
    assert PaperRequest.objects.filter(kinds=KINDS, text=WORDS).count() == 3
    assert Message.objects.filter(event="papers_asked").count() == 1, "one message for all of them"


def test_a_rejection_says_how_and_until_when_one_may_appeal(scene: Scene) -> None:
    scene.county.contact, scene.county.contact_phone = "县学生资助中心", "0310-0000000"
    scene.county.save()
    application = at_step("school_review", school=scene.school)
    reason = Reason("conditions_not_met", "家庭收入高于本县认定标准，不符合条件")
    decide([item(application).pk], "reject", acting(scene.head), reason=reason)
    page = signed_in(scene.officer).get(f"/cases/{application.pk}/")
    rejected = page.context["file"].rejected
    assert rejected.until == date(2026, 9, 14), "five working days from Monday 7 September"
    told = text_of(page)
    assert "0310-0000000" in told
    assert "2026年9月14日" in told
    assert "期限已过" not in told
    set_training_date(date(2026, 9, 15))
    assert "期限已过" in text_of(signed_in(scene.officer).get(f"/cases/{application.pk}/"))
