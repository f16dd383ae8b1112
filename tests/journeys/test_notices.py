"""A public notice from draft to take-down, as its author, its signer and a parent with a phone see it."""

import re
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.organisations import papers
from tests.factories import SchoolFactory, StudentFactory, VersionFactory, at_step, person, set_training_date
from tests.journeys.conftest import DESK, PHONE, OpenPage, assert_accessible, assert_fits, screenshot, sign_in
from workflows import record
from workflows.actors import SYSTEM
from workflows.background import run_due
from workflows.seal.sealing import seal_now
from workflows.working_days import load_calendar

REASON = "名单里缺了两个班级，请重新拟稿。"


@pytest.fixture
def school(live_server: Any) -> Any:
    """A school whose officer, head and three approved pupils wait for a notice on the demo's first day."""
    load_calendar()
    set_training_date()
    school = SchoolFactory(name="鸡泽县示例中心小学")
    person("aid_officer", school, username="officer1", name="李春苗")
    person("school_head", school, username="head1", name="王建民")
    for name in ("王小禾", "赵一苗", "阿卜杜拉·买买提"):
        at_step("school_notice", school=school, student=StudentFactory(school=school, name=name))
    return school


def drafted(page: Page) -> None:
    """The officer drafts what waits and hands it to the signer."""
    sign_in(page, "officer1")
    page.goto("/notices/")
    page.get_by_role("button", name="拟写公示").click()
    page.get_by_role("button", name="送审").click()


def signed(page: Page) -> None:
    """The head reads, ticks and signs."""
    sign_in(page, "head1")
    page.goto("/notices/")
    page.get_by_role("link", name="拟资助学生名单的公示").click()
    page.get_by_label("我已核对名单和文字").check()
    page.get_by_label("张贴的纸质公示已加盖公章").check()
    page.get_by_role("button", name="签发").click()


def test_one_notice_is_drafted_after_another(school: Any, open_page: OpenPage) -> None:
    """The page that fails on script errors is that of `open_page`."""
    other = VersionFactory(changes={"code": "living_subsidy_day", "group": "living_subsidy_day"})
    at_step("school_notice", school=school, version=other)
    officer = open_page()
    sign_in(officer, "officer1")
    for left in (2, 1):
        officer.goto("/notices/")
        buttons = officer.get_by_role("button", name="拟写公示")
        expect(buttons).to_have_count(left)
        buttons.first.click()
        expect(officer.get_by_role("heading", level=1)).to_contain_text("名单的公示")
    officer.goto("/notices/")
    officer.keyboard.press("j")
    expect(officer.locator("tbody tr.here")).to_have_count(1)


def test_a_notice_lives_from_its_draft_to_its_end(school: Any, open_page: OpenPage) -> None:
    officer = open_page()
    sign_in(officer, "officer1")
    officer.goto("/notices/")
    assert_accessible(officer)
    screenshot(officer, "notices-waiting")
    officer.get_by_role("button", name="拟写公示").click()
    expect(officer.get_by_role("heading", level=1)).to_contain_text("2026年秋季学期义教生活补助拟资助学生名单的公示")
    assert_accessible(officer)

    officer.get_by_role("link", name="修改标题").click()
    officer.get_by_label("其他说明").fill("家长联系１３８ ００００ ００００")
    assert_accessible(officer)
    officer.get_by_role("button", name="保存").click()
    officer.get_by_role("button", name="送审").click()
    expect(officer.get_by_role("alert").first).to_contain_text("电话号码")
    assert_accessible(officer)
    officer.get_by_role("link", name="修改标题").click()
    officer.get_by_label("其他说明").fill("请家长相互转告。")
    officer.get_by_role("button", name="保存").click()
    officer.get_by_role("button", name="送审").click()
    expect(officer.locator("h1 .badge")).to_have_text("待签发")

    head = open_page()
    signed(head)
    expect(head.locator("h1 .badge")).to_have_text("公示中")
    expect(head.locator(".countdown")).to_contain_text("还有5个工作日")
    assert_accessible(head)
    screenshot(head, "notice-signed", full=True)

    parent = open_page(width=PHONE, script=False, path="/public/")
    assert_fits(parent)
    parent.get_by_role("link", name="拟资助学生名单的公示").click()
    assert_fits(parent)
    screenshot(parent, "public-notice-phone", full=True)
    parent.get_by_role("textbox", name="姓名").fill("阿卜杜拉·买买提")
    parent.get_by_role("button", name="查找").click()
    expect(parent.locator(".found tbody tr")).to_have_count(1)
    assert "name" not in parent.url
    assert parent.context.cookies() == []
    address = re.sub(r"#.*", "", parent.url)

    set_training_date(date(2026, 9, 14))
    run_due()
    parent.goto(address)
    expect(parent.locator(".countdown")).to_contain_text("今日截止")
    set_training_date(date(2026, 9, 15))
    run_due()
    parent.goto(address)
    expect(parent.get_by_role("heading", level=1)).to_have_text("名单已撤下")
    expect(parent.locator("body")).not_to_contain_text("王小禾")
    head.reload()
    expect(head.locator("h1 .badge")).to_have_text("已撤下")
    expect(head.locator(".timeline")).to_contain_text("无异议")


def test_a_line_is_taken_off_and_a_notice_voided_with_a_reason(school: Any, open_page: OpenPage) -> None:
    drafted(open_page())
    head = open_page()
    signed(head)
    head.get_by_role("row", name=re.compile("赵一苗")).get_by_role("link", name="移除").click()
    assert_accessible(head)
    head.get_by_label("原因").select_option("line_withdrawn")
    head.get_by_label("具体说明").fill("该生已转学，需重新核实学籍。")
    head.get_by_role("button", name="移除").click()
    expect(head.locator(".sheet tbody tr")).to_have_count(2)
    public = open_page(path="/public/")
    public.get_by_role("link", name="拟资助学生名单的公示").click()
    expect(public.locator("main")).to_contain_text("已移除1人")
    expect(public.locator("main")).not_to_contain_text("赵一苗")
    head.get_by_text("作废此公示").click()
    form = head.locator("details[open] form")
    form.get_by_label("原因").select_option("wrong_list")
    form.get_by_label("具体说明").fill(REASON)
    assert_accessible(head)
    form.get_by_role("button", name="作废", exact=True).click()
    expect(head.locator("h1 .badge")).to_have_text("已作废")
    public.reload()
    expect(public.get_by_role("heading", level=1)).to_have_text("本公示已作废")
    assert_accessible(public)


@pytest.mark.parametrize(("width", "language"), [(DESK, "zh-hans"), (PHONE, "en")])
def test_the_public_site_can_be_read_by_everybody(school: Any, open_page: OpenPage, width: int, language: str) -> None:
    drafted(open_page())
    signed(open_page())
    page = open_page(width=width, path=f"/public/?lang={language}")
    expect(page.locator("html")).to_have_attribute("lang", "en" if language == "en" else "zh-Hans")
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"public-home-{language}-{width}")
    page.locator("ul.notices a").click()
    assert_accessible(page)
    assert_fits(page)
    page.locator("#id_name").fill("赵一苗")
    page.locator("form.find button").click()
    expect(page.locator(".found tbody tr")).to_have_count(1)
    assert_accessible(page)
    screenshot(page, f"public-notice-{language}-{width}", full=True)
    assert page.context.cookies() == []


@pytest.mark.skipif(not papers.available(), reason="no Chinese font on this machine")
def test_the_list_is_offered_on_a4(school: Any, open_page: OpenPage) -> None:
    drafted(open_page())
    signed(open_page())
    page = open_page(path="/public/")
    page.locator("ul.notices a").click()
    response = page.request.get(page.get_by_role("link", name="A4名单").get_attribute("href") or "")
    assert response.headers["content-type"] == "application/pdf"
    assert response.body().startswith(b"%PDF")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_signed_heads_can_be_read_by_everybody(live_server: Any, open_page: OpenPage, language: str) -> None:
    set_training_date()
    for _ in range(3):
        record.write("note", "test", range(4), SYSTEM)
        seal_now()
    page = open_page(language=language, script=False)
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"/public/record/?lang={language}")
        expect(page.locator("tbody tr")).to_have_count(3)
        assert_fits(page)
        screenshot(page, f"heads-{language}-{width}")
    page = open_page(language=language)
    page.goto(f"/public/record/?lang={language}")
    assert_accessible(page)
