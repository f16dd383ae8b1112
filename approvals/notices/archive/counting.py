"""How often a public page was asked for (audit point A7), without telling anybody apart and without a write each time.

Counts are kept in this process and written once a minute by the request that comes then, or by the sweep where it runs
in the same process. What a process has not written when it is killed is lost: a minute at most of one process.
"""

import threading
import time
from collections import Counter
from datetime import date

from django.db import connection

from workflows.background import due
from workflows.clock import today

EVERY = 60.0
"""Seconds between two writes of a process."""

_ADD = """
    INSERT INTO notices_noticeviews (notice_id, day, count)
    SELECT told.notice, told.day, told.count
      FROM unnest(%s::bigint[], %s::date[], %s::int[]) AS told (notice, day, count)
      JOIN notices_notice n ON n.id = told.notice
     ORDER BY told.notice, told.day
        ON CONFLICT (notice_id, day) DO UPDATE SET count = notices_noticeviews.count + excluded.count"""

_lock = threading.Lock()
_seen: Counter[tuple[int, date]] = Counter()
_written = time.monotonic()


def seen(notice_id: int) -> None:
    """The public page of a notice was asked for."""
    with _lock:
        _seen[notice_id, today()] += 1
        late = time.monotonic() - _written > EVERY
    if late:
        write_down()


def _take() -> Counter[tuple[int, date]]:
    global _written
    with _lock:
        _written = time.monotonic()
        taken = _seen.copy()
        _seen.clear()
    return taken


def forget() -> None:
    """Drops what is not written yet."""
    _take()


@due("notice_views")
def sweep() -> int:
    """The same once a minute, so that the last readers are counted though nobody comes after them."""
    if _seen and time.monotonic() - _written > EVERY:
        write_down()
    return 0


def write_down() -> int:
    """Writes what was counted since; how many. What cannot be written now is kept for the next time."""
    taken = _take()
    if not taken:
        return 0
    try:
        with connection.cursor() as cursor:
            days = [(notice, day, count) for (notice, day), count in taken.items()]
            cursor.execute(_ADD, [list(column) for column in zip(*days, strict=True)])
    except BaseException:
        with _lock:
            _seen.update(taken)
        raise
    return sum(taken.values())
