"""The one door through which people are told something."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from notifications.events import SENTENCES
from notifications.models import Message


def send(
    event: str, to: Iterable[int], about: str, about_id: int, cause: str, data: dict[str, Any] | None = None
) -> None:
    """Writes one message per recipient (user keys) in the caller's transaction, in one statement.

    `cause` names what happened (a record line, a file's hash): the same cause never tells the same person twice.
    Raises KeyError for an event that is not in the catalogue.
    """
    SENTENCES[event]
    now = timezone.now()
    Message.objects.bulk_create(
        (
            Message(
                recipient_id=person,
                event=event,
                about=about,
                about_id=about_id,
                data=data or {},
                effect=f"{person}:{event}:{cause}"[:120],
                created_at=now,
            )
            for person in set(to)
        ),
        ignore_conflicts=True,
    )


def mark_read(recipient: int, message_ids: Iterable[int] | None = None) -> int:
    """Marks a person's messages as read, these or all; returns how many."""
    unread = Message.objects.filter(recipient=recipient, read_at=None)
    if message_ids is not None:
        unread = unread.filter(pk__in=list(message_ids))
    return unread.update(read_at=timezone.now())
