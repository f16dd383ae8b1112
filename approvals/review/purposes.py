"""Why somebody opens the full record of a pupil: codes and their sentences (DOMAIN.md §6)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PURPOSES: dict[str, Promise] = {
    "judge": _("Judge this application"),
    "verify_identity": _("Compare with identity papers"),
    "contact_family": _("Contact the family"),
    "check_account": _("Check the bank account"),
    "answer_enquiry": _("Answer an enquiry or complaint"),
    "audit": _("Audit"),
    "other": _("Other purpose"),
}
