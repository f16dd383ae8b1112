"""The frame of every public page: no sign-in, no session, no cookie, no script; language by the address alone.

`project.middleware.PublicSiteMiddleware` calls these views before sessions and sign-in. A page may be kept in the
memory of its process: it is shown again only while the stamp it was made under is the present one (stamps.py), which
is asked of the database at every request, and never on another business date.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import get_conditional_response

from approvals.notices.site import stamps
from approvals.notices.site.stamps import Stamp
from workflows import clock

LANGUAGES = ("zh-hans", "en")
HIDDEN = "noindex, nofollow, noarchive"
SHOWN = "index, nofollow, noarchive"
"""For search engines: lists are not theirs; what is found of a page must not outlive it in their archives."""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
"""No script at all, which is stricter than the offices' pages."""
View = Callable[..., HttpResponse]
StampOf = Callable[..., Stamp]


# ---------------------------------------------------------------- pages that are kept


@dataclass(frozen=True, slots=True)
class Kept:
    """A page as it was made, under which stamp, on which date, and when by the machine's clock."""

    stamp: Stamp
    day: str
    made: float
    body: bytes
    status: int
    headers: dict[str, str]


class Shelf:
    """The pages a process keeps, the longest unread given up first. What it holds is a copy; losing it costs time."""

    def __init__(self, most: int = 64 * 1024 * 1024, seconds: float = 30) -> None:
        self.most, self.seconds = most, seconds
        self._pages: OrderedDict[tuple[str, ...], Kept] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def take(self, key: tuple[str, ...], stamp: Stamp, day: str) -> Kept | None:
        """The page of this key, if it was made under this stamp, on this day, and not long ago."""
        with self._lock:
            page = self._pages.get(key)
            if page is None:
                return None
            if page.stamp != stamp or page.day != day or time.monotonic() - page.made > self.seconds:
                self._drop(key)
                return None
            self._pages.move_to_end(key)
            return page

    def put(self, key: tuple[str, ...], page: Kept) -> None:
        with self._lock:
            self._drop(key)
            self._pages[key] = page
            self._size += len(page.body)
            while self._size > self.most:
                self._drop(next(iter(self._pages)))

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._size = 0

    def _drop(self, key: tuple[str, ...]) -> None:
        page = self._pages.pop(key, None)
        if page is not None:
            self._size -= len(page.body)


shelf = Shelf()
LONGEST_QUERY = 200
"""An address with a longer query than any page of ours has is answered, and not kept."""


# ---------------------------------------------------------------- the frame


def public(
    view: View | None = None,
    *,
    stamp: StampOf = stamps.of_nothing,
    kept: bool = False,
    indexed: bool = False,
    counted: Callable[[int], None] | None = None,
) -> Any:
    """A page for everybody: language from the address, always revalidated, no cookie.

    `stamp` says what it depends on; `kept` lets the process keep the page as long as that stands; `indexed` lets
    search engines list it; `counted` is told of which notice a page was shown. The view finds the stamp as
    `request.stamp` and the clock held.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            found = stamp(**kwargs)
            request.stamp, request.training_date = found, found.training  # type: ignore[attr-defined]
            request.indexed = indexed  # type: ignore[attr-defined]
            language = language_of(request)
            with clock.held(clock.moment_on(found.training)) as moment:
                day, query = moment.date.isoformat(), request.META.get("QUERY_STRING", "")
                reading = request.method in ("GET", "HEAD")
                key = None
                if kept and reading and settings.KEEP_PUBLIC_PAGES and len(query) <= LONGEST_QUERY:
                    key = (request.get_host(), request.path, query)
                    if page := shelf.take(key, found, day):
                        if counted and request.method == "GET" and page.status == 200:
                            counted(found.notice)
                        return _conditional(request, _again(page))
                with translation.override(language):
                    try:
                        response = view(request, *args, **kwargs)
                    except Http404:
                        response = page_of(request, "public/missing.html", {}, 404)
                if counted and request.method == "GET" and response.status_code == 200:
                    counted(found.notice)
            _dress(response, language, indexed and response.status_code == 200, reading)
            if key is not None and response.status_code in (200, 410) and getattr(response, "keep", True):
                headers = dict(response.items())
                shelf.put(
                    key, Kept(found, day, time.monotonic(), bytes(response.content), response.status_code, headers)
                )
            return _conditional(request, response) if reading else response

        answer.public = True  # type: ignore[attr-defined]
        return answer

    return wrap(view) if view is not None else wrap


def _dress(response: HttpResponse, language: str, indexed: bool, reading: bool) -> None:
    response["Content-Language"] = language
    response["X-Robots-Tag"] = SHOWN if indexed else HIDDEN
    response["Referrer-Policy"] = "no-referrer"
    response["X-Frame-Options"] = "DENY"
    response["Content-Security-Policy"] = POLICY
    response["Content-Length"] = str(len(response.content))
    response["Cache-Control"] = "public, no-cache" if reading else "no-store"
    if reading and response.status_code == 200:
        response["ETag"] = f'"{sha256(response.content).hexdigest()[:32]}"'


def _again(page: Kept) -> HttpResponse:
    return HttpResponse(page.body, status=page.status, headers=page.headers)


def _conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """304 where the reader has this page already."""
    if "ETag" not in response or "HTTP_IF_NONE_MATCH" not in request.META:
        return response
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


def language_of(request: HttpRequest) -> str:
    """Chinese unless the address says otherwise; a browser's wish or an office's cookie is not asked."""
    chosen = request.GET.get("lang", "")
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def base_of(request: HttpRequest) -> str:
    """Where the site is reached: as the office has set it, or as it has just been reached."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def page_of(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page of the site, rendered without the request, so that no template can touch a session or a cookie."""
    chosen = request.GET.get("lang", "")
    keep = f"lang={chosen}" if chosen in LANGUAGES else ""
    english = translation.get_language() == "en"
    other = QueryDict(mutable=True)
    if request.method == "GET":
        other.update(request.GET)
    other["lang"] = "zh-hans" if english else "en"
    shell = {
        "keep": f"?{keep}" if keep else "",
        "lang": chosen if keep else "",
        "english": english,
        "training_date": getattr(request, "training_date", None),
        "here": request.path,
        "other_language": f"{request.path}?{other.urlencode()}",
        "robots": SHOWN if status == 200 and getattr(request, "indexed", False) else HIDDEN,
    }
    return HttpResponse(render_to_string(template, shell | context), status=status)
