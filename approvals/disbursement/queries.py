"""What is asked of batches and payment lines."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from approvals.applications.matching import SHARING, Owner, shared_accounts
from approvals.applications.models import Application, Hit
from approvals.applications.sources.registry import stopping_payment
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement.funds.following import PAID
from approvals.disbursement.models import OCCUPYING, PURPOSE, TRANSFER, Batch, PaymentLine
from approvals.organisations.queries import below
from approvals.programmes.terms import Term
from workflows.clock import today
from workflows.flows.aid import EVERY_NOTICE_CONCLUDED
from workflows.models import Case

_ALL = Q()


def batches_below(prefixes: Iterable[str]) -> QuerySet[Batch]:
    """Batches of these offices, newest first."""
    return Batch.objects.filter(below(prefixes)).select_related("programme", "maker").order_by("-id")


def batch(prefixes: Iterable[str], batch_id: int) -> Batch | None:
    """One batch, with its four persons; None when it is not theirs to see."""
    people = ("programme", "maker", "checker", "approver", "treasury")
    return Batch.objects.filter(below(prefixes)).select_related(*people).filter(pk=batch_id).first()


def lines_of(batch: Batch) -> QuerySet[PaymentLine]:
    """A batch's lines in order; numbers of accounts stay encrypted and unread."""
    return (
        batch.lines.select_related("student", "school")
        .defer("account_no", "student__id_number", "student__enrolment_no")
        .order_by("number")
    )


def batches_beside(batch: Batch) -> dict[str, list[Batch]]:
    """{"later", "earlier"}: batches that reissue failed payments of this one, and those of which it reissues some."""
    found = Batch.objects.exclude(pk=batch.pk).order_by("pk").only("number", "state").distinct()
    return {
        "later": list(found.filter(lines__replaces__batch=batch)),
        "earlier": list(found.filter(lines__replacement__batch=batch)),
    }


def totals_by_state(batch: Batch) -> list[dict[str, Any]]:
    """[{"state", "count", "total"}] of a batch's lines."""
    return list(batch.lines.values("state").annotate(count=Count("pk"), total=Sum("amount")).order_by("state"))


def paid_total(batch: Batch) -> Decimal:
    """Yuan of a batch's lines that were paid."""
    found: Decimal | None = batch.lines.filter(state__in=PAID).aggregate(sum=Sum("amount"))["sum"]
    return found or Decimal("0.00")


def totals_by_school(batch: Batch) -> list[dict[str, Any]]:
    """[{"school__name", "school__code", "count", "total"}]: what each school is settled or paid for."""
    rows = batch.lines.exclude(state="cancelled").values("school__code", "school__name")
    return list(rows.annotate(count=Count("pk"), total=Sum("amount")).order_by("school__code"))


# ---------------------------------------------------------------- what waits to be paid


def unpaid(where: Q) -> QuerySet[AwardTerm]:
    """Award terms that have begun and that no batch holds yet; `where` narrows their awards.

    The award is active, every notice of its case has concluded, and the pupil was not paid for the same programme
    and term by another award. `account` is the digest of the account on file; `stopped` tells whether a hit of the
    data match (the pupil died, or is on the roll of another school) stands unwaived.
    """
    lines = PaymentLine.objects.filter(term=OuterRef("term"), purpose=PURPOSE)
    held = lines.filter(award=OuterRef("award")).exclude(state="cancelled")
    paid = lines.filter(student=OuterRef("award__student"), programme=OuterRef("award__programme"), state__in=OCCUPYING)
    noticed = Case.objects.filter(EVERY_NOTICE_CONCLUDED.holds()).values("pk")
    awards = Award.objects.filter(where, state="active", case__in=noticed).values("pk")
    begun = AwardTerm.objects.filter(award__in=awards, hold="", amount__gt=0, term__lte=Term.on(today()).code)
    return (
        begun.exclude(Exists(held))
        .exclude(Exists(paid))
        .annotate(account=F("award__case__application__account_hash"), stopped=_stopped("award__case"))
    )


def _stopped(case: str) -> Exists:
    """Whether a hit of the data match for which nothing is paid stands unwaived on the case of a row."""
    return Exists(Hit.objects.filter(application=OuterRef(case), code__in=stopping_payment(), waived_at=None))


def stopped_lines(lines: QuerySet[PaymentLine]) -> list[PaymentLine]:
    """Of these payment lines those for which nothing may be paid now, in order."""
    return list(lines.filter(_stopped("case")).order_by("number"))


def awards_to_pay(where: Q) -> QuerySet[Award]:
    """The awards of which a term waits to be paid; those that go to an account of which none is on file wait for it."""
    terms = unpaid(where).exclude(award__kind=TRANSFER, account=None).filter(stopped=False)
    return Award.objects.filter(where, Exists(terms.filter(award=OuterRef("pk"))))


def waiting(prefixes: Iterable[str], wanted: Q = _ALL) -> list[dict[str, Any]]:
    """What can be put into batches, and what is left out of them and why, by programme, term and kind of payment.

    [{"programme", "term", "kind", "count", "total", "no_account", "shared", "stopped"}]: `no_account` and `shared`
    count award terms without an account, and those whose account serves too many pupils; `stopped` those for which a
    hit of the data match stands.
    """
    rows = unpaid(below(prefixes) & wanted)
    payable, shared = _payable(rows)
    transfer = Q(award__kind=TRANSFER)
    grouped = rows.values("term", programme=F("award__programme"), kind=F("award__kind")).annotate(
        count=Count("pk", filter=payable),
        total=Coalesce(Sum("amount", filter=payable), Decimal("0.00")),
        no_account=Count("pk", filter=transfer & Q(account=None)),
        shared=Count("pk", filter=transfer & Q(account__in=shared)) if shared else Value(0),
        stopped=Count("pk", filter=Q(stopped=True)),
    )
    return list(grouped.order_by("term", "programme", "kind"))


def payable_awards(prefixes: Iterable[str], wanted: Q, term: str) -> list[int]:
    """The awards whose money for a term can be put into a batch now."""
    rows = unpaid(below(prefixes) & wanted).filter(term=term)
    return list(rows.filter(_payable(rows)[0]).values_list("award", flat=True))


def _payable(rows: QuerySet[AwardTerm]) -> tuple[Q, list[bytes]]:
    """What tells which of these award terms can be paid, and the accounts among theirs that too many share."""
    shared = list(_shared_among(rows))
    mine = Q(account__isnull=False) & (~Q(account__in=shared) if shared else Q())
    return Q(stopped=False) & (~Q(award__kind=TRANSFER) | mine), shared


def _shared_among(rows: QuerySet[AwardTerm]) -> Iterable[bytes]:
    """Of the accounts of these award terms, those that too many share; asked closely only of the few that may be."""
    accounts = rows.filter(award__kind=TRANSFER, account__isnull=False).values("account")
    named = Application.objects.filter(live=True, account_hash__in=accounts).values("account_hash")
    many = named.annotate(pupils=Count("student", distinct=True)).filter(pupils__gt=SHARING)
    lines = PaymentLine.objects.filter(state__in=OCCUPYING, account_hash__in=accounts)
    left = lines.exclude(case__application__account_hash=F("account_hash"))
    suspects = {bytes(account) for found in (many, left) for account in found.values_list("account_hash", flat=True)}
    return shared_accounts(suspects, paid_to(suspects))


def paid_to(accounts: Iterable[bytes]) -> list[Owner]:
    """The pupils whose money was paid to these accounts, or is about to be, whatever account they have by now."""
    lines = PaymentLine.objects.filter(account_hash__in=list(accounts), state__in=OCCUPYING)
    found = lines.values_list("account_hash", "student", "student__household").distinct()
    return [Owner(bytes(account or b""), student, household) for account, student, household in found]


# ---------------------------------------------------------------- what went wrong, and what there was


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
