"""Proposals about awards are confirmed, accepted, declined and taken back: one or many, an answer for each.

Awards are locked before their proposals, in the order of their keys. The natural persons of one proposal differ, here
and in the database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery

from approvals.awards import payments
from approvals.awards.actions.common import CONFIRMS, PROPOSES, SECONDS, answers, locked, own_kin, tell, words
from approvals.awards.actions.proposing import Goal, suits_goal
from approvals.awards.models import LIVE, OPEN, Award, AwardDifference, AwardProposal, AwardTerm
from approvals.awards.reasons import COMPLETE, RESUME, SUSPEND, TERMINATE, TRANSFER, UNDECIDED
from approvals.awards.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.proposals import Answer
from approvals.people.actions import move_pupils
from approvals.programmes.models import ProgrammeVersion
from approvals.programmes.terms import Term
from workflows import record
from workflows.actors import Actor
from workflows.clock import moment
from workflows.machines import transition_all
from workflows.reasons import Reason

FROM = {
    SUSPEND: LIVE,
    RESUME: ("suspended",),
    TRANSFER: LIVE,
    TERMINATE: LIVE,
    COMPLETE: ("active",),
}
"""States of an award in which a confirmed change still has its effect."""
Judge = Callable[[AwardProposal, Award], None]
Effect = Callable[[list[AwardProposal], dict[int, Award], dict[int, str]], None]


def confirm(proposal_ids: Iterable[int], by: UserActor) -> list[Answer]:
    """确认, by the county's reviewer: what was proposed takes effect; an end goes on to the second person."""

    def judge(proposal: AwardProposal, award: Award) -> None:
        if by.user.person == proposal.proposed_person:
            raise Refused("same_person")
        still_possible(proposal, award)

    def effect(proposals: list[AwardProposal], awards: dict[int, Award], posts: dict[int, str]) -> None:
        ends = [each for each in proposals if each.kind == TERMINATE]
        others = [each for each in proposals if each.kind != TERMINATE]
        _signed(ends, "confirm_first", "first", by)
        _signed(others, "confirm", "first", by)
        _written("confirm_first", ends, awards, posts, by)
        tell("award_to_second", SECONDS, [(each.award_id, each.path) for each in ends], but=by.user_id)
        carry_out(others, awards, posts, by)
        _told(others, awards, by)

    return _each(proposal_ids, "waiting", CONFIRMS, by, judge, effect)


def second(proposal_ids: Iterable[int], by: UserActor) -> list[Answer]:
    """复核 of an end, by the county's second person: the award ends."""

    def judge(proposal: AwardProposal, award: Award) -> None:
        if by.user.person in (proposal.proposed_person, proposal.first_person):
            raise Refused("same_person")
        still_possible(proposal, award)

    def effect(proposals: list[AwardProposal], awards: dict[int, Award], posts: dict[int, str]) -> None:
        _signed(proposals, "second", "second", by)
        carry_out(proposals, awards, posts, by)
        _told(proposals, awards, by)

    return _each(proposal_ids, "to_second", SECONDS, by, judge, effect)


def accept(proposal_ids: Iterable[int], by: UserActor) -> list[Answer]:
    """接收, by the new school: the award follows the pupil, from this term on."""

    def judge(proposal: AwardProposal, award: Award) -> None:
        if by.user.person == proposal.proposed_person:
            raise Refused("same_person")
        still_possible(proposal, award)
        assert proposal.to_school is not None
        suits_goal(award, Goal(proposal.to_school), award.version)
        _settled_before(proposal, award)

    def effect(proposals: list[AwardProposal], awards: dict[int, Award], posts: dict[int, str]) -> None:
        _signed(proposals, "accept", "first", by)
        _follow(proposals, awards, posts, by)
        _told(proposals, awards, by)

    return _each(proposal_ids, "to_accept", PROPOSES, by, judge, effect)


def decline(proposal_ids: Iterable[int], by: UserActor, reason: str) -> list[Answer]:
    """不同意, with a reason, by whoever the proposal waits for; an award suspended for it meanwhile is active again."""
    why = words(reason)

    def judge(proposal: AwardProposal, award: Award) -> None:
        if by.user.person == proposal.proposed_person:
            raise Refused("same_person")

    def effect(proposals: list[AwardProposal], awards: dict[int, Award], posts: dict[int, str]) -> None:
        mine = AwardProposal.objects.filter(pk__in=[each.pk for each in proposals])
        transition_all(mine, "decline", answer=why)
        _written("decline_proposal", proposals, awards, posts, by, Reason("other", why))
        undo_suspension(proposals, awards, by)
        _told(proposals, awards, by)

    wanted = list(dict.fromkeys(proposal_ids))
    states = dict(AwardProposal.objects.filter(pk__in=wanted).values_list("pk", "state"))
    found: dict[int, Answer] = {}
    for state, permission in (("waiting", CONFIRMS), ("to_second", SECONDS), ("to_accept", PROPOSES)):
        here = [pk for pk in wanted if states.get(pk) == state]
        found |= {each.key: each for each in _each(here, state, permission, by, judge, effect)}
    over = Refused("not_waiting")
    return [found.get(pk) or Answer(pk, str(over), over.code) for pk in wanted]


def withdraw(proposal_ids: Iterable[int], by: UserActor) -> list[Answer]:
    """撤回, by who proposed it; an award suspended for it meanwhile is active again."""

    def judge(proposal: AwardProposal, award: Award) -> None:
        if by.user.person != proposal.proposed_person:
            raise Refused("not_own_proposal")

    def effect(proposals: list[AwardProposal], awards: dict[int, Award], posts: dict[int, str]) -> None:
        for act, by_county in (("withdraw", False), ("withdraw_county", True)):
            mine = [each.pk for each in proposals if each.by_county == by_county]
            transition_all(AwardProposal.objects.filter(pk__in=mine), act)
        _written("withdraw_proposal", proposals, awards, posts, by)
        undo_suspension(proposals, awards, by)

    return _each(proposal_ids, "", "", by, judge, effect)


def _each(ids: Iterable[int], state: str, permission: str, by: UserActor, judge: Judge, effect: Effect) -> list[Answer]:
    def act(wanted: list[int]) -> dict[int, Refused]:
        with transaction.atomic():
            rows = AwardProposal.objects.filter(pk__in=wanted)
            awards = locked(rows.values_list("award_id", flat=True))
            _with_versions(awards)
            found = {
                each.pk: each
                for each in rows.order_by("pk").select_for_update(of=("self",)).select_related("to_school")
            }
            posts = _posts(found.values(), awards, permission, by)
            kin = own_kin(by, (award.student_id for award in awards.values()))
            refused = {pk: Refused("no_such_proposal") for pk in wanted if pk not in posts}
            ready = []
            for pk in wanted:
                if pk in refused:
                    continue
                proposal, award = found[pk], awards[found[pk].award_id]
                try:
                    if proposal.state not in ([state] if state else OPEN):
                        raise Refused("not_waiting")
                    if permission and award.student_id in kin:
                        raise Refused("own_kin")
                    judge(proposal, award)
                except Refused as refusal:
                    refused[pk] = refusal
                else:
                    ready.append(proposal)
            if ready:
                effect(ready, awards, posts)
        return refused

    return answers(ids, act)


def _with_versions(awards: Mapping[int, Award]) -> None:
    versions = ProgrammeVersion.objects.in_bulk({award.version_id for award in awards.values()})
    for award in awards.values():
        award.version = versions[award.version_id]


def _posts(
    proposals: Iterable[AwardProposal], awards: Mapping[int, Award], permission: str, by: UserActor
) -> dict[int, str]:
    """By proposal that `by` may act on: the post. What waits for the new school is that school's."""
    place = {each.pk: each.path if permission == PROPOSES else awards[each.award_id].path for each in proposals}
    wanted = set(place.values())
    held: dict[str, str] = {}
    for name in (permission,) if permission else (CONFIRMS, PROPOSES):
        held |= by.permits(name, wanted)
    return {pk: held[path] for pk, path in place.items() if path in held}


def still_possible(proposal: AwardProposal, award: Award) -> None:
    """Whether what was proposed can still be done with the award. Raises Refused."""
    if award.state not in FROM[proposal.kind]:
        raise Refused("wrong_state")
    if proposal.kind == RESUME and award.audit_held:
        raise Refused("audit_held")


def _settled_before(proposal: AwardProposal, award: Award) -> None:
    """A waiver is settled with a school: what it did for earlier terms must not go to another one."""
    if award.kind != "fee_waiver_settlement":
        return
    earlier = award.terms.filter(term__lt=Term.on(proposal.effective_on).code, hold="", amount__gt=0)
    if open_term := earlier.exclude(payments.paid()).order_by("term").first():
        raise Refused("earlier_term_open", term=Term.of(open_term.term).name())


def _signed(proposals: Sequence[AwardProposal], act: str, hand: str, by: UserActor) -> None:
    rows = AwardProposal.objects.filter(pk__in=[each.pk for each in proposals])
    signature: dict[str, Any] = {
        f"{hand}_by": by.user,
        f"{hand}_person": by.user.person,
        f"{hand}_at": moment().business,
    }
    transition_all(rows, act, **signature)


def _written(
    act: str,
    proposals: Sequence[AwardProposal],
    awards: Mapping[int, Award],
    posts: Mapping[int, str],
    by: Actor,
    reason: Reason | None = None,
    to: str = "",
) -> None:
    """A line of the record for each award, in one statement a state and reason."""
    groups: dict[tuple[str, str], list[AwardProposal]] = {}
    for each in proposals:
        groups.setdefault((awards[each.award_id].state if to else "", each.reason_code), []).append(each)
    for (state, code), rows in groups.items():
        texts = {each.reason_text for each in rows}
        record.write_lines(
            act,
            "award",
            [record.Line(each.award_id, awards[each.award_id].path, posts.get(each.pk, "")) for each in rows],
            by,
            states=(state, to),
            reason=reason or Reason(code, texts.pop() if len(texts) == 1 else ""),
        )


def _told(proposals: Sequence[AwardProposal], awards: Mapping[int, Award], by: UserActor) -> None:
    """The schools concerned hear what was decided."""
    tell("award_decided", PROPOSES, [(each.award_id, awards[each.award_id].path) for each in proposals], but=by.user_id,
         name=by.name)  # fmt: skip


# ---------------------------------------------------------------- what a change does


def carry_out(
    proposals: Sequence[AwardProposal], awards: Mapping[int, Award], posts: Mapping[int, str], by: Actor
) -> None:
    """Does what confirmed proposals say, in a number of statements that does not grow with them."""
    doing: dict[str, Callable[[Sequence[AwardProposal], Mapping[int, Award], Mapping[int, str], Actor], None]] = {
        SUSPEND: _suspend,
        RESUME: _resume,
        TRANSFER: _transfer_out,
        TERMINATE: _terminate,
        COMPLETE: _graduate,
    }
    for kind, do in doing.items():
        if chosen := [each for each in proposals if each.kind == kind]:
            do(chosen, awards, posts, by)


def _of(proposals: Sequence[AwardProposal]) -> tuple[list[int], Subquery, Subquery]:
    """The awards of proposals, and what a statement on awards reads of their proposals: the day and the reason."""
    mine = AwardProposal.objects.filter(pk__in=[each.pk for each in proposals], award=OuterRef("pk"))
    return (
        [each.award_id for each in proposals],
        Subquery(mine.values("effective_on")[:1]),
        Subquery(mine.values("reason_code")[:1]),
    )


def _suspend(
    proposals: Sequence[AwardProposal], awards: Mapping[int, Award], posts: Mapping[int, str], by: Actor
) -> None:
    """暂停 from the effective date; of one that is suspended already the reason and the earlier day."""
    keys, day, code = _of(proposals)
    rows = Award.objects.filter(pk__in=keys)
    rows.filter(state="suspended", stopped_for=UNDECIDED).update(stopped_for=code, stops_on=day)
    transition_all(rows, "suspend", stops_on=day, stopped_for=code)
    _written("suspend", proposals, awards, posts, by, to="suspended")


def _resume(
    proposals: Sequence[AwardProposal], awards: Mapping[int, Award], posts: Mapping[int, str], by: Actor
) -> None:
    """恢复: missed terms are paid as the programme says; an award for a stage is longer by the years lost."""
    by_rule: dict[str, list[AwardProposal]] = {}
    for each in proposals:
        by_rule.setdefault(awards[each.award_id].version.rules.award.back_pay, []).append(each)
    for rule, chosen in by_rule.items():
        _not_paid_afterwards(rule, chosen)
    longer: dict[date, list[int]] = {}
    for each in proposals:
        award = awards[each.award_id]
        lost = Term.on(each.effective_on).year - Term.on(award.stops_on).year if award.stops_on else 0
        if award.lasting and lost > 0:
            longer.setdefault(award.ends_on.replace(year=award.ends_on.year + lost), []).append(award.pk)
    for ends_on, keys in longer.items():
        Award.objects.filter(pk__in=keys).update(ends_on=ends_on)
    transition_all(Award.objects.filter(pk__in=_of(proposals)[0]), "resume", stops_on=None, stopped_for="")
    _written("resume", proposals, awards, posts, by, to="active")


def _not_paid_afterwards(rule: str, proposals: Sequence[AwardProposal]) -> None:
    """Marks the missed terms that the programme does not pay afterwards (补发规则); those begun to be paid stay."""
    if rule == "all":
        return
    terms = AwardTerm.objects.filter(award__in=[each.award_id for each in proposals], hold="").exclude(payments.begun())
    back = AwardProposal.objects.filter(pk__in=[each.pk for each in proposals], award=OuterRef("award"))
    for code in list(terms.values_list("term", flat=True).distinct().order_by("term")):
        term = Term.of(code)
        if rule == "from_resumption":
            returned = Exists(back.filter(effective_on__gt=term.ends_on))
        else:
            returned = Exists(back.filter(effective_on__gte=term.starts_on))
        terms.filter(returned, term=code, award__stops_on__lte=term.ends_on).update(hold="missed")


def _transfer_out(
    proposals: Sequence[AwardProposal], awards: Mapping[int, Award], posts: Mapping[int, str], by: Actor
) -> None:
    """转出 of the county: the award ends here."""
    _end("transfer_out", "transferred_out", proposals, awards, posts, by)


def _terminate(
    proposals: Sequence[AwardProposal], awards: Mapping[int, Award], posts: Mapping[int, str], by: Actor
) -> None:
    """终止."""
    _end("terminate", "terminated", proposals, awards, posts, by)


def _end(
    act: str,
    state: str,
    proposals: Sequence[AwardProposal],
    awards: Mapping[int, Award],
    posts: Mapping[int, str],
    by: Actor,
) -> None:
    """The end before its time: later terms are off, what was paid for them is listed for recovery, and the place in
    the group is free again, unless it is once for all and money was paid.
    """
    keys, day, code = _of(proposals)
    _nothing_after(proposals)
    rows = Award.objects.filter(pk__in=keys)
    transition_all(rows, act, stops_on=day, stopped_for=code, audit_held=False)
    rows.filter(Q(span=F("school_year")) | ~payments.ever_paid()).update(taken=False)
    _list_for_recovery(proposals)
    _written(act, proposals, awards, posts, by, to=state)


def _nothing_after(proposals: Sequence[AwardProposal]) -> None:
    """Terms that begin after the day of an end are not paid; those begun to be paid are left as they are."""
    keys = [each.award_id for each in proposals]
    terms = AwardTerm.objects.filter(award__in=keys).exclude(hold="missed").exclude(payments.begun())
    ending = AwardProposal.objects.filter(pk__in=[each.pk for each in proposals], award=OuterRef("award"))
    for code in list(terms.values_list("term", flat=True).distinct().order_by("term")):
        terms.filter(Exists(ending.filter(effective_on__lte=Term.of(code).starts_on)), term=code).update(hold="ended")


def _list_for_recovery(proposals: Sequence[AwardProposal]) -> None:
    """追回核查: what was paid for terms that began after the end (DOMAIN.md §2.9 A8, A15)."""
    days = {each.award_id: each.effective_on for each in proposals}
    at = moment().business
    AwardDifference.objects.bulk_create(
        [
            AwardDifference(award_id=award, term=term, cause="ended", amount=-total, found_at=at)
            for award, term, total in payments.paid_to(list(days))
            if total and days[award] <= Term.of(term).starts_on
        ],
        ignore_conflicts=True,
        batch_size=2000,
    )


def _graduate(
    proposals: Sequence[AwardProposal], awards: Mapping[int, Award], posts: Mapping[int, str], by: Actor
) -> None:
    """毕业: the award ends with that day; it is completed once every term until then is paid."""
    keys, day, _ = _of(proposals)
    _nothing_after(proposals)
    Award.objects.filter(pk__in=keys).update(ends_on=day)
    _written("graduate", proposals, awards, posts, by)


def _follow(
    proposals: Sequence[AwardProposal], awards: Mapping[int, Award], posts: Mapping[int, str], by: UserActor
) -> None:
    """The award, and the pupil, are the new school's; a term begun to be paid stays with the batch that it is in."""
    undo_suspension(proposals, awards, by)
    by_school: dict[int, list[AwardProposal]] = {}
    for each in proposals:
        assert each.to_school_id is not None
        by_school.setdefault(each.to_school_id, []).append(each)
    for school, chosen in by_school.items():
        assert chosen[0].to_school is not None
        path = chosen[0].to_school.path
        keys = [each.award_id for each in chosen]
        Award.objects.filter(pk__in=keys).update(school=school, path=path)
        move_pupils({awards[key].student_id for key in keys}, chosen[0].to_school, by, posts[chosen[0].pk])
        for each in chosen:
            awards[each.award_id].path = path
    _written("follow", proposals, awards, posts, by)


def undo_suspension(proposals: Sequence[AwardProposal], awards: Mapping[int, Award], by: Actor) -> None:
    """Awards that were suspended only because a proposal waited too long are active again; nothing was missed."""
    keys = [each.award_id for each in proposals if each.applied_on]
    rows = Award.objects.filter(pk__in=keys, stopped_for=UNDECIDED, audit_held=False, state="suspended")
    lines = [record.Line(pk, path) for pk, path in rows.values_list("pk", "path")]
    if lines:
        transition_all(rows, "resume", stops_on=None, stopped_for="")
        record.write_lines("resume", "award", lines, by, states=("suspended", "active"))
