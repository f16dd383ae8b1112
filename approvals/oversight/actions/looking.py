"""Asking the standing queries, and keeping what they find: a query a piece, in a handful of statements."""

from collections.abc import Iterable
from datetime import date
from time import perf_counter
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import F

from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.organisations.queries import county
from approvals.oversight.audits.base import COLUMNS, SCHOOL, Audit
from approvals.oversight.audits.registry import audits
from approvals.oversight.models import VERIFIES, AuditRun, Finding
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.clock import moment
from workflows.copying import among
from workflows.machines import transition_all

log = structlog.get_logger(__name__)

_FIND = f"""
    CREATE TEMPORARY TABLE audit_found ON COMMIT DROP AS
    SELECT DISTINCT ON (subject) *,
           CASE WHEN %(at_school)s THEN path ELSE left(path, {Organisation.steplen}) END AS owner
      FROM (SELECT code || ':' || about || ':' || key AS subject, {COLUMNS} FROM (%(statement)s) AS asked) AS told
     ORDER BY subject
"""
_NEW = f"""
    INSERT INTO {Finding._meta.db_table}
           (query, code, subject, state, path, place, about, about_id, student_id, case_id, batch_id, amount, said,
            first_seen, last_seen, times, answer, reason)
    SELECT %(query)s, code, subject, 'open', owner, path, about, about_id, student_id, case_id, batch_id, amount, said,
           %(on)s, %(on)s, 1, '', ''
      FROM audit_found ON CONFLICT (query, subject) DO NOTHING
"""
_AGAIN = f"""
    SELECT f.id FROM {Finding._meta.db_table} f JOIN audit_found a ON a.subject = f.subject
     WHERE f.query = %(query)s AND (
           f.state = 'gone' OR f.state IN ('verified', 'explained') AND (f.gone_on IS NOT NULL OR f.said <> a.said))
     ORDER BY f.id FOR NO KEY UPDATE OF f
"""
_SEEN = f"""
    UPDATE {Finding._meta.db_table} f
       SET last_seen = %(on)s, gone_on = NULL, said = a.said, amount = a.amount, path = a.owner, place = a.path
      FROM audit_found a
     WHERE f.query = %(query)s AND f.subject = a.subject AND (
           f.last_seen, f.gone_on, f.said, f.amount, f.path) IS DISTINCT FROM (%(on)s, NULL, a.said, a.amount, a.owner)
"""
_GONE = f"""
    SELECT f.id FROM {Finding._meta.db_table} f
     WHERE f.query = %(query)s AND f.gone_on IS NULL
       AND NOT EXISTS (SELECT FROM audit_found a WHERE a.subject = f.subject)
     ORDER BY f.id FOR NO KEY UPDATE
"""


def look(audit: Audit, on: date) -> dict[str, int]:
    """Asks one query on a business day and keeps what it finds, in one transaction; returns how much is what.

    A new finding is open. One that was gone, verified or explained opens again when it is found after it was not, or
    says something else. What is no longer found is marked with the day; nobody need put it right any more.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('audit'), hashtext(%s))", [audit.code])
        values = audit.params(on) | {"at_school": audit.owner == SCHOOL}
        cursor.execute("DROP TABLE IF EXISTS audit_found")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(_FIND.replace("%(statement)s", audit.statement), values)
        found = cursor.rowcount
        cursor.execute("ANALYZE audit_found")
        given: dict[str, Any] = {"query": audit.code, "on": on}
        cursor.execute(_NEW, given)
        new = cursor.rowcount
        again = _ids(cursor, _AGAIN, given)
        _move(again, "reopen", times=F("times") + 1, due_on=None)
        cursor.execute(_SEEN, given)
        gone = _ids(cursor, _GONE, given)
        _move(gone, "vanish", due_on=None)
        Finding.objects.filter(pk__in=among(gone)).update(gone_on=on)
        cursor.execute("DROP TABLE audit_found")
    return {"found": found, "new": new, "again": len(again), "gone": len(gone)}


def _ids(cursor: Any, statement: str, given: dict[str, Any]) -> list[int]:
    cursor.execute(statement, given)
    return [key for (key,) in cursor.fetchall()]


def _move(ids: list[int], act: str, **also: Any) -> None:
    """Takes a transition of the system for those of the findings that may take it, each with a line of the record."""
    if not ids:
        return
    if act == "vanish":
        also["gone_on"] = moment().date
    before = dict(Finding.objects.filter(pk__in=among(ids)).values_list("pk", "path"))
    states = Finding.objects.filter(pk__in=among(ids)).values_list("pk", "state")
    able = {"vanish": ("open", "assigned"), "reopen": ("gone", "verified", "explained")}[act]
    moved = [key for key, state in states if state in able]
    transition_all(Finding.objects.filter(pk__in=among(moved)), act, **also)
    record.write_told(act, "finding", (record.Told(key, before[key], "{}") for key in moved))


# ---------------------------------------------------------------- runs


def ask(by: UserActor) -> AuditRun:
    """再查一次: has all queries asked in the background; one that waits already is that one."""
    post = by.require(VERIFIES, county().path)
    return _ask(by, post, by.user_id)


def _ask(by: Actor, post: str, user: int | None) -> AuditRun:
    at = moment()
    with transaction.atomic():
        run, made = AuditRun.objects.get_or_create(
            state="waiting", defaults={"asked_by_id": user, "asked_at": at.business}
        )
        if made:
            record.write("ask", "audit", [run.pk], by, post=post, at=at)
    return run


def ask_daily(_on: date) -> None:
    """The daily look, by the system; a county without offices has nothing to be looked at."""
    if Organisation.objects.exists():
        _ask(SYSTEM, "system", None)


def look_on() -> int:
    """Does the next query of a run that waits; returns 1, or 0 where none does. Safe to be killed and to run twice."""
    with transaction.atomic():
        run = AuditRun.objects.select_for_update(skip_locked=True).filter(state="waiting").first()
        if run is None:
            return 0
        rest = [audit for audit in audits() if audit.judged and audit.code not in run.tally]
        if rest:
            run.tally[rest[0].code] = _tried(rest[0], moment().date)
            run.save(update_fields=["tally"])
        if len(rest) < 2:
            run.state, run.finished_at = "done", moment().business
            run.save(update_fields=["state", "finished_at"])
            record.write("look", "audit", [run.pk], SYSTEM, post="system", data=run.tally)
    return 1


def _tried(audit: Audit, on: date) -> dict[str, Any]:
    started = perf_counter()
    try:
        counted: dict[str, Any] = {**look(audit, on)}
    except Exception:
        log.exception("audit_failed", query=audit.code)
        return {"failed": True}
    return counted | {"ms": int(1000 * (perf_counter() - started))}


def look_now(only: Iterable[str] = ()) -> dict[str, dict[str, int]]:
    """Asks all queries, or these, at once; for tests and measurements."""
    wanted = set(only)
    on = moment().date
    return {
        audit.code: look(audit, on)
        for audit in audits()
        if audit.judged and (not wanted or audit.code in wanted)
    }  # fmt: skip
