"""异议: what somebody says against a list, what became of it, and who he is, sealed apart (DOMAIN.md §3.4)."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy as _p
from django_fsm import FSMField, FSMModelMixin, transition

from approvals.organisations.models import Organisation
from approvals.people.fields import EncryptedTextField
from workflows.clock import CHINA

STATES = [
    ("received", _p("objection state", "Received")),
    ("accepted", _p("objection state", "Accepted")),
    ("not_accepted", _p("objection state", "Not accepted")),
    ("investigating", _p("objection state", "Being looked into")),
    ("decided", _p("objection state", "Decided")),
    ("replied", _p("objection state", "Answered")),
    ("appealed", _p("objection state", "Appealed")),
    ("rechecking", _p("objection state", "Being looked into again")),
    ("closed", _p("objection state", "Closed")),
]
ENDED = ("not_accepted", "closed")
OPEN = tuple(state for state, _name in STATES if state not in ENDED)
"""States in which an objection holds its line: from receipt until nothing more can come of it."""
TO_HANDLE = ("received", "accepted", "appealed")
"""States in which whoever handles objections at its office is waited for."""
TO_INVESTIGATE = ("investigating", "rechecking")
"""States in which the investigator is waited for."""
GROUNDS = [
    ("not_in_hardship", _p("ground of an objection", "The family is not in hardship")),
    ("wrong_level", _p("ground of an objection", "The level is wrong")),
    ("not_at_school", _p("ground of an objection", "Not a pupil of this school")),
    ("false_information", _p("ground of an objection", "False information was given")),
    ("missing_person", _p("ground of an objection", "Somebody is missing from the list")),
    ("procedure", _p("ground of an objection", "The procedure was not kept")),
    ("other", _p("ground of an objection", "Other")),
]
OUTCOMES = [
    ("upheld", _p("outcome of an objection", "Upheld")),
    ("adjusted", _p("outcome of an objection", "Upheld in part, to be reviewed again")),
    ("dismissed", _p("outcome of an objection", "Not upheld")),
]
HANDLES, INVESTIGATES = "handle_objection", "investigate_objection"
"""Permissions: to accept an objection and name its investigator; to be named one."""


class Objection(FSMModelMixin, models.Model):
    """One objection to a notice, or to one line of it. `path` is the office that handles it now.

    Nothing here says who objected, but for `named`: that is `SealedIdentity`. Whoever holds the receipt number can
    follow it; only a keyed hash of the number is kept.
    """

    state = FSMField(max_length=20, default="received", protected=True, choices=STATES)
    notice = models.ForeignKey("notices.Notice", on_delete=models.PROTECT, related_name="objections")
    line = models.ForeignKey("notices.NoticeLine", null=True, on_delete=models.PROTECT, related_name="objections")
    """The line objected to; null: the whole list."""
    number = models.PositiveIntegerField()
    """Within its notice, in order of receipt."""
    path = models.CharField(max_length=255)
    ground = models.CharField(max_length=20, choices=GROUNDS)
    statement = EncryptedTextField()
    """May itself tell who wrote it: for who handles it and who investigates."""
    named = models.BooleanField()
    receipt_hash = models.BinaryField(max_length=32, unique=True)
    received_at = models.DateTimeField()
    limits = models.JSONField()
    """Working days allowed: accept, reply, appeal, appeal_reply; of the programme's version when it was received."""
    due_on = models.DateField(null=True)
    """Last day of what is owed by the office in this state; null where nothing is."""
    complained = ArrayField(models.UUIDField(), default=list)
    """Natural persons of the office whom it complains of."""
    investigator = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    investigator_person = models.UUIDField(null=True)
    outcome = models.CharField(max_length=12, blank=True, choices=OUTCOMES)
    """What the latest ruling says."""
    reply = models.TextField(blank=True)
    """What its author is told: the ruling's reply, or why it was not accepted. Holds nobody's personal data."""
    replied_at = models.DateTimeField(null=True)
    appeal_until = models.DateField(null=True)
    """Last day on which it may be appealed; null where it may not."""
    appealed_at = models.DateTimeField(null=True)
    appeal_statement = EncryptedTextField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["notice", "number"], name="one_objection_per_number"),
            models.CheckConstraint(
                condition=~Q(state__in=TO_INVESTIGATE)
                | Q(investigator__isnull=False, investigator_person__isnull=False),
                name="investigation_has_an_investigator",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["replied", "closed", "not_accepted"])
                | Q(replied_at__isnull=False) & ~Q(reply=""),
                name="no_end_without_a_reply",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["decided", "replied", "closed"]) | ~Q(outcome=""),
                name="objection_decided_has_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["appealed", "rechecking"]) | Q(appealed_at__isnull=False),
                name="appeal_has_a_day",
            ),
        ]
        indexes = [
            models.Index(
                fields=["path"],
                name="objection_open",
                opclasses=["varchar_pattern_ops"],
                condition=Q(state__in=OPEN),
            ),
            models.Index(fields=["investigator_person"], name="objection_mine", condition=Q(state__in=TO_INVESTIGATE)),
            models.Index(fields=["appeal_until"], name="objection_run_out", condition=Q(state="replied")),
        ]

    @property
    def received_on(self) -> date:
        """The business date of receipt in China, from which its deadlines are counted."""
        return self.received_at.astimezone(CHINA).date()

    @property
    def at_county(self) -> bool:
        """Whether the county handles it: from the beginning, or since it was handed there."""
        return len(self.path) == Organisation.steplen

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self.state in OPEN

    @transition("state", "received", "accepted", permission=HANDLES)
    def accept(self) -> None:
        """受理."""

    @transition("state", "received", "not_accepted", permission=HANDLES)
    def not_accept(self) -> None:
        """不予受理, with a reason that its author reads."""

    @transition("state", "received", "received", permission=HANDLES)
    @transition("state", "accepted", "accepted", permission=HANDLES)
    @transition("state", "investigating", "accepted", permission=HANDLES)
    def refer(self) -> None:
        """转县级处理: the county names who looks into it."""

    @transition("state", "accepted", "investigating", permission=HANDLES)
    @transition("state", "investigating", "investigating", permission=HANDLES)
    @transition("state", "appealed", "rechecking", permission=HANDLES)
    @transition("state", "rechecking", "rechecking", permission=HANDLES)
    def assign(self) -> None:
        """指定调查人, or another one."""

    @transition("state", ["investigating", "rechecking"], "decided", permission=INVESTIGATES)
    def decide(self) -> None:
        """作出决定, by the investigator."""

    @transition("state", "decided", "replied", permission=INVESTIGATES)
    def answer(self) -> None:
        """答复: readable by receipt number from then on; one act with the decision."""

    @transition("state", "replied", "appealed", permission="everybody")
    def appeal(self) -> None:
        """申请复核, once, by whoever holds the receipt."""

    @transition("state", "replied", "closed", permission="system")
    def close(self) -> None:
        """办结: no appeal came in time, or none is possible."""


class Ruling(models.Model):
    """A decision on an objection: the first, or the county's upon appeal; each by another natural person."""

    objection = models.ForeignKey(Objection, on_delete=models.PROTECT, related_name="rulings")
    round = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=12, choices=OUTCOMES)
    reply = models.TextField()
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    person = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["objection", "round"], name="one_ruling_per_round"),
            models.UniqueConstraint(fields=["objection", "person"], name="each_ruling_by_another_person"),
            models.CheckConstraint(condition=Q(round__in=[1, 2]), name="one_appeal_at_most"),
        ]


class SealedIdentity(models.Model):
    """Who objected, how to reach him, and the paper he added. Read by `actions.unseal` alone, which writes who did."""

    objection = models.OneToOneField(Objection, primary_key=True, on_delete=models.PROTECT, related_name="sealed")
    name = EncryptedTextField()
    contact = EncryptedTextField()
    file = models.CharField(max_length=60, blank=True)
    """Key in the evidence store, where it lies encrypted."""
    content_type = models.CharField(max_length=40, blank=True)

    class Meta:
        default_permissions = ()


class Attempt(models.Model):
    """Somebody sent something to the public forms; kept one day, by a keyed hash of where it came from."""

    kind = models.CharField(max_length=10)
    origin = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["origin", "kind", "at"], name="attempt_origin"),
            models.Index(fields=["at"], name="attempt_age"),
        ]


class UsedQuestion(models.Model):
    """A question of the public form that was answered, rightly or wrongly: it is not answered twice."""

    nonce = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["at"], name="question_age")]
