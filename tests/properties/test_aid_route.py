"""Whatever happens to an application, in whatever order: what always holds (DOMAIN.md §3.1)."""

import itertools
from collections import defaultdict
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.cases import SCHOOL_PATH, STEPS, WHY, opened
from workflows import Reason, decide
from workflows.actors import SYSTEM, Actor, LiteralActor
from workflows.facts import add_noticed, set_facts
from workflows.flows.aid import AidFlow
from workflows.models import Case, Record, WorkItem
from workflows.nodes import Step
from workflows.states import ENDED

EVERYTHING = [
    *("submit_application", "withdraw_application", "cancel_application"),
    *("review_school", "review_township", "review_county", "recheck_county", "approve_county"),
]
PEOPLE: list[Actor] = [LiteralActor(key, key.upper(), {name: [""] for name in EVERYTHING}) for key in "abcdef"]
OUTCOMES = sorted({name for node in AidFlow.instance.nodes() for name in node.outcomes})
REASONS: dict[str, Reason] = WHY | {"approve": Reason("verified", "已逐人核实，情况属实无误")}


class Applications(RuleBasedStateMachine):
    """A few cases, people who hold every post, the system, facts that come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.cases: list[int] = []
        self.lines: dict[int, list[tuple[Any, ...]]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(steps=st.lists(st.sets(st.sampled_from(STEPS)), min_size=2, max_size=4))
    def open(self, steps: list[set[str]]) -> None:
        for passed in steps:
            self.cases += opened(by=SYSTEM, path=SCHOOL_PATH, steps=sorted(passed))

    # What people and the system do, to some of the cases at once.

    @rule(
        outcome=st.sampled_from(OUTCOMES),
        by=st.sampled_from([*PEOPLE, SYSTEM]),
        chosen=st.sets(st.integers(0, 3), min_size=1),
        reasoned=st.booleans(),
    )
    def decide(self, outcome: str, by: Actor, chosen: set[int], reasoned: bool) -> None:
        picked = [self.cases[number] for number in sorted(chosen) if number < len(self.cases)]
        items = {
            case: WorkItem.objects.filter(process_id=case).order_by("-id").values_list("id", flat=True)[0]
            for case in picked
        }
        before = self.states()
        results = decide(items.values(), outcome, by, reason=REASONS.get(outcome) if reasoned else None)
        after = self.states()
        for case, result in zip(items, results, strict=True):
            assert result.task_id == items[case]
            assert (before[case] == after[case]) or result.ok, "only what was answered with ok has moved"
        for case in set(self.cases) - set(picked):
            assert before[case] == after[case], "nothing else has moved"

    @rule(number=st.integers(0, 3))
    def onward(self, number: int) -> None:
        """Somebody unspent takes the case along its main line, so that walks reach the far end too."""
        case = self.cases[number % len(self.cases)]
        item = WorkItem.objects.filter(process_id=case, finished=None).first()
        if item is None:
            return
        step = item.flow_task
        if step.name in ("school_notice", "county_notice"):
            add_noticed([case], step.name)
        for by in [*PEOPLE, SYSTEM]:
            if decide([item.pk], step.onward, by, reason=REASONS["approve"] if step.name == "recheck" else None)[0].ok:
                break

    # What other rooms find out meanwhile.

    @rule(number=st.integers(0, 3), hits=st.integers(0, 2))
    def match(self, number: int, hits: int) -> None:
        set_facts([self.cases[number % len(self.cases)]], open_hits=hits)

    @rule(number=st.integers(0, 3), missing=st.sampled_from([[], ["account"]]))
    def supply(self, number: int, missing: list[str]) -> None:
        set_facts([self.cases[number % len(self.cases)]], missing=missing)

    @precondition(lambda self: self.cases)
    @rule(number=st.integers(0, 3), step=st.sampled_from(["school_notice", "county_notice"]))
    def conclude_notice(self, number: int, step: str) -> None:
        add_noticed([self.cases[number % len(self.cases)]], step)

    def states(self) -> dict[int, tuple[Any, ...]]:
        return {
            pk: rest
            for pk, *rest in Case.objects.filter(pk__in=self.cases).values_list(
                "pk", "state", "round", "resume", "finished"
            )
        }

    # What always holds.

    @invariant()
    def one_open_task_where_the_state_says_or_it_has_ended(self) -> None:
        for case in Case.objects.filter(pk__in=self.cases):
            waiting = list(WorkItem.objects.filter(process_id=case.pk, finished=None))
            if case.state in ENDED:
                assert waiting == []
                assert case.finished is not None
                assert case.status == "DONE"
            else:
                [item] = waiting
                assert isinstance(item.flow_task, Step)
                assert item.flow_task.state == case.state
                assert item.flow_task.passes(case.steps)
                assert (item.path, item.round, item.status) == (case.path, case.round, "NEW")
                assert (case.finished, case.status) == (None, "NEW")

    @invariant()
    def nobody_acts_at_two_levels_of_a_case(self) -> None:
        levels = defaultdict(set)
        for item in WorkItem.objects.filter(process_id__in=self.cases).exclude(decided_by=""):
            outcome = item.flow_task.outcomes[item.outcome]
            if outcome.level:
                levels[item.process_id, item.decided_by].add(outcome.level)
        assert all(len(acted) == 1 for acted in levels.values()), levels

    @invariant()
    def every_change_of_state_has_its_line(self) -> None:
        for case in Case.objects.filter(pk__in=self.cases):
            lines = list(Record.objects.filter(about="case", about_id=case.pk).order_by("id"))
            assert lines[0].state_from == ""
            for earlier, later in itertools.pairwise(lines):
                assert earlier.state_to == later.state_from
            assert lines[-1].state_to == case.state
            decided = {line.item for line in lines if line.act not in ("open", "skip", "accept")}
            done = WorkItem.objects.filter(process_id=case.pk, finished__isnull=False).exclude(outcome="")
            assert decided == set(done.values_list("pk", flat=True))

    @invariant()
    def history_only_grows(self) -> None:
        for case in self.cases:
            lines = list(Record.objects.filter(about="case", about_id=case).order_by("id").values_list())
            known = self.lines.get(case, [])
            assert lines[: len(known)] == known
            self.lines[case] = lines

    @invariant()
    def nothing_is_paid_without_its_notices(self) -> None:
        for case in Case.objects.filter(pk__in=self.cases, state__in=["disbursing", "completed"]):
            assert {step for step in case.steps if step.endswith("_notice")} <= set(case.noticed)

    @invariant()
    def links_form_one_line_from_the_draft(self) -> None:
        for case in self.cases:
            items = list(WorkItem.objects.filter(process_id=case).order_by("id"))
            assert list(items[0].previous.all()) == []
            for earlier, later in itertools.pairwise(items):
                assert list(later.previous.all()) == [earlier]


@pytest.mark.django_db
def test_what_always_holds_of_applications() -> None:
    run_state_machine_as_test(
        Applications,
        settings=settings(max_examples=15, stateful_step_count=25, suppress_health_check=list(HealthCheck)),
    )
    assert not connection.needs_rollback
