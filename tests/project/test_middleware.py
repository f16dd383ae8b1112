"""What every request gets."""

import pytest
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils.translation import get_language

from project.middleware import LanguageMiddleware, UploadLimitMiddleware

pytestmark = pytest.mark.django_db


def language_seen(**headers: str) -> str | None:
    request = RequestFactory().get("/", headers=headers)
    seen: list[str | None] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(get_language())
        return HttpResponse()

    LanguageMiddleware(view)(request)
    return seen[0]


def test_pages_are_chinese_whatever_the_browser_asks_for() -> None:
    assert language_seen(accept_language="en-US,en;q=0.9") == "zh-hans"


def test_pages_are_in_the_language_the_person_chose() -> None:
    assert language_seen(cookie="django_language=en") == "en"


def test_an_unknown_language_in_the_cookie_is_ignored() -> None:
    assert language_seen(cookie="django_language=../../x") == "zh-hans"


def test_the_answer_carries_the_request_s_id(client: Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-12345678"})["X-Request-ID"] == "abc-12345678"


def test_a_request_id_that_is_not_plain_is_replaced(client: Client) -> None:
    assert "<" not in client.get("/healthz", headers={"x-request-id": "<script>alert(1)"})["X-Request-ID"]


def test_a_name_that_was_searched_for_stays_in_the_address(client: Client) -> None:
    with structlog.testing.capture_logs() as lines:
        response = client.get("/awards/", {"name": "张小三"})
    assert "张小三" not in str(lines)
    assert "%E5%BC%A0" not in str(lines)
    assert response["Referrer-Policy"] == "same-origin"


def test_a_request_above_the_limit_is_refused_unread_with_a_page() -> None:
    request = RequestFactory().post("/", data=b"", content_type="application/octet-stream")
    request.META["CONTENT_LENGTH"] = str(settings.MAX_REQUEST_BYTES + 1)

    def view(request: HttpRequest) -> HttpResponse:
        raise AssertionError("the view was reached")

    response = UploadLimitMiddleware(view)(request)
    assert response.status_code == 413
    assert "55" in response.content.decode()


def test_health_is_told_without_signing_in_and_with_the_strict_headers(client: Client) -> None:
    response = client.get("/healthz")
    assert response.json() == {"ok": True}
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
