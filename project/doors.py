"""What must stand before a command can answer: tables, calendar, programmes and the demo's organisations."""

import sys
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from approvals.disbursement.funds.loading import load_splits
from approvals.notices.actions import recompute_open
from approvals.notices.objections import actions as objections
from approvals.organisations.actions import load_organisations
from approvals.organisations.models import Organisation
from approvals.programmes.actions import load_programmes, load_quotas
from approvals.programmes.models import Quota
from workflows.working_days import load_calendar

log = structlog.get_logger(__name__)

ONE_AT_A_TIME = 2_113_049_901  # advisory lock key: two commands must not migrate at once


def ensure_ready() -> None:
    """Migrates what is missing, and loads what changed (0.3 s where nothing did). Says what it does on stderr only."""
    with _one_at_a_time():
        if _unapplied():
            sys.stderr.write("Preparing the database …\n")
            call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
        load()
        if settings.DEMO:
            _seed_demo()


def load() -> None:
    """Brings calendar and programmes in line with their files, and the ends of running notices with the calendar."""
    load_calendar()
    if new := load_programmes():
        log.info("loaded", versions=new)
    load_splits()
    if changed := recompute_open():
        log.info("recomputed", notices=changed)
    if changed := objections.recompute():
        log.info("recomputed", objections=changed)


def _seed_demo() -> None:
    """The demo's offices and headcounts, each when its table is empty."""
    for model, loader in ((Organisation, load_organisations), (Quota, load_quotas)):
        if not model.objects.exists():
            log.info("seeding", what=model.__name__)
            loader()


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
