"""Who objected is sealed: on every page, in every act. And the offices' pages, as those who hold posts see them."""

from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.urls import reverse

from approvals.applications.evidence_files import Paper
from approvals.notices.models import Objection
from approvals.notices.objections import actions, tasks
from approvals.organisations.authority import UserActor
from notifications.models import Message
from tests.approvals.notices.conftest import refused
from tests.approvals.notices.objections.conftest import REPLY, Scene
from tests.factories import CountyFactory, SchoolFactory, TownshipFactory, acting, person, set_training_date
from workflows.models import Record

SECRETS = ("刘大海", "西关修车铺")
PAPER = Paper("image/jpeg", b"\xff\xd8 sealed picture")


def signed_in(by: UserActor) -> Client:
    client = Client()
    client.force_login(by.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(response: Any) -> str:
    return response.content.decode()


def sealed(scene: Scene) -> Objection:
    """One that is looked into, by the class teacher."""
    return scene.investigated(name=SECRETS[0], contact=SECRETS[1], paper=PAPER)


# ---------------------------------------------------------------- sealed


def test_in_the_database_nothing_of_it_is_readable(scene: Scene) -> None:
    objection = sealed(scene)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, contact, statement FROM notices_sealedidentity s JOIN notices_objection o"
                       " ON o.id = s.objection_id WHERE o.id = %s", [objection.pk])  # fmt: skip
        stored = b"".join(bytes(value) for value in cursor.fetchone())
    for secret in (*SECRETS, "新车"):
        assert secret.encode() not in stored


def test_the_investigator_alone_opens_it_for_a_purpose_and_each_time_it_is_written(scene: Scene) -> None:
    objection = sealed(scene)
    opened = actions.unseal(objection.pk, scene.teacher, "ask_back")
    assert (opened.name, opened.contact, opened.has_paper) == (*SECRETS, True)
    assert actions.open_paper(objection.pk, scene.teacher, "look_at_paper") == (PAPER.data, "image/jpeg")
    rows = Record.objects.filter(about="objection", act="unseal").order_by("id")
    assert [(row.actor, row.data) for row in rows] == [
        (scene.teacher.key, {"purpose": "ask_back", "what": "identity"}),
        (scene.teacher.key, {"purpose": "look_at_paper", "what": "paper"}),
    ]
    with refused("reason_unknown"):
        actions.unseal(objection.pk, scene.teacher, "curiosity")


def test_nobody_else_opens_it_whatever_post_he_holds(scene: Scene) -> None:
    objection, county = sealed(scene), CountyFactory()
    colleague = acting(person("class_teacher", scene.place.school))
    for by in (scene.head, scene.place.author, colleague, scene.leader, scene.clerk):
        for open_it in (actions.unseal, actions.open_paper):
            with refused("not_investigator"):
                open_it(objection.pk, by, "ask_back")
    for role in ("auditor", "administrator", "finance_maker"):
        with pytest.raises(PermissionDenied):
            actions.unseal(objection.pk, acting(person(role, county)), "ask_back")
    assert not Record.objects.filter(about="objection", act="unseal").exists()


def test_the_investigator_opens_it_only_while_he_looks_into_it(scene: Scene) -> None:
    objection = sealed(scene)
    second = acting(person("class_teacher", scene.place.school))
    actions.assign(objection.pk, second.user_id, scene.head)
    with refused("not_investigator"):
        actions.unseal(objection.pk, scene.teacher, "ask_back")
    actions.decide(objection.pk, second, "dismissed", REPLY)
    with refused("answered_before"):
        actions.unseal(objection.pk, second, "tell_result")


def test_of_who_stayed_unknown_there_is_nothing_to_open(scene: Scene) -> None:
    objection = scene.investigated()
    with refused("nothing_sealed"):
        actions.unseal(objection.pk, scene.teacher, "ask_back")
    with refused("nothing_sealed"):
        actions.open_paper(objection.pk, scene.teacher, "ask_back")


def test_no_page_shows_it_to_anybody_but_the_investigator_who_opened_it(scene: Scene) -> None:
    objection, county, school = sealed(scene), CountyFactory(), scene.place.school
    line = scene.line()
    urls = [
        reverse("objections:list"),
        f"{reverse('objections:list')}?view=office",
        reverse("objections:detail", args=[objection.pk]),
        reverse("objections:decide", args=[objection.pk]),
        reverse("notices:detail", args=[scene.notice.pk]),
        reverse("review:case", args=[line.case_id]),
        reverse("notifications:inbox"),
        reverse("home"),
    ]
    people = [
        scene.head, scene.teacher, scene.leader, scene.clerk, scene.place.author, acting(person("auditor", county)),
        acting(person("administrator", county)), acting(person("class_teacher", school)),
    ]  # fmt: skip
    for by in people:
        client = signed_in(by)
        for url in urls:
            page = text(client.get(url))
            assert not [secret for secret in SECRETS if secret in page], (by.name, url)
        for name in ("unseal", "paper"):
            if by is not scene.teacher:
                done = client.post(
                    reverse(f"objections:{name}", args=[objection.pk]), {"purpose": "ask_back"}, follow=True
                )
                assert not [secret for secret in SECRETS if secret in text(done)], (by.name, name)
    opened = signed_in(scene.teacher).post(reverse("objections:unseal", args=[objection.pk]), {"purpose": "ask_back"})
    assert all(secret in text(opened) for secret in SECRETS)
    assert "no-store" in opened["Cache-Control"]
    paper = signed_in(scene.teacher).post(reverse("objections:paper", args=[objection.pk]), {"purpose": "ask_back"})
    assert paper.content == PAPER.data
    assert paper["Content-Disposition"].startswith("attachment")


def test_the_record_and_the_messages_hold_nothing_of_it(scene: Scene) -> None:
    objection = sealed(scene)
    actions.unseal(objection.pk, scene.teacher, "ask_back")
    actions.decide(objection.pk, scene.teacher, "upheld", REPLY)
    for row in [*Record.objects.values(), *Message.objects.values()]:
        assert not [secret for secret in (*SECRETS, "新车") if secret in str(row)]


def test_there_is_no_administration_of_objects_that_would_show_it() -> None:
    assert not apps.is_installed("django.contrib.admin")


def test_what_was_said_is_for_who_handles_it_and_who_looks_into_it(scene: Scene) -> None:
    objection = sealed(scene)
    url = reverse("objections:detail", args=[objection.pk])
    auditor = acting(person("auditor", CountyFactory()))
    for by, reads in ((scene.head, True), (scene.teacher, True), (scene.leader, True), (auditor, False)):
        page = signed_in(by).get(url)
        assert page.status_code == 200
        assert ("新车" in text(page)) == reads, by.name


# ---------------------------------------------------------------- pages


def test_only_offices_that_handle_it_who_was_named_and_auditors_open_the_page(scene: Scene) -> None:
    objection, county = scene.investigated(), CountyFactory()
    url = reverse("objections:detail", args=[objection.pk])
    answers = [
        (scene.head, 200), (scene.teacher, 200), (scene.leader, 200), (acting(person("auditor", county)), 200),
        (scene.place.author, 403), (acting(person("class_teacher", scene.place.school)), 403), (scene.clerk, 403),
        (acting(person("school_head", SchoolFactory())), 403), (acting(person("finance_maker", county)), 403),
        (acting(person("township_reviewer", TownshipFactory())), 403),
    ]  # fmt: skip
    assert [signed_in(by).get(url).status_code for by, _status in answers] == [status for _by, status in answers]
    assert signed_in(scene.head).get(reverse("objections:detail", args=[99999])).status_code == 404


def test_the_queue_shows_what_waits_for_whom_and_what_is_overdue(scene: Scene) -> None:
    fresh, looked_into = scene.object(2), scene.investigated(1)
    head, teacher, leader = (signed_in(by) for by in (scene.head, scene.teacher, scene.leader))
    url = reverse("objections:list")

    def listed(client: Client, view: str) -> list[int]:
        return [each.pk for each in client.get(url, {"view": view}).context["objections"]]

    assert listed(head, "mine") == [fresh.pk]
    assert listed(teacher, "mine") == [looked_into.pk]
    assert listed(leader, "mine") == []
    assert listed(head, "office") == listed(leader, "office") == [fresh.pk, looked_into.pk]
    assert listed(head, "overdue") == []
    set_training_date(date(2026, 9, 10))
    assert listed(head, "overdue") == listed(leader, "overdue") == [fresh.pk]
    assert listed(teacher, "office") == [looked_into.pk]  # no such tab: falls back to his own
    actions.decide(looked_into.pk, scene.teacher, "upheld", REPLY)
    assert listed(head, "ended") == [looked_into.pk]


def test_the_acts_are_done_from_the_pages(scene: Scene) -> None:
    objection = scene.object(1)
    head, teacher = signed_in(scene.head), signed_in(scene.teacher)
    page = reverse("objections:detail", args=[objection.pk])
    assert (
        head.post(reverse("objections:not_accept", args=[objection.pk]), {"refuse-reason_code": ""}).status_code == 422
    )
    done = head.post(reverse("objections:accept", args=[objection.pk]), follow=True)
    assert "已受理" in text(done)
    assert "拟写了本公示" in text(done)
    assert "签发了本公示" in text(done)
    head.post(reverse("objections:assign", args=[objection.pk]), {"user": scene.teacher.user_id})
    shown = text(teacher.get(f"{reverse('objections:decide', args=[objection.pk])}?outcome=dismissed"))
    assert "异议不成立，维持原认定" in shown
    sent = {"outcome": "dismissed", "reply": REPLY + "该户系低保家庭。"}
    wrong = teacher.post(reverse("objections:decide", args=[objection.pk]), sent)
    assert wrong.status_code == 422
    assert "低保家庭" in text(wrong)
    done = teacher.post(
        reverse("objections:decide", args=[objection.pk]), {"outcome": "dismissed", "reply": REPLY}, follow=True
    )
    assert REPLY in text(done)
    assert Objection.objects.get().state == "replied"
    assert REPLY in text(head.get(page))


def test_what_went_to_the_county_is_gone_from_the_school(scene: Scene) -> None:
    objection = scene.object(1)
    head = signed_in(scene.head)
    done = head.post(reverse("objections:refer", args=[objection.pk]), follow=True)
    assert "已转县级处理" in text(done)
    assert head.get(reverse("objections:detail", args=[objection.pk])).status_code == 403
    assert signed_in(scene.leader).get(reverse("objections:detail", args=[objection.pk])).status_code == 200


def test_a_whole_list_upheld_tells_the_office_what_to_do(scene: Scene) -> None:
    objection = actions.decide(scene.investigated(None, ground="procedure").pk, scene.teacher, "upheld", REPLY)
    page = text(signed_in(scene.head).get(reverse("objections:detail", args=[objection.pk])))
    assert "中止或作废该公示" in page


def test_the_notices_page_counts_them_and_names_the_lines_that_wait(scene: Scene) -> None:
    url = reverse("notices:detail", args=[scene.notice.pk])
    client = signed_in(scene.head)
    assert "暂缓的序号" not in text(client.get(url))
    scene.object(2)
    page = client.get(url)
    assert page.context["objections"] == {"all": 1, "open": 1}
    assert page.context["held"] == [2]
    assert "暂缓的序号" in text(page)


# ---------------------------------------------------------------- told in time


def test_whoever_must_act_is_told(scene: Scene) -> None:
    def told(event: str) -> set[int]:
        return set(Message.objects.filter(event=event).values_list("recipient", flat=True))

    objection, digits = scene.sent()
    heads = {scene.head.user_id, scene.place.reviewer.user_id}
    assert told("objection_received") == heads
    actions.accept(objection.pk, scene.head)
    actions.assign(objection.pk, scene.teacher.user_id, scene.head)
    assert told("objection_assigned") == {scene.teacher.user_id}
    actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)
    actions.appeal(digits, "核实时没有问过邻居，请再核实。")
    assert told("objection_appealed") == {scene.leader.user_id}


def test_once_a_day_people_are_reminded_and_the_county_of_what_is_overdue(scene: Scene) -> None:
    scene.object(2)
    scene.investigated(1)

    def reminded() -> dict[int, tuple[int, int]]:
        tasks.remind_of_objections()
        tasks.remind_of_objections()
        rows = Message.objects.filter(event="objections_due", data__has_key="near")
        said = {row.recipient_id: (row.data["near"], row.data["overdue"]) for row in rows}
        assert rows.count() == len(said)
        rows.delete()
        return said

    heads = [scene.head.user_id, scene.place.reviewer.user_id]
    assert reminded() == {}
    set_training_date(date(2026, 9, 8))
    assert reminded() == dict.fromkeys(heads, (1, 0))
    set_training_date(date(2026, 9, 11))
    late = dict.fromkeys([*heads, scene.leader.user_id], (0, 1))
    assert reminded() == late | {scene.teacher.user_id: (1, 0)}
    set_training_date(date(2026, 9, 15))
    assert reminded() == dict.fromkeys([*heads, scene.leader.user_id], (0, 2)) | {scene.teacher.user_id: (0, 1)}


def test_the_queue_costs_the_same_however_many_wait(scene: Scene, django_assert_max_num_queries: Any) -> None:
    for number in (1, 2, 3, 1, 2):
        scene.object(number)
    client = signed_in(scene.head)
    client.get(reverse("objections:list"))
    with django_assert_max_num_queries(16):
        client.get(reverse("objections:list"))
