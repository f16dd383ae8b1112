"""The only writers of this room; what others may call is named here.

Locks are taken in this order: cases before notices that are not public yet; public notices before cases. A line
leaves a list because its case left the step, never the other way round (see listeners.py).
"""

from approvals.notices.actions.checks import privacy_findings, worked_on
from approvals.notices.actions.drafting import draft, edit, submit
from approvals.notices.actions.ending import close_due, conclude, conclude_closed, propose, recompute_open
from approvals.notices.actions.lines import confirm_lines, remove_lines, withdraw_line
from approvals.notices.actions.signing import (
    pause,
    publish,
    publish_due,
    recall,
    send_back,
    void,
)

__all__ = [
    "close_due",
    "conclude",
    "conclude_closed",
    "confirm_lines",
    "draft",
    "edit",
    "pause",
    "privacy_findings",
    "propose",
    "publish",
    "publish_due",
    "recall",
    "recompute_open",
    "remove_lines",
    "send_back",
    "submit",
    "void",
    "withdraw_line",
    "worked_on",
]
