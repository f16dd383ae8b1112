"""The offices' pages of announcements: list, draft, one announcement and what can be done with it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy as _p
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.notices import history, wording
from approvals.notices.announcements import actions, queries
from approvals.notices.announcements.forms import AnnouncementForm, WhyForm
from approvals.notices.announcements.models import OPEN, Announcement
from approvals.notices.refusals import Refused
from approvals.organisations.access import actor, may, number, prefixes, require, requires
from approvals.organisations.models import Organisation
from workflows import clock

PAGE = 50
READERS = ("draft_announcement", "publish_announcement", "view_record")
VIEWS: dict[str, tuple[Promise, tuple[str, ...]]] = {
    "open": (_p("announcements", "In hand"), OPEN),
    "published": (_p("announcements", "Published"), ("published",)),
    "over": (_p("announcements", "Withdrawn or thrown away"), ("withdrawn", "discarded")),
}


@require_GET
@requires(*READERS)
def announcement_list(request: HttpRequest) -> HttpResponse:
    """Announcements of the person's offices, the latest first."""
    mine = prefixes(request, *READERS)
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "open"
    found = queries.of_offices(mine).filter(state__in=VIEWS[view][1])
    before = number(request.GET.get("before"))
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    counts = queries.counts_by_state(mine)
    tabs = [
        {
            "url": f"?view={key}",
            "label": label,
            "count": sum(counts.get(state, 0) for state in states) or "",
            "current": key == view,
        }
        for key, (label, states) in VIEWS.items()
    ]
    return render(
        request,
        "notices/announcements/list.html",
        {
            "tabs": tabs,
            "announcements": rows[:PAGE],
            "first": f"?view={view}" if before else "",
            "next": f"?view={view}&before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
            "drafts": may(request, "draft_announcement"),
            "today": clock.today(),
        },
    )


@require_http_methods(["GET", "POST"])
@requires("draft_announcement")
def new(request: HttpRequest) -> HttpResponse:
    """Drafts an announcement of an office."""
    mine = list(Organisation.objects.filter(path__in=prefixes(request, "draft_announcement")).order_by("path"))
    form = AnnouncementForm(request.POST or None, offices=mine)
    if request.method == "POST" and form.is_valid():
        office = form.cleaned_data.pop("office")
        try:
            made = actions.draft(office, actor(request), **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Saved as a draft. Check it, then hand it in."))
            return redirect("notices:announcement", made.pk)
    return render(request, "notices/announcements/edit.html", {"form": form})


def _found(request: HttpRequest, announcement_id: int) -> Announcement:
    found = get_object_or_404(queries.of_offices([""]), pk=announcement_id)
    require(request, *READERS, path=found.path)
    return found


@require_GET
@requires(*READERS)
def detail(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """One announcement as the public sees or will see it, and what this person can do with it."""
    return _detail(request, _found(request, announcement_id))


def _detail(request: HttpRequest, found: Announcement, status: int = 200, **given: Any) -> HttpResponse:
    drafts = may(request, "draft_announcement", path=found.path)
    publishes = may(request, "publish_announcement", path=found.path)
    author = actor(request).user.person == found.drafted_person
    pending = found.state == "pending_review"
    context = {
        "announcement": found,
        "issuer": wording.issuer(found.organisation),
        "findings": actions.findings(found) if found.state in OPEN else [],
        "overdue": found.due_on is not None and found.state in OPEN and found.due_on < clock.today(),
        "can": {
            "edit": drafts and found.state == "draft",
            "discard": drafts and found.state == "draft" and not found.school_year,
            "publish": publishes and pending and not author,
            "is_author": publishes and pending and author,
            "send_back": publishes and pending,
            "withdraw": publishes and found.state == "published",
        },
        "send_back_form": WhyForm(prefix="send_back"),
        "withdraw_form": WhyForm(prefix="withdraw"),
        "lines": history.timeline_of("announcement", found.pk),
    }
    return render(request, "notices/announcements/detail.html", context | given, status=status)


@require_http_methods(["GET", "POST"])
@requires("draft_announcement")
def edit(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """The author's part of a draft."""
    found = _found(request, announcement_id)
    require(request, "draft_announcement", path=found.path)
    form = AnnouncementForm(request.POST or None, instance=found, offices=[])
    if request.method == "POST" and form.is_valid():
        given = {"kind": found.kind} | form.cleaned_data
        try:
            actions.edit(announcement_id, actor(request), **given)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Saved."))
            return redirect("notices:announcement", announcement_id)
    context = {"form": form, "announcement": Announcement.objects.get(pk=announcement_id)}
    return render(request, "notices/announcements/edit.html", context)


@require_POST
@requires(*READERS)
def submit(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """Hands a draft in."""
    return _act(request, announcement_id, actions.submit, _("Handed in. Another person publishes it."))


@require_POST
@requires(*READERS)
def publish(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """Publishes it."""
    return _act(request, announcement_id, actions.publish, _("Published. Everybody can read it now."))


@require_POST
@requires(*READERS)
def discard(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """Throws a draft away."""
    return _act(request, announcement_id, actions.discard, _("Thrown away."))


@require_POST
@requires(*READERS)
def send_back(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """Gives it back to its author, with a reason."""
    return _act_with_reason(request, announcement_id, "send_back", _("Sent back to its author."))


@require_POST
@requires(*READERS)
def withdraw(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """Takes it off the public site, with a reason."""
    return _act_with_reason(request, announcement_id, "withdraw", _("Withdrawn. It is hidden from now on."))


def _act_with_reason(request: HttpRequest, announcement_id: int, act: str, done: str) -> HttpResponse:
    form = WhyForm(request.POST, prefix=act)
    if not form.is_valid():
        return _detail(request, _found(request, announcement_id), 422, **{f"{act}_form": form})
    return _act(request, announcement_id, getattr(actions, act), done, form.cleaned_data["text"])


def _act(
    request: HttpRequest, announcement_id: int, act: Callable[..., Announcement], done: str, *given: str
) -> HttpResponse:
    found = _found(request, announcement_id)
    try:
        act(announcement_id, actor(request), *given)
    except Refused as refused:
        messages.error(request, str(refused))
        if refused.findings:
            return _detail(request, found, 422)
        return redirect("notices:announcement", announcement_id)
    messages.success(request, done)
    return redirect("notices:announcement", announcement_id)
