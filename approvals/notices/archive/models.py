"""What is kept of a notice besides its list: files, photos of the board, the office's words, views."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

PDF, PACKAGE = "pdf", "package"
FILE_STATES = [
    ("queued", _p("file of a notice", "Waiting")),
    ("building", _p("file of a notice", "Being made")),
    ("ready", _p("file of a notice", "Ready")),
    ("failed", _p("file of a notice", "Failed")),
]
MOMENTS = [
    ("start", _p("photo of the board", "Put up")),
    ("during", _p("photo of the board", "During the period")),
    ("end", _p("photo of the board", "Taken down")),
]


class NoticeFile(models.Model):
    """A file that is made in the background, piece by piece: a long list as one PDF, or the evidence package.

    There is one of a kind a notice; what it is made of (`basis`) may change, and it is then made anew.
    """

    notice = models.ForeignKey("notices.Notice", on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=8)
    state = models.CharField(max_length=8, default="queued", choices=FILE_STATES)
    basis = models.CharField(max_length=64, blank=True)
    upto = models.BigIntegerField(default=0)
    """A package holds the notice's lines of the record up to this one."""
    head = models.BigIntegerField(null=True)
    """Size of the tree head against which a package proves them; chosen once, so that a restart makes the same file."""
    parts = models.PositiveSmallIntegerField(default=1)
    done = models.PositiveSmallIntegerField(default=0)
    pages = models.JSONField(default=list)
    """Pages of each part that is done: the next one's numbers follow from them."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """Tries since the last step that came through."""
    file = models.CharField(max_length=120, blank=True)
    """Key in the encrypted store."""
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["id"], name="notice_file_due", condition=Q(state__in=["queued", "building"]))]
        constraints = [
            models.UniqueConstraint(fields=["notice", "kind"], name="one_file_of_a_kind"),
            models.CheckConstraint(
                condition=~Q(state="ready") | (~Q(file="") & ~Q(sha256="") & Q(made_at__isnull=False)),
                name="ready_notice_file_is_there",
            ),
        ]

    @property
    def waits(self) -> bool:
        return self.state in ("queued", "building")


class NoticeFilePart(models.Model):
    """A finished piece of a PDF, until all are put together."""

    whole = models.ForeignKey(NoticeFile, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveSmallIntegerField()
    file = models.CharField(max_length=120)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["whole", "number"], name="one_piece_per_number")]


class BoardPhoto(models.Model):
    """张贴照片: the paper on the board, re-encoded without where it was taken; what it says stands on the record."""

    notice = models.ForeignKey("notices.Notice", on_delete=models.PROTECT, related_name="photos")
    moment = models.CharField(_("what it shows"), max_length=8, choices=MOMENTS)
    taken_on = models.DateField(_("day on which it was taken"))
    place = models.CharField(_("place of the board"), max_length=80)
    taken_at = models.DateTimeField(null=True)
    """What the camera wrote, where it did."""
    file = models.CharField(max_length=120)
    thumbnail = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["taken_on", "id"]


class Dossier(models.Model):
    """What an office says of the posting, and until when the archive is kept."""

    notice = models.OneToOneField("notices.Notice", on_delete=models.PROTECT, related_name="dossier")
    proof = models.CharField(_("proof of posting"), max_length=500, blank=True)
    no_photo_reason = models.CharField(_("why there is no photo"), max_length=200, blank=True)
    archived_at = models.DateTimeField(null=True)
    archived_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    keep_until = models.DateField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(archived_at=None)
                | (~Q(proof="") & Q(archived_by__isnull=False) & Q(keep_until__isnull=False)),
                name="archived_notice_has_proof_of_posting",
            )
        ]


class NoticeViews(models.Model):
    """How often the public page of a notice was asked for on a day. Nobody is told apart."""

    notice = models.ForeignKey("notices.Notice", on_delete=models.PROTECT, related_name="views")
    day = models.DateField()
    count = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["notice", "day"], name="one_count_a_day")]
