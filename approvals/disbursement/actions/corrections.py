"""账户更正、补发: payments that failed are corrected by the school and paid by a new line (DOMAIN.md §3.5)."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from approvals.applications.actions import checked_account, replace_account
from approvals.applications.matching import shared_accounts
from approvals.applications.models import Application
from approvals.disbursement import queries
from approvals.disbursement.actions.common import (
    AccountProblem,
    count_lines,
    locked,
    next_number,
    not_stopped,
    reason_of,
    totals,
)
from approvals.disbursement.models import AccountCorrection, Batch, PaymentLine
from approvals.disbursement.refusals import Refused, listed
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.roles import matrix
from approvals.people.accounts import account_problem, normalise_account
from approvals.people.crypto import blind_index
from approvals.people.identity import normalise_name
from notifications import send
from workflows import record
from workflows.clock import moment
from workflows.machines import transition_all
from workflows.reasons import Reason

TO_CORRECT = ("failed", "bounced", "account_fix")
"""States of a line whose account may be corrected, also once more before it is reissued."""


def propose_account(
    line_id: int, account: str, again: str, account_kind: str, holder: str, bank: str, by: UserActor
) -> AccountCorrection:
    """账户更正: the school proposes another account, typed twice, for a payment that failed or bounced.

    Nothing changes before a second person confirms it. Raises Refused, or AccountProblem for the number itself.
    """
    with transaction.atomic():
        line = PaymentLine.objects.select_for_update().get(pk=line_id)
        post = by.require("fix_account", line.path)
        number, name = normalise_account(account), normalise_name(holder)
        if line.state not in TO_CORRECT:
            raise Refused("line_not_failed")
        if line.corrections.filter(state="waiting").exists():
            raise Refused("correction_waits")
        if problem := account_problem(number, account_kind):
            raise AccountProblem(problem)
        if normalise_account(again) != number:
            raise Refused("account_twice")
        if blind_index(number) == bytes(line.account_hash or b"") and name == line.payee:
            raise Refused("account_unchanged")
        _, hashed, name = checked_account(line.case_id, number, name, queries.paid_to([blind_index(number)]))
        at = moment()
        correction = AccountCorrection.objects.create(
            line=line,
            path=line.path,
            account_no=number,
            account_hash=hashed,
            account_tail=number[-4:],
            account_kind=account_kind,
            holder_name=name,
            bank=bank.strip()[:60],
            proposed_by=by.user,
            proposed_person=by.user.person,
            proposed_at=at.business,
        )
        states = ("", correction.state)
        record.write("propose", "correction", [correction.pk], by, post=post, path=line.path, at=at, states=states)
        record.write("propose_account", "line", [line.pk], by, post=post, path=line.path, at=at)
        confirmers = [user for user in holders("approve_account", [line.path]).get(line.path, []) if user != by.user_id]
        _tell("account_proposed", confirmers, correction)
    return correction


def confirm_account(correction_id: int, account: str, by: UserActor) -> PaymentLine:
    """确认: the application takes the account that was proposed, and a reissue will pay to it. Raises Refused.

    By another natural person than who proposed it, who types the number from the card: what is shown of it are its
    last digits only. The line itself is never edited. All checks are made anew.
    """
    with transaction.atomic():
        correction, line, post = _opened(correction_id, "confirm", "approve_account", by)
        if line.state not in TO_CORRECT:
            raise Refused("line_not_failed")
        number = str(correction.account_no)
        if normalise_account(account) != number:
            raise Refused("account_differs")
        paid = queries.paid_to([bytes(correction.account_hash)])
        replace_account(
            line.case_id, number, correction.account_kind, correction.holder_name, correction.bank, by, post, paid
        )
        _decide(correction, "confirm", by, post)
        transition_all(PaymentLine.objects.filter(pk=line.pk), "fix_account")
        record.write("correct_account", "line", [line.pk], by, post=post, path=line.path)
        _tell("account_confirmed", [correction.proposed_by_id], correction)
        _tell_maker(line.batch)
    line.refresh_from_db()
    return line


def refuse_account(correction_id: int, by: UserActor, reason: str) -> AccountCorrection:
    """不予确认, with a reason: the school proposes another one. Raises Refused."""
    with transaction.atomic():
        correction, _line, post = _opened(correction_id, "refuse", "approve_account", by)
        why = reason_of(reason)
        correction.reason = why.text
        _decide(correction, "refuse", by, post, why)
        _tell("account_refused", [correction.proposed_by_id], correction)
    return correction


def withdraw_account(correction_id: int, by: UserActor) -> AccountCorrection:
    """撤回 what was proposed, while nobody has decided it. Raises Refused."""
    with transaction.atomic():
        correction, _line, post = _opened(correction_id, "withdraw", "fix_account", by)
        _decide(correction, "withdraw", by, post)
    return correction


def _opened(correction_id: int, act: str, permission: str, by: UserActor) -> tuple[AccountCorrection, PaymentLine, str]:
    """A correction that waits, with its line, both locked, and the post under which it is acted on."""
    found = AccountCorrection.objects.get(pk=correction_id)
    line = PaymentLine.objects.select_for_update().get(pk=found.line_id)
    correction = AccountCorrection.objects.select_for_update().get(pk=correction_id)
    post = by.require(permission, correction.path)
    if not matrix().in_state(f"correction.{act}", correction.state):
        raise Refused("correction_decided")
    if permission == "approve_account" and correction.proposed_person == by.user.person:
        raise Refused("correction_own")
    return correction, line, post


def _decide(correction: AccountCorrection, act: str, by: UserActor, post: str, why: Reason | None = None) -> None:
    at, before = moment(), correction.state
    getattr(correction, act)()
    correction.decided_by, correction.decided_person, correction.decided_at = by.user, by.user.person, at.business
    correction.save()
    states = (before, correction.state)
    record.write(
        act, "correction", [correction.pk], by, post=post, path=correction.path, at=at, states=states, reason=why
    )


def _tell(event: str, people: Iterable[int], correction: AccountCorrection) -> None:
    name = f"{correction.line.batch.number}-{correction.line.number}"
    send(
        event,
        list(people),
        about="failed_payments",
        about_id=correction.line.batch_id,
        cause=f"{correction.pk}:{correction.state}",
        data={"name": name},
    )


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


def reissue(batch_id: int, by: UserActor) -> Batch:
    """补发: a supplementary batch with a new line for each corrected payment of a batch, linked to the old one.

    Only to accounts that a second person confirmed; one for which another is proposed again waits. So does a payment
    that a hit of the data match stops, until the hit is waived. Raises Refused.
    """
    with transaction.atomic():
        old = locked(batch_id)
        post = by.require("make_batch", old.path)
        not_stopped(old)
        at = moment()
        corrected = old.lines.filter(_confirmed(), state="account_fix")
        stopped = [line.number for line in queries.stopped_lines(corrected)]
        fixed = list(corrected.exclude(number__in=stopped).order_by("number"))
        if stopped and not fixed:
            raise Refused("reissue_stopped", lines=listed(stopped))
        if not fixed:
            raise Refused("nothing_corrected")
        accounts = Application.objects.in_bulk([line.case_id for line in fixed])
        _not_shared(fixed, accounts)
        transition_all(old.lines.filter(pk__in=[line.pk for line in fixed]), "reissue")
        batch = Batch.objects.create(
            number=next_number(at.date.strftime("%Y%m%d")),
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
        count_lines(batch)
        record.write(
            "reissue",
            "batch",
            [batch.pk],
            by,
            post=post,
            path=batch.path,
            at=at,
            states=("", batch.state),
            data=totals(batch) | {"of": old.number, "stopped": len(stopped)},
        )
    return batch


def _confirmed() -> Q:
    """Whether the account that is on a line's application was confirmed for it, and no other is proposed since."""
    of_line = AccountCorrection.objects.filter(line=OuterRef("pk"))
    confirmed = of_line.filter(state="confirmed", account_hash=OuterRef("case__application__account_hash"))
    return Q(Exists(confirmed)) & ~Q(Exists(of_line.filter(state="waiting")))


def _not_shared(lines: list[PaymentLine], applications: dict[int, Application]) -> None:
    """Asked again before a reissue: others may have named the corrected accounts since."""
    accounts = {line.number: bytes(applications[line.case_id].account_hash or b"") for line in lines}
    shared = shared_accounts(set(accounts.values()), queries.paid_to(set(accounts.values())))
    if numbers := [number for number, account in accounts.items() if account in shared]:
        raise Refused("account_shared", count=len(numbers), lines=listed(numbers))


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
