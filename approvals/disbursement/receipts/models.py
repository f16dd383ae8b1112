"""签收: who said that the money of a paid line arrived (DOMAIN.md §3.5, §2.9 A3)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

SIGNERS = [("pupil", _p("who signed", "The pupil")), ("guardian", _p("who signed", "A guardian"))]


class Acknowledgement(models.Model):
    """The receipt of one paid line, as the school holds it on paper. Append-only."""

    line = models.OneToOneField("disbursement.PaymentLine", on_delete=models.PROTECT, related_name="acknowledgement")
    signed_by = models.CharField(max_length=10, choices=SIGNERS)
    signer = models.CharField(max_length=80)
    """The name that stands on the paper."""
    signed_on = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("receipt of a payment")
        verbose_name_plural = _("receipts of payments")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_by__in=[code for code, _name in SIGNERS]) & ~Q(signer=""), name="receipt_is_signed"
            )
        ]
