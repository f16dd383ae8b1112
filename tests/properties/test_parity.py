"""`decide` keeps viewflow's promises: the same walk through viewflow's own activations leaves the same rows."""

import random
from typing import Any

import pytest
from django_fsm import TransitionNotAllowed
from viewflow.workflow.exceptions import FlowRuntimeError

from tests.cases import CHECKED, STEPS, WHY, opened
from workflows import Result, decide, guards
from workflows.actors import SYSTEM, Actor, LiteralActor
from workflows.facts import add_noticed, set_facts
from workflows.flows.aid import AidFlow
from workflows.flows.aid_2027 import AidFlow2027
from workflows.models import Case, Link, WorkItem
from workflows.nodes import Automatic, Review, Step

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_asking_for_an_objection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edges that follow an objection are walked without one: viewflow knows nothing of it."""
    for edge in [edge for edge in guards._guards if edge[2] in ("uphold", "amend")]:
        monkeypatch.delitem(guards._guards, edge)


class Anybody(LiteralActor):
    """Somebody new at every decision, who may do everything, the system's work too: the route alone is compared."""

    def permits(self, permission: str, paths: Any) -> dict[str, str]:
        return dict.fromkeys(paths, "post")


def rows_of(case: int) -> dict[str, Any]:
    """A case's row, its work items and their links, without ids and instants."""
    row = Case.objects.values().get(pk=case)
    items = list(WorkItem.objects.filter(process_id=case).order_by("id").values())
    order = {item["id"]: number for number, item in enumerate(items)}
    links = Link.objects.filter(from_workitem__in=order).values_list("from_workitem", "to_workitem")
    return {
        "case": {name: value for name, value in row.items() if name not in ("id", "created", "finished")},
        "ended": row["finished"] is not None,
        "items": [
            {name: value for name, value in item.items() if name not in OWN}
            | {name: item[name] is not None for name in ("started", "finished", "assigned", "scheduled")}
            for item in items
        ],
        "links": sorted((order[later], order[earlier]) for later, earlier in links),
    }


OWN = ("id", "process_id", "created", "started", "finished", "assigned", "scheduled", "decided_by")
"""Keys and instants are each row's own; who decided is not asked by viewflow's API."""


def by_viewflow(item: WorkItem, outcome: str, to: str = "") -> bool:
    try:
        with item.activation() as activation:
            activation.outcome, activation.to = outcome, to
            activation.complete()
            activation.activate_next()
    except (TransitionNotAllowed, FlowRuntimeError):
        return False
    return True


def by_decide(item: WorkItem, outcome: str, by: Actor, to: str = "") -> Result:
    reason = WHY.get(outcome) or (CHECKED if outcome == "approve" else None)
    return decide([item.pk], outcome, by, reason=reason, data={"to": to} if to else None)[0]


class Twins:
    """Two cases that stand alike: one goes through `decide`, one through viewflow's own activations."""

    def __init__(self, flow: Any, **spec: Any) -> None:
        self.ours, self.theirs = opened(2, flow, SYSTEM, **spec)
        self.turn = 0
        self.last: tuple[Actor, str] | None = None
        """Who decided last, the system aside, and at which step."""

    @property
    def step(self) -> Step | None:
        item = self.waiting(self.ours)
        return item.flow_task if item else None

    def waiting(self, case: int) -> WorkItem | None:
        return WorkItem.objects.filter(process_id=case, finished=None).first()

    def go(self, outcome: str, to: str = "") -> bool:
        """Takes an outcome on both sides; whether it was taken, the same on both. Then every row is the same."""
        step, self.turn = self.step, self.turn + 1
        assert step is not None
        by: Actor = SYSTEM if isinstance(step, Automatic) else Anybody(f"person{self.turn}", "P")
        if outcome == "take_back" and self.last is not None:
            by, to = self.last
        items = self.waiting(self.ours), self.waiting(self.theirs)
        assert items[0] is not None
        assert items[1] is not None
        taken = by_decide(items[0], outcome, by, "" if outcome == "take_back" else to)
        if taken.code in ("not_your_decision", "acted_on"):
            return False  # of whose decision it was, viewflow knows nothing
        assert by_viewflow(items[1], outcome, to) is taken.ok, (step.name, outcome, to, taken)
        assert rows_of(self.theirs) == rows_of(self.ours), (step.name, outcome, to)
        if taken.ok and not isinstance(step, Automatic):
            self.last = None if outcome == "take_back" else (by, step.name)
        return taken.ok


@pytest.mark.parametrize("seed", range(30))
def test_a_random_walk_leaves_the_same_case_items_and_links(seed: int) -> None:
    chance = random.Random(seed)
    flow = chance.choice([AidFlow, AidFlow2027])
    twins = Twins(
        flow,
        steps=[step for step in (*STEPS, "class_review", "class_notice", "township_notice") if chance.random() < 0.7],
        limits={
            step: chance.randint(1, 15) for step in (*STEPS, "school_review", "correction") if chance.random() < 0.6
        },
        returns=chance.choice(["straight", "all"]),
        programme="living_subsidy",
        term="2026-2027-1",
    )
    both = [twins.ours, twins.theirs]
    reviews = [node.name for node in flow.instance.nodes() if isinstance(node, Review)]
    everything = sorted({name for node in flow.instance.nodes() for name in node.outcomes} | {"take_back"})
    for _ in range(30):
        step = twins.step
        if step is None:
            break
        if chance.random() < 0.8 and step.name.endswith("_notice"):
            add_noticed(both, step.name)
        set_facts(both, open_hits=chance.choice([0, 0, 1]), missing=chance.choice([[], [], [], ["account"]]))
        offered = [
            name for name in step.outcomes if name not in ("withdraw", "cancel", "reject") or chance.random() < 0.1
        ]
        outcome = chance.choice([*offered, step.onward, "take_back"] if chance.random() < 0.9 else everything)
        twins.go(outcome, chance.choice(["", *reviews]) if outcome == "return" else "")
    assert twins.step is None or twins.turn == 30


Walk = list[tuple[str, str]]
UP: Walk = [("submit", ""), ("approve", ""), ("approve", "")]
"""From the draft over class and school to the township's review, without the school's notice."""
WALKS: dict[str, tuple[str, Walk, str]] = {
    "returned for correction, straight back": ("straight", [("return", ""), ("resubmit", "")], "township_review"),
    "returned for correction, through all": ("all", [("return", ""), ("resubmit", "")], "class_review"),
    "to the school, straight back": ("straight", [("return", "school_review"), ("approve", "")], "township_review"),
    "to the class, straight back": ("straight", [("return", "class_review"), ("approve", "")], "township_review"),
    "to the class, through all": ("all", [("return", "class_review"), ("approve", "")], "school_review"),
    "taken back": ("straight", [("approve", ""), ("take_back", "")], "township_review"),
    "a return taken back": ("straight", [("return", ""), ("take_back", "")], "township_review"),
    "a resubmission taken back": ("straight", [("return", ""), ("resubmit", ""), ("take_back", "")], "correction"),
    "taken back and resubmitted": (
        "straight",
        [("return", ""), ("resubmit", ""), ("take_back", ""), ("resubmit", "")],
        "township_review",
    ),
    "sent straight back, taken back, sent again": (
        "straight",
        [("return", "school_review"), ("approve", ""), ("take_back", ""), ("approve", "")],
        "township_review",
    ),
    "returned twice": (
        "straight",
        [("return", "school_review"), ("return", "class_review"), ("approve", ""), ("approve", "")],
        "township_review",
    ),
    "taken back over what the system did": (
        "straight",
        [("approve", ""), ("approve", ""), ("clear", ""), ("take_back", "")],
        "county_review",
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_each_way_back_is_viewflow_s_too(name: str) -> None:
    returns, walk, where = WALKS[name]
    steps = [step for step in (*STEPS, "class_review") if step != "school_notice"]
    twins = Twins(AidFlow2027, steps=steps, returns=returns)
    for outcome, to in [*UP, *walk]:
        assert twins.go(outcome, to), (outcome, to)
    assert twins.step is not None
    assert twins.step.name == where
