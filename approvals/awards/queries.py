"""What is asked of awards: lists for an office's subtree, and the award of a case."""

from collections.abc import Iterable

from django.db.models import Prefetch, QuerySet

from approvals.awards.models import Award, AwardTerm
from approvals.organisations.queries import below
from approvals.programmes.models import Programme


def awards_below(prefixes: Iterable[str]) -> QuerySet[Award]:
    """Awards in an office's subtree, newest first, with pupil, school and amounts by term."""
    return (
        Award.objects.filter(below(prefixes))
        .select_related("student", "school")
        .defer("student__id_number", "student__enrolment_no")
        .prefetch_related(Prefetch("terms", AwardTerm.objects.order_by("term")))
        .order_by("-id")
    )


def award_of(case_id: int) -> Award | None:
    """The award that a case became."""
    return Award.objects.filter(case=case_id).prefetch_related("terms").first()


def programmes_awarded() -> list[tuple[str, str]]:
    """(code, name) of the programmes, for a filter."""
    return [(programme.code, str(programme)) for programme in Programme.objects.all()]
