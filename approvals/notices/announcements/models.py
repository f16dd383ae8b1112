"""公告: what an office tells everybody, for information; nobody objects to it, and no period runs."""

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition

from workflows.clock import CHINA

STATES = [
    ("draft", _p("announcement state", "Draft")),
    ("pending_review", _p("announcement state", "Waiting to be published")),
    ("published", _p("announcement state", "Published")),
    ("withdrawn", _p("announcement state", "Withdrawn")),
    ("discarded", _p("announcement state", "Thrown away")),
]
KINDS = [
    ("policy", _p("announcement kind", "Policy")),
    ("results", _p("announcement kind", "Results")),
    ("panel", _p("announcement kind", "Panel list")),
    ("other", _p("announcement kind", "Other")),
]
OPEN = ("draft", "pending_review")


class Announcement(FSMModelMixin, models.Model):
    """One announcement of a school or of the county. Its text is plain paragraphs, one a line.

    Yearly results (`school_year`) are drafted by the system with their `due_on`; `table` keeps the totals as they were
    handed in. Who submits it answers for the text, and another natural person publishes it.
    """

    state = FSMField(_("state"), max_length=20, default="draft", protected=True, choices=STATES)
    kind = models.CharField(_p("announcement", "kind"), max_length=12, choices=KINDS)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    title = models.CharField(_p("announcement", "title"), max_length=120)
    body = models.TextField(_p("announcement", "text"), max_length=10_000)
    school_year = models.CharField(max_length=9, blank=True)
    due_on = models.DateField(null=True)
    table = models.JSONField(null=True)
    """{"rows": [[school, programme, term, count or null, amount or null], …], …} as `yearly.table_of` makes it."""
    drafted_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    drafted_person = models.UUIDField(null=True)
    """Null while nobody has taken on what the system drafted."""
    published_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    published_person = models.UUIDField(null=True)
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdraw_reason = models.TextField(blank=True)
    public_id = models.CharField(max_length=20, unique=True)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        default_permissions = ()
        indexes = [
            models.Index(fields=["-published_at"], name="announcement_public", condition=Q(state="published")),
            models.Index(
                fields=["path", "-id"], name="announcement_path", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["published", "withdrawn"])
                | Q(published_at__isnull=False, published_person__isnull=False, drafted_person__isnull=False),
                name="announcement_published_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(published_person=None) | ~Q(published_person=F("drafted_person")),
                name="announcement_published_by_another",
            ),
            models.UniqueConstraint(
                fields=["school_year"],
                condition=Q(state__in=["draft", "pending_review", "published"]) & ~Q(school_year=""),
                name="one_announcement_of_a_year",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def published_on(self) -> date | None:
        """The business date of publication."""
        return self.published_at.astimezone(CHINA).date() if self.published_at else None

    @property
    def paragraphs(self) -> list[str]:
        """The text, a paragraph a line."""
        return [line.strip() for line in self.body.splitlines() if line.strip()]

    @transition("state", "draft", "pending_review", permission="draft_announcement")
    def submit(self) -> None:
        """送审."""

    @transition("state", "pending_review", "draft", permission="publish_announcement")
    def send_back(self) -> None:
        """退回."""

    @transition("state", "pending_review", "published", permission="publish_announcement")
    def publish(self) -> None:
        """发布: public at once."""

    @transition("state", "draft", "discarded", permission="draft_announcement")
    def discard(self) -> None:
        """The author gives a draft up."""

    @transition("state", "published", "withdrawn", permission="publish_announcement")
    def withdraw(self) -> None:
        """撤回: hidden at once."""
