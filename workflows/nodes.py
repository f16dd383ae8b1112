# ruff: noqa: N802 (the ways out of a step are written as viewflow writes them: .Next(), .Then())
"""Node types of our routes, on viewflow's base node: an outcome is an edge of the step itself.

A route reads as a page of the trade, `Review("review_school").Approve(this.school_notice)`, and keeps
viewflow's chart, BPMN export and activation API.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p
from viewflow import this
from viewflow.workflow.activation import Activation
from viewflow.workflow.base import Edge, Node
from viewflow.workflow.exceptions import FlowRuntimeError
from viewflow.workflow.nodes import End
from viewflow.workflow.nodes.end import EndActivation
from viewflow.workflow.status import STATUS

from workflows import states
from workflows.working_days import due_on

RESUME = "resume"
"""Target of an edge that goes back to the step named on the case itself."""
UNDO = "undo"
"""Target of taking a decision back: the step at which it was made."""

OUTCOMES: dict[str, Promise] = {
    "submit": _p("outcome", "Submit"),
    "accept": _p("outcome", "Accept"),
    "approve": _p("outcome", "Approve"),
    "return": _p("outcome", "Return for correction"),
    "reject": _p("outcome", "Reject"),
    "withdraw": _p("outcome", "Withdraw"),
    "cancel": _p("outcome", "Cancel"),
    "resubmit": _p("outcome", "Resubmit"),
    "pass_back": _p("outcome", "Approve, back to who returned it"),
    "take_back": _p("outcome", "Take back"),
    "conclude": _p("outcome", "Concluded"),
    "adjust": _p("outcome", "Back to review"),
    "uphold": _p("outcome", "Objection upheld"),
    "amend": _p("outcome", "Objection upheld in part"),
    "clear": _p("outcome", "No hit"),
    "hit": _p("outcome", "Hit"),
    "skip": _p("outcome", "Step not needed"),
}


def add_outcomes(names: Mapping[str, Promise]) -> None:
    """Adds the names of a route's own outcomes."""
    OUTCOMES.update(names)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way out of a step.

    `permission` is what the actor must hold at the case's office; `level` the level at which a person acts by
    it (separation of duties; empty for acts that judge nothing); `reason` tells whether a reason is compulsory.
    By an outcome that `comes_back` the case will return to the step it leaves; one that opens a `new_round`
    has the case judged again.
    """

    name: str
    target: Any
    permission: str
    level: str = ""
    reason: bool = False
    comes_back: bool = False
    new_round: bool = False


TAKE_BACK = Outcome("take_back", UNDO, permission="")
"""Open at every step where work waits: whoever made the last decision may take it back while nobody has acted on it.
The permission is that of the decision taken back.
"""


class StepActivation(Activation):
    """Takes a step through viewflow's own API, one case at a time.

    It proves that `decide` keeps viewflow's promises (a test compares the two). It asks for no permission and
    writes no record: people decide through `decide`.

        with item.activation() as activation:
            activation.outcome = "approve"
            activation.complete()
            activation.activate_next()
    """

    outcome: str = ""
    to: str = ""
    """Step that the case is returned to or taken back to, where the outcome leaves that open."""
    way: Any = None

    @Activation.status.transition(source=STATUS.NEW, target=STATUS.NEW)
    def activate(self) -> None:
        """Waits: nothing happens until somebody decides."""

    @Activation.status.transition(source=STATUS.NEW, target=STATUS.DONE, conditions=[lambda act: bool(act.outcome)])
    def complete(self) -> None:
        """Moves the case through its state machine and finishes the task. Raises when either does not allow it."""
        from workflows.ways import Stand, Way, method_of, way_of

        case = self.process
        way = way_of(self.flow_task, self.outcome, Stand.of(case), self.to)
        if not isinstance(way, Way):
            raise FlowRuntimeError(way)
        for hop in way.hops:
            case.heading = hop.state_to
            getattr(case, method_of(hop.act))()
        case.resume = case.resume if way.resume is None else way.resume
        case.round += way.outcome.new_round
        case.noticed = [step for step in case.noticed if step != way.final.name]
        case.save()
        self.way = way
        self.task.outcome = self.outcome
        self.task.holder = self.task.holder_name = ""
        super().complete.original()

    @Activation.status.transition(source=STATUS.DONE)
    def create_next(self) -> Iterator[Activation]:
        """The task at the step where the case now stands; no tasks for those it passed over."""
        yield self.way.final._create(self, self.task.token)


class Place(Node):
    """What a step and an end have in common: the legal state of a case that stands there, and its task."""

    task_title: Promise | str = ""
    outcomes: Mapping[str, Outcome] = {}
    queue = ""
    """What an open item that stands here is found by: kind and step, the same in every version of the route."""

    @property
    def state(self) -> str:
        """The state of a case that stands here: the node's name unless the route says otherwise."""
        return str(self.name)

    def passes(self, steps: Iterable[str]) -> bool:
        """Whether a case with these optional `steps` stops here."""
        return True

    def _resolve(self, instance: Any) -> None:
        self.task_title = states.NAMES.get(self.state, self.task_title)

    def _create(self, prev_activation: Any, token: Any, data: Any = None, seed: Any = None) -> Any:
        activation = super()._create(prev_activation, token, data, seed)
        case, task = activation.process, activation.task
        task.path, task.round, task.due_on = case.path, case.round, due_on(case.limits.get(self.name))
        task.queue, task.title = self.queue, case.title
        task.save(update_fields=["path", "round", "due_on", "queue", "title"])
        return activation


class Step(Place):
    """A step where a case waits for an outcome.

    `permission` opens it; `level` is the separation-of-duties level; `state` the legal state of a case that
    stands here; `optional` steps are passed over by cases whose `steps` do not name them, along `onward`, the
    outcome that stands for going on; `through` steps are passed by every case without stopping.
    """

    activation_class = StepActivation
    task_type = "STEP"
    bpmn_element = "userTask"
    shape = {
        "width": 150,
        "height": 100,
        "text-align": "middle",
        "svg": '<rect class="task" width="150" height="100" rx="5" ry="5"/>',
    }
    onward = "approve"

    def __init__(
        self, permission: str, *, level: str = "", state: str = "", optional: bool = False, through: bool = False
    ) -> None:
        super().__init__()
        self.permission = permission
        self.level = level
        self.optional = optional
        self.through = through
        self._state = state
        self.outcomes: dict[str, Outcome] = {}

    @property
    def state(self) -> str:
        return self._state or super().state

    @property
    def queue(self) -> str:  # type: ignore[override]
        return f"{self.flow_class.kind}.{self.name}"

    def passes(self, steps: Iterable[str]) -> bool:
        return not self.through and (not self.optional or self.name in steps)

    def on(self, name: str, target: Any, *, permission: str = "", level: str | None = None, **also: bool) -> Self:
        """Adds a way out: outcome `name` leads to `target`. `also` as in `Outcome`: reason, comes_back, new_round."""
        level = self.level if level is None else level
        self.outcomes[name] = Outcome(name, target, permission or self.permission, level, **also)
        return self

    def Withdraw(self, target: Any, by: str = "withdraw_application") -> Self:
        """Taken back by the applicant. It judges nothing, so no level is used up."""
        return self.on("withdraw", target, permission=by, level="")

    def Cancel(self, target: Any, by: str = "cancel_application") -> Self:
        """Voided as entered in error or double."""
        return self.on("cancel", target, permission=by, level="", reason=True)

    def _resolve(self, instance: Any) -> None:
        super()._resolve(instance)
        self.outcomes = {
            name: way if way.target == RESUME else replace(way, target=this.resolve(instance, way.target))
            for name, way in self.outcomes.items()
        }

    def _outgoing(self) -> Iterator[Edge]:
        """The edges of the chart; those for giving up are drawn once, from the draft, or nothing could be read; of
        several to one step the first.
        """
        drawn: list[Any] = [RESUME]
        for way in self.outcomes.values():
            if way.target not in drawn and (isinstance(self, Draft) or way.name not in ("withdraw", "cancel")):
                drawn.append(way.target)
                yield Edge(src=self, dst=way.target, edge_class=way.name, label=OUTCOMES.get(way.name, way.name))


class Draft(Step):
    """Where a case begins: it waits to be completed and submitted. Submitting is a decision too."""

    task_type = "START"
    onward = "submit"

    def Submit(self, target: Any) -> Self:
        return self.on("submit", target)


class Review(Step):
    """A person judges: approve, return for correction, reject."""

    task_type = "REVIEW"

    def Approve(self, target: Any, *, reason: bool = False) -> Self:
        return self.on("approve", target, reason=reason)

    def Return(self, target: Any) -> Self:
        """Sent back for correction, to return to this step afterwards; or to an earlier review that is named."""
        return self.on("return", target, reason=True, comes_back=True, new_round=True)

    def Reject(self, target: Any) -> Self:
        return self.on("reject", target, reason=True)


OBJECTION = "objection"
"""The level of whoever looks into an objection: he acts on the case at no other."""


class PublicNotice(Step):
    """The case stands on a public list; the system concludes when the period is over without objection.

    Whoever was named to look into an objection about it may reject it, or have it judged again.
    """

    task_type = "NOTICE"
    bpmn_element = "receiveTask"
    onward = "conclude"

    def __init__(self, reviewer: str, *, level: str = "", **options: Any) -> None:
        super().__init__("system", level=level, **options)
        self.reviewer = reviewer

    def Concluded(self, target: Any) -> Self:
        return self.on("conclude", target)

    def Adjusted(self, target: Any) -> Self:
        """The line is taken off the list and judged again, to be noticed again."""
        return self.on("adjust", target, permission=self.reviewer, reason=True, new_round=True)

    def Upheld(self, target: Any, by: str = "investigate_objection") -> Self:
        """异议成立."""
        return self.on("uphold", target, permission=by, level=OBJECTION, reason=True)

    def Amended(self, target: Any, by: str = "investigate_objection") -> Self:
        """异议部分成立: judged again, to be noticed again."""
        return self.on("amend", target, permission=by, level=OBJECTION, reason=True, new_round=True)


class Automatic(Step):
    """Work that the system does by itself; the open item is the row that remembers it is owed."""

    task_type = "AUTOMATIC"
    bpmn_element = "serviceTask"
    onward = "clear"

    def __init__(self, **options: Any) -> None:
        super().__init__("system", **options)

    def Accept(self, target: Any) -> Self:
        self.onward = "accept"
        return self.on("accept", target)

    def Clear(self, target: Any) -> Self:
        return self.on("clear", target)

    def Hit(self, target: Any) -> Self:
        return self.on("hit", target)


class Correction(Step):
    """A returned case waits for its school to correct and resubmit it."""

    task_type = "CORRECTION"
    onward = "resubmit"

    def Resubmit(self) -> Self:
        return self.on("resubmit", RESUME)


class EndedActivation(EndActivation):
    """Ends the case in viewflow's way."""


class Ended(Place, End):
    """The end of a route, in a legal state of its own (the node's name)."""

    activation_class = EndedActivation
