"""A parent on an old phone: finds the notice, finds the child, reads what it means, asks the rules; without script."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from approvals.notices import actions
from approvals.notices.announcements import actions as announcements
from approvals.organisations.actions import load_organisations
from approvals.programmes.actions import load_programmes
from tests.factories import SchoolFactory, StudentFactory, acting, at_step, person, set_training_date
from tests.journeys.conftest import OpenPage, assert_accessible, assert_fits, screenshot
from workflows.working_days import load_calendar

OLD_PHONE = 320


@pytest.fixture
def site(live_server: Any) -> str:
    """A notice with 赵一苗 on it and an announcement; the announcement's address."""
    load_calendar()
    set_training_date()
    load_organisations()
    load_programmes()
    school = SchoolFactory(name="鸡泽县示例中心小学")
    author, signer = acting(person("aid_officer", school)), acting(person("school_head", school))
    for name in ("王小禾", "赵一苗"):
        application = at_step("school_notice", school=school, student=StudentFactory(school=school, name=name))
    notice = actions.draft("school_notice", school, application.version.programme, application.term, author)
    actions.submit(notice.pk, author)
    actions.publish(notice.pk, signer, privacy_checked=True, sealed=True)
    made = announcements.draft(school, author, kind="policy", title="资助申请公告", body="请到学校申请。")
    announcements.submit(made.pk, author)
    announcements.publish(made.pk, signer)
    return f"/public/announcements/{made.public_id}/"


def test_a_parent_finds_the_notice_the_child_and_what_the_rules_say(site: str, open_page: OpenPage) -> None:
    page = open_page(width=OLD_PHONE, script=False, path="/public/")
    assert_fits(page)
    page.locator("ul.notices a").click()
    page.get_by_role("textbox", name="姓名或序号").fill("赵一苗")
    page.get_by_role("button", name="查找").click()
    expect(page.locator(".found tbody tr")).to_have_count(1)
    assert_fits(page)
    page.get_by_role("link", name="了解公示的含义").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("公示是什么意思，怎样提出异议")
    page.get_by_role("link", name="资助政策").click()
    page.get_by_role("link", name="义务教育生活补助（非寄宿生）").click()
    page.get_by_role("link", name="自查是否符合条件").click()
    page.get_by_label("学段").select_option("primary")
    page.get_by_role("group", name="学生是否在校寄宿？").get_by_label("是", exact=True).check()
    page.get_by_role("button", name="查看自查结果").click()
    expect(page.locator(".said .badge-bad")).to_have_count(1)
    expect(page.locator(".said .badge-good")).to_have_count(1)
    assert_fits(page)
    screenshot(page, "public-self-check", full=True)
    assert not re.search(r"primary|yes", page.url)
    assert page.context.cookies() == []


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_public_page_is_accessible_and_fits_an_old_phone(site: str, open_page: OpenPage, language: str) -> None:
    page = open_page(width=OLD_PHONE)
    policy = "/public/programmes/living_subsidy_day/"
    for path in (
        "/public/", "/public/explanation/", "/public/programmes/", policy, f"{policy}check/", "/public/results/",
        "/public/announcements/", site, "/public/notices/0000000000000000/",
    ):  # fmt: skip
        page.goto(f"{path}?lang={language}")
        assert_accessible(page)
        assert_fits(page)
    page.goto(f"{policy}check/?lang={language}")
    page.locator("form button.btn-primary").click()
    expect(page.locator(".said li")).to_have_count(5)
    assert_accessible(page)
    page.goto(f"/public/?lang={language}")
    page.locator("ul.notices a").click()
    assert_accessible(page)
    assert_fits(page)
    page.evaluate("document.documentElement.style.fontSize = '175%'")  # letters twice as large
    assert_fits(page)
