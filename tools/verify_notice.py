#!/usr/bin/env python3
"""Checks a published list against a signed tree head of the county's record, offline.

    verify_notice.py PROOF.json [--head HEAD.txt] [--key BASE64]

PROOF.json is what a public notice offers as its proof. HEAD.txt is a tree head that you have kept, or been given by
somebody you trust; without it, the one inside the proof is taken. --key is the county's public key as you know it;
without it, the one inside the proof is taken. With neither, a proof shows only that it agrees with itself, and anybody
can make one that does.

Prints "true" or "false" with the reasons and ends with 0 or 1; with neither --head nor --key, "unproved" and 2. It
needs Python 3.9 and the package `cryptography`, and nothing of the system it checks: every rule is written below.

What is checked
1. The list's SHA-256 stands in the line of the record that says it was published.
2. The line, with its salt, is a leaf of a Merkle tree (RFC 6962): hashing it up the path gives the root of the head.
3. The head is signed by the county (Ed25519). With a head of your own over more or fewer lines than the proof's, ask
   the county's site for the proof that one continues the other (heads.json?from=…&to=…) and give it with --continues.
"""

import argparse
import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Wrong(Exception):
    """Why the list is not proved."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def root_of(leaf: bytes, at: int, size: int, path: list) -> bytes:
    """The root that a leaf and its path lead to (RFC 9162, section 2.1.3.2)."""
    if not 0 <= at < size:
        raise Wrong("the position lies outside the tree")
    index, last, found = at, size - 1, leaf
    for each in path:
        if last == 0:
            raise Wrong("the path is too long")
        if index % 2 or index == last:
            found = node(each, found)
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            found = node(found, each)
        index, last = index >> 1, last >> 1
    if last:
        raise Wrong("the path is too short")
    return found


def continues(size: int, root: bytes, later: int, later_root: bytes, path: list) -> bool:
    """Whether the greater tree begins with the smaller one (RFC 9162, section 2.1.4.2)."""
    if size == later:
        return root == later_root
    path = list(path) if size & (size - 1) else [root, *path]
    if not path:
        return False
    index, last = size - 1, later - 1
    while index % 2:
        index, last = index >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if index % 2 or index == last:
            old, new = node(each, old), node(each, new)
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node(new, each)
        index, last = index >> 1, last >> 1
    return last == 0 and old == root and new == later_root


def read_head(note: str, key: bytes) -> tuple:
    """(size, root) of a signed head."""
    text, divided, below = note.partition("\n\n")
    parts = text.split("\n")
    if not divided or len(parts) != 4:
        raise Wrong("this is no tree head")
    mark = f"— {parts[0]} "
    name = sha256(parts[0].encode() + b"\n\x01" + key)[:4]
    for line in below.splitlines():
        if line.startswith(mark):
            signature = base64.b64decode(line[len(mark) :])
            if signature[:4] == name:
                try:
                    Ed25519PublicKey.from_public_bytes(key).verify(signature[4:], (text + "\n").encode())
                except InvalidSignature:
                    raise Wrong("the signature of the tree head is false") from None
                return int(parts[1]), base64.b64decode(parts[2])
    raise Wrong("the tree head is not signed with this key")


def check(proof: dict, head: str, key: bytes, continuation: dict) -> str:
    """Says what was proved. Raises Wrong."""
    if proof.get("format") != "zhuxue-proof-1":
        raise Wrong("this is no proof of a published list")
    line = json.loads(proof["line"])
    if line[0] != "zhuxue-record-1" or line[6:8] != ["publish", "notice"]:
        raise Wrong("the line of the record does not publish a notice")
    listed = sha256(proof["list"].encode()).hex()
    if json.loads(line[15]).get("sha256") != listed:
        raise Wrong("the list is not the one that was published: its hash differs from the one on the record")
    size, root = read_head(proof["head"], key)
    leaf = sha256(b"\x00" + bytes.fromhex(proof["salt"]) + proof["line"].encode())
    if root_of(leaf, proof["position"], size, [bytes.fromhex(each) for each in proof["path"]]) != root:
        raise Wrong("the line of the record is not in the sealed tree")
    own_size, own_root = read_head(head, key)
    if (own_size, own_root) != (size, root):
        path = [bytes.fromhex(each) for each in continuation.get("path", [])]
        smaller, greater = sorted([(size, root), (own_size, own_root)])
        if (continuation.get("from"), continuation.get("to")) != (smaller[0], greater[0]) and smaller[0] != greater[0]:
            raise Wrong(f"your head is over {own_size} lines, the proof's over {size}: give --continues for the two")
        if not continues(*smaller, *greater, path):
            raise Wrong("your tree head and the proof's belong to different histories: the log was forked")
    content = json.loads(proof["list"])
    return f"{content['title']}: {len(content['rows'])} rows, published on {content['published_on']}, as sealed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof")
    parser.add_argument("--head", help="a tree head that you have kept")
    parser.add_argument("--key", help="the county's public key, base64")
    parser.add_argument("--continues", help="heads.json?from=…&to=… of the county's site")
    given = parser.parse_args()
    try:
        with open(given.proof, encoding="utf-8") as file:
            proof = json.load(file)
        head = proof["head"]
        if given.head:
            with open(given.head, encoding="utf-8") as file:
                head = file.read()
        continuation = {}
        if given.continues:
            with open(given.continues, encoding="utf-8") as file:
                continuation = json.load(file)
        said = check(proof, head, base64.b64decode(given.key or proof["key"]), continuation)
    except Wrong as wrong:
        return say(f"false: {wrong}", 1)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        return say(f"false: the files cannot be read ({error})", 1)
    if not given.head and not given.key:
        name = proof["key"]
        return say(f"unproved: {said}, but only by its own head and key; compare the key with the county's: {name}", 2)
    return say(f"true: {said}", 0)


def say(text: str, status: int) -> int:
    sys.stdout.write(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
