"""The review queue, read page by page, and what became of a decision (DESIGN §11).

Pages go by key, never by OFFSET; counts stop at 1,000; a person's own bar by separation of duties is shown before it
can surprise.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, JSONObject
from django.utils.translation import get_language

from approvals.applications.models import Hit
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Kind, Organisation
from approvals.organisations.queries import below
from approvals.programmes.definition import Definition
from approvals.programmes.models import Programme, ProgrammeVersion
from approvals.review.waiting import Filters, Order, Reach, reach_of, task_ids
from workflows.flows.aid import REVIEWERS, AidFlow
from workflows.models import ActingLevel, Record, WorkItem
from workflows.queries import queue_of, results_under
from workflows.versions import step_of

COUNT_CAP = 1000
"""Counts are exact up to here and "1000+" above."""
SIZES = (50, 100, 200)
"""Rows per page that a reviewer may choose from."""


def level_of(step: str) -> str:
    """The separation-of-duties level at which a review step is judged."""
    return str(step_of(AidFlow.kind, step).level)


# ---------------------------------------------------------------- a page of the queue


@dataclass(frozen=True, slots=True)
class Row:
    """One waiting task as the queue shows it; `acted` is another level at which the reader has already acted."""

    task: int
    case: int
    pupil: str
    school: str
    grade: str
    class_name: str
    programme: str
    version: int
    level: str
    tier: str
    amount: Decimal | None
    open_hits: int
    findings: list[dict[str, Any]]
    due_on: date | None
    round: int
    path: str
    arrived: datetime
    hits: list[dict[str, Any]]
    """[{"code", "values"}] of the data-match hits that nobody has waived."""
    acted: str

    @property
    def unmet(self) -> int:
        """Conditions of the programme that do not hold."""
        return sum(finding.get("holds") is False for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the queue. `next` and `previous` are cursors, empty at the ends; `count` stops at COUNT_CAP."""

    rows: list[Row]
    next: str = ""
    previous: str = ""
    count: int = 0
    capped: bool = False


def queue(
    by: UserActor,
    step: str,
    filters: Filters | None = None,
    after: str = "",
    *,
    before: str = "",
    reach: Reach | None = None,
    size: int = SIZES[0],
    today: date | None = None,
) -> Page:
    """The open tasks of a step that `by` may decide by office, in order of arrival or of deadline.

    `reach` is where the step's permission holds, if the caller has read it already. `after` and `before` are
    cursors of a page. `today` is needed for filters on the deadline.
    """
    filters = filters or Filters()
    if reach is None:
        reach = reach_of(by.prefixes(REVIEWERS[step]))
    order, cursor = Order(filters.order == "due", backwards=bool(before)), before or after
    wanted = filters.wanted(today)
    page_ids = task_ids(step, reach, filters.school, wanted & order.beyond(cursor), order, size + 1)
    all_ids = task_ids(step, reach, filters.school, wanted, None, COUNT_CAP + 1)
    rows, count = _rows(WorkItem.objects.filter(id__in=page_ids).order_by(*order.keys()), by.key, step, all_ids)
    more, rows = len(rows) > size, rows[:size]
    if order.backwards:
        rows.reverse()
    if not rows:
        return Page([])
    return Page(
        rows,
        next=order.cursor(rows[-1].task, rows[-1].due_on) if more or order.backwards else "",
        previous=order.cursor(rows[0].task, rows[0].due_on) if (more if order.backwards else bool(after)) else "",
        count=min(count, COUNT_CAP),
        capped=count > COUNT_CAP,
    )


_FIELDS = {
    "task": "id",
    "case": "process_id",
    "pupil": "process__application__student__name",
    "school": "process__application__school__name",
    "grade": "process__application__grade",
    "class_name": "process__application__class_name",
    "programme": "process__programme",
    "version": "process__application__version_id",
    "level": "process__application__level",
    "tier": "process__application__tier",
    "amount": "process__application__amount",
    "open_hits": "process__open_hits",
    "findings": "process__application__findings",
    "due_on": "due_on",
    "round": "round",
    "path": "path",
}


def _rows(items: QuerySet[WorkItem], person: str, step: str, counted: RawSQL | None = None) -> tuple[list[Row], int]:
    """Reads what the queue shows of some items, in one statement; and how many are `counted`, up to the cap."""
    arrival = Record.objects.filter(about="case", about_id=OuterRef("process_id")).exclude(state_to="")
    hits = Hit.objects.filter(application_id=OuterRef("process_id"), waived_at=None).order_by("id")
    annotated = items.filter(process__application__isnull=False).annotate(
        arrived=Coalesce(Subquery(arrival.order_by("-id").values("business_at")[:1]), "created"),
        hits=ArraySubquery(hits.values(told=JSONObject(code="code", values="values"))),
        acted=Coalesce(Subquery(_elsewhere(person, step).values("level")[:1]), Value("")),
        counted=Value(0) if counted is None else _count(counted),
    )
    read = list(annotated.values_list(*_FIELDS.values(), "arrived", "hits", "acted", "counted"))
    rows = [Row(*values[:-1]) for values in read]
    return rows, read[0][-1] if read else 0


def _elsewhere(person: str, step: str) -> QuerySet[ActingLevel]:
    """Whether a person has acted on the task's case at another level than this step's."""
    acted = ActingLevel.objects.filter(case_id=OuterRef("process_id"), person=person)
    return acted.exclude(level=level_of(step))


def _count(ids: RawSQL) -> RawSQL:
    """A scalar subquery that counts what `task_ids` finds; asked once for a statement."""
    return RawSQL(f"SELECT count(*) FROM ({ids.sql}) AS counted", ids.params)  # noqa: S611


def waiting_by_step(reaches: dict[str, Reach]) -> dict[str, int]:
    """How many tasks wait at each step within its reach, each counted no further than one above COUNT_CAP."""
    counts = [_count(task_ids(step, reach, "", Q(), None, COUNT_CAP + 1)) for step, reach in reaches.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(f"({count.sql})" for count in counts),
            [value for count in counts for value in count.params],
        )
        return dict(zip(reaches, cursor.fetchone(), strict=True))


def cursor_of(task: int, filters: Filters) -> str:
    """The cursor that stands at a task, open or decided, for "the next one after this"."""
    order = Order(filters.order == "due")
    due_on = WorkItem.objects.filter(pk=task).values_list("due_on", flat=True).first() if order.by_deadline else None
    return order.cursor(task, due_on)


def next_case(
    by: UserActor, step: str, reach: Reach, filters: Filters, after: str, today: date | None = None
) -> int | None:
    """The case after a cursor in the queue that `by` has not judged at another level; None at the end."""
    order = Order(filters.order == "due")
    wanted = filters.wanted(today) & order.beyond(after) & ~Exists(_elsewhere(by.key, step))
    ids = task_ids(step, reach, filters.school, wanted, order, 1)
    return WorkItem.objects.filter(id__in=ids).values_list("process_id", flat=True).first()


# ---------------------------------------------------------------- deciding on many


def chosen(by: UserActor, step: str, reach: Reach, tasks: Iterable[int]) -> list[Row]:
    """Of these tasks, those that are open at the step within reach, for the page that asks "really?"."""
    items = WorkItem.objects.filter(queue=queue_of(AidFlow.kind, step), finished__isnull=True)
    return _rows(items.filter(below(reach.prefixes), id__in=list(tasks)).order_by("id"), by.key, step)[0]


def totals(rows: Iterable[Row]) -> dict[str, Any]:
    """Count and sum of some rows, and how many of them carry a warning."""
    kept = list(rows)
    return {
        "count": len(kept),
        "amount": sum((row.amount for row in kept if row.amount), Decimal(0)),
        "hits": sum(row.open_hits > 0 for row in kept),
        "unmet": sum(row.unmet > 0 for row in kept),
    }


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one task that a person decided, with the names to tell it by."""

    ok: bool
    code: str
    message: str
    task: int
    case: int | None = None
    pupil: str = ""
    school: str = ""
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one decision on many: what was done, what was refused and why."""

    act: str = ""
    done: list[Answered] = field(default_factory=list)
    refused: list[Answered] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        """Yuan a term of those that were done."""
        return sum((row.amount for row in self.done if row.amount), Decimal(0))


_NAMED = (
    "id",
    "process_id",
    "process__application__student__name",
    "process__application__school__name",
    "process__application__amount",
)


def answer(by: UserActor, key: str, prefixes: Iterable[str]) -> Answer | None:
    """What a person's decision under `key` led to, read back after the redirect; names only below `prefixes`."""
    results = results_under(key, by)
    if not results:
        return None
    tasks = WorkItem.objects.filter(below(prefixes), id__in=[result.task_id for result in results])
    named = {values[0]: values[1:] for values in tasks.values_list(*_NAMED)}
    told = [Answered(row.ok, row.code, row.message, row.task_id, *named.get(row.task_id, ())) for row in results]
    return Answer(key.partition(":")[0], [row for row in told if row.ok], [row for row in told if not row.ok])


@dataclass(frozen=True, slots=True)
class Named:
    """A task as a page names it, with the office of its case and the permission that opens its step."""

    task: int
    case: int
    pupil: str
    school: str
    path: str
    permission: str


def named_tasks(tasks: Iterable[int], prefixes: Iterable[str]) -> list[Named]:
    """Open tasks below the offices, by name, in one statement; the others are left out."""
    found = WorkItem.objects.filter(below(prefixes), id__in=list(tasks), finished__isnull=True).order_by("id")
    rows = found.values_list(*_NAMED[:4], "path", "queue")
    return [Named(*row[:5], REVIEWERS.get(row[5].partition(".")[2], "")) for row in rows]


# ---------------------------------------------------------------- words and choices


@dataclass(frozen=True, slots=True)
class Choices:
    """What the queue's filters offer, and where the reader's offices reach."""

    offices: dict[str, str]
    """All organisations below the offices, {path: name}."""
    schools: dict[str, tuple[str, str]]
    """{code: (path, name)}."""
    programmes: dict[str, str]
    """{code: name} in the language of the page."""

    def reach(self, prefixes: Iterable[str]) -> Reach:
        """The reach of some of these offices."""
        found = Reach(tuple(prefixes))
        return Reach(found.prefixes, tuple(path for path in self.offices if found.within(path)))


def choices(prefixes: Iterable[str]) -> Choices:
    """Organisations below the offices and all programmes, in one statement."""
    name = "name_en" if get_language() == "en" else "name"
    offices = Organisation.objects.filter(below(prefixes)).order_by()
    programmes = Programme.objects.order_by()
    rows = offices.values_list("kind", Value(0), "path", "code", "name").union(
        programmes.values_list(Value("programme"), "order", Value(""), "code", name), all=True
    )
    found = sorted(rows, key=lambda row: row[1:])
    return Choices(
        {path: text for kind, _order, path, _code, text in found if kind != "programme"},
        {code: (path, text) for kind, _order, path, code, text in found if kind == Kind.SCHOOL},
        {code: text for kind, _order, _path, code, text in found if kind == "programme"},
    )


def definitions(versions: Iterable[int]) -> dict[int, Definition]:
    """The definitions of programme versions by key, for the words of findings and tiers."""
    found = ProgrammeVersion.objects.in_bulk(set(versions))
    return {key: version.rules for key, version in found.items()}
