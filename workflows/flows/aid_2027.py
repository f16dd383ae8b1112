"""The aid application from 2027 on: the class reviews before the school does (班级评议, DOMAIN.md §3.1), and class and
township may give public notice too, as school and county do.

Cases that started on the route of 2026 end on it. The state machine is the same: what a case legally is does not
depend on the version of its route.
"""

from viewflow import this
from viewflow.workflow.base import Flow
from viewflow.workflow.lock import SelectForUpdateLock

from workflows.flows.aid import AidCase, Payment
from workflows.models import WorkItem
from workflows.nodes import Automatic, Correction, Draft, Ended, PublicNotice, Review


class AidFlow2027(Flow):
    """Aid application, from 2027"""

    process_class = AidCase
    task_class = WorkItem
    lock_impl = SelectForUpdateLock(nowait=False, attempts=1)
    kind = "aid"
    version = 2027

    draft = (
        Draft("submit_application", level="submit")
        .Submit(this.acceptance)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled, by="submit_application")
    )
    acceptance = Automatic(state="submitted", through=True).Accept(this.class_review)
    class_review = (
        Review("review_class", level="class", optional=True)
        .Approve(this.class_notice)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled)
    )
    class_notice = (
        PublicNotice("review_class", level="class", optional=True)
        .Concluded(this.school_review)
        .Adjusted(this.class_review)
        .Upheld(this.rejected)
        .Amended(this.class_review)
    )
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
        .Approve(this.township_notice)
        .Return(this.correction)
        .Reject(this.rejected)
        .Withdraw(this.withdrawn)
        .Cancel(this.cancelled)
    )
    township_notice = (
        PublicNotice("review_township", level="township", optional=True)
        .Concluded(this.county_review)
        .Adjusted(this.township_review)
        .Upheld(this.rejected)
        .Amended(this.township_review)
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
