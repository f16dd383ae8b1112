"""Where an outcome leads a case: along the route, over the steps it does not pass, as its state machine allows."""

import keyword
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django_fsm import GET_STATE
from viewflow.workflow.fields import import_task_by_ref

from workflows.conditions import Condition
from workflows.nodes import RESUME, Ended, Outcome, Step


class Hop(NamedTuple):
    """One change of state on the way, and one line of the record: the act, the step left, the states."""

    act: str
    step: str
    state_from: str
    state_to: str


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Where an outcome leads: the hops it takes, the step at which the case then stands, what must hold for it.

    `entered` names the steps arrived at, those passed over included, in order. Cases that take the same `Way`
    move together.
    """

    step: Step
    outcome: Outcome
    hops: tuple[Hop, ...]
    final: Step | Ended
    entered: tuple[str, ...]
    conditions: tuple[Condition, ...]


def way_of(step: Step, outcome: str, state: str, steps: Iterable[str], resume: str) -> Way | str:
    """Where `outcome` leads a case that stands at `step` in `state`; a refusal code if nowhere.

    `steps` are the optional steps that the case passes, `resume` the step that a corrected case goes back to.
    The route says where the work goes, and the state machine must agree at every hop: a route that is set up
    wrongly leads nowhere.
    """
    if outcome not in step.outcomes:
        return "no_such_outcome"
    resumed = resume if step.outcomes[outcome].target == RESUME else ""
    return _way_of(step, outcome, state, tuple(steps), resumed)


@lru_cache(maxsize=2048)
def _way_of(step: Step, outcome: str, state: str, steps: tuple[str, ...], resume: str) -> Way | str:
    taken = step.outcomes[outcome]
    acts = [(outcome, step)]
    here = step.flow_class.instance.node(resume, no_obsolete=True) if taken.target == RESUME else taken.target
    while here is not None and not here.passes(steps):
        acts.append((here.onward if here.through else "skip", here))
        here = here.outcomes[here.onward].target
    if here is None:
        return "wrong_state"

    hops, conditions, arrivals = [], [], [node for _, node in acts[1:]] + [here]
    for (act, left), arrival in zip(acts, arrivals, strict=True):
        found = transition_of(step.flow_class, act, state, arrival.state)
        if found is None or (left is step and found.permission != taken.permission):
            return "wrong_state"
        hops.append(Hop(act, left.name, state, arrival.state))
        conditions += found.conditions
        state = arrival.state
    entered = tuple(node.name for node in arrivals)
    return Way(step, taken, tuple(hops), here, entered, tuple(conditions))


def step_at(task_ref: str) -> Step | None:
    """The step that a task stands at; None at an end, and where the route no longer has such a step."""
    try:
        node = import_task_by_ref(task_ref)
    except (ImportError, LookupError):
        return None
    return node if isinstance(node, Step) else None


def transition_of(flow_class: Any, act: str, source: str, target: str) -> Any:
    """The state machine's transition for an act between two states, or None where it allows none."""
    method = getattr(flow_class.process_class, method_of(act), None)
    found = method._django_fsm.get_transition(source) if method is not None else None
    if found is None:
        return None
    allowed = found.target.allowed_states if isinstance(found.target, GET_STATE) else [found.target]
    return found if target in allowed else None


def method_of(act: str) -> str:
    """The name of an act's method on the state machine: `return` is a word of Python's, so it is `return_`."""
    return f"{act}_" if keyword.iskeyword(act) else act
