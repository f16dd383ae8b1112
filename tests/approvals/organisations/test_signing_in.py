"""Who signed in stands in the record, with the address that it came from and nothing that was typed."""

from ipaddress import ip_network
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings as configured
from django.test import Client, RequestFactory
from django.urls import reverse

from approvals.organisations.signing_in import address_of
from tests.factories import UserFactory
from workflows.models import Record

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"


@pytest.fixture
def user() -> Any:
    user = UserFactory()
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, name: str, password: str, **headers: str) -> int:
    return client.post(reverse("login"), {"username": name, "password": password}, headers=headers).status_code


def lines() -> list[tuple[str, int, str, Any]]:
    return list(
        Record.objects.filter(about="account").order_by("id").values_list("act", "about_id", "actor", "data__address")
    )


def test_signing_in_and_out_is_on_the_record(client: Client, user: Any) -> None:
    sign_in(client, user.username, PASSWORD)
    client.post(reverse("logout"))
    key = user.person.hex
    assert lines() == [("sign_in", user.pk, key, "127.0.0.1"), ("sign_out", user.pk, key, "127.0.0.1")]


def test_a_failed_try_is_on_the_record_without_a_name_that_nobody_has(client: Client, user: Any) -> None:
    sign_in(client, user.username, "wrong")
    sign_in(client, "my-secret-password", "wrong")
    assert [line[:2] for line in lines()] == [("sign_in_failed", user.pk), ("sign_in_failed", 0)]
    assert "my-secret-password" not in str(list(Record.objects.values()))


def test_a_place_that_is_locked_out_fills_no_record(client: Client, user: Any) -> None:
    for _ in range(configured.AXES_FAILURE_LIMIT + 3):
        sign_in(client, user.username, "wrong")
    assert len(lines()) == configured.AXES_FAILURE_LIMIT


def test_behind_a_proxy_a_place_is_the_visitors_and_locks_nobody_else_out(
    client: Client, user: Any, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    for _ in range(configured.AXES_FAILURE_LIMIT):
        sign_in(client, user.username, "wrong", x_forwarded_for="203.0.113.9")
    assert sign_in(client, user.username, PASSWORD, x_forwarded_for="203.0.113.9") == 429
    assert sign_in(client, user.username, PASSWORD, x_forwarded_for="203.0.113.10") == 302
    assert lines()[-1][3] == "203.0.113.10"
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) <= {"203.0.113.9"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),  # no proxy of ours: what it says is not believed
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "192.0.2.1, 203.0.113.9, 10.0.0.6", "203.0.113.9"),
        ("10.0.0.5", "nonsense", "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("", "203.0.113.9", None),
    ],
)
def test_only_our_proxies_are_believed(settings: Any, peer: str, forwarded: str, address: str | None) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/24")]
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"x-forwarded-for": forwarded})
    assert address_of(request) == address
