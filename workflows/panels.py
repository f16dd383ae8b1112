"""Joint decisions: 会签 (`all`), 或签 (`any`), 票签 (`share`), and signers added to a step (加签).

A step with a panel takes each decision as one signature; the one that settles the matter moves the case. Whoever is
asked to sign sits on the item, one signature a person; a case that comes back to the step seats a panel anew.

- `all`: everybody approves; the first who does not decides by what he answers.
- `any`: the first signature decides.
- `share`: so many percent of the panel approve; the signature that makes that impossible decides by what it answers.
- `added`: whoever holds the step decides, once everybody who was added has approved. One who was added and does not
  approve moves nothing: he is heard, and taken off, or the step decides otherwise than by approving.

An empty panel passes nothing, nor one below its quorum.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.db import connection

from workflows.actors import Actor
from workflows.clock import Moment
from workflows.models import Signer, WorkItem

SEES = "view_case"
"""What an added signer must be permitted at the case's office, when he is asked and when he signs."""

Members = Callable[[str, Iterable[str]], Mapping[str, Sequence[tuple[str, str]]]]
_members: list[Members] = []


def seated_by(function: Members) -> Members:
    """Registers who sits on panels: for a permission and office paths, {path: [(person's key, name)]}."""
    _members[:] = [function]
    return function


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


def seat(items: Sequence[int], panel: Panel) -> None:
    """Seats the panel at open items where cases have just arrived, in the deciding transaction."""
    rows = list(WorkItem.objects.filter(pk__in=items, finished=None).values_list("pk", "path"))
    WorkItem.objects.filter(pk__in=items).update(panel=panel.mode, share=panel.share, quorum=panel.quorum)
    members = _members[0](panel.of, {path for _, path in rows}) if _members else {}
    seats = [
        Signer(item_id=item, person=person, name=name, part="panel")
        for item, path in rows
        for person, name in members.get(path, ())
    ]
    Signer.objects.bulk_create(seats, batch_size=5000)


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

    def is_settled(self, onward: str = "approve") -> bool:
        """Whether enough have approved, and everybody who was added, so that nobody is waited for."""
        return self._passed(onward, counting_me=False) and all(each.vote == onward for each in self._part("added"))

    def _passed(self, onward: str, counting_me: bool = True) -> bool:
        """Whether those who decide the step, the added aside, have approved, this person counted."""
        mine, members = self._mine(), self._part("panel")
        ayes = {each.person for each in self.seated if each.part != "added" and each.vote == onward}
        if counting_me and (mine is None or mine.part != "added"):
            ayes.add(self.me)
        if self.mode == "all":
            return len(ayes) == len(members)
        if self.mode == "share":
            return len(ayes) * 100 >= self.share * len(members)
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
      FROM workflows_workitem i WHERE i.id = ANY(%s)
"""


def tallies(items: Sequence[int], person: str) -> dict[int, Tally]:
    """Where the panels of these items stand, as `person` sees them; the items are locked by the caller."""
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
