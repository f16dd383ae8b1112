"""Hits that do not go with the re-check's approval: those that must be waived by themselves (死亡、互斥资助:
DOMAIN.md §2.8), and those found since the case came there, which whoever approves may not have seen.
"""

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.applications.models import Hit
from approvals.applications.sources.base import BLOCK, RECHECK
from workflows.actors import Actor
from workflows.guards import Refusal, guard
from workflows.models import WorkItem
from workflows.refusals import add_sentences

SENTENCES: dict[str, Promise] = {
    "blocking_hit": _(
        "%(count)s hits of this case must each be waived with a reason of its own, or the case rejected."
    ),
    "hit_since": _(
        "%(count)s hits were found after this case came to the re-check. Look at them: each must be waived with a "
        "reason of its own, or the case rejected."
    ),
}
add_sentences(SENTENCES)


@guard("aid", "recheck", "approve")
def waived_by_themselves(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """The cases with a hit that the approval does not waive."""
    return _refused("blocking_hit", Hit.objects.filter(application__in=case_ids, weight=BLOCK))


@guard("aid", "recheck", "approve")
def not_found_since(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """The cases of which a hit was found, or says something new, since they came to the re-check.

    The match and the decision both lock the case, so none is found between this answer and the waiving.
    """
    came = WorkItem.objects.filter(process=OuterRef("application"), finished=None).values("created")[:1]
    asking = Hit.objects.filter(application__in=case_ids, weight=RECHECK)
    return _refused("hit_since", asking.filter(found_at__gt=Subquery(came)))


def _refused(code: str, hits: QuerySet[Hit]) -> dict[int, Refusal]:
    counted = hits.filter(waived_at=None).order_by().values_list("application_id").annotate(Count("pk"))
    return {case: Refusal(code, SENTENCES[code], {"count": count}) for case, count in counted}
