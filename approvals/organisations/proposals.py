"""Posts are proposed by one administrator and approved by a second person; what is approved holds at once.

One proposal is one post that is given, held by a deputy for a while (代理), or ended. Proposer, approver and whom it
concerns are told apart as natural persons, here and by the database. Whoever must be stopped this minute has his
account closed (accounts.py), which needs nobody else.

Locks are taken in this order: the proposal, the accounts of the persons, their posts, the cases that they hold.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, OperationalError, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from approvals.organisations import actions
from approvals.organisations.actions import Appointment
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.models import Organisation, Post, PostProposal, User
from approvals.organisations.refusals import Refused
from notifications import send
from workflows import record
from workflows.clock import moment, today
from workflows.reasons import MIN_LENGTH, Reason

MANAGES = "manage_posts"
MOST_SAID = 500
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one of several: the key asked for, and the sentence of a refusal; empty where it was done."""

    key: int
    refused: str = ""
    code: str = ""

    @property
    def ok(self) -> bool:
        return not self.code


# ---------------------------------------------------------------- proposing


def propose_appointment(
    user: User,
    organisation: Organisation,
    role: str,
    starts_on: date,
    ends_on: date | None,
    reason: str,
    by: UserActor,
) -> PostProposal:
    """任命: proposes that a person hold a role at an office. Raises PermissionDenied, Refused."""
    return _propose(Appointment(user, organisation, role, starts_on, ends_on), "appoint", reason, by)


def propose_deputy(
    post: Post, user: User, starts_on: date, ends_on: date | None, reason: str, by: UserActor
) -> PostProposal:
    """代理: proposes that a person hold the role of an absent holder for a while. Raises PermissionDenied, Refused."""
    return _propose(Appointment(user, post.organisation, post.role, starts_on, ends_on, post), "deputise", reason, by)


def propose_end(post: Post, last_day: date | None, reason: str, by: UserActor) -> PostProposal:
    """免去: proposes that a post end with a last day, or at once on approval. Raises PermissionDenied, Refused."""
    with transaction.atomic():
        post = _locked_post(post.pk)
        under = actions.authority(by, {post.organisation.path})
        why = _reason(reason)
        _may_end(post, last_day)
        proposal = _new(by, why, kind="end", user=post.user, role=post.role, organisation=post.organisation, post=post,
                        ends_on=last_day)  # fmt: skip
        _written("propose_end", proposal, by, under, why)
    return proposal


def propose_leaving(user: User, last_day: date | None, reason: str, by: UserActor) -> list[Answer]:
    """离任: proposes the end of every post that a person holds, under any account; an answer per post.

    Raises Refused where there is none, PermissionDenied where `by` manages none of them.
    """
    posts = [post for post in _posts_of(user) if not actions.is_over(post)]
    mine = set(by.permits(MANAGES, {post.organisation.path for post in posts}))
    if not posts or not mine:
        raise Refused("nothing_to_end", user=user)
    _reason(reason)
    return [_answer(post.pk, lambda post=post: propose_end(post, last_day, reason, by))
            for post in posts if post.organisation.path in mine]  # fmt: skip


def _propose(each: Appointment, kind: str, reason: str, by: UserActor) -> PostProposal:
    with transaction.atomic():
        if by.key == each.user.person.hex:
            raise Refused("own_post")
        held = actions.held_by(_concerned(each))
        under = actions.authority(by, {each.organisation.path})
        why = _reason(reason)
        if each.starts_on < today():
            raise Refused("in_the_past")
        if each.deputy_for is not None:
            each.deputy_for.refresh_from_db()
        actions.may_be_given(each, held[each.user.person])
        proposal = _new(by, why, kind=kind, user=each.user, role=each.role, organisation=each.organisation,
                        post=each.deputy_for, starts_on=each.starts_on, ends_on=each.ends_on)  # fmt: skip
        _written(f"propose_{kind}", proposal, by, under, why)
    return proposal


def _new(by: UserActor, why: Reason, **fields: object) -> PostProposal:
    proposal = PostProposal(
        proposed_by=by.user, proposed_person=by.user.person, proposed_at=moment().business, reason=why.text, **fields
    )
    proposal.person, proposal.path = proposal.user.person, proposal.organisation.path
    try:
        with transaction.atomic():
            proposal.save()
    except IntegrityError as error:
        if "one_waiting_proposal_per_post" not in str(error):
            raise
        raise Refused("already_proposed") from error
    return proposal


def _concerned(each: Appointment) -> set:
    return {each.user.person, *([each.deputy_for.user.person] if each.deputy_for else [])}


def _may_end(post: Post, last_day: date | None) -> None:
    if actions.is_over(post):
        raise Refused("already_ended")
    if last_day is None:
        return
    if last_day < today():
        raise Refused("in_the_past")
    if last_day < post.starts_on:
        raise Refused("begun_later")
    if post.ends_on is not None and post.ends_on <= last_day:
        raise Refused("ends_sooner", day=post.ends_on)


def _reason(text: str) -> Reason:
    why = Reason("other", text.strip())
    if len(why.text) < MIN_LENGTH:
        raise Refused("reason_required")
    if len(why.text) > MOST_SAID:
        raise Refused("reason_too_long", most=MOST_SAID)
    return why


# ---------------------------------------------------------------- deciding


def approve(proposal_ids: Iterable[int], by: UserActor) -> list[Answer]:
    """同意: gives or ends what was proposed, each by itself; what is refused waits on. An answer each, in order."""
    return [_answer(pk, lambda pk=pk: _approve(pk, by)) for pk in dict.fromkeys(proposal_ids)]


def decline(proposal_ids: Iterable[int], by: UserActor, reason: str) -> list[Answer]:
    """不同意, with a reason, each by itself. An answer each, in order."""
    return [_answer(pk, lambda pk=pk: _decline(pk, by, reason)) for pk in dict.fromkeys(proposal_ids)]


def withdraw(proposal_ids: Iterable[int], by: UserActor) -> list[Answer]:
    """撤回, by who proposed it. An answer each, in order."""
    return [_answer(pk, lambda pk=pk: _withdraw(pk, by)) for pk in dict.fromkeys(proposal_ids)]


def _answer(key: int, act: Callable[[], object]) -> Answer:
    """Does one of several in a transaction of its own; a lost race is a refusal like others."""
    try:
        with transaction.atomic():
            act()
    except Refused as refused:
        return Answer(key, str(refused), refused.code)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise
        return Answer(key, str(Refused("busy")), "busy")
    return Answer(key)


def _approve(pk: int, by: UserActor) -> None:
    proposal, under = _locked(pk, by)
    _second_person(proposal, by)
    reason = Reason("other", proposal.reason)
    if proposal.kind == "end":
        actions.held_by({proposal.person})
        assert proposal.post_id is not None
        actions.end(_locked_post(proposal.post_id), proposal.ends_on, by, under, reason)
    else:
        proposal.given = _give(proposal, by, under)
    proposal.approve()
    _decided(proposal, "approve_proposal", by, under)
    _tell_of_change(proposal)


def _give(proposal: PostProposal, by: UserActor, under: dict[str, str]) -> Post:
    """The post proposed; from today on where the day proposed has gone by meanwhile."""
    assert proposal.starts_on is not None
    if proposal.ends_on is not None and proposal.ends_on < today():
        raise Refused("over_already")
    each = Appointment(
        proposal.user,
        proposal.organisation,
        proposal.role,
        max(proposal.starts_on, today()),
        proposal.ends_on,
        proposal.post,
    )
    held = actions.held_by(_concerned(each))
    if each.deputy_for is not None:  # again, with the locks had: it may have ended meanwhile
        each.deputy_for.refresh_from_db()
    [post] = actions.give([each], held, by, under)
    return post


def _decline(pk: int, by: UserActor, reason: str) -> None:
    proposal, under = _locked(pk, by)
    _second_person(proposal, by)
    why = _reason(reason)
    proposal.answer = why.text
    proposal.decline()
    _decided(proposal, "decline_proposal", by, under, why)


def _withdraw(pk: int, by: UserActor) -> None:
    proposal, under = _locked(pk, by)
    if proposal.proposed_person != by.user.person:
        raise Refused("not_own_proposal")
    proposal.withdraw()
    proposal.save(update_fields=["state"])
    _write("withdraw_proposal", proposal, by, under)


def _locked(pk: int, by: UserActor) -> tuple[PostProposal, dict[str, str]]:
    """A proposal that waits and that `by` may have a part in, and under which post."""
    rows = PostProposal.objects.select_for_update(of=("self",)).select_related(
        "user", "organisation", "post__user", "post__organisation", "proposed_by"
    )
    proposal = rows.filter(pk=pk).first()
    under = dict(by.permits(MANAGES, [proposal.path])) if proposal else {}
    if proposal is None or not under:
        raise Refused("no_such_proposal")
    if proposal.state != "waiting":
        raise Refused("not_waiting")
    return proposal, under


def _second_person(proposal: PostProposal, by: UserActor) -> None:
    """Neither who proposed it nor whom it concerns; raises Refused, and says what to do where there is nobody else."""
    if by.user.person == proposal.proposed_person:
        raise Refused("only_administrator" if without_approver([proposal]) else "own_proposal")
    if by.user.person == proposal.person:
        raise Refused("own_post")


def others_who_approve(path: str, by: UserActor) -> bool:
    """Whether another natural person manages posts at an office today."""
    accounts = holders(MANAGES, [path])[path]
    return User.objects.filter(pk__in=accounts).exclude(person=by.user.person).exists()


def without_approver(waiting: Iterable[PostProposal]) -> set[int]:
    """Of waiting proposals, those (keys) that nobody may approve today: but for who proposed them and whom they
    concern, no natural person manages posts there.
    """
    rows = list(waiting)
    accounts = holders(MANAGES, [each.path for each in rows])
    managing = User.objects.filter(pk__in={account for at in accounts.values() for account in at})
    person = dict(managing.values_list("pk", "person"))
    return {
        each.pk
        for each in rows
        if not {person[account] for account in accounts[each.path]} - {each.proposed_person, each.person}
    }


def _locked_post(pk: int) -> Post:
    return Post.objects.select_for_update(of=("self",)).select_related("user", "organisation").get(pk=pk)


def _posts_of(user: User) -> list[Post]:
    found = Post.objects.filter(user__person=user.person, revoked_at=None)
    return list(found.select_related("user", "organisation").order_by("pk"))


# ---------------------------------------------------------------- what is written and told


def _decided(
    proposal: PostProposal, act: str, by: UserActor, under: dict[str, str], reason: Reason | None = None
) -> None:
    proposal.decided_by, proposal.decided_person = by.user, by.user.person
    proposal.decided_at = moment().business
    proposal.save(update_fields=["state", "decided_by", "decided_person", "decided_at", "answer", "given"])
    _write(act, proposal, by, under, reason)
    send(
        "proposal_decided", [proposal.proposed_by_id], about="posts", about_id=proposal.pk,
        cause=f"{proposal.pk}", data={"name": by.name},
    )  # fmt: skip


def _written(act: str, proposal: PostProposal, by: UserActor, under: dict[str, str], reason: Reason) -> None:
    _write(act, proposal, by, under, reason)
    others = set(holders(MANAGES, [proposal.path])[proposal.path]) - {by.user_id}
    send("post_proposed", others, about="posts", about_id=proposal.pk, cause=str(proposal.pk), data={"name": by.name})


def _tell_of_change(proposal: PostProposal) -> None:
    """Who holds a post, or holds one no longer, is told."""
    event = "post_ends" if proposal.kind == "end" else "post_given"
    name = f"{proposal.organisation}"
    send(event, [proposal.user_id], about="home", about_id=0, cause=str(proposal.pk), data={"name": name})


def _write(
    act: str, proposal: PostProposal, by: UserActor, under: dict[str, str], reason: Reason | None = None
) -> None:
    record.write(
        act,
        "proposal",
        [proposal.pk],
        by,
        post=under[proposal.path],
        reason=reason,
        path=proposal.path,
        states=("" if act.startswith("propose_") else "waiting", proposal.state),
        data={
            "user": proposal.user_id,
            "role": proposal.role,
            "organisation": proposal.organisation.code,
            "starts_on": proposal.starts_on.isoformat() if proposal.starts_on else None,
            "ends_on": proposal.ends_on.isoformat() if proposal.ends_on else None,
            "post": proposal.post_id,
        },
    )
