"""Awards: where each pupil's entitlement stands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals.awards import queries
from approvals.awards.models import STATES
from approvals.organisations.access import number, prefixes, requires

PAGE = 50


@require_GET
@requires("view_case")
def award_list(request: HttpRequest) -> HttpResponse:
    """Awards of the person's offices, by programme, state and name, newest first."""
    wanted = {key: request.GET.get(key, "").strip() for key in ("programme", "state", "name")}
    awards = queries.awards_below(prefixes(request, "view_case"))
    if wanted["programme"]:
        awards = awards.filter(programme=wanted["programme"])
    if wanted["state"]:
        awards = awards.filter(state=wanted["state"])
    if wanted["name"]:
        awards = awards.filter(student__name__startswith=wanted["name"])
    if (after := number(request.GET.get("after"))) is not None:
        awards = awards.filter(pk__lt=after)
    rows = list(awards[: PAGE + 1])
    following = request.GET.copy()
    if len(rows) > PAGE:
        following["after"] = str(rows[PAGE - 1].pk)
    return render(
        request,
        "awards/list.html",
        {
            "awards": rows[:PAGE],
            "next": f"?{following.urlencode()}" if len(rows) > PAGE else "",
            "wanted": wanted,
            "states": STATES,
            "programmes": queries.programmes_awarded(),
        },
    )
