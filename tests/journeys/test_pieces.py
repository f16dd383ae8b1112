"""The pieces pages are made of: a dense list worked by keys, the bulk bar, forms; readable by everybody."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.factories import SchoolFactory, person, set_training_date
from tests.journeys.conftest import DESK, PHONE, OpenPage, assert_accessible, assert_fits, carry_session, screenshot


@pytest.fixture
def gallery(live_server: Any, open_page: OpenPage, settings: Any) -> Any:
    """Opens the page with every component, signed in as a school's head on the demo's first day."""
    settings.ROOT_URLCONF = "tests.journeys.gallery"
    set_training_date()
    person("school_head", SchoolFactory(name="鸡泽县示例中心小学"), username="head1", name="赵国强")

    def opened(**options: Any) -> Page:
        page = open_page(**options)
        carry_session(page, "head1")
        page.goto("/gallery/")
        return page

    return opened


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_piece_can_be_used_by_everybody(gallery: Any, language: str) -> None:
    page = gallery(language=language)
    assert_accessible(page)
    screenshot(page, f"gallery-{language}")
    screenshot(page, f"gallery-{language}-full", full=True)
    page.set_viewport_size({"width": PHONE, "height": 800})
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"gallery-{language}-phone", full=True)


def test_seventeen_rows_fit_a_screen_of_900_pixels_beside_the_bulk_bar(gallery: Any) -> None:
    page = gallery(width=DESK, height=900)
    bar = page.locator(".bulkbar").bounding_box()
    rows = [row.bounding_box() for row in page.locator("tbody tr").all()]
    assert sum(row["y"] + row["height"] <= bar["y"] for row in rows) >= 17
    assert bar["y"] + bar["height"] <= 900


def test_the_head_of_a_long_list_stays_in_sight(gallery: Any) -> None:
    page = gallery()
    page.mouse.wheel(0, 600)
    expect(page.locator("thead th").nth(1)).to_be_in_viewport()


def test_a_list_is_worked_by_keys(gallery: Any) -> None:
    page = gallery()
    page.keyboard.press("j")
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("tbody input:checked")).to_have_count(2)
    expect(page.locator("tbody tr.here input")).to_have_value("3")
    expect(page.locator("[data-count]")).to_have_text("2")
    expect(page.locator("[data-sum]")).to_have_text("1,775.00")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#row-3$"))
    page.keyboard.press("/")
    expect(page.locator("input[type=search]")).to_be_focused()
    page.keyboard.type("jx")
    expect(page.locator("input[type=search]")).to_have_value("jx")


def test_a_row_reached_by_keys_is_never_hidden_behind_the_bar(gallery: Any) -> None:
    page = gallery(height=500)
    for _ in range(25):
        page.keyboard.press("j")
    row, bar = page.locator("tbody tr.here").bounding_box(), page.locator(".bulkbar").bounding_box()
    assert row["y"] + row["height"] <= bar["y"] + 1
    for _ in range(20):
        page.keyboard.press("k")
    row, head = page.locator("tbody tr.here").bounding_box(), page.locator("thead th").first.bounding_box()
    assert row["y"] >= head["y"] + head["height"] - 1


def test_the_head_s_box_ticks_the_page_and_shift_ticks_a_range(gallery: Any) -> None:
    page = gallery()
    count = page.locator("[data-count]")
    page.locator("[data-all]").check()
    expect(count).to_have_text("40")
    page.locator("[data-all]").uncheck()
    boxes = page.locator("tbody input[type=checkbox]")
    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(count).to_have_text("5")


def test_without_script_the_list_can_be_ticked_and_reasons_opened(gallery: Any) -> None:
    page = gallery(script=False)
    page.locator("tbody input[type=checkbox]").first.check()
    page.locator("summary", has_text="退回补正").click()
    expect(page.get_by_role("button", name="确认退回")).to_be_visible()
    expect(page.locator("[data-bulk-tally]")).to_be_hidden()


def test_a_page_prints_without_the_frame(gallery: Any) -> None:
    page = gallery()
    page.emulate_media(media="print")
    for part in (".training", ".top", ".nav", ".bulkbar", ".foot", ".filters"):
        expect(page.locator(part).first).to_be_hidden()
    page.set_viewport_size({"width": 794, "height": 1123})
    screenshot(page, "gallery-print")
