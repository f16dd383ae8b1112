"""A hit that must be waived by itself does not go with the re-check's approval (死亡、互斥资助: DOMAIN.md §2.8)."""

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from approvals.applications.models import Hit
from approvals.applications.sources.base import BLOCK
from workflows.actors import Actor
from workflows.guards import Refusal, guard
from workflows.refusals import add_sentences

SENTENCES = {
    "blocking_hit": _(
        "%(count)s hits of this case must each be waived with a reason of its own, or the case rejected."
    ),
}
add_sentences(SENTENCES)


@guard("aid", "recheck", "approve")
def waived_by_themselves(case_ids: list[int], by: Actor) -> dict[int, Refusal]:
    """The cases with a hit that the approval does not waive."""
    blocking = Hit.objects.filter(application__in=case_ids, weight=BLOCK, waived_at=None)
    counted = blocking.order_by().values_list("application_id").annotate(Count("pk"))
    return {case: Refusal("blocking_hit", SENTENCES["blocking_hit"], {"count": count}) for case, count in counted}
