"""Awards come from approved applications, all of one decision at once (DOMAIN.md §3.2)."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef

from approvals.applications.models import Application
from approvals.awards.models import Award, AwardTerm
from approvals.programmes import queries as programmes
from approvals.programmes.models import Rate
from approvals.programmes.terms import Term
from workflows import record
from workflows.actors import SYSTEM
from workflows.background import due
from workflows.clock import Moment, moment
from workflows.machines import transition_all

NO_PAYMENT = "none"
Rates = dict[tuple[int, str, str, str], Rate | None]


def grant(case_ids: Iterable[int], at: Moment | None = None) -> int:
    """Creates the award of each approved case, with its amount by term; returns how many.

    Programmes that pay nothing (recognition) give no award. The basis is copied, so that a later change of
    category does not end what was granted (DOMAIN.md §2.5, rule 4). Cases that have an award are left alone.
    """

    at = at or moment()
    ids = list(case_ids)
    applications = Application.objects.filter(case__in=ids, case__award=None).select_related("version")
    awards, terms = [], []
    rates: Rates = {}
    for application in applications.defer("circumstances", "guardian_id", "guardian_phone", "account_no"):
        kind = application.version.rules.disbursement
        if kind == NO_PAYMENT:
            continue
        award = Award(
            case_id=application.case_id,
            student_id=application.student_id,
            school_id=application.school_id,
            path=application.path,
            version_id=application.version_id,
            programme=application.programme,
            group=application.group,
            school_year=application.school_year,
            kind=kind,
            basis=_basis(application),
            granted_at=at.business,
        )
        awards.append(award)
        terms.append(_amounts(application, rates))
    with transaction.atomic():
        Award.objects.bulk_create(awards, batch_size=2000)
        AwardTerm.objects.bulk_create(
            (
                AwardTerm(award=award, term=term, amount=amount, rate_id=rate)
                for award, amounts in zip(awards, terms, strict=True)
                for term, amount, rate in amounts
            ),
            batch_size=2000,
        )
        record.write("grant", "award", [award.pk for award in awards], SYSTEM, at=at)
        activate_started(at)
    return len(awards)


def _basis(application: Application) -> dict[str, object]:
    return {
        "level": application.level,
        "tier": application.tier,
        "stage": application.stage,
        "boarder": application.boarder,
        "special_groups": application.special_groups,
    }


def _amounts(application: Application, rates: Rates) -> list[tuple[str, Decimal, int | None]]:
    """(term, yuan, rate) for the application's term and the rest of its school year."""
    amounts: list[tuple[str, Decimal, int | None]] = []
    term = Term.of(application.term)
    while term.school_year == application.school_year:
        sought = (application.version_id, term.code, application.stage, application.tier)
        if sought not in rates:
            rates[sought] = programmes.rate_for(application.version, *sought[1:])
        rate = rates[sought]
        granted = application.amount if term.code == application.term else None
        amount = granted if granted is not None else (rate.amount if rate else None)
        if amount is not None:
            amounts.append((term.code, amount, rate.pk if rate else None))
        term = term.next()
    return amounts


def activate_started(at: Moment | None = None) -> int:
    """Makes pending awards active whose first term has begun; returns how many (DOMAIN.md §3.2)."""
    at = at or moment()
    with transaction.atomic():
        pending = Award.objects.filter(state="pending").select_for_update(no_key=True, skip_locked=True)
        begun = AwardTerm.objects.filter(award=OuterRef("pk"), term__lte=Term.on(at.date).code)
        paths = dict(pending.filter(Exists(begun)).order_by("pk").values_list("pk", "path"))
        if paths:
            activated = transition_all(Award.objects.filter(pk__in=list(paths)), "activate")
            lines = (record.Line(pk, path) for pk, path in paths.items())
            record.write_lines("activate", "award", lines, SYSTEM, states=("pending", "active"), at=at)
            return activated
    return 0


@due("awards")
def activate_due() -> int:
    """Swept: awards whose term has begun since they were granted."""
    return activate_started()
