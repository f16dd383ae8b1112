"""The entitlement that an approved application becomes; it lives across terms (DOMAIN.md §3.2)."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition

from approvals.awards.reasons import EVENTS, KINDS

STATES = [
    ("pending", _p("award state", "Not yet effective")),
    ("active", _p("award state", "Active")),
    ("suspended", _p("award state", "Suspended")),
    ("transferred_out", _p("award state", "Transferred out")),
    ("terminated", _p("award state", "Terminated")),
    ("completed", _p("award state", "Completed")),
]
LIVE = ("pending", "active", "suspended")
"""States in which there is still something to come of an award."""
HOLDS = [
    ("", _p("hold of a term", "Payable")),
    ("proof", _p("hold of a term", "Waits for the yearly proof")),
    ("missed", _p("hold of a term", "Not paid afterwards")),
    ("ended", _p("hold of a term", "After the end")),
]
"""Why a term of an award is not paid, whatever the state of the award."""


class Award(FSMModelMixin, models.Model):
    """A person's entitlement from one programme, for a school year or a stage, with the basis it was granted on."""

    case = models.OneToOneField("workflows.Case", on_delete=models.PROTECT, related_name="award")
    student = models.ForeignKey("people.Student", on_delete=models.PROTECT, related_name="awards")
    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    version = models.ForeignKey("programmes.ProgrammeVersion", on_delete=models.PROTECT, related_name="+")
    programme = models.CharField(max_length=60)
    group = models.CharField(max_length=60)
    school_year = models.CharField(max_length=9)
    """The one for which it was granted; an award for a stage goes on after it."""
    span = models.CharField(max_length=9)
    """For how long it excludes others of its group: a school year, a stage, or `life`."""
    taken = models.BooleanField(default=True)
    """Whether it still excludes them: not any more once it ended before its time, unless it is once for all and money
    was paid."""
    lasting = models.BooleanField(default=False)
    """Goes on over school years until `ends_on`."""
    ends_on = models.DateField()
    """The last day it is for, if nothing ends it before."""
    kind = models.CharField(max_length=24)
    """Disbursement kind: bank_transfer, fee_waiver_settlement."""
    state = FSMField(_("state"), max_length=16, default="pending", protected=True, choices=STATES)
    stopped_for = models.CharField(max_length=20, blank=True)
    """Reason code of the suspension or the end."""
    stops_on = models.DateField(null=True)
    """The day from which nothing is paid; null while nothing stops it."""
    audit_held = models.BooleanField(default=False)
    """Held by the audit (审计暂停): nobody else can resume it."""
    basis = models.JSONField(default=dict)
    """Level, groups, stage and tier as they were when it was granted."""
    granted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["student", "group", "span"], condition=Q(taken=True), name="one_award_per_span"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "active", "completed"], stops_on=None)
                | Q(state="suspended")
                | Q(state__in=["transferred_out", "terminated"], stops_on__isnull=False),
                name="ended_award_has_a_day",
            ),
            models.CheckConstraint(condition=Q(audit_held=False) | ~Q(state__in=["pending", "active", "completed"]),
                                   name="held_award_is_stopped"),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["programme", "school", "state"], name="award_school"),
            models.Index(fields=["path"], name="award_path", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["ends_on"], name="award_ending", condition=Q(state__in=["active", "suspended"])),
        ]

    @transition("state", "pending", "active", permission="system")
    def activate(self) -> None:
        """生效: the term has started."""

    @transition("state", ["pending", "active"], "suspended", permission="confirm_award")
    def suspend(self) -> None:
        """暂停."""

    @transition("state", "suspended", "active", permission="confirm_award")
    def resume(self) -> None:
        """恢复."""

    @transition("state", ["pending", "active"], "suspended", permission="hold_award")
    def hold(self) -> None:
        """审计暂停."""

    @transition("state", "suspended", "active", permission="hold_award")
    def release(self) -> None:
        """解除审计暂停: nothing else stops it."""

    @transition("state", ["pending", "active", "suspended"], "transferred_out", permission="confirm_award")
    def transfer_out(self) -> None:
        """转出 to a school outside the county."""

    @transition("state", ["pending", "active", "suspended"], "terminated", permission="second_award")
    def terminate(self) -> None:
        """终止, by two persons of the county."""

    @transition("state", "active", "completed", permission="system")
    def complete(self) -> None:
        """完成: its time is over and every term is paid."""


class AwardTerm(models.Model):
    """What an award gives in one term, and by which rate."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="terms")
    term = models.CharField(max_length=12)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    rate = models.ForeignKey("programmes.Rate", null=True, on_delete=models.PROTECT, related_name="+")
    hold = models.CharField(max_length=8, blank=True, choices=HOLDS)
    """Why this term is not paid; empty: it is, while the award is active."""

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["award", "term"], name="one_amount_per_award_and_term")]
        indexes = [models.Index(fields=["term"], name="award_term")]


class AwardInstalment(models.Model):
    """One part of a sum that is paid over years (代偿): its term is payable once the year's proof is confirmed."""

    term = models.OneToOneField(AwardTerm, on_delete=models.PROTECT, related_name="instalment")
    number = models.PositiveSmallIntegerField()
    proof = models.CharField(_("proof"), max_length=1000, blank=True)
    """What was shown: the employer's certificate of the year in post, its number and date."""
    recorded_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    recorded_person = models.UUIDField(null=True, editable=False)
    recorded_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_person = models.UUIDField(null=True, editable=False)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_person=None)
                | (Q(recorded_person__isnull=False) & ~Q(confirmed_person=F("recorded_person"))),
                name="proof_confirmed_by_another",
            )
        ]


class AwardDifference(models.Model):
    """What is still owed for a term whose money has left, or was paid too much: never an edit of what was paid.

    Positive: to be paid by a line of purpose `difference`. Negative: to be recovered.
    """

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="differences")
    term = models.CharField(max_length=12)
    cause = models.CharField(max_length=8, choices=[
        ("rate", _p("cause of a difference", "The rate was corrected")),
        ("ended", _p("cause of a difference", "Paid for a term after the end")),
    ])  # fmt: skip
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    """Yuan, with its sign."""
    rate = models.ForeignKey("programmes.Rate", null=True, on_delete=models.PROTECT, related_name="+")
    """The corrected rate; of an end, none."""
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    """When it was paid, or a recovery was opened for it."""

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["award", "term", "cause"], condition=Q(settled_at=None), name="one_open_difference"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="difference_is_some"),
        ]


class EventList(models.Model):
    """A school's list of changes of enrolment: read at once, looked at, then taken over or thrown away."""

    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField(null=True)
    """The file, encrypted, until it is taken over or thrown away."""
    state = models.CharField(max_length=10, default="previewed", choices=[
        ("previewed", _p("list state", "To be confirmed")),
        ("loaded", _p("list state", "Taken over")),
        ("discarded", _p("list state", "Thrown away")),
    ])  # fmt: skip
    rows = models.PositiveIntegerField(default=0)
    valid = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    """{event: valid rows}."""
    problems = models.JSONField(default=list)
    """[{"row", "column", "message": {language: sentence}}] of the first refused rows; no cell values but words."""
    recorded = models.PositiveIntegerField(default=0)
    """Changes that were new when it was taken over."""
    proposals = models.PositiveIntegerField(default=0)
    uploaded_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["school", "sha256"], condition=Q(state="loaded"), name="one_event_list_per_file"
            )
        ]
        indexes = [models.Index(fields=["path"], name="event_list_path", opclasses=["varchar_pattern_ops"])]


class EnrolmentEvent(models.Model):
    """学籍变动: what changed in a pupil's enrolment, and on which day; recorded once."""

    student = models.ForeignKey("people.Student", on_delete=models.PROTECT, related_name="enrolment_events")
    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    """Where the pupil was on that day."""
    path = models.CharField(max_length=255)
    kind = models.CharField(_("change"), max_length=10, choices=EVENTS)
    on = models.DateField(_("day"))
    to_school = models.ForeignKey("organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    """Of a change of school, the new one in the county."""
    to_place = models.CharField(max_length=80, blank=True)
    """The new school outside the county."""
    remark = models.CharField(max_length=300, blank=True)
    list = models.ForeignKey(EventList, null=True, on_delete=models.PROTECT, related_name="events")
    recorded_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("change of enrolment")
        verbose_name_plural = _("changes of enrolment")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["student", "kind", "on"], name="one_event_per_pupil_kind_and_day"),
            models.CheckConstraint(
                condition=Q(kind="transfer") | Q(to_school=None, to_place=""), name="only_a_transfer_goes_somewhere"
            ),
        ]
        indexes = [models.Index(fields=["path"], name="event_path", opclasses=["varchar_pattern_ops"])]


PROPOSAL_STATES = [
    ("waiting", _p("award proposal state", "Waiting for the county")),
    ("to_second", _p("award proposal state", "Waiting for the second person")),
    ("to_accept", _p("award proposal state", "Waiting for the new school")),
    ("confirmed", _p("award proposal state", "Confirmed")),
    ("declined", _p("award proposal state", "Declined")),
    ("withdrawn", _p("award proposal state", "Taken back")),
    ("lapsed", _p("award proposal state", "Overtaken by another change")),
]
OPEN = ("waiting", "to_second", "to_accept")
"""States in which a proposal waits for somebody."""


class AwardProposal(FSMModelMixin, models.Model):
    """What is proposed of an award. It takes effect when the county's reviewer confirms it; an end needs a second
    person there, a transfer within the county the new school. All of them are different natural persons.
    """

    state = FSMField(_("state"), max_length=10, default="waiting", protected=True, choices=PROPOSAL_STATES)
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="proposals")
    path = models.CharField(max_length=255)
    """Of the office whose act it waits for is at or above: the school's, and of a transfer the new school's."""
    kind = models.CharField(_("change"), max_length=10, choices=KINDS)
    reason_code = models.CharField(max_length=20)
    reason_text = models.CharField(max_length=1000, blank=True)
    effective_on = models.DateField(_("effective on"))
    event = models.ForeignKey(EnrolmentEvent, null=True, on_delete=models.PROTECT, related_name="proposals")
    from_school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    to_school = models.ForeignKey("organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    to_place = models.CharField(max_length=80, blank=True)
    by_county = models.BooleanField(default=False)
    """Proposed by the county's reviewer, whose proposal is the first of the two hands of an end."""
    proposed_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    proposed_person = models.UUIDField(editable=False)
    proposed_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    """After this day the award is suspended by itself; null where nothing is suspended for it."""
    applied_on = models.DateField(null=True)
    """When it was."""
    first_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    first_person = models.UUIDField(null=True, editable=False)
    first_at = models.DateTimeField(null=True)
    second_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    second_person = models.UUIDField(null=True, editable=False)
    second_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=1000, blank=True)
    """Why it was declined."""

    class Meta:
        verbose_name = _("proposal about an award")
        verbose_name_plural = _("proposals about awards")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["award"], condition=Q(state__in=OPEN), name="one_open_proposal_per_award"),
            models.CheckConstraint(
                condition=(Q(first_person=None) | Q(by_county=True) | ~Q(first_person=F("proposed_person")))
                & (
                    Q(second_person=None)
                    | (~Q(second_person=F("first_person")) & ~Q(second_person=F("proposed_person")))
                ),
                name="award_proposal_persons_differ",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed")
                | Q(first_person__isnull=False) & (~Q(kind="terminate") | Q(second_person__isnull=False)),
                name="confirmed_proposal_has_its_persons",
            ),
            models.CheckConstraint(
                condition=Q(kind="transfer") | Q(to_school=None, to_place=""), name="only_a_transfer_has_a_goal"
            ),
        ]
        indexes = [
            models.Index(fields=["path"], name="award_proposal_path", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["due_on"], name="award_proposal_due", condition=Q(state__in=OPEN, applied_on=None)),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keeps the natural persons in step with the accounts."""
        for role in ("proposed", "first", "second"):
            user = getattr(self, f"{role}_by")
            setattr(self, f"{role}_person", user.person if user else None)
        super().save(*args, **kwargs)

    @transition("state", "waiting", "confirmed", permission="confirm_award")
    def confirm(self) -> None:
        """确认: it takes effect."""

    @transition("state", "waiting", "to_second", permission="confirm_award")
    def confirm_first(self) -> None:
        """确认 of an end, by the first person of the county."""

    @transition("state", "to_second", "confirmed", permission="second_award")
    def second(self) -> None:
        """复核 of an end, by the second person of the county."""

    @transition("state", "to_accept", "confirmed", permission="propose_award")
    def accept(self) -> None:
        """接收, by the new school."""

    @transition("state", "waiting", "declined", permission="confirm_award")
    @transition("state", "to_second", "declined", permission="second_award")
    @transition("state", "to_accept", "declined", permission="propose_award")
    def decline(self) -> None:
        """不同意, by whoever it waits for, with a reason."""

    @transition("state", ["waiting", "to_second", "to_accept"], "withdrawn", permission="propose_award")
    def withdraw(self) -> None:
        """撤回, by who proposed it."""

    @transition("state", ["waiting", "to_second", "to_accept"], "withdrawn", permission="confirm_award")
    def withdraw_county(self) -> None:
        """撤回, by the county's reviewer who proposed it."""

    @transition("state", ["waiting", "to_second", "to_accept"], "lapsed", permission="system")
    def lapse(self) -> None:
        """Another change of enrolment took its place."""
