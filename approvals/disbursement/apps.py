from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DisbursementConfig(AppConfig):
    name = "approvals.disbursement"
    verbose_name = _("Disbursement")
    default_auto_field = "django.db.models.BigAutoField"
