"""Roster pages: upload, what was understood, take over, and the sheet back with its errors."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.applications import roster_queries as queries
from approvals.applications.actions import rosters as actions
from approvals.applications.actions.submitting import confirm_papers
from approvals.applications.importing import judge, target_of
from approvals.applications.meant import is_mismatch
from approvals.applications.models import Roster
from approvals.applications.refusals import Refused
from approvals.applications.roster_forms import (
    ALL_OR_NOTHING,
    ConfirmForm,
    UploadForm,
    open_now,
    split_target,
    targets_today,
)
from approvals.applications.rosters import RosterUnreadable, blank_template, error_workbook
from approvals.organisations.access import actor, number, prefixes, requires
from approvals.organisations.queries import schools_under
from approvals.organisations.tables import XLSX
from approvals.programmes.terms import Term
from workflows.clock import today

PAGE = 50
PROBLEMS = 200
"""Rows in error that the preview lists; the error sheet has them all."""


@require_GET
@requires("submit_application")
def roster_list(request: HttpRequest) -> HttpResponse:
    """The rosters of the person's schools, newest first."""
    rosters = queries.rosters_of(prefixes(request, "submit_application"))
    if (before := number(request.GET.get("before"))) is not None:
        rosters = rosters.filter(pk__lt=before)
    rows = list(rosters[: PAGE + 1])
    names = queries.target_names()
    return render(
        request,
        "applications/roster_list.html",
        {
            "rosters": [(roster, names.get(roster.programme, roster.programme)) for roster in rows[:PAGE]],
            "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        },
    )


@require_http_methods(["GET", "POST"])
@requires("submit_application")
def roster_upload(request: HttpRequest) -> HttpResponse:
    """Uploads a roster; it is read in the background while the page shows how far it has come."""
    schools = schools_under(prefixes(request, "submit_application"), today())
    form = UploadForm(request.POST or None, request.FILES or None, schools=schools)
    if request.method == "POST" and form.is_valid():
        programme, term = form.cleaned_data["target"]
        file = form.cleaned_data["file"]
        try:
            roster = actions.upload(
                file.read(), file.name, form.cleaned_data["school"], programme, term, actor(request)
            )
        except (Refused, RosterUnreadable) as refusal:
            form.add_error("file", refusal.message)
        else:
            return redirect("applications:roster", roster.pk)
    return render(request, "applications/roster_upload.html", {"form": form})


def _visible(request: HttpRequest, roster_id: int) -> Roster:
    roster = queries.roster(prefixes(request, "submit_application"), roster_id)
    if roster is None:
        raise Http404
    return roster


@require_GET
@requires("submit_application")
def roster(request: HttpRequest, roster_id: int) -> HttpResponse:
    """A roster: its progress, what was understood, every problem, and what can be done now."""
    shown = _visible(request, roster_id)
    language = "en" if get_language() == "en" else "zh-hans"
    problems = queries.problems(shown, language)
    refused = [problem for problem in problems if problem["refused"]]
    offered = dict(targets_today([shown.school])) if shown.state == "previewed" else {}
    meant = shown.understood.get("meant") if shown.state == "previewed" else None
    listed = [row for row in refused if not is_mismatch(row)] if meant else refused
    warned = [problem for problem in problems if not problem["refused"]]
    context: dict[str, Any] = {
        "roster": shown,
        "target": queries.target_names().get(shown.programme, shown.programme),
        "working": shown.state in actions.WORKING,
        "understood": shown.understood,
        "notes": shown.understood.get("notes", {}).get(language, []),
        "passed_over": queries.passed_over(shown),
        "findings": queries.finding_sentences(shown, language),
        "refused": listed[:PROBLEMS],
        "listed_count": len(listed),
        "refused_count": len(refused),
        "warned": warned[:PROBLEMS],
        "warned_count": len(warned),
        "has_sheet": shown.has_file and shown.state in ("previewed", "imported"),
        "kept_until": queries.kept_until(shown),
        "tried_in_vain": actions.TRIED_IN_VAIN,
        "form": ConfirmForm(),
        "meant": meant,
        "meant_name": offered.get(meant["target"], "") if meant else "",
        "others": [each for each in offered.items() if split_target(each[0]) != (shown.programme, shown.term)],
        "state_name": queries.state_name(shown),
        "open_now": open_now(shown.school) if meant and not meant["target"] else [],
        "term_open": bool(meant) and any(split_target(each)[1] == meant["term"] for each in offered),
        "drafts": queries.drafts_of(shown) if shown.state == "imported" else 0,
        "papers": queries.papers_held(shown) if shown.state == "imported" else [],
    }
    template = (
        "applications/roster_progress.html" if request.htmx and context["working"] else "applications/roster.html"
    )  # type: ignore[attr-defined]
    response = render(request, template, context)
    if request.htmx and not context["working"]:  # type: ignore[attr-defined]
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requires("submit_application")
def roster_retarget(request: HttpRequest, roster_id: int) -> HttpResponse:
    """Has the same file checked for another programme or term."""
    _visible(request, roster_id)
    try:
        actions.retarget(roster_id, *split_target(request.POST.get("target", "")), actor(request))
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("applications:roster", roster_id)


@require_POST
@requires("submit_application")
def roster_confirm(request: HttpRequest, roster_id: int) -> HttpResponse:
    """Takes the roster over in the background."""
    _visible(request, roster_id)
    form = ConfirmForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            actions.confirm(
                roster_id, data["mode"] == ALL_OR_NOTHING, data["commitment_held"], data["consent_held"], actor(request)
            )
        except Refused as refusal:
            messages.error(request, refusal.message)
    return redirect("applications:roster", roster_id)


@require_POST
@requires("submit_application")
def roster_papers(request: HttpRequest, roster_id: int) -> HttpResponse:
    """Notes for an imported list which signed papers are held."""
    _visible(request, roster_id)
    held = ("commitment_held" in request.POST, "consent_held" in request.POST)
    try:
        count = confirm_papers(roster_id, *held, actor(request))
        messages.success(request, _("Noted for %(count)s drafts.") % {"count": count})
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("applications:roster", roster_id)


@require_POST
@requires("submit_application")
def roster_discard(request: HttpRequest, roster_id: int) -> HttpResponse:
    """Throws an uploaded file away."""
    _visible(request, roster_id)
    try:
        actions.discard(roster_id, actor(request))
        messages.success(request, _("The roster was thrown away."))
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("applications:roster", roster_id)
    return redirect("applications:roster_list")


@require_GET
@requires("submit_application")
def roster_errors(request: HttpRequest, roster_id: int) -> HttpResponse:
    """The school's own sheet with a column 错误原因."""
    shown = _visible(request, roster_id)
    kept = Roster.objects.get(pk=shown.pk)
    if kept.content is None:
        raise Http404
    content = actions.content_of(kept)
    try:
        target = target_of(kept.school, kept.programme, kept.term, to_apply=False)
        judgement = judge(content, kept.filename, target, ignore_roster=kept.pk)
    except (Refused, RosterUnreadable) as refusal:
        messages.error(request, refusal.message)
        return redirect("applications:roster", roster_id)
    sheet = error_workbook(judgement.table, judgement.refused, content, "refused" in request.GET)
    return _workbook(sheet, f"{kept.pk}-errors.xlsx")


@require_GET
@requires("submit_application")
def roster_template(request: HttpRequest) -> HttpResponse:
    """A blank roster to fill in, for what can be applied for today."""
    schools = list(schools_under(prefixes(request, "submit_application"), today())[:2])
    names = queries.project_names_today()
    term = Term.on(today()).name()
    sheet = blank_template(
        names[0] if len(names) == 1 else _("Student aid"),
        school_name=schools[0].name if len(schools) == 1 else "",
        term_name=term,
        programme_names=names,
    )
    return _workbook(sheet, "roster-template.xlsx")


def _workbook(content: bytes, filename: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=XLSX, headers=headers)
