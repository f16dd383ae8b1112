"""The policy pages as offices see them, open to everybody; the public site has its own of the same content."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals.programmes import queries
from approvals.programmes.page import short, whole
from workflows.clock import today


@require_GET
def programmes(request: HttpRequest) -> HttpResponse:
    """Every programme in short: what it is, whether it is open, what it gives now."""
    day = today()
    return render(request, "programmes/list.html", {"programmes": [short(offer, day) for offer in queries.offers()]})


@require_GET
def programme(request: HttpRequest, code: str) -> HttpResponse:
    """One programme: rules in sentences, rates with their sources, windows, route and notices."""
    offers = queries.offers(code)
    if not offers:
        raise Http404
    [offer] = offers
    return render(request, "programmes/detail.html", whole(offer, today()))
