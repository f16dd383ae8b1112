"""Taking new lines of the record into the sealed tree, and what a proof needs of it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from workflows.background import due
from workflows.models import SealedLine, SealTile, TreeHead
from workflows.seal.heads import Head, signed
from workflows.seal.leaves import COLUMNS, Salts, canonical
from workflows.seal.merkle import TILE, WIDTH, Tree, fold

LOCK = 2_113_049_902
"""Advisory lock: one sealer at a time. Nobody who decides ever takes it."""
EVERY = timedelta(seconds=30)
"""A head at most so often, but for a backlog; so a line waits little longer than this."""
AT_ONCE = 20_000
"""Lines sealed in one transaction."""
SETTLED = timedelta(hours=1)
"""No transaction that writes the record stays open for longer."""

_NEW = f"""
    SELECT {COLUMNS}
      FROM workflows_record r LEFT JOIN workflows_sealedline s ON s.line = r.id
     WHERE r.id > %s AND s.line IS NULL
     ORDER BY r.id LIMIT %s"""
_SETTLED = """
    SELECT max(h.line) FROM workflows_treehead h
     WHERE h.at <= (SELECT max(at) FROM workflows_treehead) - make_interval(secs => %s)"""


_looked_in_vain = 0.0
"""When this process last found nothing new, by its own clock: there is no need to look every two seconds."""


@due("seal")
def seal() -> int:
    """Seals what was written since the last head; how many lines. Safe at any time, on any number of machines."""
    global _looked_in_vain
    if time.monotonic() - _looked_in_vain < EVERY.total_seconds() / 2 or not _is_time():
        return 0
    count = seal_now()
    if not count:
        _looked_in_vain = time.monotonic()
    return count


def _is_time() -> bool:
    last = list(TreeHead.objects.order_by("-size").values_list("size", "at")[:2])
    if not last or last[0][1] <= timezone.now() - EVERY:
        return True
    return last[0][0] - (last[1][0] if len(last) > 1 else 0) >= AT_ONCE


def seal_now() -> int:
    """Seals up to `AT_ONCE` new lines and signs a head over them; how many. 0 while somebody else is at it."""
    with transaction.atomic():
        if not _alone():
            return 0
        at = timezone.now()
        size = TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0
        found = _new_lines()
        if not found:
            return 0
        salts = Salts()
        _keep((size + number, line[0], salts.leaf(line)) for number, line in enumerate(found))
        grown = size + len(found)
        _add_tiles(size, grown)
        root = Tree(grown, stored).root()
        note = signed(Head(settings.SEAL_ORIGIN, grown, root, at))
        TreeHead.objects.create(size=grown, root=root, line=max(line[0] for line in found), at=at, note=note)
    return len(found)


def _keep(leaves: Iterable[tuple[int, int, bytes]]) -> None:
    copy = "COPY workflows_sealedline (position, line, leaf) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copy) as into:
        for leaf in leaves:
            into.write_row(leaf)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _new_lines() -> list[tuple[Any, ...]]:
    """Lines that are in no head, whichever transaction they came from, by key.

    Keys are given out before a transaction commits, so a smaller one may turn up after a greater one was sealed: what
    was sealed an hour before the last head is settled, and only what lies beyond it is looked through.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEW, [settled(), AT_ONCE])
        return list(cursor.fetchall())


def settled() -> int:
    """The key up to which no line can turn up any more that the sealer has not seen; 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, [SETTLED.total_seconds()])
        return int(cursor.fetchone()[0] or 0)


def _add_tiles(size: int, grown: int) -> None:
    """The hashes of the subtrees that the new leaves have made whole."""
    level = 1
    while grown >> TILE * level:
        first, last = size >> TILE * level, grown >> TILE * level
        SealTile.objects.bulk_create(
            SealTile(level=level, place=place, hash=fold(stored(level - 1, place * WIDTH, (place + 1) * WIDTH)))
            for place in range(first, last)
        )
        level += 1


def stored(level: int, start: int, stop: int) -> Sequence[bytes]:
    """The hashes of whole subtrees as they are kept. Raises LookupError where one is missing."""
    if level == 0:
        rows = SealedLine.objects.filter(position__gte=start, position__lt=stop).order_by("position")
        found = [bytes(leaf) for leaf in rows.values_list("leaf", flat=True)]
    else:
        tiles = SealTile.objects.filter(level=level, place__gte=start, place__lt=stop).order_by("place")
        found = [bytes(each) for each in tiles.values_list("hash", flat=True)]
    if len(found) != stop - start:
        raise LookupError(f"hashes are missing at level {level} between {start} and {stop}")
    return found


# ---------------------------------------------------------------- for everybody


@dataclass(frozen=True, slots=True)
class Proof:
    """What it takes to check one line of the record against a head, offline."""

    line: bytes
    """The line's canonical bytes."""
    salt: bytes
    position: int
    path: list[bytes]
    head: str
    """The signed head, as text."""


def newest_head() -> TreeHead | None:
    """The newest signed head."""
    return TreeHead.objects.order_by("-size").first()


def proof_of(line: int, head: TreeHead | None = None) -> Proof | None:
    """The proof for a line of the record, against the newest head or this one; None until it is sealed."""
    head = head or newest_head()
    position = SealedLine.objects.filter(line=line).values_list("position", flat=True).first()
    if head is None or position is None or position >= head.size:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM workflows_record r WHERE r.id = %s", [line])
        row = cursor.fetchone()
    if row is None:
        return None
    return Proof(canonical(row), Salts().of(line), position, Tree(head.size, stored).inclusion(position), head.note)


def is_sealed(line: int) -> bool:
    """Whether a line of the record is in the tree."""
    return SealedLine.objects.filter(line=line).exists()
