"""Bank files: what goes to the bank, and what its answer says, by format and by profile of the bank."""

from approvals.disbursement.bank.answers import read_answers, write_orders
from approvals.disbursement.bank.base import BOUNCED, FAILED, PAID, Answer, Head, Order
from approvals.disbursement.bank.profiles import Profile, ProfileError, profile, profiles

__all__ = [
    "BOUNCED",
    "FAILED",
    "PAID",
    "Answer",
    "Head",
    "Order",
    "Profile",
    "ProfileError",
    "profile",
    "profiles",
    "read_answers",
    "write_orders",
]
