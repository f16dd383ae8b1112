"""Reasons that people give for a decision: a code from a list and a text (DOMAIN.md §3.1, R).

The reasons that any kind of case may need are here; a route adds its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MIN_LENGTH = 10
"""Fewest characters of a reason's text (DOMAIN.md §3.1)."""
MAX_LENGTH = 1000
"""Most characters: the text is written on the record of every case it is given for."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody decided so: a code of `REASONS` and the words that go with it."""

    code: str
    text: str = ""

    def __post_init__(self) -> None:
        # PostgreSQL keeps neither NUL nor half of a surrogate pair, and a person means neither.
        text = (self.text or "").replace("\0", "").encode(errors="ignore").decode()
        object.__setattr__(self, "text", text)


REASONS: dict[str, tuple[Promise, frozenset[str]]] = {
    "false_information": (_("False information"), frozenset({"reject"})),
    "duplicate": (_("Duplicate application"), frozenset({"reject", "cancel"})),
    "entered_in_error": (_("Entered in error"), frozenset({"cancel", "adjust"})),
    "form_incomplete": (_("Form incomplete"), frozenset({"return"})),
    "evidence_missing": (_("Evidence missing or unreadable"), frozenset({"return"})),
    "applicant_withdraws": (_("The applicant withdraws"), frozenset({"withdraw"})),
    "away": (_("Whoever has it is away"), frozenset({"take_over", "transfer"})),
    "knows_more": (_("Somebody else knows the matter better"), frozenset({"transfer", "add_signer"})),
    "not_needed": (_("The signature is not needed any more"), frozenset({"remove_signer"})),
    "kin": (_("Kin of the pupil or the family"), frozenset({"step_aside"})),
    "interest": (_("An interest of one's own"), frozenset({"step_aside"})),
    "under_inquiry": (_("Facts are being looked into"), frozenset({"suspend"})),
    "inquiry_over": (_("The facts have been cleared up"), frozenset({"resume"})),
    "comment": (_("Comment"), frozenset({"comment"})),
    "other": (
        _("Other"),
        frozenset(
            {
                "approve",
                "return",
                "reject",
                "cancel",
                "withdraw",
                "adjust",
                "take_back",
                "take_over",
                "transfer",
                "add_signer",
                "remove_signer",
                "step_aside",
                "suspend",
                "resume",
            }
        ),
    ),
}


def add_reasons(reasons: Mapping[str, tuple[Promise, Iterable[str]]]) -> None:
    """Adds a route's own reasons, {code: (sentence, outcomes it may be given for)}, before `other`."""
    other = REASONS.pop("other")
    for code, (sentence, outcomes) in reasons.items():
        REASONS[code] = (sentence, frozenset(outcomes))
    REASONS["other"] = other


def reasons_for(outcome: str) -> list[tuple[str, Promise]]:
    """The codes and sentences a person may choose from for an outcome, in list order."""
    return [(code, text) for code, (text, outcomes) in REASONS.items() if outcome in outcomes]


def refusal_of(reason: Reason | None, outcome: str, required: bool) -> str | None:
    """The refusal code of a missing, unknown or unsuitably long reason; None when it will do."""
    if reason is None:
        return "reason_required" if required else None
    known = REASONS.get(reason.code)
    if known is None or outcome not in known[1]:
        return "reason_unknown"
    if required and len(reason.text.strip()) < MIN_LENGTH:
        return "reason_too_short"
    return "reason_too_long" if len(reason.text) > MAX_LENGTH else None
