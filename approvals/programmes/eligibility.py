"""Who may get a programme, by its own rules. Findings are shown and travel with the case; people judge."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import get_language, gettext, override

from approvals.organisations.models import SchoolForm
from approvals.organisations.stages import STAGES
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes import rules
from approvals.programmes.definition import Definition
from approvals.programmes.rules import FACTS

__all__ = ["FACTS", "Finding", "evaluate", "sentence"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one application: holds, does not, or (None) cannot be told from the facts known."""

    code: str
    holds: bool | None
    values: dict[str, Any] = field(default_factory=dict)
    """The facts that the rule read, as they were."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def evaluate(definition: Definition, facts: Mapping[str, Any]) -> list[Finding]:
    """One finding per rule of a programme, in its order. `facts` are those of `FACTS`; None or left out: unknown.

    A missing or ill-typed fact makes a rule unknown, never an exception and never a yes.
    """
    given = {name: facts.get(name) for name in FACTS}
    context = rules.known(given)
    return [
        Finding(
            rule.code,
            rules.answer(rule.when, context),
            {name: given[name] for name in rules.asked_for(rule.when) if given[name] is not None},
        )
        for rule in definition.rules
    ]


def sentence(definition: Definition, finding: Finding | Mapping[str, Any], language: str | None = None) -> str:
    """What a finding says, in the present language or the one given; the bare code for a rule no longer there."""
    stored = finding if isinstance(finding, Mapping) else finding.as_json()
    rule = definition.rule(stored["code"])
    if rule is None:
        return str(stored["code"])
    language = language or get_language()
    words = {True: rule.holds, False: rule.fails, None: rule.unknown}[stored["holds"]]
    with override(language):
        return words.in_language(language).format_map(_Shown(stored.get("values") or {}))


class _Shown(dict[str, Any]):
    """Facts as people read them."""

    def __missing__(self, name: str) -> str:
        return gettext("unknown")

    def __getitem__(self, name: str) -> str:
        return _shown(name, super().__getitem__(name))


NAMES: dict[str, Mapping[str, Any]] = {
    "stage": STAGES,
    "special_groups": SPECIAL_GROUPS,
    "register_category": SPECIAL_GROUPS,
    "school_form": dict(SchoolForm.choices),
}


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name == "amount_fen":
        return f"{value // 100:,}.{value % 100:02d}"
    if isinstance(value, list | tuple):
        comma = ", " if get_language() == "en" else "、"
        return comma.join(_shown(name, each) for each in value) or gettext("none")
    return str(NAMES.get(name, {}).get(value, value)) or gettext("none")
