"""The offices' pages: what waits, each objection with what was done about it, and the acts."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy as _p
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.notices.objections import actions, eligibility, history, queries, words
from approvals.notices.objections.forms import AcceptForm, DecideForm, NotAcceptForm, PurposeForm
from approvals.notices.objections.models import HANDLES, INVESTIGATES, OUTCOMES, TO_INVESTIGATE, Objection
from approvals.notices.refusals import Refused
from approvals.notices.steps import HEADINGS, NUMBER
from approvals.organisations.access import actor, may, number, prefixes, require, requires
from workflows import clock

READS = "view_record"
PAGE = 50
TABS = {
    "mine": _p("objections", "Waiting for me"),
    "office": _p("objections", "Open at my office and below"),
    "overdue": _p("objections", "Overdue"),
    "ended": _p("objections", "Closed"),
}

# ---------------------------------------------------------------- lists


@require_GET
@requires(HANDLES, INVESTIGATES, READS)
def objection_list(request: HttpRequest) -> HttpResponse:
    """What waits for this person, what is open and what is overdue at his offices."""
    person, today = actor(request).user.person, clock.today()
    over = prefixes(request, HANDLES, READS)
    found = {
        "mine": queries.mine(person) | queries.to_handle(prefixes(request, HANDLES)),
        "office": queries.open_below(over),
        "overdue": queries.overdue(queries.open_below(over), today),
        "ended": queries.ended_below(over),
    }
    shown = [tab for tab in TABS if tab == "mine" or over]
    view = request.GET.get("view", "")
    view = view if view in shown else "mine"
    start = number(request.GET.get("from")) or 0
    rows = list(found[view][start : start + PAGE + 1])
    return render(
        request,
        "notices/objections/list.html",
        {
            "tabs": [_tab(tab, view, found) for tab in shown],
            "objections": rows[:PAGE],
            "today": today,
            "first": f"?view={view}" if start else "",
            "next": f"?view={view}&from={start + PAGE}" if len(rows) > PAGE else "",
        },
    )


def _tab(tab: str, view: str, found: dict[str, Any]) -> dict[str, Any]:
    counted = found[tab].count() if tab != "ended" else ""
    return {"url": f"?view={tab}", "label": TABS[tab], "count": counted or "", "current": tab == view}


# ---------------------------------------------------------------- one objection


@require_GET
@requires(HANDLES, INVESTIGATES, READS)
@never_cache
def detail(request: HttpRequest, objection_id: int) -> HttpResponse:
    """One objection: what it is about, what was said for who may read it, what was done, what this person can do."""
    return _detail(request, _seen(request, objection_id))


def _seen(request: HttpRequest, objection_id: int) -> Objection:
    """An objection that this person may see: of an office where he handles them, named to him, or for the record."""
    objection = queries.one(objection_id)
    if objection is None:
        raise Http404
    if not may(request, HANDLES, READS, path=objection.path):
        require(request, INVESTIGATES, path=objection.path)
        if not queries.looked_into_by(objection, actor(request).user.person):
            raise PermissionDenied
    return objection


def _detail(request: HttpRequest, objection: Objection, status: int = 200, **given: Any) -> HttpResponse:
    can = _can(request, objection)
    line, notice = objection.line, objection.notice
    columns = [heading for heading in notice.columns if heading != NUMBER]
    shown = [(HEADINGS[heading], line.shown.get(heading, "")) for heading in columns] if line else []
    context = {
        "objection": objection,
        "notice": notice,
        "shown": shown,
        "can": can,
        "reads": can["handle"] or can["investigate"],
        "sees_case": line is not None and may(request, "view_case", path=notice.path),
        "sees_notice": may(request, "view_case", path=notice.path),
        "overdue": objection.due_on is not None and objection.due_on < clock.today(),
        "lines": history.timeline(objection),
        "rulings": objection.rulings.select_related("by").order_by("round"),
        "candidates": eligibility.candidates(objection) if can["assign"] else [],
        "outcomes": OUTCOMES,
    }
    if can["accept"]:
        context["accept_form"] = AcceptForm(eligibility.staff_of(objection))
        context["refuse_form"] = NotAcceptForm()
    if can["unseal"]:
        context["purpose_form"] = PurposeForm()
    return render(request, "notices/objections/detail.html", context | given, status=status)


def _can(request: HttpRequest, objection: Objection) -> dict[str, bool]:
    """What this person may do with it as it stands; each act asks again when it is executed."""
    handles = may(request, HANDLES, path=objection.path)
    his = objection.investigator_person == actor(request).user.person
    investigates = his and may(request, INVESTIGATES, path=objection.path)
    looking = investigates and objection.state in TO_INVESTIGATE
    return {
        "handle": handles,
        "investigate": investigates,
        "accept": handles and objection.state == "received",
        "refer": handles and objection.state in ("received", "accepted", "investigating") and not objection.at_county,
        "assign": handles and objection.state in ("accepted", "appealed", *TO_INVESTIGATE),
        "unseal": looking and objection.named,
        "paper": looking and queries.has_paper(objection),
        "decide": looking,
    }  # fmt: skip


# ---------------------------------------------------------------- acts


@require_POST
@requires(HANDLES)
def accept(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Takes it up; whom it complains of is noted."""
    objection = _seen(request, objection_id)
    form = AcceptForm(eligibility.staff_of(objection), request.POST)
    if not form.is_valid():
        return _detail(request, objection, 422, accept_form=form)
    return _act(request, objection, lambda by: actions.accept(objection_id, by, form.people), _("Accepted."))


@require_POST
@requires(HANDLES)
def not_accept(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Says why it is not looked into."""
    objection = _seen(request, objection_id)
    form = NotAcceptForm(request.POST)
    if not form.is_valid():
        return _detail(request, objection, 422, refuse_form=form)
    return _act(
        request, objection, lambda by: actions.not_accept(objection_id, by, form.reason),
        _("Not accepted; its author can read why."), refuse_form=form,
    )  # fmt: skip


@require_POST
@requires(HANDLES)
def refer(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Gives it to the county."""
    objection = _seen(request, objection_id)
    return _act(request, objection, lambda by: actions.refer(objection_id, by), _("The county handles it now."))


@require_POST
@requires(HANDLES)
def assign(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Names who looks into it."""
    objection, user = _seen(request, objection_id), number(request.POST.get("user"))
    done = _("Named. The person has been told.")
    return _act(request, objection, lambda by: actions.assign(objection_id, user or 0, by), done)


@require_http_methods(["GET", "POST"])
@requires(INVESTIGATES)
@never_cache
def decide(request: HttpRequest, objection_id: int) -> HttpResponse:
    """The decision and the reply; `?outcome=` brings the words to start from."""
    objection = _seen(request, objection_id)
    if not _can(request, objection)["decide"]:
        messages.error(request, str(Refused("not_investigator")))
        return redirect("objections:detail", objection_id)
    chosen = request.GET.get("outcome", "")
    if request.method == "POST":
        form = DecideForm(request.POST)
        if form.is_valid():
            try:
                actions.decide(objection_id, actor(request), form.cleaned_data["outcome"], form.cleaned_data["reply"])
            except Refused as refused:
                form.add_error("reply" if refused.code.startswith("reply_") else None, str(refused))
            else:
                messages.success(request, _("Decided. The reply can be read by receipt number now."))
                return redirect("objections:detail", objection_id)
    elif chosen in dict(OUTCOMES):
        form = DecideForm(initial={"outcome": chosen, "reply": _template(objection, chosen)})
    else:
        form = DecideForm()
    context = {"objection": objection, "notice": objection.notice, "form": form, "outcomes": OUTCOMES, "chosen": chosen,
               "final": objection.state == "rechecking"}  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "notices/objections/decide.html", context, status=status)


def _template(objection: Objection, outcome: str) -> str:
    line = objection.line.number if objection.line else None
    final = objection.state == "rechecking"
    return words.template(outcome, words.about(line), objection.limits["appeal_days"], final, line is None)


@require_POST
@requires(INVESTIGATES)
@never_cache
def unseal(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Who objected, for a purpose; the page is kept by nothing."""
    objection = _seen(request, objection_id)
    form = PurposeForm(request.POST)
    if not form.is_valid():
        return _detail(request, objection, 422, purpose_form=form)
    try:
        identity = actions.unseal(objection_id, actor(request), form.cleaned_data["purpose"])
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("objections:detail", objection_id)
    return _detail(request, objection, identity=identity)


@require_POST
@requires(INVESTIGATES)
@never_cache
def paper(request: HttpRequest, objection_id: int) -> HttpResponse:
    """The paper that was added, for a purpose."""
    objection = _seen(request, objection_id)
    form = PurposeForm(request.POST)
    if not form.is_valid():
        return _detail(request, objection, 422, purpose_form=form)
    try:
        data, content_type = actions.open_paper(objection_id, actor(request), form.cleaned_data["purpose"])
    except (Refused, FileNotFoundError) as refused:
        messages.error(request, str(refused) if isinstance(refused, Refused) else _("The file is not there any more."))
        return redirect("objections:detail", objection_id)
    ending = "pdf" if content_type == "application/pdf" else "jpg"
    name = f"objection-{objection_id}.{ending}"
    return HttpResponse(
        data, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _act(
    request: HttpRequest, objection: Objection, act: Callable[[Any], Objection], done: str, **given: Any
) -> HttpResponse:
    """Does it and says so; what is refused is said, with what was typed still there."""
    try:
        act(actor(request))
    except Refused as refused:
        messages.error(request, str(refused))
        if given:
            return _detail(request, objection, 422, **given)
        return redirect("objections:detail", objection.pk)
    messages.success(request, done)
    try:
        _seen(request, objection.pk)
    except PermissionDenied:  # it went to the county
        return redirect("objections:list")
    return redirect("objections:detail", objection.pk)
