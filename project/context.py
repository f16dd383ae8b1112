"""What the page shell shows: who is signed in as what, where they can go, and the demo's date."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from approvals.organisations import access
from approvals.organisations.authority import Office
from approvals.programmes.terms import Term
from project import VERSION, navigation

CASE_PAGES = ("review:case", "review:unmask", "review:take_back", "applications:edit")


class Shell:
    """Read by `base.html`; nothing is asked of the database until the page shows it."""

    version = VERSION
    source = settings.SOURCE_URL

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def signed_in(self) -> bool:
        return bool(getattr(self._request, "user", None) and self._request.user.is_authenticated)

    @cached_property
    def posts(self) -> list[Office]:
        """The posts that hold today."""
        return access.offices(self._request) if self.signed_in else []

    @cached_property
    def entries(self) -> list[navigation.Entry]:
        return navigation.entries(self._request) if self.signed_in else []

    @cached_property
    def training_date(self) -> Any:
        """The demo's date; None where the machine's date counts."""
        return getattr(self._request, "training_date", None) if settings.DEMO else None

    @cached_property
    def term(self) -> str:
        """The term that the demo's date belongs to."""
        return Term.on(self.training_date).code if self.training_date else ""

    @cached_property
    def at_case(self) -> bool:
        """Whether the address is that of one application's page, whether or not there is such a one."""
        match = self._request.resolver_match
        return match is not None and "case_id" in match.kwargs and match.view_name in CASE_PAGES

    @cached_property
    def here(self) -> str:
        """Where to return to after the language is switched; the home page after a refused POST."""
        return self._request.get_full_path() if self._request.method == "GET" else "/"


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": Shell(request)}
