"""A reviewer's hour: a hundred mixed cases decided by keyboard alone, keystrokes and page loads counted."""

import json
from collections import Counter

import pytest
from playwright.sync_api import Page, expect

from approvals.applications.models import Application, Hit
from tests.approvals.review.scene import state_of
from tests.factories import CountyFactory, SchoolFactory, TownshipFactory, acting, at_step, person, set_training_date
from tests.journeys.conftest import SCREENS, OpenPage, carry_session
from workflows.acts import Claim, perform
from workflows.models import Case
from workflows.queries import open_item_of

KINDS = {"clean": 70, "unmet": 14, "hit": 10, "suspended": 3, "held": 3}
REJECT, RETURN, HAND_ON = 6, 8, 4
"""Where a condition does not hold, so many are rejected and returned; of those with a hit, so many handed on."""
NO = "家庭收入高于认定标准"
AGAIN = "户口簿首页看不清，请重拍"


class Hands:
    """Presses keys and counts them; every page that loads is counted, too."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = 0
        self.letters = 0
        self.loads = 0
        page.on("load", lambda _page: setattr(self, "loads", self.loads + 1))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys += len(key.split("+"))
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.letters += len(text)
        self.page.keyboard.insert_text(text)

    def on(self, pattern: str) -> None:
        self.page.wait_for_url(pattern)
        self.page.wait_for_load_state()


@pytest.fixture
def hundred(live_server) -> dict[str, list[Application]]:
    """A hundred cases of four schools before the county's reviewer, of the kinds above, in an order that mixes them."""
    set_training_date()
    county = CountyFactory()
    schools = [SchoolFactory(parent=TownshipFactory(parent=county)) for _ in range(4)]
    person("county_reviewer", county, username="county1", name="周静")
    colleague = acting(person("county_reviewer", county, name="孙梅"))
    order = sorted((number / count, kind) for kind, count in KINDS.items() for number in range(count))
    found: dict[str, list[Application]] = {kind: [] for kind in KINDS}
    for number, (_place, kind) in enumerate(order):
        application = at_step("county_review", school=schools[number % 4])
        found[kind].append(application)
        if kind == "unmet":
            application.findings = [{"code": "registered_household", "holds": False, "values": {}}]
            application.save()
        elif kind == "hit":
            Hit.objects.create(application=application, source="accounts", code="card_name_mismatch")
            Case.objects.filter(pk=application.pk).update(open_hits=1)
        elif kind == "suspended":
            Case.objects.filter(pk=application.pk).update(suspended_on="2026-09-07")
        elif kind == "held":
            perform(Claim(), [open_item_of(application.pk).pk], colleague)
    return found


def test_a_hundred_cases_are_decided_by_keyboard_alone(
    hundred: dict[str, list[Application]], open_page: OpenPage
) -> None:
    page = open_page()
    carry_session(page, "county1")
    page.goto("/queue/?per=100")
    hands = Hands(page)

    # What has nothing to note, all at once: the mark filter, tick all, approve, once more.
    hands.press("f", "ArrowDown")
    hands.on("**flags=clean**")
    hands.press("t", "a")
    expect(page.locator("h1")).to_have_text("通过：70 件")
    hands.press("Enter")
    hands.on("**done=**")

    # Hits: some are handed on to the colleague who knows, the others go on to the re-check.
    hands.press("f", "ArrowDown")
    hands.on("**flags=hits**")
    for _ in range(HAND_ON):
        hands.press("j", "x")
    hands.press("m", "h")
    hands.on("**/queue/act/")
    hands.press("ArrowDown", "Control+Enter")
    hands.on("**/queue/?**")
    hands.press("t", "a")
    expect(page.locator("h1")).to_have_text(f"通过：{KINDS['hit'] - HAND_ON} 件")
    hands.press("Space", "Enter")  # that what was found has been looked at
    hands.on("**done=**")

    # Conditions that do not hold: each is opened, some are refused, the others go back; the next one comes by itself.
    hands.press("f", "ArrowDown")
    hands.on("**flags=findings**")
    hands.press("j", "Enter")
    for number, application in enumerate(hundred["unmet"]):
        hands.on(f"**/cases/{application.pk}/**")
        refused = number < REJECT
        hands.press("d" if refused else "r", "ArrowDown", "Tab")
        hands.write(NO if refused else AGAIN)
        hands.press("Control+Enter")
    hands.on("**/queue/**")
    assert Counter(map(state_of, hundred["unmet"])) == {"rejected": REJECT, "returned": RETURN}
    assert Counter(map(state_of, hundred["clean"])) == {"data_check": KINDS["clean"]}

    # What is left is not the reviewer's to decide, and the queue says why.
    hands.press("1")
    hands.on("**/queue/?step=county_review**")
    expect(page.locator("table.queue tbody tr")).to_have_count(HAND_ON + KINDS["suspended"] + KINDS["held"])
    expect(page.locator("table.queue tbody tr .why-not")).to_have_count(HAND_ON + KINDS["suspended"] + KINDS["held"])
    SCREENS.parent.mkdir(parents=True, exist_ok=True)
    told = {"cases": sum(KINDS.values()), "keys": hands.keys, "letters": hands.letters, "page_loads": hands.loads}
    assert hands.keys <= 200
    assert hands.loads <= 60
    (SCREENS.parent / "reviewers_hour.json").write_text(json.dumps(told))
    print(told)
