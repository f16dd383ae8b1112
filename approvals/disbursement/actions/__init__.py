"""The only writers of this room; what others may call is named here."""

from approvals.disbursement.actions.bank import export, settle, take_return
from approvals.disbursement.actions.batches import approve, cancel, check, make_batch, send_back, submit, take_out
from approvals.disbursement.actions.common import NAMED, AccountProblem, reference
from approvals.disbursement.actions.corrections import (
    confirm_account,
    propose_account,
    refuse_account,
    reissue,
    withdraw_account,
)

__all__ = [
    "NAMED",
    "AccountProblem",
    "approve",
    "cancel",
    "check",
    "confirm_account",
    "export",
    "make_batch",
    "propose_account",
    "reference",
    "refuse_account",
    "reissue",
    "send_back",
    "settle",
    "submit",
    "take_out",
    "take_return",
    "withdraw_account",
]
