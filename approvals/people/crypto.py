"""Field encryption (AES-256-GCM, the key's id stored with the value) and keyed blind indexes (DESIGN §7).

The first key of FIELD_KEYS writes; every listed key can be read, so that keys can be changed while running.
"""

import hmac
import os
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12


@cache
def _cipher(name: str) -> AESGCM:
    return AESGCM(settings.FIELD_KEYS[name])


@cache
def _writing() -> tuple[bytes, AESGCM]:
    name = next(iter(settings.FIELD_KEYS))
    label = name.encode()
    return bytes([len(label)]) + label, _cipher(name)


def encrypt_bytes(value: bytes) -> bytes:
    """Length and id of the key, nonce (12 bytes), ciphertext with its tag."""
    label, cipher = _writing()
    nonce = os.urandom(NONCE)
    return label + nonce + cipher.encrypt(nonce, value, None)


def decrypt_bytes(stored: bytes) -> bytes:
    """What `encrypt_bytes` was given. Raises InvalidTag when the value was tampered with."""
    start = 1 + stored[0]
    cipher = _cipher(stored[1:start].decode())
    return cipher.decrypt(stored[start : start + NONCE], stored[start + NONCE :], None)


def encrypt(value: str) -> bytes:
    """`encrypt_bytes` for text."""
    return encrypt_bytes(value.encode())


def decrypt(stored: bytes) -> str:
    """`decrypt_bytes` for text."""
    return decrypt_bytes(stored).decode()


@cache
def _indexing(key: bytes) -> hmac.HMAC:
    """Begun with the key, to be copied: that is what takes longest of a short number."""
    return hmac.new(key, digestmod="sha256")


def blind_index(value: str) -> bytes:
    """32 bytes that equal values share and that say nothing without the key; normalise `value` first."""
    index = _indexing(settings.FIELD_INDEX_KEY).copy()
    index.update(value.encode())
    return index.digest()
