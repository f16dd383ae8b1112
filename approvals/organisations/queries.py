"""Where schools and offices stand in the county's tree, and under which names and codes they stood when."""

from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from approvals.organisations.models import FormerName, Kind, Organisation, Post, PostProposal, SchoolForm

STEP = Organisation.steplen
"""Characters that one level of the tree adds to a path."""


def valid_on(day: date) -> Q:
    """Organisations that existed on a day."""
    return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gte=day))


def county() -> Organisation:
    """The county office, the root of the tree. Raises DoesNotExist where nothing has been loaded."""
    return Organisation.objects.get(kind=Kind.COUNTY, depth=1)


def school_by_code(code: str, on: date) -> Organisation | None:
    """The school that had an identification code on a day, former codes included (DOMAIN.md §2.10)."""
    return by_code(code, on, Kind.SCHOOL)


def by_code(code: str, on: date, kind: str | None = None) -> Organisation | None:
    """The organisation that had a code on a day, of a kind or of any."""
    organisations = Organisation.objects.filter(valid_on(on))
    if kind:
        organisations = organisations.filter(kind=kind)
    bearer = organisations.filter(code=code).first()
    if bearer is None:  # closed codes are never given again, so the present bearer comes first
        former = FormerName.objects.filter(code=code, valid_from__lte=on, valid_to__gte=on)
        bearer = organisations.filter(former_names__in=former).first()
    return bearer


def name_on(organisation: Organisation, day: date) -> str:
    """What an organisation was called on a day: 浮图店乡 before it became 浮图店镇."""
    former = FormerName.objects.filter(organisation=organisation, valid_from__lte=day, valid_to__gte=day).first()
    return former.name if former else organisation.name


def below(prefixes: Iterable[str], column: str = "path") -> Q:
    """A filter for everything at or below these offices; nothing for no office. Nested prefixes fold into one."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return reduce(or_, (Q(**{f"{column}__startswith": prefix}) for prefix in kept), Q(pk__in=[]))


def schools_under(prefixes: Iterable[str], on: date | None = None) -> QuerySet[Organisation]:
    """The schools at or below offices, in the tree's order; those that existed on a day, or all."""
    schools = Organisation.objects.filter(below(prefixes), kind=Kind.SCHOOL).order_by("path")
    return schools if on is None else schools.filter(valid_on(on))


def offices_under(prefixes: Iterable[str]) -> QuerySet[Organisation]:
    """Every organisation at or below offices, in the tree's order."""
    return Organisation.objects.filter(below(prefixes)).order_by("path")


def _ancestors(path: str) -> list[str]:
    return [path[:length] for length in range(STEP, len(path), STEP)]


def township_of(school: Organisation) -> Organisation | None:
    """The township that a school stands under; None for a county-direct one."""
    return Organisation.objects.filter(path__in=_ancestors(school.path), kind=Kind.TOWNSHIP).first()


def is_county_direct(school: Organisation) -> bool:
    """Whether the county itself runs a school, so that no township reviews its applications."""
    return school.form == SchoolForm.COUNTY_DIRECT


def below_township(paths: Iterable[str]) -> set[str]:
    """Of office paths, those that stand under a township; one statement for any number."""
    ancestors = {path: _ancestors(path) for path in paths}
    wanted = {above for found in ancestors.values() for above in found}
    townships = set(Organisation.objects.filter(path__in=wanted, kind=Kind.TOWNSHIP).values_list("path", flat=True))
    return {path for path, found in ancestors.items() if townships.intersection(found)}


# ---------------------------------------------------------------- posts


def posts_under(prefixes: Iterable[str], words: str = "", role: str = "") -> QuerySet[Post]:
    """Posts at or below offices, the latest first; by a word of the person's, account's or office's name, by role."""
    posts = Post.objects.filter(organisation__in=offices_under(prefixes))
    posts = posts.select_related("user", "organisation", "deputy_for__user")
    if words:
        posts = posts.filter(
            Q(user__name__icontains=words) | Q(user__username__icontains=words)
            | Q(organisation__name__icontains=words)
        )  # fmt: skip
    if role:
        posts = posts.filter(role=role)
    return posts.order_by("-pk")


def standing(post: Post, day: date) -> str:
    """in_force, to_come, ended or revoked."""
    if post.revoked_at is not None:
        return "revoked"
    if post.ends_on is not None and post.ends_on < day:
        return "ended"
    return "to_come" if post.starts_on > day else "in_force"


def of_standing(name: str, day: date) -> Q:
    """Posts whose `standing` is this."""
    over = Q(ends_on__lt=day)
    return {
        "revoked": Q(revoked_at__isnull=False),
        "ended": Q(revoked_at=None) & over,
        "to_come": Q(revoked_at=None, starts_on__gt=day) & ~over,
        "in_force": Q(revoked_at=None, starts_on__lte=day) & (Q(ends_on=None) | Q(ends_on__gte=day)),
    }[name]


def proposals_under(prefixes: Iterable[str], waiting: bool) -> QuerySet[PostProposal]:
    """Proposals about posts at or below offices: those that wait, oldest first; or those decided, the latest first."""
    found = PostProposal.objects.filter(below(prefixes)).select_related(
        "user", "organisation", "post__user", "proposed_by", "decided_by"
    )
    if waiting:
        return found.filter(state="waiting").order_by("pk")
    return found.exclude(state="waiting").order_by("-pk")
