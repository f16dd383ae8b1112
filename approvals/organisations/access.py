"""Who may open a page. Posts are read once per request; every act asks again when it is executed."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from approvals.organisations.authority import Office, UserActor, actor_of, offices_of
from approvals.organisations.roles import matrix

View = Callable[..., HttpResponseBase]


def offices(request: HttpRequest) -> list[Office]:
    """The signed-in person's posts today, read once per request."""
    if not request.user.is_authenticated:
        return []
    if not hasattr(request, "_offices"):
        request._offices = offices_of(request.user)  # type: ignore[attr-defined]
    return list(request._offices)  # type: ignore[attr-defined]


def number(text: str | None) -> int | None:
    """A number as it may stand in an address or a form; None for anything else, and for more digits than a key has."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None


def prefixes(request: HttpRequest, *permissions: str) -> list[str]:
    """Office paths at or below which any of the permissions holds, for filters."""
    roles = {role for permission in permissions for role in matrix().roles_with(permission)}
    return sorted({office.path for office in offices(request) if office.role in roles})


def may(request: HttpRequest, *permissions: str, path: str | None = None) -> bool:
    """Whether any of the permissions holds somewhere, or at `path`."""
    if path is None:
        return bool(prefixes(request, *permissions))
    allowed = matrix()
    return any(
        allowed.reaches(office.role, permission, office.path, path)
        for office in offices(request)
        for permission in permissions
    )


def require(request: HttpRequest, *permissions: str, path: str) -> None:
    """Raises PermissionDenied unless any of the permissions holds at `path`."""
    if not may(request, *permissions, path=path):
        raise PermissionDenied


def actor(request: HttpRequest) -> UserActor:
    """The engine's view of the signed-in person."""
    return actor_of(request.user)  # type: ignore[arg-type]


def requires(*permissions: str) -> Callable[[View], View]:
    """Opens a page to signed-in people who hold any of the permissions somewhere; 403 for the others."""

    def wrap(view: View) -> View:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request, *permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return wrap
