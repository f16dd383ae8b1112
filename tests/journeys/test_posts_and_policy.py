"""The policy pages for everybody, and the administrator's posts."""

import pytest
from playwright.sync_api import Page, expect

from approvals.organisations.models import Organisation, Post, User
from approvals.programmes import queries as programmes
from tests.factories import at_step
from tests.journeys.conftest import (
    DESK,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_fits,
    carry_session,
    screenshot,
)  # fmt: skip
from tests.journeys.steps import button, told
from workflows.queries import open_item_of

WHY = "因工作调整，不再担任本校负责人。"


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(("width", "language"), [(DESK, "zh-hans"), (PHONE, "en")])
def test_everybody_reads_what_can_be_applied_for(open_page: OpenPage, width: int, language: str) -> None:
    page = open_page(width=width, language=language, path="/programmes/")
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"programmes-{width}-{language}")
    page.locator("a[href='/programmes/living_subsidy_day/']").click()
    expect(page.locator("main")).to_contain_text("312.50")
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"programme-{width}-{language}")


@pytest.mark.usefixtures("demo")
def test_a_page_opened_before_a_post_was_taken_away_decides_nothing(open_page: OpenPage) -> None:
    [version] = programmes.current("living_subsidy_boarder")
    application = at_step("school_review", school=Organisation.objects.get(code="2113049901"), version=version)
    head, admin, colleague = open_page(), open_page(), open_page()
    carry_session(head, "head1")
    head.goto("/queue/")
    carry_session(admin, "admin1")
    admin.goto("/posts/?q=head1")
    assert_accessible(admin)
    screenshot(admin, "posts")
    admin.get_by_role("link", name="提请免去").click()
    assert_accessible(admin)
    admin.get_by_label("原因").fill(WHY)
    button(admin, "提请免去").click()
    told(admin, "已提请")
    approve(colleague, "admin2")
    head.locator("input[name=task]").first.check()
    head.get_by_role("button", name="通过").first.click()
    head.wait_for_load_state()
    item = open_item_of(application.case_id)
    assert item is not None
    assert item.flow_task.name == "school_review"


def approve(page: Page, username: str) -> None:
    """A second administrator approves whatever waits."""
    carry_session(page, username)
    page.goto("/posts/proposals/")
    assert_accessible(page)
    for box in page.locator("input[name=proposal]").all():
        box.check()
    button(page, "同意").click()
    told(page, "已同意")


@pytest.mark.usefixtures("demo")
def test_a_post_is_proposed_and_approved_and_one_that_clashes_is_refused(open_page: OpenPage) -> None:
    page = open_page()
    carry_session(page, "admin1")
    for account, school, role in (
        ("officer1", "鸡泽县第一中学", "学校负责人"),
        ("head1", "鸡泽县示例中心小学", "学校资助专干"),
    ):
        page.goto("/posts/new/")
        assert_accessible(page)
        page.get_by_label("账号").fill(account)
        page.get_by_label("单位").select_option(label=school)
        page.get_by_label("角色").select_option(label=role)
        page.get_by_label("原因").fill(WHY)
        page.get_by_role("button", name="提请任命").click()
        told(page, "已提请" if account == "officer1" else "不相容")
    assert_accessible(page)
    approve(open_page(), "admin2")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_deputy_a_leaving_and_the_history_of_posts(open_page: OpenPage, width: int) -> None:
    page, colleague = open_page(width=width), open_page(width=width)
    carry_session(page, "admin1")
    post = Post.objects.get(user__username="township1")
    page.goto(f"/posts/{post.pk}/deputy/")
    page.get_by_label("账号").fill("county1" if width == DESK else "finance1")
    page.locator("#id_ends_on").fill("2026-09-30")
    page.get_by_label("原因").fill("杨秀兰同志外出学习，期间由他人代理。")
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"post-deputy-{width}", full=True)
    button(page, "提请代理").click()
    told(page, "不相容" if width == DESK else "已提请")
    user = User.objects.get(username="county2")
    page.goto(f"/accounts/{user.pk}/")
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"account-{width}", full=True)
    leaving = page.get_by_role("region", name="人员离任")
    leaving.get_by_label("截止日期").fill("2026-09-30")
    leaving.get_by_label("原因").fill("吴海涛同志调离本县，全部岗位免去。")
    button(page, "提请免去全部岗位").click()
    told(page, "已提请免去 1 个岗位")
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"proposals-{width}")
    approve(colleague, "admin2")
    colleague.goto("/posts/history/")
    assert_accessible(colleague)
    assert_fits(colleague)
    screenshot(colleague, f"proposals-decided-{width}")
    colleague.goto("/posts/")
    assert_accessible(colleague)
    assert_fits(colleague)
    screenshot(colleague, f"posts-{width}")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(("width", "language"), [(DESK, "zh-hans"), (PHONE, "en")])
def test_who_may_do_what_is_read_by_administrators_and_auditors(open_page: OpenPage, width: int, language: str) -> None:
    page = open_page(width=width, language=language)
    carry_session(page, "audit1")
    page.goto("/permissions/")
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"permissions-{width}-{language}")
    page.goto("/permissions/?role=school_head&family=desk")
    expect(page.locator("main table")).to_have_count(1)
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"permissions-of-head-{width}-{language}")
