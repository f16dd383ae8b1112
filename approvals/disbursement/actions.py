"""Batches: made, checked and approved by three persons, sent to the bank, answered, corrected (DOMAIN.md §3.5)."""

import base64
import hashlib
from collections import Counter
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, Sum
from django_fsm import can_proceed

from approvals.applications.actions import replace_account
from approvals.applications.matching import shared_accounts
from approvals.applications.models import Application
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement import bank_files, queries
from approvals.disbursement.models import PURPOSE, SETTLEMENT, TRANSFER, BankFile, Batch, PaymentLine
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.models import Organisation
from approvals.organisations.roles import matrix
from approvals.people.accounts import account_problem, normalise_account
from approvals.people.crypto import blind_index
from approvals.people.identity import normalise_name
from approvals.programmes.models import Programme
from approvals.programmes.terms import Term
from notifications import send
from workflows import record
from workflows.actors import SYSTEM
from workflows.clock import moment
from workflows.decisions import decide
from workflows.flows.aid import AidFlow
from workflows.machines import transition_all
from workflows.queries import open_items
from workflows.reasons import MIN_LENGTH, Reason

NAMED = {
    "check_lines": "check", "return_to_maker": "send_back", "return_from_approval": "send_back", "send": "export",
}  # fmt: skip
"""What the permission matrix calls the transitions of a batch, where it calls them otherwise."""
FOLLOWS = ("answer_partly", "answer_fully")
"""What the bank's answer makes of a batch, and of earlier ones whose failed lines it paid; nobody's act by itself."""
LEFT_OUT = ("no_account", "shared", "stopped")
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
            number=_next_number(at.date.strftime("%Y%m%d")),
            programme=programme,
            term=term,
            kind=waits["kind"],
            path=path,
            maker=by.user,
            created_at=at.business,
        )
        _include(batch, queries.payable_awards([path], Q(programme=programme.code, kind=batch.kind), term))
        _count(batch)
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
            data=_totals(batch) | {why: waits[why] for why in LEFT_OUT},
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


def _next_number(day: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('disbursement_batch_number')")
        return f"{day}-{cursor.fetchone()[0]:04d}"


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


def _count(batch: Batch) -> None:
    lines = batch.lines.filter(state="included")
    batch.line_count = lines.count()
    batch.total = lines.aggregate(total=Sum("amount"))["total"] or Decimal("0.00")
    batch.save(update_fields=["line_count", "total"])


def _totals(batch: Batch) -> dict[str, Any]:
    return {"count": batch.line_count, "total": str(batch.total)}


def _locked(batch_id: int) -> Batch:
    return Batch.objects.select_for_update().get(pk=batch_id)


def _take(
    batch: Batch,
    act: str,
    by: UserActor,
    post: str,
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Takes one step of the batch's state machine and records it. Raises Refused when it may not be taken now."""
    step = getattr(batch, act)
    stated = act in FOLLOWS or matrix().in_state(f"batch.{NAMED.get(act, act)}", batch.state)
    if not stated or not can_proceed(step):
        raise Refused("wrong_state")
    before = batch.state
    step()
    batch.save()
    record.write(
        act,
        "batch",
        [batch.pk],
        by,
        post=post,
        path=batch.path,
        reason=reason,
        states=(before, batch.state),
        data=_totals(batch) | (data or {}),
    )


def _same_person(*users: Any) -> bool:
    persons = [user.person for user in users if user is not None]
    return len(set(persons)) < len(persons)


def _still_payable(batch: Batch) -> None:
    """Asked again at every step until money leaves: an award may have been suspended or ended since, or the data match
    have found that the pupil died or is on the roll of another school.

    The awards stay locked until the step is taken, so that none is suspended while it is.
    """
    lines = batch.lines.filter(state="included")
    awards = Award.objects.filter(lines__in=lines).order_by("pk").select_for_update(of=("self",), no_key=True)
    gone = [pk for pk, state in awards.values_list("pk", "state") if state != "active"]
    if gone:
        numbers = list(lines.filter(award__in=gone).order_by("number").values_list("number", flat=True))
        raise Refused("award_not_active", count=len(numbers), lines=_listed(numbers))
    if stopped := [line.number for line in queries.stopped_lines(lines)]:
        raise Refused("lines_stopped", count=len(stopped), lines=_listed(stopped))


def _listed(numbers: list[int]) -> str:
    return "、".join(map(str, numbers[:10])) + ("…" if len(numbers) > 10 else "")


def take_out(line_id: int, by: UserActor, reason: str) -> Batch:
    """剔除: takes one line out of a batch that is being prepared; its award can be paid in another. Raises Refused."""
    with transaction.atomic():
        batch = _locked(PaymentLine.objects.values_list("batch_id", flat=True).get(pk=line_id))
        post = by.require("make_batch", batch.path)
        if not matrix().in_state("batch.take_out", batch.state):
            raise Refused("wrong_state")
        why = _reason(reason)
        lines = batch.lines.filter(pk=line_id)
        transition_all(PaymentLine.objects.filter(replacement__in=lines), "reopen")
        lines.filter(replaces__isnull=False).update(replaces=None)
        if not transition_all(lines, "cancel"):
            raise Refused("wrong_state")
        _count(batch)
        record.write("take_out", "line", [line_id], by, post=post, path=batch.path, reason=why)
    return batch


def submit(batch_id: int, by: UserActor) -> Batch:
    """送复核: freezes count and total."""
    with transaction.atomic():
        batch = _locked(batch_id)
        post = by.require("make_batch", batch.path)
        _still_payable(batch)
        _count(batch)
        _take(batch, "submit", by, post)
        _tell_next(batch, "check_batch")
    return batch


def check(batch_id: int, by: UserActor) -> Batch:
    """复核, by another person than the maker."""
    with transaction.atomic():
        batch = _locked(batch_id)
        post = by.require("check_batch", batch.path)
        if _same_person(batch.maker, by.user):
            raise Refused("same_person")
        batch.checker = by.user
        _take(batch, "check_lines", by, post)
        _tell_next(batch, "approve_batch")
    return batch


def approve(batch_id: int, by: UserActor) -> Batch:
    """审批, by a third person."""
    with transaction.atomic():
        batch = _locked(batch_id)
        post = by.require("approve_batch", batch.path)
        if _same_person(batch.maker, batch.checker, by.user):
            raise Refused("same_person")
        _still_payable(batch)
        batch.approver = by.user
        _take(batch, "approve", by, post)
        _tell_next(batch, "make_batch")
    return batch


def send_back(batch_id: int, by: UserActor, reason: str) -> Batch:
    """退回 to the maker, by the checker or the approver whose turn it is."""
    with transaction.atomic():
        batch = _locked(batch_id)
        act, permission = (
            ("return_to_maker", "check_batch")
            if batch.state == "submitted"
            else ("return_from_approval", "approve_batch")
        )
        post = by.require(permission, batch.path)
        why = _reason(reason)
        batch.checker = batch.approver = None
        batch.reason = why.text
        _take(batch, act, by, post, why)
        _tell_next(batch, "make_batch")
    return batch


def cancel(batch_id: int, by: UserActor, reason: str) -> Batch:
    """作废 a batch that was not sent; its awards can be put into another one."""
    with transaction.atomic():
        batch = _locked(batch_id)
        post = by.require("make_batch", batch.path)
        why = _reason(reason)
        batch.reason = why.text
        _take(batch, "cancel", by, post, why)
        _free_corrected(batch)
        transition_all(batch.lines.all(), "cancel")
    return batch


def _free_corrected(batch: Batch) -> None:
    """Lines that this batch was to replace wait for a reissue again."""
    transition_all(PaymentLine.objects.filter(replacement__batch=batch), "reopen")
    batch.lines.filter(replaces__isnull=False).update(replaces=None)


def _reason(text: str) -> Reason:
    if len(text.strip()) < MIN_LENGTH:
        raise Refused("reason_required")
    return Reason("other", text.strip())


def export(batch_id: int, by: UserActor) -> BankFile:
    """报盘: the bank file. The first export sends the batch; every later one gives the same bytes."""
    with transaction.atomic():
        batch = _locked(batch_id)
        post = by.require("make_batch", batch.path)
        if batch.kind != TRANSFER:
            raise Refused("not_a_transfer")
        if not matrix().in_state("batch.export", batch.state):
            raise Refused("wrong_state")
        kept = batch.files.filter(direction="out").first()
        if kept is not None:
            record.write("export_again", "batch", [batch.pk], by, post=post, path=batch.path)
            return kept
        _still_payable(batch)
        at = moment()
        bank = bank_files.profile()
        content = bank_files.write_orders(_orders(batch), bank)
        batch.sent_at = at.business
        digest = hashlib.sha256(content).hexdigest()
        _take(batch, "send", by, post, data={"sha256": digest})
        transition_all(batch.lines.all(), "send")
        _decide(batch.lines.filter(state="sent"), "payment", "disburse")
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


def reference(batch: Batch, number: int) -> str:
    """业务编号: what the bank's answer names a payment by."""
    return f"{batch.number}-{number:06d}"


def _decide(lines: Any, step: str, outcome: str) -> None:
    """Moves the cases of these lines that stand at `step`; those further on stay where they are."""
    items = open_items(AidFlow.kind, step, lines.values_list("case_id", flat=True))
    refused = [result for result in decide(items.values(), outcome, SYSTEM) if not result.ok]
    if refused:  # nothing is booked: the whole act is undone, and can be tried again
        raise Refused("cases_busy", count=len(refused), why=refused[0].message)


def take_return(batch_id: int, content: bytes, filename: str, by: UserActor) -> dict[str, int]:
    """回盘: books the bank's answer. {"paid", "failed"}; both 0 when this file was taken before.

    Every sent line must be answered exactly once, with its amount and account; else the whole file is refused.
    """
    with transaction.atomic():
        batch = _locked(batch_id)
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
        _take(
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


def _tell_next(batch: Batch, permission: str) -> None:
    """Tells those whose turn it is that a batch waits."""
    for people in holders(permission, [batch.path]).values():
        cause = f"{batch.pk}:{batch.state}:{record.latest('batch', batch.pk)}"
        send("batch_waiting", people, about="batch", about_id=batch.pk, cause=cause, data={"name": batch.number})


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
    _decide(batch.lines.filter(pk__in=paid), "disbursement", "pay")
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
        old = _locked(pk)
        waiting = old.lines.exclude(state__in=["paid", "cancelled"])
        if not waiting.exclude(state="reissued", replacement__batch__state="paid").exists():
            _take(old, "answer_fully", by, post)
            _close_replaced(old, by, post)


def correct_account(
    line_id: int, account: str, account_kind: str, holder: str, bank: str, by: UserActor
) -> PaymentLine:
    """账户更正: the school supplies another account for a failed payment. Raises Refused.

    The line itself is never edited: the application takes the new account, and a new line will carry it.
    """
    with transaction.atomic():
        line = PaymentLine.objects.select_for_update().get(pk=line_id)
        post = by.require("fix_account", line.path)
        number, name = normalise_account(account), normalise_name(holder)
        if line.state not in ("failed", "account_fix"):
            raise Refused("line_not_failed")
        if problem := account_problem(number, account_kind):
            raise AccountProblem(problem)
        if blind_index(number) == bytes(line.account_hash or b"") and name == line.payee:
            raise Refused("account_unchanged")
        paid = queries.paid_to([blind_index(number)])
        replace_account(line.case_id, number, account_kind, name, bank, by, post, paid)
        transition_all(PaymentLine.objects.filter(pk=line.pk), "fix_account")
        record.write("correct_account", "line", [line.pk], by, post=post, path=line.path)
        _tell_maker(line.batch)
    line.refresh_from_db()
    return line


def _tell_maker(batch: Batch) -> None:
    """Tells a batch's maker that corrected payments wait: once, and once again after each reissue."""
    reissued = batch.lines.filter(state="reissued").count()
    send(
        "account_corrected",
        [batch.maker_id],
        about="batch",
        about_id=batch.pk,
        cause=f"{batch.pk}:{reissued}",
        data={"name": batch.number},
    )


class AccountProblem(Exception):
    """The account entered cannot be right; `code` is one of approvals.people.accounts."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def reissue(batch_id: int, by: UserActor) -> Batch:
    """补发: a supplementary batch with a new line for each corrected payment of a batch, linked to the old one.

    A payment that a hit of the data match stops waits where it is until the hit is waived. Raises Refused.
    """
    with transaction.atomic():
        old = _locked(batch_id)
        post = by.require("make_batch", old.path)
        at = moment()
        corrected = old.lines.filter(state="account_fix")
        stopped = [line.number for line in queries.stopped_lines(corrected)]
        fixed = list(corrected.exclude(number__in=stopped).order_by("number"))
        if stopped and not fixed:
            raise Refused("reissue_stopped", lines=_listed(stopped))
        if not fixed:
            raise Refused("nothing_corrected")
        accounts = Application.objects.in_bulk([line.case_id for line in fixed])
        _not_shared(fixed, accounts)
        transition_all(old.lines.filter(pk__in=[line.pk for line in fixed]), "reissue")
        batch = Batch.objects.create(
            number=_next_number(at.date.strftime("%Y%m%d")),
            programme_id=old.programme_id,
            term=old.term,
            kind=old.kind,
            path=old.path,
            maker=by.user,
            created_at=at.business,
        )
        PaymentLine.objects.bulk_create(
            _replacement(batch, number, line, accounts[line.case_id]) for number, line in enumerate(fixed, start=1)
        )
        _count(batch)
        record.write(
            "reissue",
            "batch",
            [batch.pk],
            by,
            post=post,
            path=batch.path,
            at=at,
            states=("", batch.state),
            data=_totals(batch) | {"of": old.number, "stopped": len(stopped)},
        )
    return batch


def _not_shared(lines: list[PaymentLine], applications: dict[int, Application]) -> None:
    """Asked again before a reissue: others may have named the corrected accounts since."""
    accounts = {line.number: bytes(applications[line.case_id].account_hash or b"") for line in lines}
    shared = shared_accounts(set(accounts.values()), queries.paid_to(set(accounts.values())))
    if numbers := [number for number, account in accounts.items() if account in shared]:
        raise Refused("account_shared", count=len(numbers), lines=_listed(numbers))


def _replacement(batch: Batch, number: int, line: PaymentLine, application: Application) -> PaymentLine:
    return PaymentLine(
        batch=batch,
        number=number,
        award_id=line.award_id,
        case_id=line.case_id,
        student_id=line.student_id,
        school_id=line.school_id,
        path=line.path,
        programme=line.programme,
        term=line.term,
        purpose=line.purpose,
        kind=line.kind,
        amount=line.amount,
        rate_id=line.rate_id,
        payee=application.holder_name,
        bank=application.bank,
        account_no=application.account_no,
        account_hash=application.account_hash,
        account_tail=application.account_tail,
        replaces=line,
    )


def settle(batch_id: int, document: str, by: UserActor) -> Batch:
    """结算: an approved waiver batch is settled with its schools under a treasury document; no person is paid."""
    with transaction.atomic():
        batch = _locked(batch_id)
        post = by.require("make_batch", batch.path)
        if batch.kind != SETTLEMENT:
            raise Refused("not_a_settlement")
        if not document.strip():
            raise Refused("document_required")
        _still_payable(batch)
        at = moment()
        batch.sent_at = at.business
        _take(batch, "settle", by, post, data={"document": document.strip()[:60]})
        transition_all(batch.lines.all(), "pay", paid_on=at.date, bank_message=document.strip()[:200])
        paid = batch.lines.filter(state="paid")
        _decide(paid, "payment", "disburse")
        _decide(paid, "disbursement", "pay")
    return batch
