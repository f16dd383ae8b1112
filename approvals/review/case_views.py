"""The page of a case, its full record, its route."""

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from approvals.applications.actions.matching import WAIVES
from approvals.applications.forms import EvidenceForm
from approvals.applications.models import Application
from approvals.organisations.access import actor, may, prefixes
from approvals.review import actions, case_file, route
from approvals.review.desk import Desk, case_address, next_case, tier_name
from approvals.review.desk_acts import KINDS, ActForm, Kind
from approvals.review.forms import DecisionForm, PurposeForm
from approvals.review.standing import acted_sentence

FINANCE = ("make_batch", "check_batch", "approve_batch", "view_record")
"""Any of these opens the page of a batch."""


def visible(request: HttpRequest, case_id: int) -> Application:
    """The application, for everybody whose post lets him see cases at its office; for the others it isn't there."""
    application = case_file.application_of(case_id)
    if application is None or not may(request, "view_case", path=application.path):
        raise Http404("no_such_case")
    return application


@require_GET
@never_cache
@login_required
def case_page(request: HttpRequest, case_id: int) -> HttpResponse:
    """Where an application stands, what is known of it, who did what, and what the reader can do now."""
    return case_response(request, case_id)


def case_response(
    request: HttpRequest,
    case_id: int,
    *,
    bound: DecisionForm | None = None,
    purpose: PurposeForm | None = None,
    numbers: actions.FullRecord | None = None,
    act_form: ActForm | None = None,
    status: int = 200,
) -> HttpResponse:
    application = visible(request, case_id)
    values = request.GET if request.method == "GET" else QueryDict(request.POST.get("back", ""))
    desk = Desk(request, values)
    file = case_file.read(
        application,
        desk.by.key,
        lambda permission: may(request, permission, path=application.path),
        looks="looks" in request.GET,
        prefixes=prefixes(request, "view_case"),
    )
    actions.opened(case_id, desk.by, judges=file.panel.mine and not file.panel.barred)
    queued = desk.queued
    supplies = file.wanted is not None and may(request, "submit_application", path=application.path)
    return render(
        request,
        "review/case.html",
        {
            "file": file,
            "application": application,
            "student": application.student,
            "case": file.case,
            "panel": file.panel,
            "decisions": _decision_forms(file, desk.today, bound),
            "unsent": _unsent(file, bound),
            "purpose": purpose or PurposeForm(auto_id="purpose-%s"),
            "numbers": numbers,
            "family": case_file.family(numbers.circumstances) if numbers else [],
            "members": numbers.circumstances.get("members", []) if numbers else [],
            "tier": tier_name(application.version.rules, application.tier),
            "acted": acted_sentence(file.panel.acted),
            "acts": _acts(file, act_form),
            "kinds": KINDS,
            "paper_form": EvidenceForm(kinds=file.lacking, auto_id="paper-%s") if supplies and file.lacking else None,
            "supplies": supplies,
            "takes_away_from": file.wanted.asked_at if supplies and file.wanted else None,
            "looks": "looks" in request.GET,
            "may_waive": may(request, WAIVES, path=application.path),
            "sees_roster": may(request, "submit_application", path=application.path),
            "sees_batches": may(request, *FINANCE),
            "today": desk.today,
            "queued": queued,
            "back": values.urlencode() if queued else "",
            "queue_address": desk.here() if queued else "",
            "next": case_address(following, values)
            if queued and file.item and (following := next_case(desk, file.item.pk))
            else "",
        },
        status=status,
    )


def _decision_forms(file: case_file.CaseFile, today: date, bound: DecisionForm | None) -> list[dict[str, Any]]:
    """One form an outcome that the reader may take; the one that was sent with mistakes comes back filled in."""
    forms = []
    for choice in file.panel.choices:
        sent = bound if bound is not None and bound.act == choice.outcome else None
        form = sent or DecisionForm(outcome=choice.outcome, step=file.panel.step, today=today, passes=file.case.steps)
        forms.append({"choice": choice, "form": form, "open": sent is not None})
    return forms


def _unsent(file: case_file.CaseFile, bound: DecisionForm | None) -> str:
    """The words of a decision that was refused and can no longer be made: to be copied from the page."""
    if bound is None or not bound.is_valid() or bound.reason is None:
        return ""
    offered = {choice.outcome for choice in file.panel.choices}
    return "" if bound.act in offered else bound.reason.text


def _acts(file: case_file.CaseFile, sent: ActForm | None) -> list[ActForm | Kind]:
    """The acts open to the reader, as buttons; the one that was sent with mistakes comes back as its form."""
    kinds = [KINDS[name] for name in file.panel.acts]
    return [sent if sent is not None and sent.kind == kind else kind for kind in kinds]


@require_POST
@never_cache
@login_required
def unmask(request: HttpRequest, case_id: int) -> HttpResponse:
    """Shows the full record, once, after a purpose was given; who opened it stands on the record of acts."""
    visible(request, case_id)
    form = PurposeForm(request.POST, auto_id="purpose-%s")
    if not form.is_valid():
        return case_response(request, case_id, purpose=form, status=422)
    numbers = actions.unmask(case_id, actor(request), form.cleaned_data["purpose"], form.cleaned_data["text"])
    return case_response(request, case_id, numbers=numbers)


@require_GET
@never_cache
@login_required
def route_diagram(request: HttpRequest, case_id: int) -> HttpResponse:
    """The route of a case as a drawing, with the present step marked."""
    application = visible(request, case_id)
    drawing = route.drawing(application.case, case_file.open_step(case_id), case_file.records_of(case_id))
    context = {"drawing": drawing, "title": _("Route of the case")}
    return render(request, "review/route.svg", context, content_type="image/svg+xml")
