"""Sign-in, home, the training clock, and the pages that say what went wrong."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template import loader
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_POST

from approvals.organisations.access import actor, may
from project import clock, demo, navigation, walk
from project.templatetags.zhuxue import cn_date
from workflows.actors import SYSTEM


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": gettext_lazy("User name and password do not fit together. Capital and small letters differ."),
        "inactive": gettext_lazy("This account is closed."),
    }


class SignIn(LoginView):
    """User name and password; a demo also lists its accounts, each with a button."""

    template_name = "sign_in.html"
    form_class = SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"walk": walk.accounts(self.request)}


@login_required
def home(request: HttpRequest) -> HttpResponse:
    works = navigation.works(request)
    return render(
        request,
        "home.html",
        {
            "waiting": [item for item in works if item.count],
            "nothing": [item for item in works if not item.count],
            "actions": navigation.actions(request),
            "walk": walk.accounts(request),
            "sample": may(request, "submit_application"),
        },
    )


# ---------------------------------------------------------------- the demo


@require_POST
def clock_forward(request: HttpRequest) -> HttpResponse:
    """Moves the demo's date to the next working day; any visitor of a demo may."""
    by = actor(request) if request.user.is_authenticated else SYSTEM
    result = clock.forward(by, _date(request.POST.get("seen", "")))
    if not result.moved:
        messages.info(
            request,
            gettext("The date had been moved meanwhile; it is %(day)s now.")
            % {"day": cn_date(result.today, "weekday")},
        )
        return _back(request)
    messages.success(
        request, _sentences(gettext("It is %(day)s now.") % {"day": cn_date(result.today, "weekday")}, *_due(result))
    )
    return _back(request)


@require_POST
def demo_reset(request: HttpRequest) -> HttpResponse:
    """Loads the demo county anew; everybody is signed out, since the accounts are made anew too."""
    try:
        demo.reset()
    except demo.NotADemo as error:
        raise PermissionDenied from error
    request.session.flush()
    messages.success(request, gettext("The demo starts afresh."))
    return redirect("login")


def _due(result: clock.Forward) -> list[str]:
    said = []
    if result.notices:
        said.append(
            ngettext(
                "The period of %(count)d public notice has ended.",
                "The periods of %(count)d public notices have ended.",
                result.notices,
            )
            % {"count": result.notices}
        )
    if result.cases:
        said.append(
            ngettext("%(count)d application went on.", "%(count)d applications went on.", result.cases)
            % {"count": result.cases}
        )
    return said or [gettext("Nothing became due.")]


def _sentences(*sentences: str) -> str:
    """Sentences one after the other; Chinese puts no space between them."""
    return ("" if get_language() == "zh-hans" else " ").join(sentences)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """To the page the form stood on, if it is one of ours."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        return HttpResponseRedirect(target)
    return HttpResponseRedirect("/")


# ---------------------------------------------------------------- what went wrong


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    again = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(again, {request.get_host()}, request.is_secure()):
        again = "/"
    return render(request, "403_csrf.html", {"again": again}, status=403)


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many wrong passwords (axes calls this)."""
    minutes = int(settings.AXES_COOLOFF_TIME * 60)
    return render(request, "locked_out.html", {"minutes": minutes}, status=429)


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the database, which may be what failed."""
    number = getattr(request, "id", "")
    return HttpResponse(loader.get_template("500.html").render({"number": number}), status=500)
