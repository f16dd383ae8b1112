"""Batches of payment lines, and the files that go to the bank and come back (DOMAIN.md §3.5)."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import GET_STATE, FSMField, FSMModelMixin, transition

from approvals.disbursement.funds.models import (  # noqa: F401
    Adjustment,
    Allotment,
    Balance,
    LedgerEntry,
    Posting,
    SplitRule,
)
from approvals.disbursement.receipts.models import Acknowledgement  # noqa: F401
from approvals.disbursement.recovery.models import RecoveryCase, RecoveryReceipt, RepaymentAccount  # noqa: F401
from approvals.people.fields import EncryptedFileField, EncryptedTextField
from workflows.conditions import Condition

BATCH_STATES = [
    ("draft", _p("batch state", "Being prepared")),
    ("submitted", _p("batch state", "Waiting for the check")),
    ("reviewed", _p("batch state", "Checked")),
    ("approved", _p("batch state", "Approved")),
    ("finance_review", _p("batch state", "At the treasury")),
    ("allotted", _p("batch state", "Allotted")),
    ("sent_to_bank", _p("batch state", "Sent to the bank")),
    ("partially_paid", _p("batch state", "Partly paid")),
    ("paid", _p("batch state", "Paid")),
    ("reconciled", _p("batch state", "Reconciled")),
    ("closed", _p("batch state", "Closed")),
    ("audit_held", _p("batch state", "Stopped by the auditor")),
    ("cancelled", _p("batch state", "Cancelled")),
]
LINE_STATES = [
    ("included", _p("line state", "In the batch")),
    ("held", _p("line state", "Held back")),
    ("sent", _p("line state", "Sent to the bank")),
    ("paid", _p("line state", "Paid")),
    ("failed", _p("line state", "Failed")),
    ("bounced", _p("line state", "Bounced")),
    ("account_fix", _p("line state", "Account being corrected")),
    ("reissued", _p("line state", "Reissued")),
    ("cancelled", _p("line state", "Cancelled")),
    ("acknowledged", _p("line state", "Receipt confirmed")),
    ("recovered", _p("line state", "Recovered")),
]
TRANSFER = "bank_transfer"
SETTLEMENT = "fee_waiver_settlement"
PURPOSE = "aid"
RECOVERY = "recovery"
"""Purpose of the negative lines that stand for money paid back."""
OCCUPYING = ["included", "held", "sent", "paid", "acknowledged"]
"""States in which a line stands for the money of its person, programme, term and purpose."""
SETTLED = ["paid", "acknowledged", "recovered", "reissued", "cancelled"]
"""States of a line for which nothing more is to be done in its batch."""
BEFORE_PAID = ["draft", "submitted", "reviewed", "finance_review", "allotted", "sent_to_bank", "partially_paid"]
"""States in which the auditor may stop a batch (财政违法行为处罚处分条例 Art. 24)."""
FUNDED = ["allotted", "sent_to_bank", "partially_paid", "paid", "reconciled", "closed"]
"""States for which the treasury has given the money."""
PERSONS = ("maker", "checker", "approver", "treasury")
HAS_LINES = Condition("empty_batch", _("The batch has no lines."), lambda: Q(lines__state="included"))


class Batch(FSMModelMixin, models.Model):
    """Lines of one programme and term, paid together; maker, checker, approver and treasury are four persons."""

    state = FSMField(_("state"), max_length=16, default="draft", protected=True, choices=BATCH_STATES)
    number = models.CharField(_("batch number"), max_length=30, unique=True)
    programme = models.ForeignKey("programmes.Programme", on_delete=models.PROTECT, related_name="+")
    term = models.CharField(max_length=12)
    kind = models.CharField(max_length=24)
    path = models.CharField(max_length=255)
    maker = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    approver = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    treasury = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    maker_person = models.UUIDField(editable=False)
    checker_person = models.UUIDField(null=True, editable=False)
    approver_person = models.UUIDField(null=True, editable=False)
    treasury_person = models.UUIDField(null=True, editable=False)
    """The natural persons behind the four accounts: one person may have two."""
    line_count = models.PositiveIntegerField(default=0)
    total = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    committed_at = models.DateTimeField(null=True)
    """Since when the ledger holds money for it: not before its approval, never for batches older than the ledger."""
    treasury_document = models.CharField(max_length=60, blank=True)
    treasury_date = models.DateField(null=True)
    bank_total = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    """What the bank says it paid, as reconciled."""
    held_from = models.CharField(max_length=16, blank=True, editable=False)
    """The state to which a stopped batch goes back."""

    class Meta:
        verbose_name = _("disbursement batch")
        verbose_name_plural = _("disbursement batches")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=(Q(checker_person=None) | ~Q(checker_person=F("maker_person")))
                & (
                    Q(approver_person=None)
                    | (~Q(approver_person=F("maker_person")) & ~Q(approver_person=F("checker_person")))
                )
                & (
                    Q(treasury_person=None)
                    | (
                        ~Q(treasury_person=F("maker_person"))
                        & ~Q(treasury_person=F("checker_person"))
                        & ~Q(treasury_person=F("approver_person"))
                    )
                ),
                name="four_natural_persons",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "finance_review", *FUNDED])
                | Q(checker_person__isnull=False, approver_person__isnull=False),
                name="approved_batch_has_three_persons",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=FUNDED)
                | Q(treasury_person__isnull=False, treasury_date__isnull=False) & ~Q(treasury_document="")
                | Q(committed_at=None) & ~Q(state="allotted"),
                name="funded_batch_has_treasury",
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keeps the natural persons in step with the accounts."""
        for role in PERSONS:
            user = getattr(self, role)
            setattr(self, f"{role}_person", user.person if user else None)
        super().save(*args, **kwargs)

    @transition("state", "draft", "submitted", conditions=[HAS_LINES], permission="make_batch")
    def submit(self) -> None:
        """送复核: count and total are frozen."""

    @transition("state", "submitted", "reviewed", permission="check_batch")
    def check_lines(self) -> None:
        """复核."""

    @transition("state", "reviewed", "approved", permission="approve_batch")
    def approve(self) -> None:
        """审批."""

    @transition("state", "submitted", "draft", permission="check_batch")
    def return_to_maker(self) -> None:
        """复核退回."""

    @transition("state", "reviewed", "draft", permission="approve_batch")
    def return_from_approval(self) -> None:
        """审批退回."""

    @transition("state", "approved", "finance_review", permission="approve_batch")
    def report(self) -> None:
        """报财政: follows the approval at once."""

    @transition("state", ["finance_review", "allotted"], "draft", permission="allot_batch")
    def return_from_treasury(self) -> None:
        """财政退回: what was committed for it is released."""

    @transition("state", "finance_review", "allotted", permission="allot_batch")
    def allot(self) -> None:
        """拨付, under a treasury document."""

    @transition("state", "allotted", "sent_to_bank", permission="make_batch")
    def send(self) -> None:
        """报盘."""

    @transition("state", ["sent_to_bank", "partially_paid", "paid"], "partially_paid", permission="make_batch")
    def answer_partly(self) -> None:
        """回盘: some lines failed, or money that had arrived came back."""

    @transition("state", ["sent_to_bank", "partially_paid"], "paid", permission="make_batch")
    def answer_fully(self) -> None:
        """回盘: every line is paid, or was reissued and paid."""

    @transition("state", "allotted", "paid", permission="make_batch")
    def settle(self) -> None:
        """A waiver is settled with the school: no bank transfer to a person."""

    @transition("state", ["partially_paid", "paid"], "reconciled", permission="reconcile_batch")
    def reconcile(self) -> None:
        """对账: the bank's total is that of the paid lines."""

    @transition("state", "reconciled", "closed", permission="reconcile_batch")
    def close(self) -> None:
        """办结: no line waits for anything."""

    @transition("state", BEFORE_PAID, "audit_held", permission="hold_batch")
    def hold(self) -> None:
        """审计暂停."""

    @transition(
        "state", "audit_held", GET_STATE(lambda batch: batch.held_from, states=BEFORE_PAID), permission="hold_batch"
    )
    def release_hold(self) -> None:
        """解除暂停: back to where it was."""

    @transition("state", "draft", "cancelled", permission="make_batch")
    def cancel(self) -> None:
        """作废, never once it was sent."""


class PaymentLine(FSMModelMixin, models.Model):
    """One term's money of one award. Payee and rate are as they were when the line was made; never edited."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    award = models.ForeignKey("awards.Award", on_delete=models.PROTECT, related_name="lines")
    case = models.ForeignKey("workflows.Case", on_delete=models.PROTECT, related_name="+")
    student = models.ForeignKey("people.Student", on_delete=models.PROTECT, related_name="+")
    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    programme = models.CharField(max_length=60)
    term = models.CharField(max_length=12)
    purpose = models.CharField(max_length=30, default="aid")
    kind = models.CharField(max_length=24)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    rate = models.ForeignKey("programmes.Rate", null=True, on_delete=models.PROTECT, related_name="+")
    payee = models.CharField(max_length=80)
    bank = models.CharField(max_length=60, blank=True)
    account_no = EncryptedTextField(null=True)
    account_hash = models.BinaryField(max_length=32, null=True)
    account_tail = models.CharField(max_length=4, blank=True)
    state = FSMField(_("state"), max_length=12, default="included", protected=True, choices=LINE_STATES)
    bank_code = models.CharField(max_length=20, blank=True)
    bank_message = models.CharField(max_length=200, blank=True)
    paid_on = models.DateField(null=True)
    bounced_on = models.DateField(null=True)
    answered_in = models.ForeignKey("BankFile", null=True, on_delete=models.PROTECT, related_name="answered")
    """The answer that said last what became of it."""
    paid_after_end = models.BooleanField(default=False, db_default=False)
    """The award was no longer active when the bank's answer was booked: the money is asked back."""
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replacement")
    recovers = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="paid_back")
    """Of a recovery: the paid line, which itself is never edited."""

    class Meta:
        verbose_name = _("payment line")
        verbose_name_plural = _("payment lines")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["student", "programme", "term", "purpose"],
                condition=Q(state__in=OCCUPYING),
                name="nothing_paid_twice",
            ),
            models.UniqueConstraint(fields=["batch", "number"], name="one_payment_line_per_number"),
            models.CheckConstraint(
                condition=(~Q(purpose=RECOVERY) & Q(amount__gt=0, recovers=None))
                | (Q(purpose=RECOVERY) & Q(amount__lt=0, recovers__isnull=False)),
                name="line_amount_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "batch"], name="line_state"),
            models.Index(fields=["account_hash"], name="line_account", condition=Q(account_hash__isnull=False)),
            models.Index(fields=["path"], name="line_paid_after_end", condition=Q(paid_after_end=True)),
        ]

    @transition("state", "included", "sent", permission="make_batch")
    def send(self) -> None:
        """已报盘."""

    @transition("state", ["sent", "included"], "paid", permission="make_batch")
    def pay(self) -> None:
        """已到账; straight from the batch for a settlement with the school."""

    @transition("state", "paid", "acknowledged", permission="confirm_receipt")
    def acknowledge(self) -> None:
        """已签收: the pupil or a guardian says that the money is there."""

    @transition("state", "sent", "failed", permission="make_batch")
    def fail(self) -> None:
        """发放失败."""

    @transition("state", ["sent", "paid", "acknowledged"], "bounced", permission="make_batch")
    def bounce(self) -> None:
        """退汇: the bank took it, and it came back."""

    @transition("state", ["failed", "bounced"], "account_fix", permission="approve_account")
    def fix_account(self) -> None:
        """The school has supplied another account, and a second person confirmed it."""

    @transition("state", ["failed", "account_fix"], "reissued", permission="make_batch")
    def reissue(self) -> None:
        """已补发: a new line takes its place."""

    @transition("state", "reissued", "account_fix", permission="make_batch")
    def reopen(self) -> None:
        """The batch that was to replace it was cancelled: it waits for another."""

    @transition("state", "included", "held", permission="make_batch")
    def hold(self) -> None:
        """暂缓: stays in the batch and is not paid with it."""

    @transition("state", "held", "included", permission="make_batch")
    def let_go(self) -> None:
        """解除暂缓."""

    @transition("state", ["failed", "bounced", "account_fix"], "cancelled", permission="make_batch")
    def give_up(self) -> None:
        """不再补发: its money is free again."""

    @transition("state", ["included", "held"], "cancelled", permission="make_batch")
    def cancel(self) -> None:
        """已取消."""


class BankFile(models.Model):
    """A file sent to the bank or received from it; the same bytes are never taken twice."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="files")
    direction = models.CharField(max_length=3)
    """out or in."""
    profile = models.CharField(max_length=40)
    """The bank's, as it was chosen when the batch was sent."""
    filename = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    content = EncryptedFileField()
    count = models.PositiveIntegerField()
    total = models.DecimalField(max_digits=14, decimal_places=2)
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["batch", "direction", "sha256"], name="same_bank_file_once"),
            models.UniqueConstraint(fields=["batch"], condition=Q(direction="out"), name="one_file_out_per_batch"),
        ]


CORRECTION_STATES = [
    ("waiting", _p("correction state", "Waiting for a second person")),
    ("confirmed", _p("correction state", "Confirmed")),
    ("refused", _p("correction state", "Refused")),
    ("withdrawn", _p("correction state", "Taken back")),
]


class AccountCorrection(FSMModelMixin, models.Model):
    """账户更正: another account that a school proposes for a payment that did not arrive; a second person confirms it.

    Whoever entered or confirmed an account neither checks nor approves a batch that pays to it (DOMAIN.md §2.8).
    """

    line = models.ForeignKey(PaymentLine, on_delete=models.PROTECT, related_name="corrections")
    path = models.CharField(max_length=255)
    state = FSMField(_("state"), max_length=12, default="waiting", protected=True, choices=CORRECTION_STATES)
    account_no = EncryptedTextField()
    account_hash = models.BinaryField(max_length=32)
    account_tail = models.CharField(max_length=4)
    account_kind = models.CharField(max_length=24)
    holder_name = models.CharField(max_length=50)
    bank = models.CharField(max_length=60)
    proposed_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    proposed_person = models.UUIDField(editable=False)
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_person = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    """Why it was refused."""

    class Meta:
        verbose_name = _("account correction")
        verbose_name_plural = _("account corrections")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["line"], condition=Q(state="waiting"), name="one_correction_waits_per_line"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "refused"])
                | (Q(decided_person__isnull=False) & ~Q(decided_person=F("proposed_person"))),
                name="correction_has_two_persons",
            ),
        ]
        indexes = [
            models.Index(
                fields=["path"],
                opclasses=["varchar_pattern_ops"],
                name="correction_waiting",
                condition=Q(state="waiting"),
            ),
        ]

    @transition("state", "waiting", "confirmed", permission="approve_account")
    def confirm(self) -> None:
        """确认."""

    @transition("state", "waiting", "refused", permission="approve_account")
    def refuse(self) -> None:
        """不予确认."""

    @transition("state", "waiting", "withdrawn", permission="fix_account")
    def withdraw(self) -> None:
        """撤回."""
