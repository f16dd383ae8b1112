from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    name = "approvals.applications"
    verbose_name = _("Applications")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from approvals.applications import asking, blocking, listeners, quotas, recusals, tasks, windows  # noqa: F401
        from approvals.applications.sources import kinds  # noqa: F401
