"""System checks: a route without a lock, or that its state machine does not allow, or that open tasks have outlived,
refuses to start.
"""

from collections.abc import Iterator
from typing import Any

from django.core.checks import Error, Tags, register
from django.db import connections
from viewflow.workflow.lock import no_lock

from workflows.models import WorkItem
from workflows.nodes import OUTCOMES, RESUME, Outcome, Step
from workflows.states import NAMES
from workflows.versions import our_flows, versions_of
from workflows.ways import PASS_BACK, earlier_reviews, order_of, step_at, transition_of


@register()
def check_flows(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Each route has a lock; each of its edges, skips included, is a transition of its state machine under the same
    permission; each state and outcome has a name.
    """
    return [error for flow in our_flows() for error in faults_of(flow)]


def faults_of(flow: Any) -> list[Error]:
    """What is wrong with one route."""
    errors = []
    version = getattr(flow, "version", 0)
    same = [other for other in versions_of(flow.kind) if other.version == version] if version else []
    if len(same) > 1:
        errors.append(Error(f"{flow.__name__}: another route is version {version} too", id="workflows.E005"))
    if flow.lock_impl is no_lock:
        errors.append(Error(f"{flow.__name__} has no lock", id="workflows.E001"))
    for node in flow.instance.nodes():
        if node.state not in NAMES:
            errors.append(Error(f"{flow.__name__}: the state {node.state!r} has no name", id="workflows.E003"))
        if isinstance(node, Step):
            errors += [Error(text, id="workflows.E002") for text in _disagreements(flow, node)]
            errors += [
                Error(f"{flow.__name__}: the outcome {name!r} has no name", id="workflows.E003")
                for name in node.outcomes.keys() - OUTCOMES.keys()
            ]
    return errors


def _disagreements(flow: Any, node: Step) -> Iterator[str]:
    for act, source, target, permission in _edges(flow, node):
        found = transition_of(flow, act, source.state, target.state)
        edge = f"{flow.__name__}.{source.name} --{act}--> {target.name}"
        if found is None:
            yield f"{edge} is no transition of {flow.process_class.__name__}"
        elif found.permission != permission:
            yield f"{edge} needs {permission!r}, the state machine {found.permission!r}"


def _edges(flow: Any, node: Step) -> Iterator[tuple[str, Any, Any, str]]:
    """(act, from, to, permission) of all that the route lets happen at a step."""
    for way in node.outcomes.values():
        for target in _resumable(flow) if way.target == RESUME else [way.target]:
            yield way.name, node, target, way.permission
        if way.comes_back:
            yield from _returns(flow, node, way)
    if node.optional:
        yield "skip", node, node.outcomes[node.onward].target, "system"


def _returns(flow: Any, node: Step, way: Outcome) -> Iterator[tuple[str, Any, Any, str]]:
    """Returns to earlier reviews, and straight back from there: only where the state machine knows of them."""
    for earlier in earlier_reviews(node, tuple(step.name for step in order_of(flow))):
        if transition_of(flow, way.name, node.state, earlier.state):
            yield way.name, node, earlier, way.permission
        if transition_of(flow, PASS_BACK, earlier.state, node.state):
            yield PASS_BACK, earlier, node, earlier.outcomes[earlier.onward].permission


def _resumable(flow: Any) -> list[Step]:
    steps = [node for node in flow.instance.nodes() if isinstance(node, Step)]
    return [step for step in steps if any(way.comes_back for way in step.outcomes.values())]


@register(Tags.database)
def check_open_items(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Error]:
    """No step was renamed or removed while a task is open on it: a changed route is a new class."""
    errors = []
    for alias in databases or ():
        if WorkItem._meta.db_table in connections[alias].introspection.table_names():
            errors += [
                Error(f"tasks are open on {ref}, which no longer exists", id="workflows.E004")
                for ref in lost_steps(alias)
            ]
    return errors


def lost_steps(alias: str = "default") -> list[str]:
    """References of steps that no longer exist and on which tasks are open."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT DISTINCT flow_task FROM workflows_workitem WHERE finished IS NULL")
        return [ref for (ref,) in cursor.fetchall() if step_at(ref) is None]
