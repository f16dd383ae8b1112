"""What is proposed of awards, by the school or the county's reviewer; nothing changes yet (DOMAIN.md §3.2)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.db import transaction

from approvals.awards.actions.common import CONFIRMS, PROPOSES, answers, day_of, locked, reason_of, tell
from approvals.awards.models import OPEN, Award, AwardProposal, EnrolmentEvent
from approvals.awards.reasons import COMPLETE, RESUME, SUSPEND, TERMINATE, TRANSFER
from approvals.awards.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.organisations.proposals import Answer
from approvals.organisations.roles import matrix
from approvals.programmes.models import ProgrammeVersion
from workflows import record
from workflows.clock import moment
from workflows.machines import transition_all
from workflows.reasons import Reason
from workflows.working_days import calendar

STOPPING = (SUSPEND, TRANSFER, TERMINATE, COMPLETE)
"""Changes for which an award is suspended by itself when nobody decides them in time."""


class Goal(NamedTuple):
    """Where a pupil goes: a school of the county, or the name of one elsewhere."""

    school: Organisation | None = None
    place: str = ""


NOWHERE = Goal()


class Wanted(NamedTuple):
    """One change of one award."""

    award: Award
    kind: str
    reason: Reason
    on: date
    goal: Goal = NOWHERE
    event: EnrolmentEvent | None = None
    by_county: bool = False


def propose(
    award_ids: Iterable[int],
    kind: str,
    reason_code: str,
    text: str,
    effective_on: date,
    by: UserActor,
    goal: Goal = NOWHERE,
) -> list[Answer]:
    """提出暂停、恢复、转出、终止 or 毕业 of awards; an answer per award. Raises Refused (the reason)."""
    reason = reason_of(kind, reason_code, text)

    def act(wanted: list[int]) -> dict[int, Refused]:
        with transaction.atomic():
            found = locked(wanted)
            refused = {pk: Refused("no_such_award") for pk in wanted if pk not in found}
            posts = _posts(found.values(), kind, by)
            waiting = set(
                AwardProposal.objects.filter(award__in=found, state__in=OPEN).values_list("award_id", flat=True)
            )
            rules = ProgrammeVersion.objects.in_bulk({award.version_id for award in found.values()})
            ready = []
            for pk, award in found.items():
                try:
                    if pk not in posts:
                        raise Refused("no_such_award")
                    if not matrix().in_state(f"award.propose_{kind}", award.state):
                        raise Refused("wrong_state")
                    if pk in waiting:
                        raise Refused("already_proposed")
                    _suits(award, kind, effective_on, goal, rules[award.version_id])
                except Refused as refusal:
                    refused[pk] = refusal
                else:
                    ready.append(Wanted(award, kind, reason, effective_on, goal, None, posts[pk][1]))
            make(ready, {award: post for award, (post, _) in posts.items()}, by)
        return refused

    return answers(award_ids, act)


def _posts(awards: Iterable[Award], kind: str, by: UserActor) -> dict[int, tuple[str, bool]]:
    """By award that `by` may propose this of: under which post, and whether as the county's reviewer."""
    found = list(awards)
    paths = {award.path for award in found}
    school = by.permits(PROPOSES, paths)
    county = by.permits(CONFIRMS, paths) if kind == TERMINATE else {}
    held = {path: (post, True) for path, post in county.items()} | {
        path: (post, False) for path, post in school.items()
    }
    return {award.pk: held[award.path] for award in found if award.path in held}


def _suits(award: Award, kind: str, on: date, goal: Goal, version: ProgrammeVersion) -> None:
    day_of(award, on)
    if kind == RESUME:
        if award.audit_held:
            raise Refused("audit_held")
        if award.stops_on and on < award.stops_on:
            raise Refused("before_the_stop", day=award.stops_on)
    if kind == TRANSFER:
        suits_goal(award, goal, version)


def suits_goal(award: Award, goal: Goal, version: ProgrammeVersion) -> None:
    """Whether a pupil's award can go where the pupil goes. Raises Refused."""
    if goal.school is None:
        if len(goal.place.strip()) < 2:
            raise Refused("goal_missing")
    elif goal.school.pk == award.school_id:
        raise Refused("same_school")
    elif not covers(version, goal.school):
        raise Refused("school_not_covered", school=goal.school)


def covers(version: ProgrammeVersion, school: Organisation) -> bool:
    """Whether a programme is for the pupils of a school."""
    rules = version.rules
    return bool(set(rules.stages) & set(school.stages)) and (not rules.schools or school.code in rules.schools)


def make(wanted: Sequence[Wanted], posts: dict[int, str], by: UserActor) -> list[AwardProposal]:
    """Writes proposals of locked awards of which none waits, and tells whose turn it is."""
    if not wanted:
        return []
    at = moment()
    rules = ProgrammeVersion.objects.in_bulk({each.award.version_id for each in wanted})
    due = {pk: calendar().after(at.date, version.rules.award.decide_days) for pk, version in rules.items()}
    proposals = AwardProposal.objects.bulk_create(
        [
            AwardProposal(
                state="to_accept" if each.goal.school else "to_second" if each.by_county else "waiting",
                award=each.award,
                path=each.goal.school.path if each.goal.school else each.award.path,
                kind=each.kind,
                reason_code=each.reason.code,
                reason_text=each.reason.text,
                effective_on=each.on,
                event=each.event,
                from_school_id=each.award.school_id,
                to_school=each.goal.school,
                to_place=each.goal.place.strip(),
                by_county=each.by_county,
                proposed_by=by.user,
                proposed_person=by.user.person,
                proposed_at=at.business,
                due_on=due[each.award.version_id] if each.event and each.kind in STOPPING else None,
                first_by=by.user if each.by_county else None,
                first_person=by.user.person if each.by_county else None,
                first_at=at.business if each.by_county else None,
            )
            for each in wanted
        ],
        batch_size=2000,
    )
    for kind in {each.kind for each in wanted}:
        same = [each for each in wanted if each.kind == kind]
        lines = [record.Line(each.award.pk, each.award.path, posts.get(each.award.pk, "")) for each in same]
        record.write_lines(f"propose_{kind}", "award", lines, by, at=at, reason=said(same))
    for event, permission, state in (
        ("award_proposed", CONFIRMS, "waiting"),
        ("award_to_second", "second_award", "to_second"),
        ("award_to_accept", PROPOSES, "to_accept"),
    ):
        tell(event, permission, [(p.award_id, p.path) for p in proposals if p.state == state], but=by.user_id)
    return proposals


def said(wanted: Sequence[Wanted]) -> Reason | None:
    """The reason that all of these share; else only its code, or none: each proposal keeps its own."""
    codes, texts = {each.reason.code for each in wanted}, {each.reason.text for each in wanted}
    if len(codes) > 1:
        return None
    return Reason(codes.pop(), texts.pop() if len(texts) == 1 else "")


def lapse(award_ids: Iterable[int], by: UserActor) -> None:
    """What still waits of locked awards is overtaken by another change."""
    waiting = AwardProposal.objects.filter(award__in=list(award_ids), state__in=OPEN)
    lines = [record.Line(pk, path) for pk, path in waiting.values_list("award_id", "award__path")]
    if lines:
        transition_all(waiting, "lapse")
        record.write_lines("lapse_proposal", "award", lines, by)
