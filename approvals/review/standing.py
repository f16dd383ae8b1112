"""Why a waiting task is not the reader's to decide, and how far its signatures are. The engine asks again."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from approvals.review.case_file import LEVELS
from approvals.review.queries import Row
from workflows.bars import Bars, bars_of
from workflows.flows.aid import REVIEWERS, AidFlow
from workflows.nodes import OUTCOMES
from workflows.panels import SEES, Seated, Tally
from workflows.refusals import words
from workflows.versions import step_of

DECIDERS_OWN = ""
"""Stands for an outcome other than going on, which more may give than approve."""


class Person(NamedTuple):
    """The reader as the bars ask of him: his key, and whether a permission holds for him at an office."""

    key: str
    may: Callable[[str, str], bool]
    name: str = ""

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        return {path: "" for path in paths if self.may(permission, path)}


def obstacles(rows: Sequence[Row], by: Person) -> dict[int, str]:
    """Why the reader cannot decide these tasks now, {task: sentence}; without those he may decide. One statement."""
    bars = bars_of([row.case for row in rows], by.key) if rows else {}
    found = {row.task: _obstacle(row, by, bars[row.case]) for row in rows}
    return {task: sentence for task, sentence in found.items() if sentence}


def _obstacle(row: Row, by: Person, bars: Bars) -> str:
    if row.step not in REVIEWERS:
        return _("Nobody reviews it at present.")
    step = step_of(AidFlow.kind, row.step)
    tally = _tally(row, by.key)
    asked = any(seat.person == by.key for seat in row.seats)
    if not by.may(SEES if asked else step.permission, row.path):
        return _("Your posts do not decide this step.")
    refused = bars.refusal(by, row.path, step.level)
    if refused is not None and refused[0] == "other_level":
        return acted_sentence(bars.acted_at or "")
    if refused is None and row.holder not in ("", by.key):
        refused = ("held", {"name": row.holder_name})
    if refused is None and tally is not None and (code := tally.refusal(DECIDERS_OWN, step.onward)):
        refused = (code, {})
    return words(*refused) if refused is not None else ""


def _tally(row: Row, person: str) -> Tally | None:
    if not row.panel:
        return None
    seated = tuple(Seated(seat.person, seat.part, seat.vote) for seat in row.seats)
    return Tally(row.panel, row.share, row.quorum, "", person, seated)


def acted_sentence(level: str) -> str:
    """Why a person may not judge a case any more; empty where he may."""
    if not level:
        return ""
    return _("You have already acted on this case: %(level)s.") % {"level": LEVELS.get(level, level)}


def signed(row: Row) -> str:
    """How many have signed of those who sign, "2/3"; empty without a joint decision."""
    if not row.panel:
        return ""
    alone = row.panel == "added" and not any(seat.part == "base" for seat in row.seats)
    return f"{sum(bool(seat.vote) for seat in row.seats)}/{len(row.seats) + alone}"


def signers(row: Row) -> str:
    """Who signs, by name, with what each has signed."""
    not_yet = pgettext("signature", "not yet")
    return " · ".join(f"{seat.name} {OUTCOMES[seat.vote] if seat.vote else not_yet}" for seat in row.seats)
