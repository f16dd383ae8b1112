"""`decide` keeps viewflow's promises: the same walk through viewflow's own activations leaves the same rows."""

import random
from typing import Any

import pytest
from django_fsm import TransitionNotAllowed
from viewflow.workflow.exceptions import FlowRuntimeError

from tests.cases import STEPS, WHY, opened
from workflows import Reason, decide
from workflows.actors import LiteralActor
from workflows.facts import add_noticed, set_facts
from workflows.flows.aid import AidFlow
from workflows.models import Case, Link, WorkItem

pytestmark = pytest.mark.django_db


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


def by_viewflow(item: WorkItem, outcome: str) -> bool:
    try:
        with item.activation() as activation:
            activation.outcome = outcome
            activation.complete()
            activation.activate_next()
    except (TransitionNotAllowed, FlowRuntimeError):
        return False
    return True


def by_decide(item: WorkItem, outcome: str, person: str) -> bool:
    reason = WHY.get(outcome) or (Reason("verified", "已逐人核实，情况属实无误") if outcome == "approve" else None)
    return decide([item.pk], outcome, Anybody(person, person), reason=reason)[0].ok


@pytest.mark.parametrize("seed", range(12))
def test_a_random_walk_leaves_the_same_case_items_and_links(seed: int) -> None:
    chance = random.Random(seed)
    spec = {
        "steps": [step for step in STEPS if chance.random() < 0.7],
        "limits": {
            step: chance.randint(1, 15) for step in (*STEPS, "school_review", "correction") if chance.random() < 0.6
        },
        "programme": "living_subsidy",
        "term": "2026-2027-1",
    }
    ours, theirs = opened(2, **spec)
    everything = sorted({name for node in AidFlow.instance.nodes() for name in node.outcomes})
    for turn in range(25):
        waiting = [WorkItem.objects.filter(process_id=case, finished=None).first() for case in (ours, theirs)]
        if waiting[0] is None:
            break
        step = waiting[0].flow_task
        if chance.random() < 0.8:
            add_noticed([ours, theirs], step.name) if step.name.endswith("_notice") else None
        set_facts([ours, theirs], open_hits=chance.choice([0, 0, 1]), missing=chance.choice([[], [], ["account"]]))
        offered = [
            name for name in step.outcomes if name not in ("withdraw", "cancel", "reject") or chance.random() < 0.1
        ]
        outcome = chance.choice(offered if chance.random() < 0.9 else everything)
        moved = by_decide(waiting[0], outcome, f"person{turn}")
        assert by_viewflow(waiting[1], outcome) is moved, (step.name, outcome)
        assert rows_of(theirs) == rows_of(ours), (step.name, outcome)
    assert waiting[0] is None or turn > 3
