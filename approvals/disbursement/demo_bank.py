"""The demo's bank: answers a batch the way an agent bank does, so that the whole path can be walked."""

from approvals.disbursement import bank_files
from approvals.disbursement.actions import reference
from approvals.disbursement.models import Batch

EVERY = 12
"""Of so many first-time payments, one fails in the demo; a reissue always arrives."""


def answer(batch: Batch) -> bytes:
    """The answer file of the demo's bank for a sent batch."""
    bank = bank_files.profile(batch.files.get(direction="out").profile)
    lines = list(batch.lines.filter(state__in=["sent", "paid", "failed"]).order_by("number"))
    rows = [bank.delimiter.join([str(len(lines)), str(sum(line.amount for line in lines))])]
    for line in lines:
        failed = line.replaces_id is None and line.number % EVERY == 1
        code, message = ("1001", "户名与账号不符") if failed else (bank.paid_codes[0], "成功")
        cells = [
            str(line.number),
            line.payee,
            line.account_no or "",
            str(line.amount),
            "",
            reference(batch, line.number),
            code,
            message,
        ]
        rows.append(bank.delimiter.join(cells))
    return (bank.line_end.join(rows) + bank.line_end).encode(bank.encoding)
