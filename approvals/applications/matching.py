"""What the data match has against an application (DOMAIN.md §2.8, §3.1): codes, sentences, and how they are found.

A second application or award of the same group and year needs no match: the database does not let it exist.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.applications.findings import Facts, Finder, Pupil, registered
from approvals.applications.models import Application
from approvals.people import registers
from approvals.people.crypto import blind_index
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes import rules
from approvals.programmes.definition import Definition
from approvals.programmes.models import ProgrammeVersion

SENTENCES: dict[str, Promise] = {
    "not_registered": _("Stated or required as a registered household, but the register does not bear it out."),
    "other_county": _("The register lists the household in another county."),
    "register_missing": _("No register is loaded to compare with."),
    "account_shared": _("The same account is named for %(count)s pupils who do not share a household."),
    "card_name_mismatch": _("The account holder is neither the pupil nor the guardian named."),
}
SOURCES: dict[str, Promise] = {
    registers.POOR_HOUSEHOLDS: _("Register of poor households"),
    "accounts": _("Accounts of all applications"),
}
BORNE_OUT = frozenset(
    {
        "lifted_household", "monitored_household", "monitored_unstable", "monitored_marginal", "monitored_sudden",
        "dibao", "tekun",
    }
)  # fmt: skip
"""Groups that the register of poor households can bear out."""
SHARING = 2
"""Most pupils of different households whose aid may go to one account (DOMAIN.md §4.3)."""


class Found(NamedTuple):
    """One thing against an application."""

    source: str
    code: str
    values: dict[str, Any]


@dataclass(slots=True)
class Match:
    """What the match found of one application: what is against it, and what the register says for it."""

    against: list[Found] = field(default_factory=list)
    entry: registers.Entry | None = None
    facts: bytes = b""
    """Keyed digest of what was matched: the account, who holds it, what is claimed."""


def sentence(code: str, values: Mapping[str, Any]) -> str:
    """What a hit says, in the present language."""
    shown = {**values, "groups": [str(SPECIAL_GROUPS.get(code, code)) for code in values.get("groups", ())]}
    return str(SENTENCES.get(code, code)) % shown


def match(
    applications: Iterable[Application], finder: Finder, versions: Mapping[int, ProgrammeVersion]
) -> dict[int, Match]:
    """Matches applications (with their students) against the register and each other's accounts, by case."""
    wanted = list(applications)
    shared = shared_accounts({bytes(each.account_hash) for each in wanted if each.account_hash})
    found: dict[int, Match] = {}
    for each in wanted:
        student = each.student
        pupil = Pupil(student.birth_date, bytes(student.id_hash), student.verified)
        facts = finder.facts(each, each.school_id, pupil)
        result = found[each.case_id] = Match(entry=finder.entry(pupil), facts=_digest(each))
        result.against += _register(versions[each.version_id].rules, facts)
        result.against += _account(each, shared)
    return found


def _digest(application: Application) -> bytes:
    matched = (
        bytes(application.student.id_hash).hex(),
        bytes(application.account_hash or b"").hex(),
        application.holder_name,
        application.guardian_name,
        application.student.name,
        ",".join(sorted(application.special_groups)),
    )
    return blind_index("\n".join(matched))


def _register(definition: Definition, facts: Facts) -> list[Found]:
    """What the register has against an application: its claims are not borne out, or the programme's own rule fails."""
    claims = [group for group in facts.special_groups if group in BORNE_OUT]
    required = [
        rule
        for rule in definition.rules
        if {"register_category", "registered_in_county"} & set(rules.asked_for(rule.when))
    ]
    if facts.register_category is None:
        return [Found(registers.POOR_HOUSEHOLDS, "register_missing", {})] if claims or required else []
    known = rules.known(facts.as_rules_take_them())
    failed = [rule for rule in required if rules.answer(rule.when, known) is False]
    found = {}
    if (claims and not facts.register_category) or failed:
        found["not_registered"] = {"groups": claims, "category": facts.register_category}
    if failed and facts.registered_in_county is False:
        found = {"other_county": {"category": facts.register_category}}
    return [Found(registers.POOR_HOUSEHOLDS, code, values) for code, values in found.items()]


class Owner(NamedTuple):
    """A pupil whose aid goes, or went, to an account."""

    account: bytes
    student: int
    household: int | None


def shared_accounts(accounts: set[bytes], also: Iterable[Owner] = ()) -> dict[bytes, int]:
    """Of these accounts those that serve more pupils of different households than is allowed, with how many.

    Every live application counts, and `also`: who was paid there, or is about to be.
    """
    live = Application.objects.filter(account_hash__in=list(accounts), live=True)
    named = live.values_list("account_hash", "student_id", "student__household_id")
    owners: dict[bytes, dict[int, int | None]] = defaultdict(dict)
    for account, student, household in [*named, *also]:
        owners[bytes(account or b"")][student] = household
    return {
        account: len(students)
        for account, students in owners.items()
        if len(students) > SHARING and not _one_household(set(students.values()))
    }


def _one_household(households: set[int | None]) -> bool:
    return len(households) == 1 and None not in households


def _account(application: Application, shared: Mapping[bytes, int]) -> list[Found]:
    found = []
    count = shared.get(bytes(application.account_hash)) if application.account_hash else None
    if count:
        found.append(Found("accounts", "account_shared", {"count": count}))
    names = {application.student.name, application.guardian_name}
    if application.account_hash and application.holder_name and application.holder_name not in names:
        found.append(Found("accounts", "card_name_mismatch", {}))
    return found


def with_register(findings: list[dict[str, Any]], entry: registers.Entry | None) -> list[dict[str, Any]]:
    """Findings with what the register now says in place of what it said before."""
    kept = [finding for finding in findings if finding["code"] != "registered"]
    return kept + ([registered(entry)] if entry else [])
