"""Which tasks wait for a reviewer, asked so that the partial indexes of open tasks answer.

The planner cannot know that the oldest rows of the table are finished ones: left to itself it walks the primary key,
or the whole table, hoping to meet fifty open tasks soon. So each question takes a form that only one index can serve.

- A few offices: the tasks of each, in order, are merged (item_office_queue, item_office_due).
- Many: the step's tasks are walked in order (item_queue, item_due).
- By name, and returned ones: walked whatever the offices, for few carry that name or have come back (item_title,
  item_returned).
- What is a person's own, or watched: from the person's rows to the open task of each (item_holder, signer_waited_for,
  follower_person).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Exists, F, Lookup, OuterRef, Q, Subquery
from django.db.models.expressions import OrderBy, RawSQL
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations.access import number
from approvals.organisations.models import Organisation
from approvals.organisations.queries import below
from workflows.deadlines import soon
from workflows.flows.aid import AidFlow
from workflows.models import Follower, Signer, WorkItem
from workflows.queries import queue_of

MERGED = 40
"""Up to so many organisations, each one's tasks are merged; beyond, those of the whole step are walked."""
VIEWS: dict[str, Promise] = {
    "office": _p("view", "All"),
    "mine": _p("view", "Mine"),
    "overdue": _p("view", "Overdue"),
    "soon": _p("view", "Due soon"),
    "returned": _p("view", "Returned"),
    "watched": _p("view", "Watched"),
}
"""What of the queue is looked at."""
OWN = ("mine", "watched")
"""Views of a person and not of an office: across all steps, and open without a review post."""


# ---------------------------------------------------------------- where


@dataclass(frozen=True, slots=True)
class Reach:
    """The offices where a permission holds: path prefixes, and the paths of all organisations below them."""

    prefixes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def within(self, path: str) -> bool:
        """Whether an office lies at or below one of the prefixes."""
        return any(path.startswith(prefix) for prefix in self.prefixes)


def reach_of(prefixes: Iterable[str]) -> Reach:
    """Reads which organisations lie below the offices."""
    prefixes = tuple(prefixes)
    return Reach(prefixes, tuple(Organisation.objects.filter(below(prefixes)).values_list("path", flat=True)))


# ---------------------------------------------------------------- which


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reviewer narrows the queue by. `school` is an office path, `person` a blind index of an ID number."""

    school: str = ""
    programme: str = ""
    level: str = ""
    flags: str = ""
    """hits: open data-match hits; findings: a condition does not hold; returned: seen before; clean: none of these."""
    due: str = ""
    """overdue, today, soon (the next two working days)."""
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    name: str = ""
    number: int | None = None
    """A case's number."""
    person: bytes | None = None
    order: str = "arrived"
    """arrived, or due."""

    @property
    def narrows(self) -> bool:
        """Whether anything besides the order is asked."""
        asked = (self.school, self.programme, self.level, self.flags, self.due, self.name)
        given = (self.person, self.number, self.amount_from, self.amount_to)
        return any(asked) or any(value is not None for value in given)

    def wanted(self, today: date | None) -> Q:
        """What is asked of a task, the school aside; `today` is the business date that deadlines are held against."""
        asked: dict[str, Any] = {
            "process__programme": self.programme or None,
            "process__application__level": self.level or None,
            "title__startswith": self.name or None,
            "process_id": self.number,
            "process__application__amount__gte": self.amount_from,
            "process__application__amount__lte": self.amount_to,
            "process__application__student__id_hash": self.person,
        }
        wanted = Q(**{column: value for column, value in asked.items() if value is not None})
        return wanted & _FLAGS.get(self.flags, Q()) & _due(self.due, today)


_RETURNED = Q(round__gt=1)
_FLAGS = {
    "clean": Q(process__open_hits=0, process__suspended_on=None, round=1)
    & ~Q(process__application__findings__contains=[{"holds": False}]),
    "hits": Q(process__open_hits__gt=0),
    "findings": Q(process__application__findings__contains=[{"holds": False}]),
    "returned": _RETURNED,
}


def _due(due: str, today: date | None) -> Q:
    if not due or today is None:
        return Q()
    if due == "overdue":
        return Q(due_on__lt=today)
    return Q(due_on__lte=today if due == "today" else soon(today))


def _of_view(view: str, today: date | None) -> Q:
    if view == "returned":
        return _RETURNED
    if view == "overdue":
        return _due(view, today)
    return _due(view, today) & Q(due_on__gte=today) if view == "soon" and today else Q()


# ---------------------------------------------------------------- in which order


class _ByBytes(OrderBy):
    """The order of item_title, which is made to be found in by the beginning of a name."""

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **also: Any) -> Any:
        sql, params = compiler.compile(self.expression)
        way = "~>~ /* DESC */" if self.descending else "~<~ /* ASC */"  # words that Django looks for
        return f"{sql} USING {way}", params


class _AtOrAfter(Lookup):
    """The same order as a condition."""

    operator = "~>=~"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, params = self.process_lhs(compiler, connection)
        right, more = self.process_rhs(compiler, connection)
        return f"{left} {self.operator} {right}", [*params, *more]


class _AtOrBefore(_AtOrAfter):
    operator = "~<=~"


BY_ARRIVAL, BY_DEADLINE, BY_NAME = "arrived", "due", "name"


@dataclass(frozen=True, slots=True)
class Order:
    """By arrival; by deadline and then arrival, tasks without a deadline last; by name; or the reverse of it."""

    by: str = BY_ARRIVAL
    backwards: bool = False

    def keys(self) -> list[OrderBy]:
        """What rows are sorted by."""
        id_key = F("id").desc() if self.backwards else F("id").asc()
        if self.by == BY_NAME:
            return [_ByBytes(F("title"), descending=self.backwards), id_key]
        if self.by == BY_DEADLINE:
            due_key = F("due_on").desc(nulls_first=True) if self.backwards else F("due_on").asc(nulls_last=True)
            return [due_key, id_key]
        return [id_key]

    @property
    def columns(self) -> tuple[str, ...]:
        """What the keys are made of."""
        return {BY_NAME: ("id", "title"), BY_DEADLINE: ("id", "due_on")}.get(self.by, ("id",))

    def sql(self) -> str:
        """The same as the keys, for rows named `task`."""
        way, nulls = ("DESC", "FIRST") if self.backwards else ("ASC", "LAST")
        first = {
            BY_DEADLINE: f"task.due_on {way} NULLS {nulls}, ",
            BY_NAME: f"task.title USING {'~>~' if self.backwards else '~<~'}, ",
        }
        return f"ORDER BY {first.get(self.by, '')}task.id {way}"

    def cursor(self, task: int, due_on: date | None) -> str:
        """The cursor that stands at a task. It names nobody."""
        if self.by == BY_DEADLINE:
            return f"{due_on.isoformat() if due_on else 'none'}_{task}"
        return str(task)

    def beyond(self, cursor: str) -> Q:
        """The rows past a cursor; all for none, and for one that nobody gave out."""
        day, _, last = cursor.rpartition("_")
        task = number(last)
        if task is None:
            return Q()
        past_id = Q(id__lt=task) if self.backwards else Q(id__gt=task)
        if self.by == BY_NAME:
            return self._beyond_name(task, past_id)
        return self._beyond_day(day, past_id) if self.by == BY_DEADLINE else past_id

    def _beyond_name(self, task: int, past_id: Q) -> Q:
        name = Subquery(WorkItem.objects.filter(pk=task).values("title")[:1])
        reached = (_AtOrBefore if self.backwards else _AtOrAfter)(F("title"), name)
        return Q(reached) & (~Q(title=name) | past_id)

    def _beyond_day(self, day: str, past_id: Q) -> Q:
        if day == "none":
            earlier = Q(due_on__isnull=False) if self.backwards else Q(pk__in=[])
            return (Q(due_on=None) & past_id) | earlier
        try:
            due_on = date.fromisoformat(day)
        except ValueError:
            return Q()
        if self.backwards:
            return Q(due_on__lte=due_on) & (Q(due_on__lt=due_on) | past_id)
        return (Q(due_on__gte=due_on) & (Q(due_on__gt=due_on) | past_id)) | Q(due_on=None)


# ---------------------------------------------------------------- the question


class Reader(NamedTuple):
    """Who asks: a natural person's key, and the offices below which he sees cases at all."""

    person: str = ""
    sees: tuple[str, ...] = ()


NOBODY = Reader()


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks of the queue: a view of a step, where, narrowed by what. Views in OWN need no step."""

    step: str
    reach: Reach
    filters: Filters = field(default_factory=Filters)
    view: str = "office"
    today: date | None = None
    reader: Reader = NOBODY

    def order(self, backwards: bool = False) -> Order:
        """By name where a name is looked for, by deadline where deadlines are looked at, else as asked."""
        if self.filters.name:
            return Order(BY_NAME, backwards)
        by_deadline = self.filters.order == "due" or self.view in ("overdue", "soon")
        return Order(BY_DEADLINE if by_deadline else BY_ARRIVAL, backwards)

    @property
    def wanted(self) -> Q:
        """What is asked of a task, the offices aside."""
        return self.filters.wanted(self.today) & _of_view(self.view, self.today)

    def ids(self, limit: int, order: Order | None = None, wanted: Q | None = None) -> RawSQL:
        """A subquery for the ids of up to `limit` of the open tasks; the first of them where an order is given."""
        asked = self.wanted & (wanted or Q())
        if self.view in OWN:
            return _own(self, asked, order, limit)
        offices = [self.filters.school] if self.filters.school else self.reach.paths
        everywhere = self.filters.name or self.view == "returned" or self.filters.flags == "returned"
        if not everywhere and (self.filters.school or 0 < len(offices) <= MERGED):
            within = [path for path in offices if self.reach.within(path)]
            return _merged(self.step, within, asked, order, self.order(), limit)
        if self.filters.school:
            asked &= Q(path=self.filters.school)
        return _walked(self.step, self.reach.prefixes, asked, order or self.order(), limit)


def task_ids(step: str, reach: Reach, school: str, wanted: Q, order: Order | None, limit: int) -> RawSQL:
    """A subquery for the ids of up to `limit` open tasks of a step; the first of them where an order is given."""
    return Question(step, reach, Filters(school=school)).ids(limit, order, wanted)


def _merged(step: str, offices: Sequence[str], wanted: Q, order: Order | None, inner: Order, limit: int) -> RawSQL:
    sql, params = office_tasks(step, wanted, order or inner, limit)
    return RawSQL(  # noqa: S611 compiled by the ORM
        f"SELECT task.id FROM unnest(%s::varchar[]) AS office(path) CROSS JOIN LATERAL ({sql}) AS task"
        f" {order.sql() if order else ''} LIMIT {limit:d}",
        [list(offices), *params],
    )


def office_tasks(step: str, wanted: Q, order: Order, limit: int, *columns: str) -> tuple[str, Sequence[Any]]:
    """SQL for the open tasks of the office that a row named `office` stands for, in an order that its index has."""
    tasks = WorkItem.objects.filter(
        wanted, finished__isnull=True, queue=queue_of(AidFlow.kind, step), path=RawSQL("office.path", [])
    )
    return tasks.order_by(*order.keys()).values(*order.columns, *columns)[:limit].query.sql_with_params()


def _walked(step: str, prefixes: Sequence[str], wanted: Q, order: Order, limit: int) -> RawSQL:
    tasks = WorkItem.objects.filter(wanted, below(prefixes), finished__isnull=True)
    queue = queue_of(AidFlow.kind, step)
    if order.by == BY_ARRIVAL:
        # A range of one value: under an equality the planner would take the primary key's order for as good.
        tasks = tasks.filter(queue__gte=queue, queue__lte=queue).order_by("queue", *order.keys())
    else:
        tasks = tasks.filter(queue=queue).order_by(*order.keys())
    return RawSQL(*tasks.values("id")[:limit].query.sql_with_params())  # noqa: S611 compiled by the ORM


_MINE = f"""
    SELECT id FROM {WorkItem._meta.db_table} WHERE holder = %s AND holder <> '' AND finished IS NULL
     UNION
    SELECT item_id FROM {Signer._meta.db_table} WHERE person = %s AND ended_at IS NULL AND vote = ''"""
_WATCHED = f"SELECT DISTINCT case_id FROM {Follower._meta.db_table} WHERE person = %s"


def _own(question: Question, wanted: Q, order: Order | None, limit: int) -> RawSQL:
    """What is a person's own: held by him or waiting for his signature; or the cases that he follows."""
    reader, mine = question.reader, question.view == "mine"
    tasks = WorkItem.objects.filter(
        wanted, below(reader.sees), finished__isnull=True, **{"id" if mine else "process_id": RawSQL("own.id", [])}
    )
    if question.filters.school:
        tasks = tasks.filter(path=question.filters.school)
    if question.step:
        tasks = tasks.filter(queue=queue_of(AidFlow.kind, question.step))
    columns = (order or Order()).columns
    sql, params = tasks.order_by().values(*columns)[:1].query.sql_with_params()
    own, people = (_MINE, [reader.person, reader.person]) if mine else (_WATCHED, [reader.person])
    return RawSQL(  # noqa: S611 compiled by the ORM
        f"SELECT task.id FROM ({own}) AS own(id) CROSS JOIN LATERAL ({sql}) AS task"
        f" {order.sql() if order else ''} LIMIT {limit:d}",
        [*people, *params],
    )


def signs(person: str) -> Q:
    """Open tasks that wait for a person's signature."""
    asked = Signer.objects.filter(item=OuterRef("id"), person=person, ended_at=None, vote="")
    return Q(Exists(asked))
