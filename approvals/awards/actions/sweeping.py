"""What happens to awards by itself: suspended when nobody decides, continued into a new school year, completed."""

from collections.abc import Callable
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from approvals.awards import payments
from approvals.awards.actions.common import CONFIRMS, PROPOSES, tell
from approvals.awards.models import OPEN, Award, AwardProposal, AwardTerm
from approvals.awards.reasons import UNDECIDED
from approvals.programmes import queries as programmes
from approvals.programmes.models import ProgrammeVersion, Rate
from approvals.programmes.terms import Term
from workflows import record
from workflows.actors import SYSTEM
from workflows.clock import today
from workflows.machines import transition_all
from workflows.reasons import Reason

AT_ONCE = 2000


def suspend_undecided(limit: int = AT_ONCE) -> int:
    """Suspends awards of which a change of enrolment was not decided in its working days; returns how many.

    The proposal waits on: whoever declines it makes the award active again.
    """
    with transaction.atomic():
        late = AwardProposal.objects.filter(due_on__lt=today(), applied_on=None, state__in=OPEN)
        awards = list(
            Award.objects.filter(pk__in=late.order_by("due_on").values("award")[:limit])
            .order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",)).values_list("pk", flat=True)
        )  # fmt: skip
        return suspend_for(late.filter(award__in=awards)) if awards else 0


def suspend_for(proposals: QuerySet[AwardProposal]) -> int:
    """Suspends the locked awards of open proposals from their effective day on; returns of how many proposals."""
    chosen = list(proposals.values_list("pk", "award_id", "award__path", "award__state"))
    if not chosen:
        return 0
    mine = AwardProposal.objects.filter(pk__in=[pk for pk, *_ in chosen])
    day = Subquery(mine.filter(award=OuterRef("pk")).values("effective_on")[:1])
    able = {award: state for _, award, _, state in chosen if state in ("pending", "active")}
    transition_all(Award.objects.filter(pk__in=list(able)), "suspend", stops_on=day, stopped_for=UNDECIDED)
    mine.update(applied_on=today())
    stopped = [(award, path) for _, award, path, _ in chosen if award in able]
    for state in sorted(set(able.values())):
        lines = [record.Line(award, path, "system") for award, path in stopped if able[award] == state]
        record.write_lines("suspend", "award", lines, SYSTEM, states=(state, "suspended"), reason=Reason(UNDECIDED))
    tell("award_undecided", CONFIRMS, stopped)
    tell("award_undecided", PROPOSES, stopped)
    return len(chosen)


def complete_over(limit: int = AT_ONCE) -> int:
    """完成: completes active awards whose time is over and of which every term is paid; returns how many."""
    with transaction.atomic():
        over = (
            Award.objects.filter(state="active", ends_on__lt=today())
            .exclude(payments.unsettled())
            .exclude(payments.under_way())
        )
        paths = dict(
            over.order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",))
            .values_list("pk", "path")[:limit]
        )  # fmt: skip
        if paths:
            transition_all(Award.objects.filter(pk__in=list(paths)), "complete")
            lines = [record.Line(pk, path, "system") for pk, path in paths.items()]
            record.write_lines("complete", "award", lines, SYSTEM, states=("active", "completed"))
        return len(paths)


def continue_lasting(limit: int = AT_ONCE) -> int:
    """Awards for a stage go on in a new school year, at its rates; returns how many (DOMAIN.md §2.5 rule 4).

    What became of the basis they were granted on is not asked.
    """
    term = Term.on(today())
    first = Term(term.year, 1)
    year = [first.code, first.next().code]
    with transaction.atomic():
        has = AwardTerm.objects.filter(award=OuterRef("pk"), term__in=year)
        rows = (
            Award.objects.filter(lasting=True, state__in=["active", "suspended"], ends_on__gte=first.starts_on)
            .exclude(Exists(has))
            .order_by("pk")
            .select_for_update(no_key=True, skip_locked=True, of=("self",))[:limit]
        )
        awards = list(rows)
        if not awards:
            return 0
        amount = _rates(awards)
        terms = [
            AwardTerm(award=award, term=code, amount=rate.amount if rate else Decimal(0), rate=rate)
            for award in awards
            for code in year
            if Term.of(code).starts_on <= award.ends_on
            for rate in [amount(award, code)]
        ]
        AwardTerm.objects.bulk_create(terms, batch_size=2000)
        lines = [record.Line(award.pk, award.path, "system") for award in awards]
        record.write_lines("continue", "award", lines, SYSTEM, data={"school_year": first.school_year})
        return len(awards)


def _rates(awards: list[Award]) -> Callable[[Award, str], Rate | None]:
    """What the version in force of an award's programme gives in a term, by the basis it was granted on."""
    current = {version.programme_id: version for version in programmes.current()}
    versions = ProgrammeVersion.objects.in_bulk({award.version_id for award in awards})
    known: dict[tuple[str, str, str, str], Rate | None] = {}

    def amount(award: Award, code: str) -> Rate | None:
        key = (award.programme, code, str(award.basis.get("stage", "")), str(award.basis.get("tier", "")))
        if key not in known:
            version = current.get(award.programme) or versions[award.version_id]
            known[key] = programmes.rate_for(version, *key[1:])
        return known[key]

    return amount
