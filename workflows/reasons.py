"""Reasons that people give for a decision: a code from a list and a text (DOMAIN.md §3.1, R)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MIN_LENGTH = 10
"""Fewest characters of a reason's text (DOMAIN.md §3.1)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody decided so: a code of `REASONS` and the words that go with it."""

    code: str
    text: str = ""


REASONS: dict[str, tuple[Promise, frozenset[str]]] = {
    "not_in_register": (_("Household not found in the register"), frozenset({"reject"})),
    "conditions_not_met": (_("Conditions of the programme not met"), frozenset({"reject"})),
    "over_quota": (_("Over the quota"), frozenset({"reject"})),
    "not_enrolled": (_("Not enrolled at this school"), frozenset({"reject", "cancel"})),
    "false_information": (_("False information"), frozenset({"reject"})),
    "duplicate": (_("Duplicate application"), frozenset({"reject", "cancel"})),
    "entered_in_error": (_("Entered in error"), frozenset({"cancel", "adjust"})),
    "form_incomplete": (_("Form incomplete"), frozenset({"return"})),
    "evidence_missing": (_("Evidence missing or unreadable"), frozenset({"return"})),
    "account_invalid": (_("Bank account to be checked"), frozenset({"return"})),
    "level_to_review": (_("Hardship level to be reviewed again"), frozenset({"return", "adjust"})),
    "verified": (_("Checked person by person, holds"), frozenset({"approve"})),
    "data_source_late": (_("The data source is out of date"), frozenset({"approve"})),
    "applicant_withdraws": (_("The applicant withdraws"), frozenset({"withdraw"})),
    "line_withdrawn": (_("Line withdrawn from a public notice"), frozenset({"adjust"})),
    "other": (_("Other"), frozenset({"approve", "return", "reject", "cancel", "withdraw", "adjust"})),
}


def reasons_for(outcome: str) -> list[tuple[str, Promise]]:
    """The codes and sentences a person may choose from for an outcome, in list order."""
    return [(code, text) for code, (text, outcomes) in REASONS.items() if outcome in outcomes]


def refusal_of(reason: Reason | None, outcome: str, required: bool) -> str | None:
    """The refusal code of a missing, unknown or too short reason; None when it will do."""
    if reason is None:
        return "reason_required" if required else None
    known = REASONS.get(reason.code)
    if known is None or outcome not in known[1]:
        return "reason_unknown"
    if required and len(reason.text.strip()) < MIN_LENGTH:
        return "reason_too_short"
    return None
