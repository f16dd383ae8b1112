"""Pupils, guardians, households, and the registers they are matched against. Identity is encrypted."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from approvals.people.fields import EncryptedTextField


class Sex(models.TextChoices):
    MALE = "M", _("Male")
    FEMALE = "F", _("Female")


class Household(models.Model):
    """People who live and keep house together."""

    number = models.CharField(max_length=20, unique=True)
    village = models.CharField(max_length=40, blank=True)
    size = models.PositiveSmallIntegerField(default=1)

    class Meta:
        default_permissions = ()


class Student(models.Model):
    """A pupil on the enrolment register, or added with a roster and not yet verified."""

    name = models.CharField(_("name"), max_length=50)
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices)
    birth_date = models.DateField(_("birth date"))
    id_number = EncryptedTextField()
    id_hash = models.BinaryField(max_length=32, unique=True)
    """Keyed blind index of the ID number, for equality only."""
    id_tail = models.CharField(max_length=4)
    enrolment_no = EncryptedTextField(null=True)
    school = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False)
    """Found by the index `student_school`, which begins with it."""
    grade = models.CharField(_("grade"), max_length=20, blank=True)
    class_name = models.CharField(_("class"), max_length=20, blank=True)
    stage = models.CharField(_("stage"), max_length=12, blank=True)
    boarder = models.BooleanField(_("boarder"), default=False)
    household = models.ForeignKey(Household, null=True, on_delete=models.SET_NULL, related_name="students")
    verified = models.BooleanField(_("verified"), default=True)
    """False for a pupil who came with a roster and is not yet confirmed against the enrolment register."""

    class Meta:
        verbose_name = _("pupil")
        verbose_name_plural = _("pupils")
        default_permissions = ()
        indexes = [models.Index(fields=["school", "id"], name="student_school")]

    def __str__(self) -> str:
        return self.name


class Guardian(models.Model):
    """A pupil's registered guardian."""

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="guardians")
    name = models.CharField(max_length=50)
    id_number = EncryptedTextField(null=True)
    id_hash = models.BinaryField(max_length=32, null=True)
    phone = EncryptedTextField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["student", "id_hash"], condition=Q(id_hash__isnull=False), name="one_guardian_per_id"
            )
        ]


class Kinship(models.Model):
    """A relative whom somebody on the staff has declared, so as not to judge his applications (DOMAIN.md §2.8).

    `person` is the natural person who declared; of the relative only the blind index of the ID number is kept.
    """

    person = models.UUIDField(editable=False)
    id_hash = models.BinaryField(max_length=32)
    id_tail = models.CharField(max_length=4)
    relation = models.CharField(_("relation"), max_length=20)
    declared_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["person", "id_hash"], condition=Q(ended_at=None), name="one_declaration_per_relative"
            )
        ]
        indexes = [models.Index(fields=["id_hash"], name="kinship_relative", condition=Q(ended_at__isnull=True))]


class RegisterList(models.Model):
    """A list of another office, with its date and origin: uploaded, looked at, then taken over (DOMAIN.md §2.8).

    `state` is the state of the work: uploaded → previewed → loading → loaded, or unreadable, failed or discarded; a
    loaded one may be withdrawn. Of each kind the loaded list of the latest date is `current`; older ones are history.
    """

    kind = models.CharField(max_length=30)
    origin = models.CharField(_("issuing office"), max_length=80)
    as_of = models.DateField(_("as of"))
    loaded_at = models.DateTimeField(auto_now_add=True)
    """When it came, by the machine's clock."""
    current = models.BooleanField(default=True)
    state = models.CharField(max_length=12, default="loaded")
    filename = models.CharField(max_length=200, blank=True)
    content = models.BinaryField(null=True)
    """The file, encrypted, until it is taken over or thrown away: of the people on it only blind indexes stay."""
    sha256 = models.CharField(max_length=64, blank=True)
    understood = models.JSONField(default=dict)
    """Sheet, heading row, columns, notes, rows by category."""
    problems = models.JSONField(default=list)
    """[{"row", "column", "code", "message", "warning"}] of the first refused rows; no cell values."""
    rows = models.PositiveIntegerField(default=0)
    valid = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=400, blank=True)
    uploaded_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey("organisations.User", null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_on = models.DateField(null=True)
    """The business date of the upload."""
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(current=True), name="one_current_list_per_kind"),
            models.UniqueConstraint(
                fields=["kind", "sha256"], condition=Q(state="loaded") & ~Q(sha256=""), name="one_list_per_file"
            ),
            models.CheckConstraint(condition=Q(current=False) | Q(state="loaded"), name="current_list_is_loaded"),
        ]
        indexes = [models.Index(fields=["state"], name="register_due", condition=Q(state__in=["uploaded", "loading"]))]


class RegisterEntry(models.Model):
    """One line of a register. Of the ID or account number that it is matched by, only the blind index is kept."""

    list = models.ForeignKey(RegisterList, on_delete=models.CASCADE, related_name="entries")
    id_hash = models.BinaryField(max_length=32)
    category = models.CharField(max_length=40)
    """What the list says in a code: a household category (DOMAIN.md §2.1), an exclusive group, an account's state."""
    household_no = models.CharField(max_length=20, blank=True)
    in_county = models.BooleanField(default=True)
    name = models.CharField(max_length=100, blank=True)
    """What is compared besides: another school's name, an account's holder."""
    school_year = models.CharField(max_length=9, blank=True)
    told = models.JSONField(default=dict)
    """What a hit says of it: {"school": …, "on": …}; no numbers, names of people masked."""

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["id_hash", "list"], name="register_entry_person")]
