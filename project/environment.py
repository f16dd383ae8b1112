"""Settings from the environment, read once and refused loudly where they make no sense."""

import base64
import binascii
import hmac
import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str) -> str:
    """The value, or an empty text."""
    return os.environ.get(name, "").strip()


def flag(name: str, default: bool = False) -> bool:
    """1, true, yes, on; anything else given is false."""
    value = text(name).lower()
    return value in {"1", "true", "yes", "on"} if value else default


def number(name: str, default: int) -> int:
    """A whole number."""
    value = text(name)
    if value and not (value.isascii() and value.isdecimal()):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.")
    return int(value) if value else default


def words(name: str, *default: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks: `10.0.0.5,10.1.0.0/24`."""
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


def database(url: str) -> dict[str, Any]:
    """`postgres://user:password@host:port/name?sslmode=require` as an entry of DATABASES.

    A socket's folder stands in the query: `postgres:///name?host=/run/postgresql`.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must start with postgres:// — PostgreSQL is the one engine.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or options.pop("host", ""),
        "PORT": str(parts.port or "") or options.pop("port", ""),
        "OPTIONS": options,
    }


def secret(name: str, demo_value: str, demo: bool) -> str:
    """A secret; the demo has a known one, which is refused anywhere else."""
    value = text(name)
    if demo:
        return value or demo_value
    if not value or value == demo_value:
        raise ImproperlyConfigured(f"{name} must be set to a value of your own where DEMO is off.")
    return value


def field_keys(given: str) -> tuple[dict[str, bytes], bytes]:
    """`id:base64,id:base64,index:base64`: the 32-byte keys by id, and the blind index's own.

    The first key writes, all can read. Raises ImproperlyConfigured where one could not encrypt.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in given.split(","))):
        name, _, encoded = part.partition(":")
        try:
            keys[name] = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            keys[name] = b""
        if len(keys[name]) != 32:
            raise ImproperlyConfigured(f"FIELD_KEYS: the key {name!r} is not 32 bytes in base64.")
    index = keys.pop("index", b"")
    if not keys or not index:
        raise ImproperlyConfigured("FIELD_KEYS needs at least one key and one named 'index'.")
    return keys, index


def seal_key(name: str, index: bytes) -> bytes:
    """32 bytes in base64 that sign the record's tree heads; where none is given, they follow from the index key.

    Raises ImproperlyConfigured for anything else. It never changes: the salts of sealed lines follow from it.
    """
    given = text(name)
    if not given:
        return hmac.digest(index, b"zhuxue seal", "sha256")
    try:
        key = base64.b64decode(given, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name} is not 32 bytes in base64.")
    return key
