"""应助尽助: why a registered pupil has no aid in a term, as the school or the county records it."""

from django.db import transaction

from approvals.organisations.authority import UserActor
from approvals.oversight import coverage
from approvals.oversight.models import REASONS, CoverageReason
from approvals.oversight.refusals import Refused
from approvals.people.models import Student
from workflows import record
from workflows.clock import moment
from workflows.reasons import MAX_LENGTH, MIN_LENGTH, Reason

EXPLAINS = "explain_coverage"


def explain_pupil(student_id: int, term: str, code: str, text: str, by: UserActor) -> CoverageReason:
    """Records why a registered pupil is not aided in a term; it replaces an earlier reason, which is kept.

    Raises Refused where the pupil needs none, PermissionDenied.
    """
    at = moment()
    with transaction.atomic():
        student = Student.objects.select_for_update(no_key=True, of=("self",)).select_related("school").filter(
            pk=student_id
        ).only("school__path").first()  # fmt: skip
        if student is None:
            raise Refused("not_unexplained")
        path = student.school.path
        post = by.require(EXPLAINS, path)
        if code not in dict(REASONS):
            raise Refused("reason_unknown")
        text = text.strip()
        if len(text) < MIN_LENGTH:
            raise Refused("reason_too_short")
        if len(text) > MAX_LENGTH:
            raise Refused("reason_too_long")
        if term not in coverage.terms():
            raise Refused("term_unknown")
        if coverage.standing_of(student_id, term) not in ("unexplained", "reason"):
            raise Refused("not_unexplained")
        CoverageReason.objects.filter(student=student, term=term, ended_at=None).update(ended_at=at.business)
        reason = CoverageReason.objects.create(
            student=student, term=term, path=path, code=code, text=text, by=by.user, at=at.business
        )
        record.write("explain", "coverage", [reason.pk], by, post=post, path=path, at=at, reason=Reason(code, text),
                     data={"term": term})  # fmt: skip
    return reason
