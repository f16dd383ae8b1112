"""Reasons for acts on a notice, from a list, with a text (DOMAIN.md §3.4, R)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.notices.refusals import Refused
from workflows.reasons import MAX_LENGTH, MIN_LENGTH, Reason

ANY_ACT = frozenset({"send_back", "recall", "pause", "void"})
REASONS: dict[str, tuple[Promise, frozenset[str]]] = {
    "wrong_list": (_("The list is wrong"), ANY_ACT),
    "wrong_text": (_("The text is wrong"), ANY_ACT),
    "privacy_leak": (_("Something private is shown"), ANY_ACT),
    "contact_wrong": (_("The contact is wrong"), ANY_ACT),
    "wrong_date": (_("The date is wrong"), frozenset({"send_back", "recall"})),
    "nothing_left": (_("On its date nothing was left of the list."), frozenset()),
    "other": (_("Other"), ANY_ACT),
}


def reasons_for(act: str) -> list[tuple[str, Promise]]:
    """The codes and sentences to choose from for an act on a notice."""
    return [(code, text) for code, (text, acts) in REASONS.items() if act in acts]


def require(reason: Reason | None, act: str) -> Reason:
    """The reason, if it is one of the act's and says something. Raises Refused."""
    if reason is None:
        raise Refused("reason_required")
    if reason.code not in REASONS or act not in REASONS[reason.code][1]:
        raise Refused("reason_unknown")
    if len(reason.text.strip()) < MIN_LENGTH:
        raise Refused("reason_too_short")
    if len(reason.text) > MAX_LENGTH:
        raise Refused("reason_too_long")
    return reason
