"""Awards: where each pupil's entitlement stands, one award with all that concerns it, differences, the letter."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals.awards import queries, timeline
from approvals.awards.actions.common import CONFIRMS, HOLDS, PROPOSES
from approvals.awards.actions.rates import CORRECTS
from approvals.awards.forms import ProofForm, ProposeForm, ReasonForm
from approvals.awards.models import LIVE, OPEN, STATES, Award
from approvals.awards.payments import PAID
from approvals.awards.reasons import KINDS, NAMES, TERMINATE
from approvals.organisations.access import may, number, prefixes, requires
from approvals.organisations.queries import county, schools_under
from approvals.organisations.roles import matrix
from approvals.programmes.models import Programme
from workflows.clock import today

PAGE = 50
FILTERS = ("programme", "state", "name", "school", "term")
SEES = "view_case"


@require_GET
@requires(SEES)
def award_list(request: HttpRequest) -> HttpResponse:
    """Awards of the person's offices, by programme, school, term, state and name, newest first."""
    wanted = {key: request.GET.get(key, "").strip() for key in FILTERS}
    offices = prefixes(request, SEES)
    awards = queries.filtered(queries.awards_below(offices), wanted)
    if (after := number(request.GET.get("after"))) is not None:
        awards = awards.filter(pk__lt=after)
    rows = list(awards[: PAGE + 1])
    following = request.GET.copy()
    if len(rows) > PAGE:
        following["after"] = str(rows[PAGE - 1].pk)
    schools = queries.schools_awarded(offices)
    return render(
        request,
        "awards/list.html",
        {
            "awards": rows[:PAGE],
            "next": f"?{following.urlencode()}" if len(rows) > PAGE else "",
            "wanted": wanted,
            "states": STATES,
            "programmes": queries.programmes_awarded(),
            "schools": [(str(school.pk), school.name) for school in schools],
            "terms": queries.terms_awarded(),
            "reasons": NAMES,
        },
    )


def visible(request: HttpRequest, award_id: int) -> Award:
    """An award of the person's offices; 404 for another."""
    award = queries.award(prefixes(request, SEES), award_id)
    if award is None:
        raise Http404
    return award


def may_propose(request: HttpRequest, award: Award) -> list[str]:
    """The changes that this person may propose of an award now."""
    school, county_ = (may(request, permission, path=award.path) for permission in (PROPOSES, CONFIRMS))
    return [
        kind
        for kind, _name in KINDS
        if matrix().in_state(f"award.propose_{kind}", award.state) and (school or (county_ and kind == TERMINATE))
    ]


def propose_form(request: HttpRequest, award: Award, data: Any = None) -> ProposeForm | None:
    """The form for what this person may propose; None for nothing."""
    kinds = may_propose(request, award)
    if not kinds:
        return None
    schools = schools_under([county().path], today()).exclude(pk=award.school_id)
    initial = {"effective_on": today()}
    return ProposeForm(data, kinds=kinds, schools=schools, on=today(), initial=initial)


@require_GET
@requires(SEES)
def award_page(request: HttpRequest, award_id: int) -> HttpResponse:
    """One award: what it gives, what was paid, what was proposed, the pupil's changes, its record, what can be done."""
    return show(request, visible(request, award_id))


def show(
    request: HttpRequest,
    award: Award,
    form: ProposeForm | None = None,
    audit_form: ReasonForm | None = None,
    proof_form: ProofForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of an award, with forms as they were filled in."""
    proposals = list(queries.proposals_of(award))
    waiting = next((each for each in proposals if each.state in OPEN), None)
    holds = may(request, HOLDS, path=award.path) and award.state in LIVE
    return render(
        request,
        "awards/detail.html",
        {
            "award": award,
            "stopped_for": NAMES.get(award.stopped_for, ""),
            "rows": queries.terms_of(award),
            "differences": award.differences.select_related("rate").order_by("term", "pk"),
            "proposals": [(each, NAMES.get(each.reason_code, each.reason_code)) for each in proposals],
            "waiting": waiting,
            "events": queries.events_of(award),
            "lines": timeline.lines(award.pk),
            "form": form or (None if waiting else propose_form(request, award)),
            "audit": holds and ("release" if award.audit_held else "hold"),
            "audit_form": audit_form or ReasonForm(),
            "proof_form": proof_form or ProofForm(),
            "records_proof": may(request, PROPOSES, path=award.path) and award.state in LIVE,
            "confirms_proof": may(request, CONFIRMS, path=award.path) and award.state in LIVE,
            "on": today(),
        },
        status=status,
    )


@require_GET
@requires(SEES)
def letter(request: HttpRequest, award_id: int) -> HttpResponse:
    """转出证明: what the pupil had here, for the new school's office; to be printed and sealed."""
    award = visible(request, award_id)
    if award.state != "transferred_out":
        raise Http404
    proposal = queries.proposals_of(award).filter(kind="transfer", state="confirmed").first()
    paid = [line for row in queries.terms_of(award) for line in row.lines if line.state in PAID]
    context = {"award": award, "proposal": proposal, "paid": paid, "county": county(), "on": today()}
    return render(request, "awards/letter.html", context)


@require_GET
@requires(SEES)
def differences(request: HttpRequest) -> HttpResponse:
    """What is still owed or to be recovered, and where rates were corrected."""
    offices = prefixes(request, SEES)
    rows = queries.differences(offices)
    if (after := number(request.GET.get("after"))) is not None:
        rows = rows.filter(pk__gt=after)
    found = list(rows.order_by("pk")[: PAGE + 1])
    corrects = may(request, CORRECTS)
    return render(
        request,
        "awards/differences.html",
        {
            "rows": found[:PAGE],
            "next": found[PAGE - 1].pk if len(found) > PAGE else None,
            "totals": queries.difference_totals(offices),
            "corrections": queries.corrections(prefixes(request, CORRECTS)) if corrects else [],
            "corrects": corrects,
            "names": {programme.code: str(programme) for programme in Programme.objects.all()},
        },
    )
