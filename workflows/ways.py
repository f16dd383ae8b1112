"""Where an outcome leads a case: along the route, over the steps it does not pass, as its state machine allows."""

import keyword
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django_fsm import GET_STATE
from viewflow.workflow.fields import import_task_by_ref

from workflows.conditions import Condition
from workflows.nodes import RESUME, TAKE_BACK, UNDO, Automatic, Correction, Draft, Ended, Outcome, Review, Step


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
    resume: str | None = None
    """What becomes of the step that the case comes back to; None leaves it as it is."""


PASS_BACK = "pass_back"  # noqa: S105 an act, no secret
"""How a review that a later one had returned to it sends the case straight back there, approved."""


class Stand(NamedTuple):
    """What of a case decides where an outcome leads it."""

    state: str
    steps: tuple[str, ...]
    """The optional steps that it passes."""
    resume: str
    """The step that it goes back to once it is corrected."""
    straight: bool
    """Whether it then goes straight there, or through all reviews again."""

    @classmethod
    def of(cls, case: Any) -> "Stand":
        """Where a case stands, from its row."""
        return cls(case.state, tuple(case.steps), case.resume, case.returns == "straight")


def outcome_of(step: Step, name: str) -> Outcome | None:
    """The outcome of a step by its name; taking back is open at every step."""
    return TAKE_BACK if name == TAKE_BACK.name else step.outcomes.get(name)


def outcome_level(step: Step | None, name: str) -> str:
    """The level at which an outcome is taken; empty where it judges nothing, or there is none such."""
    found = outcome_of(step, name) if step else None
    return found.level if found else ""


def way_of(step: Step, outcome: str, stand: Stand, to: str = "") -> Way | str:
    """Where `outcome` leads a case that stands at `step`; a refusal code if nowhere.

    `to` is the earlier step that a return goes to, or at which the decision taken back was made. The route says
    where the work goes, and the state machine must agree at every hop: a route that is set up wrongly leads nowhere.
    """
    taken = outcome_of(step, outcome)
    if taken is None:
        return "no_such_outcome"
    resumes = taken.target == RESUME or outcome == step.onward
    return _way_of(step, taken, stand._replace(resume=stand.resume if resumes else ""), to)


@lru_cache(maxsize=4096)
def _way_of(step: Step, taken: Outcome, stand: Stand, to: str) -> Way | str:
    act, target = _first_hop(step, taken, stand, to)
    acts, here = [(act, step)], target
    while here is not None and not here.passes(stand.steps):
        acts.append((here.onward if here.through else "skip", here))
        here = here.outcomes[here.onward].target
    if here is None:
        return "wrong_state"

    state = stand.state
    hops, conditions, arrivals = [], [], [node for _, node in acts[1:]] + [here]
    for (act, left), arrival in zip(acts, arrivals, strict=True):
        found = transition_of(step.flow_class, act, state, arrival.state)
        if found is None or (left is step and taken.permission and found.permission != taken.permission):
            return "wrong_state"
        hops.append(Hop(act, left.name, state, arrival.state))
        conditions += found.conditions
        state = arrival.state
    entered = tuple(node.name for node in arrivals)
    resume = _resume_after(step, taken, target, stand)
    return Way(step, taken, tuple(hops), here, entered, tuple(conditions), resume)


def _first_hop(step: Step, taken: Outcome, stand: Stand, to: str) -> tuple[str, Any]:
    """The act that leaves the step, and the step it leads to; None where there is none such."""
    node = step.flow_class.instance.node
    if taken.target == RESUME:
        return taken.name, node(stand.resume, no_obsolete=True)
    if taken.target == UNDO:
        return taken.name, node(to, no_obsolete=True) if to else None
    if taken.comes_back and to and to != taken.target.name:
        earlier = node(to, no_obsolete=True)
        return taken.name, earlier if earlier in earlier_reviews(step, stand.steps) else None
    if taken.name == step.onward and stand.straight and stand.resume:
        returner = node(stand.resume, no_obsolete=True)
        if returner is not None and step in earlier_reviews(returner, stand.steps):
            return PASS_BACK, returner
    return taken.name, taken.target


def _resume_after(step: Step, taken: Outcome, target: Any, stand: Stand) -> str | None:
    """What the case's `resume` becomes: the step to come back to, nothing once it is used up; None leaves it."""
    if taken.comes_back:
        return str(step.name if stand.straight else first_review(step.flow_class, stand.steps).name)
    if taken.target == UNDO:
        # Taking back a resubmission, or an approval that went straight back to a returner, owes the way there again.
        owed = isinstance(target, Correction) or (
            isinstance(step, Review)
            and target in earlier_reviews(step, stand.steps)
            and _jumped(target, step, stand.steps)
        )
        return str(step.name) if owed else ""
    return "" if taken.target == RESUME or taken.name == step.onward else None


def _jumped(earlier: Step, step: Step, steps: tuple[str, ...]) -> bool:
    """Whether an approval at an earlier review cannot have led here by the main line, automatic steps included; for a
    case with these optional `steps`.
    """
    here, between = earlier.outcomes[earlier.onward].target, True
    while between and isinstance(here, Step) and here is not step:
        if any(way.target is step for way in here.outcomes.values() if isinstance(here, Automatic)):
            return False
        between = not here.passes(steps) or isinstance(here, Automatic)
        here = here.outcomes[here.onward].target
    return here is not step


# ---------------------------------------------------------------- the order of a route


@cache
def order_of(flow_class: Any) -> tuple[Step, ...]:
    """The steps of a route in the order of a case that nothing holds up; others after the step that leads to them."""
    line: list[Step] = []
    here = next(node for node in flow_class.instance.nodes() if isinstance(node, Draft))
    while isinstance(here, Step):
        line.append(here)
        here = here.outcomes[here.onward].target
    for step in list(line):
        for way in step.outcomes.values():
            if isinstance(way.target, Step) and way.target not in line:
                line.insert(line.index(step) + 1, way.target)
    return tuple(line)


@lru_cache(maxsize=256)
def first_review(flow_class: Any, steps: tuple[str, ...]) -> Step:
    """The step at which a case with these optional `steps` is judged first."""
    return next(step for step in order_of(flow_class) if isinstance(step, Review) and step.passes(steps))


@lru_cache(maxsize=1024)
def earlier_reviews(step: Step, steps: tuple[str, ...]) -> tuple[Step, ...]:
    """The reviews that a case with these optional `steps` has passed before it stands at `step`, in order."""
    order = order_of(step.flow_class)
    before = order[: order.index(step)] if step in order else ()
    return tuple(each for each in before if isinstance(each, Review) and each.passes(steps) and on_main_line(each))


def on_main_line(step: Step) -> bool:
    """Whether every case passes here that passes the step at all: a re-check is only for those with a hit."""
    return step in _main_line(step.flow_class)


@cache
def _main_line(flow_class: Any) -> frozenset[Step]:
    targets = {way.target for step in order_of(flow_class) for way in [step.outcomes[step.onward]]}
    return frozenset(step for step in order_of(flow_class) if step in targets)


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
