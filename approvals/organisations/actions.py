"""Writers of this room: the county's offices and schools, and the posts that people hold in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from approvals.organisations.county_file import County, School, Township, read_file
from approvals.organisations.models import FormerName, Organisation, Post, User
from approvals.organisations.projection import project_posts
from approvals.organisations.refusals import Refused
from approvals.organisations.roles import NAMES, matrix
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.clock import moment, today
from workflows.reasons import MIN_LENGTH, Reason

# ---------------------------------------------------------------- offices and schools


def load_organisations(path: Path | None = None) -> list[str]:
    """Loads `fixtures/organisations/jize.yaml`; returns the codes that are new. Idempotent.

    An office is known by its code: names, dates and contacts follow the file, its key and path stay; nothing is
    removed. Raises CountyFileError, and then nothing is loaded.
    """
    path = path or Path(settings.BASE_DIR) / "fixtures" / "organisations" / "jize.yaml"
    file = read_file(path)
    with transaction.atomic():
        known = {each.code: each for each in Organisation.objects.select_for_update().filter(valid_to=None)}
        new = []
        for above, kind, office in file.offices():
            if office.code not in known:
                new.append(office.code)
            known[office.code] = _put(known.get(office.code), known.get(above), kind, office, file.founded)
        record.write("add_organisation", "organisation", [known[code].pk for code in new], SYSTEM, post="system")
    return new


def _put(
    organisation: Organisation | None,
    above: Organisation | None,
    kind: str,
    office: County | Township | School,
    founded: date,
) -> Organisation:
    fields = office.model_dump(exclude={"former", "schools", "code"}) | {
        "kind": kind,
        "code": office.code,
        "valid_from": office.valid_from or founded,
    }
    if organisation is None:
        organisation = Organisation(**fields)
        organisation = above.add_child(instance=organisation) if above else Organisation.add_root(instance=organisation)
    elif any(getattr(organisation, name) != value for name, value in fields.items()):
        for name, value in fields.items():
            setattr(organisation, name, value)
        organisation.save()
    for former in office.former:
        FormerName.objects.update_or_create(
            organisation=organisation,
            code=former.code,
            name=former.name,
            defaults={"valid_from": former.valid_from, "valid_to": former.valid_to},
        )
    return organisation


# ---------------------------------------------------------------- posts


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person to hold a role at an office or school, from a day, until a day or for good."""

    user: User
    organisation: Organisation
    role: str
    starts_on: date
    ends_on: date | None = None

    def overlapping(self) -> Q:
        """The posts that are held at some time during this one."""
        begun = Q() if self.ends_on is None else Q(starts_on__lte=self.ends_on)
        return begun & Q(revoked_at=None) & (Q(ends_on=None) | Q(ends_on__gte=self.starts_on))


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
        people = {each.user.person for each in appointments}
        list(User.objects.select_for_update().filter(person__in=people).order_by("pk"))
        under = _authority(by, {each.organisation.path for each in appointments})
        posts = []
        for each in appointments:
            _may_be_given(each, by)
            posts.append(
                Post.objects.create(
                    user=each.user,
                    organisation=each.organisation,
                    role=each.role,
                    starts_on=each.starts_on,
                    ends_on=each.ends_on,
                )
            )
        _write("appoint", posts, by, under)
        project_posts({post.user_id for post in posts})
    return posts


def revoke(post: Post, by: Actor, reason: str) -> Post:
    """Takes a post away at once; whatever the person does next is refused. `reason`: at least 10 characters.

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
    for held in _held(each):
        if held.user_id == each.user.pk and held.role == each.role and held.organisation_id == each.organisation.pk:
            raise Refused("already_held", user=each.user)
        if allowed.clash(held.role, each.role) and _one_above_the_other(held.organisation, each.organisation):
            raise Refused("incompatible", user=each.user, organisation=held.organisation, role=_role_name(held.role))


def _held(each: Appointment) -> Iterable[Post]:
    """The posts of the natural person, under any account, that overlap the appointment."""
    posts = Post.objects.filter(each.overlapping(), user__person=each.user.person)
    return posts.select_related("organisation")


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
