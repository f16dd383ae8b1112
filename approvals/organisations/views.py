"""The posts: who holds which role where. Thin over actions and queries."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from approvals.organisations import actions, queries, roles
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.organisations.forms import STANDINGS, AppointForm, FilterForm, RevokeForm
from approvals.organisations.refusals import Refused
from workflows.clock import today

PAGE = 50
READERS = ("manage_posts", "view_record")


@require_GET
@requires(*READERS)
def posts(request: HttpRequest) -> HttpResponse:
    """Posts of the person's offices, the latest first."""
    form = FilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = queries.posts_under(prefixes(request, *READERS), wanted.get("q", ""), wanted.get("role", ""))
    if (before := number(request.GET.get("before"))) is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    following = request.GET.copy()
    if len(rows) > PAGE:
        following["before"] = str(rows[PAGE - 1].pk)
    day = today()
    return render(
        request,
        "organisations/posts.html",
        {
            "form": form,
            "rows": [
                {"post": post, "role": roles.NAMES.get(post.role, post.role), "standing": standing,
                 "label": STANDINGS[standing]}
                for post in rows[:PAGE]
                for standing in [queries.standing(post, day)]
            ],
            "next": f"?{following.urlencode()}" if len(rows) > PAGE else "",
            "manages": may(request, "manage_posts"),
        },
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires("manage_posts")
def appoint(request: HttpRequest) -> HttpResponse:
    """Gives a person a post."""
    offices = prefixes(request, "manage_posts")
    form = AppointForm(request.POST or None, offices=offices, initial={"starts_on": today()})
    if form.is_valid():
        try:
            post = actions.appoint(**form.cleaned_data, by=actor(request))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("%(user)s holds the post from %(day)s on.") % {"user": post.user, "day": post.starts_on}
            )
            return redirect("organisations:posts")
    return render(request, "organisations/appoint.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("manage_posts")
def revoke(request: HttpRequest, post_id: int) -> HttpResponse:
    """Takes a post away at once."""
    post = queries.posts_under(prefixes(request, "manage_posts")).filter(pk=post_id).first()
    if post is None:
        raise Http404
    form = RevokeForm(request.POST or None)
    if form.is_valid():
        try:
            actions.revoke(post, actor(request), form.cleaned_data["reason"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The post of %(user)s has ended.") % {"user": post.user})
            return redirect("organisations:posts")
    return render(
        request,
        "organisations/revoke.html",
        {"form": form, "post": post, "role": roles.NAMES.get(post.role, post.role)},
        status=422 if form.errors else 200,
    )
