"""A public list, somebody who objects to it, and the offices that handle it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from approvals.notices.models import Notice, NoticeLine, Objection
from approvals.notices.objections import actions
from approvals.organisations.authority import UserActor
from tests.approvals.notices.conftest import Place
from tests.factories import CountyFactory, acting, person, set_training_date
from workflows.background import run_due
from workflows.models import Case

REPLY = "您反映的关于名单第1号的问题收悉。经入户核实并调取部门比对结果，情况属实。结论见上。"
ELSEWHERE, HERE = b"e" * 32, b"h" * 32
"""Where something is sent from."""


@dataclass
class Scene:
    """A notice of a place, and the people of its objections."""

    place: Place
    notice: Notice
    head: UserActor
    teacher: UserActor
    leader: UserActor
    clerk: UserActor
    """The school's head and class teacher, the county's leader and second reviewer."""
    nonces: list[str] = field(default_factory=list)

    def object(self, line: int | None = 1, ground: str = "not_in_hardship", **given: Any) -> Objection:
        return self.sent(line, ground, **given)[0]

    def sent(self, line: int | None = 1, ground: str = "not_in_hardship", **given: Any) -> tuple[Objection, str]:
        """An objection and its receipt number."""
        self.nonces.append(f"nonce-{len(self.nonces)}")
        text = given.pop("text", "他家在县城开店，去年买了新车，不算困难。")
        place = given.pop("place", bytes([len(self.nonces) % 250]) * 32)
        statement = actions.Statement(line, ground, text, **given)
        return actions.receive(self.notice.pk, statement, self.nonces[-1], place)

    def accepted(self, line: int | None = 1, **given: Any) -> Objection:
        return actions.accept(self.object(line, **given).pk, self.head)

    def investigated(self, line: int | None = 1, **given: Any) -> Objection:
        return actions.assign(self.accepted(line, **given).pk, self.teacher.user_id, self.head)

    def line(self, number: int = 1) -> NoticeLine:
        return NoticeLine.objects.get(notice=self.notice, number=number)

    def state_of(self, number: int = 1) -> str:
        """What the case of a line legally is."""
        return Case.objects.values_list("state", flat=True).get(pk=self.line(number).case_id)

    def on(self, day: date) -> None:
        """The sweeps of a later day."""
        set_training_date(day)
        run_due()


def scene_of(place: Place) -> Scene:
    county = CountyFactory()
    return Scene(
        place,
        place.published(3),
        place.signer,
        acting(person("class_teacher", place.school)),
        acting(person("county_leader", county)),
        acting(person("county_second_reviewer", county)),
    )


@pytest.fixture
def scene(school_place: Place) -> Scene:
    return scene_of(school_place)
