"""What can be told, and the sentence for it. `%(count)s` cases, `%(name)s` of what it is about."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "returned": _("Applications returned for correction: %(count)s. Reason: %(reason)s"),
    "rejected": _("Applications not approved: %(count)s. Reason: %(reason)s"),
    "notice_concluded": _("The public notice “%(name)s” is over; nobody objected."),
    "payment_failed": _("Payments failed at the bank: %(count)s. Please correct the accounts."),
    "account_corrected": _("Accounts of failed payments corrected: %(count)s. They can be reissued."),
    "roster_imported": _("The roster %(name)s is imported: %(count)s applications are drafts now."),
    "batch_waiting": _("Batch %(name)s waits for you."),
}
