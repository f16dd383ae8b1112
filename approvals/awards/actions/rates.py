"""A rate was corrected: terms not paid yet take the new one, for paid ones the difference is written (DOMAIN.md §2.4).

What was paid is never edited. A term whose money is in a batch or at the bank waits until that is settled.
"""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from approvals.awards import payments, queries
from approvals.awards.actions.common import locked
from approvals.awards.models import AwardDifference, AwardTerm
from approvals.organisations.authority import UserActor
from workflows import record
from workflows.clock import moment

CORRECTS = "correct_rates"


def correct_rates(programme: str, term: str, path: str, by: UserActor) -> dict[str, int]:
    """Takes a term's corrected rates over for the awards below an office; {"changed", "differences"}.

    Only what was granted at the rate is changed, never an amount that was set for one pupil.
    """
    post = by.require(CORRECTS, path)
    at = moment()
    changed = differences = 0
    with transaction.atomic():
        for found in queries.corrections([path], programme, term):
            rows = queries.at_old_rate([path], found)
            locked(rows.values_list("award_id", flat=True))
            paid = list(rows.filter(payments.paid()).values_list("award_id", flat=True))
            free = list(rows.exclude(payments.begun()).values_list("award_id", flat=True))
            AwardTerm.objects.filter(award__in=[*paid, *free], term=term).update(
                amount=found.new.amount, rate=found.new
            )
            _differ(paid, term, found.new.amount - found.old.amount, found.new.pk)
            changed += len(free)
            differences += len(paid)
        data = {"programme": programme, "term": term, "changed": changed, "differences": differences}
        record.write("correct_rates", "programme", [0], by, post=post, path=path, at=at, data=data)
    return {"changed": changed, "differences": differences}


def _differ(awards: list[int], term: str, delta: Decimal, rate: int) -> None:
    """Writes what is owed or too much; what is open of an earlier correction of the term changes with it."""
    open_ones = AwardDifference.objects.filter(award__in=awards, term=term, cause="rate", settled_at=None)
    have = set(open_ones.values_list("award_id", flat=True))
    open_ones.filter(amount=-delta).delete()
    open_ones.update(amount=F("amount") + delta, rate=rate)
    at = moment().business
    AwardDifference.objects.bulk_create(
        [
            AwardDifference(award_id=award, term=term, cause="rate", amount=delta, rate_id=rate, found_at=at)
            for award in awards
            if award not in have
        ],
        batch_size=2000,
    )


def settle(difference_ids: Iterable[int]) -> int:
    """Marks differences as paid, or as taken up by a recovery, in the caller's transaction; returns how many were open.

    For the room of payments, which has checked who may.
    """
    keys = sorted(set(difference_ids))
    rows = AwardDifference.objects.filter(pk__in=keys, settled_at=None)
    return rows.update(settled_at=moment().business)
