"""The auditor opens a query's list and hands a finding over, the school answers, the auditor verifies; coverage."""

from typing import Any

import pytest
from playwright.sync_api import expect

from approvals.oversight.actions import look_now
from approvals.oversight.models import CoverageReason, Finding
from approvals.people.models import Student
from tests.approvals.oversight.conftest import County
from tests.factories import StudentFactory
from tests.journeys.conftest import PHONE, OpenPage, assert_accessible, assert_fits, carry_session, screenshot

DONE = "已到派出所和学校核实，学生在籍在校，已补登学籍。"


@pytest.fixture
def county(live_server: Any) -> County:
    """A pupil paid who is not on the roll; two registered pupils, one of them without aid."""
    made = County()
    line = made.paid()
    Student.objects.filter(pk=line.student_id).update(verified=False)
    made.register("poor_households", made.paid().student, StudentFactory(school=made.school), category="dibao")
    look_now()
    return made


def looked_at(page: Any, name: str) -> None:
    page.wait_for_load_state("networkidle")
    for width in (1400, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)
        assert_accessible(page)
        screenshot(page, f"oversight-{name}-{width}", full=True)
    page.set_viewport_size({"width": 1400, "height": 900})


def test_a_finding_is_handed_over_put_right_and_verified(county: County, open_page: OpenPage) -> None:
    finding = Finding.objects.get(query="A1")
    auditor, head = open_page(), open_page()
    carry_session(auditor, county.auditor.user.username)
    carry_session(head, county.head.user.username)
    auditor.goto("/audit/")
    looked_at(auditor, "audit")
    auditor.get_by_role("link", name="A1", exact=True).click()
    looked_at(auditor, "findings")
    auditor.get_by_role("checkbox", name=f"勾选疑点{finding.pk}").check()
    auditor.get_by_role("button", name="交办所勾选的").click()
    expect(auditor.locator(".msg").first).to_contain_text("已交办1条")
    head.goto("/rectification/")
    looked_at(head, "to-rectify")
    head.locator("main table a").first.click()
    looked_at(head, "finding-school")
    head.locator("#id_answer").fill(DONE)
    head.get_by_role("button", name="已整改，报送核销").click()
    expect(head.locator(".msg").first).to_contain_text("已报送审计核销")
    auditor.goto("/rectification/")
    auditor.locator("main table a").first.click()
    looked_at(auditor, "finding-auditor")
    auditor.get_by_role("button", name="核销", exact=True).click()
    expect(auditor.locator(".msg").first).to_contain_text("已核销")
    assert_accessible(auditor)
    finding.refresh_from_db()
    assert (finding.state, finding.answer) == ("verified", DONE)


def test_the_school_records_why_a_registered_pupil_has_no_aid(county: County, open_page: OpenPage) -> None:
    officer = open_page()
    carry_session(officer, county.officer.user.username)
    officer.goto("/coverage/")
    expect(officer.locator("tr.total")).to_contain_text("50.0%")
    looked_at(officer, "coverage")
    officer.get_by_role("link", name="原因不明的学生").click()
    looked_at(officer, "coverage-pupils")
    officer.get_by_role("link", name="登记原因").click()
    looked_at(officer, "coverage-reason")
    officer.locator("#id_code").select_option("not_applying")
    officer.locator("#id_text").fill("家长于9月7日书面声明本学期不申请资助。")
    officer.get_by_role("button", name="登记原因").click()
    expect(officer.locator(".msg").first).to_contain_text("原因已登记")
    assert CoverageReason.objects.get().code == "not_applying"
