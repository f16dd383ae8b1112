"""Cases, work items, the record, and what the engine must remember besides.

The viewflow tables are lean: only the indexes that a query of ours needs (stock viewflow carries twelve on tasks,
four on links), and no foreign key whose two ends are written by the same statement (docs/decisions).
"""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin
from viewflow.workflow.models import AbstractProcess, AbstractTask
from viewflow.workflow.status import PROCESS, STATUS


def _words() -> Any:
    return ArrayField(models.CharField(max_length=40), default=list, blank=True)


class Case(FSMModelMixin, AbstractProcess):  # type: ignore[django-manager-missing]
    """One matter under way: what a route must know of it, and nothing of pupils, money or programmes.

    `state` is what the case legally is; its open work items say where the work is. Moved by `decide` alone.
    """

    kind = models.CharField(_("kind"), max_length=20)
    status = models.CharField(max_length=10, default=PROCESS.NEW)
    state = FSMField(_("state"), max_length=30, protected=True)
    programme = models.CharField(_("programme"), max_length=60, blank=True)
    programme_version = models.PositiveIntegerField(default=0)
    term = models.CharField(_("term"), max_length=12, blank=True)
    path = models.CharField(_("office path"), max_length=255)
    steps = _words()
    """Names of the optional route steps that this case passes; the others are skipped with a line in the record."""
    limits = models.JSONField(default=dict, blank=True)
    """Working days allowed by step: {"school_review": 10}."""
    missing = _words()
    """Codes of what must still be supplied before it may be submitted."""
    noticed = _words()
    """Steps whose public notice has concluded for this case."""
    open_hits = models.PositiveSmallIntegerField(default=0)
    """Data-match hits that nobody has waived yet."""
    resume = models.CharField(max_length=40, blank=True)
    """Step that a returned case goes back to."""
    round = models.PositiveSmallIntegerField(default=1)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        default_permissions = ()
        # None on what a decision changes: PostgreSQL then rewrites the row in its page and leaves the indexes alone.
        indexes = [models.Index(fields=["path"], name="case_path", opclasses=["varchar_pattern_ops"])]


class WorkItem(AbstractTask):
    """One step of a case waiting for somebody, or done: who did it, as what, when and why."""

    process = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="task_set", db_column="case_id")
    flow_task_type = models.CharField(max_length=20)
    status = models.CharField(max_length=10, default=STATUS.NEW)
    created = models.DateTimeField(default=timezone.now)
    scheduled = models.DateTimeField(blank=True, null=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    """The account that decided; accounts are closed, never deleted."""
    previous = models.ManyToManyField(
        "self",
        through="Link",
        through_fields=("from_workitem", "to_workitem"),
        symmetrical=False,
        related_name="leading",
    )
    external_task_id = None
    # viewflow's generic key to a permission's object insists on these two; they stay empty here.
    owner_permission_content_type = models.ForeignKey(
        ContentType, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    owner_permission_obj_pk = models.CharField(max_length=20, null=True)

    path = models.CharField(max_length=255)
    """Copy of the case's office path, rewritten in the same transaction when an organisation moves."""
    round = models.PositiveSmallIntegerField(default=1)
    due_on = models.DateField(_("due on"), null=True)
    outcome = models.CharField(_("outcome"), max_length=20, blank=True)
    decided_by = models.CharField(max_length=64, blank=True)
    """Key of the natural person who decided."""

    class Meta:
        verbose_name = _("work item")
        verbose_name_plural = _("work items")
        default_permissions = ()
        indexes = [
            # The queue: the open items of a step, in order of arrival, for the whole county …
            models.Index(fields=["flow_task", "id"], name="item_queue", condition=Q(finished__isnull=True)),
            # … and for one office's subtree.
            models.Index(
                fields=["flow_task", "path", "id"],
                name="item_office_queue",
                opclasses=["varchar_ops", "varchar_pattern_ops", "int8_ops"],
                condition=Q(finished__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["process"], name="one_open_item_per_case", condition=Q(finished=None))
        ]


class Link(models.Model):
    """Which work item another one followed from."""

    pk = models.CompositePrimaryKey("from_workitem_id", "to_workitem_id")
    from_workitem = models.ForeignKey(
        WorkItem, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    to_workitem = models.ForeignKey(
        WorkItem, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        default_permissions = ()


class ActingLevel(models.Model):
    """The only level at which a natural person may act in a case's whole life (separation of duties)."""

    pk = models.CompositePrimaryKey("case_id", "person")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    person = models.CharField(max_length=64)
    level = models.CharField(max_length=20)

    class Meta:
        default_permissions = ()


class Record(models.Model):
    """One line for every act. Append-only: the database refuses UPDATE, DELETE and TRUNCATE.

    It names the actor and the office in words besides the keys, so that it can be read when they are gone.
    """

    at = models.DateTimeField(_("machine time"))
    business_at = models.DateTimeField(_("business time"))
    actor = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=150)
    post = models.CharField(max_length=160, blank=True)
    act = models.CharField(max_length=40)
    about = models.CharField(max_length=20)
    about_id = models.BigIntegerField()
    item = models.BigIntegerField(null=True)
    """The work item that was decided, where the act was a decision."""
    step = models.CharField(max_length=40, blank=True)
    state_from = models.CharField(max_length=30, blank=True)
    state_to = models.CharField(max_length=30, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_text = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    path = models.CharField(max_length=255, blank=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("record")
        verbose_name_plural = _("record")
        indexes = [models.Index(fields=["about", "about_id", "id"], name="record_about")]


class KeyedDecision(models.Model):
    """The first results of a decision made under a key, so that a repeated request changes nothing.

    `key` is a digest of the key given. `results` is [[task id, code, values of the sentence], …]: codes, not
    sentences, so that they can be said in another language later.
    """

    key = models.CharField(max_length=80)
    person = models.CharField(max_length=64)
    chunk = models.PositiveIntegerField()
    results = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key", "person", "chunk"], name="one_result_per_key")]


class TrainingClock(models.Model):
    """The demo's business date. Written by `load_demo`; its presence marks a demo database."""

    date = models.DateField()
    only = models.BooleanField(default=True, unique=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(only=True), name="only_one_training_clock")]


class CalendarYear(models.Model):
    """A year whose working days the State Council has published, with the notice it comes from."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    source = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()


class CalendarDay(models.Model):
    """A day that differs from Monday-to-Friday: a statutory holiday, or a make-up working day (调休)."""

    day = models.DateField(primary_key=True)
    year = models.ForeignKey(CalendarYear, on_delete=models.CASCADE)
    working = models.BooleanField()
    name = models.CharField(max_length=40)

    class Meta:
        default_permissions = ()
