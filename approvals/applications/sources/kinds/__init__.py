"""The kinds, each in a module of its own; importing this registers them in the order of the pages."""

from approvals.applications.sources.kinds import (  # noqa: F401
    account_holder,
    accounts,
    deceased,
    disabled,
    dual_enrolment,
    low_income,
    other_aid,
    poor_households,
)  # isort: skip
