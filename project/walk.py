"""The demo's main job in five roles: who signs in as whom, and what they do."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.organisations.models import Post

PASSWORD = "zhuxue-2026"  # noqa: S105 — known to everybody, and only demo databases have these accounts


@dataclass(frozen=True)
class Stage:
    """A stretch of the walk, done by one of the five roles."""

    number: int
    title: Promise
    does: Promise
    usernames: tuple[str, ...]


STAGES: list[Stage] = [
    Stage(1, _("School aid officer"),
          _("Uploads a roster or fills in a form, submits, then drafts the school notice."), ("officer1",)),
    Stage(2, _("School head"), _("Reviews what was submitted and signs the school notice."), ("head1",)),
    Stage(3, _("Township reviewer"), _("Reviews when the school notice is over."), ("township1",)),
    Stage(4, _("County reviewers and leader"),
          _("Review, match the registers, approve, and put the list on county notice."),
          ("county1", "county2", "leader1")),
    Stage(5, _("Finance"),
          _("Makes, checks, approves and allots the batch, sends the bank file, reads the bank's return."),
          ("finance1", "finance2", "finance3", "treasury1")),
]  # fmt: skip

OTHERS = ("officer2", "head2", "officer3", "head3", "townleader1", "match1", "audit1", "admin1", "admin2")
"""Accounts besides the walk: county-direct schools, township leader, match officer, auditor, two administrators."""


@dataclass(frozen=True)
class Account:
    """A demo account: how to sign in, and as whom."""

    username: str
    name: str
    post: str


@dataclass(frozen=True)
class Accounts:
    """The accounts of the demo, by stretch of the walk, and the others."""

    stages: list[tuple[Stage, list[Account]]]
    others: list[Account]
    password: str = PASSWORD


def is_demo(request: HttpRequest) -> bool:
    """Whether this is a demo database: told by its training clock."""
    return settings.DEMO and getattr(request, "training_date", None) is not None


def accounts(request: HttpRequest) -> Accounts | None:
    """The demo's accounts with their posts, in one statement; None outside a demo."""
    if not is_demo(request):
        return None
    known: dict[str, Account] = {}
    wanted = [name for stage in STAGES for name in stage.usernames] + list(OTHERS)
    posts = Post.objects.filter(user__username__in=wanted, user__is_active=True, revoked_at=None)
    for post in posts.select_related("user", "organisation").order_by("id"):
        name = post.user.username
        known.setdefault(name, Account(name, str(post.user), f"{post.role}@{post.organisation.name}"))
    stages = [(stage, [known[name] for name in stage.usernames if name in known]) for stage in STAGES]
    return Accounts(
        [(stage, found) for stage, found in stages if found], [known[name] for name in OTHERS if name in known]
    )
