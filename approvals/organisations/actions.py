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

from approvals.organisations.county_file import County, CountyFile, School, Township, read_file
from approvals.organisations.models import FormerName, Organisation, Post, User
from approvals.organisations.projection import project_posts
from approvals.organisations.refusals import Refused
from approvals.organisations.roles import NAMES, matrix
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.clock import moment, today
from workflows.reasons import MIN_LENGTH, Reason
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


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person to hold a role at an office or school, from a day, until a day or for good."""

    user: User
    organisation: Organisation
    role: str
    starts_on: date
    ends_on: date | None = None

    def overlaps(self, held: Post) -> bool:
        """Whether a post is held at some time during this one."""
        begun = self.ends_on is None or held.starts_on <= self.ends_on
        return begun and (held.ends_on is None or held.ends_on >= self.starts_on)


def appoint(
    user: User, organisation: Organisation, role: str, by: Actor, starts_on: date, ends_on: date | None = None
) -> Post:
    """Gives a person a post. Raises PermissionDenied without `manage_posts` there, Refused where it may not be.

    Posts of one natural person are given one after the other, so that two incompatible ones cannot both pass.
    """
    return appoint_all([Appointment(user, organisation, role, starts_on, ends_on)], by)[0]


def appoint_all(appointments: Sequence[Appointment], by: Actor) -> list[Post]:
    """`appoint` for many, all or none. The system may give posts too: the first administrator's, the demo's."""
    with transaction.atomic():
        held = _held_by({each.user.person for each in appointments})
        under = _authority(by, {each.organisation.path for each in appointments})
        posts = []
        for each in appointments:
            _may_be_given(each, by)
            _fits_beside(each, held[each.user.person])
            post = Post(
                user=each.user,
                organisation=each.organisation,
                role=each.role,
                starts_on=each.starts_on,
                ends_on=each.ends_on,
            )
            held[each.user.person].append(post)
            posts.append(post)
        Post.objects.bulk_create(posts)
        _write("appoint", posts, by, under)
        project_posts({post.user_id for post in posts})
    return posts


def revoke(post: Post, by: Actor, reason: str) -> Post:
    """Takes a post away at once; whatever the person does next is refused, and no step waits for his signature under
    it any more. `reason`: at least 10 characters.

    Raises PermissionDenied without `manage_posts` there, Refused where it may not be.
    """
    with transaction.atomic():
        post = Post.objects.select_for_update(of=("self",)).select_related("user", "organisation").get(pk=post.pk)
        under = _authority(by, {post.organisation.path})
        if len(reason.strip()) < MIN_LENGTH:
            raise Refused("reason_required")
        if by.key == post.user.person.hex:
            raise Refused("own_post")
        if post.revoked_at is not None or (post.ends_on is not None and post.ends_on < today()):
            raise Refused("already_ended")
        post.revoked_at = moment().machine
        post.save(update_fields=["revoked_at"])
        _write("revoke", [post], by, under, Reason("other", reason.strip()))
        project_posts([post.user_id])
        renew_stale(post.user.person.hex)
    return post


def _authority(by: Actor, paths: set[str]) -> dict[str, str]:
    """The post under which `by` gives and takes posts at each of these offices."""
    under = dict(by.permits("system" if by is SYSTEM else "manage_posts", paths))
    if set(under) != paths:
        raise PermissionDenied("manage_posts")
    return under


def _may_be_given(each: Appointment, by: Actor) -> None:
    """Whether a post may be given; raises Refused."""
    allowed = matrix()
    if each.role not in allowed.at:
        raise Refused("unknown_role")
    if each.organisation.kind not in allowed.at[each.role]:
        raise Refused("not_here")
    if each.ends_on is not None and each.ends_on < each.starts_on:
        raise Refused("dates")
    if by.key == each.user.person.hex:
        raise Refused("own_post")
    closed = each.organisation.valid_to
    if each.starts_on < each.organisation.valid_from or (closed is not None and closed < each.starts_on):
        raise Refused("office_closed", organisation=each.organisation)


def _fits_beside(each: Appointment, held: Iterable[Post]) -> None:
    """Whether the person's other posts allow this one; raises Refused."""
    for post in filter(each.overlaps, held):
        if post.user_id == each.user.pk and post.role == each.role and post.organisation_id == each.organisation.pk:
            raise Refused("already_held", user=each.user)
        if matrix().clash(post.role, each.role) and _one_above_the_other(post.organisation, each.organisation):
            raise Refused("incompatible", user=each.user, organisation=post.organisation, role=_role_name(post.role))


def _held_by(people: set[UUID]) -> dict[UUID, list[Post]]:
    """The posts of natural persons, under any of their accounts; the accounts stay locked until the end."""
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
            },
        )
