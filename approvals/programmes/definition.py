"""What a programme's YAML file may say, checked field by field (DESIGN §4).

A `Definition` is the part that cases pin: whoever applied under a version keeps its rules and rates. Windows
stand in the same file but outside the definition, since they open and close without changing any rule.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from approvals.organisations.roles import matrix
from approvals.organisations.stages import STAGES
from approvals.programmes.evidence import EVIDENCE
from approvals.programmes.rules import RuleError, check
from approvals.programmes.terms import UnknownTerm, parse_term
from workflows.nodes import Draft, PublicNotice, Review, Step
from workflows.versions import route_named
from workflows.working_days import LONGEST

NOTICE_COLUMNS = ("序号", "学校", "年级", "班级", "姓名", "困难等级", "资助项目")
"""The only columns that may ever be published (DOMAIN.md §2.7)."""
BEYOND_THE_SCHOOL = frozenset({"township_notice", "county_notice"})
"""Notices that others read than a school's own people: names are masked there and no hardship level is shown; in class
and school everybody knows the pupil, and an objection needs the full name (DOMAIN.md §2.7)."""
SHORTEST = {"working": 5, "calendar": 10}
"""Fewest days of a notice's period; calendar days are those of project notices (DOMAIN.md §2.2)."""
PAYING_STEPS = {"payment", "disbursement"}


class DefinitionError(ValueError):
    """A file that is no valid definition; the message names the file and every field that is wrong."""


def _yuan(value: Any) -> Any:
    """Amounts are written "312.50": a YAML float has already lost what it was written as."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,8}\.\d{2}", value):
        return Decimal(value)
    raise ValueError('write an amount as text with two places, "312.50"')


def _term(value: str) -> str:
    try:
        code = parse_term(value)
    except UnknownTerm as error:
        raise ValueError(str(error)) from error
    if code != value:
        raise ValueError(f"write the term as {code}")
    return value


def _stage(value: str) -> str:
    if value not in STAGES:
        raise ValueError(f"unknown stage; known are {', '.join(STAGES)}")
    return value


def _evidence(value: str) -> str:
    if value not in EVIDENCE:
        raise ValueError(f"unknown kind of evidence; known are {', '.join(EVIDENCE)}")
    return value


def _flow(value: str) -> str:
    try:
        route_named(value)
    except LookupError as error:
        raise ValueError("no such route") from error
    return value


Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Share = Annotated[Decimal, BeforeValidator(_yuan), Field(gt=0, le=100)]
"""Percent, written "60.00"."""
Yuan = Annotated[Decimal, BeforeValidator(_yuan)]
TermCode = Annotated[str, AfterValidator(_term)]
Stage = Annotated[str, AfterValidator(_stage)]
Evidence = Annotated[str, AfterValidator(_evidence)]
Need = Literal["level", "tier", "amount", "account"]


class Part(BaseModel):
    """Strict: no key that is not known, no text where a number belongs."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Words(Part):
    """One text in the two languages of the pages."""

    zh: Text
    en: Text

    def in_language(self, language: str | None) -> str:
        return self.en if language == "en" else self.zh


class Rule(Part):
    """An eligibility rule: what it asks for, a CEL expression over the facts, and what to say of each answer.

    A failed rule never refuses an application: people see the finding and judge.
    """

    code: Code
    asks: Words
    """For the public page, before there is anybody to judge."""
    when: Text
    holds: Words
    fails: Words
    unknown: Words

    @model_validator(mode="after")
    def _can_be_asked(self) -> "Rule":
        try:
            check(
                self.when,
                [getattr(words, lang) for words in (self.holds, self.fails, self.unknown) for lang in ("zh", "en")],
            )
        except RuleError as error:
            raise ValueError(str(error)) from error
        return self


class Tier(Part):
    """A tier of a grant."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,20}$")]
    name: Text
    name_en: Text


class RateLine(Part):
    """Yuan per term, from a term on, with the source it was taken from; no stage: any stage."""

    first_term: TermCode
    stage: Stage | Literal[""] = ""
    tier: str = ""
    amount: Yuan
    source: Annotated[str, Field(min_length=2, max_length=200)]


class PanelRule(Part):
    """How a step is decided jointly: 会签 (`all`), 或签 (`any`), 票签 (`share` percent of the votes).

    Those who hold permission `of` at the case's office when it arrives sit on the panel; fewer than `quorum`
    approve nothing.
    """

    mode: Literal["all", "any", "share"]
    of: str
    share: Annotated[int, Field(ge=0, le=100)] = 0
    quorum: Annotated[int, Field(ge=0, le=99)] = 0

    @model_validator(mode="after")
    def _can_be_seated(self) -> "PanelRule":
        if self.of not in matrix().permissions:
            raise ValueError(f"no such permission: {self.of}")
        if (self.mode == "share") != (self.share > 0):
            raise ValueError("a share is given for a panel that decides by share, and for no other")
        return self


class ObjectionRule(Part):
    """Working days in which an objection is accepted or not and answered, both from receipt, and may be appealed and
    its appeal is decided (DOMAIN.md §3.4).
    """

    accept_days: Annotated[int, Field(ge=1, le=LONGEST)] = 2
    reply_days: Annotated[int, Field(ge=1, le=LONGEST)] = 5
    appeal_days: Annotated[int, Field(ge=1, le=LONGEST)] = 3
    appeal_reply_days: Annotated[int, Field(ge=1, le=LONGEST)] = 5


class NoticeRule(Part):
    """How a step's public notice is held: how long, in which days, with which columns.

    A project notice counts calendar days, holidays included, and so at least ten of them.
    """

    days: Annotated[int, Field(ge=SHORTEST["working"], le=LONGEST)]
    day_kind: Literal["working", "calendar"] = "working"
    columns: list[str]
    mask_names: bool = False
    objections: ObjectionRule = ObjectionRule()

    @model_validator(mode="after")
    def _long_enough(self) -> "NoticeRule":
        if self.days < SHORTEST[self.day_kind]:
            raise ValueError(f"at least {SHORTEST[self.day_kind]} {self.day_kind} days (DOMAIN.md §2.2)")
        return self

    @model_validator(mode="after")
    def _only_what_may_be_published(self) -> "NoticeRule":
        if not_allowed := [column for column in self.columns if column not in NOTICE_COLUMNS]:
            raise ValueError(f"may not be published: {', '.join(not_allowed)}")
        if "姓名" not in self.columns or len(set(self.columns)) != len(self.columns):
            raise ValueError("columns must be different and hold 姓名")
        return self


class QuotaRule(Part):
    """What holds for the set of a school's approved pupils: a headcount, and an average amount per term."""

    share: Annotated[str, Field(pattern=r"^0\.\d{2}$")]
    """Of the pupils enrolled, as the county splits it; the headcounts themselves are rows."""
    average: Yuan | None = None
    """Yuan per term that the average of a school's list must not fall below (DOMAIN.md §2.4)."""


class InstalmentRule(Part):
    """The granted sum is paid in equal parts, one a school year, each once that year's proof is confirmed
    (代偿: a third a year for three years, DOMAIN.md §2.4).
    """

    count: Annotated[int, Field(ge=2, le=10)]
    proof: Literal["yearly"] = "yearly"


class AwardRule(Part):
    """How an entitlement lives on after it was granted (DOMAIN.md §2.5, §3.2)."""

    lasts: Literal["school_year", "stage"] = "school_year"
    """`stage`: to the end of the pupil's stage, whatever becomes of the basis it was granted on (三免, §2.5 rule 4)."""
    exclusive: Literal["school_year", "stage", "lifetime"] = "school_year"
    """Of the programmes of its group a person has one award: in a school year, in a stage, or once for all."""
    back_pay: Literal["all", "from_resumption", "none"] = "from_resumption"
    """On resumption: every missed term is paid; those from the term of resumption on; those after it."""
    decide_days: Annotated[int, Field(ge=1, le=LONGEST)] = 5
    """Working days in which a change of enrolment is decided; after them the award is suspended by itself."""
    instalments: InstalmentRule | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "AwardRule":
        if self.lasts == "stage" and self.exclusive == "school_year":
            raise ValueError("exclusive: an award that lasts for a stage excludes others for the stage or for life")
        if self.instalments and (self.lasts != "school_year" or self.exclusive != "lifetime"):
            raise ValueError("instalments: a sum in instalments is granted once: lasts school_year, exclusive lifetime")
        return self


class WindowLine(Part):
    """When applications of a term are taken, both days included."""

    term: TermCode
    opens_on: date
    closes_on: date

    @model_validator(mode="after")
    def _in_order(self) -> "WindowLine":
        if self.closes_on < self.opens_on:
            raise ValueError("closes before it opens")
        return self


class SplitLine(Part):
    """Who bears how many percent of what the programme pays, from a day on (分担比例, DOMAIN.md §2.4)."""

    valid_from: date
    shares: dict[Literal["central", "provincial", "city", "county", "donation"], Share]
    basis: Annotated[str, Field(min_length=2, max_length=200)]
    """The document, or where the figures are taken from."""
    verified: bool = False
    """Whether the official document was at hand."""

    @model_validator(mode="after")
    def _whole(self) -> "SplitLine":
        if sum(self.shares.values()) != 100:
            raise ValueError(f"shares: they come to {sum(self.shares.values())} percent and must come to 100.00")
        return self


class Definition(Part):
    """One version of a programme: who may apply, by which route, for what, under which rules (DOMAIN.md §1.10)."""

    code: Code
    name: Annotated[str, Field(min_length=2, max_length=80)]
    name_en: Annotated[str, Field(min_length=2, max_length=120)]
    group: Code
    """Exclusive group; the programme's own code where it stands alone."""
    group_name: Text
    group_name_en: Text
    project: Annotated[str, Field(min_length=2, max_length=40)]
    """The 资助项目 of rosters and notices: says which aid, and nothing of the pupil's family."""
    also_written: list[str] = []
    """Other spellings of `project` on rosters."""
    about: Words
    """What it is and who it is for, for the public page."""
    order: Annotated[int, Field(ge=0, le=999)]
    flow: Annotated[str, AfterValidator(_flow)]
    """The kind's route, `aid`; a later version as `aid_2027`."""
    stages: Annotated[list[Stage], Field(min_length=1)]
    schools: list[Annotated[str, Field(pattern=r"^\d{10}$")]] = []
    """Codes of the only schools it is for; empty: every school that teaches one of the stages."""
    boarder: bool | None = None
    """Only for boarders, only for day pupils, or for both."""
    steps: list[str]
    """The optional steps of the route that its cases pass, in their order."""
    limits: dict[str, Annotated[int, Field(ge=1, le=LONGEST)]] = {}
    """Working days allowed by step."""
    returns: Literal["straight", "all"] = "straight"
    """Where a corrected case goes: straight back to who returned it, or through all reviews again."""
    appeal_days: Annotated[int, Field(ge=1, le=LONGEST)] = 5
    """Working days in which a rejection may be appealed against (申诉复核, DOMAIN.md §3.1; the county's to set)."""
    panels: dict[str, PanelRule] = {}
    """Reviews that are decided jointly."""
    notices: dict[str, NoticeRule]
    disbursement: Literal["bank_transfer", "fee_waiver_settlement", "none"]
    evidence: list[Evidence] = []
    needs: list[Need] = []
    """What must be supplied before submitting, besides the signed papers."""
    tiers: list[Tier] = []
    rates: list[RateLine] = []
    quota: QuotaRule | None = None
    rules: list[Rule] = []
    award: AwardRule = AwardRule()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Definition":
        if problems := [*_route_problems(self), *_money_problems(self), *_double(self)]:
            raise ValueError("; ".join(problems))
        return self

    def display_name(self, language: str | None) -> str:
        return self.name_en if language == "en" else self.name

    @property
    def seats(self) -> dict[str, Any]:
        """The panels as a case carries them."""
        return {step: panel.model_dump() for step, panel in self.panels.items()}

    def rule(self, code: str) -> Rule | None:
        """The rule of a code, if this version has it."""
        return next((rule for rule in self.rules if rule.code == code), None)


class ProgrammeFile(Definition):
    """A whole file: the definition, the windows in which it is open, and who bears what it pays."""

    windows: list[WindowLine] = []
    funds: list[SplitLine] = []

    @model_validator(mode="after")
    def _borne_by_somebody(self) -> "ProgrammeFile":
        if (self.disbursement != "none") != bool(self.funds):
            raise ValueError("funds: a programme that pays says who bears it, and no other")
        days = [split.valid_from for split in self.funds]
        if days != sorted(set(days)):
            raise ValueError("funds: one split a day, the oldest first")
        return self

    def definition(self) -> dict[str, Any]:
        """The part that is pinned, as JSON. What says nothing of awards keeps the digest it had before one could."""
        usual = {"award"} if self.award == AwardRule() else set()
        return self.model_dump(mode="json", exclude={"windows", "funds", *usual})


def route(flow: str = "aid") -> list[Step]:
    """The steps of a case that nothing holds up, in their order."""
    start = next(node for node in route_named(flow).instance.nodes() if isinstance(node, Draft))
    node: Any = start
    steps = []
    while isinstance(node, Step):
        steps.append(node)
        node = node.outcomes[node.onward].target
    return steps


def _route_problems(definition: Definition) -> Iterator[str]:
    optional = [node.name for node in route(definition.flow) if node.optional]
    if unknown := set(definition.steps) - set(optional):
        yield f"steps: no optional step of the route: {', '.join(sorted(unknown))}"
    elif definition.steps != [step for step in optional if step in definition.steps]:
        yield f"steps: write them once and in the order of the route: {', '.join(optional)}"
    if unknown := set(definition.limits) - {node.name for node in route_named(definition.flow).instance.nodes()}:
        yield f"limits: no step of the route: {', '.join(sorted(unknown))}"
    if unknown := set(definition.panels) - {node.name for node in route(definition.flow) if isinstance(node, Review)}:
        yield f"panels: no review of the route: {', '.join(sorted(unknown))}"
    noticed = {node.name for node in route(definition.flow) if isinstance(node, PublicNotice)} & set(definition.steps)
    if set(definition.notices) != noticed:
        yield f"notices: must be given for exactly {', '.join(sorted(noticed)) or 'no step'}"
    for step, notice in definition.notices.items():
        yield from _notice_problems(step, notice)
    for review in ("class_review", "township_review"):
        if review.replace("review", "notice") in definition.steps and review not in definition.steps:
            yield f"steps: a notice makes public what {review} has found, so that is passed too"


def _notice_problems(step: str, notice: NoticeRule) -> Iterator[str]:
    """What may be shown where, and for how long, by rule (DOMAIN.md §2.2, §2.7)."""
    if step in BEYOND_THE_SCHOOL:
        if not notice.mask_names:
            yield f"notices.{step}: names shown beyond the school are masked (DOMAIN.md §2.7)"
        if "困难等级" in notice.columns:
            yield f"notices.{step}: no hardship level is shown beyond the school (DOMAIN.md §2.7)"
    else:
        if notice.mask_names:
            yield f"notices.{step}: class and school show names in full, or nobody could object (DOMAIN.md §2.7)"
        if notice.day_kind != "working":
            yield f"notices.{step}: its days are working days (DOMAIN.md §2.2)"


def _money_problems(definition: Definition) -> Iterator[str]:
    pays = definition.disbursement != "none"
    if PAYING_STEPS & set(definition.steps) != (PAYING_STEPS if pays else set()):
        yield "steps: payment and disbursement belong to a programme that pays, and to no other"
    if pays != bool(definition.rates) or pays != ("amount" in definition.needs):
        yield "rates: a programme that pays has rates and needs an amount, and no other"
    if (definition.disbursement == "bank_transfer") != ("account" in definition.needs):
        yield "needs: an account is needed for a bank transfer, and for nothing else"
    tiers = {tier.code for tier in definition.tiers}
    if bool(tiers) != ("tier" in definition.needs):
        yield "tiers: a programme with tiers needs one chosen, and no other"
    if definition.award != AwardRule() and not pays:
        yield "award: a programme that pays nothing gives no award"
    for rate in definition.rates:
        if rate.tier not in (tiers or {""}):
            yield f"rates: unknown tier {rate.tier!r}"
        if rate.stage and rate.stage not in definition.stages:
            yield f"rates: {rate.stage} is no stage of the programme"
    if len({bool(rate.stage) for rate in definition.rates}) > 1:
        yield "rates: give every rate a stage, or none"


def _double(definition: Definition) -> Iterator[str]:
    keys = {
        "rates": [(rate.first_term, rate.stage, rate.tier) for rate in definition.rates],
        "rules": [rule.code for rule in definition.rules],
        "tiers": [tier.code for tier in definition.tiers],
        "stages": definition.stages,
        "schools": definition.schools,
    }
    for field, values in keys.items():
        for value, count in Counter(values).items():
            if count > 1:
                yield f"{field}: {value} is given twice"


# ---------------------------------------------------------------- reading


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as everywhere, but a key given twice is refused instead of silently overriding the first."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]  # type: ignore[no-untyped-call]
    if double := [key for key, count in Counter(keys).items() if count > 1]:
        raise yaml.YAMLError(f"{double[0]!r} is given twice (line {node.start_mark.line + 1})")
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_file(path: Path) -> ProgrammeFile:
    """The programme in a YAML file. Raises DefinitionError."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 a SafeLoader
    except yaml.YAMLError as error:
        raise DefinitionError(f"{path.name}: {error}") from error
    try:
        return ProgrammeFile.model_validate(data)
    except ValidationError as error:
        raise DefinitionError("\n".join(f"{path.name}: {line}" for line in _lines(error))) from error


def _lines(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"]) or "the file"
        yield f"{field}: {problem['msg'].removeprefix('Value error, ')}"


def digest_of(definition: dict[str, Any]) -> str:
    """SHA-256 of a definition's canonical JSON: the same rules, the same digest, however the file is laid out."""
    canonical = json.dumps(definition, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


_read: dict[str, Definition] = {}


def stored(digest: str, definition: dict[str, Any]) -> Definition:
    """A definition as the database keeps it, read once per digest."""
    if digest not in _read:
        _read[digest] = Definition.model_validate(definition)
    return _read[digest]
