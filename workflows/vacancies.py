"""Panels of those who may still sign: whoever lost his post leaves his seat, and an empty bench is filled again.

Asked under the lock, before anything is counted: a signature counts only while he who gave it might give it. What
nobody touches meanwhile is looked through by `renew_stale`, so that it does not wait for somebody who has gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from workflows import panels
from workflows.actors import SYSTEM
from workflows.clock import Moment, moment
from workflows.models import Case, Signer, WorkItem
from workflows.panels import SEES, fill, leave
from workflows.record import Line, write_lines
from workflows.ways import step_at

_SEATS = """
    SELECT s.id, s.person, s.name, s.part, COALESCE(c.panels -> split_part(i.queue, '.', 2) ->> 'of', ''),
           i.id, i.case_id, i.path, i.flow_task
      FROM workflows_signer s JOIN workflows_workitem i ON i.id = s.item_id JOIN workflows_case c ON c.id = i.case_id
     WHERE s.item_id = ANY(%s::bigint[]) AND s.ended_at IS NULL AND i.finished IS NULL
     ORDER BY i.id, s.id
"""


class _Seat(NamedTuple):
    signer: int
    person: str
    name: str
    part: str
    of: str
    item: int
    case: int
    path: str
    ref: str

    def need(self) -> str:
        """What its holder must be permitted at the office."""
        return _need(self.part, self.of, self.ref)


def _need(part: str, of: str, ref: str) -> str:
    step = step_at(ref)
    opens = step.permission if step else ""
    return {"added": SEES, "panel": of or opens}.get(part, opens)


def renew(items: Sequence[int], at: Moment) -> bool:
    """Takes those who may no longer sign off open items, and seats who may where too few are left; whether anybody
    left or was seated. The items are locked by the caller.
    """
    if not items:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_SEATS, [list(items)])
        seats = [_Seat(*row) for row in cursor.fetchall()]
    holding = _holding((seat.need(), seat.path, seat.person) for seat in seats)
    gone = [seat for seat in seats if (seat.need(), seat.path, seat.person) not in holding]
    if gone:
        leave(list(Signer.objects.filter(pk__in=[seat.signer for seat in gone])), at)
        _write("vacate", [(seat.case, seat.path, seat.item, seat.ref, seat.name) for seat in gone], at)
    seated = fill(items)
    _write("seat", seated, at)
    return bool(gone or seated)


def _holding(asked: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Of (permission, office path, person), those that hold today."""
    wanted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for need, path, person in asked:
        if need != "system":  # nobody's
            wanted[need].add((path, person))
    return {
        (need, path, person) for need, pairs in wanted.items() for path, person in panels.still_holding(need, pairs)
    }


def _write(act: str, seats: Iterable[tuple[int, str, int, str, str]], at: Moment) -> None:
    """One line an item, (case, path, item, its step's reference, the person's name), for those with the same names."""
    found: dict[tuple[int, str, int, str], list[str]] = defaultdict(list)
    for case, path, item, ref, name in seats:
        found[case, path, item, ref].append(name)
    alike: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for (case, path, item, ref), people in found.items():
        step = step_at(ref)
        alike[tuple(people)].append(Line(case, path, "system", item=item, step=step.name if step else ""))
    for names, lines in alike.items():
        write_lines(act, "case", lines, SYSTEM, data={"to": list(names)}, at=at)


# ---------------------------------------------------------------- what nobody touches

_WAITED_FOR = """
    SELECT DISTINCT s.person, s.part, COALESCE(c.panels -> split_part(i.queue, '.', 2) ->> 'of', ''), i.path,
           i.flow_task
      FROM workflows_signer s JOIN workflows_workitem i ON i.id = s.item_id JOIN workflows_case c ON c.id = i.case_id
     WHERE s.ended_at IS NULL AND s.vote = '' AND i.finished IS NULL AND (%(person)s = '' OR s.person = %(person)s)
"""


def renew_stale(person: str = "", limit: int = 2000) -> int:
    """Takes people off open items where their signature is waited for in vain; of one person, or of everybody.

    Returns how many items were looked at. What somebody is acting on is passed over: acting on it renews it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITED_FOR, {"person": person})
        waited = [(who, path, _need(part, of, ref)) for who, part, of, path, ref in cursor.fetchall()]
    holding = _holding((need, path, who) for who, path, need in waited)
    gone = {(who, path) for who, path, need in waited if (need, path, who) not in holding}
    if not gone:
        return 0
    with transaction.atomic():
        items = _items_of(gone, limit)
        locked = set(
            Case.objects.filter(pk__in=items.values())
            .order_by("pk")
            .select_for_update(no_key=True, skip_locked=True)
            .values_list("pk", flat=True)
        )
        mine = [item for item, case in items.items() if case in locked]
        renew(mine, moment())
    return len(mine)


def _items_of(people: Iterable[tuple[str, str]], limit: int) -> dict[int, int]:
    """The open items, with their cases, of offices where these people are waited for."""
    found: dict[int, int] = {}
    for who, path in sorted(people):
        seats: Any = Signer.objects.filter(person=who, ended_at=None, vote="").values("item")
        rows = WorkItem.objects.filter(pk__in=seats, path=path, finished=None).order_by("pk")
        found |= dict(rows.values_list("pk", "process_id")[: limit - len(found)])
        if len(found) >= limit:
            break
    return found
