"""Whatever is done about objections, in whatever order: no line is held for ever, and no held case moves."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.notices import actions as notices
from approvals.notices.models import Notice, Objection
from approvals.notices.objections import actions
from approvals.notices.objections.models import ENDED, OUTCOMES
from approvals.notices.refusals import Refused
from tests.approvals.notices.objections.conftest import REPLY, Scene
from tests.approvals.notices.objections.test_life import MOVED_AWAY, NO_FACTS, WRONG
from tests.factories import FIRST_DAY, CountyFactory, acting, person, set_training_date
from workflows import decide
from workflows.background import run_due
from workflows.clock import today
from workflows.models import Case, Record
from workflows.queries import open_items

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("object"), st.sampled_from([1, 2, None])),
        st.tuples(st.sampled_from(["accept", "not_accept", "refer", "assign", "appeal"]), st.integers(0, 3)),
        st.tuples(st.just("decide"), st.tuples(st.integers(0, 3), st.sampled_from([code for code, _ in OUTCOMES]))),
        st.tuples(st.just("day"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["withdraw", "push"]), st.sampled_from([1, 2])),
        st.tuples(st.just("void"), st.none()),
    ),
    min_size=3,
    max_size=14,
)


class Story:
    """One sequence of acts, with the receipts that were given."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.receipts: dict[int, str] = {}

    def do(self, act: str, given: Any) -> None:
        held = set(self.held())
        before = {case: self.case(case) for case in held}
        try:
            with transaction.atomic():
                moved_by_it = getattr(self, act)(given)
        except (Refused, PermissionDenied):
            moved_by_it = None
        for case in held:
            assert self.case(case) == before[case] or case == moved_by_it, (act, given)

    def held(self) -> list[int]:
        return list(self.scene.notice.lines.filter(state="objected").values_list("case", flat=True))

    def case(self, case: int) -> str:
        return str(Case.objects.values_list("state", flat=True).get(pk=case))

    def one(self, number: int) -> Objection:
        found = list(Objection.objects.order_by("pk"))
        if not found:
            raise Refused("no_such_receipt")
        return found[number % len(found)]

    def object(self, line: int | None) -> None:
        objection, digits = self.scene.sent(line, "other")
        self.receipts[objection.pk] = digits

    def handler(self, objection: Objection) -> Any:
        return self.scene.leader if objection.path == CountyFactory().path else self.scene.head

    def accept(self, number: int) -> None:
        actions.accept(self.one(number).pk, self.handler(self.one(number)))

    def not_accept(self, number: int) -> None:
        actions.not_accept(self.one(number).pk, self.handler(self.one(number)), NO_FACTS)

    def refer(self, number: int) -> None:
        actions.refer(self.one(number).pk, self.handler(self.one(number)))

    def assign(self, number: int) -> None:
        objection = self.one(number)
        free = [who for who in actions.eligibility.candidates(objection) if not who.reasons]
        if free:
            actions.assign(objection.pk, free[0].user_id, self.handler(objection))

    def decide(self, given: tuple[int, str]) -> int | None:
        objection = self.one(given[0])
        if objection.investigator is None:
            return None
        actions.decide(objection.pk, acting(objection.investigator), given[1], REPLY)
        return objection.line.case_id if objection.line else None

    def appeal(self, number: int) -> None:
        actions.appeal(self.receipts[self.one(number).pk], "核实时没有问过邻居，请再核实。")

    def day(self, days: int) -> None:
        set_training_date(today() + timedelta(days=days))
        run_due()

    def withdraw(self, number: int) -> None:
        notices.withdraw_line(self.scene.line(number).pk, self.scene.place.reviewer, MOVED_AWAY)

    def push(self, number: int) -> None:
        """Past every page: the engine itself is asked."""
        case = self.scene.line(number).case_id
        items = open_items("aid", "school_notice", [case])
        for item in items.values():
            decide([item], "adjust", self.scene.place.reviewer, MOVED_AWAY)
            decide([item], "take_back", self.scene.head)

    def void(self, _given: None) -> None:
        notices.void(self.scene.notice.pk, self.scene.head, WRONG)

    def end(self) -> None:
        """The offices do what is owed, and time passes."""
        for round_ in range(6):
            for number in range(Objection.objects.count()):
                self.do("accept", number)
                self.do("assign", number)
                self.do("decide", (number, "dismissed" if round_ % 2 else "upheld"))
            self.do("day", 7)


@pytest.fixture
def story(scene: Scene) -> Story:
    for _ in range(8):
        person("county_second_reviewer", CountyFactory())
    return Story(scene)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_line_is_held_for_ever_and_no_held_case_moves(story: Story, steps: list[tuple[str, Any]]) -> None:
    with transaction.atomic():
        set_training_date(FIRST_DAY)
        story.receipts.clear()
        for act, value in steps:
            story.do(act, value)
        story.end()
        notice = Notice.objects.get(pk=story.scene.notice.pk)
        assert not Objection.objects.exclude(state__in=ENDED).exists()
        assert story.held() == []
        assert not notice.lines.filter(state="objected").exists()
        assert notice.state in ("voided", "closed", "concluded", "taken_down")
        assert not notice.lines.filter(state="listed", open=True).exists()
        for line in notice.lines.all():
            moves = Record.objects.filter(about="case", about_id=line.case_id, act__in=["uphold", "amend", "conclude"])
            assert moves.count() <= 1, line.number
        transaction.set_rollback(True)
