"""What the demo offers besides the product: a roster to try out."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from approvals.organisations.access import prefixes, requires
from approvals.organisations.queries import schools_under
from approvals.programmes.terms import Term
from project import demo_rosters
from project.walk import is_demo
from workflows.clock import today

ROWS = 40
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
@requires("submit_application")
def demo_roster(request: HttpRequest) -> HttpResponse:
    """A roster of the officer's own school for this term; some rows have errors unless `?errors=0`."""
    school = schools_under(prefixes(request, "submit_application")).first()
    if not is_demo(request) or school is None:
        raise Http404
    programme, term = demo_rosters.default_programme(school), Term.on(today()).code
    try:
        content = demo_rosters.roster(school, programme, term, ROWS, with_errors=request.GET.get("errors") != "0")
    except demo_rosters.NoRoster as error:
        raise Http404(str(error)) from error
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="roster-{school.code}-{term}.xlsx"'
    response["Cache-Control"] = "no-store"
    return response
