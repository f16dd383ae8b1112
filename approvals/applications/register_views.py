"""Pages of the data match: the lists of other offices, matching a term again, hits, and waiving one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.applications import register_queries as queries
from approvals.applications.actions import match_runs
from approvals.applications.actions import registers as actions
from approvals.applications.actions.matching import WAIVES, waive_hit
from approvals.applications.models import Hit
from approvals.applications.refusals import Refused
from approvals.applications.register_forms import ListForm, WaiveForm
from approvals.applications.rosters import RosterUnreadable
from approvals.applications.sources import registry
from approvals.applications.sources.base import Kind
from approvals.applications.sources.doubts import doubts
from approvals.applications.sources.lists import empty_list
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.organisations.tables import XLSX
from approvals.programmes.terms import Term, UnknownTerm
from workflows.clock import today
from workflows.reasons import Reason

SEES = (actions.PERMISSION, match_runs.PERMISSION, WAIVES, "view_record")
"""Any of these opens the pages; lists are shown by their counts, never by whom they name."""
PAGE = 50


@require_GET
@requires(*SEES)
def registers(request: HttpRequest) -> HttpResponse:
    """Every kind of list with its date, origin and age; what waits to be looked at; the last matches."""
    on = today()
    return render(
        request,
        "applications/registers.html",
        {
            "sources": queries.sources(on),
            "under_way": queries.under_way(),
            "runs": queries.runs(),
            "terms": queries.terms(on),
            "may_load": may(request, actions.PERMISSION),
            "may_match": may(request, match_runs.PERMISSION),
        },
    )


def _kind(code: str) -> Kind:
    try:
        return actions.kind_named(code)
    except Refused as refusal:
        raise Http404 from refusal


@require_GET
@requires(*SEES)
def kind(request: HttpRequest, code: str) -> HttpResponse:
    """One kind: what it finds, which columns its list needs, and every list there was."""
    context = {
        "kind": _kind(code),
        "lists": queries.history(code),
        "weights": queries.WEIGHTS,
        "may_load": may(request, actions.PERMISSION),
    }
    return render(request, "applications/register_kind.html", context)


@require_GET
@requires(*SEES)
def list_template(request: HttpRequest, code: str) -> HttpResponse:
    """An empty list of a kind, with its headings and one example row."""
    chosen = _kind(code)
    content = empty_list("名册", chosen.columns)
    headers = {"Content-Disposition": f'attachment; filename="{code}.xlsx"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=XLSX, headers=headers)


@require_http_methods(["GET", "POST"])
@requires(actions.PERMISSION)
def list_upload(request: HttpRequest) -> HttpResponse:
    """Uploads a list; it is read in the background and shown before anything is taken over."""
    form = ListForm(
        request.POST or None, request.FILES or None, today=today(), initial={"kind": request.GET.get("kind", "")}
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        file = data["file"]
        try:
            kept = actions.upload(file.read(), file.name, data["kind"], data["origin"], data["as_of"], actor(request))
        except (Refused, RosterUnreadable) as refusal:
            form.add_error("as_of" if refusal.code in ("date_ahead", "date_too_old") else "file", refusal.message)
        else:
            return redirect("applications:register_list", kept.pk)
    return render(request, "applications/list_upload.html", {"form": form})


@require_GET
@requires(*SEES)
def register_list(request: HttpRequest, list_id: int) -> HttpResponse:
    """One list: its progress, what was understood of it, what refuses rows, and what can be done now."""
    shown = queries.register_list(list_id)
    if shown is None or (chosen := registry.kind_of(shown.kind)) is None:
        raise Http404
    language = "en" if get_language() == "en" else "zh-hans"
    working = shown.state in actions.WORKING
    present = queries.present_date(shown.kind)
    context: dict[str, Any] = {
        "register": shown,
        "kind": chosen,
        "working": working,
        "state_name": queries.STATES.get(shown.state, shown.state),
        "notes": shown.understood.get("notes", {}).get(language, []),
        "categories": [(chosen.category_name(each), n) for each, n in shown.understood.get("categories", {}).items()],
        "problems": queries.problems(shown, language),
        "older_than": present if present and present > shown.as_of and shown.state == "previewed" else None,
        "replaces": present if present and present <= shown.as_of and shown.state == "previewed" else None,
        "doubts": doubts(shown) if shown.state == "previewed" else [],
        "tried_in_vain": actions.TRIED_IN_VAIN,
        "may_load": may(request, actions.PERMISSION),
    }
    htmx = bool(request.htmx)  # type: ignore[attr-defined]
    response = render(
        request, "applications/list_progress.html" if htmx and working else "applications/register_list.html", context
    )
    if htmx and not working:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requires(actions.PERMISSION)
def list_confirm(request: HttpRequest, list_id: int) -> HttpResponse:
    """Takes a list over in the background."""
    return _act(request, list_id, lambda: actions.confirm(list_id, actor(request), "despite" in request.POST), "")


@require_POST
@requires(actions.PERMISSION)
def list_discard(request: HttpRequest, list_id: int) -> HttpResponse:
    """Throws an uploaded file away."""
    return _act(request, list_id, lambda: actions.discard(list_id, actor(request)), _("The file was thrown away."))


@require_POST
@requires(actions.PERMISSION)
def list_withdraw(request: HttpRequest, list_id: int) -> HttpResponse:
    """Takes back a list that should not have been loaded."""
    text = request.POST.get("reason", "")
    said = _("The list was withdrawn. Match the terms again that were matched against it.")
    return _act(request, list_id, lambda: actions.withdraw(list_id, actor(request), text), said)


def _act(request: HttpRequest, list_id: int, act: Any, said: str) -> HttpResponse:
    if queries.register_list(list_id) is None:
        raise Http404
    try:
        act()
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        if said:
            messages.success(request, said)
    return redirect("applications:register_list", list_id)


# ---------------------------------------------------------------- matching a term


@require_POST
@requires(match_runs.PERMISSION)
def match_term(request: HttpRequest) -> HttpResponse:
    """Has all applications of a term matched again, in the background."""
    try:
        run, made = match_runs.ask(request.POST.get("term", ""), actor(request))
    except UnknownTerm as unknown:
        messages.error(request, unknown.message)
        return redirect("applications:registers")
    if not made:
        messages.info(request, _("This term is being matched already."))
    return redirect("applications:match_run", run.pk)


@require_GET
@requires(*SEES)
def match_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a match is; when it is done, what was found, by code and by where the cases stand."""
    run = queries.run(run_id)
    if run is None:
        raise Http404
    working, htmx = run.state == "waiting", bool(request.htmx)  # type: ignore[attr-defined]
    context = {
        "run": run,
        "working": working,
        "state_name": queries.RUN_STATES[run.state],
        "lines": queries.lines(run),
        "lists": [(registry.kind_of(each.kind), each) for each in queries.lists_of(run)],
        "standing": [] if working else queries.standing(run.term),
        "changed": queries.lists_changed(run),
        "weights": queries.WEIGHTS,
        "may_match": may(request, match_runs.PERMISSION),
    }
    template = "applications/match_run_progress.html" if htmx and working else "applications/match_run.html"
    response = render(request, template, context)
    if htmx and not working:
        response["HX-Refresh"] = "true"
    return response


@require_GET
@never_cache
@requires(*SEES)
def hits(request: HttpRequest) -> HttpResponse:
    """The hits of a term that must still be waived, or all of them, by code and by state."""
    try:
        term = Term.of(request.GET.get("term") or Term.on(today()).code)
    except UnknownTerm as unknown:
        raise Http404 from unknown
    wanted = queries.Wanted(term.code, request.GET.get("code", ""), request.GET.get("state", ""), "all" in request.GET)
    found = queries.hits(prefixes(request, "view_case"), wanted)
    if (after := number(request.GET.get("after"))) is not None:
        found = found.filter(pk__gt=after)
    rows = list(found[: PAGE + 1])
    following = ""
    if len(rows) > PAGE:
        values = QueryDict(mutable=True)
        values.update({**request.GET.dict(), "term": term.code, "after": str(rows[PAGE - 1].pk)})
        following = f"?{values.urlencode()}"
    codes = [(code, says.title) for each in registry.kinds() for code, says in each.says.items()]
    return render(
        request,
        "applications/hits.html",
        {
            "hits": rows[:PAGE],
            "next": following,
            "wanted": wanted,
            "term": term,
            "terms": queries.terms(today()),
            "codes": codes,
            "weights": queries.WEIGHTS,
        },
    )


# ---------------------------------------------------------------- waiving one


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def waive(request: HttpRequest, case_id: int, hit_id: int) -> HttpResponse:
    """Waives one hit of a case with a reason of its own; for who may re-check the case."""
    hit = Hit.objects.select_related("application__student", "list").filter(pk=hit_id, application=case_id).first()
    if hit is None or not may(request, "view_case", path=hit.application.path):
        raise Http404
    if not may(request, WAIVES, path=hit.application.path):
        raise PermissionDenied
    form = WaiveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            waive_hit(hit.pk, actor(request), Reason(data["reason_code"], data["reason_text"]))
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, _("The hit is waived."))
            return redirect("review:case", case_id)
    return render(request, "applications/waive_hit.html", {"form": form, "hit": hit, "application": hit.application})
