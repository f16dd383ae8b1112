"""The offices' pages: what waits to be noticed, each notice as the public will see it, and the acts on it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy as _p
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.notices import actions, history, queries
from approvals.notices.archive import panel
from approvals.notices.forms import ConcludeForm, ConclusionForm, EditForm, FindForm, ReasonForm, SignForm
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.objections import queries as objections
from approvals.notices.objections.models import HANDLES
from approvals.notices.paper import page_of, paper_of
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS
from approvals.organisations.access import actor, may, number, prefixes, require, requires
from approvals.organisations.models import Organisation
from approvals.people.identity import normalise_name
from approvals.programmes.models import Programme
from workflows import clock

PAGE = 50
VIEWS = {
    "open": (_p("notices", "Under way"), ("draft", "pending_review", "scheduled", "published", "paused", "closed")),
    "ended": (_p("notices", "Ended"), ("concluded", "taken_down", "archived")),
    "voided": (_p("notices", "Voided"), ("voided",)),
}
"""The tabs of the list, each with its states."""

# ---------------------------------------------------------------- lists


@require_GET
@requires("view_case")
def notice_list(request: HttpRequest) -> HttpResponse:
    """Notices of the person's offices, newest first, and above them what waits to be put on one."""
    mine = prefixes(request, "view_case")
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "open"
    notices = queries.notices_below(mine).filter(state__in=VIEWS[view][1])
    before = number(request.GET.get("before"))
    if before is not None:
        notices = notices.filter(pk__lt=before)
    rows = list(notices[: PAGE + 1])
    waiting = [row for step in STEPS.values() for row in queries.waiting(step, prefixes(request, step.draft))]
    return render(
        request,
        "notices/list.html",
        {
            "waiting": waiting,
            "drafts_here": bool(waiting) or any(prefixes(request, step.draft) for step in STEPS.values()),
            "tabs": _tabs(queries.counts_by_state(mine), view),
            "notices": [(notice, queries.working_days_left(notice)) for notice in rows[:PAGE]],
            "first": f"?view={view}" if before else "",
            "next": f"?view={view}&before={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
            "today": clock.today(),
        },
    )


def _tabs(counts: dict[str, int], view: str) -> list[dict[str, Any]]:
    return [
        {
            "url": f"?view={key}",
            "label": label,
            "count": sum(counts.get(state, 0) for state in states) or "",
            "current": key == view,
        }
        for key, (label, states) in VIEWS.items()
    ]


@require_POST
@requires(*(step.draft for step in STEPS.values()))
def draft(request: HttpRequest) -> HttpResponse:
    """Drafts one notice of all that waits at a step of an office for a programme and term; of a class, where the step
    has a list for each; as a supplement of an original, where that is chosen.
    """
    step = request.POST.get("step", "")
    organisation = get_object_or_404(Organisation, pk=number(request.POST.get("organisation")))
    programme = get_object_or_404(Programme, pk=request.POST.get("programme", ""))
    if step not in STEPS:
        raise PermissionDenied
    try:
        notice = actions.draft(
            step,
            organisation,
            programme,
            request.POST.get("term", ""),
            actor(request),
            group=(request.POST.get("grade", ""), request.POST.get("class_name", "")),
            supplements=number(request.POST.get("supplements")),
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("notices:list")
    messages.success(request, _("Drafted. Check the text, then hand it to the signer."))
    return redirect("notices:detail", notice.pk)


# ---------------------------------------------------------------- one notice


@require_GET
@requires("view_case")
def detail(request: HttpRequest, notice_id: int) -> HttpResponse:
    """One notice as the public sees or will see it, its clock, and what this person can do with it."""
    return _detail(request, _notice(request, notice_id))


@require_POST
@requires("view_case")
def find(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The same page with the lines of a pupil looked for; by POST, so that no address holds a name."""
    notice = _notice(request, notice_id)
    form = FindForm(request.POST)
    hits = None
    if form.is_valid():
        name = normalise_name(form.cleaned_data["name"])
        hits = paper_of(notice, list(queries.lines_of(notice, name)[:PAGE])) if name else None
    return _detail(request, notice, find_form=form, hits=hits)


def _notice(request: HttpRequest, notice_id: int) -> Notice:
    notice = get_object_or_404(queries.notices_below([""]), pk=notice_id)
    require(request, "view_case", path=notice.path)
    return notice


def _detail(request: HttpRequest, notice: Notice, status: int = 200, **given: Any) -> HttpResponse:
    missing = queries.missing(notice)
    can = _can(request, notice, missing)
    content = queries.content(notice)
    unpublished = notice.state in ("draft", "pending_review", "scheduled", "paused")
    given.setdefault("findings", actions.privacy_findings(notice, clock.today()) if unpublished else [])
    context = {
        "notice": notice,
        "paper": paper_of(notice, *page_of(queries.listed(notice), number(request.GET.get("after")), PAGE)),
        "can": can,
        "count": content.count,
        "amount": content.amount,
        "removed": queries.removed(notice),
        "days_left": queries.working_days_left(notice),
        "over": notice.state == "published" and not queries.is_current(notice, clock.today()),
        "conclusion": history.CONCLUSIONS.get(notice.conclusion, ""),
        "lines": history.timeline(notice),
        "editions": list(queries.editions(notice)) if notice.edition else [],
        "supplementary": list(queries.supplements_of(notice)) if notice.published_at else [],
        "missing": missing,
        "sign_form": SignForm(initial=_today() | {"seen": content.mark}),
        "send_back_form": ReasonForm("send_back"),
        "recall_form": ReasonForm("recall"),
        "pause_form": ReasonForm("pause"),
        "void_form": ReasonForm("void"),
        "propose_form": ConclusionForm(initial={"text": notice.conclusion_text}),
        "conclude_form": ConcludeForm(initial={"seen": notice.conclusion_text}),
        "find_form": FindForm(),
        "objections": objections.counts(notice),
        "held": objections.held_numbers(notice),
        "handles_objections": may(request, HANDLES, path=notice.path),
    }
    context |= panel.context(notice, by=actor(request))
    return render(request, "notices/detail.html", context | given, status=status)


def _today() -> dict[str, Any]:
    today = clock.today()
    return {"sealed_on": today, "publish_on": today}


def _can(request: HttpRequest, notice: Notice, missing: queries.Missing | None) -> dict[str, bool]:
    """What this person may do with the notice as it stands; each act asks again when it is executed."""
    step = queries.step_of(notice)
    drafts, signs = may(request, step.draft, path=notice.path), may(request, step.sign, path=notice.path)
    open_still = queries.may_still_change(notice)
    pending = notice.state == "pending_review"
    mine = signs and pending and actions.worked_on(notice, actor(request))
    contested = notice.state == "closed" and notice.contested
    proposed = contested and notice.conclusion_person is not None
    own_words = notice.conclusion_person == actor(request).user.person
    return {
        "edit": drafts and notice.state in ("draft", "paused"),
        "submit": drafts and notice.state in ("draft", "paused"),
        "sign": signs and pending and not mine,
        "is_drafter": mine,
        "send_back": signs and pending,
        "recall": signs and notice.state == "scheduled",
        "pause": (drafts or signs) and notice.state == "published" and open_still,
        "void": (signs and open_still) or (drafts and notice.state == "draft"),
        "withdraw": may(request, step.reviewer, path=notice.path) and open_still,
        "propose": drafts and contested,
        "conclude": signs and proposed and not own_words and not missing,
        "is_proposer": signs and proposed and own_words,
        "print": notice.state == "published",
    }


@require_http_methods(["GET", "POST"])
@requires(*(step.draft for step in STEPS.values()))
def edit(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The author's part of a draft: title, remark, contact; of one taken out of view, the columns that are shown."""
    notice = _notice(request, notice_id)
    require(request, queries.step_of(notice).draft, path=notice.path)
    form = EditForm(request.POST or None, instance=notice)
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit(notice_id, actor(request), **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Saved."))
            return redirect("notices:detail", notice_id)
    return render(request, "notices/edit.html", {"form": form, "notice": Notice.objects.get(pk=notice_id)})


@require_POST
@requires("view_case")
def submit(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Hands a draft to the signer; what is private is shown where it stands."""
    return _act(request, notice_id, actions.submit, _("Handed to the signer."))


@require_POST
@requires("view_case")
def publish(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Signs: public at once, or by itself on a later day. What was typed stays when it is refused."""
    notice = _notice(request, notice_id)
    form = SignForm(request.POST)
    if not form.is_valid():
        return _detail(request, notice, 422, sign_form=form)
    given = form.cleaned_data
    try:
        signed = actions.publish(notice_id, actor(request), **given)
    except Refused as refused:
        messages.error(request, str(refused))
        if refused.code == "wrong_state":
            return redirect("notices:detail", notice_id)
        mark = queries.content(notice).mark
        again = SignForm(initial=given | {"seen": mark} | ({"privacy_checked": False} if mark != given["seen"] else {}))
        findings = {"findings": refused.findings} if refused.findings else {}
        return _detail(request, notice, 422, sign_form=again, **findings)
    done = _("Published. It is public now.")
    messages.success(request, _("Signed. It becomes public on its day.") if signed.state == "scheduled" else done)
    return redirect("notices:detail", notice_id)


@require_POST
@requires("view_case")
def send_back(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The signer gives it back to its author."""
    return _act_with_reason(request, notice_id, "send_back", _("Sent back to its author."))


@require_POST
@requires("view_case")
def recall(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The signer takes a notice back before its day."""
    return _act_with_reason(request, notice_id, "recall", _("Taken back. Its author has it again."))


@require_POST
@requires("view_case")
def pause(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Takes a public notice out of view at once."""
    done = _("Taken out of public view. Correct it and hand it to the signer, or have it voided.")
    return _act_with_reason(request, notice_id, "pause", done)


@require_POST
@requires("view_case")
def propose(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The drafting office proposes the words of a conclusion; they stay when they are refused."""
    form = ConclusionForm(request.POST)
    notice = _notice(request, notice_id)
    if form.is_valid():
        try:
            actions.propose(notice_id, actor(request), form.cleaned_data["text"])
        except Refused as refused:
            form.add_error("text", str(refused))
        else:
            messages.success(request, _("Proposed. The signer concludes the notice."))
            return redirect("notices:detail", notice_id)
    return _detail(request, notice, 422, propose_form=form)


@require_POST
@requires("view_case")
def conclude(request: HttpRequest, notice_id: int) -> HttpResponse:
    """The signer concludes a notice that was objected to."""
    form = ConcludeForm(request.POST)
    seen = form.cleaned_data["seen"] if form.is_valid() else ""
    return _act(request, notice_id, actions.conclude, _("Concluded and taken down."), seen=seen)


@require_POST
@requires("view_case")
def void(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Voids a notice: it is hidden at once."""
    done = _("Voided. Its applications wait for another notice.")
    return _act_with_reason(request, notice_id, "void", done)


def _act_with_reason(request: HttpRequest, notice_id: int, act: str, done: str) -> HttpResponse:
    form = ReasonForm(act, request.POST)
    if not form.is_valid():
        return _detail(request, _notice(request, notice_id), 422, **{f"{act}_form": form})
    return _act(request, notice_id, getattr(actions, act), done, reason=form.reason)


def _act(request: HttpRequest, notice_id: int, act: Callable[..., Notice], done: str, **given: Any) -> HttpResponse:
    notice = _notice(request, notice_id)
    try:
        act(notice_id, actor(request), **given)
    except Refused as refused:
        messages.error(request, str(refused))
        if refused.findings:
            return _detail(request, notice, 422, findings=refused.findings)
        return redirect("notices:detail", notice_id)
    messages.success(request, done)
    return redirect("notices:detail", notice_id)


@require_http_methods(["GET", "POST"])
@requires(*(step.reviewer for step in STEPS.values()))
def withdraw(request: HttpRequest, notice_id: int, line_id: int) -> HttpResponse:
    """Takes one line off a list, with a reason: its case goes back to review."""
    notice = _notice(request, notice_id)
    require(request, queries.step_of(notice).reviewer, path=notice.path)
    lines = NoticeLine.objects.select_related("case__application__student").defer(
        "case__application__student__id_number", "case__application__student__enrolment_no"
    )
    line = get_object_or_404(lines, pk=line_id, notice=notice)
    form = ReasonForm("adjust", request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            result = actions.withdraw_line(line_id, actor(request), form.reason)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect("notices:detail", notice_id)
        if result.ok:
            messages.success(request, _("Taken off the list. The application is back in review."))
            return redirect("notices:detail", notice_id)
        form.add_error(None, result.message)
    columns = [(heading, line.shown.get(heading, "")) for heading in notice.columns]
    return render(request, "notices/withdraw.html", {"notice": notice, "line": line, "columns": columns, "form": form})
