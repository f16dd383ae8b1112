"""Awards come from approved applications, all of one decision at once (DOMAIN.md §3.2)."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from approvals.applications.grades import GRADES
from approvals.applications.models import Application
from approvals.awards.models import Award, AwardInstalment, AwardTerm
from approvals.programmes import queries as programmes
from approvals.programmes.definition import AwardRule
from approvals.programmes.models import Rate
from approvals.programmes.terms import Term
from workflows import record
from workflows.actors import SYSTEM
from workflows.clock import Moment, moment
from workflows.machines import transition_all

NO_PAYMENT = "none"
LIFE = "life"
TRIES = 5
CENT = Decimal("0.01")
Rates = dict[tuple[int, str, str, str], Rate | None]


class Amount(NamedTuple):
    """What an award gives in a term; `number` where it is an instalment that waits for its proof."""

    term: str
    yuan: Decimal
    rate: int | None
    number: int = 0


def grant(case_ids: Iterable[int], at: Moment | None = None) -> int:
    """Creates the award of each approved case, with its amount by term; returns how many.

    Programmes that pay nothing (recognition) give no award. The basis is copied, so that a later change of
    category does not end what was granted (DOMAIN.md §2.5, rule 4). Cases that have an award are left alone. A pupil
    who has an award that excludes this one gets none, which the record of the case says.
    """

    at = at or moment()
    ids = list(case_ids)
    applications = Application.objects.filter(case__in=ids, case__award=None).select_related("version")
    wanted = []
    rates: Rates = {}
    for application in applications.defer("circumstances", "guardian_id", "guardian_phone", "account_no"):
        if application.version.rules.disbursement != NO_PAYMENT:
            wanted.append((_award(application, at), _amounts(application, rates)))
    for attempt in range(1, TRIES + 1):
        try:
            with transaction.atomic():
                return _grant(wanted, at)
        except IntegrityError as error:
            # Somebody else granted an award that excludes one of these at this very moment: it is seen now.
            if "one_award_per_span" not in str(error) or attempt == TRIES:
                raise
            for award, _ in wanted:
                award.pk = None
    return 0


def _grant(wanted: Sequence[tuple[Award, list[Amount]]], at: Moment) -> int:
    barred = excluded((award.student_id, award.group, award.span) for award, _ in wanted)
    free = []
    for award, amounts in wanted:
        key = (award.student_id, award.group, award.span)
        if key in barred:
            record.write("not_granted", "case", [award.case_id], SYSTEM, path=award.path, at=at,
                         data={"award": barred[key].pk})  # fmt: skip
        else:
            barred[key] = award  # two of one pupil in the same decision exclude each other too
            free.append((award, amounts))
    Award.objects.bulk_create([award for award, _ in free], batch_size=2000)
    terms = AwardTerm.objects.bulk_create(
        [
            AwardTerm(award=award, term=each.term, amount=each.yuan, rate_id=each.rate,
                      hold="proof" if each.number else "")
            for award, amounts in free
            for each in amounts
        ],
        batch_size=2000,
    )  # fmt: skip
    numbers = [each.number for _, amounts in free for each in amounts]
    AwardInstalment.objects.bulk_create(
        (AwardInstalment(term=term, number=number) for term, number in zip(terms, numbers, strict=True) if number),
        batch_size=2000,
    )
    record.write("grant", "award", [award.pk for award, _ in free], SYSTEM, at=at)
    activate_started(at)
    return len(free)


def excluded(keys: Iterable[tuple[int, str, str]]) -> dict[tuple[int, str, str], Award]:
    """Of (pupil, group, span), those that an award has taken, with that award."""
    wanted = set(keys)
    students = {student for student, _, _ in wanted}
    found = Award.objects.filter(student__in=students, taken=True).only(
        "student", "group", "span", "programme", "school_year"
    )
    return {key: award for award in found if (key := (award.student_id, award.group, award.span)) in wanted}


def span_of(rule: AwardRule, school_year: str, stage: str) -> str:
    """For how long an award excludes others of its group."""
    return {"school_year": school_year, "stage": stage, "lifetime": LIFE}[rule.exclusive]


def _award(application: Application, at: Moment) -> Award:
    rules = application.version.rules
    return Award(
        case_id=application.case_id,
        student_id=application.student_id,
        school_id=application.school_id,
        path=application.path,
        version_id=application.version_id,
        programme=application.programme,
        group=application.group,
        school_year=application.school_year,
        span=span_of(rules.award, application.school_year, application.stage),
        lasting=rules.award.lasts == "stage",
        ends_on=_ends_on(application),
        kind=rules.disbursement,
        basis=_basis(application),
        granted_at=at.business,
    )


def _ends_on(application: Application) -> date:
    """The last day of the school year; of the stage, by the grade, or its whole length where the grade is not known;
    of the year of the last instalment.
    """
    rule, year = application.version.rules.award, Term.of(application.term).year
    if rule.instalments:
        return Term(year + rule.instalments.count - 1, 2).ends_on
    if rule.lasts == "stage":
        grades = GRADES.get(application.stage, ())
        done = grades.index(application.grade) if application.grade in grades else 0
        return Term(year + max(len(grades), 1) - done - 1, 2).ends_on
    return Term(year, 2).ends_on


def _basis(application: Application) -> dict[str, object]:
    return {
        "level": application.level,
        "tier": application.tier,
        "stage": application.stage,
        "boarder": application.boarder,
        "special_groups": application.special_groups,
    }


def _amounts(application: Application, rates: Rates) -> list[Amount]:
    """What it gives in the application's term and the rest of its school year; the parts of a sum in instalments."""
    rule = application.version.rules.award
    amounts: list[Amount] = []
    term = Term.of(application.term)
    while term.school_year == application.school_year:
        sought = (application.version_id, term.code, application.stage, application.tier)
        if sought not in rates:
            rates[sought] = programmes.rate_for(application.version, *sought[1:])
        rate = rates[sought]
        granted = application.amount if term.code == application.term else None
        amount = granted if granted is not None else (rate.amount if rate else None)
        if rule.instalments and amount is not None:
            parts = in_parts(amount, rule.instalments.count)
            key = rate.pk if rate else None
            return [Amount(Term(term.year + n, term.number).code, part, key, n + 1) for n, part in enumerate(parts)]
        if amount is not None:
            amounts.append(Amount(term.code, amount, rate.pk if rate else None))
        term = term.next()
    return amounts


def in_parts(total: Decimal, count: int) -> list[Decimal]:
    """A sum in equal parts that add up to it to the fen."""
    until = [(total * n / count).quantize(CENT, ROUND_HALF_UP) for n in range(count + 1)]
    return [after - before for before, after in pairwise(until)]


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
