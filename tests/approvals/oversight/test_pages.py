"""The pages of the audit and of coverage: who opens them, what stands on them, and the files."""

import io
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from approvals.organisations.tables import plain
from approvals.oversight import actions
from approvals.oversight.models import CoverageReason, Finding
from approvals.people.models import Student
from tests.approvals.oversight.conftest import County
from tests.factories import TERM, SchoolFactory, StudentFactory, acting, head_of, person

DONE = "已与家长核实，补正了材料并归档。"


def client(by: Any, language: str = "zh-hans") -> Client:
    made = Client()
    made.force_login(by.user, backend="django.contrib.auth.backends.ModelBackend")
    made.cookies["django_language"] = language
    return made


@pytest.fixture
def finding(county: County) -> Finding:
    Student.objects.filter(pk=county.paid().student_id).update(verified=False)
    county.paid(amount=Decimal("600.00"))
    actions.look_now()
    return Finding.objects.get(query="A1")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_fifteen_queries_stand_on_one_page(county: County, finding: Finding, language: str) -> None:
    page = client(county.auditor, language).get(reverse("oversight:audit"), {"at": county.school.path[:8]})
    text = page.content.decode()
    assert [f"/audit/A{n}/" in text for n in range(1, 16)] == [True] * 15
    assert ("未判断" if language == "zh-hans" else "not judged") in text
    assert [row.open for row in page.context["rows"] if row.audit.code in ("A1", "A9")] == [1, 1]
    assert [(place["open"], place["overdue"]) for place in page.context["places"]] == [(2, 0)]


def test_findings_are_handed_over_put_right_and_verified_by_the_pages(county: County, finding: Finding) -> None:
    auditor, head = client(county.auditor), client(county.head)
    page = auditor.get(reverse("oversight:findings", args=["A1"]))
    assert "未与学籍核对" in page.content.decode()
    assert str(finding.student.id_number) not in page.content.decode()
    auditor.post(reverse("oversight:assign"), {"finding": [finding.pk], "query": "A1"})
    assert finding.student.name in head.get(reverse("oversight:to_rectify")).content.decode()
    address = reverse("oversight:finding", args=[finding.pk])
    short = head.post(f"{address}rectify/", {"answer": "好"})
    assert (short.status_code, "好" in short.content.decode()) == (422, True)
    assert head.post(f"{address}rectify/", {"answer": DONE}).status_code == 302
    assert DONE in auditor.get(address).content.decode()
    assert auditor.post(f"{address}send-back/", {"back-reason": ""}).status_code == 422
    auditor.post(f"{address}verify/")
    finding.refresh_from_db()
    assert finding.state == "verified"
    assert auditor.get(address).status_code == 200
    assert auditor.post(f"{address}verify/").status_code == 422


def test_another_school_sees_nothing_of_it(county: County, finding: Finding) -> None:
    other = client(acting(head_of(SchoolFactory())))
    assert other.get(reverse("oversight:finding", args=[finding.pk])).status_code == 403
    assert other.get(reverse("oversight:findings", args=["A1"])).context["findings"] == []
    assert client(acting(person("match_officer", county.county))).get(reverse("oversight:audit")).status_code == 403
    assert client(county.head).post(reverse("oversight:look")).status_code == 403
    assert client(county.auditor).post(reverse("oversight:look")).status_code == 302
    assert client(county.auditor).get("/audit/A99/").status_code == 404


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_the_file_has_masked_names_and_no_formulas(county: County, finding: Finding, ending: str) -> None:
    Student.objects.filter(pk=finding.student_id).update(name="=cmd小禾")
    made = client(county.auditor).get(reverse(f"oversight:export_{ending}", args=["A1"]))
    if ending == "xlsx":
        row = [cell.value for cell in load_workbook(io.BytesIO(made.content)).active[2]]
    else:
        row = made.content.decode("utf-8-sig").splitlines()[1].split(",")
    assert (row[0], row[2]) == ("A1", "'=**")
    assert [plain(cell) for cell in ("=1", "+1", "-1", "@x", "\tx", "王")] == [
        "'=1", "'+1", "'-1", "'@x", "'\tx", "王",
    ]  # fmt: skip


def test_lists_are_paged_in_a_bounded_number_of_statements(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Student.objects.filter(pk=county.paid().student_id).update(verified=False)
    actions.look_now(["A1"])
    monkeypatch.setattr("approvals.oversight.views.PAGE", 2)
    auditor, address = client(county.auditor), reverse("oversight:findings", args=["A1"])
    with CaptureQueriesContext(connection) as statements:
        first = auditor.get(address)
    assert len(statements) < 20
    second = auditor.get(address + first.context["next"])
    assert [len(page.context["findings"]) for page in (first, second)] == [2, 1]
    assert second.context["next"] == ""


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_coverage_leads_to_the_pupil_and_the_reason(county: County, language: str) -> None:
    pupil = StudentFactory(school=county.school)
    county.register("poor_households", pupil, county.award().student, category="dibao")
    officer = client(county.officer, language)
    page = officer.get(reverse("oversight:coverage"))
    assert "50.0%" in page.content.decode()
    listed = officer.get(reverse("oversight:coverage_pupils"), {"term": TERM})
    address = reverse("oversight:coverage_reason", args=[pupil.pk]) + f"?term={TERM}"
    assert address in listed.content.decode()
    assert officer.get(address).status_code == 200
    wrong = officer.post(address, {"code": "", "text": "不申"})
    assert (wrong.status_code, "不申" in wrong.content.decode()) == (422, True)
    assert officer.post(address, {"code": "not_applying", "text": "家长书面声明本学期不申请资助。"}).status_code == 302
    assert CoverageReason.objects.get().path == county.school.path
    assert officer.get(reverse("oversight:coverage_pupils"), {"term": TERM}).context["pupils"] == []
    assert client(county.head).get(address).status_code == 403
    assert client(acting(county.maker)).get(reverse("oversight:coverage")).status_code == 403
