"""The reviewer's desk: views, finding, columns, saved filters, schools at once, the next case, what bars whom."""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.applications.models import Application
from approvals.review import actions, deciding_views, queries, waiting
from approvals.review.columns import COLUMNS, USUAL
from approvals.review.models import MOST_SAVED, QueueColumns, SavedFilter
from approvals.review.queries import queue
from approvals.review.waiting import OWN, VIEWS, Filters
from tests.approvals.review.scene import Scene, signed_in, state_of, tasks_of, text_of
from tests.approvals.review.test_deciding import sent_again
from tests.factories import (
    FIRST_DAY,
    StudentFactory,
    UserFactory,
    acting,
    at_step,
    officer_of,
    person,
    set_training_date,
)
from workflows import working_days
from workflows.actors import SYSTEM
from workflows.acts import AddSigners, Claim, CopyTo, Suspend, Watch, looking, perform, recuse, set_freeze
from workflows.models import ActingLevel, Case, Record, WorkItem
from workflows.panels import Panel, seat
from workflows.reasons import Reason

pytestmark = pytest.mark.django_db
QUEUE, COUNTS = "/queue/", "/queue/counts/"
STEP = "county_review"


def task(application: Application) -> int:
    return int(tasks_of(application)[0])


def shown(client: Client, query: str = "") -> list[int]:
    """The cases that the queue page shows."""
    return [each.row.case for each in client.get(f"{QUEUE}{query}").context["rows"]]


def ids(*applications: Application) -> list[int]:
    return [application.pk for application in applications]


def due(application: Application, days: int | None) -> Application:
    on = None if days is None else FIRST_DAY + timedelta(days=days)
    WorkItem.objects.filter(process=application.pk, finished=None).update(due_on=on)
    return application


@pytest.fixture
def client(scene: Scene) -> Client:
    return signed_in(scene.county_reviewer)


@pytest.fixture(params=["merged", "walked"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MERGED", 1000 if request.param == "merged" else 0)


# ---------------------------------------------------------------- views


def test_overdue_and_due_soon_are_told_by_working_days_the_oldest_first(
    scene: Scene, client: Client, either_way: None
) -> None:
    late, later, today, soon, far, never = (
        due(at_step(STEP, school=scene.direct), days) for days in (-1, -5, 0, 2, 3, None)
    )
    assert shown(client, "?view=overdue") == ids(later, late)
    assert shown(client, "?view=soon") == ids(today, soon)
    assert shown(client) == ids(late, later, today, soon, far, never)


def test_deadlines_near_count_over_a_weekend(scene: Scene, client: Client) -> None:
    set_training_date(FIRST_DAY + timedelta(days=4))  # a Friday
    monday, tuesday, wednesday = (due(at_step(STEP, school=scene.direct), days) for days in (7, 8, 9))
    assert shown(client, "?view=soon") == ids(monday, tuesday)
    assert wednesday.pk in shown(client)


def test_returned_ones_are_those_of_a_later_round(scene: Scene, client: Client, either_way: None) -> None:
    returned, _new = at_step(STEP, school=scene.direct), at_step(STEP, school=scene.direct)
    WorkItem.objects.filter(process=returned.pk, finished=None).update(round=2)
    assert shown(client, "?view=returned") == ids(returned)
    assert shown(client, f"?view=returned&school={scene.school.code}") == []


def test_mine_is_what_i_hold_and_what_waits_for_my_signature_at_every_step(scene: Scene, client: Client) -> None:
    held, asked, _other = (at_step(STEP, school=scene.direct) for _ in range(3))
    elsewhere = at_step("pending_approval", school=scene.direct)
    me, colleague = acting(scene.county_reviewer), acting(person("county_reviewer", scene.county))
    perform(Claim(), [task(held)], me)
    perform(Claim(), [task(asked)], colleague)
    perform(AddSigners([me]), [task(asked)], colleague)
    perform(AddSigners([me]), [task(elsewhere)], acting(scene.leader))
    assert shown(client, "?view=mine") == ids(held, asked, elsewhere)
    assert shown(client, "?view=mine&step=pending_approval") == ids(elsewhere)


def test_who_is_only_asked_to_sign_finds_it_and_signs_it_from_the_queue(scene: Scene) -> None:
    application, _other = at_step(STEP, school=scene.school), at_step(STEP, school=scene.school)
    officer = officer_of(scene.school)
    [result] = perform(AddSigners([acting(officer)]), [task(application)], acting(scene.county_reviewer))
    assert result.ok
    client = signed_in(officer)
    page = client.get(QUEUE)
    assert page.context["desk"].view == "mine"
    [row] = page.context["rows"]
    assert (row.row.case, row.why, row.signed) == (application.pk, "", "0/2")
    sent = {"task": tasks_of(application), "outcome": "approve", "back": "view=mine"}
    asked = client.post("/queue/decide/", sent)
    client.post("/queue/decide/", sent_again(asked))
    assert Record.objects.filter(about_id=application.pk, act="sign").count() == 1
    assert client.get(QUEUE).context["rows"] == []


def test_watched_and_copied_cases_stand_together_while_they_are_open(scene: Scene, client: Client) -> None:
    watched, copied, _neither = (at_step("school_review", school=scene.school) for _ in range(3))
    me = acting(scene.county_reviewer)
    perform(Watch(), [task(watched)], me)
    perform(CopyTo([me]), [task(copied)], acting(scene.head))
    rows = client.get(f"{QUEUE}?view=watched").context["rows"]
    assert [(each.row.case, each.row.watched) for each in rows] == [(watched.pk, True), (copied.pk, False)]
    assert all("岗位" in each.why for each in rows)  # not the county's to decide yet
    unwatch = {"act": "unwatch", "task": tasks_of(watched), "back": "view=watched"}
    assert client.post("/queue/act/", unwatch).headers["Location"] == "/queue/?view=watched"
    assert shown(client, "?view=watched") == ids(copied)


def test_own_views_show_nothing_of_other_offices(scene: Scene) -> None:
    foreign = at_step("school_review", school=scene.elsewhere)
    WorkItem.objects.filter(process=foreign.pk, finished=None).update(holder=acting(scene.head).key, holder_name="x")
    assert shown(signed_in(scene.head), "?view=mine") == []


def test_tabs_count_their_views_whatever_is_filtered(scene: Scene, client: Client) -> None:
    for days in (-1, 1, 9):
        due(at_step(STEP, school=scene.direct), days)
    perform(Claim(), [task(at_step(STEP, school=scene.school))], acting(scene.county_reviewer))
    for query in ("", f"?school={scene.school.code}", "?name=查无此人", "?group=school"):
        counts = client.get(f"{COUNTS}{query}").context["counts"]
        assert [count for _view, count in counts] == ["4", "1", "1", "1", "0", "0"]
    page = client.get(client.get(QUEUE).context["views"][2]["url"])
    assert page.context["desk"].view == "overdue"
    assert len(page.context["rows"]) == 1


def test_each_count_has_its_place_on_the_page_that_asks_for_it(scene: Scene, client: Client) -> None:
    at_step(STEP, school=scene.direct)
    page = client.get(QUEUE).content.decode()
    assert f'hx-get="{COUNTS}?' in page
    told = re.findall(r'id="(count-\w+)" hx-swap-oob="true"', client.get(COUNTS).content.decode())
    assert len(told) == len(VIEWS)
    assert all(f'id="{place}"' in page for place in told)


def test_who_has_no_desk_is_told_no_counts(scene: Scene) -> None:
    assert signed_in(scene.administrator).get(COUNTS).status_code == 403


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("role", ["county_reviewer", "officer", "administrator"])
def test_a_view_is_open_to_whom_it_concerns(scene: Scene, view: str, role: str) -> None:
    at_step(STEP, school=scene.school)
    answer = signed_in(getattr(scene, role)).get(f"{QUEUE}?view={view}")
    assert answer.status_code == (403 if role == "administrator" else 200)
    if role == "officer":
        assert answer.context["desk"].view in OWN
        assert answer.context["rows"] == []


# ---------------------------------------------------------------- finding and filtering


def test_a_name_is_found_by_its_beginning_and_goes_on_in_its_order(
    scene: Scene, client: Client, either_way: None
) -> None:
    names = ["王小云", "王小禾", "王小禾", "王大", "李小禾", "王小山"]
    found = {}
    for name in names:
        application = at_step(STEP, school=scene.direct, student=StudentFactory(name=name))
        found.setdefault(name, []).append(application.pk)
    by, filters = acting(scene.county_reviewer), Filters(name="王小")
    expected = [case for name in sorted(set(names)) if name.startswith("王小") for case in found[name]]
    seen, pages, after = [], [], ""
    for _ in range(5):
        page = queue(by, STEP, filters, after, size=2)
        pages.append([row.case for row in page.rows])
        seen += pages[-1]
        after = page.next
        if not after:
            break
    assert seen == expected
    assert [row.case for row in queue(by, STEP, filters, before=page.previous, size=2).rows] == pages[-2]
    assert "%E7%8E%8B%E5%B0%8F%E4%BA%91" not in after  # a cursor names nobody
    assert shown(client, "?name=%25") == []


@pytest.mark.parametrize("typed", ["number", "name", "id"])
def test_one_box_finds_by_number_name_and_id_number(scene: Scene, client: Client, typed: str) -> None:
    wanted = at_step(STEP, school=scene.direct, student=StudentFactory(name="欧阳·娜"))
    at_step(STEP, school=scene.direct)
    text = {"number": str(wanted.pk), "name": " 欧阳 ", "id": str(wanted.student.id_number)}[typed]
    answer = client.post("/queue/find/", {"step": STEP, "find": text})
    assert str(wanted.student.id_number) not in answer.headers["Location"]
    assert [each.row.case for each in client.get(answer.headers["Location"]).context["rows"]] == ids(wanted)


def test_amounts_levels_and_steps_narrow_and_stay_in_the_address(scene: Scene, client: Client) -> None:
    less, more = (at_step(STEP, school=scene.direct, amount=Decimal(yuan)) for yuan in ("500.00", "1150.50"))
    assert shown(client, "?amount_from=600") == ids(more)
    assert shown(client, "?amount_to=600.5") == ids(less)
    assert shown(client, "?amount_from=500&amount_to=1150.50") == ids(less, more)
    sent = {"step": STEP, "view": "office", "amount_from": "600", "amount_to": "", "per": "100", "level": ""}
    address = client.post("/queue/find/", sent).headers["Location"]
    assert address == f"/queue/?step={STEP}&amount_from=600&per=100"
    page = client.get(address)
    assert 'value="600"' in page.content.decode()
    refused = client.post("/queue/find/", sent | {"amount_from": "-5"}, follow=True)
    assert refused.status_code == 200
    assert len(refused.context["rows"]) == 2


def test_the_filter_form_keeps_view_and_person(scene: Scene, client: Client) -> None:
    at_step(STEP, school=scene.direct)
    sent = {"step": STEP, "view": "overdue", "person": "ab" * 32, "level": "severe"}
    address = client.post("/queue/find/", sent).headers["Location"]
    assert "view=overdue" in address
    assert f"person={'ab' * 32}" in address
    assert "person" not in client.post("/queue/find/", sent | {"find": "王"}).headers["Location"]


# ---------------------------------------------------------------- what bars the reader


@dataclass
class Barred:
    """A case and the words that tell why it is not the reader's."""

    application: Application
    words: str


def barred(scene: Scene) -> list[Barred]:
    made = [at_step(STEP, school=scene.direct) for _ in range(5)]
    held, suspended, recused, signed, seated = made
    me, colleague = acting(scene.county_reviewer), acting(person("county_reviewer", scene.county, name="孙梅"))
    perform(Claim(), [task(held)], colleague)
    [result] = perform(
        Suspend(), [task(suspended)], acting(scene.leader), Reason("under_inquiry", "群众反映，正在核实情况")
    )
    assert result.ok
    recuse([(recused.pk, me.key)], "declared", SYSTEM)
    perform(AddSigners([colleague]), [task(signed)], me)
    actions.decide_tasks([task(signed)], "approve", me, token="a")
    with transaction.atomic():
        seat([task(seated)], Panel("all", "approve_county"))
    return [
        Barred(held, "孙梅"),
        Barred(suspended, "挂起"),
        Barred(recused, "回避"),
        Barred(signed, "已签"),
        Barred(seated, "签署"),
    ]


def test_a_row_says_why_it_is_not_mine_and_cannot_be_ticked(scene: Scene, client: Client) -> None:
    cases = barred(scene)
    free = at_step(STEP, school=scene.direct)
    page = client.get(QUEUE)
    html = page.content.decode()
    found = {each.row.case: each for each in page.context["rows"]}
    assert found[free.pk].why == ""
    assert len(re.findall(r'name="task"[^>]*disabled', html)) == len(cases)
    for each in cases:
        why = found[each.application.pk].why
        assert why, each.words
        assert f'aria-describedby="why-{task(each.application)}"' in html
        assert f'id="why-{task(each.application)}">{why}' in html
    assert found[cases[0].application.pk].row.holder_name == "孙梅"
    assert found[cases[3].application.pk].signed == "1/2"


def test_a_freeze_period_bars_everybody_of_the_office_but_who_may(scene: Scene, client: Client) -> None:
    at_step(STEP, school=scene.direct)
    at_step("pending_approval", school=scene.direct)
    leader, why = acting(scene.leader), "年终结账期间停止办理审核"
    set_freeze(scene.county.path, FIRST_DAY, FIRST_DAY, why, leader, open_to="act_in_freeze")
    [row] = client.get(QUEUE).context["rows"]
    assert row.why
    assert [each.why for each in signed_in(scene.leader).get(QUEUE).context["rows"]] == [""]


def test_a_row_shows_who_is_looking(scene: Scene, client: Client) -> None:
    application = at_step(STEP, school=scene.direct)
    looking(application.pk, acting(person("county_reviewer", scene.county, name="孙梅")))
    looking(application.pk, acting(scene.county_reviewer))
    [row] = client.get(QUEUE).context["rows"]
    assert row.looking == ["孙梅"]
    assert "正在查看 孙梅" in text_of(client.get(QUEUE))


# ---------------------------------------------------------------- taking on, and the next one


def test_a_case_is_taken_on_and_given_back_from_its_row(scene: Scene, client: Client) -> None:
    application = at_step(STEP, school=scene.direct)
    sent = {"task": tasks_of(application), "back": f"step={STEP}"}
    assert client.post("/queue/act/", sent | {"act": "claim"}).headers["Location"] == f"/queue/?step={STEP}"
    [row] = client.get(QUEUE).context["rows"]
    assert (row.mine, row.free) == (True, False)
    client.post("/queue/act/", sent | {"act": "release"})
    assert client.get(QUEUE).context["rows"][0].free


def test_the_next_one_for_me_passes_over_what_is_not_mine(scene: Scene, client: Client) -> None:
    cases = barred(scene)
    acted = at_step(STEP, school=scene.direct)
    ActingLevel.objects.update_or_create(
        case_id=acted.pk, person=acting(scene.county_reviewer).key, defaults={"level": "school"}
    )
    first, second = at_step(STEP, school=scene.direct), at_step(STEP, school=scene.direct)
    assert len(cases) == 5
    for application in (first, second):
        answer = client.post("/queue/next/", {"back": f"step={STEP}&level="})
        assert answer.headers["Location"] == f"/cases/{application.pk}/?step={STEP}"
    held = WorkItem.objects.filter(holder=acting(scene.county_reviewer).key).values_list("process_id", flat=True)
    assert sorted(held) == ids(first, second)
    answer = client.post("/queue/next/", {"back": f"step={STEP}"}, follow=True)
    assert "没有可签收的件" in text_of(answer)


def test_the_next_one_keeps_to_the_view_and_its_filters(scene: Scene, client: Client) -> None:
    due(at_step(STEP, school=scene.direct), 5)
    late = due(at_step(STEP, school=scene.school), -3)
    latest = due(at_step(STEP, school=scene.direct), -1)
    back = f"view=overdue&step={STEP}"
    assert f"/cases/{late.pk}/" in client.post("/queue/next/", {"back": back}).headers["Location"]
    address = client.post("/queue/next/", {"back": f"{back}&school={scene.direct.code}"}).headers["Location"]
    assert address == f"/cases/{latest.pk}/?view=overdue&step={STEP}&school={scene.direct.code}"


def test_the_next_one_of_who_only_signs_is_opened_and_not_taken_on(scene: Scene) -> None:
    application = at_step(STEP, school=scene.school)
    officer = officer_of(scene.school)
    client = signed_in(officer)
    assert "没有可签收的件" in text_of(client.post("/queue/next/", {"back": "view=mine"}, follow=True))
    perform(AddSigners([acting(officer)]), [task(application)], acting(scene.county_reviewer))
    answer = client.post("/queue/next/", {"back": "view=mine"})
    assert answer.headers["Location"] == f"/cases/{application.pk}/?view=mine"
    assert WorkItem.objects.get(pk=task(application)).holder == ""


def test_the_case_page_goes_on_in_ones_own_view(scene: Scene, client: Client) -> None:
    first, second = at_step(STEP, school=scene.direct), at_step(STEP, school=scene.direct)
    perform(Claim(), [task(first), task(second)], acting(scene.county_reviewer))
    page = client.get(f"/cases/{first.pk}/?view=mine")
    assert page.context["next"] == f"/cases/{second.pk}/?view=mine"
    assert page.context["queue_address"] == "view=mine"


# ---------------------------------------------------------------- by school


def test_schools_stand_with_count_sum_hits_and_deadlines(scene: Scene, client: Client, either_way: None) -> None:
    first = due(at_step(STEP, school=scene.direct, amount=Decimal("500.00")), -2)
    due(at_step(STEP, school=scene.direct, amount=Decimal("625.50")), 4)
    due(at_step(STEP, school=scene.school), 1)
    Case.objects.filter(pk=first.pk).update(open_hits=2)
    page = client.get(f"{QUEUE}?group=school")
    lines = page.context["lines"]
    assert [(line["name"], line["of"].count, line["of"].hits, line["of"].overdue) for line in lines] == [
        (scene.direct.name, 2, 1, 1),
        (scene.school.name, 1, 0, 0),
    ]
    assert lines[0]["of"].amount == Decimal("1125.50")
    assert lines[0]["of"].oldest == FIRST_DAY - timedelta(days=2)
    assert len(client.get(f"{QUEUE}?{lines[0]['address']}").context["rows"]) == 2
    only = client.get(f"{QUEUE}?group=school&view=overdue").context["lines"]
    assert [(line["name"], line["of"].count) for line in only] == [(scene.direct.name, 1)]


def test_a_school_counts_no_further_than_the_cap(scene: Scene, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "COUNT_CAP", 2)
    for _ in range(4):
        at_step(STEP, school=scene.direct)
    [line] = client.get(f"{QUEUE}?group=school").context["lines"]
    assert (line["of"].count, line["of"].capped) == (3, True)


def test_all_of_a_school_is_decided_at_once_and_nothing_else(scene: Scene, client: Client) -> None:
    mine = [at_step(STEP, school=scene.direct) for _ in range(3)]
    held = at_step(STEP, school=scene.direct)
    perform(Claim(), [task(held)], acting(person("county_reviewer", scene.county)))
    other = at_step(STEP, school=scene.school)
    plain = at_step(STEP, school=scene.direct, amount=Decimal("100.00"))
    sent = {"group": scene.direct.code, "outcome": "approve", "back": f"step={STEP}&group=school&amount_from=200"}
    asked = client.post("/queue/decide/", sent)
    assert asked.context["totals"]["count"] == 3
    assert asked.context["barred"] == 1
    client.post("/queue/decide/", sent_again(asked))
    assert {state_of(each) for each in mine}.isdisjoint({STEP})
    assert {state_of(each) for each in (held, other, plain)} == {STEP}


def test_more_than_can_be_decided_at_once_is_said_and_the_first_are_decided(
    scene: Scene, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding_views, "LARGEST", 4)
    monkeypatch.setattr(deciding_views, "SHOWN", 2)
    waiting_here = [at_step(STEP, school=scene.direct) for _ in range(6)]
    sent = {"group": scene.direct.code, "outcome": "approve", "back": f"step={STEP}&group=school"}
    asked = client.post("/queue/decide/", sent)
    assert asked.context["more"]
    assert "前 4 件" in text_of(asked)
    assert "另有 2 件" in text_of(asked)
    client.post("/queue/decide/", sent_again(asked))
    assert [state_of(each) == STEP for each in waiting_here] == [False] * 4 + [True] * 2


def test_a_school_of_another_office_cannot_be_decided_at_once(scene: Scene) -> None:
    foreign = at_step("township_review", school=scene.elsewhere)
    sent = {"group": scene.elsewhere.code, "outcome": "approve", "back": "step=township_review&group=school"}
    answer = signed_in(scene.township_reviewer).post("/queue/decide/", sent, follow=True)
    assert "没有勾选" in text_of(answer)
    assert state_of(foreign) == "township_review"


def test_schools_are_not_shown_to_who_reviews_nothing(scene: Scene) -> None:
    assert "lines" not in signed_in(scene.officer).get(f"{QUEUE}?group=school").context


# ---------------------------------------------------------------- the person's own desk


def save(client: Client, name: str, back: str = f"step={STEP}&level=severe") -> Any:
    return client.post("/queue/filters/", {"name": name, "back": back}, follow=True)


def test_a_filter_is_saved_without_anybodys_name_and_only_for_oneself(scene: Scene, client: Client) -> None:
    at_step(STEP, school=scene.direct, level="severe")
    at_step(STEP, school=scene.direct, level="general")
    page = save(client, "重点", f"step={STEP}&level=severe&name=王&person=ab&number=3&after=7")
    [chip] = page.context["saved"]
    assert (chip["name"], chip["url"]) == ("重点", f"?step={STEP}&level=severe")
    assert len(client.get(f"{QUEUE}{chip['url']}").context["rows"]) == 1
    other = signed_in(person("county_reviewer", scene.county))
    assert other.get(QUEUE).context["saved"] == []
    other.post(f"/queue/filters/{chip['pk']}/delete/", {"back": ""})
    assert SavedFilter.objects.count() == 1
    client.post(f"/queue/filters/{chip['pk']}/delete/", {"back": ""})
    assert not SavedFilter.objects.exists()


def test_a_filter_saved_again_under_its_name_takes_its_place(scene: Scene, client: Client) -> None:
    save(client, "重点")
    save(client, "重点", f"step={STEP}&level=general")
    assert SavedFilter.objects.get().query == f"step={STEP}&level=general"


def test_twenty_filters_are_the_most_and_a_free_place_is_used_again(scene: Scene, client: Client) -> None:
    for number in range(MOST_SAVED):
        save(client, f"筛选{number}")
    assert "20" in text_of(save(client, "第二十一"))
    assert SavedFilter.objects.count() == MOST_SAVED
    save(client, "筛选3", f"step={STEP}&level=general")  # one that is there may be changed
    SavedFilter.objects.filter(name="筛选7").delete()
    save(client, "第二十一")
    assert SavedFilter.objects.get(name="第二十一").slot == 8
    with pytest.raises(IntegrityError):
        SavedFilter.objects.create(person="x", slot=MOST_SAVED + 1, name="x", query="")


@pytest.mark.parametrize("name", ["", " ", "很" * 21])
def test_a_filter_needs_a_short_name(scene: Scene, client: Client, name: str) -> None:
    assert "20" in text_of(save(client, name))
    assert not SavedFilter.objects.exists()


def test_columns_are_remembered_and_what_one_must_see_stays(scene: Scene, client: Client) -> None:
    at_step(STEP, school=scene.direct)
    assert [name for name, _ in client.get(QUEUE).context["columns"]] == list(USUAL)
    client.post("/queue/columns/", {"columns": ["number", "due"], "back": ""})
    assert [name for name, _ in client.get(QUEUE).context["columns"]] == ["number", "notes", "due"]
    client.post("/queue/columns/", {"columns": ["nonsense"], "back": ""})
    assert QueueColumns.objects.get().columns == ["number", "due"]
    client.post("/queue/columns/", {"back": ""})
    assert not QueueColumns.objects.exists()


def test_the_step_is_shown_where_several_stand_together(scene: Scene, client: Client) -> None:
    perform(Claim(), [task(at_step(STEP, school=scene.direct))], acting(scene.county_reviewer))
    assert "step" in [name for name, _ in client.get(f"{QUEUE}?view=mine").context["columns"]]


def test_every_column_has_a_cell(scene: Scene, client: Client) -> None:
    at_step(STEP, school=scene.direct)
    client.post("/queue/columns/", {"columns": list(COLUMNS), "back": ""})
    html = client.get(QUEUE).content.decode()
    [head] = re.findall(r"<thead>.*?</thead>", html, flags=re.S)
    [row] = re.findall(r"<tbody>.*?</tbody>", html, flags=re.S)
    assert head.count("<th ") == row.count("<td ") == len(COLUMNS) + 2


POSTS = ["/queue/find/", "/queue/next/", "/queue/filters/", "/queue/filters/1/delete/", "/queue/columns/"]


@pytest.mark.parametrize("address", POSTS)
def test_the_desk_is_for_who_sees_cases_and_changes_by_post_alone(scene: Scene, address: str) -> None:
    assert signed_in(scene.county_reviewer).post(address, {"back": ""}).status_code == 302
    assert signed_in(scene.administrator).post(address, {"back": ""}).status_code == 403
    assert signed_in(UserFactory()).post(address, {"back": ""}).status_code == 403
    assert signed_in(scene.county_reviewer).get(address).status_code == 405
    assert Client().post(address).headers["Location"].startswith("/sign-in/")


# ---------------------------------------------------------------- how much it costs


@pytest.mark.parametrize("query", ["", "?view=mine", "?view=overdue", "?view=returned", "?view=watched", "?name=王",
                                   "?group=school", "?order=due"])  # fmt: skip
def test_every_view_takes_at_most_ten_statements_however_long_it_is(scene: Scene, client: Client, query: str) -> None:
    me = acting(scene.county_reviewer)
    client.get(QUEUE)
    save(client, "重点")
    client.post("/queue/columns/", {"columns": ["number", "due"], "back": ""})
    counted = []
    for _ in range(2):
        for _ in range(3):
            application = due(at_step(STEP, school=scene.school), -1)
            WorkItem.objects.filter(process=application.pk, finished=None).update(round=2)
            perform(Watch(), [task(application)], me)
            perform(Claim(), [task(application)], me)
        working_days.forget()
        working_days.calendar()  # read again every half minute, by whoever comes then
        with CaptureQueriesContext(connection) as captured:
            page = client.get(f"{QUEUE}{query}")
        assert page.context.get("rows") or page.context.get("lines")
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 10


def test_asking_once_more_costs_the_same_for_many(scene: Scene, client: Client) -> None:
    client.get(QUEUE)
    counted = []
    for many in (2, 12):
        waiting_here = [at_step(STEP, school=scene.direct) for _ in range(many)]
        with CaptureQueriesContext(connection) as captured:
            sent = {"task": tasks_of(*waiting_here), "outcome": "approve", "back": f"step={STEP}"}
            client.post("/queue/decide/", sent)
        counted.append(len(captured))
    assert max(counted) <= 12, counted
