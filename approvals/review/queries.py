"""The review queue, read page by page, and what became of a decision (DESIGN §11).

Pages go by key, never by OFFSET; counts stop at 1,000.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import BooleanField, CharField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, JSONObject
from django.utils.translation import get_language, gettext

from approvals.applications.models import Hit
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Kind, Organisation
from approvals.organisations.queries import below
from approvals.programmes.definition import Definition
from approvals.programmes.models import Programme, ProgrammeVersion
from approvals.review.models import QueueColumns, SavedFilter
from approvals.review.waiting import (
    BY_DEADLINE,
    Filters,
    Order,
    Question,
    Reach,
    Reader,
    office_tasks,
    reach_of,
    signs,
)
from workflows.bars import barred
from workflows.clock import CHINA
from workflows.flows.aid import REVIEWERS, AidFlow
from workflows.models import ActingLevel, Follower, Freeze, Record, Recusal, Signer, WorkItem
from workflows.nodes import OUTCOMES
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


class Seat(NamedTuple):
    """Who signs a task: the part he has, what he signed (empty while he is waited for), and his name."""

    person: str
    part: str
    vote: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """One waiting task as the queue shows it."""

    task: int
    case: int
    queue: str
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
    holder: str
    holder_name: str
    panel: str
    share: int
    quorum: int
    arrived: datetime
    hits: list[dict[str, Any]]
    """[{"code", "values"}] of the data-match hits that nobody has waived."""
    rechecked: bool
    """Hits were waived in a re-check, from which the case has come back."""
    seats: list[Seat]
    watched: bool
    """The reader watches the case of his own accord; read where watched cases are looked at."""

    @property
    def step(self) -> str:
        """The step at which it waits."""
        return self.queue.partition(".")[2]

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
    size: int = SIZES[0],
    today: date | None = None,
    view: str = "office",
) -> Page:
    """The open tasks of a step that `by` may decide by office, or another view of them, in order."""
    reach = reach_of(by.prefixes(REVIEWERS[step])) if step else Reach()
    reader = Reader(by.key, tuple(by.prefixes("view_case")))
    question = Question(step, reach, filters or Filters(), view, today, reader)
    return page_of(question, after, before=before, size=size)


def page_of(question: Question, after: str = "", *, before: str = "", size: int = SIZES[0]) -> Page:
    """A page of what a question asks, and how much it finds, in one statement. Cursors stand for where it begins."""
    order, cursor = question.order(backwards=bool(before)), before or after
    ids = question.ids(size + 1, order, order.beyond(cursor))
    items = WorkItem.objects.filter(id__in=ids).order_by(*order.keys())
    rows, found = _rows(items, question.reader.person if question.view == "watched" else "", question)
    more, rows = len(rows) > size, rows[:size]
    if order.backwards:
        rows.reverse()
    if not rows:
        return Page([])
    return Page(
        rows,
        next=order.cursor(rows[-1].task, rows[-1].due_on) if more or order.backwards else "",
        previous=order.cursor(rows[0].task, rows[0].due_on) if (more if order.backwards else bool(after)) else "",
        count=min(found, COUNT_CAP),
        capped=found > COUNT_CAP,
    )


_FIELDS = {
    "task": "id",
    "case": "process_id",
    "queue": "queue",
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
    "holder": "holder",
    "holder_name": "holder_name",
    "panel": "panel",
    "share": "share",
    "quorum": "quorum",
}


def _rows(items: QuerySet[WorkItem], watcher: str = "", asked: Question | None = None) -> tuple[list[Row], int]:
    """Reads what the queue shows of some items, in one statement; and how much a question finds, up to the cap."""
    arrival = Record.objects.filter(about="case", about_id=OuterRef("process_id")).exclude(state_to="")
    hits = (
        Hit.objects.filter(application_id=OuterRef("process_id"), waived_at=None).exclude(weight="info").order_by("id")
    )
    seats = Signer.objects.filter(item=OuterRef("id"), ended_at=None).order_by("id")
    watch = Follower.objects.filter(case=OuterRef("process_id"), person=watcher, copied_by="")
    annotated = items.filter(process__application__isnull=False).annotate(
        arrived=Coalesce(Subquery(arrival.order_by("-id").values("business_at")[:1]), "created"),
        hits=ArraySubquery(hits.values(told=JSONObject(code="code", values="values"))),
        rechecked=Exists(Hit.objects.filter(application_id=OuterRef("process_id"), waived_at__isnull=False)),
        seats=ArraySubquery(seats.values(told=JSONObject(person="person", part="part", vote="vote", name="name"))),
        watched=Exists(watch) if watcher else Value(False),
        counted=_counts([asked] if asked else []),
    )
    read = list(annotated.values_list(*_FIELDS.values(), "arrived", "hits", "rechecked", "seats", "watched", "counted"))
    rows = [Row(*values[:-3], [Seat(**seat) for seat in values[-3]], values[-2]) for values in read]
    return rows, sum(read[0][-1]) if read else 0


def _counts(asked: Sequence[Question]) -> RawSQL:
    """An array of how much each question finds, up to one above the cap; asked once for a statement."""
    found = [question.ids(COUNT_CAP + 1) for question in asked]
    parts = ", ".join(f"(SELECT count(*) FROM ({ids.sql}) AS counted)" for ids in found)
    params = [value for ids in found for value in ids.params]
    return RawSQL(f"SELECT ARRAY[{parts}]::bigint[]", params)  # noqa: S611 compiled by the ORM


def counted(asked: Sequence[Question]) -> list[int]:
    """How much each question finds, counted no further than one above COUNT_CAP, in one statement."""
    if not asked:
        return []
    counts = _counts(asked)
    with connection.cursor() as cursor:
        cursor.execute(counts.sql, counts.params)
        return list(cursor.fetchone()[0])


def cursor_of(task: int, question: Question) -> str:
    """The cursor that stands at a task, open or decided, for "the next one after this"."""
    order = question.order()
    due_on = None
    if order.by == BY_DEADLINE:
        due_on = WorkItem.objects.filter(pk=task).values_list("due_on", flat=True).first()
    return order.cursor(task, due_on)


def next_case(question: Question, after: str) -> int | None:
    """The case after a cursor that its reader may judge as far as bars go; None at the end."""
    order = question.order()
    wanted = order.beyond(after)
    if question.step:
        wanted &= unbarred(question.reader.person, question.step)
    ids = question.ids(1, order, wanted)
    return WorkItem.objects.filter(id__in=ids).values_list("process_id", flat=True).first()


def unbarred(person: str, step: str) -> Q:
    """Tasks of a step that a person may judge: not suspended, not held by others, neither recused nor active on the
    case at another level.
    """
    level = level_of(step)
    acted = ActingLevel.objects.filter(case_id=OuterRef("process_id"), person=person).exclude(level=level)
    at_level = Q(levels=[]) | Q(levels__contains=[level])
    recused = Recusal.objects.filter(at_level, person=person, ended_at=None)
    of_case = recused.filter(case_id=OuterRef("process_id"))
    below_it = Func(OuterRef("path"), F("path"), function="starts_with", output_field=BooleanField())
    of_office = recused.filter(below_it, case=None)
    free = Q(process__suspended_on=None, holder__in=["", person])
    return free & ~Exists(acted) & ~Exists(of_case) & ~Exists(of_office)


def candidates(question: Question, window: int) -> QuerySet[WorkItem]:
    """The first `window` tasks that a reader could take on next, in the queue's order: nobody's, and no panel's."""
    person = question.reader.person
    signed = Signer.objects.filter(item=OuterRef("id"), person=person, ended_at=None).exclude(vote="")
    wanted = unbarred(person, question.step) & Q(holder="", panel__in=["", "added"]) & ~Exists(signed)
    order = question.order()
    ids = question.ids(window, order, wanted)
    return WorkItem.objects.filter(id__in=ids, holder="", finished__isnull=True).order_by(*order.keys())


def case_of(task: int) -> int:
    """The case of a task."""
    return WorkItem.objects.values_list("process_id", flat=True).get(pk=task)


def next_to_sign(question: Question) -> int | None:
    """The first case that waits for the reader's signature, at whatever step."""
    mine = Question("", Reach(), view="mine", today=question.today, reader=question.reader)
    ids = mine.ids(1, Order(), signs(question.reader.person))
    return WorkItem.objects.filter(id__in=ids).values_list("process_id", flat=True).first()


# ---------------------------------------------------------------- by school


class OfSchool(NamedTuple):
    """What waits of one school. Everything is of the most urgent COUNT_CAP tasks where there are more."""

    path: str
    count: int
    amount: Decimal
    hits: int
    overdue: int
    oldest: date | None

    @property
    def capped(self) -> bool:
        """Whether more wait than were looked at."""
        return self.count > COUNT_CAP


def by_school(question: Question) -> list[OfSchool]:
    """What a question finds, school by school, what is due first on top; in one statement."""
    reach, school = question.reach, question.filters.school
    paths = [path for path in ([school] if school else reach.paths) if reach.within(path)]
    sql, params = office_tasks(
        question.step,
        question.wanted,
        Order(BY_DEADLINE),
        COUNT_CAP + 1,
        "process__application__amount",
        "process__open_hits",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT office.path, found.* FROM unnest(%s::varchar[]) AS office(path) CROSS JOIN LATERAL ("
            f"  SELECT count(*) AS tasks, COALESCE(sum(task.amount), 0), count(*) FILTER (WHERE task.hits > 0),"
            f"         count(*) FILTER (WHERE task.due_on < %s), min(task.due_on) AS oldest"
            f"    FROM ({sql}) AS task (id, due_on, amount, hits)) AS found"
            f" WHERE found.tasks > 0 ORDER BY found.oldest NULLS LAST, office.path",
            [paths, question.today, *params],
        )
        return [OfSchool(*row) for row in cursor.fetchall()]


def tasks_of_schools(question: Question, paths: Sequence[str], limit: int) -> list[int]:
    """The first tasks of these schools among what a question finds, in the queue's order."""
    found: list[int] = []
    for path in paths:
        if len(found) < limit:
            of_school = replace(question, filters=replace(question.filters, school=path))
            order = of_school.order()
            ids = of_school.ids(limit - len(found), order)
            found += WorkItem.objects.filter(id__in=ids).order_by(*order.keys()).values_list("id", flat=True)
    return found


# ---------------------------------------------------------------- deciding on many


def chosen(person: str, reaches: Mapping[str, Reach], tasks: Iterable[int]) -> list[Row]:
    """Of these tasks, those that a person may decide: open at a step within its reach, or waiting for his signature.

    For the page that asks "really?".
    """
    within = signs(person)
    for step, reach in reaches.items():
        within |= Q(queue=queue_of(AidFlow.kind, step)) & below(reach.prefixes)
    items = WorkItem.objects.filter(within, finished__isnull=True, id__in=list(tasks))
    return _rows(items.order_by("id"))[0]


def totals(rows: Iterable[Row]) -> dict[str, Any]:
    """Count and sum of some rows, and how many of them carry a warning."""
    kept = list(rows)
    return {
        "count": len(kept),
        "amount": sum((row.amount for row in kept if row.amount), Decimal(0)),
        "found": sum(row.open_hits > 0 or row.unmet > 0 for row in kept),
        "hits": sum(row.open_hits > 0 for row in kept),
        "unmet": sum(row.unmet > 0 for row in kept),
    }


def with_findings(tasks: Iterable[int]) -> bool:
    """Whether one of these open tasks carries an open hit, or a condition that does not hold."""
    carries = Filters(flags="hits").wanted(None) | Filters(flags="findings").wanted(None)
    return WorkItem.objects.filter(carries, id__in=list(tasks), finished__isnull=True).exists()


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

    @property
    def reasons(self) -> list[tuple[str, list[Answered]]]:
        """What was refused, by the sentence of its refusal; the commonest first."""
        alike: dict[str, list[Answered]] = {}
        for row in self.refused:
            alike.setdefault(row.message, []).append(row)
        return sorted(alike.items(), key=lambda each: -len(each[1]))


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
    own = decided_already(by, [result.task_id for result in results if result.code == "closed"])
    told = [
        Answered(row.ok, row.code, own.get(row.task_id, row.message), row.task_id, *named.get(row.task_id, ()))
        for row in results
    ]
    return Answer(key.partition(":")[0], [row for row in told if row.ok], [row for row in told if not row.ok])


def decided_already(by: UserActor, tasks: Iterable[int]) -> dict[int, str]:
    """Of these tasks, those that the person has decided himself, in another window perhaps; {task: the sentence}."""
    asked = list(tasks)
    if not asked:
        return {}
    cases = WorkItem.objects.filter(pk__in=asked).values("process_id")
    lines = Record.objects.filter(about="case", about_id__in=cases, item__in=asked, actor=by.key, act__in=OUTCOMES)
    sentence = gettext("You have decided this yourself already: %(outcome)s, %(at)s.")
    return {
        item: sentence % {"outcome": OUTCOMES[act], "at": at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")}
        for item, act, at in lines.order_by("id").values_list("item", "act", "business_at")
    }


@dataclass(frozen=True, slots=True)
class Named:
    """A task as a page names it, with the office of its case and the permission that opens its step."""

    task: int
    case: int
    pupil: str
    school: str
    path: str
    permission: str
    level: str
    """The level at which its step is decided."""


def named_tasks(tasks: Iterable[int], prefixes: Iterable[str]) -> list[Named]:
    """Open tasks below the offices, by name, in one statement; the others are left out."""
    found = WorkItem.objects.filter(below(prefixes), id__in=list(tasks), finished__isnull=True).order_by("id")
    rows = found.values_list(*_NAMED[:4], "path", "queue")
    return [Named(*row[:5], *_opened_by(row[5].partition(".")[2])) for row in rows]


def _opened_by(step: str) -> tuple[str, str]:
    return (REVIEWERS[step], step_of(AidFlow.kind, step).level) if step in REVIEWERS else ("", "")


def may_join(rows: Sequence[Named], people: Sequence[str], seated: bool = False) -> set[str]:
    """Of these people (keys), those who may judge at least one of the tasks; `seated`: and do not sign there yet."""
    no = barred([(row.case, row.level) for row in rows], people)
    if seated:
        case = {row.task: row.case for row in rows}
        signing = Signer.objects.filter(item__in=case, person__in=people, ended_at=None)
        no |= {(case[item], person) for item, person in signing.values_list("item_id", "person")}
    return {person for person in people if any((row.case, person) not in no for row in rows)}


# ---------------------------------------------------------------- words and choices


class Saved(NamedTuple):
    """A filter that the reader has saved: its key, its name, the query of the queue's address."""

    pk: int
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the queue's filters offer, where the reader's offices reach, and how he has set up his desk."""

    offices: dict[str, str]
    """All organisations below the offices, {path: name}."""
    schools: dict[str, tuple[str, str]]
    """{code: (path, name)}."""
    programmes: dict[str, str]
    """{code: name} in the language of the page."""
    saved: tuple[Saved, ...] = ()
    columns: tuple[str, ...] | None = None
    """The columns that the reader has chosen; None for the usual ones."""

    def reach(self, prefixes: Iterable[str]) -> Reach:
        """The reach of some of these offices."""
        found = Reach(tuple(prefixes))
        return Reach(found.prefixes, tuple(path for path in self.offices if found.within(path)))


def choices(prefixes: Iterable[str], person: str = "") -> Choices:
    """Organisations below the offices, all programmes, and a person's saved filters and columns, in one statement."""
    name = "name_en" if get_language() == "en" else "name"
    offices = Organisation.objects.filter(below(prefixes)).order_by()
    programmes = Programme.objects.order_by()
    saved = SavedFilter.objects.filter(person=person).order_by()
    columns = Func("columns", Value(","), function="array_to_string", output_field=CharField())
    rows = offices.values_list("kind", Value(0), "path", "code", "name").union(
        programmes.values_list(Value("programme"), "order", Value(""), "code", name),
        saved.values_list(Value("saved"), "slot", Cast("pk", CharField()), "query", "name"),
        QueueColumns.objects.filter(person=person).values_list(
            Value("columns"), Value(0), Value(""), Value(""), columns
        ),
        all=True,
    )
    found = sorted(rows, key=lambda row: row[1:])
    chosen = [text for kind, _order, _path, _code, text in found if kind == "columns"]
    return Choices(
        {path: text for kind, _order, path, _code, text in found if kind in Kind.values},
        {code: (path, text) for kind, _order, path, code, text in found if kind == Kind.SCHOOL},
        {code: text for kind, _order, _path, code, text in found if kind == "programme"},
        tuple(Saved(int(path), text, code) for kind, _order, path, code, text in found if kind == "saved"),
        tuple(filter(None, chosen[0].split(","))) if chosen else None,
    )


def definitions(versions: Iterable[int]) -> dict[int, Definition]:
    """The definitions of programme versions by key, for the words of findings and tiers."""
    found = ProgrammeVersion.objects.in_bulk(set(versions))
    return {key: version.rules for key, version in found.items()}


# ---------------------------------------------------------------- freeze periods


class Frozen(NamedTuple):
    """A freeze period and the name of its office."""

    freeze: Freeze
    office: str


def freezes(prefixes: Iterable[str]) -> list[Frozen]:
    """The freeze periods of the offices and all below them, and of those above that hold for them; newest first."""
    prefixes = tuple(prefixes)
    above = Q(path__in={prefix[:end] for prefix in prefixes for end in range(1, len(prefix) + 1)})
    found = list(Freeze.objects.filter(below(prefixes) | above).order_by("-starts_on", "-pk")[:COUNT_CAP])
    names = dict(Organisation.objects.filter(path__in={each.path for each in found}).values_list("path", "name"))
    return [Frozen(each, names.get(each.path, "")) for each in found]


def offices_to_freeze(prefixes: Iterable[str]) -> dict[str, str]:
    """The offices below which a period may be set, {path: name}: county and townships, and single schools."""
    found = Organisation.objects.filter(below(tuple(prefixes))).order_by("path")
    return dict(found.values_list("path", "name"))
