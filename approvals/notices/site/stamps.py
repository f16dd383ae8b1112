"""What a kept page depends on, asked in one statement: the date, and marks that every change of it changes.

A row's mark is where its present version lies in its table, and who wrote that (ctid, xmin): both change with each
UPDATE, by whatever door, and a reader sees a mark only once what it stands for is committed. So a page made after its
stamp was read is never older than the stamp, and no page is shown whose stamp is not the present one.
"""

from datetime import date
from typing import Any, NamedTuple

from django.db import OperationalError, connection

from approvals.notices.models import OFF_LIST
from workflows.planned import planned_cursor


class Stamp(NamedTuple):
    """The demo's date (None elsewhere), the marks, and of a notice the lines that are off its list, and its key."""

    training: date | None
    marks: str
    off: tuple[int, ...] = ()
    notice: int = 0


_DATE = "(SELECT date FROM workflows_trainingclock LIMIT 1)"
_OFF = " OR ".join(f"l.state = '{state}'" for state in OFF_LIST)  # written out, so that the index of such lines serves
_NOTICE = f"""
SELECT {_DATE}, coalesce(n.id || ' ' || n.ctid::text || ' ' || n.xmin::text, '') || coalesce((
           SELECT string_agg(',' || s.id || ' ' || s.ctid::text || ' ' || s.xmin::text, '' ORDER BY s.id)
             FROM notices_notice s WHERE s.supplements_id = n.id AND s.state = 'published'), ''),
       ARRAY(SELECT l.number FROM notices_noticeline l WHERE l.notice_id = n.id AND ({_OFF}) ORDER BY l.number),
       coalesce(n.id, 0)
FROM (SELECT 1) one LEFT JOIN notices_notice n ON n.public_id = %s
"""
_LIST = f"""
SELECT {_DATE}, coalesce(string_agg(mark, ',' ORDER BY mark), '') FROM (
    SELECT id || ' ' || ctid::text || ' ' || xmin::text AS mark FROM notices_notice WHERE state = 'published'
    UNION ALL
    SELECT 'a' || id || ' ' || ctid::text || ' ' || xmin::text FROM notices_announcement WHERE state = 'published'
) marks
"""


def _asked(sql: str, params: tuple[object, ...] = ()) -> tuple[Any, ...]:
    """The one row of a statement that begins every request, planned once a connection.

    It takes the place of the health check that Django would send before it: on a connection that has died, it is asked
    again on a new one.
    """
    if connection.in_atomic_block:
        return _ask(sql, params)
    connection.health_check_done = True
    try:
        return _ask(sql, params)
    except OperationalError:
        connection.close()
        return _ask(sql, params)


def _ask(sql: str, params: tuple[object, ...]) -> tuple[Any, ...]:
    with planned_cursor() as cursor:
        cursor.execute(sql, params)
        return tuple(cursor.fetchone())


def of_notice(public_id: str) -> Stamp:
    """The stamp of one notice's page."""
    training, marks, off, notice = _asked(_NOTICE, (public_id,))
    return Stamp(training, marks, tuple(off), notice)


def of_lists(**_: object) -> Stamp:
    """The stamp of a page that shows which notices and announcements are public; some hundred rows of an index."""
    return Stamp(*_asked(_LIST))


def of_nothing(**_: object) -> Stamp:
    """Only the date, for a page that is made anew each time."""
    return Stamp(_asked(f"SELECT {_DATE}")[0], "")
