"""What people do on the way of an application, as steps that journeys are made of."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from playwright.sync_api import Download, Page, expect

from tests.journeys.conftest import OpenPage, assert_accessible, sign_in
from workflows.background import run_due

ROSTERS = Path(__file__).resolve().parents[1] / "data" / "rosters"
WORKING_DAYS_OF_A_NOTICE = 5


# ---------------------------------------------------------------- people and their pages


class Offices:
    """The demo's people, each at a browser of their own, signed in when first asked for."""

    def __init__(self, open_page: OpenPage) -> None:
        self.open_page = open_page
        self.pages: dict[str, Page] = {}

    def __call__(self, username: str, path: str = "") -> Page:
        if username not in self.pages:
            self.pages[username] = self.open_page()
            sign_in(self.pages[username], username)
        page = self.pages[username]
        if path:
            page.goto(path)
        return page


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def told(page: Page, text: str | re.Pattern[str]) -> None:
    """The page says so, in the place where answers stand."""
    expect(page.locator(".msg").filter(has_text=text).first).to_be_visible()


def tick_all(page: Page) -> None:
    page.get_by_role("checkbox", name="勾选本页全部").check()


def downloaded(page: Page, act: Callable[[], None]) -> Download:
    with page.expect_download() as waiting:
        act()
    return waiting.value


# ---------------------------------------------------------------- rosters


def primary_roster(folder: Path) -> tuple[Path, list[str]]:
    """Eight boarders of the sample roster: two state a household that no register bears out, one ID is mistyped.

    Returns the workbook and the seven right names, the two of the register's hits first.
    """
    sheet = load_workbook(ROSTERS / "clean.xlsx").active
    head, *rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    at = {name: number for number, name in enumerate(head)}
    boarders = [row for row in rows if row[at["是否寄宿"]] == "是"]
    hits = [row for row in boarders if row[at["特殊群体类型"]] == "脱贫家庭"][:2]
    others = [row for row in boarders if row not in hits][:6]
    for row in others:
        row[at["特殊群体类型"]] = None
    wrong = others[-1]
    wrong[at["身份证号"]] = wrong[at["身份证号"]][:-1] + ("0" if wrong[at["身份证号"]][-1] != "0" else "1")
    book = Workbook()
    for row in [head, *hits, *others]:
        book.active.append(row)
    book.save(folder / "2026秋季生活补助名单.xlsx")
    return folder / "2026秋季生活补助名单.xlsx", [row[at["姓名"]] for row in [*hits, *others[:-1]]]


def senior_roster(folder: Path) -> tuple[Path, list[str]]:
    """Five pupils of 县一中 in the three tiers; the average leaves no room for the last of them."""
    with (ROSTERS / "gbk.csv").open(encoding="gb18030", newline="") as file:
        head, *rows = list(csv.reader(file))
    at = {name: number for number, name in enumerate(head)}
    by_tier = {tier: [row for row in rows if row[at["金额"]] == tier] for tier in ("1500.00", "1150.00", "750.00")}
    chosen = [*by_tier["1500.00"][:2], by_tier["1150.00"][0], *by_tier["750.00"][:2]]
    for row in chosen:
        row[at["特殊群体类型"]] = ""
        row[at["困难等级"]] = "困难"
    path = folder / "助学金.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([head, *chosen])
    return path, [row[at["姓名"]] for row in chosen]


def upload(officer: Page, file: Path, programme: str) -> None:
    """Uploads a list and waits until it has been read."""
    officer.goto("/rosters/")
    officer.get_by_role("main").get_by_role("link", name="上传名单").first.click()
    officer.get_by_label("项目和学期").select_option(f"{programme} 2026-2027-1")
    assert_accessible(officer)
    officer.get_by_label("名单文件").set_input_files(file)
    button(officer, "上传并检查").click()
    expect(officer.locator("h1")).to_contain_text(file.name)
    run_due()
    expect(officer.locator("h1 .badge")).to_have_text("待您确认")  # the page looks again by itself


def take_over(officer: Page, count: int) -> None:
    """Says that the signed papers are held, takes the valid rows, and goes to the drafts."""
    officer.get_by_label(re.compile("每名学生.*承诺书")).check()
    officer.get_by_label(re.compile("未满14周岁")).check()
    officer.get_by_role("button", name=re.compile(f"导入 {count} 行")).click()
    run_due()
    expect(officer.locator("h1 .badge")).to_have_text("已导入")
    assert_accessible(officer)
    officer.get_by_role("link", name="查看草稿并提交").click()


def submit_drafts(officer: Page, names: list[str]) -> None:
    expect(officer.locator("table.data tbody tr")).to_have_count(len(names))
    assert_accessible(officer)
    tick_all(officer)
    button(officer, "提交").click()
    told(officer, f"已提交 {len(names)} 件")


# ---------------------------------------------------------------- deciding


def open_from_queue(page: Page, step: str, name: str) -> None:
    page.goto(f"/queue/?step={step}")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_contain_text(name)


def approve_all(page: Page, step: str, count: int, reason: tuple[str, str] | None = None) -> None:
    """Ticks everything at a step and approves it, after being asked once more."""
    page.goto(f"/queue/?step={step}")
    expect(page.locator("table.queue tbody tr")).to_have_count(count)
    tick_all(page)
    button(page, "通过").click()
    expect(page.locator("h1")).to_contain_text(f"{count} 件")
    if reason:
        page.get_by_label("原因").select_option(reason[0])
        page.get_by_label("具体说明").fill(reason[1])
    assert_accessible(page)
    seen = page.get_by_label("已核对上述命中和不符情况")
    if seen.count():
        seen.check()
    button(page, f"通过 ({count})").click()
    told(page, f"{count} 件")


def draft_notice(author: Page) -> None:
    author.goto("/notices/")
    assert_accessible(author)
    author.get_by_role("button", name="拟写公示").first.click()
    assert_accessible(author)
    button(author, "送审").click()
    expect(author.locator("h1 .badge")).to_have_text("待签发")


def sign_notice(signer: Page) -> str:
    """Signs what waits for a signature; returns its public address."""
    signer.goto("/notices/")
    signer.get_by_role("row", name=re.compile("待签发")).get_by_role("link").first.click()
    signer.get_by_label("我已核对名单和文字").check()
    signer.get_by_label("张贴的纸质公示已加盖公章").check()
    assert_accessible(signer)
    button(signer, "签发").click()
    expect(signer.locator("h1 .badge")).to_have_text("公示中")
    assert_accessible(signer)
    return str(signer.get_by_role("link", name="查看公示网页").get_attribute("href"))


def live_through_notice(page: Page) -> None:
    """Moves the date working day by working day until the day after the notice's last."""
    for _ in range(WORKING_DAYS_OF_A_NOTICE + 1):
        before = page.locator(".training time").inner_text()
        button(page, "前进一个工作日").click()
        expect(page.locator(".training time")).not_to_have_text(before)
    run_due()
