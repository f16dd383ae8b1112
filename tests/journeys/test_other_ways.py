"""Other ways through the main job: a county-direct school, one form on a phone, English, and what goes wrong."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from approvals.organisations.models import Organisation, Post
from approvals.people.models import Student
from approvals.programmes.models import ProgrammeVersion
from tests.factories import StudentFactory, account_number, at_step
from tests.journeys.conftest import (
    PHONE,
    OpenPage,
    assert_accessible,
    assert_fits,
    carry_session,
    picture,
    screenshot,
    sign_in,
)
from tests.journeys.steps import (
    Offices,
    button,
    draft_notice,
    live_through_notice,
    open_from_queue,
    senior_roster,
    sign_notice,
    submit_drafts,
    take_over,
    tick_all,
    told,
    upload,
)
from workflows.models import Record


def primary_school() -> Organisation:
    return Organisation.objects.get(code="2113049901")


def waiting(step: str, *names: str) -> list[Any]:
    """Applications of the demo's central school that wait at a step."""
    school = primary_school()
    version = ProgrammeVersion.objects.filter(programme="living_subsidy_boarder").latest("number")
    return [
        at_step(step, school=school, version=version, student=StudentFactory(school=school, name=name, stage="primary"))
        for name in names
    ]


# ---------------------------------------------------------------- a county-direct school


def test_a_county_direct_school_keeps_its_average_and_passes_no_township(offices: Offices, tmp_path: Path) -> None:
    file, names = senior_roster(tmp_path)
    officer = offices("officer2")
    upload(officer, file, "state_grant")
    take_over(officer, len(names))
    submit_drafts(officer, names)

    head = offices("head2", "/queue/")
    expect(head.locator("table.queue tbody tr")).to_have_count(len(names))
    tick_all(head)
    button(head, "通过").click()
    button(head, f"通过 ({len(names)})").click()
    told(head, f"{len(names) - 1} 件")
    told(head, "低于1,150.00元")
    expect(head.locator("table.queue tbody tr")).to_have_count(1)
    assert_accessible(head)

    draft_notice(officer)
    sign_notice(head)
    live_through_notice(offices("officer2", "/"))
    county = offices("county1", "/queue/?step=county_review")
    expect(county.locator("table.queue tbody tr")).to_have_count(len(names) - 1)
    open_from_queue(county, "county_review", names[0])
    expect(county.locator(".timeline")).to_contain_text("县直学校，不经乡镇审核")
    assert_accessible(county)
    township = offices("township1", "/queue/")
    expect(township.locator("table.queue")).to_have_count(0)


# ---------------------------------------------------------------- one form, on a phone


def a_photo() -> dict[str, Any]:
    image = io.BytesIO()
    Image.new("RGB", (600, 400), "#c8d8e8").save(image, "JPEG")
    return {"name": "户口簿.jpg", "mimeType": "image/jpeg", "buffer": image.getvalue()}


def test_one_application_is_filled_in_on_a_phone_with_evidence(demo: None, open_page: OpenPage) -> None:
    pupil = Student.objects.filter(school=primary_school(), boarder=True).order_by("pk").first()
    assert pupil is not None
    officer = open_page(width=PHONE)
    sign_in(officer, "officer1")
    officer.get_by_role("main").get_by_role("link", name="填写申请").click()
    officer.get_by_label(re.compile("项目")).select_option(label="义务教育生活补助（寄宿生） · 2026年秋季学期")
    officer.locator("#id_who").fill(pupil.name)
    assert_accessible(officer)
    button(officer, "查找").click()
    officer.locator("ul.found a").first.click()
    expect(officer.locator("h1")).to_have_text(pupil.name)
    assert_fits(officer)
    assert_accessible(officer)

    officer.get_by_label("困难等级").select_option(label="一般困难")
    officer.get_by_label("监护人姓名").fill("王大山")
    button(officer, "保存草稿").click()
    told(officer, "已保存为草稿")
    expect(officer.get_by_label("监护人姓名")).to_have_value("王大山")
    expect(officer.locator("main")).to_contain_text("未登记学生或监护人签署的承诺书")
    picture(officer, "application")

    officer.get_by_label(re.compile("材料类别")).select_option(label="户口簿或身份证")
    officer.get_by_label(re.compile("图片或 PDF")).set_input_files(a_photo())
    button(officer, "上传").click()
    told(officer, "材料已上传")
    assert_accessible(officer)
    officer.locator("#papers").get_by_role("link", name="户口簿或身份证").click()
    expect(officer.locator("img.paper")).to_have_js_property("naturalWidth", 600)
    assert_fits(officer)
    assert_accessible(officer)
    officer.go_back()

    fill_in_the_rest(officer)
    button(officer, "保存并提交").click()
    told(officer, "已提交，等待学校负责人审核")
    assert_fits(officer)
    assert_accessible(officer)
    screenshot(officer, "case-phone", full=True)


def fill_in_the_rest(officer: Page) -> None:
    officer.get_by_label("联系电话").fill("13800000000")
    officer.get_by_label("银行账号").fill(account_number(3))
    officer.get_by_label("开户行").fill("鸡泽县农村信用联社")
    officer.get_by_label("承诺书签署日期").fill("2026-09-07")
    officer.get_by_label("监护人同意书签署日期").fill("2026-09-07")


# ---------------------------------------------------------------- in English


PAGES = {
    "officer1": ["/", "/applications/", "/applications/new/", "/rosters/", "/rosters/new/", "/notices/", "/inbox/",
                 "/awards/", "/payments/failed/", "/programmes/", "/programmes/living_subsidy_boarder/"],
    "finance1": ["/batches/", "/awards/"],
    "admin1": ["/posts/", "/posts/new/", "/posts/proposals/", "/posts/history/"],
    "audit1": ["/"],
}  # fmt: skip
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("username", PAGES)
def test_the_main_pages_can_be_read_in_english(demo: None, open_page: OpenPage, username: str) -> None:
    waiting("draft", "王小禾")
    page = open_page(language="en")
    carry_session(page, username)
    for path in PAGES[username]:
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", "en")
        assert not HAN.search(page.locator("h1").inner_text()), path
        assert not HAN.search(page.locator("nav.main, nav[aria-label]").first.inner_text()), path
        assert_accessible(page)


def test_signing_in_and_the_queue_are_in_english_too(demo: None, open_page: OpenPage) -> None:
    waiting("school_review", "王小禾", "李小田")
    page = open_page(language="en")
    sign_in(page, "head1")
    page.goto("/queue/")
    expect(page.locator("h1")).to_have_text("School review")
    page.get_by_role("checkbox", name="王小禾").check()
    expect(page.locator("[data-count]")).to_have_text("1")
    assert_accessible(page)
    screenshot(page, "queue-en")
    button(page, "Approve").click()
    assert_accessible(page)
    button(page, "Approve (1)").click()
    told(page, "1 case is decided: Approve")
    page.get_by_role("link", name="李小田", exact=True).click()
    assert_accessible(page)
    screenshot(page, "case-en", full=True)


# ---------------------------------------------------------------- twice, and too late


@pytest.mark.parametrize("script", [True, False])
def test_a_double_click_approves_once(demo: None, open_page: OpenPage, script: bool) -> None:
    [application] = waiting("school_review", "王小禾")
    page = open_page(script=script)
    carry_session(page, "head1")
    page.goto("/queue/?step=school_review")
    page.get_by_role("link", name="王小禾", exact=True).click()
    page.get_by_role("button", name=re.compile("^通过")).dblclick()
    expect(page.locator("main")).to_contain_text("没有待办")
    assert Record.objects.filter(about="case", about_id=application.case_id, act="approve").count() == 1


def test_a_page_opened_before_a_post_was_revoked_is_answered_in_words(offices: Offices) -> None:
    [application] = waiting("school_review", "王小禾")
    head = offices("head1", f"/cases/{application.case_id}/")
    post = Post.objects.get(user__username="head1")
    admin = offices("admin1", f"/posts/{post.pk}/end/")
    assert_accessible(admin)
    admin.get_by_label("原因").fill("已调离本校，岗位由他人接任。")
    button(admin, "提请免去").click()
    told(admin, "已提请")
    colleague = offices("admin2", "/posts/proposals/")
    tick_all(colleague)
    button(colleague, "同意").click()
    told(colleague, "已同意")
    head.get_by_role("button", name=re.compile("^通过")).click()
    expect(head.locator("main")).to_contain_text("您的岗位无权在此办理")
    assert_accessible(head)
    assert not Record.objects.filter(about="case", about_id=application.case_id, act="approve").exists()
