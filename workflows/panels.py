"""Joint decisions: 会签 (`all`), 或签 (`any`), 票签 (`share`), and signers added to a step (加签).

A step with a panel takes each decision as one signature; the one that settles the matter moves the case. Whoever is
asked to sign sits on the item, one signature a person; a case that comes back to the step seats a panel anew.

- `all`: everybody approves; the first who does not decides by what he answers.
- `any`: the first signature decides.
- `share`: so many percent of the panel approve; the signature that makes that impossible decides by what it answers.
- `added`: whoever holds the step decides, once everybody who was added has approved. One who was added and does not
  approve moves nothing: he is heard, and taken off, or the step decides otherwise than by approving.

An empty panel passes nothing, nor one below its quorum. Who is recused from the case, or has acted on it at another
level, is not seated; who is recused later, or loses the post under which he sits, leaves his seat, and a signature
that he gave there falls (`vacancies`).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from workflows.actors import Actor
from workflows.bars import recused
from workflows.clock import Moment
from workflows.models import Signer, WorkItem
from workflows.ways import step_at

SEES = "view_case"
"""What an added signer must be permitted at the case's office, when he is asked and when he signs."""

Members = Callable[[str, Iterable[str]], Mapping[str, Sequence[tuple[str, str]]]]
_members: list[Members] = []


def seated_by(function: Members) -> Members:
    """Registers who sits on panels: for a permission and office paths, {path: [(person's key, name)]}."""
    _members[:] = [function]
    return function


Holding = Callable[[str, Iterable[tuple[str, str]]], Iterable[tuple[str, str]]]
_holding: list[Holding] = []


def kept_by(function: Holding) -> Holding:
    """Registers who may still sign: for a permission and [(office path, person's key)], those that hold today."""
    _holding[:] = [function]
    return function


def still_holding(permission: str, pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Of [(office path, person's key)], those where the permission holds today; all, where nobody registered."""
    return _holding[0](permission, pairs) if _holding else pairs


@dataclass(frozen=True, slots=True)
class Panel:
    """How a step decides jointly: who is seated by permission `of`, and what passes (see `workflows.panels`)."""

    mode: str
    of: str
    share: int = 0
    quorum: int = 0


def panel_at(panels: str, step: str) -> Panel | None:
    """The panel that a case's `panels` (JSON) have at a step."""
    return _panels(panels).get(step) if panels else None


@lru_cache(maxsize=256)
def _panels(panels: str) -> dict[str, Panel]:
    return {step: Panel(**given) for step, given in json.loads(panels).items()}


_SEAT = f"""
    INSERT INTO workflows_signer (item_id, person, name, part, added_by, added_at, vote)
    SELECT i.id, m.person, m.name, 'panel', '', now(), ''
      FROM workflows_workitem i
      JOIN unnest(%(paths)s::varchar[], %(people)s::varchar[], %(names)s::varchar[]) WITH ORDINALITY
           AS m (path, person, name, number) ON m.path = i.path
     WHERE i.id = ANY(%(items)s::bigint[]) AND NOT {recused("i.case_id", "m.person", "%(level)s::varchar")}
       AND NOT EXISTS (SELECT 1 FROM workflows_actinglevel a
                        WHERE a.case_id = i.case_id AND a.person = m.person AND a.level <> %(level)s::varchar)
     ORDER BY i.id, m.number
        ON CONFLICT (item_id, person) WHERE ended_at IS NULL DO NOTHING
    RETURNING item_id, name
"""


def seat(items: Sequence[int], panel: Panel, level: str = "") -> None:
    """Seats the panel at open items where cases have just arrived, in the deciding transaction: those who may judge
    at the step's `level`.
    """
    rows = list(WorkItem.objects.filter(pk__in=items, finished=None).values_list("pk", "path"))
    WorkItem.objects.filter(pk__in=items).update(panel=panel.mode, share=panel.share, quorum=panel.quorum)
    _seat_members([item for item, _ in rows], {path for _, path in rows}, panel.of, level)


def _seat_members(items: list[int], paths: Iterable[str], of: str, level: str) -> list[tuple[int, str]]:
    """Seats those who hold `of` at these offices and do not sit there yet; [(item, name)] of who was seated."""
    members = _members[0](of, paths) if _members else {}
    seats = [(path, person, name[:150]) for path, people in members.items() for person, name in people]
    if not seats:
        return []
    at, people, names = (list(column) for column in zip(*seats, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_SEAT, {"items": items, "paths": at, "people": people, "names": names, "level": level})
        return list(cursor.fetchall())


_SHORT = """
    SELECT i.id, i.case_id, i.path, i.flow_task, COALESCE(c.panels -> split_part(i.queue, '.', 2) ->> 'of', '')
      FROM workflows_workitem i JOIN workflows_case c ON c.id = i.case_id
     WHERE i.id = ANY(%s::bigint[]) AND i.finished IS NULL AND i.panel IN ('all', 'any', 'share')
       AND (SELECT count(*) FROM workflows_signer s
             WHERE s.item_id = i.id AND s.ended_at IS NULL AND s.part = 'panel') < GREATEST(1, i.quorum)
     ORDER BY i.id
"""


def fill(items: Sequence[int]) -> list[tuple[int, str, int, str, str]]:
    """Seats who holds a seat's post now at panels that are empty or below their quorum; the items are locked by the
    caller. Returns (case, office path, item, its step's reference, name) of who was seated.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SHORT, [list(items)])
        short = {item: rest for item, *rest in cursor.fetchall()}
    alike: dict[tuple[str, str], list[int]] = {}
    for item, (_case, _path, ref, of) in short.items():
        step = step_at(ref)
        if step is not None:
            alike.setdefault((of or step.permission, step.level), []).append(item)
    return [
        (short[item][0], short[item][1], item, short[item][2], name)
        for (of, level), group in alike.items()
        for item, name in _seat_members(group, {short[item][1] for item in group}, of, level)
    ]


_SEAT_AGAIN = f"""
    WITH again AS (
        SELECT * FROM unnest(%(new)s::bigint[], %(old)s::bigint[]) AS again (new, old)
    ), panel AS (
        UPDATE workflows_workitem i SET panel = was.panel, share = was.share, quorum = was.quorum
          FROM again JOIN workflows_workitem was ON was.id = again.old WHERE i.id = again.new
    )
    INSERT INTO workflows_signer (item_id, person, name, part, added_by, added_at, vote, voted_at)
    SELECT again.new, s.person, s.name, s.part, s.added_by, s.added_at,
           CASE WHEN s.person = %(person)s THEN '' ELSE s.vote END,
           CASE WHEN s.person = %(person)s THEN NULL ELSE s.voted_at END
      FROM again JOIN workflows_signer s ON s.item_id = again.old JOIN workflows_workitem i ON i.id = again.old
     WHERE s.ended_at IS NULL AND NOT (s.person = %(person)s AND s.part = 'base')
       AND NOT {recused("i.case_id", "s.person", "%(level)s::varchar")}
     ORDER BY s.id
"""


def seat_again(items: Mapping[int, int], person: str, level: str = "") -> None:
    """Where a joint decision is taken back, everybody sits as before, {new item: the one decided}: only the signature
    of who takes it back is void, and those of people who have been recused since.
    """
    if items:
        values: dict[str, Any] = {"new": list(items), "old": list(items.values()), "person": person, "level": level}
        with connection.cursor() as cursor:
            cursor.execute(_SEAT_AGAIN, values)


# ---------------------------------------------------------------- where a panel stands


class Seated(NamedTuple):
    """A signer who has not been taken off; `vote` is the outcome signed, empty while he is waited for."""

    person: str
    part: str
    vote: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Where the panel of one item stands, as seen by one person."""

    mode: str
    share: int
    quorum: int
    of: str
    me: str
    seated: tuple[Seated, ...]

    def _mine(self) -> Seated | None:
        return next((each for each in self.seated if each.person == self.me), None)

    def seats_me(self) -> bool:
        """Whether this person was asked to sign; no colleague who has taken the item on keeps him from it."""
        mine = self._mine()
        return mine is not None and mine.part != "base"

    def need(self, permission: str) -> str:
        """The permission with which this person signs, at a step that `permission` opens."""
        mine = self._mine()
        if mine is not None and mine.part == "added":
            return SEES
        return self.of if mine is not None and mine.part == "panel" and self.of else permission

    def refusal(self, outcome: str, onward: str) -> str | None:
        """Why this person's signature is not taken; None when it is."""
        mine, members = self._mine(), self._part("panel")
        if mine is not None and mine.vote:
            return "already_signed"
        if self.mode != "added" and not members:
            return "panel_empty"
        if self.mode != "added" and mine is None:
            return "not_signer"
        if outcome != onward:
            return None
        if self.mode != "added" and len(members) < self.quorum:
            return "panel_too_small"
        asked_last = mine is None or mine.part != "added"
        return "signer_disagrees" if asked_last and self._against(onward) else None

    def settles(self, outcome: str, onward: str = "approve") -> bool:
        """Whether the matter is settled with this person's signature."""
        mine = self._mine()
        if outcome != onward:
            if mine is not None and mine.part == "added":
                return False
            return self.mode != "share" or self._out_of_reach(onward)
        return self._passed(onward) and all(
            each.vote == onward or each.person == self.me for each in self._part("added")
        )

    def deciders(self, onward: str = "approve") -> list[str]:
        """Where enough have signed, one way or the other, so that nobody is waited for: who signed that way."""
        members = self._part("panel")
        if self.mode != "added" and len(members) < max(1, self.quorum):
            return []  # it waits for members, whoever has signed
        if self._passed(onward, counting_me=False) and all(each.vote == onward for each in self._part("added")):
            return [each.person for each in self.seated if each.part != "added" and each.vote == onward]
        against = [each.person for each in members if each.vote not in ("", onward)]
        lost = self.mode == "share" and (len(members) - len(against)) * 100 < self.share * len(members)
        return against if lost else []

    def _passed(self, onward: str, counting_me: bool = True) -> bool:
        """Whether those who decide the step, the added aside, have approved, this person counted."""
        mine, members = self._mine(), self._part("panel")
        ayes = {each.person for each in self.seated if each.part != "added" and each.vote == onward}
        if counting_me and (mine is None or mine.part != "added"):
            ayes.add(self.me)
        if self.mode == "all":
            return bool(members) and len(ayes) == len(members)
        if self.mode == "share":
            return bool(members) and len(ayes) * 100 >= self.share * len(members)
        return bool(ayes)

    def _out_of_reach(self, onward: str) -> bool:
        """Whether the share can no longer be had once this person has signed otherwise."""
        members = self._part("panel")
        nays = sum(each.vote not in ("", onward) for each in members) + 1
        return (len(members) - nays) * 100 < self.share * len(members)

    def _against(self, onward: str) -> bool:
        return any(each.vote not in ("", onward) for each in self._part("added"))

    def _part(self, part: str) -> list[Seated]:
        return [each for each in self.seated if each.part == part]


_TALLIES = """
    SELECT i.id, i.panel, i.share, i.quorum,
           COALESCE((SELECT c.panels -> split_part(i.queue, '.', 2) ->> 'of'
                       FROM workflows_case c WHERE c.id = i.case_id), ''),
           COALESCE((SELECT jsonb_agg(jsonb_build_array(s.person, s.part, s.vote) ORDER BY s.id)
                       FROM workflows_signer s WHERE s.item_id = i.id AND s.ended_at IS NULL), '[]')
      FROM workflows_workitem i WHERE i.id = ANY(%s) AND i.panel <> ''
"""


def tallies(items: Sequence[int], person: str) -> dict[int, Tally]:
    """Where the panels of these items stand, as `person` sees them; the items are locked by the caller. Items without
    signers are left out.
    """
    if not items:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_TALLIES, [list(items)])
        return {
            item: Tally(mode, share, quorum, of, person, tuple(Seated(*each) for each in json.loads(seated)))
            for item, mode, share, quorum, of, seated in cursor.fetchall()
        }


# ---------------------------------------------------------------- signing


def sign(items: Sequence[int], by: Actor, vote: str, moment: Moment) -> None:
    """Writes a person's signature at items: on the seat that waits for it, or beside the added ones."""
    waiting = Signer.objects.filter(item__in=items, person=by.key, ended_at=None, vote="")
    seated = set(waiting.values_list("item_id", flat=True))
    waiting.update(vote=vote, voted_at=moment.machine)
    Signer.objects.bulk_create(
        [
            Signer(item_id=item, person=by.key, name=by.name, part="base", vote=vote, voted_at=moment.machine)
            for item in items
            if item not in seated
        ]
    )


def signed(item: int) -> bool:
    """Whether anybody has signed at an item."""
    return Signer.objects.filter(item=item, ended_at=None).exclude(vote="").exists()


# ---------------------------------------------------------------- leaving


def leave(seats: Sequence[Signer], moment: Moment) -> None:
    """Takes people off open items, the signatures that they gave there with them.

    Where nobody is waited for any more, whoever signed last on the side that has it signs again: a case moves by a
    signature only. An item without signers is a plain one again.
    """
    Signer.objects.filter(pk__in=[seat.pk for seat in seats]).update(ended_at=moment.machine)
    for item, tally in tallies(sorted({seat.item_id for seat in seats}), "").items():
        if tally.mode == "added" and not tally.seated:
            WorkItem.objects.filter(pk=item).update(panel="")
        elif deciders := tally.deciders():
            given = Signer.objects.filter(item=item, ended_at=None, person__in=deciders).order_by("-voted_at", "-pk")
            for signer in given if tally.mode == "added" else given[:1]:
                void(signer, moment)


def void(signer: Signer, moment: Moment) -> None:
    """Voids a signature; who sits on the panel, or was added, is waited for again."""
    signer.ended_at = moment.machine
    signer.save(update_fields=["ended_at"])
    if signer.part != "base":
        Signer.objects.create(
            item_id=signer.item_id, person=signer.person, name=signer.name, part=signer.part,
            added_by=signer.added_by, added_at=signer.added_at,
        )  # fmt: skip
    elif not Signer.objects.filter(item=signer.item_id, ended_at=None).exists():
        WorkItem.objects.filter(pk=signer.item_id, panel="added").update(panel="")
