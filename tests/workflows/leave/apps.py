from django.apps import AppConfig


class LeaveConfig(AppConfig):
    """Leave of staff: a kind of case that has nothing to do with aid. Only tests install it."""

    name = "tests.workflows.leave"
    label = "leave"

    def ready(self) -> None:
        from tests.workflows.leave import flows  # noqa: F401
