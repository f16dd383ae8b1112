"""The entitlement that an approved application becomes; it lives across terms (DOMAIN.md §3.2)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition

STATES = [
    ("pending", _p("award state", "Not yet effective")),
    ("active", _p("award state", "Active")),
    ("suspended", _p("award state", "Suspended")),
    ("terminated", _p("award state", "Terminated")),
    ("completed", _p("award state", "Completed")),
]


class Award(FSMModelMixin, models.Model):
    """A person's entitlement from one programme for a school year, with the basis it was granted on."""

    case = models.OneToOneField("workflows.Case", on_delete=models.PROTECT, related_name="award")
    student = models.ForeignKey("people.Student", on_delete=models.PROTECT, related_name="awards")
    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    version = models.ForeignKey("programmes.ProgrammeVersion", on_delete=models.PROTECT, related_name="+")
    programme = models.CharField(max_length=60)
    group = models.CharField(max_length=60)
    school_year = models.CharField(max_length=9)
    kind = models.CharField(max_length=24)
    """Disbursement kind: bank_transfer, fee_waiver_settlement."""
    state = FSMField(_("state"), max_length=16, default="pending", protected=True, choices=STATES)
    basis = models.JSONField(default=dict)
    """Level, groups, stage and tier as they were when it was granted."""
    granted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["student", "group", "school_year"],
                condition=Q(state__in=["pending", "active", "suspended"]),
                name="one_live_award",
            )
        ]
        indexes = [
            models.Index(fields=["programme", "school", "state"], name="award_school"),
            models.Index(fields=["path"], name="award_path", opclasses=["varchar_pattern_ops"]),
        ]

    @transition("state", "pending", "active", permission="system")
    def activate(self) -> None:
        """生效: the term has started."""

    @transition("state", ["pending", "active"], "suspended", permission="suspend_award")
    def suspend(self) -> None:
        """暂停."""

    @transition("state", "suspended", "active", permission="suspend_award")
    def resume(self) -> None:
        """恢复."""

    @transition("state", "active", "completed", permission="system")
    def complete(self) -> None:
        """完成."""


class AwardTerm(models.Model):
    """What an award gives in one term, and by which rate."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="terms")
    term = models.CharField(max_length=12)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    rate = models.ForeignKey("programmes.Rate", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["award", "term"], name="one_amount_per_award_and_term")]
        indexes = [models.Index(fields=["term"], name="award_term")]
