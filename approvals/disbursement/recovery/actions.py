"""追回: who asks money back, what came, and how what does not come ends; the only writers of recovery cases."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from approvals.awards.actions import settle
from approvals.awards.models import AwardDifference
from approvals.disbursement.actions.common import locked, reason_of
from approvals.disbursement.funds import following
from approvals.disbursement.models import RECOVERY, PaymentLine
from approvals.disbursement.recovery.models import (
    CAUSES,
    CONFIRMS,
    OPENS,
    RecoveryCase,
    RecoveryReceipt,
    RepaymentAccount,
)
from approvals.disbursement.recovery.queries import account_for, claimable
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.roles import matrix
from workflows import record
from workflows.clock import moment, today
from workflows.reasons import Reason


def open_case(
    line_id: int, cause: str, words: str, amount: Decimal, by: UserActor, difference_id: int | None = None
) -> RecoveryCase:
    """立案: asks `amount` yuan of a paid line back, for a cause of CAUSES and in words; takes a difference of its award
    up where one is named. Raises Refused.
    """
    with transaction.atomic():
        line = PaymentLine.objects.select_for_update(no_key=True).get(pk=line_id)
        post = by.require(OPENS, line.path)
        why = reason_of(words)
        if cause not in dict(CAUSES):
            raise Refused("recovery_cause")
        if line.purpose == RECOVERY or line.state not in following.PAID:
            raise Refused("line_not_paid")
        if amount <= 0:
            raise Refused("amount_required")
        if amount > (most := claimable(line)):
            raise Refused("recovery_too_much", most=f"{most:,.2f}")
        if difference_id is not None:
            _take_up(line, difference_id, amount)
        at = moment()
        case = RecoveryCase.objects.create(
            line=line,
            path=line.path,
            cause=cause,
            words=why.text,
            amount=amount,
            difference_id=difference_id,
            opened_by=by.user,
            opened_at=at.business,
        )
        _write("open", case, by, post, "", why, {"amount": str(amount), "cause": cause})
    return case


def _take_up(line: PaymentLine, difference_id: int, amount: Decimal) -> None:
    fits = AwardDifference.objects.filter(pk=difference_id, award=line.award_id, term=line.term, amount=-amount)
    if not fits.exists() or not settle([difference_id]):
        raise Refused("difference_settled")


def notice(case_id: int, due_on: date, by: UserActor) -> RecoveryCase:
    """通知: asks the guardian in writing to pay by a day, into the account that is kept now. Raises Refused."""
    with transaction.atomic():
        case, post = _locked(case_id, "notice", OPENS, by)
        if due_on < today():
            raise Refused("recovery_due_past")
        account = account_for(case.line.batch.path)
        if account is None:
            raise Refused("no_repayment_account")
        case.noticed_on, case.due_on = today(), due_on
        case.account_holder, case.account_bank, case.account_no = account.holder, account.bank, account.account_no
        _take(case, "notice", "notice", by, post, data={"due": due_on.isoformat()})
    return case


def receive(case_id: int, number: str, dated: date, amount: Decimal, by: UserActor) -> RecoveryReceipt:
    """缴回: books a receipt of the treasury's account. A negative line stands for it beside the paid one, which is left
    as it is, and the ledger takes the money from paid to recovered. Raises Refused.
    """
    with transaction.atomic():
        batch = locked(PaymentLine.objects.only("batch_id").get(recoveries=case_id).batch_id)
        case, post = _locked(case_id, "receive", OPENS, by)
        number, at = number.strip()[:60], moment()
        if not number:
            raise Refused("receipt_number_required")
        if dated > at.date:
            raise Refused("receipt_future")
        if amount <= 0:
            raise Refused("amount_required")
        if amount > case.left:
            raise Refused("receipt_too_much", left=f"{case.left:,.2f}")
        if case.line.state not in following.PAID:
            raise Refused("line_not_paid")
        if RecoveryReceipt.objects.filter(path=batch.path, number=number).exists():
            raise Refused("receipt_known", number=number)
        receipt = RecoveryReceipt.objects.create(
            case=case,
            path=batch.path,
            number=number,
            dated=dated,
            amount=amount,
            line=_negative(case.line, amount, dated, number),
            at=at.business,
            by=by.user,
        )
        following.recovered(batch, amount, number, by)
        case.refresh_from_db(fields=["recovered"])
        step = "receive_part" if case.left else "receive_all"
        _take(case, step, "receive", by, post, data={"receipt": number, "amount": str(amount)})
    return receipt


def _negative(line: PaymentLine, amount: Decimal, dated: date, number: str) -> PaymentLine:
    """The line that stands for money paid back, at the end of the batch of the line that paid it."""
    return PaymentLine.objects.create(
        batch_id=line.batch_id,
        number=PaymentLine.objects.filter(batch=line.batch_id).aggregate(last=Max("number"))["last"] + 1,
        award_id=line.award_id,
        case_id=line.case_id,
        student_id=line.student_id,
        school_id=line.school_id,
        path=line.path,
        programme=line.programme,
        term=line.term,
        purpose=RECOVERY,
        kind=line.kind,
        amount=-amount,
        rate_id=line.rate_id,
        payee=line.payee,
        state="recovered",
        paid_on=dated,
        bank_message=number,
        recovers=line,
    )


def propose_write_off(case_id: int, by: UserActor, reason: str) -> RecoveryCase:
    """提请核销 what has not come, with a reason; the county's leader confirms it. Raises Refused."""
    with transaction.atomic():
        case, post = _locked(case_id, "propose_write_off", OPENS, by)
        why = reason_of(reason)
        case.reason, case.proposed_by, case.proposed_person = why.text, by.user, by.user.person
        _take(case, "propose_write_off", "propose_write_off", by, post, why, {"left": str(case.left)})
    return case


def write_off(case_id: int, by: UserActor) -> RecoveryCase:
    """核销, by another natural person than who proposed it. Raises Refused."""
    with transaction.atomic():
        case, post = _locked(case_id, "write_off", CONFIRMS, by)
        if case.proposed_person == by.user.person:
            raise Refused("write_off_own")
        case.confirmed_by, case.confirmed_person, case.decided_at = by.user, by.user.person, moment().business
        _take(case, "write_off", "write_off", by, post, data={"left": str(case.left)})
    return case


def decline_write_off(case_id: int, by: UserActor, reason: str) -> RecoveryCase:
    """不予核销, with a reason: the guardian is asked on. Raises Refused."""
    with transaction.atomic():
        case, post = _locked(case_id, "decline_write_off", CONFIRMS, by)
        why = reason_of(reason)
        step = "decline_write_off_of_rest" if case.recovered else "decline_write_off"
        _take(case, step, "decline_write_off", by, post, why)
    return case


def refer(case_id: int, by: UserActor, reason: str) -> RecoveryCase:
    """移送: to whom and why in words; money that comes later is still booked. Raises Refused."""
    with transaction.atomic():
        case, post = _locked(case_id, "refer", OPENS, by)
        why = reason_of(reason)
        case.reason, case.decided_at = why.text, moment().business
        _take(case, "refer", "refer", by, post, why)
    return case


def withdraw(case_id: int, by: UserActor, reason: str) -> RecoveryCase:
    """撤销 a case opened by mistake; one that took a difference up is written off instead. Raises Refused."""
    with transaction.atomic():
        case, post = _locked(case_id, "withdraw", OPENS, by)
        why = reason_of(reason)
        if case.difference_id is not None:
            raise Refused("recovery_of_difference")
        case.reason = why.text
        _take(case, "withdraw", "withdraw", by, post, why)
    return case


def set_account(path: str, by: UserActor, *, holder: str, bank: str, account_no: str) -> RepaymentAccount:
    """Keeps the treasury's account for repayments of an office; notices sent before keep theirs. Raises Refused."""
    with transaction.atomic():
        post = by.require("manage_funds", path)
        told = {"holder": holder.strip(), "bank": bank.strip(), "account_no": "".join(account_no.split())}
        if not all(told.values()):
            raise Refused("repayment_account_incomplete")
        account, _made = RepaymentAccount.objects.update_or_create(
            path=path, defaults={**told, "at": moment().business, "by": by.user}
        )
        data = {"bank": told["bank"], "tail": told["account_no"][-4:]}
        record.write("set_account", "repayment_account", [account.pk], by, post=post, path=path, data=data)
    return account


def _locked(case_id: int, act: str, permission: str, by: UserActor) -> tuple[RecoveryCase, str]:
    """A case, locked, in a state in which the act may be done, and the post under which it is."""
    case = RecoveryCase.objects.select_for_update(of=("self",)).select_related("line__batch").get(pk=case_id)
    post = by.require(permission, case.path)
    if not matrix().in_state(f"recovery.{act}", case.state):
        raise Refused("recovery_state")
    return case, post


def _take(
    case: RecoveryCase,
    step: str,
    act: str,
    by: UserActor,
    post: str,
    why: Reason | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    before = case.state
    getattr(case, step)()
    case.save(update_fields=_CHANGING)
    _write(act, case, by, post, before, why, data)


_CHANGING: Iterable[str] = (
    "state", "noticed_on", "due_on", "account_holder", "account_bank", "account_no", "proposed_by", "proposed_person",
    "confirmed_by", "confirmed_person", "decided_at", "reason",
)  # fmt: skip
"""All but what was asked, and what the receipts' trigger keeps."""


def _write(
    act: str, case: RecoveryCase, by: UserActor, post: str, before: str, why: Reason | None, data: Any = None
) -> None:
    record.write(
        act,
        "recovery",
        [case.pk],
        by,
        post=post,
        path=case.path,
        reason=why,
        states=(before, case.state),
        data={"line": case.line_id} | (data or {}),
    )
