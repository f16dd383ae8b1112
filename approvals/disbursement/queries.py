"""What is asked of batches and payment lines."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, Min, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from approvals.applications.matching import SHARING, Owner, shared_accounts
from approvals.applications.models import Application, Hit
from approvals.applications.sources.registry import stopping_payment
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement.funds.following import PAID
from approvals.disbursement.models import OCCUPYING, PURPOSE, RECOVERY, TRANSFER, AccountCorrection, Batch, PaymentLine
from approvals.organisations.models import User
from approvals.organisations.queries import below
from approvals.people.accounts import account_problem
from approvals.people.models import Guardian
from approvals.people.names import folded_in_sql
from approvals.programmes.terms import Term
from workflows.clock import today
from workflows.flows.aid import EVERY_NOTICE_CONCLUDED
from workflows.models import Case

_ALL = Q()
_ON_FILE = ("award__case__application__holder_name", "award__student", "award__case__application__guardian_name")
"""Of an award term: whose account is on file, whose money it is, and who is stated as guardian."""


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
    rows = batch.lines.exclude(state="cancelled").exclude(purpose=RECOVERY).values("school__code", "school__name")
    return list(rows.annotate(count=Count("pk"), total=Sum("amount")).order_by("school__code"))


# ---------------------------------------------------------------- what waits to be paid


def unpaid(where: Q) -> QuerySet[AwardTerm]:
    """Award terms that have begun and that no batch holds yet; `where` narrows their awards.

    A line that was reissued is stood for by the one that took its place, also once that one was given up.

    The award is active, every notice of its case has concluded, and the pupil was not paid for the same programme
    and term by another award. `account` is the digest of the account on file; `stopped` tells whether a hit of the
    data match (the pupil died, or is on the roll of another school) stands unwaived; `holder_known`, whether the
    account is the pupil's or a guardian's.
    """
    lines = PaymentLine.objects.filter(term=OuterRef("term"), purpose=PURPOSE)
    held = lines.filter(award=OuterRef("award")).exclude(state__in=["cancelled", "reissued"])
    paid = lines.filter(student=OuterRef("award__student"), programme=OuterRef("award__programme"), state__in=OCCUPYING)
    noticed = Case.objects.filter(EVERY_NOTICE_CONCLUDED.holds()).values("pk")
    awards = Award.objects.filter(where, state="active", case__in=noticed).values("pk")
    begun = AwardTerm.objects.filter(award__in=awards, hold="", amount__gt=0, term__lte=Term.on(today()).code)
    return (
        begun.exclude(Exists(held))
        .exclude(Exists(paid))
        .annotate(
            account=F("award__case__application__account_hash"),
            holder_known=ExpressionWrapper(_holder_known(*_ON_FILE), BooleanField()),
            stopped=_stopped("award__case"),
        )
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

    [{"programme", "term", "kind", "count", "total", "no_account", "holder", "shared", "stopped"}]: `no_account` counts
    award terms without an account, `holder` those whose account is neither the pupil's nor a guardian's, `shared` those
    whose account serves too many pupils, `stopped` those for which a hit of the data match stands.
    """
    rows = unpaid(below(prefixes) & wanted)
    payable, shared = _payable(rows)
    transfer = Q(award__kind=TRANSFER)
    grouped = rows.values("term", programme=F("award__programme"), kind=F("award__kind")).annotate(
        count=Count("pk", filter=payable),
        total=Coalesce(Sum("amount", filter=payable), Decimal("0.00")),
        no_account=Count("pk", filter=transfer & Q(account=None)),
        holder=Count("pk", filter=transfer & Q(account__isnull=False, holder_known=False)),
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
    mine = Q(account__isnull=False, holder_known=True) & (~Q(account__in=shared) if shared else Q())
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


# ---------------------------------------------------------------- accounts


def account_problems(lines: QuerySet[PaymentLine]) -> dict[str, list[int]]:
    """What is wrong with the accounts of these payments, by a code of `refusals.ACCOUNT_PROBLEMS`: numbers of lines.

    A line without an account is named for that alone. Waivers pay to no account. Three statements, however many lines.
    """
    lines = lines.filter(kind=TRANSFER)
    with_account = lines.filter(account_hash__isnull=False)
    found = {
        "no_account": lines.filter(account_hash=None),
        "holder": with_account.filter(~_holder_known("payee", "student", "case__application__guardian_name")),
    }
    problems = {code: list(rows.order_by("number").values_list("number", flat=True)) for code, rows in found.items()}
    problems["number"] = _wrong_numbers(with_account)
    shared = list(_shared_among_lines(with_account))
    if shared:
        among = with_account.filter(account_hash__in=shared).order_by("number")
        problems["shared"] = list(among.values_list("number", flat=True))
    return {code: numbers for code, numbers in problems.items() if numbers}


def _wrong_numbers(lines: QuerySet[PaymentLine]) -> list[int]:
    """Lines whose number fails its check; a passbook's has none (DOMAIN.md §4.3)."""
    rows = lines.order_by("number").values_list("number", "account_no", "case__application__account_kind")
    return [number for number, account, kind in rows.iterator(chunk_size=5000) if account_problem(account or "", kind)]


def _shared_among_lines(lines: QuerySet[PaymentLine]) -> Iterable[bytes]:
    accounts = lines.values("account_hash")
    named = Application.objects.filter(live=True, account_hash__in=accounts).values("account_hash")
    many = named.annotate(pupils=Count("student", distinct=True)).filter(pupils__gt=SHARING)
    left = lines.exclude(case__application__account_hash=F("account_hash"), case__application__live=True)
    suspects = {bytes(account) for found in (many, left) for account in found.values_list("account_hash", flat=True)}
    return shared_accounts(suspects, paid_to(suspects)) if suspects else []


def _holder_known(holder: str, student: str, guardian: str) -> Q:
    """Whether the holder of an account is the pupil, or a guardian stated or registered, however the name is spelt."""
    name = folded_in_sql(holder)
    registered = Guardian.objects.filter(student=OuterRef(student)).annotate(folded=folded_in_sql("name"))
    return ~Q(**{holder: ""}) & (
        Q(Exact(name, folded_in_sql(f"{student}__name")))
        | Q(Exact(name, Coalesce(folded_in_sql(guardian), Value(""))))
        | Q(Exists(registered.filter(folded=folded_in_sql(OuterRef(holder)))))
    )


def edited_by(batch: Batch, user: User) -> list[int]:
    """The lines of a batch to whose account this natural person has led the money, by proposing or confirming it."""
    corrected = AccountCorrection.objects.filter(
        Q(proposed_person=user.person) | Q(decided_person=user.person),
        state="confirmed",
        line__case=OuterRef("case"),
        account_hash=OuterRef("account_hash"),
    )
    lines = batch.lines.exclude(state="cancelled").filter(Exists(corrected)).order_by("number")
    return list(lines.values_list("number", flat=True))


# ---------------------------------------------------------------- the bank's answer


def answers_by_code(batch: Batch) -> list[dict[str, Any]]:
    """[{"state", "bank_code", "message", "count", "total"}]: what the bank said of a batch, by outcome and code."""
    rows = batch.lines.exclude(state__in=["included", "sent", "cancelled", "recovered"]).values("state", "bank_code")
    counted = rows.annotate(message=Min("bank_message"), count=Count("pk"), total=Sum("amount"))
    return list(counted.order_by("state", "bank_code"))


def to_correct_by_school(batch: Batch) -> list[dict[str, Any]]:
    """[{"school_id", "school__name", "count", "total"}]: payments of a batch that wait for another account."""
    rows = batch.lines.filter(state__in=["failed", "bounced"]).values("school_id", "school__name", "school__code")
    return list(rows.annotate(count=Count("pk"), total=Sum("amount")).order_by("school__code"))


def paid_after_end(prefixes: Iterable[str]) -> QuerySet[PaymentLine]:
    """Payments that arrived although the award had ended or was suspended between the bank file and the answer: they
    were booked as the bank says, and are asked back.
    """
    rows = PaymentLine.objects.filter(below(prefixes), paid_after_end=True, state__in=PAID)
    return rows.select_related("student", "school", "batch", "award").defer("account_no").order_by("id")


# ---------------------------------------------------------------- what went wrong, and what there was


def failed_below(prefixes: Iterable[str]) -> QuerySet[PaymentLine]:
    """Payments that failed or came back and wait for another account, or for their reissue, in these offices' schools.

    `new_tail`, `new_bank`, `new_holder`: the account that is on the application by now.
    """
    rows = PaymentLine.objects.filter(below(prefixes), state__in=["failed", "bounced", "account_fix"]).annotate(
        new_tail=F("case__application__account_tail"),
        new_bank=F("case__application__bank"),
        new_holder=F("case__application__holder_name"),
    )
    return rows.select_related("student", "school", "batch").defer("account_no", "student__id_number").order_by("id")


def corrections_waiting(prefixes: Iterable[str]) -> QuerySet[AccountCorrection]:
    """Accounts that schools of these offices propose and that wait for a second person, oldest first."""
    rows = AccountCorrection.objects.filter(below(prefixes), state="waiting")
    return (
        rows.select_related("line__student", "line__school", "line__batch", "proposed_by")
        .defer("account_no")
        .order_by("id")
    )


def corrections_of(line: PaymentLine) -> QuerySet[AccountCorrection]:
    """What was proposed for a payment and what became of it, newest first."""
    return line.corrections.select_related("proposed_by", "decided_by").defer("account_no").order_by("-id")


def lines_of_case(case_id: int) -> QuerySet[PaymentLine]:
    """Every payment line of a case, oldest first, each with its recoveries."""
    rows = PaymentLine.objects.filter(case=case_id).select_related("batch").defer("account_no").order_by("id")
    return rows.prefetch_related("recoveries")
