"""What is asked of receipts: which paid lines wait for a signature, and which have one."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F, QuerySet

from approvals.disbursement.models import RECOVERY, TRANSFER, PaymentLine
from approvals.organisations.queries import below
from workflows.clock import today

DAYS = 30
"""Days after the payment from which a missing receipt is overdue."""


def to_sign(prefixes: Iterable[str], overdue: bool = False) -> QuerySet[PaymentLine]:
    """Lines paid to persons at these offices' schools for which nobody has signed yet, in the order of their keys;
    `overdue`: only those paid more than DAYS days ago.
    """
    rows = PaymentLine.objects.filter(below(prefixes), state="paid", kind=TRANSFER).exclude(purpose=RECOVERY)
    if overdue:
        rows = rows.filter(paid_on__lt=today() - timedelta(days=DAYS))
    rows = rows.annotate(guardian=F("case__application__guardian_name"))
    return rows.select_related("student", "school", "batch__programme").defer("account_no").order_by("pk")
