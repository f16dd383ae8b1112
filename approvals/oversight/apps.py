from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OversightConfig(AppConfig):
    name = "approvals.oversight"
    verbose_name = _("Oversight")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from approvals.oversight import tasks  # noqa: F401
        from approvals.oversight.audits import kinds  # noqa: F401
        from approvals.oversight.models import STATES
        from approvals.review import permission_words

        permission_words.STATES["finding"] = dict(STATES)
