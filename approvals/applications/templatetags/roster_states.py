"""Names of a roster's states for templates."""

from django import template

from approvals.applications.roster_queries import STATES

register = template.Library()


@register.filter
def roster_state(state: str) -> str:
    """The name of a roster's state."""
    return str(STATES.get(state, state))
