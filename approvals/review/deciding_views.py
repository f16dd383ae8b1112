"""Deciding on one case or on many."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from approvals.organisations.access import may, number
from approvals.review import actions, case_file, queries
from approvals.review.case_views import case_response
from approvals.review.desk import Desk, case_address, next_case, shown_rows
from approvals.review.forms import DecisionForm
from workflows import Result
from workflows.nodes import OUTCOMES
from workflows.refusals import SENTENCES as REFUSALS

LARGEST = 2000
"""Tasks that one decision from a page may take."""


@require_POST
@never_cache
@login_required
def decide(request: HttpRequest) -> HttpResponse:
    """Decides the ticked tasks after asking once more, or the task of a case page; then back to where one was.

    Open to everybody who is signed in: a post that was revoked meanwhile is answered by the engine, in words.
    """
    desk = Desk(request, QueryDict(request.POST.get("back", "")))
    tasks = tasks_of(request)
    form = DecisionForm(request.POST, today=desk.today)
    from_case = number(request.POST.get("case"))
    if not tasks:
        messages.warning(request, _("Nothing was ticked."))
        return _back(desk)
    if len(tasks) > LARGEST:
        messages.error(request, _("Please decide no more than %(count)s at once.") % {"count": LARGEST})
        return _back(desk)
    if "confirmed" not in request.POST:
        return _ask(request, desk, tasks, DecisionForm(outcome=form.act, step=desk.step, today=desk.today))
    if not form.is_valid():
        if from_case is not None:
            return case_response(request, from_case, bound=form, status=422)
        return _ask(request, desk, tasks, form, status=422)
    values = form.cleaned_data
    key, results = actions.decide_tasks(
        tasks, values["outcome"], desk.by, reason=form.reason, data=form.extra, token=str(values["token"])
    )
    if from_case is not None:
        return _after_one(request, desk, values["outcome"], results[0])
    return redirect(f"{reverse('review:queue')}?{_with(desk.here(), done=key)}")


def _ask(request: HttpRequest, desk: Desk, tasks: list[int], form: DecisionForm, status: int = 200) -> HttpResponse:
    """The page that says what is about to be decided, asks for the reason, and sends it for good."""
    if form.act not in actions.OUTCOMES:
        messages.error(request, str(REFUSALS["no_such_outcome"]))
        return _back(desk)
    rows = queries.chosen(desk.by, desk.step, desk.reach, tasks) if desk.step else []
    if not rows:
        refusal = str(REFUSALS["closed" if desk.step else "not_permitted"])
        if not desk.step:
            return render(request, "review/answer.html", {"refusal": refusal})
        messages.error(request, refusal)
        return _back(desk)
    free = [row for row in rows if not row.acted]
    return render(
        request,
        "review/confirm.html",
        {
            "form": form,
            "step": desk.step,
            "rows": shown_rows(rows, desk.choices, queries.definitions({row.version for row in rows}), desk.today),
            "totals": queries.totals(free),
            "barred": len(rows) - len(free),
            "gone": len(set(tasks)) - len(rows),
            "back": desk.here(),
        },
        status=status,
    )


def tasks_of(request: HttpRequest) -> list[int]:
    """The tasks that a form names."""
    given = (number(task) for task in request.POST.getlist("task"))
    return [task for task in given if task is not None]


def _with(query: str, **more: str) -> str:
    values = QueryDict(query, mutable=True)
    values.update(more)
    return values.urlencode()


def _back(desk: Desk) -> HttpResponse:
    return redirect(f"{reverse('review:queue')}?{desk.here()}")


def _after_one(request: HttpRequest, desk: Desk, outcome: str, result: Result) -> HttpResponse:
    """After a decision on the case page: the next case of the queue one came from, or what stood in the way."""
    application = case_file.application_at(result.task_id)
    if application is None or not may(request, "view_case", path=application.path):
        return render(request, "review/answer.html", {"refusal": result.message})
    if not result.ok:
        messages.error(request, result.message)
        return redirect(case_address(application.pk, desk.values))
    messages.success(request, f"{OUTCOMES[outcome]} · {application.student.name}")
    if "step" not in desk.values or not desk.step:
        return redirect("review:case", application.pk)
    following = next_case(desk, result.task_id)
    if following is None:
        messages.info(request, _("That was the last one in this list."))
        return _back(desk)
    return redirect(case_address(following, desk.values))
