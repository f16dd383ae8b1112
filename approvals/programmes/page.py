"""What a programme's page says, for the offices' pages and for the public site: in sentences, from its definition."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.translation import get_language, gettext
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations import queries as organisations
from approvals.organisations.stages import STAGES
from approvals.programmes import queries
from approvals.programmes.definition import PAYING_STEPS, Definition, route
from approvals.programmes.evidence import EVIDENCE
from approvals.programmes.queries import Offer
from approvals.programmes.terms import Term

KINDS = {
    "bank_transfer": _p("disbursement", "Paid to the pupil's own card, each term"),
    "fee_waiver_settlement": _p(
        "disbursement", "Waived by the school directly; settled with the school, paid to nobody"
    ),
    "none": _p("disbursement", "No payment"),
}


def whole(offer: Offer, day: date) -> dict[str, Any]:
    """Everything: whom it is for, rules, papers, windows, rates with their sources, route and notices."""
    definition = offer.version.rules
    return short(offer, day) | {
        "definition": definition,
        "who": _who(definition, day),
        "rules": [rule.asks.in_language(get_language()) for rule in definition.rules],
        "evidence": [EVIDENCE[kind] for kind in definition.evidence],
        "windows": offer.windows,
        "rates": [_rate(definition, rate) for rate in offer.rates],
        "steps": _steps(definition),
        "limits": [(step, definition.limits.get(step)) for step in _steps(definition)],
        "notices": [
            {"step": step, "rule": rule, "columns": "、".join(rule.columns)}
            for step, rule in definition.notices.items()
        ],
    }


def short(offer: Offer, day: date) -> dict[str, Any]:
    """In short: what it is, whether it is open, what it gives now."""
    definition = offer.version.rules
    term = Term.on(day).code
    now = {rate.pk: rate for stage in definition.stages for rate in queries.in_force(offer.rates, term, stage).values()}
    return {
        "programme": offer.version.programme,
        "version": offer.version.number,
        "about": definition.about.in_language(get_language()),
        "open": offer.open_window(day),
        "term": term,
        "now": [_rate(definition, rate) for rate in now.values()],
    }


def _rate(definition: Definition, rate: Any) -> dict[str, Any]:
    english = get_language() == "en"
    tiers = {tier.code: tier.name_en if english else tier.name for tier in definition.tiers}
    what = [STAGES.get(rate.stage, ""), tiers.get(rate.tier, "")]
    return {"what": " ".join(str(word) for word in what if word), "rate": rate}


def _who(definition: Definition, day: date) -> list[tuple[str, str]]:
    """(label, value) pairs that say whom the programme is for."""
    found = [(gettext("Stages"), _listed(str(STAGES[stage]) for stage in definition.stages))]
    if definition.boarder is not None:
        boarding = gettext("Boarders only") if definition.boarder else gettext("Day pupils only")
        found.append((gettext("Boarding"), boarding))
    if definition.schools:
        schools = [organisations.school_by_code(code, day) for code in definition.schools]
        found.append((gettext("Schools"), _listed(school.name for school in schools if school)))
    found.append((gettext("Disbursement"), str(KINDS[definition.disbursement])))
    return found


def _steps(definition: Definition) -> list[str]:
    """The steps of an application that nothing holds up, from the school's review to the decision."""
    passed = [step.name for step in route(definition.flow) if step.passes(definition.steps)]
    return [name for name in passed if name != "draft" and name not in PAYING_STEPS]


def _listed(words: Iterable[str]) -> str:
    return (", " if get_language() == "en" else "、").join(words)
