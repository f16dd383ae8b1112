"""The parts of an application that a reviewer may ask to have corrected."""

from django.utils.translation import pgettext_lazy as _p

PARTS = [
    ("identity", _p("part to correct", "Name, ID or enrolment number")),
    ("school", _p("part to correct", "Grade, class, boarding")),
    ("guardian", _p("part to correct", "Guardian and phone")),
    ("level", _p("part to correct", "Hardship level or tier")),
    ("account", _p("part to correct", "Bank account")),
    ("evidence", _p("part to correct", "Evidence")),
    ("commitment", _p("part to correct", "Commitment or consent")),
]
