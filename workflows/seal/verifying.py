"""Proving the whole history: every line against its leaf, every leaf against every head that was ever signed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows.models import SealTile, TreeHead
from workflows.seal.heads import Head, opened, public_key
from workflows.seal.leaves import CANONICAL, COLUMNS, Salts, streamed
from workflows.seal.merkle import TILE, node_hash
from workflows.seal.sealing import settled

LATE = timedelta(minutes=10)
"""A line that is not sealed by then was kept from it."""
PAIRED = 200
"""Of so many changed lines it is told which two were exchanged."""
AT_ONCE = 5000
"""Lines that are read again in one statement."""
LISTED = 1000
"""Most findings of one kind that are spelt out."""

SENTENCES: dict[str, Promise] = {
    "changed": _("Line %(line)s of the record was changed after it was sealed (position %(position)s)."),
    "exchanged": _("Lines %(line)s and %(other)s of the record were exchanged with each other."),
    "missing": _("Line %(line)s of the record is gone (position %(position)s)."),
    "leaf_missing": _("The leaves from position %(position)s to %(until)s are gone from the sealed tree."),
    "leaf_replaced": _("A leaf between positions %(position)s and %(until)s was replaced or moved."),
    "leaf_unsigned": _("The leaves from position %(position)s to %(until)s are under no tree head."),
    "not_sealed": _("Line %(line)s of the record was never sealed: it was slipped in, or kept from the sealer."),
    "head_broken": _("The tree head over %(size)s lines cannot be read, or is not signed with this county's key."),
    "head_differs": _("The tree head over %(size)s lines does not follow from the lines: the history was rewritten."),
    "head_ahead": _("The tree head over %(size)s lines covers more than there is: lines were cut off the end."),
    "head_forked": _("The kept tree head over %(size)s lines belongs to another history: the log was forked."),
}
"""What can be found."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed; `values` go into its sentence."""

    code: str
    values: dict[str, Any]

    @property
    def message(self) -> str:
        """In the active language."""
        return str(SENTENCES[self.code]) % self.values


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found."""

    lines: int = 0
    """Lines whose content was held against their leaves."""
    leaves: int = 0
    heads: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def add(self, code: str, **values: Any) -> None:
        if sum(finding.code == code for finding in self.findings) < LISTED:
            self.findings.append(Finding(code, values))


def verify(since: datetime | None = None, kept: Iterable[str] = ()) -> Report:
    """Holds the record against what was sealed, on one snapshot of the database.

    `since`: lines written before are not read again, their leaves still are. `kept` are signed heads, as text, that
    somebody has kept outside: only they can show that the whole log was replaced by another.
    """
    report = Report()
    with transaction.atomic():
        if connection.in_atomic_block and len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        heads = _heads(report, kept)
        start = _first_position(since) if since else 0
        changed = _walk(report, heads, start)
        _tell_changed(report, changed)
        _look_for_unsealed(report)
    return report


# ---------------------------------------------------------------- heads


@dataclass(slots=True)
class _Claim:
    """A head that the tree has to lead to."""

    head: Head
    kept: bool


def _heads(report: Report, kept: Iterable[str]) -> list[_Claim]:
    """All heads, by size; what is no head of this county is told at once."""
    public, claims = public_key(), []
    given = [
        (size, note, bytes(root), False) for size, note, root in TreeHead.objects.values_list("size", "note", "root")
    ]
    for size, note, root, outside in [*given, *((0, note, b"", True) for note in kept)]:
        report.heads += 1
        try:
            head = opened(note, public)
        except ValueError:
            report.add("head_broken", size=size or "?")
            continue
        if not outside and (head.size, head.root) != (size, root):
            report.add("head_differs", size=size)
        claims.append(_Claim(head, outside))
    return sorted(claims, key=lambda claim: claim.head.size)


# ---------------------------------------------------------------- lines and leaves

_LINES = f"""
    SELECT s.position, s.line, s.leaf, r.id, {CANONICAL}
      FROM workflows_sealedline s LEFT JOIN workflows_record r ON r.id = s.line
     WHERE s.position >= {{start}} ORDER BY s.position"""
_LEAVES = """
    SELECT position, line, leaf, -1::bigint, NULL::bytea
      FROM workflows_sealedline WHERE position < {start} ORDER BY position"""
"""The key -1 says that the line itself is not read."""
_AGAIN = f"SELECT {COLUMNS} FROM workflows_record r WHERE r.id = ANY(%s)"


def _first_position(since: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(s.position) FROM workflows_record r JOIN workflows_sealedline s ON s.line = r.id"
            " WHERE r.at >= %s",
            [since],
        )
        first = cursor.fetchone()[0]
        if first is None:
            cursor.execute("SELECT COALESCE(max(position) + 1, 0) FROM workflows_sealedline")
            first = cursor.fetchone()[0]
    return int(first)


_IN_ORDER = "SET LOCAL enable_hashjoin = {0}; SET LOCAL enable_mergejoin = {0}; SET LOCAL enable_sort = {0}"
"""Read along the leaves, line by line, so that the first comes at once and nothing is sorted on the disk."""


def _rows(start: int) -> Iterator[tuple[int, int, bytes, int | None, bytes | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_IN_ORDER.format("off"))
    for statement in (_LEAVES, _LINES) if start else (_LINES,):
        for rows in streamed(statement.format(start=start)):
            yield from rows
    with connection.cursor() as cursor:
        cursor.execute(_IN_ORDER.format("DEFAULT"))


@dataclass(frozen=True, slots=True)
class _Changed:
    line: int
    position: int
    leaf: bytes
    content: tuple[Any, ...]


def _walk(report: Report, claims: list[_Claim], start: int) -> list[_Changed]:
    """Reads the leaves in order, each with its line, and holds the growing tree against tiles and heads."""
    leaf_of, suspects = Salts().leaf_of, []
    tree = _Growing(report, claims)
    for position, line, leaf, key, content in _rows(start):
        if position != tree.size:
            report.add("leaf_missing", position=tree.size, until=position - 1)
            tree.skip(position)
        tree.add(leaf)
        report.leaves += 1
        if key == -1:
            continue
        report.lines += 1
        if content is None or key is None:
            report.add("missing", line=line, position=position)
        elif leaf_of(key, content) != leaf:
            suspects.append((position, line, leaf))
    tree.end()
    return [changed for at in range(0, len(suspects), AT_ONCE) for changed in _again(suspects[at : at + AT_ONCE])]


def _again(suspects: list[tuple[int, int, bytes]]) -> Iterator[_Changed]:
    """Of the lines that did not fit as PostgreSQL wrote them, those that do not fit as they are sealed."""
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, [[line for _position, line, _leaf in suspects]])
        found = {row[0]: row for row in cursor.fetchall()}
    salts = Salts()
    for position, line, leaf in suspects:
        if salts.leaf(found[line]) != leaf:
            yield _Changed(line, position, leaf, tuple(found[line]))


class _Growing:
    """The tree while its leaves are read: whole subtrees on a stack, the largest first."""

    def __init__(self, report: Report, claims: list[_Claim]) -> None:
        self.report = report
        self.size = 0
        self._covered = TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0
        self._claims = iter(claims)
        self._next = next(self._claims, None)
        self._stack: list[bytes] = []
        self._broken = False
        self._tiles = {
            (level, place): bytes(kept) for level, place, kept in SealTile.objects.values_list("level", "place", "hash")
        }

    def add(self, leaf: bytes) -> None:
        stack = self._stack
        stack.append(leaf)
        self.size += 1
        level, rest = 0, self.size
        while not rest & 1:
            right = stack.pop()
            stack[-1] = node_hash(stack[-1], right)
            rest >>= 1
            level += 1
            if level % TILE == 0:
                self._hold_against_tile(level // TILE, rest - 1, stack)
        while self._next is not None and self._next.head.size == self.size:
            self._hold_against(self._next)
            self._next = next(self._claims, None)

    def _hold_against_tile(self, level: int, place: int, stack: list[bytes]) -> None:
        kept = self._tiles.get((level, place))
        if kept == stack[-1] or self._broken:
            return
        width = TILE * level
        self.report.add("leaf_replaced", position=place << width, until=((place + 1) << width) - 1)
        if kept is not None:  # go on with what was sealed, so that one wrong leaf is told once
            stack[-1] = kept

    def _hold_against(self, claim: _Claim) -> None:
        root = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            root = node_hash(left, root)
        if root != claim.head.root and not self._broken:
            self.report.add("head_forked" if claim.kept else "head_differs", size=claim.head.size)

    def skip(self, position: int) -> None:
        """Leaves are gone: no root beyond them can be computed."""
        self._broken = True
        while self._next is not None and self._next.head.size <= position:
            self._next = next(self._claims, None)
        self.size = position
        self._stack = [b""] * bin(position).count("1")

    def end(self) -> None:
        """Heads over more leaves than there are, and leaves that no head covers: they come with one, or not at all."""
        if self.size > self._covered:
            self.report.add("leaf_unsigned", position=self._covered, until=self.size - 1)
        while self._next is not None:
            if self._next.head.size > self.size:
                self.report.add("head_ahead", size=self._next.head.size)
            self._next = next(self._claims, None)


def _tell_changed(report: Report, changed: list[_Changed]) -> None:
    """Names the lines that do not fit their leaves; of two that were exchanged, both together."""
    salts, told = Salts(), set()
    for number, one in enumerate(changed[:PAIRED]):
        for other in changed[number + 1 : PAIRED]:
            swapped = (one.line, *other.content[1:])
            if salts.leaf(swapped) == one.leaf or (one.leaf, other.leaf) == (
                salts.leaf(other.content),
                salts.leaf(one.content),
            ):
                report.add("exchanged", line=one.line, other=other.line)
                told |= {one.line, other.line}
    for each in changed:
        if each.line not in told:
            report.add("changed", line=each.line, position=each.position)


def _look_for_unsealed(report: Report) -> None:
    """Lines that the sealer should have taken in by now, or that stand where it looks no more."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.id FROM workflows_record r LEFT JOIN workflows_sealedline s ON s.line = r.id"
            " WHERE s.line IS NULL AND (r.at NOT BETWEEN %s AND %s OR r.id <= %s) ORDER BY r.id LIMIT %s",
            [now - LATE, now + LATE, settled(), LISTED],
        )
        for (line,) in cursor.fetchall():
            report.add("not_sealed", line=line)
