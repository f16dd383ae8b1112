"""The only writers: looking for findings, putting them right, and reasons without aid."""

from approvals.oversight.actions.covering import explain_pupil
from approvals.oversight.actions.looking import ask, ask_daily, look_now, look_on
from approvals.oversight.actions.rectifying import assign, explain, rectify, remind, send_back, verify

__all__ = [
    "ask", "ask_daily", "assign", "explain", "explain_pupil", "look_now", "look_on", "rectify", "remind", "send_back",
    "verify",
]  # fmt: skip
