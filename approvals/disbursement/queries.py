"""What is asked of batches and payment lines."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum

from approvals.awards.models import Award, AwardTerm
from approvals.disbursement.models import Batch, PaymentLine
from approvals.organisations.queries import below
from approvals.programmes.terms import Term
from workflows.clock import today
from workflows.flows.aid import EVERY_NOTICE_CONCLUDED
from workflows.models import Case


def batches_below(prefixes: Iterable[str]) -> QuerySet[Batch]:
    """Batches of these offices, newest first."""
    return Batch.objects.filter(below(prefixes)).select_related("programme", "maker").order_by("-id")


def batch(prefixes: Iterable[str], batch_id: int) -> Batch | None:
    """One batch, with its three persons; None when it is not theirs to see."""
    people = ("programme", "maker", "checker", "approver")
    return Batch.objects.filter(below(prefixes)).select_related(*people).filter(pk=batch_id).first()


def lines_of(batch: Batch) -> QuerySet[PaymentLine]:
    """A batch's lines in order; numbers of accounts stay encrypted and unread."""
    return (
        batch.lines.select_related("student", "school")
        .defer("account_no", "student__id_number", "student__enrolment_no")
        .order_by("number")
    )


def totals_by_state(batch: Batch) -> list[dict[str, Any]]:
    """[{"state", "count", "total"}] of a batch's lines."""
    return list(batch.lines.values("state").annotate(count=Count("pk"), total=Sum("amount")).order_by("state"))


def totals_by_school(batch: Batch) -> list[dict[str, Any]]:
    """[{"school__name", "school__code", "count", "total"}]: what each school is settled or paid for."""
    rows = batch.lines.exclude(state="cancelled").values("school__code", "school__name")
    return list(rows.annotate(count=Count("pk"), total=Sum("amount")).order_by("school__code"))


def waiting(prefixes: Iterable[str]) -> list[dict[str, Any]]:
    """[{"programme", "term", "count", "total"}] of award terms that have begun and that no batch holds yet."""
    held = PaymentLine.objects.exclude(state="cancelled").filter(award=OuterRef("award"), term=OuterRef("term"))
    noticed = Case.objects.filter(EVERY_NOTICE_CONCLUDED.holds()).values("pk")
    awards = Award.objects.filter(below(prefixes), state="active", case__in=noticed).values("pk")
    begun = AwardTerm.objects.filter(award__in=awards, amount__gt=0, term__lte=Term.on(today()).code)
    rows = begun.exclude(Exists(held)).values("term", programme=F("award__programme"))
    return list(rows.annotate(count=Count("pk"), total=Sum("amount")).order_by("term", "programme"))


def failed_below(prefixes: Iterable[str]) -> QuerySet[PaymentLine]:
    """Failed payments that wait for another account, or for their reissue, in these offices' schools.

    `new_tail`, `new_bank`, `new_holder`: the account that is on the application by now.
    """
    rows = PaymentLine.objects.filter(below(prefixes), state__in=["failed", "account_fix"]).annotate(
        new_tail=F("case__application__account_tail"),
        new_bank=F("case__application__bank"),
        new_holder=F("case__application__holder_name"),
    )
    return rows.select_related("student", "school", "batch").defer("account_no", "student__id_number").order_by("id")


def lines_of_case(case_id: int) -> QuerySet[PaymentLine]:
    """Every payment line of a case, oldest first."""
    return PaymentLine.objects.filter(case=case_id).select_related("batch").defer("account_no").order_by("id")
