"""The versions of a route side by side, and each as a drawing or a BPMN model."""

from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from viewflow.workflow import chart
from viewflow.workflow.fields import get_flow_ref

from approvals.organisations.access import requires
from workflows.models import Case
from workflows.nodes import Step
from workflows.versions import name_of, route_named, steps_of, versions_of

WRITERS = {
    "svg": (chart.grid_to_svg, "image/svg+xml"),
    "bpmn": (chart.grid_to_bpmn, "application/xml"),
}
KIND = "aid"


@require_GET
@requires("view_case", "manage_posts")
def routes(request: HttpRequest) -> HttpResponse:
    """Every version of the aid route, step by step; what differs from the version before is marked."""
    versions = versions_of(KIND)
    rows = []
    for name in steps_of(KIND):
        cells = [_cell(flow, name) for flow in versions]
        rows.append({"step": name, "cells": cells, "differs": any(cell != cells[0] for cell in cells)})
    context = {"kind": KIND, "versions": _heads(versions), "rows": rows}
    return render(request, "review/routes.html", context)


def _heads(versions: list[Any]) -> list[dict[str, Any]]:
    """The versions with how many cases are open on each."""
    refs = {get_flow_ref(flow): flow.version for flow in versions}
    counts: dict[int, int] = {}
    for flow, count in Case.objects.filter(finished=None, kind=KIND).values_list("flow_class").annotate(Count("pk")):
        ref = flow if isinstance(flow, str) else get_flow_ref(flow)
        counts[refs.get(ref, 0)] = count
    return [{"name": name_of(flow), "version": flow.version, "open": counts.get(flow.version, 0)} for flow in versions]


def _cell(flow: Any, name: str) -> dict[str, Any] | None:
    """What a version says of a step: where each outcome leads, under which permission; None if it has no such step."""
    step = flow.instance.node(name, no_obsolete=True)
    if not isinstance(step, Step):
        return None
    ways = [
        {
            "outcome": way.name,
            "to": way.target if isinstance(way.target, str) else way.target.name,
            "permission": "" if way.permission == step.permission else way.permission,
        }
        for way in step.outcomes.values()
        if way.name not in ("withdraw", "cancel")
    ]
    return {"permission": step.permission, "optional": step.optional, "ways": ways}


@require_GET
@requires("view_case", "manage_posts")
def route_file(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """A version of a route as SVG or BPMN 2.0."""
    try:
        flow = route_named(name)
    except LookupError:
        raise Http404 from None
    if form not in WRITERS:
        raise Http404
    writer, content_type = WRITERS[form]
    response = HttpResponse(writer(chart.calc_layout_data(flow)), content_type=content_type)
    if form == "bpmn":
        response["Content-Disposition"] = f'attachment; filename="{name}.bpmn"'
    return response
