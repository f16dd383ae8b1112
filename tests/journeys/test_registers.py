"""The data-match officer's pages: lists, a list with mistakes, a term matched, hits, one of them waived."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals.applications.models import Hit, MatchRun
from approvals.people import registers
from approvals.people.crypto import blind_index
from approvals.people.models import RegisterList
from tests.factories import CountyFactory, SchoolFactory, at_step, id_number, person, set_training_date
from tests.journeys.conftest import PHONE, OpenPage, assert_accessible, assert_fits, carry_session, screenshot
from tests.roster_files import xlsx
from workflows.background import run_due

ABOUT = date(1950, 3, 4)


@pytest.fixture
def county(live_server: Any) -> Any:
    """Six applications on their way, of which some are on somebody's list; people who match and who re-check."""
    set_training_date()
    person("match_officer", CountyFactory(), username="match1", name="徐若兰")
    person("county_second_reviewer", CountyFactory(), username="county2", name="吴海涛")
    school = SchoolFactory(name="鸡泽县示例中心小学")
    made = [
        at_step(step, school=school, special_groups=groups)
        for step, groups in (
            ("school_review", ["dibao"]), ("county_review", []), ("pending_approval", ["disabled_student"]),
            ("county_review", []), ("data_check", []), ("payment", []),
        )
    ]  # fmt: skip
    registers.load_list(
        "poor_households", "县农业农村局", date(2026, 2, 28),
        [registers.Row(blind_index(id_number(ABOUT, 900)), "lifted_household")],
    )  # fmt: skip
    registers.load_list(
        "dual_enrolment", "市教育局", date(2026, 8, 31),
        [registers.Row(bytes(made[4].student.id_hash), "", name="x", told='{"school": "邻县示例第二小学"}')],
    )  # fmt: skip
    registers.load_list("disabled", "县残联", date(2026, 8, 15), [registers.Row(blind_index("x"), "")])
    return made


def deaths(folder: Path, *numbers: str) -> Path:
    file = folder / "死亡人员名册.xlsx"
    rows = [[n, f"示例{n}", number, "2026-08-02"] for n, number in enumerate(numbers, 1)]
    file.write_bytes(xlsx([["县公安局死亡和户籍注销人员名册"], ["序号", "姓名", "身份证号码", "死亡日期"], *rows]))
    return file


def looked_at(page: Page, name: str, language: str) -> None:
    assert_accessible(page)
    for width in (1400, PHONE):
        page.set_viewport_size({"width": width, "height": 900 if width > PHONE else 800})
        assert_fits(page)
        screenshot(page, f"match-{name}-{language}-{width}", full=True)
    assert_accessible(page)
    page.set_viewport_size({"width": 1400, "height": 900})


WORDS = {
    "zh-hans": {"upload": "上传名册", "check": "上传并检查", "take": "导入3行", "match": "开始比对"},
    "en": {"upload": "Upload a list", "check": "Upload and check", "take": "Take over 3 rows", "match": "Match"},
}


@pytest.mark.parametrize("language", ["zh-hans"])
def test_a_list_is_loaded_a_term_matched_and_a_hit_waived(
    county: Any, open_page: OpenPage, tmp_path: Path, language: str
) -> None:
    words = WORDS[language]
    page = open_page(language=language)
    carry_session(page, "match1")
    page.goto("/registers/")
    looked_at(page, "lists", language)
    page.get_by_role("link", name=words["upload"], exact=True).click()
    looked_at(page, "upload", language)
    dead = str(county[1].student.id_number), str(county[2].student.id_number)
    file = deaths(tmp_path, *dead, id_number(ABOUT, 1), "13049919500304001", "", id_number(ABOUT, 1))
    page.locator("#id_kind").select_option("deceased")
    page.locator("#id_origin").fill("县公安局")
    page.locator("#id_as_of").fill("2026-08-31")
    page.locator("#id_file").set_input_files(file)
    page.get_by_role("button", name=words["check"]).click()
    run_due("long")
    take = page.get_by_role("button", name=words["take"])
    expect(take).to_be_visible()
    looked_at(page, "preview", language)
    take.click()
    run_due("long")
    expect(page.locator(".badge-good").first).to_be_visible()
    looked_at(page, "loaded", language)
    page.goto("/registers/kinds/deceased/")
    looked_at(page, "kind", language)
    page.goto("/registers/")
    page.get_by_role("button", name=words["match"], exact=True).click()
    page.wait_for_url("**/registers/runs/*/")
    run_due()
    run = MatchRun.objects.get()
    page.goto(f"/registers/runs/{run.pk}/")
    looked_at(page, "run", language)
    page.goto(f"/registers/hits/?term={run.term}&all")
    looked_at(page, "hits", language)
    assert RegisterList.objects.filter(current=True).count() == 4
    page = open_page(language=language)
    carry_session(page, "county2")
    hit = Hit.objects.get(code="deceased", application=county[2])
    page.goto(f"/cases/{county[2].pk}/")
    looked_at(page, "case", language)
    page.goto(f"/cases/{county[2].pk}/hits/{hit.pk}/waive/")
    looked_at(page, "waive", language)
    page.locator("#id_reason_code").select_option("verified")
    page.locator("#id_reason_text").fill("派出所出具证明：身份证号重号，学生本人在校就读。")
    page.locator("main form button").last.click()
    page.wait_for_url(f"**/cases/{county[2].pk}/")
    hit.refresh_from_db()
    assert hit.waived_by == "吴海涛"
