"""Names of the states that a case can be in (DOMAIN.md §3.1). A route uses those it needs."""

from django.utils.translation import pgettext_lazy as _p

NAMES = {
    "draft": _p("case state", "Draft"),
    "submitted": _p("case state", "Submitted"),
    "returned": _p("case state", "Returned for correction"),
    "school_review": _p("case state", "School review"),
    "school_notice": _p("case state", "School public notice"),
    "township_review": _p("case state", "Township review"),
    "county_review": _p("case state", "County review"),
    "data_check": _p("case state", "Data check"),
    "recheck": _p("case state", "Re-check"),
    "pending_approval": _p("case state", "Awaiting approval"),
    "county_notice": _p("case state", "County public notice"),
    "approved": _p("case state", "Approved"),
    "disbursing": _p("case state", "Disbursing"),
    "completed": _p("case state", "Completed"),
    "rejected": _p("case state", "Rejected"),
    "withdrawn": _p("case state", "Withdrawn"),
    "cancelled": _p("case state", "Cancelled"),
}
ENDED = frozenset({"completed", "rejected", "withdrawn", "cancelled"})
"""States that nothing leads out of."""
