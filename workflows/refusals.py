"""Why a decision was refused: codes and their sentences."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "ok": _("Done."),
    "not_found": _("There is no such task."),
    "closed": _("Somebody has already decided this task."),
    "no_such_outcome": _("This step does not offer that outcome."),
    "wrong_state": _("The case is not in a state in which this is allowed."),
    "not_permitted": _("You do not hold the post that may do this here."),
    "other_level": _("You have already acted on this case at another level."),
    "reason_required": _("Please give a reason."),
    "reason_unknown": _("Please choose a reason from the list."),
    "reason_too_short": _("The reason must have at least 10 characters."),
    "busy": _("Somebody else is working on this at the moment. Please try again."),
}
