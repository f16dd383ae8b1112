"""The one door through which people are told something."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from notifications.events import SENTENCES
from notifications.models import Message


class Telling(NamedTuple):
    """What is told to some people (user keys) about one subject; `cause` names what happened."""

    to: Iterable[int]
    about_id: int
    cause: str
    data: dict[str, Any]


def send(
    event: str, to: Iterable[int], about: str, about_id: int, cause: str, data: dict[str, Any] | None = None
) -> None:
    """Writes one message per recipient (user keys) in the caller's transaction, in one statement.

    `cause` names what happened (a record line, a file's hash): the same cause never tells the same person twice.
    Raises KeyError for an event that is not in the catalogue.
    """
    send_all(event, about, [Telling(to, about_id, cause, data or {})])


def send_all(event: str, about: str, tellings: Iterable[Telling | tuple[Any, ...]]) -> None:
    """`send` for many subjects of one kind at once, (to, about_id, cause, data) each; still one statement."""
    SENTENCES[event]
    now, business = timezone.now(), import_string(settings.BUSINESS_CLOCK)()
    Message.objects.bulk_create(
        (
            Message(
                recipient_id=person,
                event=event,
                about=about,
                about_id=about_id,
                data=data,
                effect=f"{person}:{event}:{cause}"[:120],
                created_at=now,
                business_at=business,
            )
            for to, about_id, cause, data in tellings
            for person in set(to)
        ),
        ignore_conflicts=True,
        batch_size=2000,
    )


def mark_read(recipient: int, message_ids: Iterable[int] | None = None) -> int:
    """Marks a person's messages as read, these or all; returns how many."""
    unread = Message.objects.filter(recipient=recipient, read_at=None)
    if message_ids is not None:
        unread = unread.filter(pk__in=list(message_ids))
    return unread.update(read_at=timezone.now())
