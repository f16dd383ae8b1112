"""Reasons for acts on a notice, from a list, with a text (DOMAIN.md §3.4, R)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.notices.refusals import Refused
from workflows.reasons import MIN_LENGTH, Reason

REASONS: dict[str, tuple[Promise, frozenset[str]]] = {
    "wrong_list": (_("The list is wrong"), frozenset({"send_back", "void"})),
    "wrong_text": (_("The text is wrong"), frozenset({"send_back", "void"})),
    "privacy_leak": (_("Something private is shown"), frozenset({"send_back", "void"})),
    "contact_wrong": (_("The contact is wrong"), frozenset({"send_back", "void"})),
    "other": (_("Other"), frozenset({"send_back", "void"})),
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
    return reason
