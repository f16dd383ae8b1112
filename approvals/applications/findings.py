"""What is known of an applicant beforehand: the programme's rules answered, and what the register says.

Findings are shown and travel with the case, {"code", "holds", "values"}; they never refuse an application.
"""

import json
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from django.utils.translation import get_language, gettext, override

from approvals.organisations.models import Organisation
from approvals.people import registers
from approvals.people.identity import age_on
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes import eligibility
from approvals.programmes.definition import Definition
from approvals.programmes.models import ProgrammeVersion

REGISTERED = "registered"
"""The register of poor households lists the pupil."""


class Facts(NamedTuple):
    """What the rules ask of one application (see `programmes.rules.FACTS`); equal facts get equal findings."""

    stage: str
    grade: str
    boarder: bool
    special_groups: tuple[str, ...]
    level: str
    register_category: str | None
    registered_in_county: bool | None
    school_code: str
    school_form: str
    amount_fen: int | None
    age: int
    verified: bool

    def as_rules_take_them(self) -> dict[str, Any]:
        """Lists instead of tuples; a level not set yet is unknown."""
        return self._asdict() | {"special_groups": list(self.special_groups), "level": self.level or None}


class Judged(Protocol):
    """What a spec and a stored application have in common."""

    @property
    def stage(self) -> str: ...
    @property
    def grade(self) -> str: ...
    @property
    def boarder(self) -> bool: ...
    @property
    def special_groups(self) -> Any: ...
    @property
    def level(self) -> str: ...
    @property
    def amount(self) -> Decimal | None: ...


class Pupil(NamedTuple):
    """What the rules ask of a pupil."""

    birth_date: date
    id_hash: bytes
    verified: bool
    name: str = ""


class Finder:
    """Answers rules for many applications: schools and register are read once, equal facts are judged once."""

    def __init__(
        self,
        versions: Mapping[int, ProgrammeVersion],
        schools: Collection[int],
        hashes: Collection[bytes],
        today: date,
    ) -> None:
        self._versions = versions
        self._schools = {
            key: (code, form)
            for key, code, form in Organisation.objects.filter(pk__in=set(schools)).values_list("pk", "code", "form")
        }
        self._entries = registers.match(hashes)
        self.register_loaded = any(entry.registered for entry in self._entries.values()) or registers.is_loaded()
        self._today = today
        self._known: dict[tuple[int, Facts], list[dict[str, Any]]] = {}
        self._texts: dict[tuple[Any, ...], str] = {}

    def entry(self, pupil: Pupil) -> registers.Entry | None:
        """What a register of households says of a pupil."""
        return self._entries.get(pupil.id_hash)

    def facts(self, judged: Judged, school: int, pupil: Pupil) -> Facts:
        """The facts of one application; what no register can tell is None."""
        entry = self.entry(pupil)
        code, form = self._schools[school]
        return Facts(
            stage=judged.stage,
            grade=judged.grade,
            boarder=judged.boarder,
            special_groups=tuple(judged.special_groups),
            level=judged.level,
            register_category=(entry.judged_by if entry else "") if self.register_loaded else None,
            registered_in_county=entry.in_county if entry and entry.registered else None,
            school_code=code,
            school_form=form,
            amount_fen=None if judged.amount is None else int(judged.amount * 100),
            age=age_on(pupil.birth_date, self._today),
            verified=pupil.verified,
        )

    def findings(self, version: int, judged: Judged, school: int, pupil: Pupil) -> list[dict[str, Any]]:
        """As `Application.findings` keeps them: the rules' in their order, then what the register says."""
        facts = self.facts(judged, school, pupil)
        if (version, facts) not in self._known:
            found = eligibility.evaluate(self._versions[version].rules, facts.as_rules_take_them())
            self._known[version, facts] = [finding.as_json() for finding in found]
        entry = self.entry(pupil)
        return self._known[version, facts] + ([registered(entry)] if entry else [])

    def findings_json(self, version: int, judged: Judged, school: int, pupil: Pupil) -> str:
        """`findings` as JSON, worked out once for all applications that agree in what the facts come from."""
        key = (
            version, school, judged.stage, judged.grade, judged.boarder, tuple(judged.special_groups), judged.level,
            judged.amount, pupil.birth_date, pupil.verified, self.entry(pupil),
        )  # fmt: skip
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = json.dumps(self.findings(version, judged, school, pupil))
        return text


def registered(entry: registers.Entry) -> dict[str, Any]:
    """The finding that a register lists the pupil: under which category, and as of when."""
    values = {"category": entry.category, "in_county": entry.in_county, "as_of": entry.as_of.isoformat()}
    return {"code": REGISTERED, "holds": True, "values": values}


def sentence(definition: Definition, finding: Mapping[str, Any], language: str | None = None) -> str:
    """What a finding says, in the present language or the one given."""
    if finding["code"] != REGISTERED:
        return eligibility.sentence(definition, finding, language)
    values = finding["values"]
    with override(language or get_language()):
        name = SPECIAL_GROUPS.get(values["category"], values["category"])
        return gettext("On the register: %(category)s (as of %(as_of)s).") % {
            "category": name, "as_of": values["as_of"],
        }  # fmt: skip
