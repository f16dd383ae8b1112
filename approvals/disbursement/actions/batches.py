"""Batches: made, checked, approved and given their money by four persons (DOMAIN.md §3.5)."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from approvals.applications.models import Application
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement import queries
from approvals.disbursement.actions.account_guard import refuse_editor
from approvals.disbursement.actions.common import (
    count_lines,
    finish,
    locked,
    locked_with_earlier,
    next_number,
    not_stopped,
    reason_of,
    still_payable,
    take,
    tell_next,
    totals,
)
from approvals.disbursement.funds.following import given_up, rechoose
from approvals.disbursement.models import PURPOSE, SETTLED, TRANSFER, Batch, PaymentLine
from approvals.disbursement.refusals import Refused, listed
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.organisations.roles import matrix
from approvals.programmes.models import Programme
from workflows import record
from workflows.actors import SYSTEM
from workflows.clock import moment, today
from workflows.machines import transition_all

LEFT_OUT = ("no_account", "holder", "shared", "stopped")
"""Why awards that wait are left out of a batch, as `queries.waiting` counts them."""


def make_batch(programme: Programme, term: str, by: UserActor, path: str, kind: str = "") -> Batch:
    """Puts every payable award line of a programme and term below an office into a new batch, of one kind of payment.

    Payable: the award is active, every notice of its case concluded, an account is on file where money goes
    to a person, nobody but a household shares it, no hit of the data match stops it, and nothing was paid for that term
    before. Raises Refused.
    """
    post = by.require("make_batch", path)
    at = moment()
    with transaction.atomic():
        waits = _waiting(path, Q(programme=programme.code) & (Q(kind=kind) if kind else Q()), term)
        batch = Batch.objects.create(
            number=next_number(at.date.strftime("%Y%m%d")),
            programme=programme,
            term=term,
            kind=waits["kind"],
            path=path,
            maker=by.user,
            created_at=at.business,
        )
        _include(batch, queries.payable_awards([path], Q(programme=programme.code, kind=batch.kind), term))
        count_lines(batch)
        if not batch.line_count:
            raise Refused("nothing_to_pay")
        record.write(
            "make",
            "batch",
            [batch.pk],
            by,
            post=post,
            path=path,
            at=at,
            data=totals(batch) | {why: waits[why] for why in LEFT_OUT},
            states=("", batch.state),
        )
    return batch


def _waiting(path: str, awards: Q, term: str) -> dict[str, Any]:
    """What waits of these awards for a term, of the first kind of payment of which anything can be paid."""
    rows = [row for row in queries.waiting([path], awards) if row["term"] == term]
    for row in rows:
        if row["count"]:
            return row
    left = {why: sum(row[why] for row in rows) for why in LEFT_OUT}
    if any(left.values()):
        raise Refused("all_left_out", **left)
    raise Refused("nothing_to_pay")


def _include(batch: Batch, awards: list[int]) -> None:
    """One line per award, in one statement; the database refuses a second line for the same money."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_LINES,
            {
                "batch": batch.pk,
                "term": batch.term,
                "awards": awards,
                "purpose": PURPOSE,
                "transfer": batch.kind == TRANSFER,
            },
        )


_INSERT_LINES = f"""
    INSERT INTO {PaymentLine._meta.db_table}
           (batch_id, number, award_id, case_id, student_id, school_id, path, programme, term, purpose, kind, amount,
            rate_id, payee, bank, account_no, account_hash, account_tail, state, bank_code, bank_message)
    SELECT %(batch)s, row_number() OVER (ORDER BY o.path, ap.grade, ap.class_name, a.id), a.id, a.case_id,
           a.student_id, a.school_id, a.path, a.programme, %(term)s, %(purpose)s, a.kind, t.amount, t.rate_id,
           CASE WHEN %(transfer)s THEN ap.holder_name ELSE o.name END,
           CASE WHEN %(transfer)s THEN ap.bank ELSE '' END,
           CASE WHEN %(transfer)s THEN ap.account_no END,
           CASE WHEN %(transfer)s THEN ap.account_hash END,
           CASE WHEN %(transfer)s THEN ap.account_tail ELSE '' END,
           'included', '', ''
      FROM {Award._meta.db_table} a
      JOIN {AwardTerm._meta.db_table} t ON t.award_id = a.id AND t.term = %(term)s AND t.amount > 0
      JOIN {Application._meta.db_table} ap ON ap.case_id = a.case_id
      JOIN {Organisation._meta.db_table} o ON o.id = a.school_id
     WHERE a.id = ANY(%(awards)s)
    ON CONFLICT DO NOTHING
"""


def _same_person(*users: Any) -> bool:
    persons = [user.person for user in users if user is not None]
    return len(set(persons)) < len(persons)


def take_out(line_id: int, by: UserActor, reason: str) -> Batch:
    """剔除: takes one line out of a batch that is being prepared; its award can be paid in another. Raises Refused."""
    with transaction.atomic():
        batch, post = _line_of(line_id, "make_batch", by)
        if not matrix().in_state("batch.take_out", batch.state):
            raise Refused("wrong_state")
        why = reason_of(reason)
        _leave(batch, line_id)
        record.write("take_out", "line", [line_id], by, post=post, path=batch.path, reason=why)
    return batch


def _line_of(line_id: int, permission: str, by: UserActor) -> tuple[Batch, str]:
    """The line's batch, locked, and the post under which somebody acts. Raises Refused while the auditor stops it."""
    batch = locked_with_earlier(PaymentLine.objects.values_list("batch_id", flat=True).get(pk=line_id))
    post = by.require(permission, batch.path)
    not_stopped(batch)
    return batch, post


def _leave(batch: Batch, line_id: int) -> None:
    """A line leaves its batch; what it was to replace waits for another reissue."""
    lines = batch.lines.filter(pk=line_id)
    transition_all(PaymentLine.objects.filter(replacement__in=lines), "reopen")
    lines.filter(replaces__isnull=False).update(replaces=None)
    if not transition_all(lines, "cancel"):
        raise Refused("wrong_state")
    if batch.state == "draft":
        count_lines(batch)


def hold_line(line_id: int, by: UserActor, reason: str) -> Batch:
    """暂缓: a line stays in the batch and is not paid with it, for a reason. Raises Refused."""
    with transaction.atomic():
        batch, post = _line_of(line_id, "make_batch", by)
        why = reason_of(reason)
        if batch.state != "draft" or not transition_all(batch.lines.filter(pk=line_id), "hold"):
            raise Refused("wrong_state")
        count_lines(batch)
        record.write("hold_line", "line", [line_id], by, post=post, path=batch.path, reason=why)
    return batch


def let_go(line_id: int, by: UserActor) -> Batch:
    """解除暂缓: while the batch is being prepared, the line is paid with it; later, its award waits anew."""
    with transaction.atomic():
        batch, post = _line_of(line_id, "make_batch", by)
        lines = batch.lines.filter(pk=line_id, state="held")
        if not lines.exists():
            raise Refused("wrong_state")
        if batch.state == "draft":
            transition_all(lines, "let_go")
            count_lines(batch)
        else:
            _leave(batch, line_id)
        record.write("let_go", "line", [line_id], by, post=post, path=batch.path)
        finish(batch, by, post)
    return batch


def give_up(line_id: int, by: UserActor, reason: str) -> Batch:
    """不再补发: a payment that failed is not tried again in this batch; its money is free, and its award waits anew."""
    with transaction.atomic():
        batch, post = _line_of(line_id, "make_batch", by)
        why = reason_of(reason)
        lines = batch.lines.filter(pk=line_id)
        if not transition_all(lines, "give_up"):
            raise Refused("wrong_state")
        given_up(batch, lines.get().amount, by)
        record.write("give_up", "line", [line_id], by, post=post, path=batch.path, reason=why)
        finish(batch, by, post)
    return batch


def submit(batch_id: int, by: UserActor) -> Batch:
    """送复核: freezes count and total."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("make_batch", batch.path)
        still_payable(batch)
        count_lines(batch)
        take(batch, "submit", by, post)
        tell_next(batch, "check_batch")
    return batch


def check(batch_id: int, by: UserActor) -> Batch:
    """复核, by another person than the maker."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("check_batch", batch.path)
        if _same_person(batch.maker, by.user):
            raise Refused("same_person")
        refuse_editor(batch, by)
        batch.checker = by.user
        take(batch, "check_lines", by, post)
        tell_next(batch, "approve_batch")
    return batch


def approve(batch_id: int, by: UserActor) -> Batch:
    """审批, by a third person."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("approve_batch", batch.path)
        if _same_person(batch.maker, batch.checker, by.user):
            raise Refused("same_person")
        refuse_editor(batch, by)
        still_payable(batch)
        batch.approver = by.user
        take(batch, "approve", by, post)
        take(batch, "report", SYSTEM, "system")
        tell_next(batch, "allot_batch")
    return batch


def allot(batch_id: int, by: UserActor, document: str, dated: date, shares: dict[int, Decimal] | None = None) -> Batch:
    """拨付: the treasury gives the money under a document; by a fourth person.

    `shares` (yuan by allotment) changes which allotments bear it; where none are given, those of the approval
    stand. Raises Refused.
    """
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("allot_batch", batch.path)
        if not matrix().in_state("batch.allot", batch.state):
            raise Refused("wrong_state")
        if _same_person(batch.maker, batch.checker, batch.approver, by.user):
            raise Refused("same_person")
        if not document.strip():
            raise Refused("treasury_document_required")
        if dated > today():
            raise Refused("treasury_date_future")
        if shares is not None:
            rechoose(batch, shares, by)
        batch.treasury = by.user
        batch.treasury_document, batch.treasury_date = document.strip()[:60], dated
        take(batch, "allot", by, post, data={"document": batch.treasury_document, "dated": dated.isoformat()})
        tell_next(batch, "make_batch")
    return batch


RETURNS = {
    "submitted": ("return_to_maker", "check_batch"),
    "reviewed": ("return_from_approval", "approve_batch"),
}
"""Who sends a batch back from where."""
LATER = ("return_from_treasury", "allot_batch")
"""From every later state the treasury does."""


def send_back(batch_id: int, by: UserActor, reason: str) -> Batch:
    """退回 to the maker, by whoever's turn it is; what was committed for it is free again."""
    with transaction.atomic():
        batch = locked(batch_id)
        act, permission = RETURNS.get(batch.state, LATER)
        senders = [may for _, may in (*RETURNS.values(), LATER)]
        if not by.permits(permission, [batch.path]) and any(by.permits(may, [batch.path]) for may in senders):
            raise Refused("wrong_state")  # it was his turn when he read the page
        post = by.require(permission, batch.path)
        why = reason_of(reason)
        batch.checker = batch.approver = batch.treasury = None
        batch.treasury_document, batch.treasury_date = "", None
        batch.reason = why.text
        take(batch, act, by, post, why)
        tell_next(batch, "make_batch")
    return batch


def hold(batch_id: int, by: UserActor, reason: str) -> Batch:
    """审计暂停: the auditor stops a batch that is not fully paid; only he lets it go on (DOMAIN.md §2.9)."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("hold_batch", batch.path)
        why = reason_of(reason)
        batch.held_from, batch.reason = batch.state, why.text
        take(batch, "hold", by, post, why)
        tell_next(batch, "make_batch")
    return batch


def release_hold(batch_id: int, by: UserActor, reason: str) -> Batch:
    """解除审计暂停: back to the state before."""
    with transaction.atomic():
        batch = locked_with_earlier(batch_id)
        post = by.require("hold_batch", batch.path)
        why = reason_of(reason)
        batch.reason = why.text
        take(batch, "release_hold", by, post, why)
        finish(batch, by, post)
        tell_next(batch, "make_batch")
    return batch


def reconcile(batch_id: int, by: UserActor, bank_total: Decimal) -> Batch:
    """对账: what the bank says it paid is what the paid lines come to. Raises Refused with the difference."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("reconcile_batch", batch.path)
        if not matrix().in_state("batch.reconcile", batch.state):
            raise Refused("wrong_state")
        paid = queries.paid_total(batch)
        if bank_total != paid:
            raise Refused(
                "bank_total_differs",
                given=f"{bank_total:,.2f}",
                paid=f"{paid:,.2f}",
                difference=f"{bank_total - paid:,.2f}",
            )
        batch.bank_total = bank_total
        take(batch, "reconcile", by, post, data={"bank_total": str(bank_total)})
    return batch


def close(batch_id: int, by: UserActor) -> Batch:
    """办结: every line is paid, reissued, given up or taken out. Raises Refused."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("reconcile_batch", batch.path)
        if not matrix().in_state("batch.close", batch.state):
            raise Refused("wrong_state")
        waiting = batch.lines.exclude(state__in=SETTLED).order_by("number")
        if numbers := list(waiting.values_list("number", flat=True)):
            raise Refused("lines_open", count=len(numbers), lines=listed(numbers))
        take(batch, "close", by, post)
    return batch


def cancel(batch_id: int, by: UserActor, reason: str) -> Batch:
    """作废 a batch that was not sent; its awards can be put into another one."""
    with transaction.atomic():
        batch = locked(batch_id)
        post = by.require("make_batch", batch.path)
        why = reason_of(reason)
        batch.reason = why.text
        take(batch, "cancel", by, post, why)
        _free_corrected(batch)
        transition_all(batch.lines.all(), "cancel")
    return batch


def _free_corrected(batch: Batch) -> None:
    """Lines that this batch was to replace wait for a reissue again."""
    transition_all(PaymentLine.objects.filter(replacement__batch=batch), "reopen")
    batch.lines.filter(replaces__isnull=False).update(replaces=None)
