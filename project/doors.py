"""What must stand before a command can answer: tables, calendar, programmes and the demo's organisations."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module

import structlog
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

log = structlog.get_logger(__name__)

ONE_AT_A_TIME = 2_113_049_901  # advisory lock key: two commands must not migrate at once


def ensure_ready() -> None:
    """Migrates and seeds what is missing; a quick look where nothing is. Says what it does on stderr only."""
    with _one_at_a_time():
        if _unapplied():
            log.info("migrating")
            call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
        for label, model, loader in EVERYWHERE + (IN_A_DEMO if settings.DEMO else []):
            if not apps.get_model(label, model).objects.exists():
                log.info("seeding", what=model)
                _function(loader)()


# In this order, each when its table is empty; a loader is idempotent all the same.
EVERYWHERE = [
    ("workflows", "CalendarDay", "workflows.working_days.load_calendar"),
    ("programmes", "Programme", "approvals.programmes.actions.load_programmes"),
]
IN_A_DEMO = [
    ("organisations", "Organisation", "approvals.organisations.actions.load_organisations"),
    ("programmes", "Quota", "approvals.programmes.actions.load_quotas"),
]


def _function(dotted: str) -> Callable[[], object]:
    module, name = dotted.rsplit(".", 1)
    function: Callable[[], object] = getattr(import_module(module), name)
    return function


def _unapplied() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _one_at_a_time():
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")  # a first run takes its time; the second waits for it
        cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])
            cursor.execute("RESET lock_timeout")
