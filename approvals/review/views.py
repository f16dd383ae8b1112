"""The queue, deciding on one or many, and the page of a case."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from approvals.applications.findings import sentence
from approvals.applications.matching import sentence as hit_sentence
from approvals.applications.models import LEVELS, Application
from approvals.organisations.access import actor, may, prefixes, requires
from approvals.programmes.definition import Definition
from approvals.review import actions, case_file, queries, route
from approvals.review.forms import KEPT, DecisionForm, FilterForm, PurposeForm, filters_from
from approvals.review.queries import Answer, Choices, Row
from approvals.review.waiting import SOON, Filters, Reach
from workflows import Result, clock
from workflows.flows.aid import REVIEWERS
from workflows.nodes import OUTCOMES
from workflows.refusals import SENTENCES as REFUSALS

REVIEWS = tuple(REVIEWERS.values())
FINANCE = ("make_batch", "check_batch", "approve_batch", "view_record")
"""Any of these opens the page of a batch."""
LARGEST = 2000
"""Tasks that one decision from a page may take."""
TOKEN = re.compile(r"(approve|return|reject):[0-9a-f-]{32,36}:[0-9a-f]{32}")


# ---------------------------------------------------------------- the queue


class Desk:
    """What a reviewer's request asks of the queue: the step, the offices, the filters, as its address says."""

    def __init__(self, request: HttpRequest, values: QueryDict) -> None:
        self.request = request
        self.values = values
        self.by = actor(request)
        self.today = clock.today()

    @cached_property
    def steps(self) -> dict[str, list[str]]:
        """The steps that the person may decide, each with the office paths where."""
        found = {step: prefixes(self.request, permission) for step, permission in REVIEWERS.items()}
        return {step: paths for step, paths in found.items() if paths}

    @cached_property
    def step(self) -> str:
        """The step asked for, or the first that the person may decide; empty without any."""
        wanted = self.values.get("step", "")
        return wanted if wanted in self.steps else next(iter(self.steps), "")

    @cached_property
    def choices(self) -> Choices:
        return queries.choices({path for paths in self.steps.values() for path in paths})

    @cached_property
    def reach(self) -> Reach:
        """Where the person may decide this step."""
        return self.choices.reach(self.steps.get(self.step, []))

    @cached_property
    def filters(self) -> Filters:
        return filters_from(self.values, self.choices)

    @property
    def size(self) -> int:
        per = self.values.get("per", "")
        return int(per) if per in map(str, queries.SIZES) else queries.SIZES[0]

    def page(self) -> queries.Page:
        return queries.queue(
            self.by,
            self.step,
            self.filters,
            self.values.get("after", ""),
            before=self.values.get("before", ""),
            reach=self.reach,
            size=self.size,
            today=self.today,
        )

    def address(self, **changes: str) -> str:
        """The query of the queue's address with its filters, and `changes`; empty values fall away."""
        kept = {name: self.values.get(name, "") for name in KEPT} | {"step": self.step} | changes
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in kept.items() if value})
        return query.urlencode()

    def here(self) -> str:
        """The query of the page being looked at, cursor included: where an answer leads back to."""
        return self.address(after=self.values.get("after", ""), before=self.values.get("before", ""))


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the queue with its words."""

    row: Row
    programme: str
    level: str
    tier: str
    hits: list[str]
    acted: str
    unmet: list[str]
    unclear: list[str]
    late: bool
    near: bool


def _shown(rows: list[Row], choices: Choices, definitions: dict[int, Definition], today: date) -> list[Shown]:
    found = []
    for row in rows:
        definition = definitions[row.version]
        days = (row.due_on - today).days if row.due_on else None
        found.append(
            Shown(
                row=row,
                programme=choices.programmes.get(row.programme, row.programme),
                level=str(dict(LEVELS).get(row.level, "")),
                tier=_tier(definition, row.tier),
                hits=[hit_sentence(hit["code"], hit["values"]) for hit in row.hits],
                acted=_acted(row.acted),
                unmet=[sentence(definition, found) for found in row.findings if found["holds"] is False],
                unclear=[sentence(definition, found) for found in row.findings if found["holds"] is None],
                late=days is not None and days < 0,
                near=days is not None and 0 <= days <= SOON,
            )
        )
    return found


def _acted(level: str) -> str:
    """Why a person may not judge a case any more; empty where he may."""
    if not level:
        return ""
    return _("You have already acted on this case: %(level)s.") % {"level": case_file.LEVELS.get(level, level)}


def _tier(definition: Definition, code: str) -> str:
    tier = next((tier for tier in definition.tiers if tier.code == code), None)
    if tier is None:
        return code
    return tier.name_en if get_language() == "en" else tier.name


@require_GET
@never_cache
@login_required
def queue_page(request: HttpRequest) -> HttpResponse:
    """Open tasks of the steps that the person may decide, one tab a step."""
    desk = Desk(request, request.GET)
    answer = _answer(request, desk)
    if not desk.step:
        if answer is None:
            raise PermissionDenied("no review post")
        return render(request, "review/answer.html", {"answer": answer})
    page = desk.page()
    definitions = queries.definitions({row.version for row in page.rows})
    return render(
        request,
        "review/queue.html",
        {
            "desk": desk,
            "step": desk.step,
            "page": page,
            "rows": _shown(page.rows, desk.choices, definitions, desk.today),
            "tabs": _tabs(desk, page),
            "form": _filter_form(desk),
            "one_programme": len({row.programme for row in page.rows}) < 2 and bool(desk.filters.programme),
            "narrowed": desk.filters.narrows,
            "previous": f"?{desk.address(before=page.previous)}" if page.previous else "",
            "next": f"?{desk.address(after=page.next)}" if page.next else "",
            "here": desk.here(),
            "answer": answer,
        },
    )


def _tabs(desk: Desk, page: queries.Page) -> list[dict[str, Any]]:
    """One tab a step, where the person has several; their counts in one statement."""
    if len(desk.steps) < 2:
        return []
    counts = queries.waiting_by_step({step: desk.choices.reach(paths) for step, paths in desk.steps.items()})
    return [
        {
            "step": step,
            "url": f"{reverse('review:queue')}?step={step}",
            "count": f"{queries.COUNT_CAP}+" if counts[step] > queries.COUNT_CAP else counts[step],
            "current": step == desk.step,
        }
        for step in desk.steps
    ]


def _filter_form(desk: Desk) -> FilterForm:
    initial = {name: desk.values.get(name, "") for name in KEPT}
    return FilterForm(initial=initial, choices=desk.choices, today=desk.today, auto_id="filter-%s")


@require_POST
@requires(*REVIEWS)
def find(request: HttpRequest) -> HttpResponse:
    """Turns the filter form into the queue's address, so that an ID number never stands in one."""
    desk = Desk(request, request.POST)
    form = FilterForm(request.POST, choices=desk.choices, today=desk.today)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
        return redirect(f"{reverse('review:queue')}?{desk.address(name='', person='')}")
    query = QueryDict(mutable=True)
    query.update({"step": desk.step} | form.address())
    return redirect(f"{reverse('review:queue')}?{query.urlencode()}")


def _answer(request: HttpRequest, desk: Desk) -> Answer | None:
    """What the decision named in the address led to."""
    key = request.GET.get("done", "")
    return queries.answer(desk.by, key, prefixes(request, "view_case")) if TOKEN.fullmatch(key) else None


# ---------------------------------------------------------------- deciding


@require_POST
@never_cache
@login_required
def decide(request: HttpRequest) -> HttpResponse:
    """Decides the ticked tasks after asking once more, or the task of a case page; then back to where one was.

    Open to everybody who is signed in: a post that was revoked meanwhile is answered by the engine, in words.
    """
    desk = Desk(request, QueryDict(request.POST.get("back", "")))
    tasks = _tasks(request)
    form = DecisionForm(request.POST, today=desk.today)
    from_case = request.POST.get("case", "")
    if not tasks:
        messages.warning(request, _("Nothing was ticked."))
        return _back(desk)
    if len(tasks) > LARGEST:
        messages.error(request, _("Please decide no more than %(count)s at once.") % {"count": LARGEST})
        return _back(desk)
    if "confirmed" not in request.POST:
        return _ask(request, desk, tasks, DecisionForm(outcome=form.act, step=desk.step, today=desk.today))
    if not form.is_valid():
        if from_case.isdecimal():
            return _case_response(request, int(from_case), bound=form, status=422)
        return _ask(request, desk, tasks, form, status=422)
    values = form.cleaned_data
    key, results = actions.decide_tasks(
        tasks, values["outcome"], desk.by, reason=form.reason, data=form.extra, token=str(values["token"])
    )
    if from_case.isdecimal():
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
            "rows": _shown(rows, desk.choices, queries.definitions({row.version for row in rows}), desk.today),
            "totals": queries.totals(free),
            "barred": len(rows) - len(free),
            "gone": len(set(tasks)) - len(rows),
            "back": desk.here(),
        },
        status=status,
    )


def _tasks(request: HttpRequest) -> list[int]:
    given = request.POST.getlist("task")
    return [int(task) for task in given if task.isdecimal() and len(task) < 19]


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
        return redirect(_case_address(application.pk, desk.values))
    messages.success(request, f"{OUTCOMES[outcome]} · {application.student.name}")
    if "step" not in desk.values or not desk.step:
        return redirect("review:case", application.pk)
    following = _next(desk, result.task_id)
    if following is None:
        messages.info(request, _("That was the last one in this list."))
        return _back(desk)
    return redirect(_case_address(following, desk.values))


def _next(desk: Desk, task: int) -> int | None:
    """The case after a task in the queue that the desk's address stands for."""
    cursor = queries.cursor_of(task, desk.filters)
    return queries.next_case(desk.by, desk.step, desk.reach, desk.filters, cursor, desk.today)


def _case_address(case_id: int, values: QueryDict) -> str:
    address = reverse("review:case", args=[case_id])
    return f"{address}?{values.urlencode()}" if values else address


# ---------------------------------------------------------------- the case


def _visible(request: HttpRequest, case_id: int) -> Application:
    """The application, for everybody whose post lets him see cases at its office; for the others it isn't there."""
    application = case_file.application_of(case_id)
    if application is None or not may(request, "view_case", path=application.path):
        raise Http404
    return application


@require_GET
@never_cache
@login_required
def case_page(request: HttpRequest, case_id: int) -> HttpResponse:
    """Where an application stands, what is known of it, who did what, and what the reader can do now."""
    return _case_response(request, case_id)


def _case_response(
    request: HttpRequest,
    case_id: int,
    *,
    bound: DecisionForm | None = None,
    purpose: PurposeForm | None = None,
    numbers: actions.FullRecord | None = None,
    status: int = 200,
) -> HttpResponse:
    application = _visible(request, case_id)
    values = request.GET if request.method == "GET" else QueryDict(request.POST.get("back", ""))
    desk = Desk(request, values)
    file = case_file.read(
        application,
        desk.by.key,
        lambda permission: may(request, permission, path=application.path),
        looks="looks" in request.GET,
    )
    queued = "step" in values and bool(desk.step)
    return render(
        request,
        "review/case.html",
        {
            "file": file,
            "application": application,
            "student": application.student,
            "case": file.case,
            "panel": file.panel,
            "decisions": _decision_forms(file, desk.today, bound),
            "purpose": purpose or PurposeForm(auto_id="purpose-%s"),
            "numbers": numbers,
            "family": case_file.family(numbers.circumstances) if numbers else [],
            "members": numbers.circumstances.get("members", []) if numbers else [],
            "tier": _tier(application.version.rules, application.tier),
            "acted": _acted(file.panel.acted),
            "looks": "looks" in request.GET,
            "sees_batches": may(request, *FINANCE),
            "today": desk.today,
            "queued": queued,
            "back": values.urlencode() if queued else "",
            "queue_address": desk.here() if queued else "",
            "next": _case_address(following, values)
            if queued and file.item and (following := _next(desk, file.item.pk))
            else "",
        },
        status=status,
    )


def _decision_forms(file: case_file.CaseFile, today: date, bound: DecisionForm | None) -> list[dict[str, Any]]:
    """One form an outcome that the reader may take; the one that was sent with mistakes comes back filled in."""
    forms = []
    for choice in file.panel.choices:
        sent = bound if bound is not None and bound.act == choice.outcome else None
        form = sent or DecisionForm(outcome=choice.outcome, step=file.panel.step, today=today)
        forms.append({"choice": choice, "form": form, "open": sent is not None})
    return forms


@require_POST
@never_cache
@login_required
def unmask(request: HttpRequest, case_id: int) -> HttpResponse:
    """Shows the full record, once, after a purpose was given; who opened it stands on the record of acts."""
    _visible(request, case_id)
    form = PurposeForm(request.POST, auto_id="purpose-%s")
    if not form.is_valid():
        return _case_response(request, case_id, purpose=form, status=422)
    numbers = actions.unmask(case_id, actor(request), form.cleaned_data["purpose"], form.cleaned_data["text"])
    return _case_response(request, case_id, numbers=numbers)


@require_GET
@never_cache
@login_required
def route_diagram(request: HttpRequest, case_id: int) -> HttpResponse:
    """The route of a case as a drawing, with the present step marked."""
    application = _visible(request, case_id)
    drawing = route.drawing(application.case, case_file.open_step(case_id), case_file.records_of(case_id))
    context = {"drawing": drawing, "title": _("Route of the case")}
    return render(request, "review/route.svg", context, content_type="image/svg+xml")
