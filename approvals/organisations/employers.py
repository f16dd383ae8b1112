"""回避: who is employed by a school does not judge its cases at any level above the school (DOMAIN.md §2.8).

The employer is said of the natural person, with the account: posts come and go, and a teacher who reviews for the
township holds none at his school. It is kept as a recusal from every case of that school, which the engine reads with
each decision, so that it holds from the moment it is set; the queue says why.
"""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from approvals.organisations.models import Kind, Organisation, Post, User
from approvals.organisations.refusals import Refused
from approvals.organisations.roles import matrix
from workflows import record
from workflows.actors import Actor
from workflows.acts import lift_from_offices, recuse_from_offices
from workflows.acts.recusing import add_recusals

OWN_SCHOOL = "own_school"
add_recusals({OWN_SCHOOL: _("You are employed by this school, whose cases you do not judge at the offices above it.")})


def employ(user: User, school: Organisation | None, by: Actor, post: str) -> None:
    """Says which school employs a natural person, or that none does, in the caller's transaction. Raises Refused."""
    if school is not None and school.kind != Kind.SCHOOL:
        raise Refused("no_school")
    _employ([(user, school)], by, post)


def by_posts(posts: Iterable[Post], by: Actor) -> None:
    """Who is given a post of his own at a school and has no employer is employed there; a deputy may come from afar."""
    own = [post for post in posts if post.deputy_for_id is None and post.user.employer_id is None]
    _employ([(post.user, post.organisation) for post in own if post.organisation.kind == Kind.SCHOOL], by, "")


def _employ(changes: Iterable[tuple[User, Organisation | None]], by: Actor, post: str) -> None:
    """The accounts of a person, the recusals and the record; a person named twice is employed by the first school."""
    first = {user.person: (user, school) for user, school in reversed(list(changes))}
    known = dict(User.objects.filter(person__in=first, employer__isnull=False).values_list("person", "employer__path"))
    new, gone = [], []
    for person, (user, school) in first.items():
        was, now = known.get(person), school.path if school else None
        if was == now:
            continue
        User.objects.filter(person=person).update(employer=school)
        user.employer = school
        gone += [(was, person.hex)] if was else []
        new += [(now, person.hex)] if now else []
        record.write("employ", "account", [user.pk], by, post=post, data={"school": school.code if school else None})
    lift_from_offices(gone, OWN_SCHOOL, by)
    recuse_from_offices(new, OWN_SCHOOL, by, levels=matrix().own_school)
