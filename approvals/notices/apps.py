from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "approvals.notices"
    verbose_name = _("Notices")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from approvals.notices import guards, listeners, tasks  # noqa: F401
        from approvals.notices.archive import building, counting  # noqa: F401
        from approvals.notices.objections import guards as holding  # noqa: F401
        from approvals.notices.objections import tasks as settling  # noqa: F401
