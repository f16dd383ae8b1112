"""Recusal (回避, DOMAIN.md §2.8): who may not judge a case, found by other rooms or declared by the person himself."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.functional import Promise

from workflows import record
from workflows.actors import Actor
from workflows.acts.frame import Act
from workflows.clock import Moment, moment
from workflows.locking import Standing
from workflows.models import Case, Recusal, Signer, WorkItem
from workflows.nodes import Review
from workflows.panels import SEES, leave
from workflows.record import Line, write_lines
from workflows.refusals import add_sentences
from workflows.ways import step_at

DECLARED = "declared"


def add_recusals(sentences: dict[str, Promise]) -> None:
    """Adds the causes of recusal that a room finds, {code: what the person is told}."""
    add_sentences({f"recused_{code}": sentence for code, sentence in sentences.items()})


class StepAside(Act):
    """申请回避: a reviewer declares an interest in a case and does not judge it from then on."""

    name = "step_aside"
    reason_required = True
    judges = False

    def permission(self, task: Standing) -> str:
        # Those who were only asked to sign hold no post that opens the step.
        return SEES if task.seat.panel and isinstance(task.step, Review) else super().permission(task)

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        _add([(task.case, by.key) for task in tasks], DECLARED, (), moment)
        _rise([task.item for task in tasks], by.key, (), moment)


def _rise(items: Iterable[int], person: str, levels: Sequence[str], moment: Moment) -> None:
    """Takes a recused person off open items at these levels, or all: what he held is free again, nobody waits for his
    signature, and one that he gave falls.
    """
    open_items = WorkItem.objects.filter(pk__in=list(items), finished=None).only("flow_task")
    ours = [item.pk for item in open_items if not levels or getattr(item.flow_task, "level", "") in levels]
    WorkItem.objects.filter(pk__in=ours, holder=person).update(holder="", holder_name="", assigned=None)
    leave(list(Signer.objects.filter(item__in=ours, person=person, ended_at=None)), moment)


# One that is known for some levels is widened, never narrowed.
_ADD = """
    INSERT INTO workflows_recusal AS known (case_id, path, person, levels, code, text, at)
    SELECT DISTINCT c.id, '', f.person, %(levels)s::varchar[], %(code)s, '', %(now)s::timestamptz
      FROM unnest(%(cases)s::bigint[], %(people)s::varchar[]) AS f (case_id, person)
      JOIN workflows_case c ON c.id = f.case_id
        ON CONFLICT (case_id, person, code) WHERE ended_at IS NULL DO UPDATE
       SET levels = CASE WHEN excluded.levels = '{}' THEN '{}' ELSE known.levels || excluded.levels END
     WHERE known.levels <> '{}' AND NOT (excluded.levels <> '{}' AND known.levels @> excluded.levels)
    RETURNING case_id, person
"""


def _add(found: Sequence[tuple[int, str]], code: str, levels: Sequence[str], moment: Moment) -> list[tuple[int, str]]:
    """Writes recusals from cases, which are locked; those that are new, or hold for more than before."""
    cases, people = [case for case, _ in found], [person for _, person in found]
    values: dict[str, Any] = {
        "cases": cases,
        "people": people,
        "levels": list(levels),
        "code": code,
        "now": moment.machine,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)
        return sorted(cursor.fetchall())


def recuse(found: Iterable[tuple[int, str]], code: str, by: Actor, levels: Sequence[str] = ()) -> int:
    """Recuses people from cases, [(case, person's key)], for a cause that a room has found; returns how many are new.

    For all levels or some. Written under the locks of the cases, so that a decision under way is before it or after.
    """
    pairs = list(found)
    if not pairs:
        return 0
    at = moment()
    with transaction.atomic():
        paths = _locked({case for case, _ in pairs})
        added = _add(pairs, code, levels, at)
        # Asked once the locks are had: the case may have moved while they were waited for.
        open_items = dict(
            WorkItem.objects.filter(process__in={case for case, _ in added}, finished=None).values_list(
                "process_id", "pk"
            )
        )
        for person in sorted({person for _, person in added}):
            _rise([open_items[case] for case, who in added if who == person and case in open_items], person, levels, at)
        lines = [Line(case, paths[case], item=open_items.get(case)) for case, _ in added]
        write_lines("recuse", "case", lines, by, data={"code": code}, at=at)
    return len(added)


_ADD_OFFICES = """
    INSERT INTO workflows_recusal (case_id, path, person, levels, code, text, at)
    SELECT NULL, f.path, f.person, %(levels)s::varchar[], %(code)s, '', %(now)s::timestamptz
      FROM unnest(%(paths)s::varchar[], %(people)s::varchar[]) AS f (path, person)
        ON CONFLICT (person, path, code) WHERE case_id IS NULL AND ended_at IS NULL DO NOTHING
    RETURNING path, person
"""


def recuse_from_offices(found: Iterable[tuple[str, str]], code: str, by: Actor, levels: Sequence[str] = ()) -> int:
    """Recuses people from every case of offices, [(path, person's key)]; returns how many are new."""
    pairs, at = sorted(set(found)), moment()
    values: dict[str, Any] = {
        "paths": [path for path, _ in pairs],
        "people": [person for _, person in pairs],
        "levels": list(levels),
        "code": code,
        "now": at.machine,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ADD_OFFICES, values)
            new = sorted(cursor.fetchall())
        busy = _at_work({person for _, person in new})
        for path, person in new:
            if person in busy:
                _rise(_items_at(path, person), person, levels, at)
        lines = [Line(0, path) for path, _ in new]
        write_lines("recuse", "office", lines, by, data={"code": code, "levels": list(levels)}, at=at)
    return len(new)


def lift_from_offices(found: Iterable[tuple[str, str]], code: str, by: Actor) -> int:
    """Ends recusals from offices for a cause that holds no longer, [(path, person's key)]; returns how many."""
    at, ended = moment(), 0
    with transaction.atomic():
        for path, person in sorted(set(found)):
            known = Recusal.objects.filter(case=None, path=path, person=person, code=code, ended_at=None)
            if known.update(ended_at=at.machine):
                ended += 1
                record.write("end_recusal", "office", [0], by, path=path, data={"code": code}, at=at)
    return ended


def _at_work(people: Iterable[str]) -> set[str]:
    """Of these people, those who hold an open task or have a seat at one."""
    known = list(people)
    seats = Signer.objects.filter(person__in=known, ended_at=None, item__finished=None)
    held = WorkItem.objects.filter(holder__in=known, finished=None).exclude(holder="")
    return {*held.values_list("holder", flat=True), *seats.values_list("person", flat=True)}


def _items_at(path: str, person: str) -> list[int]:
    """The open items of an office that a person holds or signs at; their cases are locked first."""
    at_office = WorkItem.objects.filter(path__startswith=path, finished=None)
    seats = Signer.objects.filter(person=person, ended_at=None).values("item")
    his = dict(at_office.filter(Q(holder=person) | Q(pk__in=seats)).values_list("pk", "process_id"))
    _locked(set(his.values()))
    return list(his)


# An office's recusal cannot lock the cases that nobody there has touched yet: what was taken on, or asked for, at that
# very moment is found later.
_MISSED = """
    SELECT i.id, i.case_id, r.person, r.levels, i.flow_task
      FROM workflows_recusal r
      JOIN workflows_workitem i ON i.holder = r.person AND i.holder <> '' AND i.finished IS NULL
     WHERE r.case_id IS NULL AND r.ended_at IS NULL AND starts_with(i.path, r.path)
     UNION
    SELECT i.id, i.case_id, r.person, r.levels, i.flow_task
      FROM workflows_recusal r
      JOIN workflows_signer s ON s.person = r.person AND s.ended_at IS NULL AND s.vote = ''
      JOIN workflows_workitem i ON i.id = s.item_id AND i.finished IS NULL
     WHERE r.case_id IS NULL AND r.ended_at IS NULL AND starts_with(i.path, r.path)
"""


def free_missed() -> int:
    """Takes people who are recused from an office off what they hold or are asked to sign there all the same."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_MISSED)
            missed = [row[:4] for row in cursor.fetchall() if _holds_at(row[4], row[3])]
        rows = Case.objects.filter(pk__in={case for _item, case, *_ in missed}).order_by("pk")
        locked = set(rows.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
        freed = [row for row in missed if row[1] in locked]
        for item, _case, person, levels in freed:
            _rise([item], person, levels, moment())
    return len(freed)


def _holds_at(ref: str, levels: Sequence[str]) -> bool:
    """Whether a recusal for these levels, or for all, bars from the step that a task waits at."""
    step = step_at(ref)
    return not levels or (step is not None and step.level in levels)


def _locked(cases: Iterable[int]) -> dict[int, str]:
    """The office paths of cases, locked in the order in which `decide` locks them."""
    rows = Case.objects.filter(pk__in=list(cases)).order_by("pk").select_for_update(no_key=True)
    return dict(rows.values_list("pk", "path"))
