"""Recusal (回避, DOMAIN.md §2.8): who may not judge a case, found by other rooms or declared by the person himself."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.utils.functional import Promise

from workflows import record
from workflows.actors import Actor
from workflows.acts.frame import Act
from workflows.clock import Moment, moment
from workflows.locking import Standing
from workflows.models import Recusal, Signer, WorkItem
from workflows.record import Line, write_lines
from workflows.refusals import add_sentences

DECLARED = "declared"


def add_recusals(sentences: dict[str, Promise]) -> None:
    """Adds the causes of recusal that a room finds, {code: what the person is told}."""
    add_sentences({f"recused_{code}": sentence for code, sentence in sentences.items()})


class StepAside(Act):
    """申请回避: a reviewer declares an interest in a case and does not judge it from then on."""

    name = "step_aside"
    reason_required = True
    judges = False

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        Recusal.objects.bulk_create(
            [Recusal(case_id=task.case, person=by.key, code=DECLARED, at=moment.machine) for task in tasks],
            ignore_conflicts=True,
        )
        _rise([task.item for task in tasks], by.key, moment)


def _rise(items: Sequence[int], person: str, moment: Moment) -> None:
    """Takes a recused person off open items: what he held is free again, nobody waits for his signature."""
    held = WorkItem.objects.filter(pk__in=items, holder=person, finished=None)
    held.update(holder="", holder_name="", assigned=None)
    Signer.objects.filter(item__in=items, person=person, ended_at=None, vote="").update(ended_at=moment.machine)


_FOUND = """
    WITH found AS (
        SELECT DISTINCT f.case_id, f.person
          FROM unnest(%(cases)s::bigint[], %(people)s::varchar[]) AS f (case_id, person)
    ), locked AS (
        SELECT c.id, c.path FROM workflows_case c WHERE c.id IN (SELECT case_id FROM found) ORDER BY c.id
           FOR NO KEY UPDATE
    ), added AS (
        INSERT INTO workflows_recusal (case_id, path, person, levels, code, text, at)
        SELECT locked.id, '', found.person, %(levels)s::varchar[], %(code)s, '', %(now)s
          FROM locked JOIN found ON found.case_id = locked.id
            ON CONFLICT DO NOTHING
        RETURNING case_id, person
    )
    SELECT added.case_id, added.person, locked.path,
           (SELECT i.id FROM workflows_workitem i WHERE i.case_id = added.case_id AND i.finished IS NULL)
      FROM added JOIN locked ON locked.id = added.case_id
"""


def recuse(found: Iterable[tuple[int, str]], code: str, by: Actor, levels: Sequence[str] = ()) -> int:
    """Recuses people from cases, [(case, person's key)], for a cause that a room has found; returns how many are new.

    For all levels or some. Written under the locks of the cases, so that a decision under way is before it or after.
    """
    pairs = list(found)
    if not pairs:
        return 0
    at = moment()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _FOUND,
                {"cases": [case for case, _ in pairs], "people": [person for _, person in pairs],
                 "levels": list(levels), "code": code, "now": at.machine},
            )  # fmt: skip
            added = cursor.fetchall()
        if not levels:
            for person in {person for _, person, _, _ in added}:
                _rise([item for _, who, _, item in added if who == person and item], person, at)
        lines = [Line(case, path, item=item) for case, _, path, item in added]
        write_lines("recuse", "case", lines, by, data={"code": code}, at=at)
    return len(added)


def recuse_from_offices(found: Iterable[tuple[str, str]], code: str, by: Actor, levels: Sequence[str] = ()) -> int:
    """Recuses people from every case of offices, [(path, person's key)]; returns how many are new."""
    pairs = sorted(set(found))
    with transaction.atomic():
        known = set(
            Recusal.objects.filter(
                case=None, ended_at=None, code=code, person__in={person for _, person in pairs}
            ).values_list("path", "person")
        )
        new = [
            Recusal(path=path, person=person, code=code, levels=list(levels))
            for path, person in pairs
            if (path, person) not in known
        ]
        Recusal.objects.bulk_create(new, ignore_conflicts=True)
        for each in new:
            record.write("recuse", "office", [0], by, path=each.path, data={"code": code, "levels": list(levels)})
    return len(new)
