"""What an application must still get before it may be submitted: codes and their sentences (DOMAIN.md §3.1)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.people.identity import is_under_14

SENTENCES: dict[str, Promise] = {
    "level": _("The hardship level has not been set."),
    "tier": _("The tier of the grant has not been chosen."),
    "amount": _("There is no rate for this pupil's stage and tier in this term."),
    "guardian": _("The guardian of a pupil under 14 is not named."),
    "account": _("The account that the money goes to is not entered."),
    "commitment": _("The signed commitment of the guardian or pupil is not recorded."),
    "consent": _("The guardian's consent is not recorded; the pupil is under 14."),
}
PAPERS = ("commitment", "consent")
"""What is confirmed for a whole list at once: that the signed papers are held."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """What an application has of the things that can be missing."""

    level: bool
    tier: bool
    amount: bool
    guardian: bool
    account: bool
    commitment: bool
    consent: bool
    birth_date: date


def missing_codes(needs: Collection[str], supplied: Supplied, on: date) -> list[str]:
    """The codes of what is missing on a business day, in the order of the form.

    `needs` are the programme's: account, level, tier, amount. A commitment is always needed, the guardian's
    consent for a pupil under 14 (PIPL Art. 31).
    """
    wanted = [name for name in ("level", "tier", "amount") if name in needs]
    if is_under_14(supplied.birth_date, on):
        wanted += ["guardian", "consent"]
    if "account" in needs:
        wanted.append("account")
    wanted.append("commitment")
    return [name for name in SENTENCES if name in wanted and not getattr(supplied, name)]


def sentence(code: str) -> str:
    """Why an application is not complete, in the present language."""
    return str(SENTENCES[code])
