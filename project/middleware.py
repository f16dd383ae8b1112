"""What every request gets: an id, the person's language, an idle limit, and a limit on its size."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils import translation

from approvals.notices.public import too_big
from workflows.requests import set_request_id

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,40}")  # as long as the record keeps
QUIET = (settings.STATIC_URL, "/healthz")
PUBLIC = "/public/"
MAX_PUBLIC_BYTES = 11 * 1024 * 1024  # an objection with its paper
RENEW_AFTER = 5 * 60  # seconds; a session row is not written at every click


class RequestIdMiddleware:
    """Gives the request an id (the proxy's X-Request-ID where it is a plain one), tells it, and logs a line.

    The line has no query string: somebody may have searched for a name.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.id = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        set_request_id(request.id)
        started = time.monotonic()
        try:
            response = self.get_response(request)
            if not request.path.startswith(QUIET):
                ms = round((time.monotonic() - started) * 1000)
                log.info("request", method=request.method, path=request.path, status=response.status_code, ms=ms)
        finally:
            set_request_id("")
        response["X-Request-ID"] = request.id
        return response


class LanguageMiddleware:
    """Simplified Chinese, or the language the person chose (a cookie that `set_language` writes).

    Django's LocaleMiddleware would follow the browser, and an office's English Windows would turn a county's
    pages English.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class IdleTimeoutMiddleware:
    """Lets a session live SESSION_COOKIE_AGE seconds from the last visit (by the machine's clock)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            if now - request.session.get("seen", 0) > RENEW_AFTER:
                request.session["seen"] = now
        return self.get_response(request)


class OneTimePasswordMiddleware:
    """Lets a person who signed in with a one-time password do nothing but choose another, or sign out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.one_time:
            choose = reverse("organisations:own_password")
            if request.path not in {choose, reverse("logout"), reverse("set_language")}:
                return redirect(choose)
        return self.get_response(request)


class NoNulMiddleware:
    """Answers 400 where an address, a cookie or a form holds a NUL, which PostgreSQL's texts cannot."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _without_nul(request.path_info, *_texts(request.GET), *request.COOKIES.values())
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        """By now the size of the body has been looked at, but for a text that is too long by itself."""
        return _form_refused(request)


def _without_nul(*texts: str) -> None:
    if any("\0" in text for text in texts):
        raise BadRequest("NUL")


def _form_refused(request: HttpRequest) -> HttpResponse | None:
    """The answer to a form with a text that is too long; None where it can be taken. Raises BadRequest for a NUL."""
    try:
        texts = list(_texts(request.POST))
    except RequestDataTooBig:
        return _too_big(request)
    _without_nul(*texts)
    return None


def _texts(values: QueryDict) -> Iterator[str]:
    for name, given in values.lists():
        yield name
        yield from given


@lru_cache(maxsize=2048)
def _public_page(path: str) -> ResolverMatch | None:
    """The view of an address of the public site; None for one that is not, or is nothing at all."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match if getattr(match.func, "public", False) else None


class PublicSiteMiddleware:
    """Answers the public site's pages here, before sessions and sign-in: they know neither, and cost neither.

    What they need of the middleware behind it is done here: no NUL reaches the database, and nothing too big is read.
    """

    SITE = ("/public/", "/robots.txt")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.limited = UploadLimitMiddleware(self._view)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(self.SITE):
            return self.get_response(request)
        match = _public_page(request.path_info)
        if match is None:
            return self.get_response(request)
        request.resolver_match = match
        if request.META.get("QUERY_STRING"):
            _without_nul(*_texts(request.GET))
        return self.limited(request)

    def _view(self, request: HttpRequest) -> HttpResponse:
        match = request.resolver_match
        assert match is not None
        refused = _form_refused(request) if request.method == "POST" else None
        return refused or match.func(request, *match.args, **match.kwargs)


class UploadLimitMiddleware:
    """Refuses a request that is too big with a page that says so, before anything of it is read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        if size > settings.MAX_REQUEST_BYTES or (size > MAX_PUBLIC_BYTES and request.path.startswith(PUBLIC)):
            return _too_big(request)
        return self.get_response(request)


def _too_big(request: HttpRequest) -> HttpResponse:
    """The page that says so; what everybody may send to reads no session."""
    if request.path.startswith(PUBLIC):
        return too_big(request, MAX_PUBLIC_BYTES // 1024 // 1024)
    limit = settings.MAX_REQUEST_BYTES // 1024 // 1024
    return render(request, "413.html", {"limit_mb": limit}, status=413)
