"""What waits for whom, and how a reviewer finds it."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.applications.matching import sentence
from approvals.applications.models import LEVELS, Application, Hit
from approvals.people.crypto import blind_index
from approvals.review import queries, waiting
from approvals.review.queries import queue
from approvals.review.waiting import VIEWS, Filters
from tests.approvals.review.scene import Scene, signed_in, text_of
from tests.factories import (
    FIRST_DAY,
    PostFactory,
    StudentFactory,
    UserFactory,
    VersionFactory,
    acting,
    at_step,
    walk_to,
)
from workflows import Reason, decide
from workflows.actors import SYSTEM
from workflows.clock import CHINA
from workflows.models import Case, Record, WorkItem
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db
QUEUE, COUNTS = "/queue/", "/queue/counts/"


def cases(page: queries.Page) -> list[int]:
    return [row.case for row in page.rows]


def ids(*applications: Application) -> list[int]:
    return [application.pk for application in applications]


# ---------------------------------------------------------------- whose


def test_a_township_reviewer_sees_the_schools_under_the_township_only(scene: Scene) -> None:
    mine = [at_step("township_review", school=school) for school in (scene.school, scene.sister)]
    at_step("township_review", school=scene.elsewhere)
    assert cases(queue(acting(scene.township_reviewer), "township_review")) == ids(*mine)


def test_a_county_direct_case_never_waits_for_a_township_and_the_record_says_so(scene: Scene) -> None:
    direct = at_step("county_review", school=scene.direct)
    assert not queue(acting(scene.township_reviewer), "township_review").rows
    assert cases(queue(acting(scene.county_reviewer), "county_review")) == ids(direct)
    skipped = Record.objects.get(about="case", about_id=direct.pk, act="skip")
    assert (skipped.step, skipped.state_from, skipped.state_to) == (
        "township_review",
        "township_review",
        "county_review",
    )


def test_a_head_sees_the_own_school_only(scene: Scene) -> None:
    mine = at_step("school_review", school=scene.school)
    at_step("school_review", school=scene.sister)
    assert cases(queue(acting(scene.head), "school_review")) == ids(mine)


def test_what_waits_at_another_step_is_not_in_the_queue(scene: Scene) -> None:
    at_step("township_review", school=scene.school)
    assert not queue(acting(scene.head), "school_review").rows
    assert not queue(acting(scene.county_reviewer), "county_review").rows


def test_who_sees_no_case_has_no_queue(scene: Scene) -> None:
    assert signed_in(scene.administrator).get(QUEUE).status_code == 403


@pytest.mark.parametrize("role", ["officer", "auditor"])
def test_who_reviews_nothing_has_the_own_views_only(scene: Scene, role: str) -> None:
    at_step("school_review", school=scene.school)
    page = signed_in(getattr(scene, role)).get(f"{QUEUE}?view=office&step=school_review")
    assert [str(view["label"]) for view in page.context["views"]] == [str(VIEWS[view]) for view in ("mine", "watched")]
    assert page.context["rows"] == []


@pytest.mark.parametrize("role", ["head", "township_reviewer", "county_reviewer", "second_reviewer", "leader"])
def test_every_reviewer_has_a_queue(scene: Scene, role: str) -> None:
    assert signed_in(getattr(scene, role)).get(QUEUE).status_code == 200


def test_a_stranger_is_asked_to_sign_in(scene: Scene) -> None:
    assert Client().get(QUEUE).headers["Location"].startswith("/sign-in/")


def test_several_steps_are_tabs_with_their_counts(scene: Scene) -> None:
    PostFactory(user=scene.second_reviewer, organisation=scene.county, role="county_reviewer")
    at_step("county_review", school=scene.direct)
    rechecked = at_step("data_check", school=scene.direct)
    item = open_item_of(rechecked.pk)
    assert item
    decide([item.pk], "hit", SYSTEM)
    client = signed_in(scene.second_reviewer)
    tabs = client.get(QUEUE).context["tabs"]
    assert [(tab["name"], tab["current"]) for tab in tabs] == [("county_review", True), ("recheck", False)]
    counts = dict(client.get(COUNTS).context["counts"])
    assert (counts["county_review"], counts["recheck"]) == ("1", "1")
    assert client.get(tabs[1]["url"]).context["step"] == "recheck"


def test_a_person_with_one_step_needs_no_tabs(scene: Scene) -> None:
    assert signed_in(scene.head).get(QUEUE).context["tabs"] == []


def test_a_step_that_one_does_not_decide_falls_back_to_ones_own(scene: Scene) -> None:
    assert signed_in(scene.head).get(QUEUE, {"step": "county_review"}).context["step"] == "school_review"


# ---------------------------------------------------------------- the merged and the walked way


@pytest.fixture(params=["merged", "walked"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MERGED", 1000 if request.param == "merged" else 0)


@pytest.mark.parametrize("order", ["arrived", "due"])
def test_pages_go_through_everything_once_and_back(scene: Scene, either_way: None, order: str) -> None:
    everything = [
        at_step("county_review", school=school)
        for _ in range(3)
        for school in (scene.school, scene.elsewhere, scene.direct)
    ]
    for number, application in enumerate(everything):
        due_on = None if number % 4 == 0 else FIRST_DAY + timedelta(days=number % 3)
        WorkItem.objects.filter(process=application.pk, finished=None).update(due_on=due_on)
    filters, by = Filters(order=order), acting(scene.county_reviewer)
    seen, pages, after = [], [], ""
    for _ in range(9):
        page = queue(by, "county_review", filters, after, size=2)
        pages.append(cases(page))
        seen += page.rows
        after = page.next
        if not after:
            break
    assert sorted(row.case for row in seen) == sorted(ids(*everything))
    keys = [(row.due_on is None, row.due_on or date.min, row.task) for row in seen]
    assert keys == sorted(keys) if order == "due" else [row.task for row in seen] == sorted(row.task for row in seen)
    backwards, before = [pages[-1]], page.previous
    while before:
        page = queue(by, "county_review", filters, before=before, size=2)
        backwards.append(cases(page))
        before = page.previous
    assert backwards[::-1] == pages


def test_a_cursor_that_nobody_gave_out_shows_the_first_page(scene: Scene, either_way: None) -> None:
    application = at_step("county_review", school=scene.direct)
    by = acting(scene.county_reviewer)
    for order in ("arrived", "due"):
        for cursor in ("x", "99999999999999999999999", "2026-13-45_1", "'; --", "²"):
            assert cases(queue(by, "county_review", Filters(order=order), cursor)) == ids(application)


def test_a_count_stops_at_the_cap(scene: Scene, either_way: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "COUNT_CAP", 3)
    for _ in range(3):
        at_step("county_review", school=scene.direct)
    page = queue(acting(scene.county_reviewer), "county_review", size=1)
    assert (page.count, page.capped) == (3, False)
    at_step("county_review", school=scene.elsewhere)
    at_step("county_review", school=scene.elsewhere)
    page = queue(acting(scene.county_reviewer), "county_review", size=1)
    assert (page.count, page.capped) == (3, True)


def test_the_count_is_of_the_filtered_and_the_same_on_every_page(scene: Scene, either_way: None) -> None:
    for _ in range(3):
        at_step("county_review", school=scene.direct)
    at_step("county_review", school=scene.school)
    by, filters = acting(scene.county_reviewer), Filters(school=scene.direct.path)
    first = queue(by, "county_review", filters, size=2)
    second = queue(by, "county_review", filters, first.next, size=2)
    assert (first.count, second.count, len(second.rows)) == (3, 3, 1)


# ---------------------------------------------------------------- filters


def only(scene: Scene, **filters: object) -> list[int]:
    page = queue(acting(scene.county_reviewer), "county_review", Filters(**filters), today=FIRST_DAY)  # type: ignore[arg-type]
    return cases(page)


def test_filters_narrow_the_queue(scene: Scene, either_way: None) -> None:
    other = VersionFactory(changes={"code": "living_subsidy_day", "name": "非寄宿生生活补助"})
    plain = at_step("county_review", school=scene.school, level="general")
    severe = at_step(
        "county_review", school=scene.direct, level="severe", version=other, student=StudentFactory(name="欧阳·娜")
    )
    assert only(scene, school=scene.school.path) == ids(plain)
    assert only(scene, programme="living_subsidy_day") == ids(severe)
    assert only(scene, level="severe") == ids(severe)
    assert only(scene, name="欧阳") == ids(severe)
    assert only(scene, name="阳") == []
    assert only(scene, person=blind_index(str(plain.student.id_number))) == ids(plain)
    assert only(scene, person=b"") == []
    assert only(scene, level="severe", name="王") == []


def test_flags_find_hits_failed_conditions_and_returned_ones(scene: Scene, either_way: None) -> None:
    hit, unmet, returned, plain = (at_step("county_review", school=scene.direct) for _ in range(4))
    Case.objects.filter(pk=hit.pk).update(open_hits=1)
    Application.objects.filter(pk=unmet.pk).update(findings=[{"code": "x", "holds": False, "values": {}}])
    Application.objects.filter(pk=plain.pk).update(findings=[{"code": "x", "holds": None, "values": {}}])
    WorkItem.objects.filter(process=returned.pk, finished=None).update(round=2)
    assert only(scene, flags="hits") == ids(hit)
    assert only(scene, flags="findings") == ids(unmet)
    assert only(scene, flags="returned") == ids(returned)


def test_deadlines_are_held_against_the_business_date(scene: Scene, either_way: None) -> None:
    days = {name: at_step("county_review", school=scene.direct) for name in ("late", "today", "soon", "far", "none")}
    for name, offset in {"late": -1, "today": 0, "soon": 2, "far": 3}.items():
        WorkItem.objects.filter(process=days[name].pk).update(due_on=FIRST_DAY + timedelta(days=offset))
    WorkItem.objects.filter(process=days["none"].pk).update(due_on=None)
    assert only(scene, due="overdue") == ids(days["late"])
    assert only(scene, due="today") == ids(days["late"], days["today"])
    assert only(scene, due="soon") == ids(days["late"], days["today"], days["soon"])


def test_the_filter_form_becomes_the_address_of_the_queue(scene: Scene) -> None:
    answer = signed_in(scene.county_reviewer).post(
        "/queue/find/",
        {"step": "county_review", "school": scene.direct.code, "level": "severe", "order": "arrived", "per": "50"},
    )
    assert answer.headers["Location"] == f"/queue/?step=county_review&school={scene.direct.code}&level=severe"


def test_an_id_number_finds_the_pupil_and_never_stands_in_an_address(scene: Scene) -> None:
    wanted = at_step("county_review", school=scene.direct)
    at_step("county_review", school=scene.direct)
    number = str(wanted.student.id_number)
    client = signed_in(scene.county_reviewer)
    answer = client.post("/queue/find/", {"step": "county_review", "find": f" {number[:6]} {number[6:].lower()} "})
    assert number not in answer.headers["Location"]
    page = client.get(answer.headers["Location"])
    assert [shown.row.case for shown in page.context["rows"]] == ids(wanted)
    assert number not in page.content.decode()


def test_a_mistyped_id_number_is_explained(scene: Scene) -> None:
    client = signed_in(scene.county_reviewer)
    answer = client.post("/queue/find/", {"step": "county_review", "find": "130499201203050011"}, follow=True)
    assert "身份证" in text_of(answer)


@pytest.mark.parametrize(
    "junk",
    [
        "school=9999",
        "programme=x",
        "level=x",
        "flags=x",
        "due=x",
        "order=x",
        "per=9",
        "person=zz",
        "view=x",
        "number=x",
        "number=99999999999999999999",
        "amount_from=x",
        "amount_to=NaN",
        "amount_from=-1",
        "group=x",
        "view=mine&step=x",
    ],
)
def test_junk_in_the_address_is_no_error(scene: Scene, junk: str) -> None:
    assert signed_in(scene.county_reviewer).get(f"/queue/?{junk}").status_code == 200


def test_a_school_of_another_office_cannot_be_asked_for(scene: Scene) -> None:
    at_step("township_review", school=scene.elsewhere)
    by = acting(scene.township_reviewer)
    assert not queue(by, "township_review", Filters(school=scene.elsewhere.path)).rows


# ---------------------------------------------------------------- what a row says


def test_a_row_says_what_there_is_to_know(scene: Scene) -> None:
    application = at_step("county_review", school=scene.school, level="severe", amount=Decimal("625.00"))
    Hit.objects.create(application=application, source="accounts", code="card_name_mismatch")
    Case.objects.filter(pk=application.pk).update(open_hits=1)
    page = signed_in(scene.county_reviewer).get(QUEUE)
    text = text_of(page)
    for words in (
        application.student.name,
        scene.school.name,
        "五年级 1班",
        str(dict(LEVELS)["severe"]),
        "625.00",
        "09-07",
        "比对异常 1",
    ):
        assert words in text
    assert sentence("card_name_mismatch", {}) in page.content.decode()  # on the badge


def test_arrival_is_shown_in_business_time(scene: Scene) -> None:
    at_step("county_review", school=scene.direct)
    [row] = queue(acting(scene.county_reviewer), "county_review").rows
    assert row.arrived.astimezone(CHINA).date() == FIRST_DAY


def test_who_acted_at_another_level_is_told_before_trying(scene: Scene) -> None:
    barred = at_step("school_review", school=scene.direct)
    free = at_step("county_review", school=scene.direct)
    PostFactory(user=scene.county_reviewer, organisation=scene.direct, role="school_head")
    item = open_item_of(barred.pk)
    assert item
    [result] = decide([item.pk], "approve", acting(scene.county_reviewer))
    assert result.ok
    walk_to("county_review", barred)
    page = signed_in(scene.county_reviewer).get("/queue/?step=county_review")
    sentence = "您已在其他环节（学校审核）处理过本件"
    assert {shown.row.case: sentence in shown.why for shown in page.context["rows"]} == {
        barred.pk: True,
        free.pk: False,
    }
    [box] = re.findall(r"<input[^>]* disabled[^>]*>", page.content.decode())
    [why] = re.findall(r'aria-describedby="([^"]+)"', box)
    assert re.search(f'id="{why}">{sentence}', page.content.decode())


def test_a_returned_one_shows_its_round(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    item = open_item_of(application.pk)
    assert item
    decide([item.pk], "return", acting(scene.head), Reason("form_incomplete", "请把家庭成员填写完整后再提交"))
    walk_to("school_review", application)
    [row] = queue(acting(scene.head), "school_review").rows
    assert row.round == 2
    assert "第 2 轮" in text_of(signed_in(scene.head).get(QUEUE))


# ---------------------------------------------------------------- how much it costs


@pytest.mark.parametrize("role", ["county_reviewer", "township_reviewer"])
def test_the_queue_takes_at_most_ten_statements_however_long_it_is(scene: Scene, role: str) -> None:
    step = "county_review" if role == "county_reviewer" else "township_review"
    client = signed_in(getattr(scene, role))
    client.get(QUEUE)
    counted = []
    for _ in range(2):
        for _ in range(4):
            application = at_step(step, school=scene.school)
            Hit.objects.create(application=application, source="accounts", code="card_name_mismatch")
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(QUEUE).context["rows"]) % 4 == 0
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 10


def test_two_posts_and_filters_stay_within_ten_statements_too(scene: Scene) -> None:
    user = UserFactory()
    PostFactory(user=user, organisation=scene.county, role="county_reviewer")
    PostFactory(user=user, organisation=scene.county, role="county_second_reviewer")
    application = at_step("county_review", school=scene.school)
    client = signed_in(user)
    client.get(QUEUE)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(f"/queue/?school={scene.school.code}&name={application.student.name}&order=due")
    assert len(page.context["rows"]) == 1
    assert len(captured) <= 10
