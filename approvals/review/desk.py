"""What a reviewer's request asks of the queue, and how its rows read."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from approvals.applications.findings import sentence
from approvals.applications.matching import sentence as hit_sentence
from approvals.applications.models import LEVELS
from approvals.organisations.access import actor, prefixes
from approvals.programmes.definition import Definition
from approvals.review import case_file, queries
from approvals.review.forms import KEPT, filters_from
from approvals.review.queries import Choices, Row
from approvals.review.waiting import SOON, Filters, Reach
from workflows import clock
from workflows.flows.aid import REVIEWERS

REVIEWS = tuple(REVIEWERS.values())


class Desk:
    """What a reviewer's request asks of the queue: the step, the offices, the filters, as its address says."""

    def __init__(self, request: HttpRequest, values: QueryDict) -> None:
        self.request = request
        self.values = values
        self.by = actor(request)
        self.today = clock.today()

    @cached_property
    def steps(self) -> dict[str, list[str]]:
        """The steps that the person may decide, each with the office paths where."""
        found = {step: prefixes(self.request, permission) for step, permission in REVIEWERS.items()}
        return {step: paths for step, paths in found.items() if paths}

    @cached_property
    def step(self) -> str:
        """The step asked for, or the first that the person may decide; empty without any."""
        wanted = self.values.get("step", "")
        return wanted if wanted in self.steps else next(iter(self.steps), "")

    @cached_property
    def choices(self) -> Choices:
        return queries.choices({path for paths in self.steps.values() for path in paths})

    @cached_property
    def reach(self) -> Reach:
        """Where the person may decide this step."""
        return self.choices.reach(self.steps.get(self.step, []))

    @cached_property
    def filters(self) -> Filters:
        return filters_from(self.values, self.choices)

    @property
    def size(self) -> int:
        per = self.values.get("per", "")
        return int(per) if per in map(str, queries.SIZES) else queries.SIZES[0]

    def page(self) -> queries.Page:
        return queries.queue(
            self.by,
            self.step,
            self.filters,
            self.values.get("after", ""),
            before=self.values.get("before", ""),
            reach=self.reach,
            size=self.size,
            today=self.today,
        )

    def address(self, **changes: str) -> str:
        """The query of the queue's address with its filters, and `changes`; empty values fall away."""
        kept = {name: self.values.get(name, "") for name in KEPT} | {"step": self.step} | changes
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in kept.items() if value})
        return query.urlencode()

    def here(self) -> str:
        """The query of the page being looked at, cursor included: where an answer leads back to."""
        return self.address(after=self.values.get("after", ""), before=self.values.get("before", ""))


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the queue with its words."""

    row: Row
    programme: str
    level: str
    tier: str
    hits: list[str]
    acted: str
    unmet: list[str]
    unclear: list[str]
    late: bool
    near: bool


def shown_rows(rows: list[Row], choices: Choices, definitions: dict[int, Definition], today: date) -> list[Shown]:
    found = []
    for row in rows:
        definition = definitions[row.version]
        days = (row.due_on - today).days if row.due_on else None
        found.append(
            Shown(
                row=row,
                programme=choices.programmes.get(row.programme, row.programme),
                level=str(dict(LEVELS).get(row.level, "")),
                tier=tier_name(definition, row.tier),
                hits=[hit_sentence(hit["code"], hit["values"]) for hit in row.hits],
                acted=acted_sentence(row.acted),
                unmet=[sentence(definition, found) for found in row.findings if found["holds"] is False],
                unclear=[sentence(definition, found) for found in row.findings if found["holds"] is None],
                late=days is not None and days < 0,
                near=days is not None and 0 <= days <= SOON,
            )
        )
    return found


def acted_sentence(level: str) -> str:
    """Why a person may not judge a case any more; empty where he may."""
    if not level:
        return ""
    return _("You have already acted on this case: %(level)s.") % {"level": case_file.LEVELS.get(level, level)}


def tier_name(definition: Definition, code: str) -> str:
    tier = next((tier for tier in definition.tiers if tier.code == code), None)
    if tier is None:
        return code
    return tier.name_en if get_language() == "en" else tier.name


def next_case(desk: Desk, task: int) -> int | None:
    """The case after a task in the queue that the desk's address stands for."""
    cursor = queries.cursor_of(task, desk.filters)
    return queries.next_case(desk.by, desk.step, desk.reach, desk.filters, cursor, desk.today)


def case_address(case_id: int, values: QueryDict) -> str:
    address = reverse("review:case", args=[case_id])
    return f"{address}?{values.urlencode()}" if values else address
