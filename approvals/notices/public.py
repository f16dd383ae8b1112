"""The notices on the public site: what is on notice now, one notice, its paper and its proof, and the sealed record.

No sign-in, no session, no cookie, no script, and nobody's name in an address (site/frame.py).
"""

import base64
import json
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from approvals.applications import evidence_store
from approvals.notices import paper, proofs, queries, totals, wording
from approvals.notices.announcements import queries as announcements
from approvals.notices.archive import counting
from approvals.notices.archive.building import whole_pdf
from approvals.notices.forms import FindForm
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.site import stamps
from approvals.notices.site.frame import LANGUAGES, base_of, public
from approvals.notices.site.frame import page_of as _page
from approvals.organisations.access import number
from approvals.organisations.models import Organisation
from approvals.organisations.papers import PaperUnavailable
from approvals.organisations.papers import available as papers_available
from workflows import clock
from workflows.seal.heads import public_key

NOTICES_PER_PAGE = 30
HEADS_PER_PAGE = 50
LINES_PER_PAGE = 200
FOUND_AT_MOST = 50
NEWS_ON_HOME = 3


def too_big(request: HttpRequest, limit_mb: int) -> HttpResponse:
    """What was sent is too big to be read."""
    return public(lambda asked: _page(asked, "public/too_big.html", {"limit_mb": limit_mb}, status=413))(request)


@csrf_exempt
@public
def nothing(request: HttpRequest, address: str) -> HttpResponse:
    """An address of the public site that leads nowhere; it is answered by the public's own page, without a cookie."""
    raise Http404


# ---------------------------------------------------------------- what is on notice


@require_safe
@public(stamp=stamps.of_lists, kept=True, indexed=True)
def notices(request: HttpRequest) -> HttpResponse:
    """What is on public notice now, by township, school and programme, newest first."""
    wanted = {key: request.GET.get(key, "").strip()[:60] for key in ("township", "school", "programme")}
    current = queries.current()
    found = current
    if wanted["township"]:
        township = Organisation.objects.filter(code=wanted["township"]).values_list("path", flat=True).first()
        found = found.filter(path__startswith=township) if township else found.none()
    if wanted["school"]:
        found = found.filter(organisation__code=wanted["school"])
    if wanted["programme"]:
        found = found.filter(subject=wanted["programme"])
    if last := current.filter(public_id=request.GET.get("after", "")).first():
        found = queries.older(found, last)
    rows = list(found[: NOTICES_PER_PAGE + 1])
    following = request.GET.copy()
    if more := len(rows) > NOTICES_PER_PAGE:
        following["after"] = rows[NOTICES_PER_PAGE - 1].public_id
    return _page(
        request,
        "public/notices.html",
        {
            "notices": [(row, queries.working_days_left(row)) for row in rows[:NOTICES_PER_PAGE]],
            "next": f"?{following.urlencode()}" if more else "",
            "wanted": wanted,
            "filtered": any(wanted.values()),
            "choices": queries.publishers(current),
            "news": announcements.current()[:NEWS_ON_HOME],
            "section": "notices",
        },
    )


@csrf_exempt  # changes nothing, and a token would need a cookie
@require_http_methods(["GET", "HEAD", "POST"])
@public(stamp=stamps.of_notice, kept=True, counted=counting.seen)
def notice(request: HttpRequest, public_id: str) -> HttpResponse:
    """One notice: text, list, how to object; what is looked for comes by POST, so that no address or log holds it."""
    found = _noticed(public_id)
    if not queries.is_current(found, clock.today()):
        return _gone(request, found)
    form = FindForm(request.POST if request.method == "POST" else None)
    hits = None
    if form.is_bound and form.is_valid():
        hits = paper.paper_of(found, list(queries.found(found, form.cleaned_data["name"])[:FOUND_AT_MOST]))
    after = number(request.GET.get("after"))
    off = request.stamp.off  # type: ignore[attr-defined]
    rows, following = _rows(found, after, off, request.GET.get("lang", ""))
    left = _lines_ever(found.pk, found.sha256) - len(off)
    removed = max(0, found.line_count - left)
    provable = _is_provable(found, bool(removed))
    response = _page(
        request,
        "public/notice.html",
        {
            "notice": found,
            "supplementary": list(queries.current().filter(supplements=found)),
            "paper": paper.paper_of(found, (), following),
            "rows_html": rows,
            "after": after or "",
            "days_left": queries.working_days_left(found),
            "removed": removed,
            "provable": provable,
            "whole": whole_pdf(found),
            "files": paper.files_of(found, left) if papers_available() else [],
            "form": form,
            "hits": hits,
            "reply_days": wording.REPLY_DAYS,
            "county": found.step == "county_notice",
            "section": "notices",
        },
    )
    response.keep = provable or bool(removed)  # type: ignore[attr-defined]  within a minute it will offer its proof
    return response


# What a notice lists is fixed from its publication on; only which of its lines are off the list may change. So the rows
# are set once in a process, and each page leaves out those that are off by the stamp it is made under.


def _rows(notice: Notice, after: int | None, off: Sequence[int], lang: str) -> tuple[SafeString, int | None]:
    """The rows of a page of the list as HTML, and the number after which the next page begins."""
    headings = tuple(paper.headings_of(notice))
    address = reverse("public:object", args=[notice.public_id])
    link = (address, f"&amp;lang={lang}" if lang in LANGUAGES else "", gettext("Object"))
    taken, found = set(off), _set(notice.pk, notice.sha256, headings, link, after or 0, LINES_PER_PAGE)
    here, beyond = found[:LINES_PER_PAGE], found[LINES_PER_PAGE:]
    rows = "".join(row for line, row in here if line not in taken)
    return mark_safe(rows), here[-1][0] if beyond else None  # noqa: S308  every cell was escaped


@lru_cache(maxsize=256)
def _set(
    notice_id: int, sha256: str, headings: tuple[str, ...], link: tuple[str, str, str], after: int, size: int
) -> list[tuple[int, str]]:
    """[(number, row)]; each ends with a way to object to its line: address, what keeps the language, word."""
    address, keep, word = link
    cells = ['<td class="long" lang="zh-Hans">{}</td>' if name in paper.LONG else "<td>{}</td>" for name in headings]
    row = "<tr>" + "".join(cells)
    object_to = (
        f'<td class="no-print nowrap"><a rel="nofollow" href="{address}?line=%d{keep}">{escape(word)}'
        '<span class="sr-only"> %d</span></a></td></tr>\n'
    )
    lines = NoticeLine.objects.filter(notice=notice_id, number__gt=after).order_by("number")
    return [
        (line, row.format(*(escape(shown.get(name, "")) for name in headings)) + object_to % (line, line))
        for line, shown in lines.values_list("number", "shown")[: size + 1]
    ]


@lru_cache(maxsize=1024)
def _lines_ever(notice_id: int, sha256: str) -> int:
    """How many lines a published notice has, on and off its list."""
    return NoticeLine.objects.filter(notice=notice_id).count()


_provable: set[tuple[str, bool]] = set()


def _is_provable(notice: Notice, removed: bool) -> bool:
    """Whether a list has its proof; what is sealed once stays so."""
    edition = (notice.sha256, removed)
    if edition not in _provable and proofs.is_provable(notice):
        _provable.add(edition)
    return edition in _provable


def _noticed(public_id: str) -> Notice:
    """A notice that is or was public. Http404 for any other."""
    ever = queries.ever_public()
    return get_object_or_404(ever, public_id=public_id)


def _gone(request: HttpRequest, found: Notice) -> HttpResponse:
    """410: the period is over, or the notice is paused or voided; no name is shown, only the total of what is over."""
    voided = found.state == "voided"
    context = {
        "notice": found,
        "voided": voided,
        "count": totals.shown_count(queries.listed(found).count()),
        "section": "notices",
    }
    return _page(request, "public/gone.html", context, status=410)


@require_safe
@public(stamp=stamps.of_notice)
def proof(request: HttpRequest, public_id: str) -> HttpResponse:
    """The list with what proves it: its line on the record and the tree's head; while it is public."""
    found = _noticed(public_id)
    if not queries.is_current(found, clock.today()):
        return _gone(request, found)
    made = proofs.package(found)
    if made is None:
        raise Http404
    response = HttpResponse(json.dumps(made, ensure_ascii=False, indent=1), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="notice-{public_id}-proof.json"'
    return response


@require_safe
@public
def heads(request: HttpRequest) -> HttpResponse:
    """The signed heads of the record's tree, newest first: for anybody to keep."""
    rows, following = queries.tree_heads(number(request.GET.get("after")), HEADS_PER_PAGE)
    key = base64.b64encode(public_key()).decode()
    shown = [{"size": row.size, "at": row.at, "root": bytes(row.root).hex()} for row in rows]
    return _page(request, "public/heads.html", {"heads": shown, "next": following, "key": key, "section": "record"})


@require_safe
@public
def head(request: HttpRequest, size: int | None = None) -> HttpResponse:
    """One signed head as text: the newest, or the one over so many lines."""
    found = queries.tree_head(size)
    if found is None:
        raise Http404
    response = HttpResponse(found.note, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="head-{found.size}.txt"'
    return response


@require_safe
@public
def heads_json(request: HttpRequest) -> HttpResponse:
    """The same as JSON, with the proof that each of two heads continues the other: `?from=…&to=…`."""
    earlier, later = number(request.GET.get("from")), number(request.GET.get("to"))
    if earlier is None or later is None:
        rows, following = queries.tree_heads(number(request.GET.get("after")), HEADS_PER_PAGE)
        told: dict[str, Any] = {
            "key": base64.b64encode(public_key()).decode(),
            "heads": [{"size": row.size, "root": bytes(row.root).hex(), "note": row.note} for row in rows],
            "next": following,
        }
    else:
        path = queries.continuation(earlier, later)
        if path is None:
            raise Http404
        told = {"from": earlier, "to": later, "path": [each.hex() for each in path]}
    return HttpResponse(json.dumps(told, ensure_ascii=False, indent=1), content_type="application/json")


@require_safe
@public(stamp=stamps.of_notice)
def pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    """The list on A4, while it is public."""
    found = _noticed(public_id)
    if not queries.is_current(found, clock.today()):
        return _gone(request, found)
    given = request.GET.get("part", "")
    if not given and (whole := whole_pdf(found)):
        return _pdf(evidence_store.read(whole.file), f"notice-{public_id}.pdf")
    given = given or "1"
    part = number(given)
    # One address a paper, one paper in the cache.
    if part is None or part not in paper.files_of(found) or given != str(part):
        raise Http404
    address = base_of(request) + reverse("public:notice", args=[public_id])
    off = ",".join(map(str, request.stamp.off))  # type: ignore[attr-defined]
    looks = f"{request.stamp.marks}|{off}|{address}"  # type: ignore[attr-defined]
    state = f"paper:{public_id}:{part}:{sha256(looks.encode()).hexdigest()}"
    content = cache.get(state)
    if content is None:
        try:
            content = paper.pdf_of(found, part, address)
        except PaperUnavailable:
            raise Http404 from None
        cache.set(state, content, 600)
    return _pdf(content, f"notice-{public_id}-{part}.pdf")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response
