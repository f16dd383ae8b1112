"""What is asked of recoveries: what could be asked back, what is, and what came."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet, Sum

from approvals.awards import queries as awards
from approvals.disbursement import queries as payments
from approvals.disbursement.funds.following import PAID
from approvals.disbursement.models import RECOVERY, PaymentLine
from approvals.disbursement.recovery.models import RecoveryCase, RepaymentAccount
from approvals.organisations.queries import below

AT_ONCE = 200
"""Proposals shown on one page; those that are dealt with make room for the others."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A paid line of which money could be asked back."""

    line: PaymentLine
    amount: Decimal
    cause: str
    difference: int | None = None


def cases_below(prefixes: Iterable[str]) -> QuerySet[RecoveryCase]:
    """Recoveries at these offices' schools, newest first."""
    rows = RecoveryCase.objects.filter(below(prefixes))
    return rows.select_related("line__student", "line__school", "line__batch").defer("line__account_no").order_by("-pk")


def case(prefixes: Iterable[str], case_id: int) -> RecoveryCase | None:
    """One recovery, with the persons; None when it is not theirs to see."""
    rows = cases_below(prefixes).select_related(
        "opened_by", "proposed_by", "confirmed_by", "line__student", "line__school", "line__batch__programme"
    )
    return rows.filter(pk=case_id).first()


def claimed(line: PaymentLine) -> Decimal:
    """Yuan of a line that is asked back, came back or was given up."""
    found = line.recoveries.exclude(state="withdrawn").aggregate(sum=Sum("amount"))["sum"]
    return found or Decimal("0.00")


def claimable(line: PaymentLine) -> Decimal:
    """Yuan of a paid line that can still be asked back."""
    return line.amount - claimed(line)


def paid_line(prefixes: Iterable[str], line_id: int) -> PaymentLine | None:
    """A line that was paid, with whom it was paid to; None when there is none for these offices."""
    rows = PaymentLine.objects.filter(below(prefixes), pk=line_id, state__in=PAID).exclude(purpose=RECOVERY)
    return rows.select_related("student", "school", "batch__programme").defer("account_no").first()


def proposals(prefixes: Iterable[str]) -> list[Proposal]:
    """What the house itself found: money that arrived after an award's end, and negative differences; each until a
    recovery is opened for it.
    """
    offices = list(prefixes)
    open_cases = RecoveryCase.objects.filter(line=OuterRef("pk")).exclude(state="withdrawn")
    late = payments.paid_after_end(offices).exclude(Exists(open_cases))[:AT_ONCE]
    differences = list(awards.differences(offices).filter(amount__lt=0)[:AT_ONCE])
    keys = {(each.award_id, each.term): each for each in differences}
    lines = PaymentLine.objects.filter(award__in={award for award, _ in keys}, state__in=PAID, amount__gt=0)
    paid = {
        (line.award_id, line.term): line
        for line in lines.select_related("student", "school", "batch").defer("account_no").order_by("-pk")
    }
    found = [
        Proposal(paid[key], -each.amount, "wrong_rate" if each.cause == "rate" else "after_end", each.pk)
        for key, each in keys.items()
        if key in paid
    ]
    named = {each.line.pk for each in found}
    return [*found, *(Proposal(line, line.amount, "after_end") for line in late if line.pk not in named)]


def account_for(path: str) -> RepaymentAccount | None:
    """The treasury's account for repayments of an office."""
    return RepaymentAccount.objects.filter(path=path).first()
