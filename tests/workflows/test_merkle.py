"""The Merkle tree against RFC 6962: its published example, a plain reading of its definition, and forged proofs."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.seal.merkle import WIDTH, Tree, fold, is_consistent, leaf_hash, node_hash, root_of_inclusion

# The leaves that the reference implementation of Certificate Transparency is tested with.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def plain(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 §2.1 writes it."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(plain(leaves[:middle]), plain(leaves[middle:]))


def tree(leaves: Sequence[bytes], size: int | None = None) -> Tree:
    def hashes(level: int, start: int, stop: int) -> list[bytes]:
        width = WIDTH**level
        assert stop * width <= len(leaves), "only what is whole is kept"
        return [fold(leaves[at * width : (at + 1) * width]) for at in range(start, stop)]

    return Tree(len(leaves) if size is None else size, hashes)


def some(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_the_published_roots(size: int, root: str) -> None:
    assert tree([leaf_hash(leaf) for leaf in LEAVES[:size]]).root().hex() == root


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 255, 256, 257, 511, 512, 1000])
def test_tiles_lead_to_the_root_of_the_definition(size: int) -> None:
    leaves = some(size)
    assert tree(leaves).root() == plain(leaves)


@given(st.data())
def test_every_leaf_is_proved_and_no_other_at_its_place(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 700))
    at = data.draw(st.integers(0, size - 1))
    leaves = some(size)
    path, root = tree(leaves).inclusion(at), plain(leaves)
    assert root_of_inclusion(leaves[at], at, size, path) == root
    assert root_of_inclusion(leaf_hash(b"another"), at, size, path) != root
    other = data.draw(st.integers(0, size - 1))
    if other != at:
        assert root_of_inclusion(leaves[at], other, size, path) != root
    assert root_of_inclusion(leaves[at], at, size, [*path, root]) != root


@given(st.data())
def test_a_later_tree_is_shown_to_continue_an_earlier_one(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 700))
    earlier = data.draw(st.integers(1, size))
    leaves = some(size)
    proof, root, before = tree(leaves).consistency(earlier), plain(leaves), plain(leaves[:earlier])
    assert is_consistent(earlier, before, size, root, proof)
    forked = [*leaves]
    forked[data.draw(st.integers(0, earlier - 1))] = leaf_hash(b"another")
    assert not is_consistent(earlier, plain(forked[:earlier]), size, root, proof)
    if size > earlier:
        assert not is_consistent(earlier, before, size, plain([*leaves[:-1], leaf_hash(b"x")]), proof)


def test_what_lies_outside_has_no_proof() -> None:
    for leaf in (-1, 3):
        with pytest.raises(IndexError):
            tree(some(3)).inclusion(leaf)
    with pytest.raises(IndexError):
        tree(some(3)).consistency(4)
    assert root_of_inclusion(some(1)[0], 3, 3, []) is None
