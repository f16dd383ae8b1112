"""The only writers of this room; what others may call is named here."""

from approvals.disbursement.actions.bank import export, settle, take_return
from approvals.disbursement.actions.batches import (
    allot,
    approve,
    cancel,
    check,
    close,
    give_up,
    hold,
    hold_line,
    let_go,
    make_batch,
    reconcile,
    release_hold,
    send_back,
    submit,
    take_out,
)
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
    "allot",
    "approve",
    "cancel",
    "check",
    "close",
    "confirm_account",
    "export",
    "give_up",
    "hold",
    "hold_line",
    "let_go",
    "make_batch",
    "propose_account",
    "reconcile",
    "reference",
    "refuse_account",
    "reissue",
    "release_hold",
    "send_back",
    "settle",
    "submit",
    "take_out",
    "take_return",
    "withdraw_account",
]
