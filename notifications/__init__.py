"""Telling people. The only door for other parts is `send`."""

from typing import Any


def send(*args: Any, **kwargs: Any) -> None:
    """See `notifications.actions.send`."""
    from notifications.actions import send as write

    write(*args, **kwargs)
