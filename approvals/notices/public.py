"""The public site: no sign-in, no session, no cookie, no script. Nobody's name stands in an address.

Every page carries its own fingerprint (ETag) and is asked for again each time, so that a line that was taken off
or a list that ended is gone at once, from caches too.
"""

import base64
import json
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from approvals.applications import evidence_store
from approvals.notices import paper, proofs, queries, wording
from approvals.notices.archive import counting
from approvals.notices.archive.building import whole_pdf
from approvals.notices.forms import FindForm
from approvals.notices.models import Notice
from approvals.organisations.access import number
from approvals.organisations.models import Organisation
from approvals.organisations.papers import PaperUnavailable
from approvals.organisations.papers import available as papers_available
from approvals.people.identity import normalise_name
from approvals.programmes import queries as programmes
from workflows import clock
from workflows.seal.heads import public_key

NOTICES_PER_PAGE = 30
HEADS_PER_PAGE = 50
LINES_PER_PAGE = 200
FOUND_AT_MOST = 50
LANGUAGES = ("zh-hans", "en")
View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """A page for everybody: language from the address, never indexed, always revalidated, no cookie."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        chosen = request.GET.get("lang", "")
        language = chosen if chosen in LANGUAGES else translation.get_language() or LANGUAGES[0]
        with translation.override(language):
            response = view(request, *args, **kwargs)
        response["Content-Language"] = language
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        if request.method not in ("GET", "HEAD"):
            response["Cache-Control"] = "no-store"
            return response
        response["Cache-Control"] = "public, no-cache"
        if response.status_code != 200:
            return response
        etag = f'"{sha256(response.content).hexdigest()[:32]}"'
        response["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=response) or response

    return answer


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Rendered without the request, so that no template can touch a session or a cookie."""
    chosen = request.GET.get("lang", "")
    keep = f"lang={chosen}" if chosen in LANGUAGES else ""
    shell = {
        "keep": f"?{keep}" if keep else "",
        "lang": chosen if keep else "",
        "english": translation.get_language() == "en",
        "training_date": getattr(request, "training_date", None),
        "here": request.path,
    }
    return HttpResponse(render_to_string(template, shell | context), status=status)


def too_big(request: HttpRequest, limit_mb: int) -> HttpResponse:
    """What was sent is too big to be read."""
    return public(lambda asked: _page(asked, "public/too_big.html", {"limit_mb": limit_mb}, status=413))(request)


# ---------------------------------------------------------------- what is on notice


@require_safe
@public
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
        found = found.filter(programme=wanted["programme"])
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
            "versions": programmes.current(),
        },
    )


@csrf_exempt  # changes nothing, and a token would need a cookie
@require_http_methods(["GET", "HEAD", "POST"])
@public
def notice(request: HttpRequest, public_id: str) -> HttpResponse:
    """One notice: text, list, how to object; a name is looked for by POST, so that no address or log holds it."""
    found = _noticed(public_id)
    if not queries.is_current(found, clock.today()):
        return _gone(request, found)
    if request.method == "GET":
        counting.seen(found.pk)
    form = FindForm(request.POST if request.method == "POST" else None)
    hits = None
    if form.is_bound and form.is_valid():
        name = normalise_name(form.cleaned_data["name"])
        hits = paper.paper_of(found, list(queries.shown_as(found, name)[:FOUND_AT_MOST])) if name else None
    after = number(request.GET.get("after"))
    lines, following = paper.page_of(queries.listed(found), after, LINES_PER_PAGE)
    return _page(
        request,
        "public/notice.html",
        {
            "notice": found,
            "paper": paper.paper_of(found, lines, following),
            "after": after or "",
            "days_left": queries.working_days_left(found),
            "removed": queries.removed(found),
            "provable": proofs.is_provable(found),
            "whole": whole_pdf(found),
            "files": paper.files_of(found) if papers_available() else [],
            "form": form,
            "hits": hits,
            "reply_days": wording.REPLY_DAYS,
            "county": found.step == "county_notice",
        },
    )


def _noticed(public_id: str) -> Notice:
    """A notice that is or was public. Http404 for any other."""
    ever = queries.ever_public()
    return get_object_or_404(ever, public_id=public_id)


def _gone(request: HttpRequest, found: Notice) -> HttpResponse:
    """410: the period is over or the notice was voided; no name is shown, only totals of what concluded."""
    context = {
        "notice": found,
        "voided": found.state == "voided" or found.interrupted,
        "removed": queries.removed(found),
    }
    return _page(request, "public/gone.html", context, status=410)


@require_safe
@public
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
    return _page(request, "public/heads.html", {"heads": shown, "next": following, "key": key})


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
@public
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
    if part not in paper.files_of(found) or given != str(part):  # one address a paper, one paper in the cache
        raise Http404
    state = f"{public_id}:{part}:{queries.listed(found).count()}:{found.ends_on}:{found.provisional}"
    content = cache.get(state)
    if content is None:
        try:
            content = paper.pdf_of(found, part)
        except PaperUnavailable:
            raise Http404 from None
        cache.set(state, content, 600)
    return _pdf(content, f"notice-{public_id}-{part}.pdf")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response
