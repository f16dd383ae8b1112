"""The queue page and its filters."""

import re
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from approvals.organisations.access import prefixes, requires
from approvals.review import queries
from approvals.review.desk import REVIEWS, Desk, shown_rows
from approvals.review.forms import KEPT, FilterForm
from approvals.review.queries import Answer

TOKEN = re.compile(r"(approve|return|reject):[0-9a-f-]{32,36}:[0-9a-f]{32}")


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
            "rows": shown_rows(page.rows, desk.choices, definitions, desk.today),
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
