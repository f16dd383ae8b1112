"""学籍变动: what changed in pupils' enrolment, and what it proposes of their awards (DOMAIN.md §3.2, rules)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q

from approvals.awards.actions.common import PROPOSES, locked
from approvals.awards.actions.proposing import NOWHERE, Goal, Wanted, covers, lapse, make
from approvals.awards.actions.sweeping import suspend_for
from approvals.awards.models import LIVE, Award, AwardProposal, EnrolmentEvent, EventList
from approvals.awards.reasons import COMPLETE, EVENTS, RESUME, SUSPEND, TERMINATE, TRANSFER
from approvals.awards.reasons import PROPOSES as CHANGES
from approvals.awards.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.people.models import Student
from approvals.programmes.models import ProgrammeVersion
from approvals.programmes.terms import Term
from workflows import record
from workflows.clock import moment, today
from workflows.reasons import Reason

EARLIEST = date(2000, 1, 1)
KINDS = dict(EVENTS)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one pupil's enrolment, as it is reported."""

    student: Student
    kind: str
    on: date
    remark: str = ""
    goal: Goal = NOWHERE


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of reported changes: how many were new, and how many proposals they made."""

    events: int
    proposals: int


def record_event(change: Change, school: Organisation, by: UserActor) -> Recorded:
    """登记 one change, by the pupil's school. Raises Refused (event_known, not_of_school, …)."""
    if change.on > today():
        raise Refused("date_ahead")
    if change.on < EARLIEST:
        raise Refused("date_too_old", first=EARLIEST)
    if change.kind == "transfer":
        if change.goal.school is None and len(change.goal.place.strip()) < 2:
            raise Refused("goal_missing")
        if change.goal.school is not None and change.goal.school.pk == school.pk:
            raise Refused("same_school")
    recorded = record_events([change], school, by)
    if not recorded.events:
        raise Refused("event_known")
    return recorded


def record_events(
    changes: Iterable[Change], school: Organisation, by: UserActor, source: EventList | None = None
) -> Recorded:
    """登记 changes of a school's pupils, each once, and proposes what follows for their awards.

    What is on record already is left alone. A death stops the pupil's awards at once. A bounded number of statements.
    """
    post = by.require(PROPOSES, school.path)
    given = list(changes)
    at = moment()
    with transaction.atomic():
        if any(change.student.school_id != school.pk for change in given):
            raise Refused("not_of_school")
        awards = _affected([change.student.pk for change in given], school)
        new = _new(given, school, by, source)
        made: list[AwardProposal] = []
        if new:
            made = _proposed(new, awards, post, by)
        data = {"events": len(new), "proposals": len(made), "list": source.pk if source else None}
        record.write("record_events", "school", [school.pk], by, post=post, path=school.path, at=at, data=data)
        dead = [each.pk for each in made if each.reason_code == "death"]
        if dead:
            suspend_for(AwardProposal.objects.filter(pk__in=dead))
    return Recorded(len(new), len(made))


def _affected(students: Sequence[int], school: Organisation) -> dict[int, list[Award]]:
    """The live awards of pupils at their school, locked, by pupil."""
    keys = Award.objects.filter(student__in=students, school=school, state__in=LIVE).values_list("pk", flat=True)
    found = [award for award in locked(list(keys)).values() if award.state in LIVE]
    versions = ProgrammeVersion.objects.in_bulk({award.version_id for award in found})
    by_student: dict[int, list[Award]] = {}
    for award in found:
        award.version = versions[award.version_id]
        by_student.setdefault(award.student_id, []).append(award)
    return by_student


def _new(
    changes: Sequence[Change], school: Organisation, by: UserActor, source: EventList | None
) -> list[tuple[EnrolmentEvent, Change]]:
    """The events that were not on record, now written; the database keeps each once."""
    at = moment().business
    known = _known(changes)
    fresh = {key: change for change in changes if (key := (change.student.pk, change.kind, change.on)) not in known}
    EnrolmentEvent.objects.bulk_create(
        [
            EnrolmentEvent(
                student=change.student,
                school=school,
                path=school.path,
                kind=change.kind,
                on=change.on,
                to_school=change.goal.school,
                to_place=change.goal.place.strip(),
                remark=change.remark,
                list=source,
                recorded_by=by.user,
                recorded_at=at,
            )
            for change in fresh.values()
        ],
        batch_size=2000,
        ignore_conflicts=True,
    )
    written = EnrolmentEvent.objects.filter(recorded_by=by.user, recorded_at=at, school=school)
    return [(event, fresh[key]) for event in written if (key := (event.student_id, event.kind, event.on)) in fresh]


def _known(changes: Sequence[Change]) -> set[tuple[int, str, date]]:
    students = {change.student.pk for change in changes}
    return set(EnrolmentEvent.objects.filter(student__in=students).values_list("student_id", "kind", "on"))


def _proposed(
    events: Sequence[tuple[EnrolmentEvent, Change]], awards: dict[int, list[Award]], post: str, by: UserActor
) -> list[AwardProposal]:
    """The proposals that follow from events. Of several events of one pupil the last counts; what waited lapses."""
    latest: dict[int, tuple[EnrolmentEvent, Change]] = {}
    for event, change in sorted(events, key=lambda pair: (pair[0].on, pair[0].pk)):
        latest[event.student_id] = (event, change)
    wanted = [
        found
        for student, (event, change) in latest.items()
        for award in awards.get(student, [])
        if (found := _follows(event, change, award)) is not None
    ]
    lapse([each.award.pk for each in wanted], by)
    return make(wanted, {each.award.pk: post for each in wanted}, by)


def _follows(event: EnrolmentEvent, change: Change, award: Award) -> Wanted | None:
    """What an event proposes of an award; None where it changes nothing of it."""
    kind = CHANGES[event.kind]
    reason = {
        SUSPEND: "leave", RESUME: "return", TRANSFER: "transfer", COMPLETE: "graduation", TERMINATE: event.kind,
    }[kind]  # fmt: skip
    first = Term(int(award.school_year[:4]), 1).starts_on
    on = max(event.on, first)
    if event.on > award.ends_on:
        return None
    if kind == SUSPEND and award.state == "suspended" and award.stopped_for == "leave":
        return None
    if kind == RESUME and (award.state != "suspended" or award.audit_held or (award.stops_on or on) > on):
        return None
    if kind == COMPLETE and (award.state != "active" or award.ends_on <= Term.on(event.on).ends_on):
        return None
    goal = change.goal
    if kind == TRANSFER and goal.school is not None and not covers(award.version, goal.school):
        # The award cannot follow the pupil there: it ends, as for a school outside the county.
        goal = Goal(None, str(goal.school))
    return Wanted(award, kind, Reason(reason, event.remark), on, goal, event)


def pupils_with(hashes: Iterable[bytes]) -> dict[bytes, Student]:
    """The pupils on the register by the blind index of their ID number, with what is asked of them here."""
    rows = Student.objects.filter(Q(id_hash__in=list(hashes))).only("id_hash", "school", "name")
    return {bytes(student.id_hash): student for student in rows}
