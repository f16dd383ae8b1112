"""An objection from a parent's phone to the answer on it, without script, account or cookie."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.notices import actions
from approvals.notices.objections import captcha
from tests.factories import TERM, CountyFactory, SchoolFactory, StudentFactory, VersionFactory, acting, at_step, person
from tests.factories import set_training_date as set_date
from tests.journeys.conftest import PHONE, OpenPage, assert_accessible, assert_fits, carry_session, screenshot
from workflows.working_days import load_calendar

STATEMENT = "他家在县城开店，去年买了新车，不算困难。"
FOUND = "已入户核实并调取部门比对结果，所述车辆系亲戚所有"


@pytest.fixture
def notice(live_server: Any) -> Any:
    """A school's list of two pupils on the demo's first day, and the people who handle objections to it."""
    load_calendar()
    set_date()
    school, version = SchoolFactory(name="鸡泽县示例中心小学"), VersionFactory()
    officer, head = person("aid_officer", school, name="李春苗"), person("school_head", school, username="head1")
    person("class_teacher", school, username="teacher1", name="赵班主任")
    person("county_leader", CountyFactory())
    for name in ("王小禾", "赵一苗"):
        at_step("school_notice", school=school, version=version, student=StudentFactory(school=school, name=name))
    drafted = actions.draft("school_notice", school, version.programme, TERM, acting(officer))
    actions.submit(drafted.pk, acting(officer))
    return actions.publish(drafted.pk, acting(head), privacy_checked=True, sealed=True)


def answer(page: Page, public_id: str) -> None:
    """As a person does who reads the question."""
    question = captcha.asked(page.locator("[name=token]").input_value(), public_id)
    assert question is not None
    page.locator("#id_answer").fill(next(str(number) for number in range(20) if question.is_answer(str(number))))


def test_a_parent_objects_on_a_phone_and_reads_the_answer(notice: Any, open_page: OpenPage) -> None:
    parent = open_page(width=PHONE, height=800, script=False, path=f"/public/notices/{notice.public_id}/")
    assert_fits(parent)
    screenshot(parent, "objection-list-phone", full=True)
    parent.get_by_role("link", name="异议 1", exact=True).click()
    expect(parent.get_by_label("名单序号")).to_have_value("1")
    assert_fits(parent)
    screenshot(parent, "objection-form-phone", full=True)
    parent.get_by_role("button", name="提交异议").click()
    expect(parent.get_by_role("alert")).to_contain_text("异议事由")
    screenshot(parent, "objection-form-wrong-phone", full=True)
    parent.get_by_label("异议事由").select_option("not_in_hardship")
    parent.get_by_label("具体情况").fill(STATEMENT)
    parent.get_by_label(re.compile("实名反映")).check()
    parent.get_by_label("您的姓名").fill("刘大海")
    parent.get_by_label("您的联系方式").fill("西关修车铺")
    answer(parent, notice.public_id)
    parent.get_by_role("button", name="提交异议").click()
    number = parent.locator(".receipt-number").inner_text()
    assert re.fullmatch(r"\d{4} \d{4} \d{4}", number)
    assert_fits(parent)
    screenshot(parent, "objection-received-phone", full=True)

    head = open_page()
    carry_session(head, "head1")
    head.goto("/objections/")
    assert_accessible(head)
    screenshot(head, "objections-queue")
    head.get_by_role("link", name=re.compile("异议第1号")).click()
    assert_accessible(head)
    expect(head.locator("main")).to_contain_text(STATEMENT)
    expect(head.locator("main")).not_to_contain_text("刘大海")
    head.get_by_role("button", name="受理", exact=True).click()
    head.get_by_label(re.compile("赵班主任")).check()
    assert_accessible(head)
    screenshot(head, "objection-assign", full=True)
    head.get_by_role("button", name="指定此人").click()
    expect(head.locator("h1 .badge")).to_have_text("调查中")

    teacher = open_page()
    carry_session(teacher, "teacher1")
    teacher.goto("/objections/")
    teacher.get_by_role("link", name=re.compile("异议第1号")).click()
    teacher.get_by_label("用途").select_option("ask_back")
    teacher.get_by_role("button", name="查看反映人信息").click()
    expect(teacher.locator("main")).to_contain_text("刘大海")
    assert_accessible(teacher)
    screenshot(teacher, "objection-investigator", full=True)
    teacher.get_by_role("link", name="作出决定并答复").click()
    teacher.get_by_role("link", name="异议不成立").click()
    assert_accessible(teacher)
    reply = teacher.get_by_label("书面答复")
    reply.fill(reply.input_value().replace("（请写明核实的经过和查明的事实）", FOUND))
    screenshot(teacher, "objection-decide", full=True)
    teacher.get_by_role("button", name="作出决定并答复").click()
    expect(teacher.locator("h1 .badge")).to_have_text("已答复")

    parent.get_by_role("link", name="查询异议办理").first.click()
    parent.get_by_label("回执号").fill(number)
    parent.get_by_role("button", name="查询办理情况").click()
    expect(parent.locator("main")).to_contain_text(FOUND)
    expect(parent.locator("main")).to_contain_text("异议不成立")
    expect(parent.locator("main")).not_to_contain_text("刘大海")
    assert_fits(parent)
    screenshot(parent, "objection-reply-phone", full=True)
    assert parent.context.cookies() == []
    assert number.replace(" ", "") not in parent.url

    english = open_page(width=PHONE, height=800, path=f"/public/notices/{notice.public_id}/object/?lang=en")
    assert_accessible(english)
    assert_fits(english)
    screenshot(english, "objection-form-en-phone", full=True)
    english.goto("/public/objections/?lang=en")
    english.get_by_label("Receipt number").fill(number)
    english.get_by_role("button", name="Show where it stands").click()
    expect(english.locator("main")).to_contain_text("Not upheld")
    assert_accessible(english)
    assert_fits(english)
    screenshot(english, "objection-reply-en-phone", full=True)
