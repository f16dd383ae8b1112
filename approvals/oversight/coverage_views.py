"""应助尽助: figures by township and school, the pupils behind them, and the reason of one."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from approvals.organisations.access import actor, may, number, prefixes, require, requires
from approvals.organisations.models import Organisation
from approvals.organisations.queries import offices_under
from approvals.oversight import actions, coverage
from approvals.oversight.actions.covering import EXPLAINS
from approvals.oversight.forms import CoverageForm
from approvals.oversight.refusals import Refused
from approvals.people.models import Student
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes.terms import Term
from workflows import clock

SEES = "view_coverage"
PAGE = 50


def _term(request: HttpRequest) -> str:
    wanted, known = request.GET.get("term", ""), coverage.terms()
    here = Term.on(clock.today()).code
    return wanted if wanted in known else here


@require_GET
@requires(SEES)
def figures(request: HttpRequest) -> HttpResponse:
    """How many registered pupils are aided, on the way, refused, explained or not, by township and school."""
    offices, term = prefixes(request, SEES), _term(request)
    names = dict(Organisation.objects.filter(depth__lte=2).values_list("path", "name"))
    context = {
        "top": coverage.counts(term, offices, names, Organisation.steplen),
        "term": term,
        "terms": coverage.terms(),
        "standings": coverage.Standing.choices,
    }
    return render(request, "oversight/coverage.html", context)


@require_GET
@requires(SEES)
def pupils(request: HttpRequest) -> HttpResponse:
    """The pupils behind a figure; those without an explanation first of all."""
    term, standing = _term(request), request.GET.get("standing", "unexplained")
    standing = standing if standing in coverage.Standing.values else ""
    school, after = number(request.GET.get("school")), number(request.GET.get("after")) or 0
    offices = prefixes(request, SEES)
    rows = coverage.pupils(term, offices, standing, school, after, PAGE + 1)
    schools = offices_under(offices).filter(kind="school", valid_to=None)
    following = request.GET.copy()
    if len(rows) > PAGE:
        following["after"] = str(rows[PAGE - 1].id)
    context = {
        "pupils": [(row, _categories(row.categories), may(request, EXPLAINS, path=row.path)) for row in rows[:PAGE]],
        "term": term,
        "terms": coverage.terms(),
        "standing": standing,
        "standings": coverage.Standing.choices,
        "names": dict(coverage.Standing.choices),
        "school": school,
        "schools": schools,
        "next": f"?{following.urlencode()}" if len(rows) > PAGE else "",
    }
    return render(request, "oversight/coverage_pupils.html", context)


def _categories(codes: list[str]) -> str:
    return "、".join(str(SPECIAL_GROUPS.get(code, _("Disability"))) for code in codes)


@require_http_methods(["GET", "POST"])
@requires(EXPLAINS)
def reason(request: HttpRequest, student_id: int) -> HttpResponse:
    """Why a pupil has no aid in a term."""
    student = Student.objects.select_related("school").defer("id_number", "enrolment_no").filter(pk=student_id).first()
    if student is None:
        raise Http404
    require(request, EXPLAINS, path=student.school.path)
    term = _term(request)
    form = CoverageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        try:
            actions.explain_pupil(student_id, term, data["code"], data["text"], actor(request))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The reason is recorded."))
            return redirect(f"{reverse('oversight:coverage_pupils')}?term={term}&school={student.school_id}")
    context = {"student": student, "term": term, "form": form}
    return render(request, "oversight/coverage_reason.html", context, status=422 if form.is_bound else 200)
