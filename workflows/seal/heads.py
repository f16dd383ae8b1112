"""Signed tree heads, as text that a person can copy and a program can check.

    zhuxue/130431            origin: which county's record
    123456                   how many lines
    5Wm…=                    root, base64
    2026-09-07T02:10:00Z     when it was signed, by the machine's clock

    — zhuxue/130431 Q2F…=    an Ed25519 signature over the text above the empty line, with the key's short name

It is the *signed note* that public logs use (C2SP checkpoint), with the time as an extension line.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

ED25519 = b"\x01"
"""Kind of signature, as the key's short name takes it in."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a head says."""

    origin: str
    size: int
    root: bytes
    at: datetime

    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"


@cache
def _private(key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(key, b"sign", "sha256"))


def public_key() -> bytes:
    """The 32 bytes with which anybody checks a head."""
    return _private(settings.SEAL_KEY).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def short_name(origin: str, public: bytes) -> bytes:
    """Four bytes that tell a key from others."""
    return sha256(origin.encode() + b"\n" + ED25519 + public).digest()[:4]


def signed(head: Head) -> str:
    """The head with its signature."""
    text = head.text()
    signature = short_name(head.origin, public_key()) + _private(settings.SEAL_KEY).sign(text.encode())
    return f"{text}\n— {head.origin} {base64.b64encode(signature).decode()}\n"


def opened(note: str, public: bytes) -> Head:
    """What a signed head says. Raises ValueError where it is no head, or not signed with this key."""
    text, divided, below = note.partition("\n\n")
    parts = text.split("\n")
    if not divided or len(parts) != 4:
        raise ValueError("this is no tree head")
    origin = parts[0]
    mark = f"— {origin} "
    for line in below.splitlines():
        if line.startswith(mark):
            signature = base64.b64decode(line.removeprefix(mark), validate=True)
            if signature[:4] != short_name(origin, public):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], f"{text}\n".encode())
            except InvalidSignature as error:
                raise ValueError("the signature does not fit the tree head") from error
            at = datetime.strptime(parts[3], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            return Head(origin, int(parts[1]), base64.b64decode(parts[2], validate=True), at)
    raise ValueError("the tree head is not signed with this key")
