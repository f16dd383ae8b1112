"""追回: money asked back for a payment that should not have been made, and the receipts of it (DOMAIN.md §3.5)."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition

RECOVERY_STATES = [
    ("opened", _p("recovery state", "Opened")),
    ("noticed", _p("recovery state", "Guardian asked")),
    ("partly_recovered", _p("recovery state", "Partly recovered")),
    ("recovered", _p("recovery state", "Recovered")),
    ("to_write_off", _p("recovery state", "Write-off to be confirmed")),
    ("written_off", _p("recovery state", "Written off")),
    ("referred", _p("recovery state", "Handed over")),
    ("withdrawn", _p("recovery state", "Withdrawn")),
]
CAUSES = [
    ("dropout", _p("cause of a recovery", "Paid after the pupil left school")),
    ("transfer", _p("cause of a recovery", "Paid after the pupil changed schools")),
    ("death", _p("cause of a recovery", "Paid after the pupil died")),
    ("duplicate", _p("cause of a recovery", "Paid twice")),
    ("wrong_rate", _p("cause of a recovery", "Paid at a wrong rate")),
    ("false_information", _p("cause of a recovery", "Obtained by false information")),
    ("after_end", _p("cause of a recovery", "Arrived after the award had ended")),
]
WAITING = ["opened", "noticed", "partly_recovered", "to_write_off", "referred"]
"""States in which money may still come."""
RECEIVING = ["noticed", "partly_recovered", "referred"]
OPENS, CONFIRMS = "open_recovery", "confirm_write_off"


class RepaymentAccount(models.Model):
    """The account of the treasury to which a county has money paid back; an office's own, shown in full on notices."""

    path = models.CharField(max_length=255, unique=True)
    holder = models.CharField(_("account holder"), max_length=80)
    bank = models.CharField(_("bank"), max_length=80)
    account_no = models.CharField(_("account number"), max_length=40)
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()


class RecoveryCase(FSMModelMixin, models.Model):
    """So much of one paid line is asked back, for a reason. All cases of a line together ask for no more than was paid,
    which a trigger holds; `recovered` is kept by the trigger on receipts.
    """

    line = models.ForeignKey("disbursement.PaymentLine", on_delete=models.PROTECT, related_name="recoveries")
    path = models.CharField(max_length=255)
    state = FSMField(_("state"), max_length=16, default="opened", protected=True, choices=RECOVERY_STATES)
    cause = models.CharField(max_length=20, choices=CAUSES)
    words = models.TextField()
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    recovered = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal("0.00"))
    difference = models.OneToOneField("awards.AwardDifference", null=True, on_delete=models.PROTECT, related_name="+")
    """The difference of a rate or an end that it takes up."""
    opened_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    noticed_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    account_holder = models.CharField(max_length=80, blank=True)
    account_bank = models.CharField(max_length=80, blank=True)
    account_no = models.CharField(max_length=40, blank=True)
    """Where the notice asked to pay, as it was then."""
    proposed_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    proposed_person = models.UUIDField(null=True, editable=False)
    confirmed_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_person = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True)
    """When it was written off or handed over."""
    reason = models.TextField(blank=True)
    """Why it is written off, handed over or withdrawn."""

    class Meta:
        verbose_name = _("recovery")
        verbose_name_plural = _("recoveries")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="recovery_amount_positive"),
            models.CheckConstraint(
                condition=Q(recovered__gte=0) & Q(recovered__lte=F("amount")), name="recovered_at_most_asked"
            ),
            models.CheckConstraint(
                condition=~Q(state="recovered") | Q(recovered=F("amount")), name="recovered_is_all_of_it"
            ),
            models.CheckConstraint(
                condition=~Q(state="written_off")
                | Q(proposed_person__isnull=False, confirmed_person__isnull=False)
                & ~Q(proposed_person=F("confirmed_person")),
                name="write_off_has_two_persons",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | Q(recovered=Decimal(0)), name="withdrawn_without_receipts"
            ),
        ]
        indexes = [
            models.Index(
                fields=["path"],
                opclasses=["varchar_pattern_ops"],
                name="recovery_waiting",
                condition=Q(state__in=WAITING),
            ),
        ]

    @property
    def left(self) -> Decimal:
        """Yuan still asked for."""
        return self.amount - self.recovered

    @transition("state", "opened", "noticed", permission=OPENS)
    def notice(self) -> None:
        """通知: the guardian is asked in writing."""

    @transition("state", RECEIVING, "partly_recovered", permission=OPENS)
    def receive_part(self) -> None:
        """部分缴回."""

    @transition("state", RECEIVING, "recovered", permission=OPENS)
    def receive_all(self) -> None:
        """全部缴回."""

    @transition("state", RECEIVING, "to_write_off", permission=OPENS)
    def propose_write_off(self) -> None:
        """提请核销."""

    @transition("state", "to_write_off", "written_off", permission=CONFIRMS)
    def write_off(self) -> None:
        """核销, by the county's leader."""

    @transition("state", "to_write_off", "noticed", permission=CONFIRMS)
    def decline_write_off(self) -> None:
        """不予核销: the guardian is asked on."""

    @transition("state", "to_write_off", "partly_recovered", permission=CONFIRMS)
    def decline_write_off_of_rest(self) -> None:
        """不予核销, where a part has come already."""

    @transition("state", ["noticed", "partly_recovered"], "referred", permission=OPENS)
    def refer(self) -> None:
        """移送: refused, and handed over to discipline inspection or the courts."""

    @transition("state", ["opened", "noticed"], "withdrawn", permission=OPENS)
    def withdraw(self) -> None:
        """撤销: opened by mistake."""


class RecoveryReceipt(models.Model):
    """缴款凭证: money that came into the treasury's account for a case, and its negative line. Append-only."""

    case = models.ForeignKey(RecoveryCase, on_delete=models.PROTECT, related_name="receipts")
    path = models.CharField(max_length=255)
    """The batch's office, among whose receipts a number is used once."""
    number = models.CharField(max_length=60)
    dated = models.DateField()
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    line = models.OneToOneField("disbursement.PaymentLine", on_delete=models.PROTECT, related_name="receipt")
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["path", "number"], name="receipt_number_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="receipt_amount_positive"),
        ]
