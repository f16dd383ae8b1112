"""A cursor whose statements PostgreSQL plans once a session.

Django sends a statement as finished text, to be parsed and planned each time; for the engine's own, run for a
single task, that costs as much as running them. On this cursor they go with their parameters beside them, and
psycopg has what it has sent five times prepared.
"""

from typing import Any

import psycopg
from django.db import connection

OFTEN = 5


def planned_cursor() -> Any:
    """To be used as `with planned_cursor() as cursor`; counted and logged like any other cursor of Django's."""
    connection.ensure_connection()
    session: Any = connection.connection
    if session.prepare_threshold is None:  # Django's own cursors bind on this side and never prepare
        session.prepare_threshold = OFTEN
    wrapper: Any = connection
    return wrapper._prepare_cursor(psycopg.Cursor(session))
