"""Accounts: made, given a one-time password, closed and opened by administrators; everybody's own password."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.organisations import accounts, proposals, queries, roles
from approvals.organisations.access import actor, prefixes, requires
from approvals.organisations.account_forms import AccountForm, EmployerForm, PasswordForm, SearchForm, WhyForm
from approvals.organisations.forms import EndForm
from approvals.organisations.models import Post, User
from approvals.organisations.refusals import Refused
from approvals.organisations.views import proposed, tell
from workflows.clock import today

PAGE = 50


def _mine(request: HttpRequest) -> QuerySet[User]:
    """The accounts that the person manages: with a post below their offices, or with none."""
    below = Q(posts=None)
    for prefix in prefixes(request, "manage_posts"):
        below |= Q(posts__organisation__path__startswith=prefix)
    return User.objects.filter(pk__in=User.objects.filter(below).values("pk"))


@require_GET
@requires("manage_posts")
def accounts_page(request: HttpRequest) -> HttpResponse:
    """The accounts, by name of account, found by a word."""
    form = SearchForm(request.GET)
    words = form.cleaned_data["q"].strip() if form.is_valid() else ""
    found = _mine(request).order_by("username")
    if words:
        found = found.filter(Q(username__icontains=words) | Q(name__icontains=words) | Q(phone__icontains=words))
    if after := request.GET.get("after", "")[:150]:
        found = found.filter(username__gt=after)
    rows = list(found[: PAGE + 1])
    following = request.GET.copy()
    if len(rows) > PAGE:
        following["after"] = rows[PAGE - 1].username
    held = _held(rows[:PAGE])
    return render(
        request,
        "organisations/accounts.html",
        {
            "form": form,
            "rows": [{"user": user, "posts": held.get(user.pk, [])} for user in rows[:PAGE]],
            "next": f"?{following.urlencode()}" if len(rows) > PAGE else "",
        },
    )


def _held(users: list[User]) -> dict[int, list[str]]:
    """“Role, office” of the posts in force, by account."""
    day = today()
    found: dict[int, list[str]] = {}
    posts = Post.objects.filter(user__in=users).select_related("organisation", "deputy_for__user").order_by("pk")
    for post in posts:
        if queries.standing(post, day) == "in_force":
            holder = str(post.deputy_for.user) if post.deputy_for else ""
            words = roles.words_of(roles.post_of(post.role, str(post.organisation), holder))
            found.setdefault(post.user_id, []).append(words)
    return found


@require_http_methods(["GET", "POST"])
@never_cache
@requires("manage_posts")
def create(request: HttpRequest) -> HttpResponse:
    """Makes an account and shows its one-time password, once."""
    form = AccountForm(request.POST or None, offices=prefixes(request, "manage_posts"))
    if form.is_valid():
        try:
            user, password = accounts.create(**form.cleaned_data, by=actor(request))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return _told(request, user, password)
    return render(request, "organisations/account_new.html", {"form": form}, status=422 if form.errors else 200)


def _told(request: HttpRequest, user: User, password: str) -> HttpResponse:
    return render(request, "organisations/account_password.html", {"person": user, "password": password})


def _managed(request: HttpRequest, user_id: int) -> User:
    user = _mine(request).filter(pk=user_id).first()
    if user is None:
        raise Http404
    return user


@require_GET
@requires("manage_posts")
def account(request: HttpRequest, user_id: int) -> HttpResponse:
    """An account: its posts, and what can be done with it."""
    user = _managed(request, user_id)
    return _page(request, user, WhyForm())


def _page(request: HttpRequest, user: User, form: WhyForm, leaving: EndForm | None = None) -> HttpResponse:
    offices = prefixes(request, "manage_posts")
    context = {
        "person": user,
        "posts": _held([user]).get(user.pk, []),
        "form": form,
        "employer": EmployerForm(offices=offices, present=user.employer_id, prefix="at"),
        "leaving": leaving or EndForm(prefix="leave"),
        "own": request.user.pk == user.pk,
        "from_server": accounts.manages_posts(user),
    }
    wrong = form.errors or (leaving and leaving.errors)
    return render(request, "organisations/account.html", context, status=422 if wrong else 200)


@require_POST
@requires("manage_posts")
def employ(request: HttpRequest, user_id: int) -> HttpResponse:
    """Says which school employs the person; he does not judge its cases above the school from then on."""
    user = _managed(request, user_id)
    form = EmployerForm(request.POST, offices=prefixes(request, "manage_posts"), present=user.employer_id, prefix="at")
    if form.is_valid():
        try:
            accounts.employ(user.pk, form.cleaned_data["employer"], actor(request))
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The employer is noted; recusal follows it from now on."))
    else:
        messages.error(request, _("Choose a school of the list."))
    return redirect("organisations:account", user.pk)


@require_POST
@requires("manage_posts")
def leave(request: HttpRequest, user_id: int) -> HttpResponse:
    """Proposes the end of every post of a person who leaves."""
    user = _managed(request, user_id)
    form = EndForm(request.POST, prefix="leave")
    if form.is_valid():
        try:
            answers = proposals.propose_leaving(user, **form.cleaned_data, by=actor(request))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            tell(request, answers, proposed)
            return redirect("organisations:proposals")
    return _page(request, user, WhyForm(), form)


@require_POST
@never_cache
@requires("manage_posts")
def reset_password(request: HttpRequest, user_id: int) -> HttpResponse:
    """Gives an account a one-time password and shows it, once."""
    user = _managed(request, user_id)
    try:
        password = accounts.reset_password(user.pk, actor(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("organisations:account", user.pk)
    return _told(request, user, password)


def _with_reason(do: Callable[..., User], said: Callable[[User], str]) -> Callable[[HttpRequest, int], HttpResponse]:
    @require_POST
    @requires("manage_posts")
    def view(request: HttpRequest, user_id: int) -> HttpResponse:
        user = _managed(request, user_id)
        form = WhyForm(request.POST)
        if form.is_valid():
            try:
                do(user.pk, actor(request), form.cleaned_data["reason"])
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, said(user))
                return redirect("organisations:account", user.pk)
        return _page(request, user, form)

    return view


close = _with_reason(accounts.close, lambda user: _("The account of %(user)s is closed.") % {"user": user})
reopen = _with_reason(accounts.reopen, lambda user: _("The account of %(user)s is open again.") % {"user": user})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def own_password(request: HttpRequest) -> HttpResponse:
    """Everybody's own password; the only page that a one-time password opens."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    form = PasswordForm(request.POST or None, user=user)
    if form.is_valid():
        try:
            accounts.choose_password(user, form.cleaned_data["new"], actor(request))
        except Refused as refusal:
            form.add_error("new", str(refusal))
        else:
            update_session_auth_hash(request, user)
            messages.success(request, _("Your password is changed."))
            return redirect("home")
    return render(request, "organisations/own_password.html", {"form": form}, status=422 if form.errors else 200)
