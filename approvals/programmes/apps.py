from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProgrammesConfig(AppConfig):
    name = "approvals.programmes"
    verbose_name = _("Programmes")
    default_auto_field = "django.db.models.BigAutoField"
