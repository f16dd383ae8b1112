"""Policies and self-check, results, announcements, what a public notice means, and what machines read of the site."""

from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from approvals.notices import queries, totals, wording
from approvals.notices.announcements import queries as announcements
from approvals.notices.announcements.models import Announcement
from approvals.notices.models import Notice
from approvals.notices.site import stamps
from approvals.notices.site.frame import base_of, page_of, public
from approvals.notices.site.self_check import SelfCheckForm
from approvals.organisations.models import Organisation
from approvals.programmes import queries as programmes
from approvals.programmes.page import short, whole
from approvals.programmes.queries import Offer
from workflows import clock

PER_PAGE = 20
IN_FEED = 50


# ---------------------------------------------------------------- what a public notice means


@require_safe
@public(indexed=True)
def explanation(request: HttpRequest) -> HttpResponse:
    """公示说明: what the lists are, how long they stand, what is on them, how to object."""
    context = {"office": _office(), "reply_days": wording.REPLY_DAYS, "least": totals.LEAST, "section": "explanation"}
    return page_of(request, "public/explanation.html", context)


def _office() -> Organisation | None:
    return Organisation.objects.filter(kind="county", depth=1).first()


# ---------------------------------------------------------------- policies and self-check


@require_safe
@public(indexed=True)
def policies(request: HttpRequest) -> HttpResponse:
    """Every programme in short."""
    day = clock.today()
    offers = [short(offer, day) for offer in programmes.offers()]
    return page_of(request, "public/policies.html", {"programmes": offers, "section": "policies"})


@require_safe
@public(indexed=True)
def policy(request: HttpRequest, code: str) -> HttpResponse:
    """One programme from its definition in force: who may apply, for how much, when, how, with what papers."""
    offer = _offer(code)
    context = whole(offer, clock.today()) | {"office": _office(), "section": "policies"}
    return page_of(request, "public/policy.html", context)


def _offer(code: str) -> Offer:
    found = programmes.offers(code)
    if not found:
        raise Http404
    return found[0]


@csrf_exempt  # changes nothing, and a token would need a cookie
@require_http_methods(["GET", "HEAD", "POST"])
@public
def self_check(request: HttpRequest, code: str) -> HttpResponse:
    """自查: questions, and by POST what the programme's own rules say of the answers. Decides and keeps nothing."""
    offer = _offer(code)
    form = SelfCheckForm(offer.version.rules, clock.today(), request.POST if request.method == "POST" else None)
    if not form.fields:
        raise Http404
    said = form.said() if form.is_bound and form.is_valid() else None
    context: dict[str, Any] = {"programme": offer.version.programme, "form": form, "said": said, "section": "policies"}
    if said is not None:
        context["fails"] = sum(each.holds is False for each in said)
        context["unknown"] = sum(each.holds is None for each in said)
    return page_of(request, "public/self_check.html", context, 422 if form.is_bound and said is None else 200)


# ---------------------------------------------------------------- results


@require_safe
@public
def results(request: HttpRequest) -> HttpResponse:
    """结果公开: how many pupils and how much money, by school and programme, of one term; nobody's name."""
    known = totals.terms()
    wanted = {key: request.GET.get(key, "").strip()[:60] for key in ("term", "school", "programme")}
    if wanted["term"] not in known:
        wanted["term"] = known[0] if known else ""
    whole_term = totals.cells(term=wanted["term"]) if wanted["term"] else []
    found = [
        cell
        for cell in whole_term
        if wanted["school"] in ("", cell.school) and wanted["programme"] in ("", cell.programme)
    ]
    return page_of(
        request,
        "public/results.html",
        {
            "terms": known,
            "wanted": wanted,
            "filtered": wanted["school"] or wanted["programme"],
            "schools": dict.fromkeys((cell.school, cell.school_name) for cell in whole_term),
            "programmes": dict.fromkeys((cell.programme, cell.programme_name) for cell in whole_term),
            "cells": found,
            "by_programme": totals.by_programme(found),
            "total": totals.total(_("Total"), found),
            "least": totals.LEAST,
            "section": "results",
        },
    )


# ---------------------------------------------------------------- announcements


@require_safe
@public(indexed=True)
def announcement_list(request: HttpRequest) -> HttpResponse:
    """公告, the latest first."""
    found = announcements.current()
    if last := found.filter(public_id=request.GET.get("after", "")[:20]).first():
        found = queries.older(found, last)
    rows = list(found[: PER_PAGE + 1])
    following = request.GET.copy()
    if more := len(rows) > PER_PAGE:
        following["after"] = rows[PER_PAGE - 1].public_id
    context = {"announcements": rows[:PER_PAGE], "next": f"?{following.urlencode()}" if more else "", "section": "news"}
    return page_of(request, "public/announcements.html", context)


@require_safe
@public(indexed=True)
def announcement(request: HttpRequest, public_id: str) -> HttpResponse:
    """One announcement; 410 once it was withdrawn, without its title."""
    found = get_object_or_404(announcements.ever_public(), public_id=public_id)
    gone = found.state != "published"
    context = {
        "announcement": found,
        "issuer": wording.issuer(found.organisation),
        "gone": gone,
        "section": "news",
    }
    return page_of(request, "public/announcement.html", context, 410 if gone else 200)


# ---------------------------------------------------------------- for machines


class _News(Feed):
    """What is on notice and what is announced: title, office, period, address; nobody's name."""

    feed_type = Atom1Feed
    title = gettext_lazy("Public notices and announcements of education aid")
    subtitle = gettext_lazy("Title, office and period of what is public now. Lists are only on the site.")

    def get_object(self, request: HttpRequest) -> str:
        return base_of(request)

    def link(self, base: str) -> str:
        return base + reverse("public:notices")

    def feed_url(self, base: str) -> str:
        return base + reverse("public:feed")

    def items(self, base: str) -> list["_Item"]:
        found: list[Any] = [*queries.current()[:IN_FEED], *announcements.current()[:IN_FEED]]
        found.sort(key=lambda each: each.published_at, reverse=True)
        return [_Item(each, base) for each in found[:IN_FEED]]

    def item_title(self, item: "_Item") -> str:
        return item.row.title

    def item_description(self, item: "_Item") -> str:
        office = wording.issuer(item.row.organisation)
        if isinstance(item.row, Announcement):
            return f"{office}，{wording.day_name(item.row.published_on)}发布。"
        return f"{office}。公示时间：{wording.period(item.row)}"

    def item_link(self, item: "_Item") -> str:
        return item.link

    def item_guid(self, item: "_Item") -> str:
        return item.link

    def item_pubdate(self, item: "_Item") -> Any:
        return item.row.published_at

    def item_author_name(self, item: "_Item") -> str:
        return wording.issuer(item.row.organisation)


class _Item:
    """A row of the feed with its address."""

    def __init__(self, row: Notice | Announcement, base: str) -> None:
        name = "public:announcement" if isinstance(row, Announcement) else "public:notice"
        self.row, self.link = row, base + reverse(name, args=[row.public_id])


_feed = _News()


@require_safe
@public(stamp=stamps.of_lists, kept=True)
def feed(request: HttpRequest) -> HttpResponse:
    """Atom, for feed readers and for other sites of the county."""
    response = _feed(request)
    del response["Last-Modified"]  # a list that ends makes the newest entry older than it was
    return response


@require_safe
@public
def sitemap(request: HttpRequest) -> HttpResponse:
    """What search engines may list: the start page, explanation, policies, announcements. Never a list."""
    here = base_of(request)
    names = [("public:notices", []), ("public:explanation", []), ("public:policies", [])]
    names += [("public:policy", [offer.programme_id]) for offer in programmes.current()]
    names += [("public:announcement", [each.public_id]) for each in announcements.current()[:1000]]
    addresses = [here + reverse(name, args=args) for name, args in names]
    drawn = render_to_string("public/sitemap.xml", {"addresses": addresses})
    return HttpResponse(drawn, content_type="application/xml")


@require_safe
@public
def robots(request: HttpRequest) -> HttpResponse:
    """Says the same as the pages' own headers, for engines that do not read those (Baidu reads no X-Robots-Tag)."""
    names = ("explanation", "policies", "announcements")
    allowed = [reverse("public:notices") + "$", *(reverse(f"public:{name}") for name in names), settings.STATIC_URL]
    map_ = base_of(request) + reverse("public:sitemap")
    lines = ["User-agent: *", *(f"Allow: {path}" for path in allowed), "Disallow: /", f"Sitemap: {map_}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
