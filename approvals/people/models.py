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
    """An uploaded register of another office, with its date and origin."""

    kind = models.CharField(max_length=30)
    origin = models.CharField(_("origin"), max_length=80)
    as_of = models.DateField(_("as of"))
    loaded_at = models.DateTimeField(auto_now_add=True)
    current = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(current=True), name="one_current_list_per_kind")
        ]


class RegisterEntry(models.Model):
    """One person on a register; only the blind index of the ID number is kept."""

    list = models.ForeignKey(RegisterList, on_delete=models.CASCADE, related_name="entries")
    id_hash = models.BinaryField(max_length=32)
    category = models.CharField(max_length=40)
    """Household category, a code of DOMAIN.md §2.1 (lifted_household, dibao, …)."""
    household_no = models.CharField(max_length=20, blank=True)
    in_county = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["id_hash", "list"], name="register_entry_person")]
