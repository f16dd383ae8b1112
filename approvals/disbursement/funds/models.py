"""Money before it is paid: what was allotted, by whom it is shared, and the ledger of what became of it (DESIGN §3).

Every allotment has six accounts. What was allotted stands against what of it is available, committed, paid, returned
and recovered, so that the six always add up to nothing. Balances are kept by a trigger on the postings.
"""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p


class FundSource(models.TextChoices):
    """资金来源: who the money comes from, in the order in which they stand in a split."""

    CENTRAL = "central", _p("fund source", "Central")
    PROVINCIAL = "provincial", _p("fund source", "Provincial")
    CITY = "city", _p("fund source", "City")
    COUNTY = "county", _p("fund source", "County")
    DONATION = "donation", _p("fund source", "Donation")


class Account(models.TextChoices):
    """The accounts of an allotment; `allotted` is the other side of all the others."""

    ALLOTTED = "allotted", _p("ledger account", "Allotted")
    AVAILABLE = "available", _p("ledger account", "Available")
    COMMITTED = "committed", _p("ledger account", "Committed")
    PAID = "paid", _p("ledger account", "Paid")
    RETURNED = "returned", _p("ledger account", "Returned by the bank")
    RECOVERED = "recovered", _p("ledger account", "Recovered")


BALANCES = [account.value for account in Account if account != Account.ALLOTTED]

ENTRY_KINDS = [
    ("allot", _p("ledger entry", "Allotted")),
    ("adjust", _p("ledger entry", "Allotment adjusted")),
    ("commit", _p("ledger entry", "Committed for a batch")),
    ("choose", _p("ledger entry", "Other allotments chosen")),
    ("take_over", _p("ledger entry", "Taken over by a reissue")),
    ("release", _p("ledger entry", "Commitment released")),
    ("pay", _p("ledger entry", "Paid")),
    ("return", _p("ledger entry", "Returned by the bank")),
    ("recover", _p("ledger entry", "Recovered")),
]


def _money(**kwargs: object) -> models.DecimalField:
    return models.DecimalField(max_digits=14, decimal_places=2, **kwargs)  # type: ignore[arg-type]


class SplitRule(models.Model):
    """分担比例: which source bears how many percent of a programme from a day on; from its file (DOMAIN.md §2.4)."""

    programme = models.ForeignKey("programmes.Programme", on_delete=models.CASCADE, related_name="+")
    valid_from = models.DateField()
    shares = models.JSONField()
    """{source: percent as text with two places}; the sum is 100.00."""
    basis = models.CharField(max_length=200)
    verified = models.BooleanField(default=False)
    """Whether the official document was at hand."""

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["programme", "valid_from"], name="one_split_per_day")]


class Allotment(models.Model):
    """资金下达: a budget document (指标文) by which a source gives an office money for a year. Never edited."""

    path = models.CharField(max_length=255)
    source = models.CharField(_("fund source"), max_length=12, choices=FundSource)
    budget_year = models.PositiveSmallIntegerField(_("budget year"))
    document = models.CharField(_("document number"), max_length=60)
    dated = models.DateField(_("date of the document"))
    amount = _money()
    programmes = models.JSONField(default=list)
    """专款专用: codes of the only programmes it may be spent on; empty for any."""
    rural_priority = models.BooleanField(_("earmarked for rural revitalisation"), default=False)
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("fund allotment")
        verbose_name_plural = _("fund allotments")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["path", "source", "document"], name="one_allotment_per_document"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="allotment_positive"),
            models.CheckConstraint(condition=Q(source__in=FundSource.values), name="allotment_of_known_source"),
        ]

    def __str__(self) -> str:
        return self.document


class Adjustment(models.Model):
    """追加、调减: a later document that gives more to an allotment or takes some of it back. Never edited."""

    allotment = models.ForeignKey(Allotment, on_delete=models.PROTECT, related_name="adjustments")
    document = models.CharField(max_length=60)
    dated = models.DateField()
    amount = _money()
    """Yuan; negative where money is taken back."""
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["allotment", "document"], name="one_adjustment_per_document"),
            models.CheckConstraint(condition=~Q(amount=0), name="adjustment_not_zero"),
        ]


class Balance(models.Model):
    """What an allotment's postings come to; written by their trigger alone, locked by whoever is about to post."""

    allotment = models.OneToOneField(Allotment, primary_key=True, on_delete=models.PROTECT, related_name="balance")
    allotted = _money(default=Decimal("0.00"))
    available = _money(default=Decimal("0.00"))
    committed = _money(default=Decimal("0.00"))
    paid = _money(default=Decimal("0.00"))
    returned = _money(default=Decimal("0.00"))
    recovered = _money(default=Decimal("0.00"))

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(**{f"{account}__gte": 0}), name=f"balance_{account}_not_negative")
            for account in BALANCES
        ]


class LedgerEntry(models.Model):
    """A transaction of the ledger; its postings add up to nothing for each allotment. Append-only."""

    kind = models.CharField(max_length=12, choices=ENTRY_KINDS)
    batch = models.ForeignKey("disbursement.Batch", null=True, on_delete=models.PROTECT, related_name="entries")
    document = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    business_at = models.DateTimeField()
    by = models.CharField(max_length=64)
    """The natural person's key, as in the record."""
    by_name = models.CharField(max_length=80)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        default_permissions = ()


class Posting(models.Model):
    """One side of an entry: so much onto (or, negative, off) an account of an allotment, for a batch. Append-only."""

    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="postings")
    allotment = models.ForeignKey(Allotment, on_delete=models.PROTECT, related_name="postings")
    batch = models.ForeignKey("disbursement.Batch", null=True, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(max_length=12, choices=Account)
    amount = _money()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="posting_not_zero"),
            models.CheckConstraint(condition=Q(account__in=Account.values), name="posting_to_known_account"),
        ]
