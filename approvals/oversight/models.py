"""审计疑点 and what becomes of them; why a registered pupil is not aided (DOMAIN.md §2.9, G-03)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition

SEES, RECTIFIES, VERIFIES = "view_findings", "rectify_finding", "verify_finding"
STATES = [
    ("open", _p("finding state", "Found")),
    ("assigned", _p("finding state", "To be put right")),
    ("rectified", _p("finding state", "Put right, to be verified")),
    ("verified", _p("finding state", "Verified")),
    ("explained", _p("finding state", "Explained")),
    ("gone", _p("finding state", "No longer found")),
]
OPEN = ("open", "assigned", "rectified")
"""States in which a finding still waits for somebody."""


class Finding(FSMModelMixin, models.Model):
    """What a standing query has found about one subject; one row for as long as the county keeps its books.

    `path` is the office that puts it right, `place` where it happened. What the sentence says is `said`; names of
    people are not kept here.
    """

    query = models.CharField(max_length=4)
    """A1 … A15."""
    code = models.CharField(max_length=30)
    """Which of the query's sentences."""
    subject = models.CharField(max_length=160)
    state = FSMField(_("state"), max_length=10, default="open", protected=True, choices=STATES)
    path = models.CharField(max_length=255)
    place = models.CharField(max_length=255)
    about = models.CharField(max_length=12)
    """line, award, batch, notice, account, school, person or programme."""
    about_id = models.BigIntegerField()
    student = models.ForeignKey("people.Student", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    case = models.ForeignKey("workflows.Case", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    batch = models.ForeignKey(
        "disbursement.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    """Yuan concerned."""
    said = models.JSONField(default=dict)
    """The values of the sentence."""
    first_seen = models.DateField()
    last_seen = models.DateField()
    gone_on = models.DateField(null=True)
    """Since when it is no longer found."""
    times = models.PositiveSmallIntegerField(default=1)
    """How often it has been opened."""
    due_on = models.DateField(_("due on"), null=True)
    answer = models.TextField(blank=True)
    """What the office did."""
    rectified_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    rectified_person = models.UUIDField(null=True, editable=False)
    verified_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    verified_person = models.UUIDField(null=True, editable=False)
    reason = models.TextField(blank=True)
    """Why it was sent back, or is no violation."""

    class Meta:
        verbose_name = _("audit finding")
        verbose_name_plural = _("audit findings")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["query", "subject"], name="one_finding_per_subject"),
            models.CheckConstraint(
                condition=~Q(state="verified")
                | Q(rectified_person__isnull=False, verified_person__isnull=False)
                & ~Q(verified_person=F("rectified_person")),
                name="finding_verified_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["assigned", "rectified"]) | Q(due_on__isnull=False), name="assigned_has_a_day"
            ),
            models.CheckConstraint(condition=~Q(state="rectified") | ~Q(answer=""), name="rectified_says_what"),
            models.CheckConstraint(condition=~Q(state="explained") | ~Q(reason=""), name="explained_says_why"),
            models.CheckConstraint(condition=~Q(state="gone") | Q(gone_on__isnull=False), name="gone_has_a_day"),
        ]
        indexes = [
            models.Index(
                fields=["path", "query", "id"],
                name="finding_open",
                opclasses=["varchar_pattern_ops", "varchar_ops", "int8_ops"],
                condition=Q(state__in=OPEN),
            ),
            models.Index(fields=["query", "id"], name="finding_query"),
        ]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @transition("state", "open", "assigned", permission=VERIFIES)
    def assign(self) -> None:
        """交办整改: its office is to put it right by a day."""

    @transition("state", "assigned", "rectified", permission=RECTIFIES)
    def rectify(self) -> None:
        """整改: the office says what it did."""

    @transition("state", "rectified", "verified", permission=VERIFIES)
    def verify(self) -> None:
        """销号, by another natural person than who put it right."""

    @transition("state", "rectified", "assigned", permission=VERIFIES)
    def send_back(self) -> None:
        """退回整改."""

    @transition("state", ["open", "assigned", "rectified"], "explained", permission=VERIFIES)
    def explain(self) -> None:
        """No violation, for a reason."""

    @transition("state", ["open", "assigned"], "gone", permission="system")
    def vanish(self) -> None:
        """It is no longer found."""

    @transition("state", ["gone", "verified", "explained"], "open", permission="system")
    def reopen(self) -> None:
        """It is found again, or says something else than what was verified."""


class AuditRun(models.Model):
    """All queries asked once: a query a piece, in the background. `tally` has those that are done."""

    state = models.CharField(max_length=8, default="waiting")
    asked_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    tally = models.JSONField(default=dict)
    """{query: {"found", "new", "again", "gone", "ms"} or {"failed": true}}."""

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="waiting"), name="one_waiting_audit"),
            models.CheckConstraint(condition=Q(state__in=["waiting", "done"]), name="audit_run_state_known"),
        ]


REASONS = [
    ("not_applying", _p("reason without aid", "Does not apply")),
    ("gave_up", _p("reason without aid", "Gave the aid up")),
    ("not_here", _p("reason without aid", "Not enrolled here in this term")),
    ("other_place", _p("reason without aid", "Aided in another province or county")),
    ("left", _p("reason without aid", "Left school or graduated")),
    ("not_eligible", _p("reason without aid", "Meets the conditions of no programme")),
    ("other", _p("reason without aid", "Other")),
]


class CoverageReason(models.Model):
    """Why a pupil on a register has no aid in a term, as the school or the county recorded it. Replaced, not edited."""

    student = models.ForeignKey("people.Student", on_delete=models.PROTECT, related_name="+")
    term = models.CharField(max_length=12)
    path = models.CharField(max_length=255)
    code = models.CharField(_("reason"), max_length=14, choices=REASONS)
    text = models.CharField(_("in words"), max_length=1000)
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["student", "term"], condition=Q(ended_at=None), name="one_reason_per_pupil_and_term"
            ),
            models.CheckConstraint(condition=Q(code__in=[code for code, _name in REASONS]), name="reason_known"),
            models.CheckConstraint(condition=~Q(text=""), name="coverage_reason_in_words"),
        ]
