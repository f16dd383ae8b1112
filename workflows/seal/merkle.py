"""Merkle trees as RFC 6962 hashes them, over any store that gives the hashes of a level (RFC 6962 §2.1).

Hashes of whole subtrees of 256, 256², … leaves are kept as *tiles*; everything else follows from few of them.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

TILE = 8
"""Levels of the tree that a tile spans; 2**8 hashes lie in one."""
WIDTH = 1 << TILE

Hashes = Callable[[int, int, int], Sequence[bytes]]
"""(level, start, stop) → the hashes of the whole subtrees of 256**level leaves, from the start-th up to the stop-th."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees beside each other."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of equally large subtrees. Raises ValueError for none."""
    if not hashes:
        raise ValueError("nothing to fold")
    level = list(hashes)
    while len(level) > 1:
        paired = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = [*paired, level[-1]] if len(level) % 2 else paired
    return level[0]


class Tree:
    """The first `size` leaves of a log."""

    def __init__(self, size: int, hashes: Hashes) -> None:
        self.size = size
        self._hashes = hashes

    def root(self) -> bytes:
        """The root; SHA-256 of nothing for the empty tree."""
        return self._over(0, self.size) if self.size else sha256().digest()

    def inclusion(self, leaf: int) -> list[bytes]:
        """The audit path of a leaf, from the leaf up. Raises IndexError outside the tree."""
        if not 0 <= leaf < self.size:
            raise IndexError(leaf)
        path, start, stop = [], 0, self.size
        while stop - start > 1:
            middle = start + _left(stop - start)
            if leaf < middle:
                path.append(self._over(middle, stop))
                stop = middle
            else:
                path.append(self._over(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, earlier: int) -> list[bytes]:
        """The proof that the tree begins with the one of its first `earlier` leaves (RFC 6962 §2.1.2)."""
        if not 0 < earlier <= self.size:
            raise IndexError(earlier)
        return self._subproof(earlier, 0, self.size, True)

    def _subproof(self, earlier: int, start: int, stop: int, whole: bool) -> list[bytes]:
        if start + earlier == stop:
            return [] if whole else [self._over(start, stop)]
        middle = start + _left(stop - start)
        if start + earlier <= middle:
            return [*self._subproof(earlier, start, middle, whole), self._over(middle, stop)]
        return [*self._subproof(earlier - (middle - start), middle, stop, False), self._over(start, middle)]

    def _over(self, start: int, stop: int) -> bytes:
        """The hash of a subtree: of one that is whole from a single tile, else of its two parts."""
        width = stop - start
        if width & (width - 1):
            middle = start + _left(width)
            return node_hash(self._over(start, middle), self._over(middle, stop))
        level = (width.bit_length() - 1) // TILE
        return fold(self._hashes(level, start >> TILE * level, stop >> TILE * level))


def _left(width: int) -> int:
    """How many leaves lie in the left part: the largest power of two below the width."""
    return 1 << (width - 1).bit_length() - 1


def root_of_inclusion(leaf: bytes, at: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162 §2.1.3.2); None for a path of the wrong length."""
    if not 0 <= at < size:
        return None
    index, last, found = at, size - 1, leaf
    for each in path:
        if last == 0:
            return None
        if index % 2 or index == last:
            found = node_hash(each, found)
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            found = node_hash(found, each)
        index, last = index >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(earlier: int, earlier_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that one tree begins with the other (RFC 9162 §2.1.4.2)."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not proof and earlier_root == root
    path = list(proof) if earlier & (earlier - 1) else [earlier_root, *proof]
    if not path:
        return False
    index, last = earlier - 1, size - 1
    while index % 2:
        index, last = index >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if index % 2 or index == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, each)
        index, last = index >> 1, last >> 1
    return last == 0 and old == earlier_root and new == root
