"""The policy pages for everybody, and the administrator's posts."""

import pytest
from playwright.sync_api import expect

from approvals.organisations.models import Organisation
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
from tests.journeys.steps import told
from workflows.queries import open_item_of

WHY = "因工作调整，不再担任本校负责人。"


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
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
    head, admin = open_page(), open_page()
    carry_session(head, "head1")
    head.goto("/queue/")
    carry_session(admin, "admin1")
    admin.goto("/posts/?q=head1")
    assert_accessible(admin)
    screenshot(admin, "posts")
    admin.get_by_role("link", name="免去").click()
    assert_accessible(admin)
    admin.get_by_label("原因").fill(WHY)
    admin.get_by_role("button", name="免去岗位").click()
    told(admin, "岗位已终止")
    head.locator("input[name=task]").first.check()
    head.get_by_role("button", name="通过").first.click()
    head.wait_for_load_state()
    item = open_item_of(application.case_id)
    assert item is not None
    assert item.flow_task.name == "school_review"


@pytest.mark.usefixtures("demo")
def test_the_administrator_gives_a_post_and_is_refused_one_that_clashes(open_page: OpenPage) -> None:
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
        page.get_by_role("button", name="任命").click()
        told(page, "担任该岗位" if account == "officer1" else "不相容")
    assert_accessible(page)
