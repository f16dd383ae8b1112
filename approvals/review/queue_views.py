"""The queue page, its filters, the next case for a person, and how he sets up his desk."""

import re
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from approvals.organisations.access import prefixes
from approvals.review import actions, queries
from approvals.review.columns import ALWAYS, COLUMNS
from approvals.review.desk import Desk, case_address, shown_rows
from approvals.review.desk_acts import KINDS
from approvals.review.forms import KEPT, NARROWING, ColumnsForm, FilterForm, SaveForm
from approvals.review.models import MOST_SAVED
from approvals.review.queries import COUNT_CAP, Answer
from approvals.review.waiting import OWN, VIEWS, Filters, Question

TOKEN = re.compile(r"(approve|return|reject):[0-9a-f-]{32,36}:[0-9a-f]{32}")
BULK_ACTS = ("claim", "release", "transfer", "add_signer", "ask_papers", "copy_to", "watch", "step_aside", "comment")
"""What the queue offers for the ticked rows besides deciding; in views of one's own, too."""


@require_GET
@never_cache
@login_required
def queue_page(request: HttpRequest) -> HttpResponse:
    """Open tasks of a view: one's own, or those of a step that the person may decide; or its schools."""
    desk = Desk(request, request.GET)
    answer = _answer(request, desk)
    if not desk.views:
        if answer is None:
            raise PermissionDenied("sees no case")
        return render(request, "review/answer.html", {"answer": answer})
    context = {
        "desk": desk,
        "step": desk.step,
        "form": _filter_form(desk),
        "narrowed": desk.filters.narrows,
        "saved": _saved(desk),
        "may_save": any(desk.values.get(name) for name in NARROWING),
        "bare": desk.plain(desk.view, desk.step),
        "here": desk.here(),
        "schools": desk.address(group="school"),
        "one_by_one": desk.address(group=""),
        "many_schools": not desk.own and len(desk.choices.schools) > 1,
        "answer": answer,
        "views": _views(desk),
        "tabs": _steps(desk),
    }
    show = _schools if desk.grouped else _cases
    return render(request, "review/queue.html", context | show(desk))


def _cases(desk: Desk) -> dict[str, Any]:
    page = desk.page()
    rows = shown_rows(desk, page.rows)
    # Where one programme is asked for, its column would say the same in every row.
    one_programme = bool(desk.filters.programme) and len({row.programme for row in page.rows}) < 2
    return {
        "page": page,
        "rows": rows,
        "columns": [(name, COLUMNS[name]) for name in desk.columns if not (name == "programme" and one_programme)],
        "all_columns": [(name, label, name in desk.columns) for name, label in COLUMNS.items() if name != ALWAYS],
        "previous": f"?{desk.address(before=page.previous)}" if page.previous else "",
        "next": f"?{desk.address(after=page.next)}" if page.next else "",
        "kinds": [KINDS[name] for name in BULK_ACTS],
    }


def _schools(desk: Desk) -> dict[str, Any]:
    found = queries.by_school(desk.question)
    codes = {path: code for code, (path, _name) in desk.choices.schools.items()}
    lines = [
        {
            "of": of,
            "code": codes.get(of.path, ""),
            "name": desk.choices.offices.get(of.path, ""),
            "address": desk.address(group="", school=codes.get(of.path, "")),
            "late": of.oldest is not None and of.oldest < desk.today,
        }
        for of in found
    ]
    return {"lines": lines}


# ---------------------------------------------------------------- tabs


def _views(desk: Desk) -> list[dict[str, Any]]:
    queue = reverse("review:queue")
    return [
        {
            "name": view,
            "label": VIEWS[view],
            "url": f"{queue}?{desk.plain(view, '' if view in OWN else _tab_step(desk))}",
            "current": view == desk.view,
            "key": f"{number} g{number}",
        }
        for number, view in enumerate(desk.views, start=1)
    ]


def _steps(desk: Desk) -> list[dict[str, Any]]:
    queue = reverse("review:queue")
    return [
        {"name": step, "url": f"{queue}?{desk.plain('', step)}", "current": step == desk.step} for step in _switch(desk)
    ]


def _tab_step(desk: Desk) -> str:
    return desk.step if desk.step in desk.steps else next(iter(desk.steps), "")


def _switch(desk: Desk) -> list[str]:
    """The steps to switch between; none for who has only one."""
    return list(desk.steps) if len(desk.steps) > 1 else []


@require_GET
@never_cache
@login_required
def counts(request: HttpRequest) -> HttpResponse:
    """How much each view holds without filters, and each step where the person has several.

    The page asks for it once it stands: six counts up to the cap take longer than the page itself.
    """
    desk = _desk(request, request.GET)
    reach = desk.choices.reach(desk.steps.get(_tab_step(desk), []))
    reader = desk.question.reader
    asked = {
        view: Question("" if view in OWN else _tab_step(desk), reach, Filters(), view, desk.today, reader)
        for view in desk.views
    }
    asked |= {step: Question(step, desk.reaches[step], today=desk.today) for step in _switch(desk)}
    found = zip(asked, queries.counted(list(asked.values())), strict=True)
    said = [(name, f"{COUNT_CAP}+" if count > COUNT_CAP else str(count)) for name, count in found]
    return render(request, "review/_counts.html", {"counts": said})


def _saved(desk: Desk) -> list[dict[str, Any]]:
    here = _narrowing(desk)
    return [
        {"pk": saved.pk, "name": saved.name, "url": f"?{saved.query}", "current": saved.query == here}
        for saved in desk.choices.saved
    ]


def _narrowing(desk: Desk) -> str:
    """What is saved of an address: view, step and filters, but nobody's name or number."""
    return desk.address(**{name: "" for name in KEPT if name not in ("view", "step", "order", *NARROWING)})


# ---------------------------------------------------------------- filters


def _filter_form(desk: Desk) -> FilterForm:
    initial = {name: desk.values.get(name, "") for name in KEPT}
    initial["find"] = desk.values.get("name", "") or desk.values.get("number", "")
    return FilterForm(initial=initial, choices=desk.choices, today=desk.today, across=desk.own, auto_id="filter-%s")


@require_POST
@login_required
def find(request: HttpRequest) -> HttpResponse:
    """Turns the filter form into the queue's address, so that an ID number never stands in one."""
    desk = _desk(request, request.POST)
    form = FilterForm(request.POST, choices=desk.choices, today=desk.today, across=desk.own)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
        return _to(desk.address(name="", person="", number="", amount_from="", amount_to=""))
    fresh = dict.fromkeys(set(KEPT) - {"view", "step", "group"}, "")
    return _to(desk.address(**(fresh | form.address())))


def _desk(request: HttpRequest, values: QueryDict) -> Desk:
    """The desk of somebody who has one. Raises PermissionDenied."""
    desk = Desk(request, values)
    if not desk.views:
        raise PermissionDenied("sees no case")
    return desk


def _back(request: HttpRequest) -> Desk:
    """The desk as it was when a form of the queue page was sent."""
    return _desk(request, QueryDict(request.POST.get("back", "")))


def _to(query: str) -> HttpResponse:
    return redirect(f"{reverse('review:queue')}?{query}" if query else reverse("review:queue"))


def _answer(request: HttpRequest, desk: Desk) -> Answer | None:
    """What the decision named in the address led to."""
    key = request.GET.get("done", "")
    return queries.answer(desk.by, key, prefixes(request, "view_case")) if TOKEN.fullmatch(key) else None


# ---------------------------------------------------------------- the next one for me


@require_POST
@never_cache
@login_required
def next_one(request: HttpRequest) -> HttpResponse:
    """下一件: takes on the next case of the queue that is free, and opens it; else one that waits for a signature."""
    desk = _back(request)
    if desk.own:  # from there one goes on with the office's
        desk = _desk(request, QueryDict(desk.plain()))
    result = actions.next_one(desk.question, desk.by) if desk.step else None
    if result is not None and result.ok:
        found = queries.case_of(result.task_id)
        return redirect(case_address(found, QueryDict(desk.address())))
    to_sign = queries.next_to_sign(desk.question)
    if to_sign is not None:
        return redirect(case_address(to_sign, QueryDict("view=mine")))
    nothing = _("Nothing is free: colleagues have taken on what waits here, or it is not yours to judge.")
    messages.info(request, result.message if result is not None else nothing)
    return _to(_back(request).here())


# ---------------------------------------------------------------- the person's own desk


@require_POST
@login_required
def save_filter(request: HttpRequest) -> HttpResponse:
    """Saves the present view and filters under a name of the person's own."""
    desk = _back(request)
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please give the filter a name of at most 20 characters."))
    elif not actions.save_filter(desk.by.key, form.cleaned_data["name"], _narrowing(desk)):
        messages.error(request, _("%(count)s filters are saved already; delete one first.") % {"count": MOST_SAVED})
    return _to(desk.here())


@require_POST
@login_required
def forget_filter(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a saved filter; only one's own."""
    desk = _back(request)
    actions.forget_filter(desk.by.key, pk)
    return _to(desk.here())


@require_POST
@login_required
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Remembers the columns that the person wants to see."""
    desk = _back(request)
    form = ColumnsForm(request.POST)
    if form.is_valid():
        actions.choose_columns(desk.by.key, form.cleaned_data["columns"])
    return _to(desk.here())
