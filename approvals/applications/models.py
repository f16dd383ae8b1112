"""The aid application, the roster it may have come with, its evidence, and the hits of the data match."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.people.fields import EncryptedTextField

LEVELS = [
    ("severe", _p("hardship level", "Severe")),
    ("moderate", _p("hardship level", "Moderate")),
    ("general", _p("hardship level", "General")),
]


class Roster(models.Model):
    """A roster file that a school uploaded: read, previewed, then taken over in the background.

    `state` is the state of the work: uploaded → previewed → importing → imported, or unreadable, failed or
    discarded. The file is kept encrypted; `problems` keep rows, columns, codes and sentences, no cell values.
    """

    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    programme = models.CharField(max_length=60)
    """A programme's code, or an exclusive group's in which each row decides."""
    term = models.CharField(max_length=12)
    filename = models.CharField(max_length=200)
    content = models.BinaryField(null=True)
    """The file, encrypted, from which the error sheet is made; dropped when the roster is discarded, or
    `ROSTER_FILE_DAYS` after `settled_at`."""
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, default="uploaded")
    all_or_nothing = models.BooleanField(default=False)
    understood = models.JSONField(default=dict)
    """Sheet, header row, columns mapped, notes; what the rules say, with rows and names until it is discarded."""
    problems = models.JSONField(default=list)
    """[{"row", "column", "code", "message", "also"}] of refused rows, and of warnings with "severity"."""
    rows = models.PositiveIntegerField(default=0)
    valid = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    """Rows handled so far, for the progress bar."""
    accepted = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=400, blank=True)
    commitment_on = models.DateField(null=True)
    """The day noted on the list's applications because the school holds their commitments; None where it does not."""
    consent_on = models.DateField(null=True)
    uploaded_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    """Who took it over; whoever uploaded it may be somebody else, and both prepared its applications."""
    uploaded_at = models.DateTimeField(auto_now_add=True)
    uploaded_on = models.DateField(null=True)
    """The business date of the upload; null: the machine's counted."""
    attempts = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    """When it was taken over or given up, by the business clock."""

    class Meta:
        verbose_name = _("roster")
        verbose_name_plural = _("rosters")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(accepted=0) | Q(state="imported"), name="roster_taken_is_imported"),
        ]
        indexes = [
            models.Index(
                fields=["state"], name="roster_due", condition=Q(state__in=["uploaded", "checking", "importing"])
            ),
            models.Index(fields=["school", "-uploaded_at"], name="roster_school"),
            models.Index(fields=["settled_at"], name="roster_file_due", condition=Q(content__isnull=False)),
        ]


class Application(models.Model):
    """One pupil's application for one programme and school year, one to one with its case.

    School, grade, class, account and guardian are as they were when it was made; the version of the programme
    is pinned. `live` is false once it was rejected, withdrawn or cancelled.
    """

    case = models.OneToOneField(
        "workflows.Case", primary_key=True, on_delete=models.PROTECT, related_name="application"
    )
    student = models.ForeignKey("people.Student", on_delete=models.PROTECT, related_name="applications")
    # No index of their own: `application_school` begins with the school, nothing is looked up by version or rate.
    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False)
    path = models.CharField(max_length=255)
    version = models.ForeignKey(
        "programmes.ProgrammeVersion", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    programme = models.CharField(max_length=60)
    group = models.CharField(max_length=60)
    school_year = models.CharField(max_length=9)
    term = models.CharField(max_length=12)
    live = models.BooleanField(default=True)
    stage = models.CharField(max_length=12)
    grade = models.CharField(_("grade"), max_length=20)
    class_name = models.CharField(_("class"), max_length=20)
    boarder = models.BooleanField(_("boarder"), default=False)
    special_groups = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    level = models.CharField(_("hardship level"), max_length=10, choices=LEVELS, blank=True)
    tier = models.CharField(_("tier"), max_length=20, blank=True)
    amount = models.DecimalField(_("amount per term"), max_digits=10, decimal_places=2, null=True, blank=True)
    rate = models.ForeignKey("programmes.Rate", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    guardian_name = models.CharField(_("guardian"), max_length=50, blank=True)
    guardian_id = EncryptedTextField(null=True)
    guardian_phone = EncryptedTextField(null=True)
    bank = models.CharField(_("bank"), max_length=60, blank=True)
    account_no = EncryptedTextField(null=True)
    account_hash = models.BinaryField(max_length=32, null=True)
    account_tail = models.CharField(max_length=4, blank=True)
    account_kind = models.CharField(max_length=24, default="bank_card")
    holder_name = models.CharField(_("account holder"), max_length=50, blank=True)
    circumstances = EncryptedTextField(null=True)
    """JSON of what the family states: size, income, address, events. Not on lists, not on notices."""
    remark = models.CharField(_("remark"), max_length=500, blank=True)
    class_opinion = models.CharField(_("class review"), max_length=500, blank=True)
    """The recorded opinion of the class panel; no family detail."""
    commitment_on = models.DateField(_("commitment signed on"), null=True)
    consent_on = models.DateField(_("guardian's consent on"), null=True)
    findings = models.JSONField(default=list)
    """Eligibility: [{"code", "holds": true|false|null, "values": {…}}]; the sentence comes from the programme."""
    roster = models.ForeignKey(Roster, null=True, on_delete=models.SET_NULL, related_name="applications")
    roster_row = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["student", "group", "school_year"], condition=Q(live=True), name="one_live_application"
            ),
            models.CheckConstraint(condition=Q(amount=None) | Q(amount__gte=0), name="amount_not_negative"),
        ]
        indexes = [
            models.Index(fields=["school", "programme", "term"], name="application_school"),
            models.Index(fields=["account_hash"], name="application_account"),
        ]


class Revision(models.Model):
    """What a correction changed: {"field": ["old, masked", "new, masked"]}."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="revisions")
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=80)
    changes = models.JSONField()

    class Meta:
        default_permissions = ()
        ordering = ["id"]


class Evidence(models.Model):
    """A paper that goes with an application: an image re-encoded without its metadata, or a PDF."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(_("kind of evidence"), max_length=40)
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.CharField(max_length=120)
    """Key of the encrypted file in the evidence store, outside the web root."""
    added_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]


class PaperRequest(models.Model):
    """补充材料: papers that a reviewer asks the school for while the case stays with him.

    It is open until a paper of each kind has been attached, others are asked for instead, or the task it was asked for
    is decided.
    """

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="paper_requests")
    item = models.BigIntegerField()
    """The open task for whose decision they are wanted."""
    kinds = ArrayField(models.CharField(max_length=40))
    text = models.CharField(max_length=1000)
    person = models.CharField(max_length=64)
    """Natural person who asked."""
    name = models.CharField(max_length=150)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_on = models.DateField()
    """The business date."""
    answered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(answered_at=None), name="one_open_paper_request_a_task"
            ),
            models.CheckConstraint(condition=Q(kinds__len__gt=0), name="paper_request_asks_for_something"),
        ]


class StandingHits(models.Manager):
    """Hits that were still found when last looked for."""

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(closed_at=None)


class Hit(models.Model):
    """What the data match found against an application; waived only with a reason (DOMAIN.md §3.1).

    One that is no longer found is closed, with why, and opens again when it is: `objects` are those that stand,
    `ever` all of them.
    """

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="hits")
    source = models.CharField(max_length=40)
    code = models.CharField(max_length=40)
    weight = models.CharField(max_length=8, default="recheck")
    """info: for information; recheck: must be waived; block: must be waived by itself."""
    values = models.JSONField(default=dict)
    list = models.ForeignKey("people.RegisterList", null=True, on_delete=models.PROTECT, related_name="+")
    """The list that said so when it was last looked for."""
    facts = models.BinaryField(max_length=32, null=True)
    """Keyed digest of what was matched; a hit that was waived for other facts counts again."""
    found_at = models.DateTimeField(auto_now_add=True)
    waived_by = models.CharField(max_length=80, blank=True)
    waived_at = models.DateTimeField(null=True)
    waived_reason = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_why = models.CharField(max_length=20, blank=True)
    """A code of `hits.CLOSED`."""

    objects = StandingHits()
    ever = models.Manager()  # noqa: DJ012 (a manager, and the first one is the default)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["application", "source", "code"], name="one_hit_per_code"),
            models.CheckConstraint(condition=Q(weight__in=["info", "recheck", "block"]), name="hit_weight_known"),
            models.CheckConstraint(condition=Q(closed_at=None) | ~Q(closed_why=""), name="closed_hit_says_why"),
        ]

    @property
    def asks(self) -> bool:
        """Whether it must still be waived."""
        return self.weight != "info" and self.waived_at is None and self.closed_at is None


class MatchRun(models.Model):
    """All applications of a term matched again, in chunks: `upto` is the last case that is done.

    `state`: waiting → done, or failed. When a list changes meanwhile, it begins anew.
    """

    term = models.CharField(max_length=12)
    state = models.CharField(max_length=8, default="waiting")
    asked_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    """By the business clock."""
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    upto = models.BigIntegerField(default=0)
    lists = models.JSONField(default=dict)
    """The lists matched against: {kind: key}."""
    tally = models.JSONField(default=dict)
    """{code of a hit: {"new", "kept", "again", "gone", "waived"}}: how many of each."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """Tries since the last chunk that came through."""
    error = models.CharField(max_length=40, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["term"], condition=Q(state="waiting"), name="one_waiting_match_per_term"),
        ]
