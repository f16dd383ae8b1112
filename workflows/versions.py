"""Versions of a route: a case keeps the one it started on, and a step means the same in all of them.

A changed route is a new class beside the old one, of the same `kind` and a later `version`; steps are never renamed,
nor removed from a class while a task is open on them.
"""

from functools import cache
from typing import Any

from viewflow.workflow.base import Flow

from workflows.models import Case
from workflows.nodes import Review, Step
from workflows.ways import on_main_line, order_of


def our_flows() -> list[type[Flow]]:
    """Every route on our cases that has been imported."""
    return [flow for flow in _descendants(Flow) if issubclass(flow.process_class, Case)]


def _descendants(cls: Any) -> Any:
    for child in list(cls.__subclasses__()):
        yield child
        yield from _descendants(child)


def versions_of(kind: str) -> list[Any]:
    """The routes of a kind of case that bear a version, the oldest first. Raises LookupError for a kind without any."""
    found = [flow for flow in our_flows() if getattr(flow, "kind", "") == kind and getattr(flow, "version", 0)]
    if not found:
        raise LookupError(kind)
    return sorted(found, key=lambda flow: int(flow.version))


def route_named(name: str) -> Any:
    """A route by its name in data: `aid` is the first of its kind, `aid_2027` that of 2027. Raises LookupError."""
    for flow in our_flows():
        if getattr(flow, "version", 0) and name_of(flow) == name:
            return flow
    raise LookupError(name)


def name_of(flow: Any) -> str:
    """What a route is called in data, see `route_named`."""
    return str(flow.kind if flow is versions_of(flow.kind)[0] else f"{flow.kind}_{flow.version}")


def route_names() -> list[str]:
    """The names of all routes."""
    return sorted(name_of(flow) for flow in our_flows() if getattr(flow, "version", 0))


@cache
def step_of(kind: str, name: str) -> Step:
    """A step of a kind's route, as the latest version that has it says. Raises LookupError."""
    for flow in reversed(versions_of(kind)):
        step = flow.instance.node(name, no_obsolete=True)
        if isinstance(step, Step):
            return step
    raise LookupError(f"{kind}.{name}")


@cache
def steps_of(kind: str) -> tuple[str, ...]:
    """The names of all steps that any version of a kind's route has, in the latest order."""
    names: dict[str, None] = {}
    for flow in reversed(versions_of(kind)):
        names |= {step.name: None for step in order_of(flow)}
    return tuple(names)


def earlier_steps(kind: str, name: str) -> tuple[str, ...]:
    """The reviews that stand before a step in the latest version that has it."""
    step = step_of(kind, name)
    order = order_of(step.flow_class)
    line = [each for each in order[: order.index(step)] if isinstance(each, Review)]
    return tuple(each.name for each in line if on_main_line(each))
