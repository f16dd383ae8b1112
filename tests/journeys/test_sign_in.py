"""Signing in and arriving, in both languages, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.factories import (
    CountyFactory,
    PostFactory,
    SchoolFactory,
    TownshipFactory,
    UserFactory,
    at_step,
    person,
    set_training_date,
)
from tests.journeys.conftest import (
    DESK,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_fits,
    screenshot,
    sign_in,
)

LANGUAGES = ["zh-hans", "en"]


@pytest.fixture
def people(live_server) -> None:
    """The people of the demo's walk, as the demo's sign-in page knows them."""
    set_training_date()
    county = CountyFactory()
    township = TownshipFactory(name="鸡泽镇")
    school = SchoolFactory(parent=township, name="鸡泽县示例中心小学", code="2113049901")
    for username, name, role, at in [
        ("officer1", "李敏", "aid_officer", school),
        ("head1", "赵国强", "school_head", school),
        ("township1", "孙立", "township_reviewer", township),
        ("county1", "周静", "county_reviewer", county),
        ("county2", "吴凯", "county_second_reviewer", county),
        ("leader1", "郑华", "county_leader", county),
        ("finance1", "冯雪", "finance_maker", county),
        ("finance2", "陈刚", "finance_checker", county),
        ("finance3", "褚玉", "finance_approver", county),
        ("treasury1", "韩松", "treasury_officer", county),
        ("audit1", "卫东", "auditor", county),
        ("admin1", "蒋文", "administrator", county),
    ]:
        PostFactory(user=UserFactory(username=username, name=name), organisation=at, role=role)
    for step in ["school_review", "school_review", "township_review", "draft"]:
        at_step(step, school=school)


def assert_good_on_desk_and_phone(page: Page, name: str) -> None:
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"{name}-{width}", full=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sign_in_page_can_be_used_by_everybody(people: None, open_page: OpenPage, language: str) -> None:
    page = open_page(language=language, path="/sign-in/")
    expect(page.locator("h1")).to_have_text("登录" if language == "zh-hans" else "Sign in")
    assert_good_on_desk_and_phone(page, f"sign-in-{language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_home_page_can_be_used_by_everybody(people: None, open_page: OpenPage, language: str) -> None:
    page = open_page(language=language)
    sign_in(page, "head1")
    expect(page.locator(".who")).to_contain_text(
        "鸡泽县示例中心小学 · " + ("学校负责人" if language == "zh-hans" else "School head")
    )
    expect(page.locator(".waiting")).to_contain_text("2")
    assert_good_on_desk_and_phone(page, f"home-{language}")


@pytest.mark.parametrize("script", [True, False])
def test_a_click_on_an_account_of_the_demo_signs_in_and_sign_out_ends_it(
    people: None, open_page: OpenPage, script: bool
) -> None:
    page = open_page(script=script, path="/sign-in/")
    page.get_by_role("button", name="township1").click()
    expect(page.locator(".who")).to_contain_text("孙立")
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile("/sign-in/$"))


def test_a_wrong_password_is_told_and_the_page_stays_usable(people: None, open_page: OpenPage) -> None:
    page = open_page(path="/sign-in/")
    page.locator("#id_username").fill("officer1")
    page.locator("#id_password").fill("wrong")
    page.locator(".door-form button").click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不正确")
    assert_accessible(page)


@pytest.mark.parametrize("script", [True, False])
def test_the_language_is_switched_and_stays(people: None, open_page: OpenPage, script: bool) -> None:
    page = open_page(script=script, path="/sign-in/?next=/rosters/")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    expect(page).to_have_url(re.compile(r"/sign-in/\?next=/rosters/$"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/sign-in/")
    expect(page.locator("h1")).to_have_text("Sign in")


@pytest.mark.parametrize("script", [True, False])
def test_the_date_moves_a_working_day_and_stays_on_the_page(people: None, open_page: OpenPage, script: bool) -> None:
    page = open_page(script=script, path="/sign-in/")
    expect(page.locator(".training time")).to_have_text("2026年9月7日 星期一")
    page.get_by_role("button", name="前进一个工作日").click()
    expect(page.locator(".training time")).to_have_text("2026年9月8日 星期二")
    expect(page.get_by_role("status")).to_contain_text("没有到期事项")
    expect(page).to_have_url(re.compile("/sign-in/$"))


def test_resetting_the_demo_asks_first(people: None, open_page: OpenPage) -> None:
    page = open_page(path="/sign-in/")
    button = page.get_by_role("button", name="清空并重新开始")
    expect(button).to_be_hidden()
    page.get_by_text("重置演示").click()
    expect(button).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(button).to_be_hidden()


def test_the_keys_are_explained_and_can_be_switched_off(people: None, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, "head1")
    page.keyboard.press("Shift+?")
    help_on_keys = page.get_by_role("dialog")
    expect(help_on_keys).to_be_visible()
    assert_accessible(page)
    help_on_keys.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+?")
    expect(help_on_keys).to_be_hidden()


def test_a_page_that_the_post_does_not_open_says_so(people: None, open_page: OpenPage) -> None:
    page = open_page()
    person("administrator", CountyFactory(), username="other")
    sign_in(page, "other")
    page.goto("/queue/")
    expect(page.locator("h1")).to_have_text("您的岗位不能打开此页")
    assert_accessible(page)
    screenshot(page, "403")


def test_an_address_that_does_not_exist_is_explained(people: None, open_page: OpenPage) -> None:
    page = open_page(path="/nothing-here/")
    expect(page.locator("h1")).to_have_text("这个地址没有内容")
    assert_good_on_desk_and_phone(page, "404")
