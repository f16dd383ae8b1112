"""资金下达: what sources give an office, by documents; the only writers of allotments."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from approvals.disbursement.funds.ledger import Move, lock, post
from approvals.disbursement.funds.models import Account, Adjustment, Allotment, Balance
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from workflows import record
from workflows.clock import moment


def record_allotment(
    path: str,
    by: UserActor,
    *,
    source: str,
    budget_year: int,
    document: str,
    dated: date,
    amount: Decimal,
    programmes: list[str] | None = None,
    rural_priority: bool = False,
    note: str = "",
) -> Allotment:
    """登记指标文: so many yuan of a source for a budget year, for these programmes only or for any. Raises Refused."""
    under = by.require("manage_funds", path)
    at = moment()
    if dated > at.date:
        raise Refused("allotment_future")
    if amount <= 0:
        raise Refused("amount_required")
    with transaction.atomic():
        Organisation.objects.select_for_update(no_key=True).get(path=path)  # of two at once, one is told it is known
        if Allotment.objects.filter(path=path, source=source, document=document.strip()).exists():
            raise Refused("allotment_known", document=document.strip())
        allotment = Allotment.objects.create(
            path=path,
            source=source,
            budget_year=budget_year,
            document=document.strip(),
            dated=dated,
            amount=amount,
            programmes=sorted(set(programmes or [])),
            rural_priority=rural_priority,
            note=note.strip(),
            at=at.business,
            by=by.user,
        )
        Balance.objects.create(allotment=allotment)
        move = Move(allotment.pk, amount, Account.ALLOTTED, Account.AVAILABLE)
        post("allot", [move], by, document=allotment.document)
        record.write(
            "allot_funds",
            "allotment",
            [allotment.pk],
            by,
            post=under,
            path=path,
            at=at,
            data={"document": allotment.document, "source": source, "amount": str(amount)},
        )
    return allotment


def adjust(
    allotment_id: int, by: UserActor, *, document: str, dated: date, amount: Decimal, note: str = ""
) -> Adjustment:
    """追加、调减: another document gives more (or, negative, takes some back). Raises Refused where less is left."""
    with transaction.atomic():
        allotment = Allotment.objects.get(pk=allotment_id)
        under = by.require("manage_funds", allotment.path)
        balance = lock([allotment_id])[allotment_id]
        at = moment()
        if dated > at.date:
            raise Refused("allotment_future")
        if not amount:
            raise Refused("amount_required")
        if Adjustment.objects.filter(allotment=allotment, document=document.strip()).exists():
            raise Refused("adjustment_known", document=document.strip())
        if balance.available + amount < 0:
            missing = -(balance.available + amount)
            raise Refused("adjustment_too_much", available=f"{balance.available:,.2f}", missing=f"{missing:,.2f}")
        adjustment = Adjustment.objects.create(
            allotment=allotment,
            document=document.strip(),
            dated=dated,
            amount=amount,
            note=note.strip(),
            at=at.business,
            by=by.user,
        )
        move = Move(allotment_id, amount, Account.ALLOTTED, Account.AVAILABLE)
        post("adjust", [move], by, document=adjustment.document)
        record.write(
            "adjust_funds",
            "allotment",
            [allotment_id],
            by,
            post=under,
            path=allotment.path,
            at=at,
            data={"document": adjustment.document, "amount": str(amount)},
        )
    return adjustment
