"""学籍变动: recorded one by one, or from a list that is looked at first."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.applications.rosters import RosterUnreadable
from approvals.applications.sources.lists import empty_list
from approvals.awards import actions, queries
from approvals.awards.actions.common import PROPOSES
from approvals.awards.actions.events import pupils_with
from approvals.awards.event_lists import COLUMNS
from approvals.awards.forms import EventForm, ListForm
from approvals.awards.models import EventList
from approvals.awards.reasons import EVENTS
from approvals.awards.refusals import Refused
from approvals.awards.views import PAGE, SEES
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.organisations.queries import county, schools_under
from approvals.organisations.tables import XLSX
from approvals.people.crypto import blind_index
from workflows.clock import today


@require_GET
@requires(SEES)
def events(request: HttpRequest) -> HttpResponse:
    """Changes of enrolment at the person's offices, the latest first, and the lists uploaded last."""
    offices = prefixes(request, SEES)
    rows = queries.events_below(offices)
    kind = request.GET.get("kind", "")
    if kind:
        rows = rows.filter(kind=kind)
    if (before := number(request.GET.get("before"))) is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    following = request.GET.copy()
    if len(found) > PAGE:
        following["before"] = str(found[PAGE - 1].pk)
    return render(
        request,
        "awards/events.html",
        {
            "rows": found[:PAGE],
            "next": f"?{following.urlencode()}" if len(found) > PAGE else "",
            "kind": kind,
            "kinds": EVENTS,
            "lists": queries.lists_below(offices)[:10],
            "records": may(request, PROPOSES),
        },
    )


@require_http_methods(["GET", "POST"])
@requires(PROPOSES)
def record(request: HttpRequest) -> HttpResponse:
    """Records one change."""
    mine = schools_under(prefixes(request, PROPOSES), today())
    form = EventForm(
        request.POST or None,
        schools=mine,
        others=schools_under([county().path], today()),
        on=today(),
        initial={"day": today(), "school": mine.first()},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        student = pupils_with([blind_index(data["id_number"])]).get(blind_index(data["id_number"]))
        try:
            if student is None:
                raise Refused("unknown_pupil")
            goal = form.goal() if data["kind"] == "transfer" else actions.Goal()
            change = actions.Change(student, data["kind"], data["day"], data["remark"].strip(), goal)
            found = actions.record_event(change, data["school"], actor(request))
        except Refused as refusal:
            form.add_error(FIELDS.get(refusal.code), str(refusal))
        else:
            _told(request, found)
            return redirect("awards:events")
    return render(request, "awards/record.html", {"form": form}, status=422 if form.errors else 200)


FIELDS = {
    "unknown_pupil": "id_number", "not_of_school": "id_number", "date_ahead": "day", "date_too_old": "day",
    "goal_missing": "to_school", "same_school": "to_school",
}  # fmt: skip
"""Where a refusal belongs on the form."""


def _told(request: HttpRequest, found: actions.Recorded) -> None:
    messages.success(
        request,
        _("Recorded: %(events)s changes that were new; %(proposals)s changes of awards wait to be decided.")
        % {"events": found.events, "proposals": found.proposals},
    )


@require_http_methods(["GET", "POST"])
@requires(PROPOSES)
def upload(request: HttpRequest) -> HttpResponse:
    """Uploads a list; it is shown before anything is recorded."""
    mine = schools_under(prefixes(request, PROPOSES), today())
    form = ListForm(request.POST or None, request.FILES or None, schools=mine, initial={"school": mine.first()})
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = actions.upload(file.read(), file.name, form.cleaned_data["school"], actor(request))
        except (Refused, RosterUnreadable) as refusal:
            form.add_error("file", refusal.message)
        else:
            return redirect("awards:event_list", kept.pk)
    return render(request, "awards/upload.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@requires(PROPOSES)
def template(request: HttpRequest) -> HttpResponse:
    """An empty list with its headings and one example row."""
    content = empty_list("学籍异动", COLUMNS)
    headers = {"Content-Disposition": 'attachment; filename="enrolment-changes.xlsx"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=XLSX, headers=headers)


def _list(request: HttpRequest, list_id: int) -> EventList:
    kept = queries.lists_below(prefixes(request, SEES)).filter(pk=list_id).first()
    if kept is None:
        raise Http404
    return kept


@require_GET
@requires(SEES)
def event_list(request: HttpRequest, list_id: int) -> HttpResponse:
    """One list: what it holds, which rows cannot be taken and why, and what can be done with it."""
    kept = _list(request, list_id)
    language = "en" if get_language() == "en" else "zh-hans"
    names = dict(EVENTS)
    return render(
        request,
        "awards/event_list.html",
        {
            "list": kept,
            "counts": [(names.get(kind, kind), count) for kind, count in kept.counts.items()],
            "problems": [each | {"message": each["message"][language]} for each in kept.problems],
            "refused": kept.rows - kept.valid,
            "decides": kept.state == "previewed" and may(request, PROPOSES, path=kept.path),
        },
    )


@require_POST
@requires(PROPOSES)
def answer_list(request: HttpRequest, list_id: int, answer: str) -> HttpResponse:
    """Takes a list over, or throws it away."""
    kept = _list(request, list_id)
    try:
        if answer == "confirm":
            _told(request, actions.confirm_list(kept.pk, actor(request)))
            return redirect("awards:events")
        if answer != "discard":
            raise Http404
        actions.discard_list(kept.pk, actor(request))
    except (Refused, RosterUnreadable) as refusal:
        messages.error(request, refusal.message)
    return redirect("awards:event_list", kept.pk)
