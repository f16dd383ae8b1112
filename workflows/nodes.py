"""Node types of our routes, on viewflow's base node: an outcome is an edge of the step itself.

A route reads as a page of the trade, `Review("review_school").Approve(this.school_notice)`, and keeps
viewflow's chart, BPMN export and activation API.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p
from viewflow import this
from viewflow.workflow.activation import Activation
from viewflow.workflow.base import Edge, Node
from viewflow.workflow.nodes import End as ViewflowEnd
from viewflow.workflow.status import STATUS

RESUME = "resume"
"""Target of an edge that goes back to the step named on the case itself."""

OUTCOMES: dict[str, Promise] = {
    "submit": _p("outcome", "Submit"),
    "accept": _p("outcome", "Accept"),
    "approve": _p("outcome", "Approve"),
    "return": _p("outcome", "Return for correction"),
    "reject": _p("outcome", "Reject"),
    "withdraw": _p("outcome", "Withdraw"),
    "cancel": _p("outcome", "Cancel"),
    "resubmit": _p("outcome", "Resubmit"),
    "conclude": _p("outcome", "Concluded"),
    "adjust": _p("outcome", "Back to review"),
    "clear": _p("outcome", "No hit"),
    "hit": _p("outcome", "Hit"),
    "disburse": _p("outcome", "Sent for payment"),
    "pay": _p("outcome", "Paid"),
    "skip": _p("outcome", "Step not needed"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way out of a step.

    `permission` is what the actor must hold at the case's office; `level` is the level at which a person
    acts by it (separation of duties; empty for acts that judge nothing); `reason` tells whether a reason is
    compulsory.
    """

    name: str
    target: Any
    permission: str
    level: str = ""
    reason: bool = False


class StepActivation(Activation):
    """Takes a step through viewflow's own API; `decide` does the same for many at once."""

    outcome: str = ""

    @Activation.status.transition(source=STATUS.NEW, target=STATUS.NEW)
    def activate(self) -> None:
        """Waits: nothing happens until somebody decides."""

    @Activation.status.transition(source=STATUS.NEW, conditions=[lambda act: bool(act.outcome)], target=STATUS.DONE)
    def complete(self) -> None:
        self.task.outcome = self.outcome
        Activation.complete.original(self)

    @Activation.status.transition(source=STATUS.DONE)
    def create_next(self) -> Iterator[Activation]:
        yield self.flow_task.target_of(self.outcome, self.process)._create(self, self.task.token)


class Step(Node):
    """A step where a case waits for an outcome.

    `permission` opens it; `level` is the separation-of-duties level; `state` the legal state of a case that
    stands here (the step's name unless given); `optional` steps are passed over by cases whose `steps` do
    not name them, along `onward`, the outcome that stands for going on.
    """

    activation_class = StepActivation
    task_type = "STEP"
    bpmn_element = "userTask"
    shape = {"width": 150, "height": 100, "svg": '<rect class="task" width="150" height="100" rx="5" ry="5"/>'}
    onward = "approve"

    def __init__(
        self, permission: str, *, level: str = "", state: str = "", optional: bool = False, through: bool = False
    ) -> None:
        super().__init__()
        self.permission = permission
        self.level = level
        self._state = state
        self.optional = optional
        self.through = through
        self.outcomes: dict[str, Outcome] = {}

    @property
    def state(self) -> str:
        return self._state or self.name

    def on(
        self, name: str, target: Any, *, permission: str = "", level: str | None = None, reason: bool = False
    ) -> Self:
        """Adds a way out: outcome `name` leads to `target`."""
        level = self.level if level is None else level
        self.outcomes[name] = Outcome(name, target, permission or self.permission, level, reason)
        return self

    def Withdraw(self, target: Any) -> Self:
        """The applicant takes the application back; judges nothing, so no level is used up."""
        return self.on("withdraw", target, permission="withdraw_application", level="")

    def Cancel(self, target: Any, by: str = "cancel_application") -> Self:
        """Voided as entered in error or double; `by` is the permission it needs."""
        return self.on("cancel", target, permission=by, level="", reason=True)

    def passes(self, steps: list[str]) -> bool:
        """Whether a case with these `steps` stops here."""
        return not self.through and (not self.optional or self.name in steps)

    def target_of(self, outcome: str, case: Any) -> Node:
        """The node that an outcome leads a case to, resumption included, skipped steps not yet passed over."""
        target = self.outcomes[outcome].target
        return self.flow_class.instance.node(case.resume) if target == RESUME else target

    def _resolve(self, instance: Any) -> None:
        self.outcomes = {
            name: Outcome(
                name,
                RESUME if way.target == RESUME else this.resolve(instance, way.target),
                way.permission,
                way.level,
                way.reason,
            )
            for name, way in self.outcomes.items()
        }

    def _outgoing(self) -> Iterator[Edge]:
        for way in self.outcomes.values():
            if way.target != RESUME and way.name not in ("withdraw", "cancel"):
                yield Edge(src=self, dst=way.target, edge_class=way.name, label=str(OUTCOMES[way.name]))

    def _create(self, prev_activation: Any, token: Any, data: Any = None, seed: Any = None) -> Any:
        case = prev_activation.process
        if not self.passes(case.steps):
            return self.outcomes[self.onward].target._create(prev_activation, token)
        activation = super()._create(prev_activation, token, data, seed)
        activation.task.path = case.path
        activation.task.round = case.round
        activation.task.save(update_fields=["path", "round"])
        return activation


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
        return self.on("return", target, reason=True)

    def Reject(self, target: Any) -> Self:
        return self.on("reject", target, reason=True)


class PublicNotice(Step):
    """The case stands on a public list; the system concludes when the period is over without objection."""

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
        return self.on("adjust", target, permission=self.reviewer, reason=True)


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


class Payment(Step):
    """Waits for money to move; the payment rooms report what happened."""

    task_type = "PAYMENT"
    bpmn_element = "receiveTask"
    onward = "pay"

    def __init__(self, **options: Any) -> None:
        super().__init__("system", **options)

    def Disburse(self, target: Any) -> Self:
        self.onward = "disburse"
        return self.on("disburse", target)

    def Paid(self, target: Any) -> Self:
        return self.on("pay", target)


class Correction(Step):
    """A returned case waits for its school to correct and resubmit it."""

    task_type = "CORRECTION"
    onward = "resubmit"

    def Resubmit(self) -> Self:
        return self.on("resubmit", RESUME)


class EndActivation(ViewflowEnd.activation_class):  # type: ignore[misc, name-defined]
    """Ends the case in viewflow's way."""


class Ended(ViewflowEnd):
    """The end of a route, in a legal state of its own (the node's name)."""

    activation_class = EndActivation
    outcomes: dict[str, Outcome] = {}

    @property
    def state(self) -> str:
        return str(self.name)

    def passes(self, steps: list[str]) -> bool:
        return True
