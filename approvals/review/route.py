"""Where a case stands on its route: the stepper's places, and the drawing of the route (DESIGN §11).

viewflow's own chart is kept for administrators; its labels overlap, so people see this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows.models import Case, Record
from workflows.nodes import Draft, Ended, Review, Step
from workflows.states import ENDED, NAMES

SKIPPED: dict[str, Promise] = {
    "township_review": _("County-direct school: not under a township"),
    "township_notice": _("County-direct school: not under a township"),
}
NOT_IN_PROGRAMME = _("Not part of this programme")
CORRECTION, RECHECK = "correction", "recheck"


@dataclass(frozen=True, slots=True)
class Place:
    """A step of the route as one case sees it. `status` is done, current, ahead, skipped or stopped."""

    name: str
    status: str
    note: Promise | str = ""


def main_line(flow: Any) -> list[Step]:
    """The steps of a route in the order in which a case without trouble passes them."""
    node: Any = next(node for node in flow.instance.nodes() if isinstance(node, Draft))
    line: list[Step] = []
    while not isinstance(node, Ended):
        if not node.through:
            line.append(node)
        node = node.outcomes[node.onward].target
    return line


def places(case: Case, step: str, records: Sequence[Record]) -> list[Place]:
    """The places of a case's stepper. `step` is where its open task waits, empty once it has ended.

    A side step (re-check, correction) is shown beside the step it belongs to while the case is there; a re-check
    stays, since the case comes back to the county review from it.
    A case that ended before the end of the line is shown as stopped where it was.
    """
    line = main_line(case.flow_class)
    names = [node.name for node in line]
    here, beside = _standing(case, step, names, records)
    rechecked = any(line.step == RECHECK and line.act == "approve" for line in records)
    shown: list[Place] = []
    for number, node in enumerate(line):
        if number == here and beside == CORRECTION:
            shown.append(Place(beside, "current"))
        shown.append(_place(node, case, number - here, step, beside))
        if number == here and beside == RECHECK:
            shown.append(Place(beside, "current"))
        elif node.name == "data_check" and rechecked:
            shown.append(Place(RECHECK, "done"))
    return shown


def _place(node: Step, case: Case, ahead: int, step: str, beside: str) -> Place:
    """One step of the line, `ahead` of where the case stands (behind it when negative)."""
    if not node.passes(case.steps):
        return Place(node.name, "skipped", SKIPPED.get(node.name, NOT_IN_PROGRAMME))
    if ahead < 0 or (ahead == 0 and beside == RECHECK):
        return Place(node.name, "done")
    if ahead > 0 or beside:
        return Place(node.name, "ahead")
    return Place(node.name, "current") if step else Place(node.name, "stopped", NAMES[case.state])


def _standing(case: Case, step: str, names: list[str], records: Sequence[Record]) -> tuple[int, str]:
    """The index on the main line at which a case stands, and the side step it is on, if any."""
    if step in names:
        return names.index(step), ""
    if step == CORRECTION:
        resumed = case.resume if case.resume in names else "county_review"
        return names.index(resumed), CORRECTION
    if step == RECHECK:
        return names.index("data_check"), RECHECK
    if case.state == "completed":
        return len(names), ""
    left = next((line.step for line in reversed(records) if line.state_to in ENDED and line.step), names[0])
    if left not in names:
        left = "data_check" if left == RECHECK else case.resume if case.resume in names else names[0]
    return names.index(left), ""


# ---------------------------------------------------------------- the drawing

WIDTH, HEIGHT, GAP = 200, 52, 40
SIDE, WIDE_SIDE, MARGIN, TOP = 104, 176, 14, 24
LEFT = MARGIN + WIDE_SIDE + 140
"""Where the main line begins: the way back to correction needs room for its words."""


@dataclass(frozen=True, slots=True)
class Box:
    """A step in the drawing, in SVG units; `status` as of `Place`."""

    name: str
    status: str
    x: int
    y: int
    note: Promise | str = ""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def centre(self) -> int:
        return self.y + self.height // 2

    @property
    def text_y(self) -> int:
        return self.centre + (-3 if self.note else 5)

    @property
    def note_y(self) -> int:
        return self.centre + 16


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge in the drawing: the path it runs along, and the outcome it stands for, written at (x, y)."""

    path: str
    outcome: str = ""
    x: int = 0
    y: int = 0
    anchor: str = "middle"
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything the drawing of a route needs; the template gives it words in the reader's language."""

    boxes: list[Box]
    arrows: list[Arrow]
    width: int
    height: int


def drawing(case: Case, step: str, records: Sequence[Record]) -> Drawing:
    """The route of a case from top to bottom: correction on the left, re-check and refusal on the right."""
    standing = {place.name: place for place in places(case, step, records)}
    line = main_line(case.flow_class)
    boxes = [
        Box(node.name, standing[node.name].status, LEFT, TOP + number * (HEIGHT + GAP), standing[node.name].note)
        for number, node in enumerate(line)
    ]
    finish = Box("completed", "current" if case.state == "completed" else "ahead", LEFT, boxes[-1].bottom + GAP)
    arrows = [
        _down(one, two, node.onward, taken=one.status == "done" and (one.name, step) != ("data_check", RECHECK))
        for node, one, two in zip(line, boxes, [*boxes[1:], finish], strict=True)
    ]
    by_name = {box.name: box for box in boxes}
    reviews = [by_name[node.name] for node in line if isinstance(node, Review)]
    again, hits = _recheck(by_name, step)
    correction, returns = _correction(reviews, again, case.resume if step == CORRECTION else "")
    rejected, refusals = _refusal([*reviews, again], again.right + 62, case.state == "rejected")
    return Drawing(
        [*boxes, finish, again, correction, rejected],
        [*refusals, *arrows, *hits, *returns],
        rejected.right + MARGIN,
        finish.bottom + TOP,
    )


def _down(one: Box, two: Box, outcome: str, *, taken: bool) -> Arrow:
    words = "" if one.status == "skipped" else outcome
    return Arrow(f"M{one.middle} {one.bottom} V{two.y}", words, one.middle + 8, one.bottom + 28, "start", taken)


def _recheck(by_name: dict[str, Box], step: str) -> tuple[Box, list[Arrow]]:
    """Re-check, to the right of the data check that sends cases there; it leads back to the county's review."""
    check, review, here = by_name["data_check"], by_name["county_review"], step == RECHECK
    box = Box(RECHECK, "current" if here else "ahead", check.right + 50, check.y, width=SIDE)
    back = f"M{box.middle} {box.y} V{review.bottom - 10} H{review.right}"
    return box, [
        Arrow(f"M{check.right} {check.centre} H{box.x}", "hit", check.right + 25, check.centre - 6, taken=here),
        Arrow(back, "approve", box.middle + 6, box.y - 12, "start"),
    ]


def _correction(reviews: list[Box], again: Box, resume: str) -> tuple[Box, list[Arrow]]:
    """Correction by the school, to the left of every review that may return a case to it."""
    height = reviews[-1].bottom - reviews[0].y
    box = Box(CORRECTION, "current" if resume else "ahead", MARGIN, reviews[0].y, width=WIDE_SIDE, height=height)
    halfway = (box.right + LEFT) // 2
    arrows = []
    for review in reviews:
        there, back = review.centre - 8, review.centre + 10
        taken = review.name == resume
        arrows.append(Arrow(f"M{review.x} {there} H{box.right}", "return", halfway, there - 6, taken=taken))
        arrows.append(Arrow(f"M{box.right} {back} H{review.x}", "resubmit", halfway, back + 15))
    under = again.bottom + 12
    taken = again.name == resume
    arrows.append(
        Arrow(f"M{again.middle} {again.bottom} V{under} H{box.right}", "return", halfway, under - 6, taken=taken)
    )
    return box, arrows


def _refusal(reviews: list[Box], x: int, ended: bool) -> tuple[Box, list[Arrow]]:
    """Refusal, to the right of every review that may lead to it."""
    top, bottom = min(box.y for box in reviews), max(box.bottom for box in reviews)
    box = Box("rejected", "stopped" if ended else "ahead", x, top, width=SIDE, height=bottom - top)
    return box, [
        Arrow(f"M{review.right} {review.centre} H{x}", "reject", x - 31, review.centre - 6) for review in reviews
    ]
