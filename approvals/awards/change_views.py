"""Proposing changes of awards and deciding them, one or many; the audit's hold; proofs; corrected rates."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from approvals.awards import actions, queries
from approvals.awards.actions.common import CONFIRMS, PROPOSES, SECONDS
from approvals.awards.actions.rates import CORRECTS
from approvals.awards.forms import ProofForm, ReasonForm, chosen
from approvals.awards.models import OPEN, AwardInstalment, AwardProposal
from approvals.awards.reasons import NAMES
from approvals.awards.refusals import Refused
from approvals.awards.views import PAGE, SEES, propose_form, show, visible
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.organisations.proposals import Answer
from approvals.programmes.models import Programme
from workflows.clock import today

MOST_TOLD = 5
"""Refusals that are told one by one."""
STEPS: dict[str, tuple[str, Callable[..., list[Answer]]]] = {
    "waiting": (CONFIRMS, actions.confirm),
    "to_second": (SECONDS, actions.second),
    "to_accept": (PROPOSES, actions.accept),
}
"""Whose turn it is in a state, and what they do."""


@require_POST
@requires(PROPOSES, CONFIRMS)
def propose(request: HttpRequest, award_id: int) -> HttpResponse:
    """Proposes a change of one award."""
    award = visible(request, award_id)
    form = propose_form(request, award, request.POST)
    if form is None:
        messages.error(request, str(Refused("wrong_state")))
        return redirect("awards:detail", award.pk)
    if form.is_valid():
        kind, code = form.change()
        data = form.cleaned_data
        try:
            [answer] = actions.propose(
                [award.pk], kind, code, data["text"], data["effective_on"], actor(request), _goal(form, kind)
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if answer.ok:
                messages.success(request, _("Proposed. It takes effect once it is confirmed."))
                return redirect("awards:detail", award.pk)
            form.add_error("effective_on" if answer.code.startswith(("date", "before")) else None, answer.refused)
    return show(request, award, form=form, status=422)


def _goal(form: Any, kind: str) -> actions.Goal:
    return form.goal() if kind == "transfer" else actions.Goal()


@require_POST
@requires("hold_award")
def audit(request: HttpRequest, award_id: int) -> HttpResponse:
    """Holds an award for the audit, or releases it."""
    award = visible(request, award_id)
    form = ReasonForm(request.POST)
    if form.is_valid():
        act = actions.release if request.POST.get("act") == "release" else actions.hold
        [answer] = act([award.pk], actor(request), form.cleaned_data["reason"])
        if answer.ok:
            messages.success(request, _("Done."))
            return redirect("awards:detail", award.pk)
        form.add_error(None, answer.refused)
    return show(request, award, audit_form=form, status=422)


@require_POST
@requires(PROPOSES, CONFIRMS)
def proof(request: HttpRequest, instalment_id: int) -> HttpResponse:
    """Records the proof of a year, or confirms it."""
    part = AwardInstalment.objects.filter(pk=instalment_id).select_related("term").first()
    if part is None:
        raise Http404
    award = visible(request, part.term.award_id)
    form = ProofForm(request.POST)
    confirms = request.POST.get("act") == "confirm"
    if confirms or form.is_valid():
        try:
            if confirms:
                actions.confirm_proof(part.pk, actor(request))
            else:
                actions.record_proof(part.pk, form.cleaned_data["text"], actor(request))
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Confirmed; this part can be paid.") if confirms else _("Recorded."))
        return redirect("awards:detail", award.pk)
    return show(request, award, proof_form=form, status=422)


# ---------------------------------------------------------------- the queue


@require_GET
@requires(SEES)
def proposals(request: HttpRequest) -> HttpResponse:
    """Proposals about awards: what waits, or what was decided."""
    return _queue(request, ReasonForm(), [], 200)


def _queue(request: HttpRequest, form: ReasonForm, ticked: Sequence[int], status: int) -> HttpResponse:
    done = request.GET.get("view") == "done"
    offices = prefixes(request, SEES)
    rows = queries.proposals_below(offices)
    if done:
        rows = rows.exclude(state__in=OPEN).order_by("-pk")
    else:
        rows = rows.filter(state__in=OPEN).order_by("pk")
    for key, column in (("kind", "kind"), ("programme", "award__programme")):
        if request.GET.get(key):
            rows = rows.filter(**{column: request.GET[key]})
    if (after := number(request.GET.get("after"))) is not None:
        rows = rows.filter(pk__lt=after) if done else rows.filter(pk__gt=after)
    found = list(rows[: PAGE + 1])
    following = request.GET.copy()
    if len(found) > PAGE:
        following["after"] = str(found[PAGE - 1].pk)
    names = {programme.code: str(programme) for programme in Programme.objects.all()}
    shown = [_row(request, each, names) for each in found[:PAGE]]
    return render(
        request,
        "awards/proposals.html",
        {
            "rows": shown,
            "next": f"?{following.urlencode()}" if len(found) > PAGE else "",
            "done": done,
            "tabs": _tabs(done),
            "decides": any(row["turn"] for row in shown),
            "withdraws": any(row["mine"] for row in shown),
            "form": form,
            "ticked": ticked,
            "on": today(),
        },
        status=status,
    )


def _row(request: HttpRequest, each: AwardProposal, names: dict[str, str]) -> dict[str, Any]:
    """A proposal, whether it is this person's turn, and why not where somebody else must confirm it."""
    person = request.user.person  # type: ignore[union-attr]
    place = each.path if each.state == "to_accept" else each.award.path
    holds = each.state in STEPS and may(request, STEPS[each.state][0], path=place)
    had_a_hand = person in (each.proposed_person, each.first_person)
    return {
        "proposal": each,
        "reason": NAMES.get(each.reason_code, each.reason_code),
        "programme": names.get(each.award.programme, each.award.programme),
        "sees_award": may(request, SEES, path=each.award.path),
        "turn": holds and not had_a_hand,
        "why": str(Refused("same_person")) if holds and had_a_hand else "",
        "mine": each.state in OPEN and person == each.proposed_person,
    }


def _tabs(done: bool) -> list[dict[str, Any]]:
    from django.urls import reverse

    address = reverse("awards:proposals")
    return [
        {"url": address, "label": _("Waiting"), "current": not done},
        {"url": f"{address}?view=done", "label": _("Decided"), "current": done},
    ]


@require_POST
@requires(PROPOSES, CONFIRMS, SECONDS)
def decide(request: HttpRequest) -> HttpResponse:
    """Confirms, declines or takes back the ticked proposals; an answer for each that was refused."""
    keys = chosen(request.POST.getlist("proposal"))
    answer = request.POST.get("answer", "")
    by = actor(request)
    form = ReasonForm(request.POST if answer == "decline" else None)
    if not keys:
        messages.error(request, _("Tick at least one row."))
        return redirect("awards:proposals")
    if answer == "decline" and not form.is_valid():
        return _queue(request, form, keys, 422)
    if answer == "decline":
        answers = actions.decline(keys, by, form.cleaned_data["reason"])
    elif answer == "withdraw":
        answers = actions.withdraw(keys, by)
    else:
        answers = _confirmed(keys, by)
    _tell(request, answers)
    return redirect("awards:proposals")


def _confirmed(keys: list[int], by: Any) -> list[Answer]:
    """Each confirmed by the step that it waits for."""
    states = dict(AwardProposal.objects.filter(pk__in=keys).values_list("pk", "state"))
    over = Refused("not_waiting")
    found = [Answer(pk, str(over), over.code) for pk in keys if states.get(pk) not in STEPS]
    for state, (_permission, act) in STEPS.items():
        found += act([pk for pk in keys if states.get(pk) == state], by)
    return found


def _tell(request: HttpRequest, answers: list[Answer]) -> None:
    done = sum(answer.ok for answer in answers)
    if done:
        messages.success(request, ngettext("%(count)s done.", "%(count)s done.", done) % {"count": done})
    refused = [answer for answer in answers if not answer.ok]
    rows = AwardProposal.objects.filter(pk__in=[each.key for each in refused]).select_related("award__student")
    names = {each.pk: each.award.student.name for each in rows}
    for answer in refused[:MOST_TOLD]:
        who = names.get(answer.key, "")
        messages.error(request, _("%(who)s: %(why)s") % {"who": who, "why": answer.refused} if who else answer.refused)
    if len(refused) > MOST_TOLD:
        more = len(refused) - MOST_TOLD
        messages.error(request, _("%(count)s more were refused as well.") % {"count": more})


@require_POST
@requires(CORRECTS)
def correct(request: HttpRequest) -> HttpResponse:
    """Takes a corrected rate over for a programme and term."""
    by = actor(request)
    totals = {"changed": 0, "differences": 0}
    for path in prefixes(request, CORRECTS):
        found = actions.correct_rates(request.POST.get("programme", ""), request.POST.get("term", ""), path, by)
        totals = {key: totals[key] + found[key] for key in totals}
    messages.success(
        request,
        _("Taken over: %(changed)s terms not paid yet have the new rate, %(differences)s paid ones a difference.")
        % totals,
    )
    return redirect("awards:differences")
