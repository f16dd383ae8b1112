"""Where evidence lies: encrypted files under random names in `MEDIA_ROOT`, outside the web root (DOMAIN.md §6)."""

import os
import re
import secrets
from pathlib import Path

from django.conf import settings

from approvals.people.crypto import decrypt_bytes, encrypt_bytes

_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}")


def _place(key: str) -> Path:
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a key of the evidence store: {key!r}")
    return Path(settings.MEDIA_ROOT) / key


def keep(data: bytes) -> str:
    """Keeps a file and returns its key; the file is whole or not there at all."""
    name = secrets.token_hex(20)
    key = f"{name[:2]}/{name}"
    place = _place(key)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(encrypt_bytes(data))
            file.flush()
            os.fsync(file.fileno())
        part.rename(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return key


def read(key: str) -> bytes:
    """The file in clear. Raises FileNotFoundError, or InvalidTag when somebody changed it."""
    return decrypt_bytes(_place(key).read_bytes())


def forget(key: str) -> None:
    """Deletes a file; one that is gone already is no error."""
    _place(key).unlink(missing_ok=True)
