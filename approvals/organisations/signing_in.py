"""Who signed in and out, and who tried: a line each in the record, with the address it came from."""

from ipaddress import ip_address
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from approvals.organisations.authority import actor_of
from approvals.organisations.models import User
from workflows import record
from workflows.actors import SYSTEM, Actor

NOBODY = 0
"""The account of a name that nobody has. The name is not written: it may be a password in the wrong field."""


def address_of(request: HttpRequest | None) -> str | None:
    """Where a request comes from: the first address, seen from here, that is not one of our proxies'."""
    if request is None:
        return None
    address = _read(request.META.get("REMOTE_ADDR", ""))
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if address is None or not any(address in network for network in settings.TRUSTED_PROXIES):
            break
        address = _read(hop.strip()) or address
    return str(address) if address else None


def _read(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest | None, user: User, **_more: Any) -> None:
    _write("sign_in", user.pk, actor_of(user), request)


@receiver(user_logged_out)
def signed_out(sender: Any, request: HttpRequest | None, user: User | None, **_more: Any) -> None:
    if user is not None:
        _write("sign_out", user.pk, actor_of(user), request)


@receiver(user_login_failed)
def failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any) -> None:
    """A place that is locked out writes no more lines, however often it tries.

    Asked before axes counts this try, since its receiver comes after: the try that locks is written.
    """
    if request is not None and not AxesProxyHandler.is_allowed(request, credentials):
        return
    account = User.objects.filter(username=credentials.get("username") or "").values_list("pk", flat=True).first()
    _write("sign_in_failed", account or NOBODY, SYSTEM, request)


def _write(act: str, account: int, by: Actor, request: HttpRequest | None) -> None:
    record.write(act, "account", [account], by, data={"address": address_of(request)})
