"""账户更正、补发: payments that failed are corrected by the school and paid by a new line (DOMAIN.md §3.5)."""

from django.db import transaction

from approvals.applications.actions import replace_account
from approvals.applications.matching import shared_accounts
from approvals.applications.models import Application
from approvals.disbursement import queries
from approvals.disbursement.actions.common import (
    AccountProblem,
    count_lines,
    listed,
    locked,
    next_number,
    not_stopped,
    totals,
)
from approvals.disbursement.models import Batch, PaymentLine
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.people.accounts import account_problem, normalise_account
from approvals.people.crypto import blind_index
from approvals.people.identity import normalise_name
from notifications import send
from workflows import record
from workflows.clock import moment
from workflows.machines import transition_all


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


def reissue(batch_id: int, by: UserActor) -> Batch:
    """补发: a supplementary batch with a new line for each corrected payment of a batch, linked to the old one.

    A payment that a hit of the data match stops waits where it is until the hit is waived. Raises Refused.
    """
    with transaction.atomic():
        old = locked(batch_id)
        post = by.require("make_batch", old.path)
        not_stopped(old)
        at = moment()
        corrected = old.lines.filter(state="account_fix")
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
