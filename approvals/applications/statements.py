"""What the family signs: the commitment, and the guardian's consent for a child under 14 (DOMAIN.md §4.1, §4.6, §6).

A text is never changed: a new one gets a version and the day it begins, and who signed earlier signed the older one.
"""

from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Statement:
    """A text to be signed, with its version and the first day on which it was signed."""

    version: str
    since: date
    text: Promise


COMMITMENT = (
    Statement(
        "C2026-1",
        date(2026, 9, 1),
        _(
            "What this form says and the papers with it are true and complete. If the family's circumstances change, "
            "we tell the school. The school and the county's student-aid office may compare what is stated with the "
            "registers of other offices in order to judge this application. The aid is used for learning and living. "
            "If anything stated is untrue, we return what was received and answer for it."
        ),
    ),
)
CONSENT = (
    Statement(
        "K2026-1",
        date(2026, 9, 1),
        _(
            "As guardian of a child under 14 I agree that the school and the county's student-aid office process the "
            "data on this form: who the child and the guardian are, school and class, the family's economic "
            "circumstances, and the account. They are used to judge, pay and audit this aid only, are kept encrypted "
            "for as long as the rules on files require, and on public notices only name, school, class and programme "
            "are shown. I may ask the school to let me see, correct or delete them. Leaving out what is not "
            "necessary does not harm the application."
        ),
    ),
)


def in_force(statements: tuple[Statement, ...], signed_on: date) -> Statement:
    """The text that was signed on a day; the first one for a day before it."""
    begun = [statement for statement in statements if statement.since <= signed_on]
    return begun[-1] if begun else statements[0]
