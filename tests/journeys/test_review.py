"""Reviewing in a browser: the queue by keyboard and without script, the page of a case, both languages, a phone."""

from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from approvals.applications.models import Application, Hit
from approvals.organisations.models import Kind, Organisation, User
from tests.approvals.review.scene import state_of
from tests.factories import (
    FIRST_DAY,
    CountyFactory,
    CountySchoolFactory,
    SchoolFactory,
    TownshipFactory,
    acting,
    at_step,
    officer_of,
    person,
    set_training_date,
    walk_to,
)
from tests.journeys.conftest import (
    DESK,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_fits,
    carry_session,
    screenshot,
)
from workflows import Reason, decide
from workflows.acts import AddSigners, Claim, looking, perform
from workflows.models import Case, WorkItem
from workflows.queries import open_item_of

LANGUAGES = ["zh-hans", "en"]
WORDS = "户口簿首页不清楚,请重新拍照上传"


@pytest.fixture
def school(live_server) -> Organisation:
    """A school with its head, in a township of the county; the head's account is head1."""
    set_training_date()
    school = SchoolFactory(parent=TownshipFactory(parent=CountyFactory()))
    person("school_head", school, username="head1", name="赵国强")
    return school


@pytest.fixture
def waiting(school: Organisation) -> list[Application]:
    """Twenty applications that wait for the head; the second has a hit, a failed condition and a past."""
    everything = [at_step("school_review", school=school) for _ in range(20)]
    second = everything[1]
    item = open_item_of(second.pk)
    assert item
    second.findings = [{"code": "registered_household", "holds": False, "values": {}}]
    second.save()
    Hit.objects.create(application=second, source="accounts", code="card_name_mismatch")
    other_head = acting(person("school_head", school))
    decide([item.pk], "return", other_head, Reason("evidence_missing", WORDS), {"fields": ["evidence"]})
    walk_to("school_review", second)
    return everything


def good_on_desk_and_phone(page: Page, name: str) -> None:
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"{name}-{width}")
    page.set_viewport_size({"width": DESK, "height": 900})


@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_can_use_the_pages_of_reviewing(
    waiting: list[Application], open_page: OpenPage, language: str
) -> None:
    page = open_page(language=language)
    carry_session(page, "head1")
    page.goto("/queue/")
    expect(page.locator("h1")).to_have_text("学校审核" if language == "zh-hans" else "School review")
    good_on_desk_and_phone(page, f"queue-{language}")

    page.locator("tbody input[name=task]").nth(0).check()
    page.locator("tbody input[name=task]").nth(1).check()
    page.locator("button[value=return]").click()
    good_on_desk_and_phone(page, f"confirm-{language}")

    page.goto(f"/cases/{waiting[1].pk}/?step=school_review")
    for details in page.locator("details.decision, details.diagram").all():
        details.locator("summary").click()
    good_on_desk_and_phone(page, f"case-{language}")


def test_seventeen_rows_and_more_fit_a_desk(waiting: list[Application], open_page: OpenPage) -> None:
    page = open_page()
    carry_session(page, "head1")
    page.goto("/queue/")
    floor = page.locator(".bulkbar").bounding_box()
    assert floor
    boxes = [row.bounding_box() for row in page.locator("table.queue tbody tr").all()]
    assert sum(bool(box) and box["y"] + box["height"] <= floor["y"] for box in boxes) >= 17


def test_a_reviewer_decides_by_keyboard(waiting: list[Application], open_page: OpenPage) -> None:
    page = open_page()
    carry_session(page, "head1")
    page.goto("/queue/")
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.locator("[data-count]")).to_have_text("2")
    expect(page.locator("[data-sum]")).to_have_text("1,250.00")
    page.locator("button[value=approve]").click()
    page.get_by_role("button", name="通过 (2)").click()
    expect(page.locator(".answer")).to_contain_text("已审核 2 件：通过")
    expect(page.locator("table.queue tbody tr")).to_have_count(18)

    # The second one came back and stands last; the first and the third are done, and one stands on what follows.
    expect(page.locator("table.queue tbody tr.here")).to_contain_text(waiting[3].student.name)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(waiting[3].student.name)
    page.get_by_role("button", name="通过，下一件").click()
    page.wait_for_url(f"**/cases/{waiting[4].pk}/**")
    assert {state_of(waiting[number]) for number in (0, 2, 3)} == {"school_notice"}


@pytest.fixture
def desk(school: Organisation) -> tuple[User, list[Application]]:
    """A county reviewer before thirty cases of three schools: one held by a colleague, one acted on, one suspended."""
    county = Organisation.objects.get(kind=Kind.COUNTY)
    reviewer = person("county_reviewer", county, username="county1", name="周静")
    colleague = acting(person("county_reviewer", county, name="孙梅"))
    schools = [school, SchoolFactory(parent=TownshipFactory(parent=county)), CountySchoolFactory(stages=["primary"])]
    everything = [at_step("county_review", school=schools[number % 3]) for number in range(30)]
    items = {item.process_id: item for item in WorkItem.objects.filter(finished=None)}
    days = [FIRST_DAY + timedelta(days=offset) for offset in (-3, -1, 1, 2, 4, 7, 9, 11)]
    for number, application in enumerate(everything):
        WorkItem.objects.filter(process=application.pk, finished=None).update(due_on=days[number % len(days)])
    Case.objects.filter(pk=everything[7].pk).update(suspended_on=FIRST_DAY)
    Hit.objects.create(application=everything[1], source="accounts", code="card_name_mismatch")
    Case.objects.filter(pk=everything[1].pk).update(open_hits=1)
    perform(Claim(), [items[everything[2].pk].pk], colleague)
    perform(AddSigners([colleague]), [items[everything[4].pk].pk], acting(reviewer))
    looking(everything[5].pk, colleague)
    return reviewer, everything


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_desk_of_a_county_reviewer_is_calm_and_accessible(
    desk: tuple[User, list[Application]], open_page: OpenPage, language: str
) -> None:
    page = open_page(language=language)
    carry_session(page, "county1")
    page.goto("/queue/")
    for details in page.locator(".actions details.pop, .filters details.pop").all():
        details.locator("summary").click()
    good_on_desk_and_phone(page, f"desk-{language}")
    page.goto("/queue/?group=school")
    good_on_desk_and_phone(page, f"schools-{language}")
    page.goto("/queue/?view=overdue&level=general")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert_accessible(page)
    screenshot(page, f"keys-{language}")


def test_claim_next_for_me_decide_by_keyboard(desk: tuple[User, list[Application]], open_page: OpenPage) -> None:
    _reviewer, everything = desk
    page = open_page()
    carry_session(page, "county1")
    page.goto("/queue/")
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("table.queue tbody tr").first).to_contain_text("放回")
    expect(page.locator("table.queue tbody tr.here")).to_contain_text(everything[0].student.name)
    page.keyboard.press("g")
    page.keyboard.press("2")
    expect(page.locator(".tabs a[aria-current]")).to_contain_text("我的")
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    page.keyboard.press("1")
    expect(page.locator("table.queue tbody tr")).to_have_count(30)
    page.keyboard.press("n")  # the first is mine already, the next one free is the second
    page.wait_for_url(f"**/cases/{everything[1].pk}/**")
    expect(page.locator(".holder")).to_contain_text("您已签收")
    page.keyboard.press("a")
    page.wait_for_url(f"**/cases/{everything[3].pk}/**")  # the third is a colleague's
    assert state_of(everything[1]) != "county_review"


def test_rows_are_ticked_in_a_range_returned_and_unticked_by_keys(
    desk: tuple[User, list[Application]], open_page: OpenPage
) -> None:
    page = open_page()
    carry_session(page, "county1")
    page.goto("/queue/")
    for key in ("j", "x", "j", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator("[data-count]")).to_have_text("3")  # the colleague's cannot be ticked
    page.keyboard.press("Escape")
    expect(page.locator("[data-count]")).to_have_text("0")
    page.keyboard.press("d")  # nothing ticked: the row one stands on
    expect(page.locator("h1")).to_have_text("不予通过：1 件")
    page.goto("/queue/?per=50")
    page.evaluate("localStorage.setItem('keys-off', 'yes')")
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("table.queue tbody tr.here")).to_have_count(0)


def test_a_filter_is_saved_used_and_deleted(desk: tuple[User, list[Application]], open_page: OpenPage) -> None:
    page = open_page()
    carry_session(page, "county1")
    page.goto("/queue/")
    page.locator("#filter-flags").select_option("hits")
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    page.locator(".chips summary").click()
    page.locator("#save-name").fill("有异常的")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator(".chip-here")).to_have_text("有异常的×")
    page.keyboard.press("1")
    expect(page.locator("table.queue tbody tr")).to_have_count(30)
    page.get_by_role("link", name="有异常的").click()
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    expect(page.locator(".chip-here")).to_have_count(1)
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"chips-{width}")
    page.get_by_role("button", name="删除筛选 有异常的").click()
    expect(page.locator(".chip")).to_have_count(0)


def test_a_school_is_approved_at_once(desk: tuple[User, list[Application]], open_page: OpenPage) -> None:
    _reviewer, everything = desk
    page = open_page()
    carry_session(page, "county1")
    page.goto("/queue/")
    page.keyboard.press("s")
    expect(page.locator("table.queue tbody tr")).to_have_count(3)
    page.get_by_role("checkbox", name=everything[0].school.name).check()
    page.get_by_role("button", name="通过", exact=True).click()
    expect(page.locator("h1")).to_have_text("通过：10 件")
    screenshot(page, "school-confirm")
    page.get_by_role("button", name="通过 (10)").click()
    expect(page.locator(".answer")).to_contain_text("已审核 10 件：通过")
    assert all(state_of(each) != "county_review" for each in everything[0::3])


def test_reviewing_works_without_script(waiting: list[Application], open_page: OpenPage) -> None:
    page = open_page(script=False)
    carry_session(page, "head1")
    page.goto("/queue/")
    page.locator("tbody input[name=task]").nth(0).check()
    page.locator("button[value=return]").click()
    page.locator("select[name=reason_code]").select_option("evidence_missing")
    page.locator("textarea[name=reason_text]").fill(WORDS)
    page.locator("input[value=evidence]").check()
    page.locator("form.stack button").click()
    expect(page.locator(".answer")).to_contain_text("已审核 1 件：退回补正")
    assert state_of(waiting[0]) == "returned"


def test_the_officer_is_told_what_to_correct_on_a_phone(school: Organisation, open_page: OpenPage) -> None:
    officer = officer_of(school)
    application = at_step("school_review", school=school)
    item = open_item_of(application.pk)
    assert item
    decide(
        [item.pk],
        "return",
        acting(person("school_head", school)),
        Reason("evidence_missing", WORDS),
        {"fields": ["evidence"], "due_on": "2026-09-14"},
    )
    page = open_page(width=PHONE)
    carry_session(page, officer.username)
    page.goto(f"/cases/{application.pk}/")
    expect(page.locator(".panel .why")).to_contain_text(WORDS)
    expect(page.locator(".panel .why")).to_contain_text("佐证材料")
    page.get_by_role("link", name="补正并重新提交").click()
    page.wait_for_url(f"**/applications/{application.pk}/edit/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_freeze_periods_are_set_and_ended(school: Organisation, open_page: OpenPage, language: str) -> None:
    person("county_leader", Organisation.objects.get(kind=Kind.COUNTY), username="leader1", name="高敏")
    page = open_page(language=language)
    carry_session(page, "leader1")
    page.goto("/freezes/")
    page.locator("[name=office]").select_option(index=0)
    page.locator("[name=starts_on]").fill("2026-09-07")
    page.locator("[name=ends_on]").fill("2026-09-20")
    page.locator("[name=text]").fill("年终决算，暂停审批，期满恢复")
    page.locator("main form.card button").click()
    expect(page.locator("tbody tr")).to_contain_text("年终决算")
    good_on_desk_and_phone(page, f"freezes-{language}")
    page.locator("tbody button").click()
    expect(page.locator("main tbody tr")).to_have_count(0)


def test_papers_are_asked_for_and_supplied_on_a_phone(
    waiting: list[Application], school: Organisation, open_page: OpenPage, tmp_path: Path
) -> None:
    head = open_page()
    carry_session(head, "head1")
    head.goto(f"/cases/{waiting[0].pk}/?step=school_review")
    head.keyboard.press("p")
    head.get_by_label("户口簿").first.check()
    head.locator("textarea").fill("户口簿首页看不清，请补拍首页和本人页")
    head.keyboard.press("Control+Enter")
    expect(head.locator(".panel")).to_contain_text("待补充材料")
    good_on_desk_and_phone(head, "papers-asked")

    person("aid_officer", school, username="officer9", name="李春苗")
    photo = tmp_path / "hukou.jpg"
    Image.new("RGB", (600, 400), "white").save(photo)
    officer = open_page(width=PHONE)
    carry_session(officer, "officer9")
    officer.goto("/")
    officer.get_by_role("link", name="待补充材料").first.click()
    officer.locator("main tbody a").first.click()
    assert_accessible(officer)
    assert_fits(officer)
    screenshot(officer, "papers-supplied-375")
    officer.locator(".panel input[type=file]").set_input_files(photo)
    officer.locator(".panel").get_by_role("button", name="上传").click()
    expect(officer.locator(".panel")).not_to_contain_text("待补充材料")
    head.reload()
    expect(head.locator(".papers")).to_contain_text("户口簿")
    expect(head.locator(".panel")).not_to_contain_text("待补充材料")
