"""Submitting, withdrawing and cancelling, and confirming that the signed papers of a list are held."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from django.db import OperationalError, transaction
from psycopg.errors import LockNotAvailable

from approvals.applications.missing import Supplied, missing_codes
from approvals.applications.models import Application, Roster
from approvals.applications.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.programmes.models import ProgrammeVersion
from workflows import Reason, Result, decide, record
from workflows.actors import Actor
from workflows.clock import today
from workflows.facts import set_missing
from workflows.flows.aid import AidFlow
from workflows.models import Case, WorkItem
from workflows.moving import take_level
from workflows.queries import open_items

EDITABLE = ("draft", "returned")
"""States in which a school may change an application and its papers."""
LEVEL = "submit"
"""The level at which whoever enters, changes or submits an application acts on it."""
LONG = ("content", "problems", "understood")
"""What of a roster need not be read to know its state."""


class Answer(NamedTuple):
    """What became of one case."""

    case_id: int
    ok: bool
    code: str
    message: str


def submit(case_ids: Iterable[int], by: Actor) -> list[Answer]:
    """Submits drafts and resubmits returned applications, one or ten thousand.

    An answer per case that waits to be submitted, in the order given; a case that no longer does has none.
    """
    wanted = list(dict.fromkeys(case_ids))
    with transaction.atomic():
        # A case that somebody is changing at this moment is left to `decide`, which waits for it or says so.
        refresh_missing(wanted, by, skip_locked=True)
    answers: list[Answer] = []
    for step, outcome in (("draft", "submit"), ("correction", "resubmit")):
        items = open_items(AidFlow.kind, step, wanted)
        answers += _decided(items, decide(items.values(), outcome, by))
    return _in_order(wanted, answers)


def take_back(case_ids: Iterable[int], outcome: str, by: Actor, reason: Reason | None = None) -> list[Answer]:
    """Withdraws (`withdraw`) or cancels (`cancel`, which needs a reason) cases where they stand.

    An answer per case that has not ended, in the order given.
    """
    if outcome not in ("withdraw", "cancel"):
        raise ValueError(outcome)
    wanted = list(dict.fromkeys(case_ids))
    items = dict(WorkItem.objects.filter(process_id__in=wanted, finished=None).values_list("process_id", "id"))
    results = decide(items.values(), outcome, by, reason=reason)
    return _in_order(wanted, _decided(items, results))


def _decided(items: dict[int, int], results: list[Result]) -> list[Answer]:
    cases = {item: case for case, item in items.items()}
    return [Answer(cases[result.task_id], result.ok, result.code, result.message) for result in results]


def _in_order(wanted: list[int], answers: list[Answer]) -> list[Answer]:
    found = {answer.case_id: answer for answer in answers}
    return [found[case] for case in wanted if case in found]


# ---------------------------------------------------------------- what is missing


def refresh_missing(case_ids: Iterable[int], by: Actor | None = None, skip_locked: bool = False) -> None:
    """Works out again what drafts and returned applications lack; of `by`, only where that person may submit.

    Locks the cases until the caller's transaction ends, so that nobody changes what is being looked at.
    """
    cases = Case.objects.filter(pk__in=list(case_ids), state__in=EDITABLE).order_by("pk")
    locked = cases.select_for_update(no_key=True, skip_locked=skip_locked).values_list("pk", flat=True)
    rows = list(
        Application.objects.filter(case__in=list(locked)).values_list(
            "case_id", "path", "version_id", "level", "tier", "amount", "guardian_name", "account_hash",
            "commitment_on", "consent_on", "student__birth_date", "case__missing",
        )
    )  # fmt: skip
    if by is not None:
        allowed = by.permits("submit_application", {row[1] for row in rows})
        rows = [row for row in rows if row[1] in allowed]
    versions = ProgrammeVersion.objects.in_bulk({row[2] for row in rows})
    on = today()
    changed: dict[int, list[str]] = {}
    for case, _path, version, level, tier, amount, guardian, account, commitment, consent, born, missing in rows:
        supplied = Supplied(
            level=bool(level),
            tier=bool(tier),
            amount=amount is not None,
            guardian=bool(guardian),
            account=account is not None,
            commitment=commitment is not None,
            consent=consent is not None,
            birth_date=born,
        )
        codes = missing_codes(versions[version].rules.needs, supplied, on)
        if codes != missing:
            changed[case] = codes
    set_missing(changed)


def act_as_applicant(case_ids: Iterable[int], by: Actor) -> None:
    """Notes that a person worked on what is submitted: whoever did judges these cases at no other level.

    Raises Refused (other_level) when he has acted on one of them at another level, or is recused from it.
    """
    cases = list(case_ids)
    if by.key and take_level([(case, LEVEL) for case in cases], by.key) != set(cases):
        raise Refused("other_level")


def confirm_papers(roster_id: int, commitment_held: bool, consent_held: bool, by: UserActor) -> int:
    """Notes for a whole list that the signed commitments, and the consents for under-14s, are held.

    Reaches the drafts of the list on which this person may act for the school, returns how many. A paper that is no
    longer ticked is taken back where it bears the day that was noted for the whole list; a day typed on a single form
    stays. Raises Refused (busy), PermissionDenied and Roster.DoesNotExist.
    """
    with not_for_long(), transaction.atomic():
        roster = Roster.objects.select_for_update().defer(*LONG).get(pk=roster_id)
        post = by.require("submit_application", roster.path)
        drafts = Case.objects.filter(application__roster=roster_id, state="draft").order_by("pk")
        case_ids = list(drafts.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
        case_ids = sorted(take_level([(case, LEVEL) for case in case_ids], by.key))
        applications = Application.objects.filter(pk__in=case_ids)
        on = today()
        children = applications.filter(student__birth_date__gt=_born_fourteen_years_before(on))
        for whose, field, held in (
            (applications, "commitment_on", commitment_held),
            (children, "consent_on", consent_held),
        ):
            noted = getattr(roster, field)
            if held:
                setattr(roster, field, noted or on)
                whose.filter(**{field: None}).update(**{field: noted or on})
            elif noted:
                setattr(roster, field, None)
                whose.filter(**{field: noted}).update(**{field: None})
        roster.save(update_fields=["commitment_on", "consent_on"])
        refresh_missing(case_ids)
        record.write(
            "confirm_papers", "roster", [roster_id], by, post=post, path=roster.path,
            data={"commitment": commitment_held, "consent": consent_held, "drafts": len(case_ids)},
        )  # fmt: skip
    return len(case_ids)


def _born_fourteen_years_before(day: date) -> date:
    """Who was born after this is under 14 on `day`; see `people.identity.is_under_14`."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 14, day=28 if leap_day else day.day)


@contextmanager
def not_for_long() -> Iterator[None]:
    """A lock that somebody else holds for longer is a refusal, not an error."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Refused("busy") from error
        raise


def mark_ended(case_ids: Iterable[int]) -> None:
    """Rejected, withdrawn and cancelled applications leave their place in the group and school year."""
    Application.objects.filter(case__in=list(case_ids), live=True).update(live=False)
