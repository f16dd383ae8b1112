# ruff: noqa: F401, I001 (imported to be registered, in the order of the pages)
"""The kinds, each in a module of its own; importing this registers them in the order of the pages."""

from approvals.applications.sources.kinds import poor_households
from approvals.applications.sources.kinds import low_income
from approvals.applications.sources.kinds import disabled
from approvals.applications.sources.kinds import deceased
from approvals.applications.sources.kinds import dual_enrolment
from approvals.applications.sources.kinds import other_aid
from approvals.applications.sources.kinds import account_holder
from approvals.applications.sources.kinds import accounts
