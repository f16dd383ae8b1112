"""System checks: a route that its state machine does not allow, or without a lock, refuses to start."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import Error, register
from viewflow.workflow.base import Flow
from viewflow.workflow.lock import no_lock

from workflows.decisions import transition_of
from workflows.models import Case
from workflows.nodes import RESUME, Step


def our_flows() -> list[type[Flow]]:
    """Every route on our cases that has been imported."""
    return [flow for flow in _descendants(Flow) if issubclass(flow.process_class, Case)]


def _descendants(cls: type) -> Iterator[Any]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)


@register()
def check_flows(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Each edge must be a transition of the state machine under the same permission; each route has a lock."""
    from workflows.flows import aid  # noqa: F401

    errors = []
    for flow in our_flows():
        if flow.lock_impl is no_lock:
            errors.append(Error(f"{flow.__name__} has no lock", id="workflows.E001"))
        for node in flow.instance.nodes():
            if isinstance(node, Step):
                errors += [Error(text, id="workflows.E002") for text in _disagreements(flow, node)]
    return errors


def _disagreements(flow: Any, node: Step) -> Iterator[str]:
    for way in node.outcomes.values():
        targets = [flow.instance.node(name) for name in _resumable(flow)] if way.target == RESUME else [way.target]
        for target in targets:
            found = transition_of(flow, way.name, node.state, target.state)
            edge = f"{flow.__name__}.{node.name} --{way.name}--> {target.name}"
            if found is None:
                yield f"{edge} is no transition of {flow.process_class.__name__}"
            elif found.permission != way.permission:
                yield f"{edge} needs {way.permission!r}, the state machine {found.permission!r}"


def _resumable(flow: Any) -> list[str]:
    return [node.name for node in flow.instance.nodes() if isinstance(node, Step) and "return" in node.outcomes]
