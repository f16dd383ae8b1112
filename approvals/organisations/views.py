"""The posts: who holds which role where, what is proposed of them, what was decided. Thin over actions and queries."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.organisations import proposals as acts
from approvals.organisations import queries, roles
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.organisations.authority import UserActor
from approvals.organisations.forms import STANDINGS, AppointForm, DeclineForm, DeputyForm, EndForm, FilterForm
from approvals.organisations.models import Post, PostProposal
from approvals.organisations.refusals import Refused
from workflows.clock import today

PAGE = 50
AT_ONCE = 200
"""Most proposals that are decided with one click."""
READERS = ("manage_posts", "view_record")


def _tabs(request: HttpRequest, here: str) -> list[dict[str, Any]]:
    waiting = queries.proposals_under(prefixes(request, *READERS), waiting=True).count()
    pages = [
        ("posts", pgettext("posts", "Posts"), None),
        ("proposals", pgettext("posts", "Waiting for approval"), waiting),
        ("history", pgettext("posts", "Decided"), None),
    ]
    return [
        {"url": reverse(f"organisations:{name}"), "label": label, "count": count, "current": name == here}
        for name, label, count in pages
    ]


@require_GET
@requires(*READERS)
def posts(request: HttpRequest) -> HttpResponse:
    """Posts of the person's offices, the latest first; of one office, or role, or that hold today."""
    offices = prefixes(request, *READERS)
    form, day = FilterForm(request.GET, offices=offices), today()
    wanted = form.cleaned_data if form.is_valid() else {}
    found = queries.posts_under(offices, wanted.get("q", ""), wanted.get("role", ""))
    if wanted.get("office"):
        found = found.filter(organisation=wanted["office"])
    if wanted.get("standing"):
        found = found.filter(queries.of_standing(wanted["standing"], day))
    rows, following = _page(request, found)
    return render(
        request,
        "organisations/posts.html",
        {
            "form": form,
            "tabs": _tabs(request, "posts"),
            "rows": [
                {"post": post, "role": roles.NAMES.get(post.role, post.role), "standing": standing,
                 "label": STANDINGS[standing], "may_change": standing in ("in_force", "to_come")}
                for post in rows
                for standing in [queries.standing(post, day)]
            ],
            "next": following,
            "manages": may(request, "manage_posts"),
        },
    )  # fmt: skip


def _page(request: HttpRequest, found: QuerySet[Any]) -> tuple[list[Any], str]:
    """A page of rows that are the latest first, and the address of the next one; empty for none."""
    if (before := number(request.GET.get("before"))) is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    following = request.GET.copy()
    if len(rows) > PAGE:
        following["before"] = str(rows[PAGE - 1].pk)
    return rows[:PAGE], f"?{following.urlencode()}" if len(rows) > PAGE else ""


# ---------------------------------------------------------------- proposing


@require_http_methods(["GET", "POST"])
@requires("manage_posts")
def appoint(request: HttpRequest) -> HttpResponse:
    """Proposes that a person hold a post."""
    form = AppointForm(
        request.POST or None,
        offices=prefixes(request, "manage_posts"),
        initial={"starts_on": today(), "user": request.GET.get("user", "")[:150]},
    )
    return _proposed(
        request, form, "organisations/appoint.html", {},
        lambda values: acts.propose_appointment(**values, by=actor(request)),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires("manage_posts")
def deputise(request: HttpRequest, post_id: int) -> HttpResponse:
    """Proposes who represents the absent holder of a post."""
    post = _managed(request, post_id)
    form = DeputyForm(request.POST or None, initial={"starts_on": today()})
    return _proposed(
        request, form, "organisations/deputise.html", _named(post),
        lambda values: acts.propose_deputy(post, **values, by=actor(request)),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires("manage_posts")
def end(request: HttpRequest, post_id: int) -> HttpResponse:
    """Proposes that a post end."""
    post = _managed(request, post_id)
    form = EndForm(request.POST or None)
    return _proposed(
        request, form, "organisations/end.html", _named(post),
        lambda values: acts.propose_end(post, **values, by=actor(request)),
    )  # fmt: skip


def _named(post: Post) -> dict[str, Any]:
    return {"post": post, "role": roles.NAMES.get(post.role, post.role)}


def _managed(request: HttpRequest, post_id: int) -> Post:
    post = queries.posts_under(prefixes(request, "manage_posts")).filter(pk=post_id).first()
    if post is None:
        raise Http404
    return post


def _proposed(
    request: HttpRequest, form: Any, template: str, context: dict[str, Any], act: Callable[[dict[str, Any]], Any]
) -> HttpResponse:
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Proposed. It holds once a second administrator has approved it."))
            return redirect("organisations:proposals")
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


# ---------------------------------------------------------------- deciding


@require_GET
@requires(*READERS)
def proposals(request: HttpRequest) -> HttpResponse:
    """What waits for a second administrator."""
    return _proposals(request, DeclineForm())


def _proposals(request: HttpRequest, form: DeclineForm) -> HttpResponse:
    by, manages = actor(request), may(request, "manage_posts")
    rows = list(queries.proposals_under(prefixes(request, *READERS), waiting=True)[:AT_ONCE])
    alone = manages and not any(acts.others_who_approve(path, by) for path in prefixes(request, "manage_posts"))
    stuck = acts.without_approver(rows)
    return render(
        request,
        "organisations/proposals.html",
        {
            "tabs": _tabs(request, "proposals"),
            "rows": (shown := [_shown(row) | {"why": _bars(row, by), "stuck": row.pk in stuck} for row in rows]),
            "manages": manages,
            "approves": any(not each["why"] for each in shown),
            "alone": alone,
            "stuck": bool(stuck) and not alone,
            "form": form,
            "ticked": set(map(number, request.POST.getlist("proposal"))),
        },
        status=422 if form.errors else 200,
    )


def _bars(proposal: PostProposal, by: UserActor) -> str:
    """Why this reader does not approve or decline it himself; empty where he may."""
    code = "own_proposal" if proposal.proposed_person == by.user.person else "own_post"
    return str(Refused(code)) if by.user.person in (proposal.proposed_person, proposal.person) else ""


def _shown(proposal: PostProposal) -> dict[str, Any]:
    return {"proposal": proposal, "role": roles.NAMES.get(proposal.role, proposal.role)}


@require_GET
@requires(*READERS)
def history(request: HttpRequest) -> HttpResponse:
    """What was approved, declined or taken back, the latest first."""
    rows, following = _page(request, queries.proposals_under(prefixes(request, *READERS), waiting=False))
    context = {"tabs": _tabs(request, "history"), "rows": [_shown(row) for row in rows], "next": following}
    return render(request, "organisations/proposals_decided.html", context)


@require_POST
@requires("manage_posts")
def decide(request: HttpRequest) -> HttpResponse:
    """Approves, declines or takes back the ticked proposals; each by itself, and says what became of them."""
    chosen = [key for key in map(number, request.POST.getlist("proposal")) if key is not None][:AT_ONCE]
    by, answer = actor(request), request.POST.get("answer", "")
    if not chosen:
        messages.error(request, _("Tick at least one proposal."))
        return redirect("organisations:proposals")
    if answer == "decline":
        form = DeclineForm(request.POST)
        if not form.is_valid():
            return _proposals(request, form)
        answers = acts.decline(chosen, by, form.cleaned_data["reason"])
    elif answer in ("approve", "withdraw"):
        answers = (acts.approve if answer == "approve" else acts.withdraw)(chosen, by)
    else:
        raise Http404
    tell(request, answers, DONE[answer])
    return redirect("organisations:proposals")


def _approved(count: int) -> str:
    return ngettext("Approved: %(count)s. It holds from now on.", "Approved: %(count)s. They hold from now on.", count)


def _declined(count: int) -> str:
    return ngettext("Declined: %(count)s.", "Declined: %(count)s.", count)


def _withdrawn(count: int) -> str:
    return ngettext("Taken back: %(count)s.", "Taken back: %(count)s.", count)


def proposed(count: int) -> str:
    """What is said of endings that were proposed together."""
    return ngettext("Proposed to end: %(count)s post.", "Proposed to end: %(count)s posts.", count)


DONE: dict[str, Callable[[int], str]] = {"approve": _approved, "decline": _declined, "withdraw": _withdrawn}


def tell(request: HttpRequest, answers: Iterable[acts.Answer], done: Callable[[int], str]) -> None:
    """Says how many were done, and each refusal once."""
    answers = list(answers)
    if count := sum(answer.ok for answer in answers):
        messages.success(request, done(count) % {"count": count})
    for sentence in dict.fromkeys(answer.refused for answer in answers if not answer.ok):
        messages.error(request, sentence)
