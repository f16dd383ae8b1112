# ruff: noqa: N802 (as in workflows/nodes.py)
"""A teacher asks for leave: the head approves, the office too when it is long. Nothing here comes from aid."""

from typing import Any, Self

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import GET_STATE, transition
from viewflow import this
from viewflow.workflow.base import Flow
from viewflow.workflow.lock import SelectForUpdateLock

from workflows.conditions import Condition
from workflows.models import Case, WorkItem
from workflows.nodes import Correction, Draft, Ended, Review, Step, add_outcomes
from workflows.reasons import add_reasons
from workflows.states import add_names

add_names(
    {"head_review": _("Head"), "office_review": _("Office"), "substitute": _("Substitute"), "granted": _("Granted")}
)
add_outcomes({"found": _("Substitute found")})
add_reasons({"term_exams": (_("Exams are near"), ["reject"])})

DATES_GIVEN = Condition("no_dates", _("Say from when until when."), lambda: Q(missing=[]))
SHORT = Condition("too_long", _("The office decides on long leave."), lambda: ~Q(steps__contains=["office_review"]))


class LeaveCase(Case):
    class Meta:
        proxy = True
        app_label = "leave"
        default_permissions = ()

    @transition("state", "draft", "head_review", conditions=[DATES_GIVEN], permission="ask_leave")
    def submit(self) -> None: ...

    @transition("state", "head_review", "office_review", permission="grant_leave")
    @transition("state", "office_review", "substitute", permission="confirm_leave")
    def approve(self) -> None: ...

    @transition("state", "office_review", "substitute", conditions=[SHORT], permission="system")
    def skip(self) -> None: ...

    @transition("state", "substitute", "granted", permission="grant_leave")
    def found(self) -> None: ...

    @transition("state", "head_review", "returned", permission="grant_leave")
    @transition("state", "office_review", "returned", permission="confirm_leave")
    def return_(self) -> None: ...

    @transition("state", "returned", GET_STATE(lambda case: case.resume, states=["head_review", "office_review"]),
                permission="ask_leave")  # fmt: skip
    def resubmit(self) -> None: ...

    @transition("state", "head_review", "rejected", permission="grant_leave")
    def reject(self) -> None: ...

    @transition("state", "draft", "withdrawn", permission="ask_leave")
    @transition("state", "head_review", "withdrawn", permission="ask_leave")
    def withdraw(self) -> None: ...


class Substitute(Step):
    """Somebody must teach meanwhile: a step of this route's own."""

    task_type = "SUBSTITUTE"
    onward = "found"

    def Found(self, target: Any) -> Self:
        return self.on("found", target)


class LeaveFlow(Flow):
    """Leave of absence"""

    process_class = LeaveCase
    task_class = WorkItem
    lock_impl = SelectForUpdateLock(nowait=False, attempts=1)
    kind = "leave"
    version = 1

    draft = Draft("ask_leave", level="ask").Submit(this.head_review).Withdraw(this.withdrawn, by="ask_leave")
    head_review = (
        Review("grant_leave", level="head")
        .Approve(this.office_review)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn, by="ask_leave")
    )
    office_review = (
        Review("confirm_leave", level="office", optional=True).Approve(this.substitute).Return(this.correction)
    )
    substitute = Substitute("grant_leave", level="head").Found(this.granted)
    correction = Correction("ask_leave", state="returned", level="ask").Resubmit()
    granted = Ended()
    rejected = Ended()
    withdrawn = Ended()
