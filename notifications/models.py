"""Messages to people of the office. Each is written in the same transaction as what it tells of."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Message(models.Model):
    """One thing told to one person; a bulk act over thousands of cases is one message with a count.

    `effect` names recipient and cause, so that a retry never tells twice. No personal data of pupils.
    """

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=40)
    about = models.CharField(max_length=20)
    about_id = models.BigIntegerField()
    data = models.JSONField(default=dict)
    effect = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()
    business_at = models.DateTimeField(null=True)
    """The same instant by the business clock, as the record keeps both; null: the machine's counted."""
    read_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["recipient", "-id"], name="message_inbox"),
            models.Index(fields=["recipient"], name="message_unread", condition=Q(read_at=None)),
        ]
