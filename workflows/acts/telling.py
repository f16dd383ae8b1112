"""Telling people of a case: comments, copies (抄送) with read marks (已阅), watching, urging (催办), who looks on."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connection, transaction

from workflows.actors import Actor
from workflows.acts.frame import Act, Concerns
from workflows.clock import Moment, moment
from workflows.locking import Refused, Standing
from workflows.models import Follower, Look, Record
from workflows.nodes import Review
from workflows.panels import SEES

URGE = "urge_case"
"""The permission to urge whoever has a case to decide."""
URGES = 3
"""How often one step of a case may be urged; once a business day at most."""
PRESENT = timedelta(seconds=75)
"""For how long somebody counts as looking at a case after his page last said so."""


class _Telling(Act):
    judges = False

    def permission(self, task: Standing) -> str:
        return SEES


class Comment(_Telling):
    """批注: words on the record of a case, for everybody who may see it. The words are the reason's text."""

    name = "comment"


class CopyTo(_Telling):
    """抄送: copies a case to people who may see it; when they open it, it counts as read."""

    name = "copy_to"

    def __init__(self, to: Sequence[Actor]) -> None:
        self.concerns = Concerns(to, SEES)

    @property
    def to(self) -> tuple[Actor, ...]:
        return self.concerns.people

    def begin(self, tasks: list[Standing]) -> None:
        self.concerns.read(tasks)

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        refused = self.concerns.refusal(task)
        return None if refused is not None and refused[0] == "they_barred" else refused

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        Follower.objects.bulk_create(
            [_follower(task.case, person, moment, by.name[:150]) for task in tasks for person in self.to]
        )


def _follower(case: int, person: Actor, moment: Moment, copied_by: str = "") -> Follower:
    return Follower(
        case_id=case, person=person.key, name=person.name[:150], user_id=getattr(person, "user_id", None),
        copied_by=copied_by, at=moment.machine,
    )  # fmt: skip


class Watch(_Telling):
    """关注: follows a case; what happens to it is told."""

    name = "watch"

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        Follower.objects.bulk_create([_follower(task.case, by, moment) for task in tasks], ignore_conflicts=True)


class Unwatch(_Telling):
    """取消关注."""

    name = "unwatch"

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        Follower.objects.filter(case__in=[task.case for task in tasks], person=by.key, copied_by="").delete()


class Urge(Act):
    """催办: reminds whoever has the task. Once a day, three times a step; it decides nothing."""

    name = "urge"
    judges = False

    def __init__(self) -> None:
        self.urged: dict[int, list[Moment]] = {}
        self._today: set[int] = set()
        self._times: dict[int, int] = {}

    def permission(self, task: Standing) -> str:
        return URGE

    def begin(self, tasks: list[Standing]) -> None:
        self._today, self._times = set(), {}
        today = moment().date
        lines = Record.objects.filter(act=self.name, about="case", about_id__in=[task.case for task in tasks])
        open_items = {task.item for task in tasks}
        for item, at in lines.values_list("item", "business_at"):
            if item in open_items:
                self._times[item] = self._times.get(item, 0) + 1
                if Moment(at, at).date == today:
                    self._today.add(item)

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        if not isinstance(task.step, Review):
            return "not_here"
        if task.bars.suspended:
            return "suspended"
        if task.item in self._today:
            return "urged_today"
        return "urged_enough" if self._times.get(task.item, 0) >= URGES else None


def mark_read(case_id: int, person: str) -> int:
    """已阅: marks copies of a case to a person as read; how many were new."""
    return (
        Follower.objects.filter(case=case_id, person=person, read_at=None)
        .exclude(copied_by="")
        .update(read_at=moment().machine)
    )


_LOOK = """
    INSERT INTO workflows_look (case_id, person, name, at) VALUES (%s, %s, %s, now())
    ON CONFLICT (case_id, person) DO UPDATE SET at = excluded.at, name = excluded.name
"""


def looking(case_id: int, by: Actor) -> list[str]:
    """Notes that a person has a case open now; the names of the others who do."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOOK, [case_id, by.key, by.name[:150]])
        return list(others_looking([case_id], by.key).get(case_id, ()))


def others_looking(case_ids: Iterable[int], person: str) -> dict[int, list[str]]:
    """Who else has each of these cases open at this moment, by name."""
    found: dict[int, list[str]] = {}
    present = Look.objects.filter(case__in=list(case_ids), at__gte=moment().machine - PRESENT).exclude(person=person)
    for case, name in present.order_by("at").values_list("case_id", "name"):
        found.setdefault(case, []).append(name)
    return found
