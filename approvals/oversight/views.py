"""The audit's page, its lists, a finding, and what an office is to put right."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from approvals.organisations import tables
from approvals.organisations.access import actor, may, number, prefixes, require, requires
from approvals.oversight import actions, queries
from approvals.oversight.audits.base import Audit
from approvals.oversight.audits.registry import audit_of
from approvals.oversight.forms import AnswerForm, WhyForm
from approvals.oversight.models import RECTIFIES, SEES, STATES, VERIFIES, Finding
from approvals.oversight.refusals import Refused
from approvals.people.masking import mask_name
from workflows import clock, record

PAGE = 50
MOST = 20_000
"""Rows of one file."""


@require_GET
@requires(SEES)
def audit(request: HttpRequest) -> HttpResponse:
    """The fifteen standing queries, with what is open, overdue and how old; by township."""
    offices, on = prefixes(request, SEES), clock.today()
    places = queries.townships(offices)
    at = request.GET.get("at", "")
    at = at if at in {place.path for place in places} else ""
    run = queries.latest_run()
    context = {
        "rows": queries.standings(offices, at, on, queries.last_done()),
        "townships": places,
        "at": at,
        "places": queries.by_township(offices, on),
        "run": run,
        "may_verify": may(request, VERIFIES),
        "to_verify": queries.to_verify(prefixes(request, VERIFIES)).count() if may(request, VERIFIES) else 0,
    }
    return render(request, "oversight/audit.html", context)


@require_POST
@requires(VERIFIES)
def look_again(request: HttpRequest) -> HttpResponse:
    """Has all queries asked again, in the background."""
    actions.ask(actor(request))
    messages.success(request, _("The queries are being asked again; reload the page in a minute."))
    return redirect("oversight:audit")


# ---------------------------------------------------------------- lists


def _audit(code: str) -> Audit:
    found = audit_of(code)
    if found is None:
        raise Http404
    return found


def _filtered(request: HttpRequest, code: str) -> tuple[Any, dict[str, str]]:
    wanted = {"state": request.GET.get("state", ""), "at": request.GET.get("at", "")}
    if wanted["state"] not in {"all", *dict(STATES)}:
        wanted["state"] = ""
    rows = queries.of_query(prefixes(request, SEES), code, **wanted)
    if request.GET.get("overdue"):
        rows, wanted["overdue"] = rows.filter(queries.overdue(clock.today())), "1"
    return rows, wanted


@require_GET
@requires(SEES)
def findings(request: HttpRequest, code: str) -> HttpResponse:
    """What one query has found."""
    asked = _audit(code)
    rows, wanted = _filtered(request, code)
    if (after := number(request.GET.get("after"))) is not None:
        rows = rows.filter(pk__gt=after)
    page = list(rows[: PAGE + 1])
    following = request.GET.copy()
    if len(page) > PAGE:
        following["after"] = str(page[PAGE - 1].pk)
    chosen = request.GET.copy()
    chosen.pop("after", None)
    context = {
        "audit": asked,
        "owner": queries.OWNERS[asked.owner],
        "severity": queries.SEVERITIES[asked.severity],
        "findings": _told(page[:PAGE]),
        "wanted": wanted,
        "states": STATES,
        "townships": queries.townships(prefixes(request, SEES)),
        "next": f"?{following.urlencode()}" if len(page) > PAGE else "",
        "first": f"?{chosen.urlencode()}" if after is not None else "",
        "chosen": chosen.urlencode(),
        "may_assign": may(request, VERIFIES) and any(each.state == "open" for each in page),
        "today": clock.today(),
    }
    return render(request, "oversight/findings.html", context)


def _told(rows: list[Finding]) -> list[Finding]:
    """Findings with their sentences and places, for a template."""
    words = queries.Words(rows)
    for row in rows:
        row.sentence, row.where = words.sentence(row), words.place(row)  # type: ignore[attr-defined]
    return rows


@require_GET
@requires(SEES)
def export(request: HttpRequest, code: str, ending: str) -> HttpResponse:
    """The list as a file, as it is filtered; names masked. Who had it made stands on the record."""
    _audit(code)
    rows, wanted = _filtered(request, code)
    found = _told(list(rows[:MOST]))
    heading = [
        _("Query"),
        _("School or office"),
        _("Pupil"),
        _("Finding"),
        _("Yuan"),
        _("State"),
        _("Found on"),
        _("Due on"),
    ]
    table = (
        [each.query, each.where, mask_name(each.student.name) if each.student else "", each.sentence,  # type: ignore
         str(each.amount or ""), str(each.get_state_display()), str(each.first_seen), str(each.due_on or "")]
        for each in found
    )  # fmt: skip
    by, office = actor(request), prefixes(request, SEES)[0]
    record.write("export", "audit", [0], by, path=office, data={"query": code, "rows": len(found), **wanted})
    return tables.download(code, ending, heading, table, sheet=code)


@require_POST
@requires(VERIFIES)
def assign(request: HttpRequest) -> HttpResponse:
    """Hands the ticked findings to their offices."""
    ids = [key for key in map(number, request.POST.getlist("finding")) if key is not None]
    back = request.POST.get("query", "")
    try:
        if not ids:
            messages.error(request, _("Please tick at least one finding."))
        else:
            count = actions.assign(ids, actor(request))
            said = ngettext("%(count)s finding handed over.", "%(count)s findings handed over.", count)
            messages.success(request, said % {"count": count})
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("oversight:findings", back) if audit_of(back) else redirect("oversight:audit")


@require_GET
@requires(RECTIFIES, VERIFIES)
def to_rectify(request: HttpRequest) -> HttpResponse:
    """What this person's office is to put right; for the audit, what waits to be verified."""
    verifies = may(request, VERIFIES)
    rows = (
        queries.to_verify(prefixes(request, VERIFIES)) if verifies else queries.to_rectify(prefixes(request, RECTIFIES))
    )
    start = number(request.GET.get("from")) or 0
    page = list(rows[start : start + PAGE + 1])
    context = {
        "findings": _told(page[:PAGE]),
        "verifies": verifies,
        "today": clock.today(),
        "first": "?" if start else "",
        "next": f"?from={start + PAGE}" if len(page) > PAGE else "",
    }
    return render(request, "oversight/to_rectify.html", context)


# ---------------------------------------------------------------- one finding


def _seen(request: HttpRequest, finding_id: int) -> Finding:
    finding = queries.one(finding_id)
    if finding is None:
        raise Http404
    require(request, SEES, path=finding.path)
    return finding


@require_GET
@requires(SEES)
def detail(request: HttpRequest, finding_id: int) -> HttpResponse:
    """A finding: what was found, where it stands, what was done, what this person can do."""
    return _detail(request, _seen(request, finding_id))


def _detail(request: HttpRequest, finding: Finding, status: int = 200, **given: Any) -> HttpResponse:
    [finding] = _told([finding])
    verifies = may(request, VERIFIES, path=finding.path)
    other = finding.rectified_person != actor(request).user.person
    context = {
        "finding": finding,
        "audit": audit_of(finding.query),
        "lines": queries.timeline(finding),
        "overdue": finding.state == "assigned" and finding.due_on is not None and finding.due_on < clock.today(),
        "sees_case": finding.case_id is not None and may(request, "view_case", path=finding.place),
        "sees_batch": finding.batch_id is not None
        and may(request, "make_batch", "check_batch", "approve_batch", "view_record"),
        "sees_coverage": finding.query == "A10" and may(request, "view_coverage", path=finding.place),
        "can_assign": verifies and finding.state == "open",
        "can_rectify": finding.state == "assigned" and may(request, RECTIFIES, path=finding.path),
        "can_verify": verifies and other and finding.state == "rectified",
        "can_explain": verifies and other and finding.is_open,
        "answer_form": AnswerForm(),
        "back_form": WhyForm(prefix="back"),
        "explain_form": WhyForm(prefix="explain"),
    }
    return render(request, "oversight/finding.html", context | given, status=status)


def _act(request: HttpRequest, finding: Finding, act: Callable[[], object], done: str, **given: Any) -> HttpResponse:
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _detail(request, _seen(request, finding.pk), 422, **given)
    messages.success(request, done)
    return redirect("oversight:finding", finding.pk)


@require_POST
@requires(RECTIFIES)
def rectify(request: HttpRequest, finding_id: int) -> HttpResponse:
    """The office says what it did."""
    finding, form = _seen(request, finding_id), AnswerForm(request.POST)
    if not form.is_valid():
        return _detail(request, finding, 422, answer_form=form)
    answer = form.cleaned_data["answer"]
    done = _("Sent to the audit, which verifies it.")
    return _act(request, finding, lambda: actions.rectify(finding_id, actor(request), answer), done, answer_form=form)


@require_POST
@requires(VERIFIES)
def verify(request: HttpRequest, finding_id: int) -> HttpResponse:
    """What was done is right."""
    finding = _seen(request, finding_id)
    return _act(
        request, finding, lambda: actions.verify(finding_id, actor(request)), _("Verified; the finding is closed.")
    )


@require_POST
@requires(VERIFIES)
def send_back(request: HttpRequest, finding_id: int) -> HttpResponse:
    """It is not right yet."""
    finding, form = _seen(request, finding_id), WhyForm(request.POST, prefix="back")
    if not form.is_valid():
        return _detail(request, finding, 422, back_form=form)
    reason = form.cleaned_data["reason"]
    done = _("Sent back to the office.")
    return _act(request, finding, lambda: actions.send_back(finding_id, actor(request), reason), done, back_form=form)


@require_POST
@requires(VERIFIES)
def explain(request: HttpRequest, finding_id: int) -> HttpResponse:
    """It is no violation."""
    finding, form = _seen(request, finding_id), WhyForm(request.POST, prefix="explain")
    if not form.is_valid():
        return _detail(request, finding, 422, explain_form=form)
    reason = form.cleaned_data["reason"]
    done = _("Kept as explained.")
    return _act(request, finding, lambda: actions.explain(finding_id, actor(request), reason), done, explain_form=form)
