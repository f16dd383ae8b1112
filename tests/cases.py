"""Cases on a route without pupils or offices: what the engine's own tests decide on.

[case] = opened(1)                      # a draft of a school under a township
stand(case, "county_review")            # walked there by the people below
result = act(case, "approve", COUNTY)
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from workflows import CaseSpec, Reason, Result, decide, open_cases
from workflows.actors import SYSTEM, Actor, LiteralActor
from workflows.facts import add_noticed, set_facts
from workflows.flows.aid import AidFlow
from workflows.models import Case, WorkItem

COUNTY_PATH, TOWNSHIP_PATH, SCHOOL_PATH = "0001", "00010001", "000100010001"
STEPS = (
    "school_notice",
    "township_review",
    "data_check",
    "pending_approval",
    "county_notice",
    "payment",
    "disbursement",
)

OFFICER = LiteralActor(
    "officer", "王老师", {"submit_application": [SCHOOL_PATH], "withdraw_application": [SCHOOL_PATH]}
)
HEAD = LiteralActor("head", "李校长", {"review_school": [SCHOOL_PATH], "cancel_application": [SCHOOL_PATH]})
TOWNSHIP = LiteralActor("township", "乡镇审核员", {"review_township": [TOWNSHIP_PATH]})
COUNTY = LiteralActor("county", "县级审核员", {"review_county": [COUNTY_PATH]})
RECHECKER = LiteralActor("second", "县级复核员", {"recheck_county": [COUNTY_PATH], "cancel_application": [COUNTY_PATH]})
LEADER = LiteralActor("leader", "分管领导", {"approve_county": [COUNTY_PATH]})
PEOPLE: dict[str, Actor] = {
    "draft": OFFICER,
    "correction": OFFICER,
    "school_review": HEAD,
    "township_review": TOWNSHIP,
    "county_review": COUNTY,
    "recheck": RECHECKER,
    "pending_approval": LEADER,
}
"""Who decides at a step; at the others the system does."""

WHY = {
    "return": Reason("form_incomplete", "缺少监护人签字，请补正后重新提交"),
    "reject": Reason("conditions_not_met", "经核查不符合本项目的资助条件"),
    "cancel": Reason("entered_in_error", "录入错误，同一学生重复录入"),
    "adjust": Reason("line_withdrawn", "公示期间发现等次有误，撤下重审"),
    "uphold": Reason("objection_upheld", "经入户核实，反映的情况属实"),
    "amend": Reason("objection_adjusted", "经入户核实，等次应当降低"),
}
CHECKED = Reason("verified", "已逐人核实，情况属实无误")


def opened(count: int = 1, flow: Any = AidFlow, by: Actor = OFFICER, **spec: Any) -> list[int]:
    """Opens drafts; `spec` overrides the `CaseSpec` of a school under a township with every step."""
    given = {"path": SCHOOL_PATH, "steps": STEPS} | spec
    with transaction.atomic():
        return open_cases(flow, [CaseSpec(**given) for _ in range(count)], by)


def item_of(case: int) -> int:
    """The open task of a case."""
    return WorkItem.objects.get(process_id=case, finished=None).pk


def items_of(cases: Iterable[int]) -> list[int]:
    """The open tasks of cases, in the order of `cases`."""
    found = dict(WorkItem.objects.filter(process_id__in=cases, finished=None).values_list("process_id", "id"))
    return [found[case] for case in cases]


def step_of(case: int) -> str:
    """The step at which a case waits; empty once it has ended."""
    ref = WorkItem.objects.filter(process_id=case, finished=None).values_list("flow_task", flat=True).first()
    return ref.name if ref else ""


def state_of(case: int) -> str:
    return Case.objects.values_list("state", flat=True).get(pk=case)


def act(case: int, outcome: str, by: Actor, reason: Reason | None = None, **also: Any) -> Result:
    """Decides the open task of one case."""
    [result] = decide([item_of(case)], outcome, by, reason=reason or WHY.get(outcome), **also)
    return result


def stand(case: int, step: str) -> int:
    """Walks a case along the main line until it waits at `step`; for recheck, with a hit. Returns the case."""
    while (here := step_of(case)) != step:
        assert here, f"case {case} ended in {state_of(case)} before {step}"
        outcome = AidFlow.instance.node(here).onward
        if here.endswith("_notice"):
            add_noticed([case], here)
        if here == "data_check" and step == "recheck":
            set_facts([case], open_hits=1)
            outcome = "hit"
        result = act(case, outcome, PEOPLE.get(here, SYSTEM), reason=CHECKED if here == "recheck" else None)
        assert result.ok, (here, outcome, result)
    return case


def standing(step: str, **spec: Any) -> int:
    """A new case that waits at `step`."""
    return stand(opened(1, **spec)[0], step)
