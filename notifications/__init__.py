"""Telling people. The only door for other parts is `send`, and `send_all` for many subjects at once."""

from typing import Any


def send(*args: Any, **kwargs: Any) -> None:
    """See `notifications.actions.send`."""
    from notifications.actions import send as write

    write(*args, **kwargs)


def send_all(*args: Any, **kwargs: Any) -> None:
    """See `notifications.actions.send_all`."""
    from notifications.actions import send_all as write

    write(*args, **kwargs)
