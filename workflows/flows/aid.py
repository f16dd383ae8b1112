# ruff: noqa: N802 (as in nodes.py)
"""The aid application: from a school's draft to money in the pupil's account (DOMAIN.md §3.0, §3.1).

The route says where the work is; the state machine says what the case legally is, and holds even if a route
is set up wrongly. A step that a case does not pass (no township over a county-direct school, no second notice
for a programme) is skipped with a line in the record.
"""

from collections.abc import Callable, Iterable
from functools import partial, reduce
from operator import and_
from typing import Any, Self

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import GET_STATE, transition
from viewflow import this
from viewflow.workflow.base import Flow
from viewflow.workflow.lock import SelectForUpdateLock

from workflows.conditions import Condition
from workflows.models import Case, WorkItem
from workflows.nodes import Automatic, Correction, Draft, Ended, PublicNotice, Review, Step, add_outcomes
from workflows.reasons import add_reasons
from workflows.states import add_names

# ---------------------------------------------------------------- words

add_names(
    {
        "class_review": _p("case state", "Class review"),
        "class_notice": _p("case state", "Class public notice"),
        "school_review": _p("case state", "School review"),
        "school_notice": _p("case state", "School public notice"),
        "township_review": _p("case state", "Township review"),
        "township_notice": _p("case state", "Township public notice"),
        "county_review": _p("case state", "County review"),
        "data_check": _p("case state", "Data check"),
        "recheck": _p("case state", "Re-check"),
        "pending_approval": _p("case state", "Awaiting approval"),
        "county_notice": _p("case state", "County public notice"),
        "approved": _p("case state", "Approved"),
        "disbursing": _p("case state", "Disbursing"),
    }
)
add_outcomes({"disburse": _p("outcome", "Sent for payment"), "pay": _p("outcome", "Paid")})
add_reasons(
    {
        "not_in_register": (_("Household not found in the register"), ["reject"]),
        "conditions_not_met": (_("Conditions of the programme not met"), ["reject"]),
        "over_quota": (_("Over the quota"), ["reject"]),
        "not_enrolled": (_("Not enrolled at this school"), ["reject", "cancel"]),
        "account_invalid": (_("Bank account to be checked"), ["return"]),
        "level_to_review": (_("Hardship level to be reviewed again"), ["return", "adjust"]),
        "verified": (_("Checked person by person, holds"), ["approve"]),
        "data_source_late": (_("The data source is out of date"), ["approve"]),
        "line_withdrawn": (_("Line withdrawn from a public notice"), ["adjust"]),
    }
)

# ---------------------------------------------------------------- what a case legally is

NOTHING_MISSING = Condition("incomplete", _("Something required is still missing."), lambda: Q(missing=[]))
NO_OPEN_HIT = Condition("open_hit", _("A data-match hit has not been waived."), lambda: Q(open_hits=0))
NOTICES: dict[str, tuple[str, Any]] = {
    "class_notice": ("class_review", _("The class notice has not concluded.")),
    "school_notice": ("school_review", _("The school notice has not concluded.")),
    "township_notice": ("township_review", _("The township notice has not concluded.")),
    "county_notice": ("county_review", _("The county notice has not concluded.")),
}
"""The steps with a public notice, in the order of the route: the review that each makes public, and what is said where
it has not concluded."""
JUDGES = ("class_review", "school_review", "township_review", "county_review", "recheck", "pending_approval")
"""The reviews in the order of the route."""


def _concluded(step: str) -> Q:
    """The case's notice of a step has concluded, or it passes none."""
    return Q(noticed__contains=[step]) | ~Q(steps__contains=[step])


def _every_notice_concluded() -> Q:
    return reduce(and_, map(_concluded, NOTICES))


NOTICED = {
    step: Condition(f"{step.removesuffix('_notice')}_not_noticed", sentence, partial(Q, noticed__contains=[step]))
    for step, (_review, sentence) in NOTICES.items()
}
"""Nobody leaves a notice step onward before its notice concluded."""
EVERY_NOTICE_CONCLUDED = Condition(
    "not_noticed", _("Not every public notice of this programme has concluded."), _every_notice_concluded
)


def _notices_stand(source: str) -> list[Callable[[Any], bool]]:
    """Of a review that sends a case straight back to a later one: the notices in between stand, for each has concluded.

    A case that an office returned before its notice has had none to lose: it comes back to that office, and to the
    notice after it.
    """

    def stands(step: str) -> Q:
        review, _sentence = NOTICES[step]
        return _concluded(step) | ~Q(resume__in=JUDGES[JUDGES.index(review) + 1 :])

    reviews = JUDGES[JUDGES.index(source) :]
    between = [step for step, (review, _sentence) in NOTICES.items() if review in reviews and step != "county_notice"]
    return [Condition(NOTICED[step].code, NOTICES[step][1], partial(stands, step)) for step in between]


def _not(step: str) -> Condition:
    """Only a case that does not pass an optional step may skip it."""
    return Condition("step_needed", _("This step may not be skipped."), lambda: ~Q(steps__contains=[step]))


REVIEWERS = {
    "class_review": "review_class",
    "school_review": "review_school",
    "township_review": "review_township",
    "county_review": "review_county",
    "recheck": "recheck_county",
    "pending_approval": "approve_county",
}
"""The permission that each review needs."""


def _open(states: Iterable[str]) -> GET_STATE:
    """One of these states: which one, the route says."""
    return GET_STATE(lambda case: case.heading, states=list(states))


WITHDRAWABLE = dict.fromkeys(["draft", "returned", *REVIEWERS], "withdraw_application")
CANCELLABLE = {"draft": "submit_application", "returned": "submit_application"} | dict.fromkeys(
    REVIEWERS, "cancel_application"
)


def _from_each(permissions: dict[str, str], target: Any) -> Callable[[Any], Any]:
    """One act from several states, each with the permission of its own."""

    def stack(method: Any) -> Any:
        for state, permission in permissions.items():
            method = transition("state", state, target, permission=permission)(method)
        return method

    return stack


class AidCase(Case):  # type: ignore[django-manager-missing]
    """What an aid application legally is, and which acts may change it."""

    class Meta:
        proxy = True
        default_permissions = ()

    @transition("state", "draft", "submitted", conditions=[NOTHING_MISSING], permission="submit_application")
    def submit(self) -> None:
        """提交: the school submits for the family."""

    @transition("state", "submitted", _open(["class_review", "school_review"]), permission="system")
    def accept(self) -> None:
        """受理: submitted by the school's own officer, so accepted at once."""

    @transition("state", "class_review", "class_notice", permission="review_class")
    @transition("state", "school_review", "school_notice", permission="review_school")
    @transition("state", "township_review", _open(["township_notice", "county_review"]), permission="review_township")
    @transition("state", "county_review", "data_check", permission="review_county")
    @transition("state", "recheck", "county_review", permission="recheck_county")
    @transition("state", "pending_approval", "county_notice", conditions=[NO_OPEN_HIT], permission="approve_county")
    def approve(self) -> None:
        """审核通过."""

    @transition("state", "class_notice", "school_review", conditions=[NOTICED["class_notice"]], permission="system")
    @transition("state", "school_notice", "township_review", conditions=[NOTICED["school_notice"]], permission="system")
    @transition(
        "state", "township_notice", "county_review", conditions=[NOTICED["township_notice"]], permission="system"
    )
    @transition("state", "county_notice", "approved", conditions=[NOTICED["county_notice"]], permission="system")
    def conclude(self) -> None:
        """公示无异议."""

    @transition("state", "class_notice", "class_review", permission="review_class")
    @transition("state", "school_notice", "school_review", permission="review_school")
    @transition("state", "township_notice", "township_review", permission="review_township")
    @transition("state", "county_notice", "county_review", permission="review_county")
    def adjust(self) -> None:
        """A line taken off a notice is judged again."""

    @transition("state", list(NOTICES), "rejected", permission="investigate_objection")
    def uphold(self) -> None:
        """异议成立: what was said against it while it was on notice is true."""

    @transition("state", "class_notice", "class_review", permission="investigate_objection")
    @transition("state", "school_notice", "school_review", permission="investigate_objection")
    @transition("state", "township_notice", "township_review", permission="investigate_objection")
    @transition("state", "county_notice", "county_review", permission="investigate_objection")
    def amend(self) -> None:
        """异议部分成立: judged again, to be noticed again."""

    @transition("state", "data_check", "pending_approval", conditions=[NO_OPEN_HIT], permission="system")
    def clear(self) -> None:
        """比对通过."""

    @transition("state", "data_check", "recheck", permission="system")
    def hit(self) -> None:
        """比对异常."""

    @_from_each(REVIEWERS, _open(["returned", *REVIEWERS]))
    def return_(self) -> None:
        """退回: to the applicant for correction, or to an earlier review."""

    @transition(
        "state",
        "returned",
        _open(REVIEWERS),
        conditions=[NOTHING_MISSING],
        permission="submit_application",
    )
    def resubmit(self) -> None:
        """重新提交, back to the step that returned it or to the school's."""

    @transition(
        "state", "class_review", _open(REVIEWERS), conditions=_notices_stand("class_review"), permission="review_class"
    )
    @transition(
        "state",
        "school_review",
        _open(REVIEWERS),
        conditions=_notices_stand("school_review"),
        permission="review_school",
    )
    @transition(
        "state",
        "township_review",
        _open(REVIEWERS),
        conditions=_notices_stand("township_review"),
        permission="review_township",
    )
    @transition("state", "county_review", _open(REVIEWERS), permission="review_county")
    def pass_back(self) -> None:
        """复核送回: approved again, straight back to the later review that had returned it."""

    @transition(
        "state",
        ["returned", *REVIEWERS, *NOTICES, "data_check"],
        _open(["draft", "returned", *REVIEWERS]),
        permission="take_back",
    )  # fmt: skip
    def take_back(self) -> None:
        """拿回: whoever decided last undoes it, while nobody has acted on it."""

    @_from_each(REVIEWERS, "rejected")
    def reject(self) -> None:
        """不予通过."""

    @_from_each(WITHDRAWABLE, "withdrawn")
    def withdraw(self) -> None:
        """撤回: not while it stands on a public list."""

    @_from_each(CANCELLABLE, "cancelled")
    def cancel(self) -> None:
        """作废."""

    @transition("state", "approved", "disbursing", conditions=[EVERY_NOTICE_CONCLUDED], permission="system")
    def disburse(self) -> None:
        """Nothing is payable unless its notices concluded."""

    @transition("state", "disbursing", "completed", permission="system")
    def pay(self) -> None:
        """The money has arrived, or the waiver is settled."""

    @transition("state", "class_review", "class_notice", conditions=[_not("class_review")], permission="system")
    @transition("state", "class_notice", "school_review", conditions=[_not("class_notice")], permission="system")
    @transition("state", "school_notice", "township_review", conditions=[_not("school_notice")], permission="system")
    @transition(
        "state",
        "township_review",
        _open(["township_notice", "county_review"]),
        conditions=[_not("township_review")],
        permission="system",
    )
    @transition("state", "township_notice", "county_review", conditions=[_not("township_notice")], permission="system")
    @transition("state", "data_check", "pending_approval", conditions=[_not("data_check")], permission="system")
    @transition(
        "state", "pending_approval", "county_notice", conditions=[_not("pending_approval")], permission="system"
    )
    @transition("state", "county_notice", "approved", conditions=[_not("county_notice")], permission="system")
    @transition(
        "state", "approved", "disbursing", conditions=[_not("payment"), EVERY_NOTICE_CONCLUDED], permission="system"
    )
    @transition("state", "disbursing", "completed", conditions=[_not("disbursement")], permission="system")
    def skip(self) -> None:
        """跳过: the case's programme or office has no such step."""


# ---------------------------------------------------------------- where the work is


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


class AidFlow(Flow):
    """Aid application"""

    process_class = AidCase
    task_class = WorkItem
    lock_impl = SelectForUpdateLock(nowait=False, attempts=1)
    kind = "aid"
    version = 2026

    draft = (
        Draft("submit_application", level="submit")
        .Submit(this.acceptance)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled, by="submit_application")
    )
    acceptance = Automatic(state="submitted", through=True).Accept(this.school_review)
    school_review = (
        Review("review_school", level="school")
        .Approve(this.school_notice)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled)
    )
    school_notice = (
        PublicNotice("review_school", level="school", optional=True)
        .Concluded(this.township_review)
        .Adjusted(this.school_review)
        .Upheld(this.rejected)
        .Amended(this.school_review)
    )
    township_review = (
        Review("review_township", level="township", optional=True)
        .Approve(this.county_review)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled)
    )
    county_review = (
        Review("review_county", level="county")
        .Approve(this.data_check)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled)
    )
    data_check = Automatic(optional=True).Clear(this.pending_approval).Hit(this.recheck)
    recheck = (
        Review("recheck_county", level="recheck")
        .Approve(this.county_review, reason=True)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled)
    )
    pending_approval = (
        Review("approve_county", level="leader", optional=True)
        .Approve(this.county_notice)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled)
    )
    county_notice = (
        PublicNotice("review_county", level="county", optional=True)
        .Concluded(this.payment)
        .Adjusted(this.county_review)
        .Upheld(this.rejected)
        .Amended(this.county_review)
    )
    payment = Payment(state="approved", optional=True).Disburse(this.disbursement)
    disbursement = Payment(state="disbursing", optional=True).Paid(this.completed)
    correction = (
        Correction("submit_application", state="returned", level="submit")
        .Resubmit()
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled, by="submit_application")
    )

    completed = Ended()
    rejected = Ended()
    withdrawn = Ended()
    cancelled = Ended()
