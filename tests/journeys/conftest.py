"""A browser for the journeys: the system's Chromium, pages that fail on script and CSP errors, axe, screenshots.

def test_…(open_page, demo):
    page = open_page(width=PHONE)
    sign_in(page, "officer1")
    assert_accessible(page)
    screenshot(page, "home")
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from approvals.organisations.models import User
from tests.factories import PASSWORD
from tests.kept import Kept

# Playwright's loop runs in the thread in which the tests use the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

SCREENS = Path(__file__).resolve().parents[2] / "build" / "screens"
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
DESK = 1400
PHONE = 375
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)


# ---------------------------------------------------------------- browser


def _chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = _chromium()
    if path is None:
        message = "no Chromium found (apt-get install chromium, or CHROMIUM=/path)"
        if os.environ.get("REQUIRE_JOURNEYS") or os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[OpenPage]:
    """Opens pages of visitors of their own; at the end none may have met a script error or broken the CSP."""
    contexts = []
    trouble: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            trouble.append(message.text)

    def opened(
        width: int = DESK, height: int = 900, language: str = "zh-hans", script: bool = True, path: str = ""
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            locale="en-GB",  # the browser's wish is not asked
            java_script_enabled=script,
            has_touch=width <= PHONE,
        )
        context.set_default_timeout(10_000)
        if language != "zh-hans":
            context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        if path:
            page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []


_county: list[Kept] = []


@pytest.fixture
def demo(live_server: Any) -> None:
    """The demo county with few pupils, on its first day; made once, then put back."""
    from project import demo

    if _county:
        _county[0].put_back()
    else:
        demo.load(pupils=300)
        _county.append(Kept.now())


@pytest.fixture
def offices(demo: None, open_page: OpenPage) -> Any:
    """The demo's people: `offices("head1", "/queue/")` is the head's page."""
    from tests.journeys.steps import Offices

    return Offices(open_page)


# ---------------------------------------------------------------- what a journey does often


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Through the form, as anybody would; arrives at the home page."""
    page.goto("/sign-in/")
    page.locator("#id_username").fill(username)
    page.locator("#id_password").fill(password)
    page.locator(".door-form button").click()
    page.wait_for_url(re.compile(r"^[^?]*/(?!sign-in)"))


def carry_session(page: Page, username: str) -> None:
    """Signs in without the form, for journeys that are about something else."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}])


_looked_at: set[tuple[str, str]] = set()
_SHAPE = """() => [innerWidth, document.documentElement.lang, ...new Set([...document.querySelectorAll("*")].map(
    (one) => one.tagName + one.className + (one.type || "") + (one.getAttribute("role") || "")))].join(" ")"""


def assert_accessible(page: Page) -> None:
    """No violation of WCAG 2.1 AA or of axe's own good practice.

    A page of the same address, but for its numbers, that holds the same kinds of elements is looked at once.
    """
    shape = (re.sub(r"\d+", "#", page.url.partition("/")[2]), str(page.evaluate(_SHAPE)))
    if shape in _looked_at:
        return
    _looked_at.add(shape)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def assert_fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert sizes[0] <= sizes[1], f"the page is {sizes[0]} wide on a screen of {sizes[1]}"


def screenshot(page: Page, name: str, full: bool = False) -> Path:
    """Keeps how the page looks, under build/screens/."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    file = SCREENS / f"{name}.png"
    page.screenshot(path=str(file), full_page=full)
    return file


def picture(page: Page, name: str) -> None:
    """Keeps how a main page looks, at a desk and on a phone; with PICTURES=1 also for the README."""
    width = (page.viewport_size or {}).get("width", DESK)
    for wide in (DESK, PHONE) if width > PHONE else (PHONE,):
        page.set_viewport_size({"width": wide, "height": 900 if wide > PHONE else 800})
        if wide != width:
            page.reload()  # as a screen of this width finds it
        page.wait_for_load_state("networkidle")
        page.evaluate("scrollTo(0, 0)")
        assert_fits(page)
        file = screenshot(page, f"{name}-{wide}")
        if os.environ.get("PICTURES"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            with Image.open(file) as shot:
                shot.convert("RGB").quantize(128).save(PICTURES / file.name, optimize=True)
    page.set_viewport_size({"width": width, "height": 900})
    page.reload()
