"""重新比对: all applications of a term matched again, in chunks, each a transaction of its own.

A run is a row that remembers what is owed: killed at any moment it goes on after the last chunk. Nothing moves by it;
what stands at the data check is sent on by `match_waiting`, through `decide`.
"""

import json
from collections import defaultdict
from time import sleep

import structlog
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from psycopg.errors import DeadlockDetected, LockNotAvailable

from approvals.applications.actions.matching import match_locked
from approvals.applications.hits import Outcome
from approvals.applications.models import Application, MatchRun
from approvals.applications.sources import registry
from approvals.applications.sources.base import INFO
from approvals.organisations.authority import UserActor
from approvals.organisations.queries import county
from approvals.people import registers
from approvals.programmes.terms import Term
from notifications import send
from workflows import record
from workflows.actors import SYSTEM
from workflows.clock import now, today
from workflows.models import Case

log = structlog.get_logger(__name__)

PERMISSION = "match_term"
CHUNK = 10_000
"""Applications matched in one transaction."""
ATTEMPTS = 5
"""Tries of one chunk after which a run is given up."""
WAIT = 0.5
"""Seconds between two tries of a command, while somebody else is at the run or at its cases."""

# What is under way or paid in a term: an autumn application has its award for spring too, so spring has both. Drafts
# are the school's own still; a programme without a data check asks nobody.
_OF_TERM = f"""
      FROM {Application._meta.db_table} a JOIN {Case._meta.db_table} c ON c.id = a.case_id
     WHERE a.school_year = %(year)s AND a.term <= %(term)s AND a.live
       AND c.state <> 'draft' AND 'data_check' = ANY(c.steps)
"""
_NEXT = f"""SELECT a.case_id, c.open_hits, c.path {_OF_TERM} AND a.case_id > %(upto)s
     ORDER BY a.case_id LIMIT %(limit)s FOR NO KEY UPDATE OF c"""


def ask(term: str, by: UserActor) -> tuple[MatchRun, bool]:
    """Asks for a term to be matched again; the run, and False where one was already waiting.

    Raises UnknownTerm, PermissionDenied.
    """
    post = by.require(PERMISSION, county().path)
    code = Term.of(term).code
    waiting = MatchRun.objects.filter(term=code, state="waiting")
    try:
        with transaction.atomic():
            if run := waiting.first():
                return run, False
            run = MatchRun.objects.create(term=code, asked_by=by.user, asked_at=now(), total=_total(code))
            record.write("match_term", "match_run", [run.pk], by, post=post, data={"term": code})
    except IntegrityError:  # somebody else asked at the same moment
        return waiting.get(), False
    return run, True


def ask_by_system(term: str) -> MatchRun:
    """The same from the command line, where whoever types it holds the database."""
    code = Term.of(term).code
    try:
        with transaction.atomic():
            run, made = MatchRun.objects.get_or_create(
                term=code, state="waiting", defaults={"asked_at": now(), "total": _total(code)}
            )
            if made:
                record.write("match_term", "match_run", [run.pk], SYSTEM, post="system", data={"term": code})
    except IntegrityError:
        return MatchRun.objects.get(term=code, state="waiting")
    return run


def _of(term: str) -> dict[str, str | int]:
    return {"term": term, "year": Term.of(term).school_year}


def _total(term: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_OF_TERM}", _of(term))
        return int(cursor.fetchone()[0])


def work_on_next() -> int:
    """One chunk of a run that nobody else works on; returns 1, or 0 when nothing was to be done."""
    waiting = MatchRun.objects.filter(state="waiting").order_by("attempts", "pk").values_list("pk", flat=True)
    return int(any(work_on(run) for run in waiting))


def finish(run: MatchRun) -> MatchRun:
    """Works on a run until it is done, or given up; together with whoever else does."""
    while True:
        worked = work_on(run.pk)
        run.refresh_from_db()
        if run.state != "waiting":
            return run
        if not worked:
            sleep(WAIT)


def work_on(run_id: int) -> bool:
    """Matches the next chunk of a run; False where somebody else is at it, or other people's locks stand in the way."""
    if not _count(run_id, 1):
        return False
    try:
        with transaction.atomic():
            return _next_chunk(run_id)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise
        log.info("match_run_busy", run=run_id)
        _count(run_id, -1)
        return False


def _count(run_id: int, more: int) -> bool:
    """Counts a try before it starts, so that what fails again and again is given up; False where another is at it."""
    with transaction.atomic():
        free = MatchRun.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=run_id, state="waiting")
        if not list(free.values_list("pk")):
            return False
        MatchRun.objects.filter(pk=run_id).update(attempts=F("attempts") + more)
    return True


def _next_chunk(run_id: int) -> bool:
    run = MatchRun.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=run_id, state="waiting").first()
    if run is None:
        return False
    if run.attempts > ATTEMPTS:
        _end(run, "failed", error="attempts")
        return True
    lists = registers.current()
    if lists != run.lists:
        _begin_anew(run, lists)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, _of(run.term) | {"upto": run.upto, "limit": CHUNK})
        cases = cursor.fetchall()
    if cases:
        outcome = match_locked({case: count for case, count, _path in cases}, lists, {}, today())
        _note(run, {case: path for case, _count, path in cases}, outcome)
    if len(cases) < CHUNK:
        _end(run, "done")
    return True


def _begin_anew(run: MatchRun, lists: dict[str, int]) -> None:
    """Every application of a run is matched against the same lists."""
    run.lists, run.tally, run.upto, run.done, run.total = lists, {}, 0, 0, _total(run.term)


def _note(run: MatchRun, paths: dict[int, str], outcome: Outcome) -> None:
    """Writes how far the run is, and a line of the record for each case of which a hit is new or gone."""
    tally: dict[str, dict[str, int]] = defaultdict(dict, run.tally)
    for code, counts in outcome.tally.items():
        before = tally[code]
        tally[code] = {what: before.get(what, 0) + counts.get(what, 0) for what in {*before, *counts}}
    run.tally, run.upto, run.done, run.attempts = dict(tally), max(paths), run.done + len(paths), 0
    run.save(update_fields=["lists", "tally", "upto", "done", "total", "attempts"])
    told = (
        record.Told(case, paths[case], json.dumps(changes | {"run": run.pk}))
        for case, changes in sorted(outcome.changed.items())
    )
    record.write_told("match", "case", told)


def _end(run: MatchRun, state: str, error: str = "") -> None:
    run.state, run.error, run.finished_at, run.total = state, error, now(), run.done
    run.save()
    record.write(
        "match_term_done", "match_run", [run.pk], SYSTEM, post="system", states=("waiting", state),
        data={"term": run.term, "done": run.done},
    )  # fmt: skip
    if run.asked_by_id:
        asking = sum(
            counts.get("new", 0) + counts.get("again", 0)
            for code, counts in run.tally.items()
            if registry.weight_of(code) != INFO
        )
        send(
            "match_done", [run.asked_by_id], about="match_run", about_id=run.pk, cause=str(run.pk),
            data={"name": Term.of(run.term).name(), "count": asking},
        )  # fmt: skip
