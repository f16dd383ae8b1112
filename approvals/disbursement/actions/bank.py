"""报盘、回盘、结算: the money leaves, and the bank says what became of it (DOMAIN.md §3.5)."""

import base64
import hashlib
from collections import Counter
from decimal import Decimal

from django.db import transaction

from approvals.disbursement import bank_files
from approvals.disbursement.actions.common import (
    finish,
    locked,
    move_cases,
    reference,
    still_payable,
    take,
)
from approvals.disbursement.funds import following
from approvals.disbursement.models import SETTLEMENT, TRANSFER, BankFile, Batch, PaymentLine
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.roles import matrix
from approvals.people.accounts import normalise_account
from approvals.programmes.terms import Term
from notifications import send
from workflows import record
from workflows.clock import moment
from workflows.machines import transition_all


def export(batch_id: int, by: UserActor) -> BankFile:
    """报盘: the bank file. The first export sends the batch; every later one gives the same bytes."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("make_batch", batch.path)
        if batch.kind != TRANSFER:
            raise Refused("not_a_transfer")
        if not matrix().in_state("batch.export", batch.state):
            raise Refused("wrong_state")
        kept = batch.files.filter(direction="out").first()
        if kept is not None:
            record.write("export_again", "batch", [batch.pk], by, post=post, path=batch.path)
            return kept
        still_payable(batch)
        at = moment()
        bank = bank_files.profile()
        content = bank_files.write_orders(_orders(batch), bank)
        batch.sent_at = at.business
        digest = hashlib.sha256(content).hexdigest()
        take(batch, "send", by, post, data={"sha256": digest})
        transition_all(batch.lines.all(), "send")
        move_cases(batch.lines.filter(state="sent"), "payment", "disburse")
        return BankFile.objects.create(
            batch=batch,
            direction="out",
            profile=bank.code,
            filename=f"{batch.number}.{bank.extension}",
            sha256=digest,
            content=base64.b64encode(content).decode(),
            count=batch.line_count,
            total=batch.total,
            at=at.business,
            by=by.user,
        )


def _orders(batch: Batch) -> list[bank_files.Order]:
    summary = (
        f"{batch.programme.name}{Term.of(batch.term).calendar_year}{'秋' if Term.of(batch.term).number == 1 else '春'}"
    )
    return [
        bank_files.Order(
            line.number,
            line.payee,
            str(line.account_no or ""),
            line.amount,
            summary,
            reference(batch, line.number),
        )
        for line in batch.lines.filter(state="included").order_by("number")
    ]


def take_return(batch_id: int, content: bytes, filename: str, by: UserActor) -> dict[str, int]:
    """回盘: books the bank's answer. {"paid", "failed"}; both 0 when this file was taken before.

    Every sent line must be answered exactly once, with its amount and account; else the whole file is refused.
    """
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("make_batch", batch.path)
        digest = hashlib.sha256(content).hexdigest()
        if batch.files.filter(direction="in", sha256=digest).exists():
            return {"paid": 0, "failed": 0}
        if not matrix().in_state("batch.take_return", batch.state):
            raise Refused("wrong_state")
        bank = bank_files.profile(batch.files.get(direction="out").profile)
        answers = bank_files.read_answers(content, bank)
        booked = _book(batch, answers)
        BankFile.objects.create(
            batch=batch,
            direction="in",
            profile=bank.code,
            filename=filename[:120],
            sha256=digest,
            content=base64.b64encode(content).decode(),
            count=len(answers),
            total=sum((answer.amount for answer in answers), Decimal(0)),
            at=moment().business,
            by=by.user,
        )
        take(
            batch,
            "answer_partly" if booked["failed"] else "answer_fully",
            by,
            post,
            data=booked | {"sha256": digest},
        )
        _close_replaced(batch, by, post)
        _tell_schools(batch, digest)
    return booked


def _tell_schools(batch: Batch, digest: str) -> None:
    """Tells each school how many of its payments failed."""
    failed = Counter(batch.lines.filter(state="failed").values_list("path", flat=True))
    for path, officers in holders("fix_account", failed).items():
        send(
            "payment_failed",
            officers,
            about="failed_payments",
            about_id=batch.pk,
            cause=f"{digest[:16]}:{path}",
            data={"count": failed[path], "name": batch.number},
        )


def _book(batch: Batch, answers: list[bank_files.Answer]) -> dict[str, int]:
    lines = {reference(batch, line.number): line for line in batch.lines.filter(state="sent").order_by("number")}
    seen: dict[str, bank_files.Answer] = {}
    for answer in answers:
        _check_answer(answer, lines, seen)
        seen[answer.reference] = answer
    missing = [name for name in lines if name not in seen]
    if missing:
        raise Refused("return_missing", count=len(missing), reference=missing[0])
    paid = [lines[name].pk for name, answer in seen.items() if answer.paid]
    transition_all(batch.lines.filter(pk__in=paid), "pay", paid_on=moment().date)
    outcomes: dict[tuple[str, str], list[int]] = {}
    for name, answer in seen.items():
        outcomes.setdefault((answer.code, answer.message[:200]), []).append(lines[name].pk)
    for (code, message), ids in outcomes.items():
        batch.lines.filter(pk__in=ids).update(bank_code=code[:20], bank_message=message)
    transition_all(batch.lines.exclude(pk__in=paid), "fail")
    move_cases(batch.lines.filter(pk__in=paid), "disbursement", "pay")
    return {"paid": len(paid), "failed": len(seen) - len(paid)}


def _check_answer(answer: bank_files.Answer, lines: dict[str, PaymentLine], seen: dict[str, bank_files.Answer]) -> None:
    line = lines.get(answer.reference)
    if line is None:
        raise Refused("return_other_batch", line=answer.line, reference=answer.reference)
    if answer.reference in seen:
        first = seen[answer.reference].line
        raise Refused("return_twice", reference=answer.reference, first=first, line=answer.line)
    if answer.amount != line.amount:
        raise Refused(
            "return_amount",
            line=answer.line,
            given=answer.amount,
            reference=answer.reference,
            sent=line.amount,
        )
    if normalise_account(answer.account) != str(line.account_no):
        raise Refused("return_account", line=answer.line, reference=answer.reference)


def _close_replaced(batch: Batch, by: UserActor, post: str) -> None:
    """Batches of which every failed line has by now been reissued and paid become fully paid."""
    if batch.state != "paid":
        return
    earlier = Batch.objects.filter(lines__replacement__batch=batch).distinct().values_list("pk", flat=True)
    for pk in sorted(earlier):
        old = locked(pk)
        finish(old, by, post)
        _close_replaced(old, by, post)


def settle(batch_id: int, document: str, by: UserActor) -> Batch:
    """结算: an approved waiver batch is settled with its schools under a treasury document; no person is paid."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("make_batch", batch.path)
        if batch.kind != SETTLEMENT:
            raise Refused("not_a_settlement")
        if not document.strip():
            raise Refused("document_required")
        still_payable(batch)
        at = moment()
        batch.sent_at = at.business
        take(batch, "settle", by, post, data={"document": document.strip()[:60]})
        transition_all(batch.lines.all(), "pay", paid_on=at.date, bank_message=document.strip()[:200])
        following.paid(batch, by)
        paid = batch.lines.filter(state="paid")
        move_cases(paid, "payment", "disburse")
        move_cases(paid, "disbursement", "pay")
    return batch
