"""Deciding on one case or on many."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from approvals.organisations.access import may, number
from approvals.review import actions, case_file, queries, standing
from approvals.review.case_views import case_response
from approvals.review.desk import Desk, case_address, next_case, shown_rows
from approvals.review.forms import DecisionForm
from workflows import Result
from workflows.flows.aid import REVIEWERS
from workflows.nodes import OUTCOMES
from workflows.refusals import SENTENCES as REFUSALS

LARGEST = 2000
"""Tasks that one decision from a page may take."""
SHOWN = 200
"""Of them, so many are spelt out on the page that asks once more."""
FORESEEN = 5
"""Of what the rules will refuse, so many sentences."""


@require_POST
@never_cache
@login_required
def decide(request: HttpRequest) -> HttpResponse:
    """Decides the ticked tasks after asking once more, or the task of a case page; then back to where one was.

    Open to everybody who is signed in: a post that was revoked meanwhile is answered by the engine, in words.
    """
    desk = Desk(request, QueryDict(request.POST.get("back", "")))
    tasks = tasks_of(request) or _of_schools(request, desk)
    form = DecisionForm(request.POST, today=desk.today)
    from_case = number(request.POST.get("case"))
    if not tasks:
        messages.warning(request, _("Nothing was ticked."))
        return _back(desk)
    if len(tasks) > LARGEST and "group" not in request.POST:
        messages.error(request, _("Please decide no more than %(count)s at once.") % {"count": LARGEST})
        return _back(desk)
    if "confirmed" not in request.POST:
        return _ask(request, desk, tasks, form.act)
    if not form.is_valid():
        if from_case is not None:
            return case_response(request, from_case, bound=form, status=422)
        return _ask(request, desk, tasks, form.act, form, status=422)
    values = form.cleaned_data
    try:
        key, results = actions.decide_tasks(
            tasks, values["outcome"], desk.by, reason=form.reason, data=form.extra, token=str(values["token"]),
            findings_seen=values["findings_seen"],
        )  # fmt: skip
    except actions.Unconfirmed:
        form.add_error("findings_seen", _("Please confirm that you have looked at what was found."))
        return _ask(request, desk, tasks, form.act, form, status=422)
    if from_case is not None:
        return _after_one(request, desk, form, results[0])
    return redirect(f"{reverse('review:queue')}?{_with(desk.here(), done=key)}")


def _ask(
    request: HttpRequest, desk: Desk, tasks: list[int], act: str, sent: DecisionForm | None = None, status: int = 200
) -> HttpResponse:
    """The page that says what is about to be decided, asks for the reason, and sends it for good."""
    if act not in actions.OUTCOMES:
        messages.error(request, str(REFUSALS["no_such_outcome"]))
        return _back(desk)
    if not desk.views:
        return render(request, "review/answer.html", {"refusal": str(REFUSALS["not_permitted"])})
    asked = tasks[:LARGEST]
    found = queries.chosen(desk.by.key, desk.reaches, asked)
    if not found:
        told = set(queries.decided_already(desk.by, asked).values()) if desk.steps else set()
        closed = told.pop() if len(told) == 1 else str(REFUSALS["closed"])
        messages.error(request, closed if desk.steps else str(REFUSALS["not_permitted"]))
        return _back(desk)
    barred = standing.obstacles(found, desk.person)
    free = [row for row in found if row.task not in barred]
    shown = shown_rows(desk, sorted(found, key=lambda row: row.task in barred)[:SHOWN], barred)
    spelt = {each.row.task for each in shown}
    foreseen, totals = actions.foreseen(free, act, desk.by), queries.totals(free)
    form = sent or _form(desk, act, {row.step for row in free or found})
    confirms = act == "approve" and totals["count"] > 1 and totals["found"] > 0
    if confirms:
        form.fields["findings_seen"].widget.attrs["autofocus"] = True
    return render(
        request,
        "review/confirm.html",
        {
            "form": form,
            "confirms": confirms,
            "steps": sorted({row.step for row in free or found}, key=list(REVIEWERS).index),
            "rows": shown,
            "others": [row.task for row in free if row.task not in spelt],
            "totals": totals,
            "foreseen": foreseen[:FORESEEN],
            "foreseen_more": sum(count for _sentence, count in foreseen[FORESEEN:]),
            "barred": len(barred),
            "gone": len(set(asked)) - len(found),
            "more": len(tasks) > LARGEST,
            "largest": LARGEST,
            "back": desk.here(),
        },
        status=status,
    )


def _form(desk: Desk, act: str, steps: set[str]) -> DecisionForm:
    """The form of a decision on tasks of these steps: it asks for a reason where one of them does."""
    forms = [DecisionForm(outcome=act, step=step, today=desk.today) for step in sorted(steps)]
    form = next((each for each in forms if each.asks_reason), forms[0])
    form.fields["reason_code"].widget.attrs["autofocus"] = True
    if len(steps) > 1 and "to" in form.fields:
        form.fields["to"].choices = form.fields["to"].choices[:1]  # type: ignore[attr-defined]
    return form


def _of_schools(request: HttpRequest, desk: Desk) -> list[int]:
    """All tasks of the schools that a form names, in the present view and filters; one more than may be decided."""
    schools = [desk.choices.schools[code][0] for code in request.POST.getlist("group") if code in desk.choices.schools]
    if not schools or desk.own:
        return []
    return queries.tasks_of_schools(desk.question, schools, LARGEST + 1)


def tasks_of(request: HttpRequest) -> list[int]:
    """The tasks that a form names."""
    given = (number(task) for task in [*request.POST.getlist("task"), *request.POST.get("tasks", "").split(",")])
    return [task for task in given if task is not None]


def _with(query: str, **more: str) -> str:
    values = QueryDict(query, mutable=True)
    values.update(more)
    return values.urlencode()


def _back(desk: Desk) -> HttpResponse:
    return redirect(f"{reverse('review:queue')}?{desk.here()}")


def _after_one(request: HttpRequest, desk: Desk, form: DecisionForm, result: Result) -> HttpResponse:
    """After a decision on the case page: the next case of the queue one came from, or what stood in the way."""
    application = case_file.application_at(result.task_id)
    if application is None or not may(request, "view_case", path=application.path):
        return render(request, "review/answer.html", {"refusal": result.message})
    if not result.ok:
        own = queries.decided_already(desk.by, [result.task_id]) if result.code == "closed" else {}
        messages.error(request, own.get(result.task_id, result.message))
        if form.reason is not None:  # what was typed stays; sent again it is another decision
            again = request.POST.copy()
            again["token"] = str(uuid.uuid4())
            bound = DecisionForm(again, today=desk.today)
            return case_response(request, application.pk, bound=bound, status=422)
        return redirect(case_address(application.pk, desk.values))
    decided = {"pupil": application.student.name, "outcome": OUTCOMES[form.act]}
    said = result.message if result.code == "signed" else _("%(pupil)s's case is decided: %(outcome)s.") % decided
    messages.success(request, said)
    if not desk.queued:
        return redirect("review:case", application.pk)
    following = next_case(desk, result.task_id)
    if following is None:
        messages.info(request, _("That was the last one in this list."))
        return _back(desk)
    return redirect(case_address(following, desk.values))
