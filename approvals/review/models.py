"""How reviewers set up their desk. Queues and decisions live on the engine's tables."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

MOST_SAVED = 20
"""Filters that one person may save."""


class SavedFilter(models.Model):
    """A filter of the queue under a name of the person's own: the query of its address, without names or ID numbers."""

    person = models.CharField(max_length=64)
    """Key of the natural person."""
    slot = models.PositiveSmallIntegerField()
    """1 to MOST_SAVED: a person has so many places for filters."""
    name = models.CharField(_("name"), max_length=20)
    query = models.CharField(max_length=500)

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person", "name"], name="one_saved_filter_per_name"),
            models.UniqueConstraint(fields=["person", "slot"], name="one_saved_filter_per_slot"),
            models.CheckConstraint(condition=Q(slot__gte=1, slot__lte=MOST_SAVED), name="so_many_saved_filters"),
        ]


class QueueColumns(models.Model):
    """The columns of the queue that a person has chosen."""

    person = models.CharField(max_length=64, primary_key=True)
    columns = ArrayField(models.CharField(max_length=20), blank=True)

    class Meta:
        default_permissions = ()
