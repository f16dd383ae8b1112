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

    heading = ""
    """The state that an act under way leads to, where the act leaves it open; not stored."""

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
    returns = models.CharField(max_length=10, default="straight", db_default="straight")
    """Where a corrected case goes: `straight` back to who returned it, or through `all` reviews again."""
    panels = models.JSONField(default=dict, db_default={}, blank=True)
    """Steps decided jointly: {"school_review": {"mode": "share", "share": 67, "quorum": 3, "of": "sit_…"}}."""
    round = models.PositiveSmallIntegerField(default=1)
    title = models.CharField(_("title"), max_length=80, default="", db_default="", blank=True)
    """What people call it on a list: the name of whom it is about."""
    suspended_on = models.DateField(_("suspended on"), null=True)
    """Since when nobody may decide on it; null while it runs."""

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
    queue = models.CharField(max_length=60, default="", db_default="", blank=True)
    """Kind and step, `aid.school_review`: the same for every version of a route. Empty at an end."""
    title = models.CharField(max_length=80, default="", db_default="", blank=True)
    """Copy of the case's title, to be found by."""
    holder = models.CharField(max_length=64, default="", db_default="", blank=True)
    """Key of the natural person who has taken an open item on; nobody else then decides it."""
    holder_name = models.CharField(max_length=150, default="", db_default="", blank=True)
    opened_at = models.DateTimeField(null=True)
    """When somebody who may decide it first opened it."""
    panel = models.CharField(max_length=10, default="", db_default="", blank=True)
    """How its signers decide: `all`, `any`, `share`, or `added` to whoever decides the step. Empty without any."""
    share = models.PositiveSmallIntegerField(default=0, db_default=0)
    """Percent of a panel's votes that must approve, where it decides by share."""
    quorum = models.PositiveSmallIntegerField(default=0, db_default=0)
    """Fewest signers with which a panel can pass anything."""
    escalated_on = models.DateField(null=True)
    """When its being overdue, or nobody's to decide, was brought before the office above."""

    class Meta:
        verbose_name = _("work item")
        verbose_name_plural = _("work items")
        default_permissions = ()
        indexes = [
            # The queue: the open items of a step, in order of arrival, for the whole county …
            models.Index(fields=["queue", "id"], name="item_queue", condition=Q(finished__isnull=True)),
            # … for one office's subtree …
            models.Index(
                fields=["queue", "path", "id"],
                name="item_office_queue",
                opclasses=["varchar_ops", "varchar_pattern_ops", "int8_ops"],
                condition=Q(finished__isnull=True),
            ),
            # … by deadline, by the beginning of a name, what has come back, and what one person has taken on.
            models.Index(fields=["queue", "due_on", "id", "path"], name="item_due", condition=Q(finished__isnull=True)),
            models.Index(
                fields=["queue", "path", "due_on", "id"],
                name="item_office_due",
                opclasses=["varchar_ops", "varchar_pattern_ops", "date_ops", "int8_ops"],
                condition=Q(finished__isnull=True),
            ),
            models.Index(
                fields=["queue", "title", "id", "path"],
                name="item_title",
                opclasses=["varchar_ops", "varchar_pattern_ops", "int8_ops", "varchar_ops"],
                condition=Q(finished__isnull=True),
            ),
            models.Index(
                fields=["queue", "id", "path"],
                name="item_returned",
                condition=Q(finished__isnull=True, round__gt=1),
            ),
            models.Index(
                fields=["holder", "id"], name="item_holder", condition=Q(finished__isnull=True) & ~Q(holder="")
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["process"], name="one_open_item_per_case", condition=Q(finished=None)),
            models.CheckConstraint(
                condition=Q(panel__in=["", "all", "any", "share", "added"]), name="panel_of_a_known_kind"
            ),
            models.CheckConstraint(
                condition=~Q(panel="share") | Q(share__gte=1, share__lte=100), name="panel_share_in_percent"
            ),
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


class Signer(models.Model):
    """Somebody whose signature an open item waits for, or who has given it (会签, 或签, 票签, 加签).

    `part`: `panel` for a member of the step's panel, `added` for one who was added, `base` for whoever decides the
    step beside them. A vote is an outcome; one who is taken off keeps the row, and a vote taken back is void.
    """

    item = models.ForeignKey(
        WorkItem, on_delete=models.CASCADE, related_name="signers", db_index=False, db_constraint=False
    )
    person = models.CharField(max_length=64)
    name = models.CharField(max_length=150)
    part = models.CharField(max_length=10)
    added_by = models.CharField(max_length=64, blank=True)
    added_at = models.DateTimeField(default=timezone.now)
    vote = models.CharField(max_length=20, blank=True)
    voted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["item", "person"], condition=Q(ended_at=None), name="one_signature_per_person"
            ),
            models.CheckConstraint(condition=Q(part__in=["panel", "added", "base"]), name="signer_of_a_known_part"),
        ]
        indexes = [
            models.Index(
                fields=["person", "item"], name="signer_waited_for", condition=Q(ended_at__isnull=True, vote="")
            )
        ]


class Recusal(models.Model):
    """A natural person who may not judge a case, or any case of an office (回避, DOMAIN.md §2.8).

    `case` is null where it goes by `path`. `levels` are those it holds for; empty for all. It is read, and written,
    under the lock of the case, and the statement that moves cases leaves the recused ones standing.
    """

    case = models.ForeignKey(
        Case, null=True, on_delete=models.CASCADE, related_name="recusals", db_index=False, db_constraint=False
    )
    path = models.CharField(max_length=255, blank=True)
    person = models.CharField(max_length=64)
    levels = _words()
    code = models.CharField(max_length=40)
    text = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["case", "person", "code"], condition=Q(ended_at=None), name="one_recusal_per_cause"
            ),
            models.UniqueConstraint(
                fields=["person", "path", "code"],
                condition=Q(ended_at=None, case=None),
                name="one_office_recusal_per_cause",
            ),
            models.CheckConstraint(
                condition=Q(case__isnull=False, path="") | Q(case=None) & ~Q(path=""), name="recusal_of_case_or_office"
            ),
        ]
        indexes = [models.Index(fields=["person", "case"], name="recusal_person", condition=Q(ended_at__isnull=True))]


class Freeze(models.Model):
    """A period in which nobody decides at an office and below it (year-end, audit), but for who holds `open_to`."""

    path = models.CharField(max_length=255)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    text = models.CharField(_("reason"), max_length=200)
    open_to = models.CharField(max_length=40, blank=True)
    """The permission with which one may act all the same; empty for nobody."""
    set_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("freeze period")
        verbose_name_plural = _("freeze periods")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=models.F("starts_on")), name="freeze_dates_in_order")
        ]


class Follower(models.Model):
    """Somebody who follows a case: it was copied to him (抄送), or he watches it himself."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="followers")
    person = models.CharField(max_length=64)
    name = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    copied_by = models.CharField(max_length=150, blank=True)
    """Name of who copied it to him; empty for one who watches of his own accord."""
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["case", "person"], condition=Q(copied_by=""), name="one_watch_per_person")
        ]
        indexes = [models.Index(fields=["person", "-id"], name="follower_person")]


class Look(models.Model):
    """Who has a case open on the screen at this moment; refreshed while the page is open."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", db_index=False)
    person = models.CharField(max_length=64)
    name = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["case", "person"], name="one_look_per_person")]


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


class SealedLine(models.Model):
    """A line of the record as a leaf of the sealed tree: where it stands there, and its hash. Append-only."""

    position = models.BigIntegerField(primary_key=True)
    line = models.BigIntegerField(unique=True)
    """Key of the record. No foreign key: what is missing shall be found, not be impossible to say."""
    leaf = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        verbose_name = _("sealed line")
        verbose_name_plural = _("sealed lines")


class SealTile(models.Model):
    """The hash of a whole subtree of 256**level leaves, the `place`-th of its level; level 1 and above. Append-only."""

    level = models.PositiveSmallIntegerField()
    place = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["level", "place"], name="one_hash_a_subtree")]


class TreeHead(models.Model):
    """A signed head of the sealed tree, published for good. Append-only."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    line = models.BigIntegerField()
    """The greatest key of the record in it; smaller ones may have come later, from transactions that took longer."""
    at = models.DateTimeField()
    note = models.TextField()
    """The signed text."""

    class Meta:
        default_permissions = ()
        verbose_name = _("tree head")
        verbose_name_plural = _("tree heads")
        constraints = [models.CheckConstraint(condition=Q(size__gt=0), name="tree_head_has_leaves")]
        indexes = [models.Index(fields=["at"], name="tree_head_at")]


class DailyWork(models.Model):
    """A piece of work that is done once on each business date, and was done."""

    name = models.CharField(max_length=40)
    date = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name", "date"], name="done_once_a_day")]


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
