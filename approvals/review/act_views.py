"""Acts on one case or many that move nothing: taking on, handing on, signers, pausing, telling; and taking back."""

from collections import Counter

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from approvals.organisations.access import actor, may, number, prefixes
from approvals.organisations.authority import Offered, offered
from approvals.review import actions, case_file, queries
from approvals.review.case_views import case_response
from approvals.review.deciding_views import LARGEST, tasks_of
from approvals.review.desk import case_address
from approvals.review.desk_acts import JUDGES, KINDS, ActForm, Kind
from workflows.acts import looking
from workflows.locking import Result

TOLD = 8
"""Most different refusals that one answer spells out."""


@require_POST
@never_cache
@login_required
def act(request: HttpRequest) -> HttpResponse:
    """Does an act on the ticked tasks, or on the task of a case page, asking first what it needs to know.

    Open to everybody who is signed in: what a person may not do is answered by the engine, in words.
    """
    kind = KINDS.get(request.POST.get("act", ""))
    if kind is None:
        raise Http404
    tasks = tasks_of(request)
    if not tasks:
        messages.warning(request, _("Nothing was ticked."))
        return _back(request)
    if len(tasks) > LARGEST:
        messages.error(request, _("Please decide no more than %(count)s at once.") % {"count": LARGEST})
        return _back(request)
    rows = queries.named_tasks(tasks, prefixes(request, "view_case"))
    asks = not kind.plain or kind.name == "remove_signer"
    by = actor(request)
    others = _offered(kind, rows, by.key)
    sent = request.POST if not asks or "confirmed" in request.POST else None
    form = ActForm(sent, kind=kind, offered=others, signer=request.POST.get("signer", ""))
    if not form.is_valid():
        case = number(request.POST.get("case"))
        if form.is_bound and case is not None:
            return case_response(request, case, act_form=form, status=422)
        form.begin_here()
        return _asked(request, form, rows, status=422 if form.is_bound else 200)
    results = actions.act_on(form.made(), tasks, by, form.reason)
    if asks and rows and not any(result.ok for result in results):  # what was typed stays
        for sentence in _refusals(results):
            form.add_error(None, sentence)
        return _asked(request, form, rows, status=422)
    _tell(request, kind, results)
    return _back(request)


def _asked(request: HttpRequest, form: ActForm, rows: list[queries.Named], status: int) -> HttpResponse:
    context = {"form": form, "kind": form.kind, "rows": rows, "back": request.POST.get("back", "")}
    context["steps"] = len({row.permission for row in rows})
    return render(request, "review/act.html", context, status=status)


def _offered(kind: Kind, rows: list[queries.Named], me: str) -> list[Offered]:
    """Among whom the person is chosen: others who may, at every office of these tasks; nobody whom the engine would
    refuse for all of them.
    """
    if not kind.offers or not rows:
        return []
    permissions = {row.permission for row in rows} if kind.offers == JUDGES else {kind.offers}
    if len(permissions) != 1:
        return []
    others = [who for who in offered(permissions.pop(), {row.path for row in rows}) if who.person != me]
    if kind.name not in ("transfer", "add_signer") or not others:
        return others
    free = queries.may_join(rows, [who.person for who in others], seated=kind.name == "add_signer")
    return [who for who in others if who.person in free]


def _tell(request: HttpRequest, kind: Kind, results: list[Result]) -> None:
    """What became of it: how many were done, and each different refusal with its count."""
    done = sum(result.ok for result in results)
    if done:
        said = ngettext("Done for %(count)s case: %(act)s.", "Done for %(count)s cases: %(act)s.", done)
        messages.success(request, said % {"act": kind.label, "count": done})
    for sentence in _refusals(results):
        messages.error(request, sentence)


def _refusals(results: list[Result]) -> list[str]:
    refusals = Counter(result.message for result in results if not result.ok).most_common(TOLD)
    return [message if len(results) == 1 else f"{message} ({count})" for message, count in refusals]


def _back(request: HttpRequest) -> HttpResponse:
    """To the case page that it came from, or to the queue as it was."""
    case, back = number(request.POST.get("case")), QueryDict(request.POST.get("back", ""))
    if case is not None:
        return redirect(case_address(case, back))
    return redirect(f"{reverse('review:queue')}?{back.urlencode()}")


@require_POST
@never_cache
@login_required
def take_back(request: HttpRequest, case_id: int) -> HttpResponse:
    """拿回: undoes the reader's own last decision on a case, or his signature where others are still waited for."""
    application = case_file.application_of(case_id)
    if application is None or not may(request, "view_case", path=application.path):
        raise Http404("no_such_case")
    results = actions.take_back(case_id, actor(request))
    for result in results:
        tell = messages.success if result.ok else messages.error
        tell(request, _("Taken back.") if result.ok else result.message)
    return redirect(case_address(case_id, QueryDict(request.POST.get("back", ""))))


@require_POST
@never_cache
@login_required
def look(request: HttpRequest, case_id: int) -> HttpResponse:
    """Notes that the reader has the case open, and answers who else does; asked again while the page is open."""
    application = case_file.application_of(case_id)
    if application is None or not may(request, "view_case", path=application.path):
        raise Http404("no_such_case")
    return render(request, "review/_looking.html", {"others": looking(case_id, actor(request))})
