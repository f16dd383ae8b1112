"""Writers of this room: the county's offices and schools, and the posts that people hold in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F

from approvals.organisations import employers
from approvals.organisations.authority import everywhere
from approvals.organisations.county_file import County, CountyFile, School, Township, read_file
from approvals.organisations.models import FormerName, Organisation, Post, User
from approvals.organisations.projection import project_posts
from approvals.organisations.refusals import Refused
from approvals.organisations.roles import NAMES, matrix
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.acts import return_to_office
from workflows.clock import moment, today
from workflows.reasons import Reason
from workflows.vacancies import renew_stale

# ---------------------------------------------------------------- offices and schools


def load_organisations(path: Path | None = None) -> list[str]:
    """Loads `fixtures/organisations/jize.yaml`; returns the codes that are new. Idempotent.

    An office is known by its code: names, dates and contacts follow the file, its key and path stay; nothing is
    removed. Raises CountyFileError, and then nothing is loaded.
    """
    path = path or Path(settings.BASE_DIR) / "fixtures" / "organisations" / "jize.yaml"
    file = read_file(path)
    with transaction.atomic():
        # Of several that had a code one after the other, the one that has it now.
        in_order = Organisation.objects.order_by(F("valid_to").asc(nulls_last=True), "pk")
        if known := {each.code: each for each in in_order.select_for_update()}:
            new = _follow(file, known)
        else:
            known = _plant(file)
            new = list(known)
        for _, _, office in file.offices():
            _keep_former_names(known[office.code], office)
        record.write("add_organisation", "organisation", [known[code].pk for code in new], SYSTEM, post="system")
    return new


def _plant(file: CountyFile) -> dict[str, Organisation]:
    """The whole tree at once, where there is none yet; treebeard would take seven statements for each office."""
    planted: dict[str, Organisation] = {}
    for above, kind, office in file.offices():
        node, parent = Organisation(**_fields(kind, office, file)), planted.get(above)
        if parent is not None:
            parent.numchild += 1
        node.depth = parent.depth + 1 if parent else 1
        node.path = Organisation._get_path(
            parent.path if parent else None, node.depth, parent.numchild if parent else 1
        )
        planted[office.code] = node
    Organisation.objects.bulk_create(planted.values())
    return planted


def _follow(file: CountyFile, known: dict[str, Organisation]) -> list[str]:
    """Brings the tree in line with the file; returns the codes that are new and adds them to `known`."""
    new = []
    tree = Organisation.objects
    for above, kind, office in file.offices():
        fields = _fields(kind, office, file)
        node = known.get(office.code)
        if node is None:
            node, parent = Organisation(**fields), known.get(above)
            known[office.code] = tree.add_child(parent, instance=node) if parent else tree.add_root(instance=node)
            new.append(office.code)
        elif any(getattr(node, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(node, name, value)
            node.save()
    return new


def _fields(kind: str, office: County | Township | School, file: CountyFile) -> dict[str, Any]:
    return office.model_dump(exclude={"former", "schools"}) | {
        "kind": kind,
        "valid_from": office.valid_from or file.founded,
    }


def _keep_former_names(organisation: Organisation, office: County | Township | School) -> None:
    for former in office.former:
        FormerName.objects.update_or_create(
            organisation=organisation,
            code=former.code,
            name=former.name,
            defaults={"valid_from": former.valid_from, "valid_to": former.valid_to},
        )


# ---------------------------------------------------------------- posts
# People propose posts and a second one approves (see proposals.py, which calls what is here); the system gives the
# first ones by itself.


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person to hold a role at an office or school, from a day, until a day or for good; as a deputy, or as such."""

    user: User
    organisation: Organisation
    role: str
    starts_on: date
    ends_on: date | None = None
    deputy_for: Post | None = None

    def overlaps(self, held: Post) -> bool:
        """Whether a post is held at some time during this one."""
        begun = self.ends_on is None or held.starts_on <= self.ends_on
        return begun and (held.ends_on is None or held.ends_on >= self.starts_on)


def appoint_all(appointments: Sequence[Appointment]) -> list[Post]:
    """Gives posts as the system, all or none: a first administrator's, the demo's. Raises Refused."""
    with transaction.atomic():
        held = held_by({each.user.person for each in appointments})
        return give(appointments, held, SYSTEM, {each.organisation.path: "system" for each in appointments})


def give(
    appointments: Sequence[Appointment], held: dict[UUID, list[Post]], by: Actor, under: dict[str, str]
) -> list[Post]:
    """Gives posts in the caller's transaction, `held` being read and locked by `held_by`; raises Refused.

    Who is given a post of his own at a school and is not known to be employed by one is employed by it from then on.
    """
    posts = []
    for each in appointments:
        may_be_given(each, held[each.user.person])
        post = Post(
            user=each.user,
            organisation=each.organisation,
            role=each.role,
            starts_on=each.starts_on,
            ends_on=each.ends_on,
            deputy_for=each.deputy_for,
        )
        held[each.user.person].append(post)
        posts.append(post)
    Post.objects.bulk_create(posts)
    _write("appoint", posts, by, under)
    project_posts({post.user_id for post in posts})
    employers.by_posts(posts, by)
    return posts


def end(post: Post, last_day: date | None, by: Actor, under: dict[str, str], reason: Reason) -> None:
    """Ends a locked post in the caller's transaction: at once, or after a last day; its deputies' with it. What the
    person has taken on and may not decide any more is the office's again. Raises Refused.
    """
    if is_over(post):
        raise Refused("already_ended")
    if last_day is not None and post.ends_on is not None and post.ends_on <= last_day:
        raise Refused("ends_sooner", day=post.ends_on)
    at_once = last_day is None or last_day < max(today(), post.starts_on)
    ended = [post, *(each for each in _deputies(post) if at_once or last_day is None or _outlasts(each, last_day))]
    for each in ended:
        if at_once or last_day is None or last_day < each.starts_on:
            each.revoked_at = moment().machine
        else:
            each.ends_on = last_day
        each.save(update_fields=["revoked_at", "ends_on"])
    _write("revoke" if at_once else "end", ended, by, under, reason)
    project_posts({each.user_id for each in ended})
    for person in sorted({each.user.person for each in ended}):
        return_to_office(everywhere(person), SYSTEM)
        renew_stale(person.hex)


def _outlasts(post: Post, day: date) -> bool:
    return post.ends_on is None or post.ends_on > day


def _deputies(post: Post) -> list[Post]:
    """The deputies of a post's holder whose time is not over, locked."""
    found = post.deputies.filter(revoked_at=None).select_related("user", "organisation").order_by("pk")
    return [each for each in found.select_for_update(of=("self",)) if not is_over(each)]


def is_over(post: Post) -> bool:
    """Whether a post has ended."""
    return post.revoked_at is not None or (post.ends_on is not None and post.ends_on < today())


def authority(by: Actor, paths: set[str]) -> dict[str, str]:
    """The post under which `by` manages posts at each of these offices. Raises PermissionDenied."""
    under = dict(by.permits("manage_posts", paths))
    if set(under) != paths:
        raise PermissionDenied("manage_posts")
    return under


def may_be_given(each: Appointment, held: Iterable[Post]) -> None:
    """Whether a post may be given beside those that the person holds, whose accounts are locked; raises Refused."""
    if not User.objects.filter(pk=each.user.pk, is_active=True).exists():  # as it is now, not as it was read
        raise Refused("account_closed")
    allowed = matrix()
    if each.role not in allowed.at:
        raise Refused("unknown_role")
    if each.organisation.kind not in allowed.at[each.role]:
        raise Refused("not_here")
    if each.ends_on is not None and each.ends_on < each.starts_on:
        raise Refused("dates")
    closed = each.organisation.valid_to
    if each.starts_on < each.organisation.valid_from or (closed is not None and closed < each.starts_on):
        raise Refused("office_closed", organisation=each.organisation)
    if each.deputy_for is not None:
        _may_be_deputy(each, each.deputy_for)
    _fits_beside(each, held)


def _may_be_deputy(each: Appointment, post: Post) -> None:
    """代理: another person, for a while, in the time of the holder's own post, who is no deputy himself."""
    if each.user.person == post.user.person:
        raise Refused("own_deputy")
    if post.deputy_for_id is not None:
        raise Refused("deputy_of_deputy", user=post.user)
    if each.ends_on is None:
        raise Refused("deputy_needs_end")
    within = post.starts_on <= each.starts_on and (post.ends_on is None or each.ends_on <= post.ends_on)
    if is_over(post) or not within:
        raise Refused("beyond_the_post", user=post.user)


def _fits_beside(each: Appointment, held: Iterable[Post]) -> None:
    """Whether the person's other posts allow this one; raises Refused."""
    for post in filter(each.overlaps, held):
        if post.user_id == each.user.pk and post.role == each.role and post.organisation_id == each.organisation.pk:
            raise Refused("already_held", user=each.user)
        if matrix().clash(post.role, each.role) and _one_above_the_other(post.organisation, each.organisation):
            raise Refused("incompatible", user=each.user, organisation=post.organisation, role=_role_name(post.role))


def held_by(people: set[UUID]) -> dict[UUID, list[Post]]:
    """The posts of natural persons, under any of their accounts; the accounts stay locked until the end, so that two
    posts that may not lie in one hand cannot both pass.
    """
    list(User.objects.select_for_update().filter(person__in=people).order_by("pk").values_list("pk"))
    held: dict[UUID, list[Post]] = {person: [] for person in people}
    posts = Post.objects.filter(user__person__in=people, revoked_at=None)
    for post in posts.select_related("user", "organisation"):
        held[post.user.person].append(post)
    return held


def _one_above_the_other(one: Organisation, other: Organisation) -> bool:
    return bool(one.path.startswith(other.path) or other.path.startswith(one.path))


def _role_name(role: str) -> str:
    return str(NAMES.get(role, role))


def _write(act: str, posts: Iterable[Post], by: Actor, under: dict[str, str], reason: Reason | None = None) -> None:
    for post in posts:
        record.write(
            act,
            "post",
            [post.pk],
            by,
            post=under[post.organisation.path],
            reason=reason,
            path=post.organisation.path,
            data={
                "user": post.user_id,
                "role": post.role,
                "organisation": post.organisation.code,
                "starts_on": post.starts_on.isoformat(),
                "ends_on": post.ends_on.isoformat() if post.ends_on else None,
                "deputy_for": post.deputy_for_id,
            },
        )
