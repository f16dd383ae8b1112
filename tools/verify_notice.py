#!/usr/bin/env python3
"""Checks a published list against a signed tree head of the county's record, offline.

    verify_notice.py PROOF.json|PACKAGE.zip [--head HEAD.txt] [--key BASE64]

PROOF.json is what a public notice offers as its proof, PACKAGE.zip the evidence package that its office keeps.
HEAD.txt is a tree head that you have kept, or been given by somebody you trust; without it, the one inside the proof is
taken. --key is the county's public key as you know it;
without it, the one inside the proof is taken. With neither, a proof shows only that it agrees with itself, and anybody
can make one that does.

Prints "true" or "false" with the reasons and ends with 0 or 1; with neither --head nor --key, "unproved" and 2. It
needs Python 3.9 and the package `cryptography`, and nothing of the system it checks: every rule is written below.

What is checked
1. The list's SHA-256 stands in the line of the record that says it was published.
2. The line, with its salt, is a leaf of a Merkle tree (RFC 6962): hashing it up the path gives the root of the head.
3. The head is signed by the county (Ed25519). With a head of your own over more or fewer lines than the proof's, ask
   the county's site for the proof that one continues the other (heads.json?from=…&to=…) and give it with --continues.
4. Of a package besides: its files are those of its manifest, with their SHA-256; every line of the record in it is in
the tree; every list in it, earlier editions too, is one that the record says was published; its photos of the board
are those on the record. Its own SHA-256 is printed: the county's record has it in the line "package".

A list is hashed as JSON with sorted keys and without spaces. In the format "zhuxue-notice-2" each row is first replaced
by SHA-256(its salt, the row as JSON), so that a row can be left out of a copy: its hash is shown instead.
"""

import argparse
import base64
import hashlib
import json
import sys
import zipfile

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


def canonical(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def list_hash(data: bytes) -> str:
    """What stands for a list on the record; a row that was left out since is there as its hash."""
    content = json.loads(data)
    if content["format"] == "zhuxue-notice-1":
        return sha256(data).hex()
    if content["format"] != "zhuxue-notice-2" or canonical(content) != data:
        raise Wrong("this is no list that was published")
    salts = content.pop("salts")
    if len(salts) != len(content["rows"]):
        raise Wrong("the list has not one salt for each row")
    for place, row in enumerate(content["rows"]):
        if not isinstance(row, str):
            content["rows"][place] = sha256(bytes.fromhex(salts[place]) + canonical(row)).hex()
    return sha256(canonical(content)).hex()


def proved_line(each: dict, size: int, root: bytes) -> list:
    """A line of the record that is in the tree, read. Raises Wrong."""
    leaf = sha256(b"\x00" + bytes.fromhex(each["salt"]) + each["line"].encode())
    if root_of(leaf, each["position"], size, [bytes.fromhex(part) for part in each["path"]]) != root:
        raise Wrong("the line of the record is not in the sealed tree")
    line = json.loads(each["line"])
    if line[0] != "zhuxue-record-1":
        raise Wrong("this is no line of the record")
    return line


def hold_against(own_head: str, size: int, root: bytes, key: bytes, continuation: dict) -> None:
    """A head from elsewhere is the same one, or one of the two continues the other. Raises Wrong."""
    own_size, own_root = read_head(own_head, key)
    if (own_size, own_root) == (size, root):
        return
    path = [bytes.fromhex(each) for each in continuation.get("path", [])]
    smaller, greater = sorted([(size, root), (own_size, own_root)])
    if (continuation.get("from"), continuation.get("to")) != (smaller[0], greater[0]) and smaller[0] != greater[0]:
        raise Wrong(f"your head is over {own_size} lines, the proof's over {size}: give --continues for the two")
    if not continues(*smaller, *greater, path):
        raise Wrong("your tree head and the proof's belong to different histories: the log was forked")


def check(proof: dict, head: str, key: bytes, continuation: dict) -> str:
    """Says what a proof proves. Raises Wrong."""
    if proof.get("format") != "zhuxue-proof-1":
        raise Wrong("this is no proof of a published list")
    size, root = read_head(proof["head"], key)
    line = proved_line(proof, size, root)
    if line[6:8] != ["publish", "notice"]:
        raise Wrong("the line of the record does not publish a notice")
    if json.loads(line[15]).get("sha256") != list_hash(proof["list"].encode()):
        raise Wrong("the list is not the one that was published: its hash differs from the one on the record")
    hold_against(head, size, root, key, continuation)
    return told(json.loads(proof["list"]))


def told(content: dict) -> str:
    rows, out = content["rows"], sum(isinstance(row, str) for row in content["rows"])
    left = f" ({out} of them withdrawn since and shown as hashes)" if out else ""
    return f"{content['title']}: {len(rows)} rows{left}, published on {content['published_on']}, as sealed"


# ---------------------------------------------------------------- evidence packages


def opened(path: str) -> dict:
    """The files of a package, each as its manifest says. Raises Wrong."""
    with zipfile.ZipFile(path) as box:
        names = box.namelist()
        if len(names) != len(set(names)):
            raise Wrong("the package holds two files of one name")
        files = {name: box.read(name) for name in names}
    manifest = json.loads(files.pop("manifest.json", b"{}"))
    if manifest.get("format") != "zhuxue-archive-1":
        raise Wrong("this is no evidence package: it has no manifest")
    listed = manifest["files"]
    for name in sorted({*listed, *files}):
        if name not in files:
            raise Wrong(f"{name} is missing from the package")
        if name not in listed:
            raise Wrong(f"{name} is not in the manifest: it was added, or the manifest was changed")
        if sha256(files[name]).hex() != listed[name]:
            raise Wrong(f"{name} is not what the manifest says: one of the two was changed")
    return files


def check_package(files: dict, head: str, key: bytes, continuation: dict) -> str:
    """Says what a package proves. Raises Wrong."""
    record = json.loads(files["record.json"])
    size, root = read_head(record["head"], key)
    if files["head.txt"].decode() != record["head"]:
        raise Wrong("head.txt is not the tree head of record.json")
    lines = [proved_line(each, size, root) for each in record["lines"]]
    if len({(line[7], line[8]) for line in lines}) != 1 or lines[0][7] != "notice":
        raise Wrong("the lines of the record are not all about one notice")
    hold_against(head, size, root, key, continuation)
    acts = [(line[6], json.loads(line[15])) for line in lines]
    published = [data["sha256"] for act, data in acts if act == "publish"]
    lists = [*sorted(name for name in files if name.startswith("editions/")), "list.json"]
    if len(published) != len(lists):
        raise Wrong(f"the record says {len(published)} times that it was published, the package has {len(lists)} lists")
    for name, recorded in zip(lists, published):  # noqa: B905  as long, and Python 3.9 knows no `strict`
        if list_hash(files[name]) != recorded:
            raise Wrong(f"{name} is not the list that was published: its hash differs from the one on the record")
    taken_away = {data["photo"] for act, data in acts if act == "remove_photo"}
    wanted = {data["sha256"] for act, data in acts if act == "add_photo" and data["photo"] not in taken_away}
    photos = {sha256(data).hex() for name, data in files.items() if name.startswith("photos/")}
    if photos != wanted:
        which = "is missing" if wanted - photos else "in the package is not on the record"
        raise Wrong(f"a photo of the board {which}")
    return f"{told(json.loads(files['list.json']))}; {len(files)} files, {len(lines)} lines of the record"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", help="proof.json of a public notice, or an evidence package")
    parser.add_argument("--head", help="a tree head that you have kept")
    parser.add_argument("--key", help="the county's public key, base64")
    parser.add_argument("--continues", help="heads.json?from=…&to=… of the county's site")
    given = parser.parse_args()
    try:
        if zipfile.is_zipfile(given.proof):
            files = opened(given.proof)
            proof, subject, checked = json.loads(files["record.json"]), files, check_package
        else:
            with open(given.proof, encoding="utf-8") as file:
                proof = json.load(file)
            subject, checked = proof, check
        head, continuation = proof["head"], {}
        if given.head:
            with open(given.head, encoding="utf-8") as file:
                head = file.read()
        if given.continues:
            with open(given.continues, encoding="utf-8") as file:
                continuation = json.load(file)
        said = checked(subject, head, base64.b64decode(given.key or proof["key"]), continuation)
        if checked is check_package:
            with open(given.proof, "rb") as file:
                said += f"; package SHA-256 {sha256(file.read()).hex()}"
    except Wrong as wrong:
        return say(f"false: {wrong}", 1)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile) as error:
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
