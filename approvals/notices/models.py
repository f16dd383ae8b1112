"""公示: a frozen list with a legal clock. What it is legally is its state; the system computes its end."""

from datetime import date

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p
from django_fsm import GET_STATE, FSMField, FSMModelMixin, transition

from approvals.notices.archive.models import (  # noqa: F401  the app's models, whichever file they stand in
    PACKAGE,
    BoardPhoto,
    Dossier,
    NoticeFile,
    NoticeFilePart,
    NoticeViews,
)
from approvals.notices.objections.models import (  # noqa: F401
    OPEN,
    Attempt,
    Objection,
    Ruling,
    SealedIdentity,
    UsedQuestion,
)
from workflows.clock import CHINA
from workflows.conditions import Condition

STATES = [
    ("draft", _p("notice state", "Draft")),
    ("pending_review", _p("notice state", "Waiting for sign-off")),
    ("scheduled", _p("notice state", "Waiting for its date")),
    ("published", _p("notice state", "On public notice")),
    ("paused", _p("notice state", "Taken out of public view")),
    ("closed", _p("notice state", "Period over")),
    ("concluded", _p("notice state", "Concluded")),
    ("taken_down", _p("notice state", "Taken down")),
    ("archived", _p("notice state", "Archived")),
    ("voided", _p("notice state", "Voided")),
]
ON_LIST = ("listed", "objected", "confirmed")
OFF_LIST = ("removed",)
"""States of a line that stands on the list, and of one that has left it."""
HAS_LINES = Condition("empty_notice", _("The list is empty."), lambda: Q(lines__state__in=ON_LIST))
UNCONTESTED = Condition(
    "contested", _("An objection to this notice was accepted; people conclude it."), lambda: Q(contested=False)
)
CONTESTED = Condition(
    "uncontested", _("Nobody objected to this notice; the system concludes it by itself."), lambda: Q(contested=True)
)
PROPOSED = Condition(
    "not_proposed", _("The drafting office has not proposed a conclusion."), lambda: Q(conclusion_person__isnull=False)
)
NOTHING_HELD = Condition(
    "lines_held",
    _("Not every line is settled: an objection is still open, or a line is still to be moved on."),
    lambda: (
        ~Exists(NoticeLine.objects.filter(notice=OuterRef("pk"), open=True))
        & ~Exists(Objection.objects.filter(notice=OuterRef("pk"), state__in=OPEN))
    ),
)
HAS_PACKAGE = Condition(
    "no_package",
    _("The evidence package is not ready yet."),
    lambda: Q(Exists(NoticeFile.objects.filter(notice=OuterRef("pk"), kind=PACKAGE, state="ready"))),
)
HAS_PHOTO = Condition(
    "no_photo",
    _("There is no photo of the board and no reason why."),
    lambda: (
        Q(Exists(BoardPhoto.objects.filter(notice=OuterRef("pk"), removed_at=None)))
        | Q(Exists(Dossier.objects.filter(~Q(no_photo_reason=""), notice=OuterRef("pk"))))
    ),
)
HAS_POSTING = Condition(
    "no_posting",
    _("The proof of posting is missing."),
    lambda: Q(Exists(Dossier.objects.filter(~Q(proof=""), notice=OuterRef("pk")))),
)


def _back(notice: "Notice") -> str:
    """Where a notice goes that is given back to its author: one that has been public stays taken out of view."""
    return "paused" if notice.edition else "draft"


class Notice(FSMModelMixin, models.Model):
    """One public notice of a step (班级, 学校, 乡镇, 县级公示) of a programme and term; of a class, where a step has
    a list for each.

    From publication on, `frozen` and `sha256` hold what was shown; `ends_on` is the last day of the period,
    computed in working days from the day after publication (DOMAIN.md §2.3). One that was taken out of view and
    published again has a new edition; `NoticeEdition` keeps the earlier ones.
    """

    state = FSMField(_("state"), max_length=20, default="draft", protected=True, choices=STATES)
    step = models.CharField(max_length=40)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=255)
    programme = models.ForeignKey("programmes.Programme", on_delete=models.PROTECT, related_name="+")
    term = models.CharField(max_length=12)
    grade = models.CharField(max_length=20, blank=True)
    class_name = models.CharField(max_length=20, blank=True)
    """The class, of a notice that lists one."""
    supplements = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="supplementary")
    """补充公示: the original that this notice adds to or corrects."""
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
    sealed_on = models.DateField(null=True)
    """落款日期: the date of issue under the seal, as the signer confirmed it."""
    publish_on = models.DateField(null=True)
    """The day on which a signed notice is to become public by itself."""
    edition = models.PositiveSmallIntegerField(default=0)
    """How often it was published."""
    published_at = models.DateTimeField(null=True)
    """Of the newest edition."""
    ends_on = models.DateField(null=True)
    """Of a scheduled notice, as it is computed from its day of publication."""
    provisional = models.BooleanField(default=False)
    """Ends in a year whose calendar has not been published (暂定)."""
    contested = models.BooleanField(default=False)
    """An objection about it was accepted: people conclude it, not the system."""
    concluded_at = models.DateTimeField(null=True)
    conclusion = models.CharField(max_length=40, blank=True)
    conclusion_text = models.CharField(_("conclusion"), max_length=500, blank=True)
    """In words, where people conclude; proposed by one person, signed by another."""
    conclusion_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    conclusion_person = models.UUIDField(null=True)
    concluded_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    concluded_person = models.UUIDField(null=True)
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
            models.Index(fields=["publish_on"], name="notice_scheduled", condition=Q(state="scheduled")),
            models.Index(fields=["path", "-id"], name="notice_path", opclasses=["varchar_pattern_ops", "int8_ops"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "pending_review", "scheduled", "voided"])
                | (Q(published_at__isnull=False, ends_on__isnull=False, signed_by__isnull=False) & ~Q(sha256="")),
                name="published_notice_is_frozen_and_signed",
            ),
            models.CheckConstraint(
                condition=~Q(state="scheduled")
                | Q(publish_on__isnull=False, ends_on__isnull=False, sealed_on__isnull=False, signed_by__isnull=False),
                name="scheduled_notice_is_signed_and_dated",
            ),
            models.CheckConstraint(
                condition=Q(concluded_person=None)
                | Q(conclusion_person__isnull=False) & ~Q(concluded_person=models.F("conclusion_person")),
                name="concluded_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(contested=False)
                | ~Q(state__in=["concluded", "taken_down", "archived"])
                | Q(concluded_person__isnull=False),
                name="contested_notice_is_concluded_by_people",
            ),
            models.CheckConstraint(
                condition=Q(supplements=None) | ~Q(supplements=models.F("pk")), name="no_notice_supplements_itself"
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

    @property
    def interrupted(self) -> bool:
        """Whether it was public and has been taken out of view, to be corrected, signed and published again."""
        return self.edition > 0 and self.state in ("paused", "pending_review", "scheduled")

    @transition("state", ["draft", "paused"], "pending_review", conditions=[HAS_LINES], permission="draft_notice")
    def submit(self) -> None:
        """送审."""

    @transition("state", "pending_review", GET_STATE(_back, states=["draft", "paused"]), permission="sign_notice")
    def send_back(self) -> None:
        """退回."""

    @transition("state", "pending_review", "published", conditions=[HAS_LINES], permission="sign_notice")
    def publish(self) -> None:
        """签发: public at once."""

    @transition("state", "pending_review", "scheduled", conditions=[HAS_LINES], permission="sign_notice")
    def schedule(self) -> None:
        """签发待发布: public by itself on its date."""

    @transition("state", "scheduled", "published", conditions=[HAS_LINES], permission="system")
    def appear(self) -> None:
        """到时发布, by the system on the date that was signed."""

    @transition("state", "scheduled", GET_STATE(_back, states=["draft", "paused"]), permission="sign_notice")
    def recall(self) -> None:
        """取回: the signer takes it back before its date."""

    @transition("state", "scheduled", GET_STATE(_back, states=["draft", "paused"]), permission="system")
    def hold_back(self) -> None:
        """On its date it may not be published as it is: back to its author."""

    @transition("state", "scheduled", "voided", permission="system")
    def lapse(self) -> None:
        """On its date nothing is left of the list."""

    @transition("state", "published", "paused", permission="sign_notice")
    def pause(self) -> None:
        """中止: hidden at once, to be corrected and published again, or voided."""

    @transition("state", "draft", "voided", permission="draft_notice")
    def discard(self) -> None:
        """The drafting office gives a draft up; its cases wait for another notice."""

    @transition(
        "state", ["draft", "pending_review", "scheduled", "published", "paused"], "voided", permission="sign_notice"
    )
    def void(self) -> None:
        """作废: hidden at once; its cases wait for another notice."""

    @transition("state", "published", "closed", permission="system")
    def close(self) -> None:
        """期满."""

    @transition("state", "closed", "concluded", conditions=[UNCONTESTED, NOTHING_HELD], permission="system")
    def conclude(self) -> None:
        """公示结束, by the system when nobody objected."""

    @transition(
        "state", "closed", "concluded", conditions=[CONTESTED, PROPOSED, NOTHING_HELD], permission="sign_notice"
    )
    def conclude_by_people(self) -> None:
        """公示结束, by the signer when somebody objected and every objection is decided."""

    @transition("state", "concluded", "taken_down", permission="system")
    def take_down(self) -> None:
        """撤下: removed from public view."""

    @transition(
        "state", "taken_down", "archived", conditions=[HAS_POSTING, HAS_PHOTO, HAS_PACKAGE], permission="draft_notice"
    )
    def archive(self) -> None:
        """归档: its evidence is complete and stands on the record."""


class NoticeLine(models.Model):
    """One application on a notice. `shown` is what the public sees of it, nothing else."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="lines", db_index=False)
    """Found by its constraint, which begins with it."""
    case = models.ForeignKey("workflows.Case", on_delete=models.PROTECT, related_name="notice_lines")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default="listed")
    """listed, objected (an objection about it is open), removed (with `reason`), confirmed; DOMAIN.md §3.4."""
    open = models.BooleanField(default=True)
    """True while the notice runs, and while an objection holds the line: a case stands on one open notice of a step
    at a time.
    """
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


class NoticeEdition(models.Model):
    """An edition of a notice that was public until it was taken out of view: what its hash on the record proves."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="editions")
    number = models.PositiveSmallIntegerField()
    frozen = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    reason = models.CharField(max_length=40)
    """Code of why it was taken out of view."""
    reason_text = models.TextField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["notice", "number"], name="one_edition_per_number")]


from approvals.notices.announcements.models import Announcement  # noqa: E402, F401  its tables are this app's
