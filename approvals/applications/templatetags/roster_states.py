"""Names of the states of rosters and lists for templates, and what hits say."""

from django import template

from approvals.applications import hits, matching, register_queries
from approvals.applications.models import Hit, Roster
from approvals.applications.roster_queries import state_name
from approvals.applications.sources import registry

register = template.Library()


@register.filter
def roster_state(roster: Roster) -> str:
    """The name of a roster's state."""
    return state_name(roster)


@register.filter
def list_state(state: str) -> str:
    """The name of a list's state."""
    return str(register_queries.STATES.get(state, state))


@register.filter
def run_state(state: str) -> str:
    """The name of a match run's state."""
    return str(register_queries.RUN_STATES.get(state, state))


@register.filter
def kind_title(code: str) -> str:
    """What a kind of list is called."""
    return matching.source_name(code)


@register.filter
def hit_title(code: str) -> str:
    """What a hit's code is called."""
    says = registry.says(code)
    return str(says.title) if says else code


@register.filter
def hit_says(hit: Hit) -> str:
    """What a hit says of its application."""
    return matching.sentence(hit.code, hit.values)


@register.filter
def closed_because(hit: Hit) -> str:
    """Why a hit is no longer found."""
    return str(hits.CLOSED.get(hit.closed_why, hit.closed_why))


@register.filter
def weight_name(weight: str) -> str:
    """What a hit asks for."""
    return str(register_queries.WEIGHTS.get(weight, weight))
