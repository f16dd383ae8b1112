"""Guardian's permissions on organisations: what the posts in force give, written out (DESIGN §6).

The posts are the truth. This projection serves what asks guardian, and is brought in line when a post is given or
taken, and on every new business day, since posts begin and end by their dates.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from guardian.models import UserObjectPermission

from approvals.organisations.authority import everywhere
from approvals.organisations.models import Organisation, Post
from approvals.organisations.roles import matrix
from workflows.actors import SYSTEM
from workflows.acts import holders_of_tasks, return_to_office
from workflows.background import due
from workflows.clock import today

KEY_LENGTH = 32
"""Characters of a natural person's key."""

_DUE = f"""
    SELECT DISTINCT p.user_id, permission.id, p.organisation_id::varchar
      FROM {Post._meta.db_table} p
      JOIN unnest(%(roles)s::varchar[], %(codenames)s::varchar[]) AS may (role, codename) ON may.role = p.role
      JOIN {Permission._meta.db_table} permission
        ON permission.codename = may.codename AND permission.content_type_id = %(type)s
     WHERE p.revoked_at IS NULL AND p.starts_on <= %(today)s AND (p.ends_on IS NULL OR p.ends_on >= %(today)s)
       AND (%(users)s::bigint[] IS NULL OR p.user_id = ANY(%(users)s))
"""

_PROJECT = f"""
    WITH due AS ({_DUE}), gone AS (
        DELETE FROM {UserObjectPermission._meta.db_table} g
         WHERE g.content_type_id = %(type)s AND (%(users)s::bigint[] IS NULL OR g.user_id = ANY(%(users)s))
           AND (g.user_id, g.permission_id, g.object_pk) NOT IN (SELECT * FROM due)
        RETURNING 1
    ), added AS (
        INSERT INTO {UserObjectPermission._meta.db_table} (user_id, permission_id, object_pk, content_type_id)
        SELECT due.*, %(type)s FROM due ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM added)
"""


def project_posts(users: Iterable[int] | None = None) -> int:
    """Brings guardian's rows in line with the posts in force today, of some accounts (keys) or of all.

    Returns how many rows were written or removed. One statement.
    """
    grants = [(role, name) for role, allowed in matrix().may.items() for name in sorted(allowed)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _PROJECT,
            {
                "roles": [role for role, _ in grants],
                "codenames": [name for _, name in grants],
                "type": ContentType.objects.get_for_model(Organisation).pk,
                "today": today(),
                "users": None if users is None else list(users),
            },
        )
        return int(cursor.fetchone()[0])


_projected_for: date | None = None


@due("organisations.project_posts")
def follow_the_dates() -> int:
    """Once a business day in each process: posts that began or ended with the new date, and what their holders had
    taken on.
    """
    global _projected_for
    day = today()
    if _projected_for == day:
        return 0
    changed = project_posts() + return_what_is_not_theirs()
    _projected_for = day
    return changed


def return_what_is_not_theirs() -> int:
    """Gives tasks back to their offices whose holders' posts have ended, or accounts are closed; returns how many."""
    people = [UUID(hex=key) for key in sorted(holders_of_tasks()) if len(key) == KEY_LENGTH]
    return sum(return_to_office(everywhere(person), SYSTEM) for person in people)
