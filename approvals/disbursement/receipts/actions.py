"""签收: schools say for which paid lines the pupil or a guardian has signed; the only writers of receipts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from approvals.disbursement.models import RECOVERY, Acknowledgement, PaymentLine
from approvals.disbursement.receipts.models import SIGNERS
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.models import User
from approvals.people.identity import normalise_name
from workflows import record
from workflows.clock import moment
from workflows.machines import transition_all

CONFIRMS = "confirm_receipt"


@dataclass(frozen=True, slots=True)
class Signed:
    """What stands on the paper of one line: who signed, under which name."""

    line: int
    by: str
    signer: str


def confirm_receipt(signed: Sequence[Signed], signed_on: date, by: UserActor) -> int:
    """登记签收 of paid lines, all or none; returns how many. Nobody of the school's staff signs for a pupil.

    Raises Refused.
    """
    at = moment()
    if signed_on > at.date:
        raise Refused("signed_future")
    wanted = {each.line: each for each in signed}
    if not wanted:
        raise Refused("nothing_signed")
    with transaction.atomic():
        rows = PaymentLine.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
        lines = list(rows.defer("account_no"))
        posts = {line.path: by.require(CONFIRMS, line.path) for line in lines}
        if len(lines) < len(wanted) or any(line.state != "paid" or line.purpose == RECOVERY for line in lines):
            raise Refused("not_to_acknowledge")
        if any(line.paid_on and signed_on < line.paid_on for line in lines):
            raise Refused("signed_before_paid")
        for path in posts:
            _not_staff([wanted[line.pk] for line in lines if line.path == path], path)
        Acknowledgement.objects.bulk_create(
            Acknowledgement(
                line=line,
                signed_by=wanted[line.pk].by,
                signer=normalise_name(wanted[line.pk].signer)[:80],
                signed_on=signed_on,
                at=at.business,
                by=by.user,
            )
            for line in lines
        )
        transition_all(PaymentLine.objects.filter(pk__in=[line.pk for line in lines]), "acknowledge")
        for path, post in posts.items():
            keys = [line.pk for line in lines if line.path == path]
            states = ("paid", "acknowledged")
            record.write("confirm_receipt", "line", keys, by, post=post, path=path, at=at, states=states)
    return len(lines)


def _not_staff(signed: Sequence[Signed], path: str) -> None:
    """代签: a name of somebody who holds a post at the school is no pupil's and no guardian's signature there."""
    if any(each.by not in dict(SIGNERS) or not each.signer.strip() for each in signed):
        raise Refused("signer_missing")
    staff = {
        normalise_name(name)
        for name in User.objects.filter(posts__organisation__path=path).values_list("name", flat=True)
    }
    if names := sorted({each.signer for each in signed if normalise_name(each.signer) in staff}):
        raise Refused("signed_by_staff", names="、".join(names[:10]))
