"""Routes: what viewflow promises of them, what their state machines allow, and what refuses to start."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.checks import run_checks
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from django_fsm import TransitionNotAllowed
from viewflow import this
from viewflow.workflow.base import Flow
from viewflow.workflow.chart import calc_layout_data, grid_to_bpmn, grid_to_svg
from viewflow.workflow.exceptions import FlowRuntimeError
from viewflow.workflow.lock import SelectForUpdateLock, no_lock

from tests.cases import COUNTY, HEAD, OFFICER, PEOPLE, STEPS, act, item_of, opened, stand, standing, state_of, step_of
from tests.workflows.leave.flows import LeaveCase, LeaveFlow
from workflows import checks, decide
from workflows.actors import SYSTEM, LiteralActor
from workflows.facts import add_noticed
from workflows.flows.aid import AidCase, AidFlow
from workflows.models import ActingLevel, Case, Link, WorkItem
from workflows.nodes import Draft, Ended, Review
from workflows.states import ENDED, NAMES
from workflows.ways import Stand, Way, way_of

pytestmark = pytest.mark.django_db


# ---------------------------------------------------------------- what refuses to start


@pytest.mark.parametrize("flow", [AidFlow, LeaveFlow])
def test_a_route_has_a_lock_and_its_state_machine_allows_every_edge(flow: Any) -> None:
    assert checks.faults_of(flow) == []
    assert isinstance(flow.lock_impl, SelectForUpdateLock)


def test_every_route_on_our_cases_is_checked() -> None:
    assert {AidFlow, LeaveFlow} <= set(checks.our_flows())
    assert [error for error in run_checks() if error.id.startswith("workflows.")] == []


def faulty(**body: Any) -> Any:
    """A route that is never imported by anything else; it leaves no trace in the list of routes."""
    body = {"process_class": AidCase, "task_class": WorkItem, "kind": "x", "__module__": "workflows.flows.aid"} | body
    return type("FaultyFlow", (Flow,), {"lock_impl": SelectForUpdateLock(nowait=False, attempts=1)} | body)


def faults(flow: Any) -> list[str]:
    return [f"{fault.id}: {fault.msg}" for fault in checks.faults_of(flow)]


def test_a_route_without_a_lock_is_refused() -> None:
    flow = faulty(lock_impl=no_lock, completed=Ended())
    assert faults(flow) == ["workflows.E001: FaultyFlow has no lock"]
    flow = type("FaultyFlow", (Flow,), {"process_class": AidCase, "task_class": WorkItem, "completed": Ended()})
    assert flow.lock_impl is no_lock, "viewflow's default"
    assert faults(flow) == ["workflows.E001: FaultyFlow has no lock"]


def test_an_edge_that_the_state_machine_does_not_know_is_refused() -> None:
    flow = faulty(draft=Draft("submit_application").Submit(this.approved), approved=Ended())
    assert faults(flow) == ["workflows.E002: FaultyFlow.draft --submit--> approved is no transition of AidCase"]


def test_an_edge_under_a_weaker_permission_is_refused_by_the_check_and_leads_nowhere() -> None:
    flow = faulty(school_review=Review("view_case", level="x").Reject(this.rejected), rejected=Ended())
    assert faults(flow) == [
        "workflows.E002: FaultyFlow.school_review --reject--> rejected needs 'view_case',"
        " the state machine 'review_school'"
    ]
    assert way_of(flow.school_review, "reject", Stand("school_review", (), "", True)) == "wrong_state"


def test_a_step_that_may_be_skipped_needs_the_state_machine_s_leave() -> None:
    flow = faulty(
        county_review=Review("review_county", optional=True).Approve(this.data_check),
        data_check=Review("system", optional=True).Approve(this.completed),
        completed=Ended(),
    )
    assert "workflows.E002: FaultyFlow.county_review --skip--> data_check is no transition of AidCase" in faults(flow)


def test_a_state_or_an_outcome_without_a_name_is_refused() -> None:
    flow = faulty(nameless=Review("review_school").on("shrug", this.rejected), rejected=Ended())
    assert "workflows.E003: FaultyFlow: the state 'nameless' has no name" in faults(flow)
    assert "workflows.E003: FaultyFlow: the outcome 'shrug' has no name" in faults(flow)


def test_a_task_left_open_on_a_step_that_no_longer_exists_refuses_to_start() -> None:
    [case] = opened()
    assert list(checks.check_open_items(None, databases=["default"])) == []
    WorkItem.objects.filter(process_id=case).update(flow_task="workflows/flows.aid.AidFlow.class_review")
    [error] = checks.check_open_items(None, databases=["default"])
    assert error.id == "workflows.E004"
    assert "AidFlow.class_review" in error.msg
    assert checks.check_open_items(None, databases=None) == []


def test_the_state_machine_holds_even_where_the_route_is_set_up_wrongly() -> None:
    """A route that pays without any notice: the state machine keeps the case where it is."""
    [case] = opened(steps=("school_notice", "payment"))
    stand(case, "school_notice")
    Case.objects.filter(pk=case).update(state="approved")
    WorkItem.objects.filter(process_id=case, finished=None).update(flow_task=AidFlow.payment)
    assert act(case, "disburse", SYSTEM).code == "not_noticed"
    add_noticed([case], "school_notice")
    assert act(case, "disburse", SYSTEM).ok


def test_a_case_that_skips_payment_skips_no_notice() -> None:
    """Skipping is a transition too, and has the conditions of what it passes over."""
    case = standing("county_notice", steps=("school_notice", "county_notice"))
    add_noticed([case], "county_notice")
    Case.objects.filter(pk=case).update(noticed=["county_notice"])
    assert act(case, "conclude", SYSTEM).code == "not_noticed"


def test_a_case_has_one_open_task_and_the_database_sees_to_it() -> None:
    [case] = opened()
    item = WorkItem.objects.get(process_id=case)
    with pytest.raises(IntegrityError, match="one_open_item_per_case"), transaction.atomic():
        WorkItem.objects.create(process_id=case, flow_task=item.flow_task, path=item.path)


def test_no_state_is_assigned_past_the_machine() -> None:
    case = AidCase.objects.get(pk=opened()[0])
    with pytest.raises(AttributeError):
        case.state = "approved"
    with pytest.raises(TransitionNotAllowed):
        case.approve()
    case.refresh_from_db()
    assert case.state == "draft"


def test_states_that_end_a_case_lead_nowhere() -> None:
    for state in ENDED:
        for name in dir(AidCase):
            machine = getattr(getattr(AidCase, name), "_django_fsm", None)
            assert machine is None or machine.get_transition(state) is None, (name, state)


# ---------------------------------------------------------------- the route as the trade knows it (DOMAIN.md §3.1)


def walked(**spec: Any) -> list[str]:
    """The steps at which a case stands on its way to the end, without trouble."""
    [case] = opened(**spec)
    stood = []
    while here := step_of(case):
        stood.append(here)
        if here in ("school_notice", "county_notice"):
            add_noticed([case], here)
        assert act(case, AidFlow.instance.node(here).onward, PEOPLE.get(here, SYSTEM)).ok
    return [*stood, state_of(case)]


def test_a_case_passes_the_steps_of_its_programme_and_office() -> None:
    everything = walked()
    assert everything == [
        "draft", "school_review", "school_notice", "township_review", "county_review", "data_check",
        "pending_approval", "county_notice", "payment", "disbursement", "completed",
    ]  # fmt: skip
    county_direct = walked(steps=[step for step in STEPS if step != "township_review"])
    assert county_direct == [step for step in everything if step != "township_review"]
    assert walked(steps=()) == ["draft", "school_review", "county_review", "completed"]


def test_a_hit_goes_to_recheck_and_back_to_the_county() -> None:
    case = standing("recheck")
    assert state_of(case) == "recheck"
    stand(case, "recheck")


def test_no_approval_while_a_hit_is_open() -> None:
    case = standing("pending_approval")
    Case.objects.filter(pk=case).update(open_hits=1)
    assert act(case, "approve", PEOPLE["pending_approval"]).code == "open_hit"


def test_nothing_is_withdrawn_while_it_stands_on_a_public_list() -> None:
    for step in ("school_notice", "county_notice"):
        assert act(standing(step), "withdraw", OFFICER, reason=None).code == "no_such_outcome"


def test_a_line_taken_off_a_list_is_judged_again() -> None:
    case = standing("county_notice")
    assert act(case, "adjust", COUNTY).ok
    assert (step_of(case), Case.objects.get(pk=case).round) == ("county_review", 2)


def test_who_voids_depends_on_where_it_stands() -> None:
    assert act(opened()[0], "cancel", OFFICER).ok
    assert act(standing("school_review"), "cancel", OFFICER).code == "not_permitted"
    assert act(standing("school_review"), "cancel", HEAD).ok


# ---------------------------------------------------------------- another kind of case


def test_the_engine_runs_a_route_that_has_nothing_to_do_with_aid() -> None:
    asker = LiteralActor("t", "张老师", {"ask_leave": [""]})
    head = LiteralActor("h", "校长", {"grant_leave": [""], "ask_leave": [""]})
    office = LiteralActor("o", "办公室", {"confirm_leave": [""]})
    short, long = opened(1, LeaveFlow, asker, steps=())[0], opened(1, LeaveFlow, asker, steps=("office_review",))[0]
    assert [act(case, "submit", asker).code for case in (short, long)] == ["ok", "ok"]
    assert [act(case, "approve", head).code for case in (short, long)] == ["ok", "ok"]
    assert (step_of(short), step_of(long)) == ("substitute", "office_review")
    assert act(long, "approve", office).ok
    assert [act(case, "found", head).code for case in (short, long)] == ["ok", "ok"]
    assert [state_of(case) for case in (short, long)] == ["granted", "granted"]
    assert isinstance(Case.objects.get(pk=short).coerced, LeaveCase)
    assert Case.objects.get(pk=short).programme == ""


def test_a_route_brings_its_own_states_outcomes_and_reasons() -> None:
    from workflows.nodes import OUTCOMES
    from workflows.reasons import reasons_for

    assert {"head_review", "granted", "school_review"} <= NAMES.keys()
    assert "found" in OUTCOMES
    offered = [code for code, _ in reasons_for("reject")]
    assert "term_exams" in offered
    assert offered[-1] == "other"


def test_a_state_means_the_same_in_every_route() -> None:
    from workflows.states import add_names

    with pytest.raises(ValueError, match="school_review"):
        add_names({"school_review": NAMES["draft"]})


# ---------------------------------------------------------------- viewflow's own API


def take(item: int, outcome: str) -> None:
    """Decides a task through viewflow's activation, under viewflow's lock."""
    with WorkItem.objects.get(pk=item).activation() as activation:
        activation.outcome = outcome
        activation.complete()
        activation.activate_next()


def test_a_step_waits_until_an_outcome_is_set() -> None:
    [case] = opened()
    with WorkItem.objects.get(pk=item_of(case)).activation() as activation:
        activation.activate()
        assert activation.status == "NEW"
        assert not activation.complete.can_proceed()
        assert not activation.create_next.can_proceed()
    assert step_of(case) == "draft"


def test_viewflow_s_own_api_takes_a_case_to_the_next_step_and_to_the_end() -> None:
    [case] = opened(steps=())
    for outcome in ("submit", "approve"):
        take(item_of(case), outcome)
    assert (step_of(case), state_of(case)) == ("county_review", "county_review")
    take(item_of(case), "approve")
    found = Case.objects.get(pk=case)
    assert (found.state, found.status, step_of(case)) == ("completed", "DONE", "")
    assert found.finished is not None
    assert found.task_set.count() == 4


def test_viewflow_s_own_api_obeys_the_state_machine() -> None:
    [case] = opened(missing=["account"])
    with pytest.raises(TransitionNotAllowed):
        take(item_of(case), "submit")
    with pytest.raises(FlowRuntimeError, match="no_such_outcome"):
        take(item_of(case), "approve")
    assert (step_of(case), state_of(case)) == ("draft", "draft")


def test_a_task_taken_through_viewflow_cannot_be_decided_again() -> None:
    [case] = opened()
    item = item_of(case)
    take(item, "submit")
    assert decide([item], "submit", OFFICER)[0].code == "closed"
    with WorkItem.objects.get(pk=item).activation() as activation:
        activation.outcome = "submit"
        assert not activation.complete.can_proceed()


# ---------------------------------------------------------------- the drawing


@pytest.mark.parametrize("flow", [AidFlow, LeaveFlow])
def test_the_route_is_drawn_with_every_step_and_outcome(flow: Any) -> None:
    grid = calc_layout_data(flow)
    svg = grid_to_svg(grid)
    ElementTree.fromstring(svg)
    for node in flow.instance.nodes():
        assert str(node.task_title) in svg, node.name
    edges = {(edge.src.name, edge.edge_class, edge.dst.name) for edge in grid.edges}
    first: dict[tuple[str, str], str] = {}
    for node in flow.instance.nodes():
        for way in node.outcomes.values():
            if way.target != "resume" and (node.name == "draft" or way.name not in ("withdraw", "cancel")):
                first.setdefault((node.name, way.target.name), way.name)  # two edges between two nodes have one id
    assert edges == {(source, name, target) for (source, target), name in first.items()}
    places = [(cell.col, cell.row) for cell in grid.cells]
    assert len(places) == len(set(places)), "no two steps on one place"


def test_the_drawing_speaks_the_reader_s_language() -> None:
    grid = calc_layout_data(AidFlow)
    assert "退回补正" in grid_to_svg(grid)
    with translation.override("en"):
        svg = grid_to_svg(calc_layout_data(AidFlow))
    assert "School Review" in svg  # viewflow writes titles with capitals
    assert "Approve" in svg


def test_the_bpmn_names_each_node_and_joins_them() -> None:
    root = ElementTree.fromstring(grid_to_bpmn(calc_layout_data(AidFlow)))
    namespace = {"b": "http://www.omg.org/spec/BPMN/20100524/MODEL"}
    flows = root.findall(".//b:sequenceFlow", namespace)
    known = {element.get("id") for element in root.iter() if element.get("id")}
    assert len(flows) > 20
    assert all(flow.get("sourceRef") in known and flow.get("targetRef") in known for flow in flows)
    ids = re.findall(r'id="(id_edge_[^"]+)"', grid_to_bpmn(calc_layout_data(AidFlow)))
    assert len(ids) == len(set(ids)), "an id names one edge"
    assert len(root.findall(".//b:endEvent", namespace)) == 4


# ---------------------------------------------------------------- lean tables


def test_links_and_levels_are_one_row_with_one_index() -> None:
    case = standing("school_notice")
    assert Link.objects.filter(to_workitem__process_id=case).count() == 2
    assert set(ActingLevel.objects.filter(case=case).values_list("person", "level")) == {
        ("officer", "submit"),
        ("head", "school"),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, count(*) FROM pg_indexes WHERE tablename IN"
            " ('workflows_link', 'workflows_actinglevel', 'workflows_case', 'workflows_workitem') GROUP BY 1 ORDER BY 1"
        )
        assert cursor.fetchall() == [
            ("workflows_actinglevel", 1),
            ("workflows_case", 2),
            ("workflows_link", 1),
            ("workflows_workitem", 10),
        ]


def test_a_way_is_worked_out_once() -> None:
    first = way_of(AidFlow.school_review, "reject", Stand("school_review", ("township_review",), "", True))
    assert isinstance(first, Way)
    assert first is way_of(
        AidFlow.school_review, "reject", Stand("school_review", ("township_review",), "county_review", True)
    )
