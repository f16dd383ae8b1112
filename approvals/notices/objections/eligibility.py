"""Who may look into an objection: another natural person than everybody it may touch, and why the others may not."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.notices.models import NoticeLine
from approvals.notices.objections.models import INVESTIGATES, Objection
from approvals.organisations.models import Post
from approvals.organisations.queries import of_standing
from approvals.organisations.roles import matrix, post_of
from workflows import clock
from workflows.bars import bars_of
from workflows.models import ActingLevel
from workflows.nodes import OBJECTION

LEVEL = OBJECTION
ABOVE = "county"
"""A level whose recusals hold, too, for whoever looks into an objection at the county (a school's own staff)."""
WHY: dict[str, Promise] = {
    "drafted": _("drafted this notice"),
    "signed": _("signed this notice"),
    "acted": _("has acted on this application"),
    "acted_on_list": _("has acted on applications of this list"),
    "recused": _("is recused from this application"),
    "complained_of": _("is complained of"),
    "ruled": _("has decided this objection before"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the office who could be named, and what stands against it."""

    user_id: int
    name: str
    post: str
    reasons: list[str] = field(default_factory=list)
    """Codes of WHY; empty for who may."""

    @property
    def why_not(self) -> str:
        """In the reader's language."""
        return "、".join(str(WHY[code]) for code in self.reasons)


def holding(permission: str, paths: Iterable[str]) -> dict[str, list[Post]]:
    """By office path, the posts in force at that very office that give a permission; not those above it."""
    found: dict[str, list[Post]] = {path: [] for path in paths}
    posts = (
        Post.objects.filter(
            of_standing("in_force", clock.today()),
            organisation__path__in=found,
            role__in=matrix().roles_with(permission),
            user__is_active=True,
        )
        .select_related("user", "organisation", "deputy_for__user")
        .order_by("role", "user__name", "pk")
    )
    for post in posts:
        found[post.organisation.path].append(post)
    return found


def accounts_at(permission: str, paths: Iterable[str]) -> dict[str, list[int]]:
    """By office path, the accounts to tell of what waits for this permission there; not those above."""
    return {path: sorted({post.user_id for post in posts}) for path, posts in holding(permission, paths).items()}


def candidates(objection: Objection) -> list[Candidate]:
    """Everybody at the office that handles it who could investigate, those who may first."""
    found = {}
    for post in holding(INVESTIGATES, [objection.path])[objection.path]:
        holder = str(post.deputy_for.user) if post.deputy_for else ""
        named = post_of(post.role, post.organisation.name, holder)
        found.setdefault(
            post.user_id, Candidate(post.user_id, str(post.user), named, why_not(objection, post.user.person))
        )
    return sorted(found.values(), key=lambda who: (bool(who.reasons), who.post, who.name))


def anybody(objection: Objection) -> bool:
    """Whether somebody at the office that handles it may investigate."""
    return any(not who.reasons for who in candidates(objection))


def why_not(objection: Objection, person: UUID) -> list[str]:
    """What stands against a natural person's looking into it: codes of WHY."""
    notice = objection.notice
    against = {
        "drafted": person == notice.drafted_person,
        "signed": person == notice.signed_person,
        "complained_of": person in objection.complained,
        "ruled": objection.rulings.filter(person=person).exists(),
    }
    acted = ActingLevel.objects.filter(person=person.hex).exclude(level=LEVEL)
    if objection.line is None:
        listed = NoticeLine.objects.filter(notice=notice).values("case")
        against["acted_on_list"] = acted.filter(case__in=listed).exists()
    else:
        case = objection.line.case_id
        against["acted"] = acted.filter(case=case).exists()
        bars = bars_of([case], person.hex)[case]
        levels = [LEVEL, ABOVE] if objection.at_county else [LEVEL]
        against["recused"] = any(bars.recusal(level) for level in levels)
    return [code for code in WHY if against.get(code)]


def staff_of(objection: Objection) -> list[tuple[UUID, str]]:
    """Whom an objection may complain of: everybody who holds a post at the office of its notice, by name."""
    posts = Post.objects.filter(
        of_standing("in_force", clock.today()), organisation__path=objection.notice.path, user__is_active=True
    ).select_related("user")
    return sorted({(post.user.person, str(post.user)) for post in posts}, key=lambda who: who[1])
