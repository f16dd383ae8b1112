"""A1 to A15 (DOMAIN.md §2.9), in their order; each file has those that look at the same things."""

from approvals.oversight.audits.kinds import accounts, enrolment, groups, money, papers  # noqa: F401
