"""The main job in a browser: a school's roster becomes aid in the pupils' accounts, seen by all whose turn it is."""

import re
from pathlib import Path

from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from approvals.organisations import papers
from approvals.organisations.models import Organisation
from tests.factories import account_number
from tests.journeys.conftest import PHONE, OpenPage, assert_accessible, assert_fits, picture
from tests.journeys.steps import (
    Offices,
    approve_all,
    button,
    downloaded,
    draft_notice,
    live_through_notice,
    open_from_queue,
    primary_roster,
    sign_notice,
    submit_drafts,
    take_over,
    told,
    upload,
)
from workflows.background import run_due

TWICE_CHECKED = "已逐人与乡镇和村委会核对，情况属实。"


# ---------------------------------------------------------------- paying


def checked_and_approved(offices: Offices, address: str) -> None:
    """The maker hands the batch on, two other persons sign it, the treasury gives the money."""
    maker = offices("finance1", address)
    assert_accessible(maker)
    button(maker, "送复核").click()
    checker = offices("finance2", address)
    assert_accessible(checker)
    button(checker, "复核无误").click()
    approver = offices("finance3", address)
    assert_accessible(approver)
    button(approver, "审批同意发放").click()
    expect(approver.locator("h1 .badge")).to_have_text("财政审核中")
    treasury = offices("treasury1", address)
    assert_accessible(treasury)
    treasury.get_by_role("link", name="拨付资金").click()
    assert_accessible(treasury)
    treasury.get_by_label(re.compile("^文号")).first.fill("鸡财拨〔2026〕88号")
    button(treasury, "确认拨付").click()
    expect(treasury.locator("h1 .badge")).to_have_text("已拨付")


def paid_through_the_bank(maker: Page, address: str, folder: Path) -> None:
    """Sends the bank file, fetches the demo bank's answer and imports it."""
    maker.goto(address)
    sent = downloaded(maker, lambda: maker.get_by_role("button", name=re.compile("下载代发文件")).click())
    assert len(sent.path().read_bytes()) > 0
    maker.goto(address)
    assert_accessible(maker)
    answer = downloaded(maker, lambda: maker.get_by_role("link", name=re.compile("下载银行回盘文件")).click())
    answer.save_as(folder / "return.txt")
    maker.get_by_label("银行回盘文件").set_input_files(folder / "return.txt")
    button(maker, "导入回盘").click()


# ---------------------------------------------------------------- the whole path


def test_a_roster_becomes_aid_in_the_pupils_accounts(offices: Offices, open_page: OpenPage, tmp_path: Path) -> None:
    file, names = primary_roster(tmp_path)
    hits, returned = names[:2], names[2]
    the_officer_takes_the_valid_rows(offices("officer1"), file, names)
    the_head_returns_one_and_approves_the_others(offices, names, returned)
    the_school_notice_is_lived_through(offices, open_page, names)
    only_their_township_sees_them(offices, names)
    the_county_decides_and_hits_are_rechecked(offices, names, hits)
    the_county_notice_masks_the_names(offices, open_page, names)
    money_moves_and_one_payment_is_reissued(offices, names, tmp_path)
    the_case_page_tells_it_all(offices, returned)


def the_officer_takes_the_valid_rows(officer: Page, file: Path, names: list[str]) -> None:
    assert_accessible(officer)
    upload(officer, file, "living_subsidy")
    refused = officer.locator("section[aria-labelledby=refused]")
    expect(refused.locator("tbody tr")).to_have_count(1)
    expect(refused.locator("tbody tr")).to_contain_text("9")
    expect(refused.locator("tbody tr")).to_contain_text("身份证号")
    assert_accessible(officer)
    picture(officer, "roster-preview")
    sheet = downloaded(officer, lambda: officer.get_by_role("link", name=re.compile("错误原因")).click())
    sheet.save_as(file.with_name("errors.xlsx"))
    rows = list(load_workbook(file.with_name("errors.xlsx")).active.iter_rows(values_only=True))
    assert "错误原因" in rows[0]
    reasons = [row[rows[0].index("错误原因")] for row in rows[1:]]
    assert [bool(reason) for reason in reasons] == [False] * 7 + [True]
    take_over(officer, len(names))
    submit_drafts(officer, names)


def the_head_returns_one_and_approves_the_others(offices: Offices, names: list[str], returned: str) -> None:
    head = offices("head1", "/")
    assert_accessible(head)
    picture(head, "home")
    head.goto("/queue/")
    assert_accessible(head)
    picture(head, "queue")
    open_from_queue(head, "school_review", returned)
    assert_accessible(head)
    head.get_by_text("退回补正…").click()
    sheet = head.locator("details.decision[open]")
    sheet.get_by_label("原因").select_option("evidence_missing")
    sheet.get_by_label("具体说明").fill("户口簿复印件看不清，请重新核对户籍后填写。")
    assert_accessible(head)
    sheet.get_by_role("button", name=re.compile("^退回补正")).click()
    told(head, f"{returned}的申请已审核：退回补正")
    approve_all(head, "school_review", len(names) - 1)

    officer = offices("officer1", "/")
    officer.get_by_role("main").get_by_role("link", name=re.compile("退回待补正")).click()
    officer.get_by_role("main").get_by_role("link", name=returned, exact=True).click()
    expect(officer.locator("main")).to_contain_text("户口簿复印件看不清")
    assert_accessible(officer)
    officer.get_by_label("班级评议意见").fill("评议小组核对户口簿原件，同意认定。")
    officer.get_by_role("button", name="重新提交").click()
    told(officer, "已提交")

    open_from_queue(head, "school_review", returned)
    expect(head.locator("main")).to_contain_text("评议小组核对户口簿原件")
    head.get_by_role("button", name=re.compile("^通过")).click()
    told(head, f"{returned}的申请已审核：通过")
    head.goto("/queue/")
    expect(head.locator("table.queue")).to_have_count(0)
    assert_accessible(head)


def the_school_notice_is_lived_through(offices: Offices, open_page: OpenPage, names: list[str]) -> None:
    draft_notice(offices("officer1"))
    address = sign_notice(offices("head1"))
    public = open_page(path=address)  # a visitor, not signed in
    expect(public.locator("main")).to_contain_text("2026年9月14日")
    public.get_by_role("textbox", name="姓名").fill(names[3])
    button(public, "查找").click()
    expect(public.locator(".found tbody tr")).to_have_count(1)
    expect(public.locator(".found")).to_contain_text(names[3])
    assert_accessible(public)
    picture(public, "public-notice")

    phone = open_page(width=PHONE, path=address)
    assert_accessible(phone)
    assert_fits(phone)

    live_through_notice(offices("officer1", "/"))
    public.goto(address)
    expect(public.locator("h1")).to_have_text("名单已撤下")
    expect(public.locator("body")).not_to_contain_text(names[3])
    assert_accessible(public)


def only_their_township_sees_them(offices: Offices, names: list[str]) -> None:
    other = Organisation.objects.filter(kind="township").exclude(code="130431100").order_by("code").first()
    assert other is not None
    stranger = offices(f"township_{other.code}", "/queue/")
    expect(stranger.locator("table.queue")).to_have_count(0)
    expect(stranger.locator("main")).to_contain_text("没有待办")
    township = offices("township1", "/queue/")
    expect(township.locator("table.queue tbody tr")).to_have_count(len(names))
    case = township.get_by_role("link", name=names[0], exact=True).get_attribute("href") or ""
    stranger.goto(case)
    expect(stranger.locator("h1")).to_have_text("没有这件申请，或不由您负责")
    approve_all(township, "township_review", len(names))


def the_county_decides_and_hits_are_rechecked(offices: Offices, names: list[str], hits: list[str]) -> None:
    county = offices("county1")
    approve_all(county, "county_review", len(names))
    run_due()
    rechecker = offices("county2", "/queue/")
    expect(rechecker.locator("table.queue tbody tr")).to_have_count(len(hits))
    for name in hits:
        expect(rechecker.get_by_role("row", name=re.compile(name))).to_contain_text("比对异常")
    assert_accessible(rechecker)
    open_from_queue(rechecker, "recheck", hits[0])
    assert_accessible(rechecker)
    approve_all(rechecker, "recheck", len(hits), ("verified", TWICE_CHECKED))
    approve_all(county, "county_review", len(hits))
    run_due()
    approve_all(offices("leader1"), "pending_approval", len(names))


def the_county_notice_masks_the_names(offices: Offices, open_page: OpenPage, names: list[str]) -> None:
    draft_notice(offices("county1"))
    address = sign_notice(offices("leader1"))
    public = open_page(path=address)
    for name in names:
        expect(public.locator("main")).not_to_contain_text(name)
        expect(public.locator(".roll")).to_contain_text(name[0] + "*")
    assert_accessible(public)
    live_through_notice(offices("county1", "/"))
    finance = offices("finance1", "/awards/")
    expect(finance.locator("table.data tbody tr")).to_have_count(len(names))
    assert_accessible(finance)


def money_moves_and_one_payment_is_reissued(offices: Offices, names: list[str], folder: Path) -> None:
    maker = offices("finance1", "/batches/")
    assert_accessible(maker)
    maker.get_by_role("row", name=re.compile("2026年秋季学期")).get_by_role("button", name="编制批次").click()
    expect(maker.locator("main")).to_contain_text("4,375.00")
    first = maker.url
    checked_and_approved(offices, first)
    paid_through_the_bank(maker, first, folder)
    expect(maker.locator("h1 .badge")).to_have_text("部分到账")
    assert_accessible(maker)
    picture(maker, "batch")

    officer = offices("officer1", "/payments/failed/")
    expect(officer.locator("table.data tbody tr")).to_have_count(1)
    assert_accessible(officer)
    officer.get_by_role("link", name="更正账户").click()
    assert_accessible(officer)
    officer.locator("#id_account").fill(account_number(7))
    officer.locator("#id_again").fill(account_number(7))
    officer.get_by_role("button", name="提出这个账户").click()
    told(officer, "由学校或县里的另一人确认")
    head = offices("head1", "/payments/failed/")
    assert_accessible(head)
    head.get_by_label("对照银行卡输入账号").fill(account_number(7))
    head.get_by_role("button", name="确认账户").click()
    told(head, "已确认")

    maker.goto(first)
    button(maker, "补发已更正的款项").click()
    told(maker, "已生成补发批次")
    second = maker.url
    checked_and_approved(offices, second)
    paid_through_the_bank(maker, second, folder)
    expect(maker.locator("h1 .badge")).to_have_text("全部到账")
    officer.goto("/applications/?state=completed")
    expect(officer.locator("table.data tbody tr")).to_have_count(len(names))


def the_case_page_tells_it_all(offices: Offices, name: str) -> None:
    officer = offices("officer1", "/applications/?state=completed")
    officer.get_by_role("main").get_by_role("link", name=name, exact=True).click()
    timeline = officer.locator(".timeline")
    for person in ["李春苗", "王建民", "杨秀兰", "周文静", "郑明德"]:
        expect(timeline).to_contain_text(person)
    expect(timeline).to_contain_text("户口簿复印件看不清")
    expect(officer.locator(".case-main")).to_contain_text("发放批次")
    assert_accessible(officer)
    picture(officer, "case")
    officer.get_by_text("流程图", exact=True).click()
    diagram = officer.locator(".diagram img")
    expect(diagram).to_be_visible()
    expect(diagram).not_to_have_js_property("naturalWidth", 0)
    if papers.available():
        form = officer.get_by_role("link", name=re.compile("申请表")).get_attribute("href") or ""
        response = officer.request.get(form)
        assert response.body().startswith(b"%PDF")
