"""Why a decision was refused: codes and their sentences, said in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.encoding import force_str
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "ok": _("Done."),
    "not_found": _("There is no such task."),
    "closed": _("Somebody has already decided this task."),
    "closed_by_you": _("You have already decided this task yourself."),
    "no_such_outcome": _("This step does not offer that outcome."),
    "wrong_state": _("The case is not in a state in which this is allowed."),
    "not_permitted": _("You do not hold the post that may do this here."),
    "other_level": _("You have already acted on this case at another level."),
    "reason_required": _("Please give a reason."),
    "reason_unknown": _("Please choose a reason from the list."),
    "reason_too_short": _("The reason must have at least 10 characters."),
    "reason_too_long": _("The reason must not have more than 1,000 characters."),
    "due_on_invalid": _("The due date must not lie in the past."),
    "signed": _("Signed. It moves on when the others have signed."),
    "suspended": _("The case is suspended; it is decided once it is resumed."),
    "frozen": _("Nobody decides until %(until)s: a freeze period is set for this office."),
    "held": _("%(name)s has taken this case on. Take it over first, if you must."),
    "not_held": _("Nobody has taken this case on."),
    "not_yours": _("Somebody else has taken this case on."),
    "acted_on": _("Somebody has acted on it since; it can no longer be taken back."),
    "opened_meanwhile": _("A reviewer has opened it; ask for its return instead."),
    "not_your_decision": _("The last decision on this case is not yours to take back."),
    "not_signer": _("You are not one of those who sign here."),
    "already_signed": _("You have signed already."),
    "panel_empty": _("Nobody sits on this step's panel; the office above has been told."),
    "panel_too_small": _("Too few sit on this step's panel for it to approve anything."),
    "signer_disagrees": _(
        "One of those asked to sign does not agree: take the signature off, with a reason, or decide otherwise."
    ),
    "already_yours": _("You have taken this case on already."),
    "already_theirs": _("%(name)s has this case already."),
    "already_signer": _("%(name)s signs here already, or is yourself."),
    "no_such_signer": _("This person is not asked to sign here."),
    "they_not_permitted": _("%(name)s does not hold a post for this case."),
    "they_barred": _("%(name)s may not judge this case: recused, or active at another level."),
    "recused_declared": _("You have declared an interest in this case and do not judge it."),
    "not_here": _("That cannot be done while the case stands at this step."),
    "not_suspended": _("The case is not suspended."),
    "urged_today": _("It was urged today already."),
    "urged_enough": _("This step has been urged as often as is allowed."),
    "busy": _("Somebody else is working on this at the moment. Please try again."),
    "key_used": _("This request has been answered before, for other tasks."),
}


def add_sentences(sentences: Mapping[str, Promise]) -> None:
    """Adds the sentences of a room's own refusal codes, so that a repeated request can be answered in any language."""
    SENTENCES.update(sentences)


def words(code: str, values: Mapping[str, Any]) -> str:
    """The sentence of a refusal code, with its values filled in, in the active language; `sentence` among them names
    another one to say.
    """
    if "message" in values:
        return str(values["message"])
    sentence = force_str(SENTENCES[values.get("sentence", code)])
    return sentence % values if values else sentence
