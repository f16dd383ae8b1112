"""报盘、回盘、结算: the money leaves, and the bank says what became of it (DOMAIN.md §3.5)."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from approvals.disbursement.actions.booking import book, laid_out
from approvals.disbursement.actions.common import (
    answered_fully,
    finish_earlier,
    locked,
    locked_with_earlier,
    move_cases,
    reference,
    reopen_earlier,
    still_payable,
    take,
)
from approvals.disbursement.bank import (
    BOUNCED,
    FAILED,
    PAID,
    Head,
    Order,
    Profile,
    profile,
    read_answers,
    write_orders,
)
from approvals.disbursement.funds import following
from approvals.disbursement.models import SETTLEMENT, TRANSFER, BankFile, Batch
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.roles import matrix
from approvals.programmes.terms import Term
from notifications import send
from workflows import record
from workflows.clock import moment
from workflows.machines import transition_all


def export(batch_id: int, by: UserActor, bank_code: str = "") -> BankFile:
    """报盘: the bank file. The first export sends the batch; every later one gives the same bytes.

    `bank_code` chooses the bank's profile, at the first export only; without it the county's own. Raises Refused.
    """
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
        bank = _chosen(bank_code)
        still_payable(batch)
        at = moment()
        head = Head(batch.number, timezone.localtime(at.business), batch.line_count, batch.total)
        content = write_orders(_orders(batch), head, bank)
        batch.sent_at = at.business
        digest = hashlib.sha256(content).hexdigest()
        take(batch, "send", by, post, data={"sha256": digest, "bank": bank.code})
        transition_all(batch.lines.all(), "send")
        move_cases(batch.lines.filter(state="sent"), "payment", "disburse")
        return BankFile.objects.create(
            batch=batch,
            direction="out",
            profile=bank.code,
            filename=f"{batch.number}.{bank.extension}",
            sha256=digest,
            content=content,
            count=batch.line_count,
            total=batch.total,
            at=at.business,
            by=by.user,
        )


def _chosen(code: str) -> Profile:
    try:
        return profile(code)
    except KeyError:
        raise Refused("unknown_bank") from None


def _orders(batch: Batch) -> Iterator[Order]:
    term = Term.of(batch.term)
    summary = f"{batch.programme.name}{term.calendar_year}{'秋' if term.number == 1 else '春'}"
    lines = batch.lines.filter(state="included").order_by("number")
    columns = ("number", "payee", "account_no", "amount", "bank")
    for number, payee, account, amount, theirs in lines.values_list(*columns).iterator(chunk_size=2000):
        yield Order(number, payee, account or "", amount, summary, reference(batch, number), theirs)


def take_return(batch_id: int, content: bytes, filename: str, by: UserActor) -> dict[str, int]:
    """回盘: books the bank's answer. {"paid", "failed"}, and where there are any "bounced" and "already".

    Every sent line must be answered exactly once, with its amount and account; else the whole file is refused. A later
    file may say of lines that were paid that the money came back (退汇). `already` counts answers that only repeat an
    earlier one; a file of nothing else changes nothing, like one of which the very bytes were taken before. What the
    bank says is booked whatever became of the award or the account since.
    """
    with transaction.atomic():
        batch = locked_with_earlier(batch_id)
        post = by.require("make_batch", batch.path)
        digest = hashlib.sha256(content).hexdigest()
        if batch.files.filter(direction="in", sha256=digest).exists():
            return {"paid": 0, "failed": 0}
        if not matrix().in_state("batch.take_return", batch.state):
            raise Refused("wrong_state")
        bank = profile(batch.files.get(direction="out").profile)
        answers = read_answers(content, bank, most=batch.lines.exclude(state__in=["cancelled", "recovered"]).count())
        with laid_out(batch, answers) as outcomes:
            booked = {outcome: outcomes[outcome][0] if outcome in outcomes else 0 for outcome in (PAID, FAILED)}
            booked |= {name: outcomes[name][0] for name in (BOUNCED, "already") if name in outcomes}
            if outcomes.keys() <= {"already"}:
                return booked
            at = moment()
            file = BankFile.objects.create(
                batch=batch,
                direction="in",
                profile=bank.code,
                filename=safe_name(filename),
                sha256=digest,
                content=content,
                count=len(answers),
                total=sum((total for _, total, _ in outcomes.values()), Decimal(0)),
                at=at.business,
                by=by.user,
            )
            book(batch, file, outcomes, by, at)
        answered = answered_fully(batch)
        take(batch, "answer_fully" if answered else "answer_partly", by, post, data=booked | {"sha256": digest})
        if answered:
            finish_earlier(batch, by, post)
        else:
            reopen_earlier(batch, by, post)
        _tell_schools(batch, file)
    return booked


def safe_name(filename: str) -> str:
    """A file's name as it is kept: no folders, no signs that a system could trip over."""
    return re.sub(r"[^\w.()（）-]+", "_", re.split(r"[\\/]", filename)[-1])[-120:] or "return"


def _tell_schools(batch: Batch, file: BankFile) -> None:
    """Tells each school how many of its payments failed or bounced by this answer."""
    lines = batch.lines.filter(answered_in=file, state__in=[FAILED, BOUNCED])
    failed = Counter(lines.values_list("path", flat=True))
    for path, officers in holders("fix_account", failed).items():
        send(
            "payment_failed",
            officers,
            about="failed_payments",
            about_id=batch.pk,
            cause=f"{file.sha256[:16]}:{path}",
            data={"count": failed[path], "name": batch.number},
        )


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
