"""What awards ask of payments. The room of payments stands below this one: its lines are reached only from here."""

from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from approvals.awards.models import Award, AwardTerm

AID = "aid"
DIFFERENCE = "difference"
"""Purposes of payment lines (DOMAIN.md §3.5)."""
VOID = ("cancelled", "reissued", "recovered")
"""Lines that pay nothing: left out of a batch, replaced by another, or standing for money that was paid back."""
PAID = ("paid", "acknowledged")


def _lines() -> QuerySet:
    return Award._meta.get_field("lines").related_model._default_manager.all()  # type: ignore[union-attr]


def _of_term() -> QuerySet:
    """The lines of the award term that is looked at."""
    return _lines().filter(award=OuterRef("award"), term=OuterRef("term"), purpose=AID)


def begun() -> Exists:
    """Whether the money of an award term is in a batch, under way or paid: then it is changed by a difference only."""
    return Exists(_of_term().exclude(state__in=VOID))


def paid() -> Exists:
    """Whether the money of an award term has arrived."""
    return Exists(_of_term().filter(state__in=PAID))


def ever_paid(award: str = "pk") -> Exists:
    """Whether any money of an award has left or is on its way."""
    return Exists(_lines().filter(award=OuterRef(award)).exclude(state__in=VOID))


def unsettled() -> Exists:
    """Whether something of an award is still to be paid: a term that is not held back, or a line under way."""
    open_terms = AwardTerm.objects.filter(award=OuterRef("pk"), amount__gt=0).filter(Q(hold="") | Q(hold="proof"))
    return Exists(open_terms.exclude(paid()))


def under_way() -> Exists:
    """Whether a line of an award is neither paid nor void."""
    return Exists(_lines().filter(award=OuterRef("pk")).exclude(state__in=(*VOID, *PAID)))


def paid_to(awards: list[int]) -> list[tuple[int, str, Decimal]]:
    """(award, term, yuan) of the money that left for these awards and did not come back."""
    rows = _lines().filter(award__in=awards, purpose=AID).exclude(state__in=(*VOID, "failed", "account_fix"))
    sums = rows.values("award", "term").annotate(total=Sum("amount")).order_by("award", "term")
    return [(row["award"], row["term"], row["total"]) for row in sums]


def of_award(award: int) -> QuerySet:
    """Every line of an award, the oldest first."""
    return _lines().filter(award=award).select_related("batch").defer("account_no").order_by("term", "pk")
