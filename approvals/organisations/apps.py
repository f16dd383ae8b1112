from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrganisationsConfig(AppConfig):
    name = "approvals.organisations"
    verbose_name = _("Organisations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from approvals.organisations import projection, signing_in  # noqa: F401  (due work, what signals write)
        from approvals.organisations.roles import matrix
        from workflows import allowed

        allowed.say("aid", matrix().states_of("aid"))
