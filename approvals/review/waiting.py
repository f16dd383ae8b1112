"""Which tasks wait for a reviewer, asked so that the partial indexes of open tasks answer.

The planner cannot know that the oldest rows of the table are finished ones: left to itself it walks the primary key,
or the whole table, hoping to meet fifty open tasks soon. So each question takes a form that only one index can serve.
A few offices: the tasks of each, in order, are merged (item_office_queue). Many: the step's tasks are walked in order
(item_queue).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Q
from django.db.models.expressions import OrderBy, RawSQL

from approvals.organisations.access import number
from approvals.organisations.models import Organisation
from approvals.organisations.queries import below
from workflows.flows.aid import AidFlow
from workflows.models import WorkItem
from workflows.queries import queue_of

MERGED = 40
"""Up to so many organisations, each one's tasks are merged; beyond, those of the whole step are walked."""
SOON = 3
"""Calendar days within which a deadline counts as near."""


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
    """hits: open data-match hits; findings: a condition that does not hold; returned: seen before."""
    due: str = ""
    """overdue, today, soon."""
    name: str = ""
    person: bytes | None = None
    order: str = "arrived"
    """arrived, or due."""

    @property
    def narrows(self) -> bool:
        """Whether anything besides the order is asked."""
        return any((self.school, self.programme, self.level, self.flags, self.due, self.name, self.person is not None))

    def wanted(self, today: date | None) -> Q:
        """What is asked of a task, the school aside; `today` is the business date that deadlines are held against."""
        asked = {
            "process__programme": self.programme,
            "process__application__level": self.level,
            "process__application__student__name__startswith": self.name,
        }
        wanted = Q(**{column: value for column, value in asked.items() if value})
        if self.person is not None:
            wanted &= Q(process__application__student__id_hash=self.person)
        return wanted & _FLAGS.get(self.flags, Q()) & _due(self.due, today)


_FLAGS = {
    "hits": Q(process__open_hits__gt=0),
    "findings": Q(process__application__findings__contains=[{"holds": False}]),
    "returned": Q(round__gt=1),
}


def _due(due: str, today: date | None) -> Q:
    if not due or today is None:
        return Q()
    if due == "overdue":
        return Q(due_on__lt=today)
    return Q(due_on__lte=today if due == "today" else today + timedelta(days=SOON))


# ---------------------------------------------------------------- in which order


@dataclass(frozen=True, slots=True)
class Order:
    """By arrival, or by deadline and then arrival, tasks without a deadline last; or the reverse of it."""

    by_deadline: bool = False
    backwards: bool = False

    def keys(self) -> list[OrderBy]:
        """What rows are sorted by."""
        id_key = F("id").desc() if self.backwards else F("id").asc()
        if not self.by_deadline:
            return [id_key]
        due_key = F("due_on").desc(nulls_first=True) if self.backwards else F("due_on").asc(nulls_last=True)
        return [due_key, id_key]

    def sql(self) -> str:
        """The same, for rows named `task`."""
        way, nulls = ("DESC", "FIRST") if self.backwards else ("ASC", "LAST")
        by_deadline = f"task.due_on {way} NULLS {nulls}, " if self.by_deadline else ""
        return f"ORDER BY {by_deadline}task.id {way}"

    def cursor(self, task: int, due_on: date | None) -> str:
        """The cursor that stands at a task."""
        return f"{due_on.isoformat() if due_on else 'none'}_{task}" if self.by_deadline else str(task)

    def beyond(self, cursor: str) -> Q:
        """The rows past a cursor; all for none, and for one that nobody gave out."""
        day, _, last = cursor.rpartition("_")
        task = number(last)
        if task is None:
            return Q()
        past_id = Q(id__lt=task) if self.backwards else Q(id__gt=task)
        return self._beyond_day(day, past_id) if self.by_deadline else past_id

    def _beyond_day(self, day: str, past_id: Q) -> Q:
        if day == "none":
            earlier = Q(due_on__isnull=False) if self.backwards else Q(pk__in=[])
            return (Q(due_on=None) & past_id) | earlier
        try:
            due_on = date.fromisoformat(day)
        except ValueError:
            return Q()
        if self.backwards:
            return Q(due_on__lt=due_on) | (Q(due_on=due_on) & past_id)
        return Q(due_on__gt=due_on) | (Q(due_on=due_on) & past_id) | Q(due_on=None)


# ---------------------------------------------------------------- the question


def task_ids(step: str, reach: Reach, school: str, wanted: Q, order: Order | None, limit: int) -> RawSQL:
    """A subquery for the ids of up to `limit` open tasks of a step; the first of them where an order is given."""
    if school or 0 < len(reach.paths) <= MERGED:
        offices = [school] if school else reach.paths
        return _merged(step, [path for path in offices if reach.within(path)], wanted, order, limit)
    return _walked(step, reach.prefixes, wanted, order, limit)


def _merged(step: str, offices: Sequence[str], wanted: Q, order: Order | None, limit: int) -> RawSQL:
    tasks = WorkItem.objects.filter(
        wanted, finished__isnull=True, queue=queue_of(AidFlow.kind, step), path=RawSQL("office.path", [])
    )
    columns = ("id", "due_on") if order and order.by_deadline else ("id",)
    ordered = tasks.order_by(*(order or Order()).keys()).values(*columns)[:limit]
    sql, params = ordered.query.sql_with_params()
    return RawSQL(  # noqa: S611 compiled by the ORM
        f"SELECT task.id FROM unnest(%s::varchar[]) AS office(path) CROSS JOIN LATERAL ({sql}) AS task"
        f" {order.sql() if order else ''} LIMIT {limit:d}",
        [list(offices), *params],
    )


def _walked(step: str, prefixes: Sequence[str], wanted: Q, order: Order | None, limit: int) -> RawSQL:
    queue = queue_of(AidFlow.kind, step)
    # A range of one value: under an equality the planner would take the primary key's order for as good.
    tasks = WorkItem.objects.filter(
        wanted, below(prefixes), finished__isnull=True, queue__gte=queue, queue__lte=queue
    ).order_by(*([] if order and order.by_deadline else ["queue"]), *(order or Order()).keys())
    return RawSQL(*tasks.values("id")[:limit].query.sql_with_params())  # noqa: S611 compiled by the ORM
