"""What a reviewer's request asks of the queue, and how its rows read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import get_language

from approvals.applications.findings import sentence
from approvals.applications.matching import sentence as hit_sentence
from approvals.applications.models import LEVELS
from approvals.organisations.access import actor, may, prefixes
from approvals.programmes.definition import Definition
from approvals.review import columns, queries, standing
from approvals.review.forms import KEPT, filters_from
from approvals.review.queries import Choices, Row
from approvals.review.standing import Person
from approvals.review.waiting import OWN, VIEWS, Filters, Question, Reach, Reader
from workflows import clock
from workflows.acts.telling import others_looking
from workflows.deadlines import soon
from workflows.flows.aid import REVIEWERS
from workflows.panels import SEES

REVIEWS = tuple(REVIEWERS.values())
OFFICE, MINE = "office", "mine"


class Desk:
    """What a reviewer's request asks of the queue: view, step, offices, filters, as its address says."""

    def __init__(self, request: HttpRequest, values: QueryDict) -> None:
        self.request = request
        self.values = values
        self.by = actor(request)
        self.today = clock.today()

    # -------------------------------------------------------- what is looked at

    @cached_property
    def steps(self) -> dict[str, list[str]]:
        """The steps that the person may decide, each with the office paths where."""
        found = {step: prefixes(self.request, permission) for step, permission in REVIEWERS.items()}
        return {step: paths for step, paths in found.items() if paths}

    @cached_property
    def sees(self) -> tuple[str, ...]:
        """The offices below which the person sees cases."""
        return tuple(prefixes(self.request, SEES))

    @cached_property
    def views(self) -> tuple[str, ...]:
        """The views open to the person: all with a review post, the own ones to who sees cases, else none."""
        return tuple(VIEWS) if self.steps else OWN if self.sees else ()

    @cached_property
    def view(self) -> str:
        wanted = self.values.get("view", "")
        return wanted if wanted in self.views else OFFICE if self.steps else MINE

    @property
    def own(self) -> bool:
        """Whether a view of the person is looked at, across all steps, and not one of an office."""
        return self.view in OWN

    @cached_property
    def step(self) -> str:
        """The step asked for, or the first that the person may decide; in views of one's own only the one asked for."""
        wanted = self.values.get("step", "")
        if self.own:
            return wanted if wanted in REVIEWERS else ""
        return wanted if wanted in self.steps else next(iter(self.steps), "")

    @property
    def queued(self) -> bool:
        """Whether the address names a place in the queue, so that there is a next case after this one."""
        return bool(self.views) and ("view" in self.values if self.own else "step" in self.values)

    @cached_property
    def choices(self) -> Choices:
        offices = {path for paths in self.steps.values() for path in paths} or set(self.sees)
        return queries.choices(offices, self.by.key)

    @cached_property
    def reach(self) -> Reach:
        """Where the person may decide this step."""
        return self.choices.reach(self.steps.get(self.step, []))

    @cached_property
    def reaches(self) -> dict[str, Reach]:
        """The same for all of his steps."""
        return {step: self.choices.reach(paths) for step, paths in self.steps.items()}

    @cached_property
    def filters(self) -> Filters:
        return filters_from(self.values, self.choices)

    @cached_property
    def question(self) -> Question:
        """All of it, as the queue is asked."""
        reader = Reader(self.by.key, self.sees)
        return Question(self.step, self.reach, self.filters, self.view, self.today, reader)

    @property
    def grouped(self) -> bool:
        """Whether the schools are looked at and not the cases."""
        return self.values.get("group", "") == "school" and not self.own

    # -------------------------------------------------------- how it is looked at

    @property
    def size(self) -> int:
        per = self.values.get("per", "")
        return int(per) if per in map(str, queries.SIZES) else queries.SIZES[0]

    def page(self) -> queries.Page:
        after, before = self.values.get("after", ""), self.values.get("before", "")
        return queries.page_of(self.question, after, before=before, size=self.size)

    @cached_property
    def columns(self) -> list[str]:
        """The columns to show."""
        return columns.shown(self.choices.columns, self.own and not self.step)

    @cached_property
    def person(self) -> Person:
        return Person(self.by.key, lambda permission, path: may(self.request, permission, path=path))

    def address(self, **changes: str) -> str:
        """The query of the queue's address with its filters, and `changes`; empty values fall away."""
        kept = {name: self.values.get(name, "") for name in KEPT}
        kept |= {"view": "" if self.view == OFFICE else self.view, "step": self.step} | changes
        return _query(kept)

    def plain(self, view: str = "", step: str = "") -> str:
        """The query of a view's address without any filter, as long as the person likes it."""
        return _query({"view": "" if view == OFFICE else view, "step": step, "per": self.values.get("per", "")})

    def here(self) -> str:
        """The query of the page being looked at, cursor included: where an answer leads back to."""
        return self.address(after=self.values.get("after", ""), before=self.values.get("before", ""))


def _query(values: Mapping[str, str]) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in values.items() if value})
    return query.urlencode()


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the queue with its words."""

    row: Row
    programme: str
    level: str
    tier: str
    hits: list[str]
    unmet: list[str]
    unclear: list[str]
    late: bool
    near: bool
    why: str
    """Why the reader cannot decide it now; empty when he can."""
    looking: list[str]
    """Who else has it open at this moment."""
    signed: str
    signers: str
    mine: bool
    """The reader has taken it on."""

    @property
    def free(self) -> bool:
        """Whether the reader may take it on: nobody has, and no panel would be kept waiting."""
        return not self.why and not self.row.holder and self.row.panel in ("", "added")


def shown_rows(desk: Desk, rows: list[Row], obstacles: Mapping[int, str] | None = None) -> list[Shown]:
    """Rows with their words: what bars the reader, who looks on, and the programmes' terms; a statement each.

    `obstacles` where the caller has asked already.
    """
    definitions = queries.definitions({row.version for row in rows})
    if obstacles is None:
        obstacles = standing.obstacles(rows, desk.person)
    looking = others_looking([row.case for row in rows], desk.by.key) if rows else {}
    last_near = soon(desk.today)
    found = []
    for row in rows:
        definition = definitions[row.version]
        late = row.due_on is not None and row.due_on < desk.today
        found.append(
            Shown(
                row=row,
                programme=desk.choices.programmes.get(row.programme, row.programme),
                level=str(dict(LEVELS).get(row.level, "")),
                tier=tier_name(definition, row.tier),
                hits=[hit_sentence(hit["code"], hit["values"]) for hit in row.hits],
                unmet=[sentence(definition, found) for found in row.findings if found["holds"] is False],
                unclear=[sentence(definition, found) for found in row.findings if found["holds"] is None],
                late=late,
                near=row.due_on is not None and not late and row.due_on <= last_near,
                why=obstacles.get(row.task, ""),
                looking=looking.get(row.case, []),
                signed=standing.signed(row),
                signers=standing.signers(row) if row.panel else "",
                mine=bool(row.holder) and row.holder == desk.by.key,
            )
        )
    return found


def tier_name(definition: Definition, code: str) -> str:
    tier = next((tier for tier in definition.tiers if tier.code == code), None)
    if tier is None:
        return code
    return tier.name_en if get_language() == "en" else tier.name


def next_case(desk: Desk, task: int) -> int | None:
    """The case after a task in the queue that the desk's address stands for."""
    return queries.next_case(desk.question, queries.cursor_of(task, desk.question))


def case_address(case_id: int, values: QueryDict) -> str:
    address = reverse("review:case", args=[case_id])
    return f"{address}?{values.urlencode()}" if values else address
