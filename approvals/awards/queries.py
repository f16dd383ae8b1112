"""What is asked of awards: lists for an office's subtree, one award with all that concerns it, what is payable."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform

from approvals.awards import payments
from approvals.awards.models import (
    OPEN,
    Award,
    AwardDifference,
    AwardInstalment,
    AwardProposal,
    AwardTerm,
    EnrolmentEvent,
    EventList,
)
from approvals.organisations.models import Organisation
from approvals.organisations.queries import below, schools_under
from approvals.programmes import queries as programmes
from approvals.programmes.models import Programme, Rate
from approvals.programmes.terms import Term
from workflows.clock import today


def awards_below(prefixes: Iterable[str]) -> QuerySet[Award]:
    """Awards in an office's subtree, newest first, with pupil, school and amounts by term."""
    return (
        Award.objects.filter(below(prefixes))
        .select_related("student", "school")
        .defer("student__id_number", "student__enrolment_no")
        .prefetch_related(Prefetch("terms", AwardTerm.objects.order_by("term")))
        .order_by("-id")
    )


def filtered(awards: QuerySet[Award], wanted: dict[str, str]) -> QuerySet[Award]:
    """Awards by programme, state, term, school (its key) and the beginning of the pupil's name."""
    for key, column in (("programme", "programme"), ("state", "state"), ("name", "student__name__startswith")):
        if wanted.get(key):
            awards = awards.filter(**{column: wanted[key]})
    if wanted.get("school", "").isdecimal():
        awards = awards.filter(school=int(wanted["school"][:18]))
    if wanted.get("term"):
        awards = awards.filter(Exists(AwardTerm.objects.filter(award=OuterRef("pk"), term=wanted["term"])))
    return awards


def award_of(case_id: int) -> Award | None:
    """The award that a case became."""
    return Award.objects.filter(case=case_id).prefetch_related("terms").first()


def award(prefixes: Iterable[str], award_id: int) -> Award | None:
    """One award, with pupil and school; None when it is not theirs to see."""
    rows = Award.objects.filter(below(prefixes), pk=award_id).select_related("student", "school", "version__programme")
    return rows.defer("student__id_number", "student__enrolment_no").first()


def programmes_awarded() -> list[tuple[str, str]]:
    """(code, name) of the programmes, for a filter."""
    return [(programme.code, str(programme)) for programme in Programme.objects.all()]


def terms_awarded() -> list[str]:
    """The terms for which there is any award, the latest first."""
    return sorted(set(AwardTerm.objects.values_list("term", flat=True).distinct()), reverse=True)


def schools_awarded(prefixes: Iterable[str]) -> QuerySet[Organisation]:
    """The schools of an office's subtree, for a filter."""
    return schools_under(prefixes)


# ---------------------------------------------------------------- one award


@dataclass(frozen=True)
class TermRow:
    """One term of an award as its page shows it."""

    term: AwardTerm
    lines: list[Any]
    """Payment lines of the term, the oldest first."""
    instalment: AwardInstalment | None


def terms_of(award: Award) -> list[TermRow]:
    """An award's terms with their rates, payments and proofs; two statements."""
    lines: dict[str, list[Any]] = {}
    for line in payments.of_award(award.pk):
        lines.setdefault(line.term, []).append(line)
    rows = award.terms.select_related("rate", "instalment__recorded_by", "instalment__confirmed_by").order_by("term")
    return [TermRow(row, lines.get(row.term, []), getattr(row, "instalment", None)) for row in rows]


def proposals_of(award: Award) -> QuerySet[AwardProposal]:
    """Everything that was proposed of an award, the latest first."""
    return _with_people(award.proposals.all()).order_by("-pk")


def events_of(award: Award) -> QuerySet[EnrolmentEvent]:
    """The changes of the pupil's enrolment, the latest first."""
    return (
        EnrolmentEvent.objects.filter(student=award.student_id)
        .select_related("school", "to_school", "recorded_by")
        .order_by("-on", "-pk")
    )


# ---------------------------------------------------------------- proposals


def _with_people(rows: QuerySet[AwardProposal]) -> QuerySet[AwardProposal]:
    return rows.select_related(
        "award__student", "award__school", "from_school", "to_school", "event",
        "proposed_by", "first_by", "second_by",
    ).defer("award__student__id_number", "award__student__enrolment_no", "award__basis")  # fmt: skip


def proposals_below(prefixes: Iterable[str]) -> QuerySet[AwardProposal]:
    """Proposals about awards of these offices' schools, and about pupils who are to come to them."""
    offices = list(prefixes)
    return _with_people(AwardProposal.objects.filter(below(offices) | below(offices, "award__path")))


def waiting_for(state: str, where: Q) -> QuerySet[AwardProposal]:
    """Proposals that wait in a state at the offices of a filter on `path`."""
    return AwardProposal.objects.filter(where, state=state)


def waiting_states(prefixes: Iterable[str]) -> dict[str, int]:
    """{state: how many} of the open proposals at these offices."""
    rows = AwardProposal.objects.filter(below(prefixes), state__in=OPEN)
    return dict(rows.values_list("state").annotate(count=Count("pk")).order_by("state"))


# ---------------------------------------------------------------- changes of enrolment


def events_below(prefixes: Iterable[str]) -> QuerySet[EnrolmentEvent]:
    """Changes of enrolment at these offices' schools, the latest recorded first."""
    return (
        EnrolmentEvent.objects.filter(below(prefixes))
        .select_related("student", "school", "to_school", "recorded_by")
        .defer("student__id_number", "student__enrolment_no")
        .order_by("-pk")
    )


def lists_below(prefixes: Iterable[str]) -> QuerySet[EventList]:
    """Uploaded lists of these offices' schools, the latest first."""
    return (
        EventList.objects.filter(below(prefixes))
        .select_related("school", "uploaded_by")
        .defer("content")
        .order_by("-pk")
    )


# ---------------------------------------------------------------- for payment


def payable_terms(where: Q) -> QuerySet[AwardTerm]:
    """Terms of active awards that have begun and that nothing holds back; `where` narrows the awards.

    Whether a term is in a batch already, its notices concluded and its account good is the room of payments' to ask.
    """
    awards = Award.objects.filter(where, state="active").values("pk")
    return AwardTerm.objects.filter(award__in=awards, hold="", amount__gt=0, term__lte=Term.on(today()).code)


def differences(prefixes: Iterable[str], settled: bool = False) -> QuerySet[AwardDifference]:
    """What is still owed (positive, purpose `difference`) or to be recovered (negative), by term and award."""
    rows = AwardDifference.objects.filter(below(prefixes, "award__path"), settled_at__isnull=not settled)
    return rows.select_related("award__student", "award__school", "rate").order_by("term", "award_id", "pk")


def difference_totals(prefixes: Iterable[str]) -> dict[str, Decimal]:
    """{"owed", "recover"} in yuan of the open differences."""
    rows = AwardDifference.objects.filter(below(prefixes, "award__path"), settled_at=None)
    sums = rows.aggregate(owed=Sum("amount", filter=Q(amount__gt=0)), recover=Sum("amount", filter=Q(amount__lt=0)))
    return {"owed": sums["owed"] or Decimal(0), "recover": -(sums["recover"] or Decimal(0))}


# ---------------------------------------------------------------- corrected rates


@dataclass(frozen=True)
class Correction:
    """A rate that was corrected for a term: the one that awards have, the one in force, and for how many."""

    programme: str
    term: str
    stage: str
    tier: str
    old: Rate
    new: Rate
    count: int


def corrections(prefixes: Iterable[str], programme: str = "", term: str = "") -> list[Correction]:
    """Where awards were granted at a rate that a newer version of their programme gives otherwise, by term."""
    rows = _at_a_rate(prefixes)
    if programme:
        rows = rows.filter(award__programme=programme)
    if term:
        rows = rows.filter(term=term)
    groups = rows.values("award__programme", "term", "rate", "stage", "tier").annotate(count=Count("pk")).order_by(
        "award__programme", "term", "stage", "tier", "rate"
    )  # fmt: skip
    current = {version.programme_id: version for version in programmes.current()}
    rates = Rate.objects.in_bulk({group["rate"] for group in groups})
    found = []
    for group in groups:
        version, old = current.get(group["award__programme"]), rates[group["rate"]]
        if version is None or old.version_id == version.pk:
            continue
        stage, tier = group["stage"] or "", group["tier"] or ""
        new = programmes.rate_for(version, group["term"], stage, tier)
        if new is not None and new.amount != old.amount:
            found.append(Correction(version.programme_id, group["term"], stage, tier, old, new, group["count"]))
    return found


def at_old_rate(prefixes: Iterable[str], found: Correction) -> QuerySet[AwardTerm]:
    """The award terms that a correction concerns."""
    return _at_a_rate(prefixes).filter(
        award__programme=found.programme, term=found.term, rate=found.old, stage=found.stage, tier=found.tier
    )


def _at_a_rate(prefixes: Iterable[str]) -> QuerySet[AwardTerm]:
    """Award terms that give what their rate says, with stage and tier of the basis; what is in a batch waits."""
    rows = AwardTerm.objects.filter(below(prefixes, "award__path"), amount=F("rate__amount")).exclude(
        hold__in=["ended", "missed"]
    )
    return rows.exclude(payments.begun() & ~payments.paid()).annotate(
        stage=KeyTextTransform("stage", "award__basis"), tier=KeyTextTransform("tier", "award__basis")
    )
