"""What a signed-in person may do, answered from the posts, at the moment it is asked (DESIGN §6)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection

from approvals.organisations.models import Organisation, Post, User
from approvals.organisations.roles import matrix, post_of
from workflows.models import TrainingClock
from workflows.panels import kept_by, seated_by
from workflows.planned import planned_cursor

_OFFICES = f"""
    SELECT DISTINCT o.path, o.name, p.role, o.id, COALESCE(NULLIF(hu.name, ''), hu.username, '')
      FROM {Post._meta.db_table} p
      JOIN {Organisation._meta.db_table} o ON o.id = p.organisation_id
      JOIN {User._meta.db_table} u ON u.id = p.user_id AND u.is_active
      LEFT JOIN {Post._meta.db_table} h ON h.id = p.deputy_for_id
      LEFT JOIN {User._meta.db_table} hu ON hu.id = h.user_id
     CROSS JOIN (SELECT COALESCE((SELECT date FROM {TrainingClock._meta.db_table}),
                            (now() AT TIME ZONE 'Asia/Shanghai')::date) AS today) t
     WHERE p.user_id = %s AND p.revoked_at IS NULL
       AND p.starts_on <= t.today AND (p.ends_on IS NULL OR p.ends_on >= t.today)
     ORDER BY o.path, p.role
"""


class Office(NamedTuple):
    """A post that holds today: where, and as what."""

    path: str
    name: str
    role: str
    organisation_id: int
    holder: str = ""
    """Whose role a deputy (代理) holds meanwhile, by name; empty for a post of one's own."""

    @property
    def post(self) -> str:
        """How the record names it: role@organisation, for a deputy role@organisation~holder."""
        return post_of(self.role, self.name, self.holder)


def offices_of(user: User) -> list[Office]:
    """The posts that a person holds today, in one statement."""
    with planned_cursor() as cursor:
        cursor.execute(_OFFICES, [user.pk])
        return [Office(*row) for row in cursor.fetchall()]


@dataclass(frozen=True)
class UserActor:
    """A signed-in person as the engine's `Actor`. Posts are read again at every question."""

    user: User

    @property
    def key(self) -> str:
        return self.user.person.hex

    @property
    def name(self) -> str:
        return str(self.user)

    @property
    def user_id(self) -> int:
        return int(self.user.pk)

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        """Of `paths`, those that a post giving `permission` today reaches from its office, with that post."""
        allowed = matrix()
        roles = allowed.roles_with(permission) if permission != "system" else []
        offices = [office for office in offices_of(self.user) if office.role in roles] if roles else []
        found: dict[str, str] = {}
        for path in paths:
            holds = (office for office in offices if allowed.reaches(office.role, permission, office.path, path))
            if (office := next(holds, None)) is not None:
                found[path] = office.post
        return found

    def prefixes(self, permission: str) -> list[str]:
        """The office paths at or below which `permission` holds today, for filters."""
        roles = matrix().roles_with(permission)
        return sorted({office.path for office in offices_of(self.user) if office.role in roles})

    def require(self, permission: str, path: str) -> str:
        """The post under which `permission` holds at `path`. Raises PermissionDenied."""
        post = self.permits(permission, [path]).get(path)
        if post is None:
            raise PermissionDenied(permission)
        return post


@dataclass(frozen=True)
class Everywhere:
    """A natural person under all of his accounts, for whoever asks what he may still do; a closed one gives nothing."""

    accounts: tuple[UserActor, ...]
    key: str
    name: str

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        """What any of the accounts permits."""
        wanted, found = list(paths), {}
        for account in self.accounts:
            found |= account.permits(permission, wanted)
        return found


def everywhere(person: UUID) -> Everywhere:
    """A natural person under every account."""
    users = list(User.objects.filter(person=person).order_by("pk"))
    return Everywhere(tuple(UserActor(user) for user in users), person.hex, str(users[0]) if users else "")


def actor_of(user: User) -> UserActor:
    """The engine's view of a signed-in person."""
    return UserActor(user)


_HOLDERS = f"""
    SELECT w.path, p.user_id
      FROM unnest(%s::varchar[]) AS w(path)
      JOIN {Organisation._meta.db_table} o ON w.path LIKE o.path || '%%'
      JOIN {Post._meta.db_table} p ON p.organisation_id = o.id
       AND p.role = ANY(CASE WHEN w.path = o.path THEN %s::varchar[] ELSE %s::varchar[] END)
      JOIN {User._meta.db_table} u ON u.id = p.user_id AND u.is_active,
           (SELECT COALESCE((SELECT date FROM {TrainingClock._meta.db_table}),
                            (now() AT TIME ZONE 'Asia/Shanghai')::date) AS today) t
     WHERE p.revoked_at IS NULL AND p.starts_on <= t.today AND (p.ends_on IS NULL OR p.ends_on >= t.today)
"""


_SEATED = _HOLDERS.replace(
    "SELECT w.path, p.user_id", "SELECT DISTINCT w.path, u.person, COALESCE(NULLIF(u.name, ''), u.username)"
)


class Offered(NamedTuple):
    """Somebody to whom a task may be given: an account, by name, with the post that makes it possible."""

    user_id: int
    name: str
    post: str
    person: str
    """Key of the natural person."""


_OFFERED = _HOLDERS.replace(
    "SELECT w.path, p.user_id",
    "SELECT w.path, p.user_id, COALESCE(NULLIF(u.name, ''), u.username), u.person, p.role, o.name,"
    f" (SELECT COALESCE(NULLIF(hu.name, ''), hu.username) FROM {Post._meta.db_table} h"
    f" JOIN {User._meta.db_table} hu ON hu.id = h.user_id WHERE h.id = p.deputy_for_id)",
)


def offered(permission: str, paths: Iterable[str]) -> list[Offered]:
    """Those who hold `permission` at every one of these offices today, by name."""
    wanted = sorted(set(paths))
    found: dict[int, tuple[set[str], Offered]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_OFFERED, [wanted, *matrix().roles_reaching(permission)])
        for path, user, name, person, role, office, holder in cursor.fetchall():
            who = Offered(user, name, post_of(role, office, holder or ""), person.hex)
            found.setdefault(user, (set(), who))[0].add(path)
    return sorted((who for at, who in found.values() if len(at) == len(wanted)), key=lambda who: (who.post, who.name))


@seated_by
def seated(permission: str, paths: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Who sits on the panels of these offices: the natural persons who hold `permission` there today, by name."""
    found: dict[str, list[tuple[str, str]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SEATED, [sorted(set(paths)), *matrix().roles_reaching(permission)])
        for path, person, name in cursor.fetchall():
            found.setdefault(path, []).append((person.hex, name))
    return found


_STILL = f"""
    SELECT DISTINCT w.path, u.person
      FROM unnest(%s::varchar[], %s::uuid[]) AS w(path, person)
      JOIN {User._meta.db_table} u ON u.person = w.person AND u.is_active
      JOIN {Post._meta.db_table} p ON p.user_id = u.id AND p.role = ANY(%s)
      JOIN {Organisation._meta.db_table} o ON o.id = p.organisation_id AND starts_with(w.path, o.path),
           (SELECT COALESCE((SELECT date FROM {TrainingClock._meta.db_table}),
                            (now() AT TIME ZONE 'Asia/Shanghai')::date) AS today) t
     WHERE p.revoked_at IS NULL AND p.starts_on <= t.today AND (p.ends_on IS NULL OR p.ends_on >= t.today)
"""
_PERSON = re.compile(r"[0-9a-f]{32}")


@kept_by
def still_holding(permission: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of [(office path, person's key)], those where a post gives `permission` today."""
    asked = [(path, person) for path, person in pairs if _PERSON.fullmatch(person)]
    paths, people = [path for path, _ in asked], [UUID(hex=person) for _, person in asked]
    with connection.cursor() as cursor:
        cursor.execute(_STILL, [paths, people, matrix().roles_with(permission)])
        return {(path, person.hex) for path, person in cursor.fetchall()}


def accounts_of(people: Iterable[str]) -> dict[str, list[int]]:
    """The active accounts of natural persons (keys), whom to tell."""
    found: dict[str, list[int]] = {}
    keys = [UUID(hex=person) for person in people if person]
    for person, user in User.objects.filter(person__in=keys, is_active=True).values_list("person", "pk"):
        found.setdefault(person.hex, []).append(user)
    return found


def holders(permission: str, paths: Iterable[str]) -> dict[str, list[int]]:
    """For each office path, the accounts whose posts give `permission` there today; whom to tell."""
    wanted = sorted(set(paths))
    found: dict[str, list[int]] = {path: [] for path in wanted}
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [wanted, *matrix().roles_reaching(permission)])
        for path, user in cursor.fetchall():
            found[path].append(user)
    return found
