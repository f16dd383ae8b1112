"""Pages of single applications: the list, filling one in, its papers, and what a school does with many."""

import re
from typing import Any
from urllib.parse import quote

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.applications import actions, asking, entering, form_paper, queries
from approvals.applications.actions.submitting import EDITABLE
from approvals.applications.forms import EvidenceForm, SearchForm
from approvals.applications.missing import sentence as missing_sentence
from approvals.applications.models import LEVELS, Application
from approvals.applications.refusals import Refused
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.organisations.papers import PaperUnavailable
from approvals.organisations.queries import schools_under
from approvals.programmes.evidence import EVIDENCE
from workflows import Reason, clock

KEPT = ("school", "programme", "state", "name", "roster", "per")
"""What the list's address may hold, besides the cursor."""
PAPER_POLICY = {
    "default-src": [NONE],
    "object-src": [SELF],
    "style-src": ["'unsafe-inline'"],  # the browser's own PDF viewer
    "frame-ancestors": [SELF],
}
TOLD = 200
"""Refusals that an answer lists."""


# ---------------------------------------------------------------- the list


def _word(text: str) -> str:
    """A code as it may stand in an address; anything else names nothing there is."""
    return text if re.fullmatch(r"[a-z0-9_]{0,60}", text) else "-"


def _filters(values: QueryDict) -> queries.Filters:
    return queries.Filters(
        school=number(values.get("school", "")),
        programme=_word(values.get("programme", "")),
        state=_word(values.get("state", "")),
        name=values.get("name", "").strip(),
        roster=number(values.get("roster", "")),
    )


def _address(values: QueryDict, **changes: int | None) -> str:
    """The query of the list's address with its filters, and a cursor."""
    query = QueryDict(mutable=True)
    query.update({name: values.get(name, "") for name in KEPT if values.get(name)})
    query.update({name: str(value) for name, value in changes.items() if value})
    return f"?{query.urlencode()}"


@require_GET
@never_cache
@requires("view_case")
def application_list(request: HttpRequest) -> HttpResponse:
    """Where each pupil of the person's offices stands, newest first."""
    wanted = _filters(request.GET)
    offices = prefixes(request, "view_case")
    per = number(request.GET.get("per", ""))
    page = queries.page(
        offices,
        wanted,
        after=number(request.GET.get("after", "")),
        before=number(request.GET.get("before", "")),
        size=per if per in queries.SIZES else queries.SIZES[0],
    )
    choices = queries.choices(offices)
    return render(
        request,
        "applications/list.html",
        {
            "rows": [_row(request, each) for each in page.rows],
            "page": page,
            "capped": page.count > queries.COUNT_CAP,
            "cap": queries.COUNT_CAP,
            "wanted": wanted,
            "choices": choices,
            "sizes": queries.SIZES,
            "per": per,
            "previous": _address(request.GET, before=page.newer) if page.newer else "",
            "next": _address(request.GET, after=page.older) if page.older else "",
            "here": _address(
                request.GET, after=number(request.GET.get("after", "")), before=number(request.GET.get("before", ""))
            ),
            "submits": may(request, "submit_application"),
            "withdraws": may(request, "withdraw_application"),
            "cancels": may(request, "submit_application", "cancel_application"),
        },
    )


def _row(request: HttpRequest, application: Application) -> dict[str, Any]:
    case = application.case
    editable = case.state in EDITABLE and may(request, "submit_application", path=application.path)
    return {
        "application": application,
        "case": case,
        "level": dict(LEVELS).get(application.level, ""),
        "missing": [missing_sentence(code) for code in case.missing] if case.state in EDITABLE else [],
        "editable": editable,
    }


# ---------------------------------------------------------------- entering one


@require_http_methods(["GET", "POST"])
@never_cache
@requires("submit_application")
def new(request: HttpRequest) -> HttpResponse:
    """Fills in an application: first for whom and what for, then the form itself."""
    by, today = actor(request), clock.today()
    schools = list(schools_under(prefixes(request, "submit_application"), today))
    targets = {target.code: target for target in queries.targets(schools, today)}
    target = targets.get(request.GET.get("target", ""))
    if target is not None and "pupil" in request.GET:
        desk = entering.new_desk(request.GET, target, schools, prefixes(request, "submit_application"), today)
        if desk is None:
            raise Http404
        return _fill_in(request, desk, by)
    form = SearchForm(
        request.POST or None,
        initial={"target": request.GET.get("target")},
        targets=[(code, str(entering.target_name(each))) for code, each in targets.items()],
    )
    found = None
    if request.method == "POST" and form.is_valid():
        found = queries.search_pupils(prefixes(request, "submit_application"), form.cleaned_data["who"], today)
    context = {"form": form, "found": found, "schools": schools, "chosen": form.data.get("target", "")}
    return render(request, "applications/search.html", context | {"open": bool(targets)})


@require_http_methods(["GET", "POST"])
@never_cache
@requires("submit_application")
def edit(request: HttpRequest, case_id: int) -> HttpResponse:
    """Completes a draft, or corrects a returned application."""
    application = queries.application(prefixes(request, "submit_application"), case_id)
    if application is None:
        raise Http404("no_such_case")
    if application.case.state not in EDITABLE:
        messages.info(request, Refused("not_editable").message)
        return redirect("review:case", case_id)
    return _fill_in(request, entering.desk_of(application, clock.today()), actor(request))


def _fill_in(request: HttpRequest, desk: entering.Desk, by: Any) -> HttpResponse:
    """The form; what is right is kept as a draft, and submitted when asked for and complete."""
    desk.bind(request.POST if request.method == "POST" else None)
    if request.method == "POST" and desk.is_valid():
        try:
            case_id = desk.save(by)
        except Refused as refusal:
            desk.form.add_error(None, refusal.message)
        else:
            return _kept(request, case_id, by)
    return render(request, "applications/form.html", {"desk": desk, "form": desk.form, "who": desk.identity_form})


def _kept(request: HttpRequest, case_id: int, by: Any) -> HttpResponse:
    if request.POST.get("then") != "submit":
        messages.success(request, _("Saved. Nothing has been submitted yet."))
        return redirect("applications:edit", case_id)
    if queries.unchanged(prefixes(request, "submit_application"), [case_id]):
        return _ask_unchanged(request, [case_id], [case_id])
    answers = actions.submit([case_id], by)
    if answers and answers[0].ok:
        messages.success(request, _("Submitted. It now waits for the head of the school."))
        return redirect("review:case", case_id)
    messages.warning(request, _("Saved, but not submitted: %(why)s") % {"why": " ".join(_why(request, answers))})
    return redirect("applications:edit", case_id)


# ---------------------------------------------------------------- submitting, withdrawing, cancelling


@require_POST
@requires("submit_application")
def submit(request: HttpRequest) -> HttpResponse:
    """Submits the ticked applications, or all drafts of a roster."""
    roster = number(request.POST.get("roster", ""))
    offices = prefixes(request, "submit_application")
    cases = queries.drafts_of(offices, roster) if roster else _ticked(request)
    same = [] if "unchanged" in request.POST else queries.unchanged(offices, cases)
    if same:
        return _ask_unchanged(request, cases, same)
    answers = actions.submit(cases, actor(request))
    done = ngettext("%(count)d application was submitted.", "%(count)d applications were submitted.", _ok(answers))
    return _answer(request, answers, done)


def _ask_unchanged(request: HttpRequest, cases: list[int], same: list[int]) -> HttpResponse:
    """Asks once more before what was returned goes back as it was."""
    named = queries.named(prefixes(request, "submit_application"), same)
    context = {"cases": cases, "same": sorted(named.items()), "others": [case for case in cases if case not in named]}
    return render(request, "applications/unchanged.html", context | {"back": request.POST.get("back", "")})


@require_POST
@requires("withdraw_application")
def withdraw(request: HttpRequest) -> HttpResponse:
    """Takes applications back on the families' behalf; a reason may be given."""
    answers = actions.take_back(_ticked(request), "withdraw", actor(request), _reason(request, "withdraw"))
    done = ngettext("%(count)d application was withdrawn.", "%(count)d applications were withdrawn.", _ok(answers))
    return _answer(request, answers, done)


@require_POST
@requires("submit_application", "cancel_application")
def cancel(request: HttpRequest) -> HttpResponse:
    """Voids applications entered in error or twice, with a reason."""
    answers = actions.take_back(_ticked(request), "cancel", actor(request), _reason(request, "cancel"))
    done = ngettext("%(count)d application was cancelled.", "%(count)d applications were cancelled.", _ok(answers))
    return _answer(request, answers, done)


def _ticked(request: HttpRequest) -> list[int]:
    """The cases that a form names, of those the reader may see: an id that was made up says nothing."""
    cases = [number(value) for value in request.POST.getlist("case")]
    return queries.visible(prefixes(request, "view_case"), [case for case in cases if case is not None])


def _reason(request: HttpRequest, outcome: str) -> Reason | None:
    for name in (outcome, "reason"):
        code, text = request.POST.get(f"{name}_code", ""), request.POST.get(f"{name}_text", "").strip()
        if code:
            return Reason(code, text)
    return None


def _ok(answers: list[actions.Answer]) -> int:
    return sum(answer.ok for answer in answers)


def _answer(request: HttpRequest, answers: list[actions.Answer], done: str) -> HttpResponse:
    """How many went through; when some did not, which and why."""
    accepted, refused = _ok(answers), [answer for answer in answers if not answer.ok]
    back = _back(request)
    if not answers:
        messages.info(request, _("Nothing was ticked, or it has been dealt with already."))
    if accepted:
        messages.success(request, done % {"count": accepted})
    if not refused:
        return redirect(back)
    told = refused[:TOLD]
    named = queries.named(prefixes(request, "view_case"), (answer.case_id for answer in told))
    alike: dict[str, list[tuple[int, str]]] = {}
    for answer, why in zip(told, _why(request, told), strict=True):
        alike.setdefault(why, []).append((answer.case_id, named.get(answer.case_id, "")))
    reasons = sorted(alike.items(), key=lambda each: -len(each[1]))
    return render(
        request,
        "applications/answer.html",
        {
            "reasons": reasons,
            "count": len(refused),
            "more": len(refused) - len(told),
            "back": back,
            "written": next((text for name, text in request.POST.items() if name.endswith("_text") and text), ""),
        },
    )


def _why(request: HttpRequest, answers: list[actions.Answer]) -> list[str]:
    """The sentences of refusals; an incomplete application names what it lacks."""
    incomplete = [answer.case_id for answer in answers if answer.code == "incomplete"]
    lacking = queries.missing_of(prefixes(request, "view_case"), incomplete)
    return [
        " ".join(missing_sentence(code) for code in lacking.get(answer.case_id, ())) or answer.message
        for answer in answers
    ]


def _back(request: HttpRequest) -> str:
    """Where an answer leads: the list as it was, or the page of the one case it was about."""
    query = request.POST.get("back", "")
    cases = _ticked(request)
    if not query and len(cases) == 1:
        return reverse("review:case", args=cases)
    if roster := number(request.POST.get("roster", "")):
        return reverse("applications:roster", args=[roster])
    return reverse("applications:list") + (query if query.startswith("?") else "")


# ---------------------------------------------------------------- papers


@require_POST
@requires("submit_application")
def evidence_add(request: HttpRequest, case_id: int) -> HttpResponse:
    """Attaches a photo or PDF."""
    application = queries.application(prefixes(request, "submit_application"), case_id)
    if application is None:
        raise Http404("no_such_case")
    kinds = asking.kinds_taken(case_id, application.version.rules.evidence)
    form = EvidenceForm(request.POST, request.FILES, kinds=kinds)
    if form.is_valid():
        try:
            actions.add_evidence(case_id, form.cleaned_data["kind"], form.cleaned_data["file"], actor(request))
        except Refused as refusal:
            form.add_error("file", refusal.message)
        else:
            messages.success(request, _("Attached."))
            if application.case.state not in EDITABLE:
                return redirect("review:case", case_id)
            return redirect(_papers(case_id))
    if application.case.state not in EDITABLE:
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
        return redirect("review:case", case_id)
    desk = entering.desk_of(application, clock.today())
    desk.bind(None)
    desk.evidence_form = form
    return render(request, "applications/form.html", {"desk": desk, "form": desk.form, "who": desk.identity_form})


@require_POST
@requires("submit_application")
def evidence_remove(request: HttpRequest, case_id: int, evidence_id: int) -> HttpResponse:
    """Takes a paper away."""
    paper = queries.evidence(prefixes(request, "submit_application"), case_id, evidence_id)
    if paper is None:
        raise Http404
    try:
        actions.remove_evidence(evidence_id, actor(request))
        messages.success(request, _("Taken away."))
    except Refused as refusal:
        messages.error(request, refusal.message)
    if paper.application.case.state not in EDITABLE:
        return redirect("review:case", case_id)
    return redirect(_papers(case_id))


def _papers(case_id: int) -> str:
    return reverse("applications:edit", args=[case_id]) + "#papers"


@require_GET
@never_cache
@requires("view_case")
def evidence(request: HttpRequest, case_id: int, evidence_id: int) -> HttpResponse:
    """A paper, seen in the page."""
    paper = queries.evidence(prefixes(request, "view_case"), case_id, evidence_id)
    if paper is None:
        raise Http404
    return render(request, "applications/evidence.html", {"paper": paper, "kind": EVIDENCE.get(paper.kind, paper.kind)})


@require_GET
@never_cache
@csp(PAPER_POLICY)
@requires("view_case")
def evidence_file(request: HttpRequest, case_id: int, evidence_id: int) -> HttpResponse:
    """The paper itself; that it was opened stands on the record."""
    paper = queries.evidence(prefixes(request, "view_case"), case_id, evidence_id)
    if paper is None:
        raise Http404
    try:
        data = actions.open_evidence(paper, actor(request))
    except FileNotFoundError:
        raise Http404 from None
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{quote(paper.name)}"}
    return HttpResponse(data, content_type=paper.content_type, headers=headers)


@require_GET
@never_cache
@requires("view_case")
def form_pdf(request: HttpRequest, case_id: int) -> HttpResponse:
    """The application form as a PDF to be signed; without a Chinese font, a page that can be printed."""
    application = queries.application(prefixes(request, "view_case"), case_id)
    if application is None:
        raise Http404("no_such_case")
    with_family = actions.open_form(application, actor(request))
    paper = form_paper.compose(application, with_family, clock.today())
    try:
        pdf = form_paper.render(paper)
    except PaperUnavailable as unavailable:
        return render(request, "applications/form_page.html", {"paper": paper, "why": str(unavailable)})
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{quote(paper.filename)}"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
