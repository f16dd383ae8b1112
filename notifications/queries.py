"""A person's inbox."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from notifications.events import SENTENCES
from notifications.models import Message

MOST = 99
"""Unread messages are counted no further."""


@dataclass(frozen=True)
class Line:
    """One message as the page shows it."""

    id: int
    sentence: str
    about: str
    about_id: int
    at: datetime
    read: bool


def unread(recipient: int) -> int:
    """How many messages a person has not read, counted up to `MOST` + 1."""
    return Message.objects.filter(recipient=recipient, read_at=None)[: MOST + 1].count()


def inbox(recipient: int, before: int | None = None) -> QuerySet[Message]:
    """A person's messages, newest first."""
    messages = Message.objects.filter(recipient=recipient).order_by("-id")
    return messages.filter(pk__lt=before) if before else messages


def line(message: Message) -> Line:
    """A message in the present language."""
    values = {"count": "", "name": "", "reason": "", **message.data}
    return Line(
        message.pk,
        str(SENTENCES[message.event]) % values,
        message.about,
        message.about_id,
        message.business_at or message.created_at,
        message.read_at is not None,
    )
