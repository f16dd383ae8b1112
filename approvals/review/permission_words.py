"""The permission matrix as people read it: by kind of thing, each act with the states, the permission and who may."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, override, pgettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.register_queries import STATES as LIST_STATES
from approvals.applications.roster_queries import STATES as ROSTER_STATES
from approvals.awards.models import PROPOSAL_STATES as AWARD_PROPOSAL_STATES
from approvals.awards.models import STATES as AWARD_STATES
from approvals.awards.models import EventList
from approvals.disbursement.models import BATCH_STATES, CORRECTION_STATES, LINE_STATES
from approvals.disbursement.recovery.models import RECOVERY_STATES
from approvals.notices.announcements.models import STATES as ANNOUNCEMENT_STATES
from approvals.notices.models import STATES as NOTICE_STATES
from approvals.notices.objections.models import STATES as OBJECTION_STATES
from approvals.organisations.models import PROPOSAL_STATES
from approvals.organisations.permissions_file import (
    ALWAYS,
    BELOW,
    EVERYBODY,
    LAST_DECISION,
    NEW,
    OWN,
    SYSTEM,
    Act,
    Family,
)
from approvals.organisations.roles import NAMES, matrix
from workflows.states import NAMES as CASE_STATES

STATES: dict[str, Mapping[str, Promise | str]] = {
    "aid": CASE_STATES,
    "application": CASE_STATES,
    "roster": ROSTER_STATES,
    "register": LIST_STATES,
    "notice": dict(NOTICE_STATES),
    "objection": dict(OBJECTION_STATES),
    "announcement": dict(ANNOUNCEMENT_STATES),
    "award": dict(AWARD_STATES),
    "award_proposal": dict(AWARD_PROPOSAL_STATES),
    "event_list": dict(EventList._meta.get_field("state").choices or []),
    "batch": dict(BATCH_STATES),
    "line": dict(LINE_STATES),
    "correction": dict(CORRECTION_STATES),
    "recovery": dict(RECOVERY_STATES),
    "proposal": dict(PROPOSAL_STATES),
    "account": {"open": _p("account", "In use"), "closed": _p("account", "Closed")},
    "freeze": {"running": _p("freeze", "Not ended")},
}
"""What the states are called, by what they are states of."""
NOT_PERMISSIONS: dict[str, Promise] = {
    SYSTEM: _("nobody: the system does it by itself"),
    LAST_DECISION: _("that of the decision taken back, by whoever made it"),
    EVERYBODY: _("everybody who is signed in"),
}
REACHES: dict[str, Promise] = {
    "own": _p("reach", "own office"),
    "own below": _p("reach", "own office and below"),
    "below": _p("reach", "offices below"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """Acts that need the same permission in the same states."""

    act: str
    states: list[str]
    needs: list[str]
    who: list[tuple[str, str]]
    """[(role, how far it reaches)]; empty where nobody may, as for what the system does."""
    own_case: bool


@dataclass(frozen=True, slots=True)
class Table:
    """The acts on one kind of thing."""

    name: str
    title: str
    rows: list[Row]
    has_cases: bool
    """Whether they are done to a case, which somebody may have prepared himself."""


def tables(role: str = "", family: str = "") -> list[Table]:
    """The matrix in the active language; only what one role may do, or of one kind of thing."""
    found = []
    for each in matrix().families:
        if family in ("", each.name):
            rows = [row for acts in _alike(each) for row in _rows(each, acts, role)]
            if rows:
                has_cases = each.of in ("aid", "application")
                found.append(Table(each.name, each.called.words(get_language()), rows, has_cases))
    return found


def _alike(family: Family) -> list[list[Act]]:
    """The acts of a family, those together that need the same in the same states."""
    groups: dict[tuple[Any, bool, bool], list[Act]] = {}
    for act in family.acts:
        groups.setdefault((frozenset(act.needs.items()), act.own_case, act.assigned), []).append(act)
    return list(groups.values())


def _rows(family: Family, acts: list[Act], role: str) -> Iterator[Row]:
    allowed, names = matrix(), STATES.get(family.of, {})
    groups: dict[frozenset[str], list[str]] = {}
    order = list(names)
    in_order = sorted(acts[0].needs.items(), key=lambda need: order.index(need[0]) if need[0] in names else 0)
    for state, needed in in_order:
        groups.setdefault(needed, []).append(state)
    between = pgettext("between items of a list", ", ")
    for needed, states in groups.items():
        reach = {name: {at for need in needed for at in allowed.reach.get((name, need), ())} for name in allowed.may}
        who = {name: " ".join(at for at in (OWN, BELOW) if at in found) for name, found in reach.items()}
        holders = [(name, reach) for name, reach in who.items() if reach]
        if role and role not in dict(holders) and not needed & {EVERYBODY, LAST_DECISION}:
            continue
        yield Row(
            between.join(act.called.words(get_language()) for act in acts),
            [_state(names, state) for state in states],
            [_assigned(_need(need)) if acts[0].assigned else _need(need) for need in sorted(needed)],
            [(str(NAMES[name]), str(REACHES[reach])) for name, reach in holders if role in ("", name)],
            acts[0].own_case,
        )


def _state(names: Mapping[str, Promise | str], state: str) -> str:
    if state == NEW:
        return "—"
    return gettext("any state") if state == ALWAYS else str(names[state])


def _assigned(need: str) -> str:
    return gettext("%(need)s (only the person named)") % {"need": need}


def _need(need: str) -> str:
    if need in NOT_PERMISSIONS:
        return str(NOT_PERMISSIONS[need])
    return matrix().called[need].words(get_language())


def roles() -> list[tuple[str, Promise]]:
    """The roles of the matrix with their names, in its order."""
    return [(role, NAMES[role]) for role in matrix().may]


def families() -> list[tuple[str, str]]:
    """The kinds of things with their names, in order."""
    return [(family.name, family.called.words(get_language())) for family in matrix().families]


# ---------------------------------------------------------------- for the docs

HEAD = """# Who may do what

Rendered from `fixtures/permissions.yaml` by `manage.py permissions --write`; a test holds it up to date. Whatever is
not listed is forbidden. A post gives its role's permissions at its own office and, where it says so, at the offices
below; never above and never elsewhere. “Own case” says whether also who entered, changed or submitted the application
himself may do it.
"""


def markdown() -> str:
    """The whole matrix in English, as docs/permissions.md."""
    with override("en"):
        parts = [HEAD]
        for table in tables():
            own = " | own case" if table.has_cases else ""
            lines = [f"## {table.title}\n", f"| act | in state | needs | who{own} |", "|---" * (5 if own else 4) + "|"]
            for row in table.rows:
                who = "<br>".join(f"{role}: {reach}" for role, reach in row.who) or "—"
                cells = [row.act, ", ".join(row.states), " or ".join(row.needs), who]
                cells += [("yes" if row.own_case else "no")] if own else []
                lines.append(f"| {' | '.join(cells)} |")
            parts.append("\n".join(lines) + "\n")
        parts.append(_incompatible())
    return "\n".join(parts)


def _incompatible() -> str:
    sets = [", ".join(str(NAMES[role]) for role in matrix().may if role in roles) for roles in matrix().incompatible]
    head = "## Incompatible roles\n\nOf each line one person holds one at most over the same office or school.\n"
    return "\n".join([head, *(f"- {names}" for names in sets), ""])
