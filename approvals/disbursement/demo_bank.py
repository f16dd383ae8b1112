"""The demo's bank: answers a batch the way an agent bank does, so that the whole path can be walked."""

from decimal import Decimal

from django.utils import timezone

from approvals.disbursement.actions import reference
from approvals.disbursement.bank import BOUNCED, FAILED, PAID, Head, profile
from approvals.disbursement.bank.demo import Said, write_answers
from approvals.disbursement.models import Batch, PaymentLine

EVERY = 12
"""Of so many first-time payments, one fails in the demo; a reissue always arrives."""


def answer(batch: Batch, failing: tuple[int, ...] | None = None, bouncing: tuple[int, ...] = ()) -> bytes:
    """The answer file of the demo's bank for a batch that was sent; what it said before, it says again.

    `failing` and `bouncing` are numbers of lines, instead of one in twelve.
    """
    bank = profile(batch.files.get(direction="out").profile)
    said = []
    for line in batch.lines.filter(state__in=["sent", PAID, FAILED, BOUNCED]).order_by("number"):
        code = bank.code_for(_outcome(line, failing, bouncing)) or bank.code_for(FAILED)
        account, name = str(line.account_no or ""), reference(batch, line.number)
        message = bank.codes[code].zh
        said.append(Said(line.number, line.payee, account, line.amount, "", name, line.bank, code, message))
    total = sum((each.amount for each in said), Decimal(0))
    return write_answers(said, Head(batch.number, timezone.localtime(batch.sent_at), len(said), total), bank)


def _outcome(line: PaymentLine, failing: tuple[int, ...] | None, bouncing: tuple[int, ...]) -> str:
    if line.number in bouncing:
        return BOUNCED
    if line.state != "sent":
        return line.state
    if failing is None:
        return FAILED if line.replaces_id is None and line.number % EVERY == 1 else PAID
    return FAILED if line.number in failing else PAID
