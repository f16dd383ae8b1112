"""公示: a frozen list with a legal clock. What it is legally is its state; the system computes its end."""

from datetime import date

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition

from workflows.clock import CHINA
from workflows.conditions import Condition

STATES = [
    ("draft", _p("notice state", "Draft")),
    ("pending_review", _p("notice state", "Waiting for sign-off")),
    ("published", _p("notice state", "On public notice")),
    ("closed", _p("notice state", "Period over")),
    ("concluded", _p("notice state", "Concluded")),
    ("taken_down", _p("notice state", "Taken down")),
    ("voided", _p("notice state", "Voided")),
]
HAS_LINES = Condition("empty_notice", _("The list is empty."), lambda: Q(lines__state="listed"))


class Notice(FSMModelMixin, models.Model):
    """One public notice of a step (`school_notice` or `county_notice`) of one programme and term.

    From publication on, `frozen` and `sha256` hold what was shown; `ends_on` is the last day of the period,
    computed in working days from the day after publication (DOMAIN.md §2.3).
    """

    state = FSMField(_("state"), max_length=20, default="draft", protected=True, choices=STATES)
    step = models.CharField(max_length=40)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    programme = models.ForeignKey("programmes.Programme", on_delete=models.PROTECT, related_name="+")
    term = models.CharField(max_length=12)
    subject = models.CharField(max_length=40)
    """The aid as the public reads it (`project` of the definition): it says nothing of a pupil's family."""
    kind = models.CharField(max_length=24)
    """Disbursement kind of the programme, which the wording goes by."""
    title = models.CharField(_p("notice", "title"), max_length=200)
    body = models.TextField(_p("notice", "text"))
    """Written by the system from its template: what is decided, about how many. Dates stand elsewhere."""
    remark = models.CharField(_p("notice", "remark"), max_length=300, blank=True)
    """A sentence the office adds; scanned for personal data like everything else that is shown."""
    columns = models.JSONField()
    """Canonical headings of the list, from the whitelist of its step."""
    mask_names = models.BooleanField(default=False)
    days = models.PositiveSmallIntegerField()
    day_kind = models.CharField(max_length=10, default="working")
    contact = models.CharField(_("contact for objections"), max_length=40, blank=True)
    contact_phone = models.CharField(_("phone for objections"), max_length=30, blank=True)
    contact_place = models.CharField(_("place of reception"), max_length=80, blank=True)
    supervision_phone = models.CharField(max_length=30, blank=True)
    drafted_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    drafted_person = models.UUIDField()
    signed_person = models.UUIDField(null=True)
    """The natural persons behind the two accounts: one person may hold both."""
    published_at = models.DateTimeField(null=True)
    ends_on = models.DateField(null=True)
    provisional = models.BooleanField(default=False)
    """Ends in a year whose calendar has not been published (暂定)."""
    concluded_at = models.DateTimeField(null=True)
    conclusion = models.CharField(max_length=40, blank=True)
    void_reason = models.TextField(blank=True)
    line_count = models.PositiveIntegerField(default=0)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    frozen = models.BinaryField(null=True)
    """The canonical bytes of the list as published (UTF-8 JSON)."""
    sha256 = models.CharField(max_length=64, blank=True)
    public_id = models.CharField(max_length=20, unique=True)
    """What the public address carries: random, no personal data, not countable."""

    class Meta:
        verbose_name = _("public notice")
        verbose_name_plural = _("public notices")
        default_permissions = ()
        indexes = [
            models.Index(fields=["ends_on"], name="notice_due", condition=Q(state="published")),
            models.Index(fields=["id"], name="notice_unsettled", condition=Q(state="closed")),
            models.Index(fields=["path", "-id"], name="notice_path", opclasses=["varchar_pattern_ops", "int8_ops"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "pending_review", "voided"])
                | (Q(published_at__isnull=False, ends_on__isnull=False, signed_by__isnull=False) & ~Q(sha256="")),
                name="published_notice_is_frozen_and_signed",
            ),
            models.CheckConstraint(
                condition=Q(signed_by=None) | ~Q(signed_by=models.F("drafted_by")), name="signer_is_not_drafter"
            ),
            models.CheckConstraint(
                condition=Q(signed_person=None) | ~Q(signed_person=models.F("drafted_person")),
                name="signer_is_another_person_than_drafter",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def published_on(self) -> date | None:
        """The business date of publication in China; the period is counted from the day after."""
        return self.published_at.astimezone(CHINA).date() if self.published_at else None

    @transition("state", "draft", "pending_review", conditions=[HAS_LINES], permission="draft_notice")
    def submit(self) -> None:
        """送审."""

    @transition("state", "pending_review", "draft", permission="sign_notice")
    def send_back(self) -> None:
        """退回."""

    @transition("state", "pending_review", "published", conditions=[HAS_LINES], permission="sign_notice")
    def publish(self) -> None:
        """签发: public at once."""

    @transition("state", "draft", "voided", permission="draft_notice")
    def discard(self) -> None:
        """The drafting office gives a draft up; its cases wait for another notice."""

    @transition("state", ["draft", "pending_review", "published"], "voided", permission="sign_notice")
    def void(self) -> None:
        """作废: hidden at once; its cases wait for another notice."""

    @transition("state", "published", "closed", permission="system")
    def close(self) -> None:
        """期满."""

    @transition("state", "closed", "concluded", permission="system")
    def conclude(self) -> None:
        """公示结束, by the system when nobody objected."""

    @transition("state", "concluded", "taken_down", permission="system")
    def take_down(self) -> None:
        """撤下: removed from public view."""


class NoticeLine(models.Model):
    """One application on a notice. `shown` is what the public sees of it, nothing else."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="lines")
    case = models.ForeignKey("workflows.Case", on_delete=models.PROTECT, related_name="notice_lines")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default="listed")
    """listed, removed (with `reason`), confirmed; DOMAIN.md §3.4."""
    open = models.BooleanField(default=True)
    """True while the notice runs: a case stands on one open notice of a step at a time."""
    step = models.CharField(max_length=40)
    shown = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["case", "step"], condition=Q(open=True), name="one_open_notice_per_case"),
            models.UniqueConstraint(fields=["notice", "number"], name="one_line_per_number"),
        ]
        # Read at every view of a public page (site/stamps.py): of a list, the few lines that are off it.
        indexes = [models.Index(fields=["notice", "number"], name="line_off_list", condition=Q(state="removed"))]


from approvals.notices.announcements.models import Announcement  # noqa: E402, F401  its tables are this app's
