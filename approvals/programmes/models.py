"""What can be applied for. A programme is a YAML file, loaded here, versioned, and pinned by each case."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from approvals.programmes.definition import Definition


class Programme(models.Model):
    """An aid programme; its rules are in its versions."""

    code = models.CharField(max_length=60, primary_key=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(max_length=120)
    group = models.CharField(_("exclusive group"), max_length=60)
    """Programmes of one group exclude each other for a person and school year; its own code where it is alone."""
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("aid programme")
        verbose_name_plural = _("aid programmes")
        ordering = ["order", "code"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name_en if get_language() == "en" else self.name


class ProgrammeVersion(models.Model):
    """One version of a programme's definition, as validated by the schema (see definition.py)."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["programme", "number"], name="one_version_per_number"),
        ]

    @property
    def rules(self) -> "Definition":
        """The definition, typed."""
        from approvals.programmes.definition import stored

        return stored(self.digest, self.definition)


class Rate(models.Model):
    """What a programme gives per term, from a term on, with its source (DOMAIN.md §2.4)."""

    version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="rates")
    first_term = models.CharField(max_length=12)
    stage = models.CharField(max_length=12, blank=True)
    """Empty: any stage."""
    tier = models.CharField(max_length=20, blank=True)
    """Award tier, where the programme has several."""
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    """Yuan per term."""
    source = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "first_term", "stage", "tier"], name="one_rate_per_term"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="rate_not_negative"),
        ]


class Window(models.Model):
    """When applications for a programme and term are taken, both days included."""

    programme = models.ForeignKey(Programme, on_delete=models.CASCADE, related_name="windows")
    term = models.CharField(max_length=12)
    opens_on = models.DateField()
    closes_on = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["programme", "term"], name="one_window_per_term")]


class Quota(models.Model):
    """How many pupils of a school a programme may take in a school year, and the average it must keep."""

    programme = models.ForeignKey(Programme, on_delete=models.CASCADE, related_name="quotas")
    school = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="+")
    school_year = models.CharField(max_length=9)
    headcount = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["programme", "school", "school_year"], name="one_quota")]
