"""Taking over a roster: uploaded, judged in the background, confirmed by the school, made into drafts.

A roster is a row that remembers what is owed. The work goes in chunks, each a transaction of its own: killed at
any moment, it goes on after the last chunk, and no row is taken twice.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext
from psycopg.errors import DeadlockDetected, LockNotAvailable

from approvals.applications import importing
from approvals.applications.actions.creating import BUSY, Created, create_applications
from approvals.applications.actions.submitting import LEVEL
from approvals.applications.importing import Judgement, Target, judge, spec_of, target_of
from approvals.applications.meant import meant
from approvals.applications.models import Application, Roster
from approvals.applications.refusals import SENTENCES as REFUSALS
from approvals.applications.refusals import Refused
from approvals.applications.rosters import MAX_BYTES, WARNING, CheckedRow, Problem, RosterUnreadable, root_cause
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.people.actions import NewPupil, add_pupils
from approvals.people.crypto import decrypt_bytes, encrypt_bytes
from approvals.people.masking import mask_text
from notifications import send
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.clock import moment, now, today
from workflows.moving import take_level

log = structlog.get_logger(__name__)

CHUNK = 2000
"""Rows that are taken over in one transaction."""
ATTEMPTS = 5
"""How often a roster is tried before it is left alone with an error."""
TRIED_IN_VAIN = "attempts"
"""The error of a roster that was tried that often."""
WORKING = ["uploaded", "importing"]
FILES_AT_ONCE = 200


@dataclass(frozen=True)
class Papers:
    """Which signed papers the school holds for a whole list, and since when it is recorded."""

    commitment: date | None = None
    consent: date | None = None


@dataclass(frozen=True)
class Taken:
    """What became of a roster: how many rows became drafts, and those refused only while they were taken."""

    accepted: int
    refused: list[CheckedRow]


# ---------------------------------------------------------------- the rows


def take_rows(
    target: Target,
    judgement: Judgement,
    by: Actor,
    papers: Papers,
    *,
    roster: int | None = None,
    lang: str | None = None,
    before_chunk: Callable[[int], None] | None = None,
    after_chunk: Callable[[list[int]], None] | None = None,
    together: bool = False,
) -> Taken:
    """Makes drafts of the valid rows, pupils who are not on the register added first.

    In chunks, each a transaction of its own, or all `together`. `before_chunk` gets the number of rows done,
    `after_chunk` the new cases; both run inside each chunk's transaction. Somebody else may have entered a pupil
    meanwhile: such rows are refused.
    """
    done = _rows_done(roster)
    rows = [checked for checked in judgement.valid if checked.row not in done]
    accepted, refused = len(done), []
    with transaction.atomic() if together else nullcontext():
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            with transaction.atomic():
                if before_chunk:
                    before_chunk(len(done) + start + len(chunk))
                created = _take_chunk(target, judgement, chunk, by, papers, roster)
                if after_chunk:
                    after_chunk([answer.case_id for answer in created if answer.case_id is not None])
            for checked, answer in zip(chunk, created, strict=True):
                if answer.case_id is None:
                    refused.append(_refused_late(checked, answer, lang))
            accepted += sum(answer.case_id is not None for answer in created)
        if together and refused:
            transaction.set_rollback(True)
            accepted = 0
    return Taken(accepted, refused)


def _rows_done(roster: int | None) -> set[int]:
    if roster is None:
        return set()
    rows = Application.objects.filter(roster=roster).values_list("roster_row", flat=True)
    return {row for row in rows if row is not None}


def _take_chunk(
    target: Target, judgement: Judgement, rows: list[CheckedRow], by: Actor, papers: Papers, roster: int | None
) -> list[Created]:
    pupils = add_pupils((_pupil(target, checked) for checked in rows), by)
    specs = []
    for checked in rows:
        assert checked.values is not None
        specs.append(
            spec_of(
                checked.values,
                target,
                pupils[judgement.hashes[checked.row]],
                roster=roster,
                roster_row=checked.row,
                commitment_on=papers.commitment,
                consent_on=papers.consent,
            )
        )
    return create_applications(specs, by, act="import")


def _pupil(target: Target, checked: CheckedRow) -> NewPupil:
    values = checked.values
    assert values is not None
    return NewPupil(
        name=values.name,
        id_number=values.id_number,
        school=target.school.pk,
        path=target.school.path,
        stage=values.stage or next(iter(target.school.stages), ""),
        grade=values.grade,
        class_name=values.class_name,
        boarder=bool(values.boarder),
        enrolment_no=values.enrolment_no,
    )


def _refused_late(checked: CheckedRow, answer: Created, lang: str | None) -> CheckedRow:
    problem = Problem("身份证号", answer.refused, lang=lang, sentence=REFUSALS[answer.refused])
    return CheckedRow(checked.row, None, [problem])


# ---------------------------------------------------------------- at once, for the command


def import_now(
    content: bytes | Path,
    filename: str,
    target: Target,
    by: UserActor,
    *,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    lang: str | None = None,
) -> dict[str, Any]:
    """Takes a roster in one go: {"rows", "accepted", "refused": [{"row", "column", "code", "message", "also"}]}.

    Raises RosterUnreadable, Refused, PermissionDenied. With `dry_run` nothing is written and `accepted` says how
    many rows would be; with `all_or_nothing` one refused row refuses them all.
    """
    by.require("submit_application", target.school.path)
    judgement = judge(content, filename, target, lang)
    refused = judgement.refused
    accepted = 0 if all_or_nothing and refused else len(judgement.valid)
    if accepted and not dry_run:
        roster = _kept(content, filename, target, by, judgement, all_or_nothing)
        taken = take_rows(target, judgement, by, Papers(), roster=roster.pk, lang=lang, together=all_or_nothing)
        accepted, refused = taken.accepted, sorted([*refused, *taken.refused], key=lambda checked: checked.row)
        _finish(roster, accepted, by)
    return {
        "rows": len(judgement.rows),
        "accepted": accepted,
        "refused": importing.refused_as_json(refused),
    }


def _kept(
    content: bytes | Path, filename: str, target: Target, by: UserActor, judgement: Judgement, all_or_nothing: bool
) -> Roster:
    data = content if isinstance(content, bytes) else content.read_bytes()
    group = {version.programme.group for version in target.versions}
    return Roster.objects.create(
        school=target.school,
        path=target.school.path,
        programme=target.versions[0].programme_id if len(target.versions) == 1 else group.pop(),
        term=target.term,
        filename=mask_text(filename)[-200:],
        sha256=hashlib.sha256(data).hexdigest(),
        state="taking",
        all_or_nothing=all_or_nothing,
        understood=importing.summary(judgement),
        problems=_problems(judgement),
        rows=len(judgement.rows),
        valid=len(judgement.valid),
        uploaded_by=by.user,
        uploaded_on=today(),
    )


# ---------------------------------------------------------------- in the background, for the pages


def upload(content: bytes, filename: str, school: Organisation, programme: str, term: str, by: UserActor) -> Roster:
    """Keeps an uploaded file, encrypted, to be judged in the background. Raises Refused, RosterUnreadable."""
    post = by.require("submit_application", school.path)
    if len(content) > MAX_BYTES:
        raise RosterUnreadable("too_big", size=-(-len(content) // 1024**2), limit=MAX_BYTES // 1024**2)
    target_of(school, programme, term)
    with transaction.atomic():
        roster = Roster.objects.create(
            school=school,
            path=school.path,
            programme=programme,
            term=term,
            filename=mask_text(filename)[-200:],
            content=encrypt_bytes(content),
            sha256=hashlib.sha256(content).hexdigest(),
            uploaded_by=by.user,
            uploaded_on=today(),
        )
        record.write("upload", "roster", [roster.pk], by, post=post, path=school.path, states=("", "uploaded"))
    return roster


def retarget(roster_id: int, programme: str, term: str, by: UserActor) -> Roster:
    """Has the same file judged again, for another programme or term. Raises Refused."""
    with transaction.atomic():
        roster = Roster.objects.select_for_update().defer("content").get(pk=roster_id)
        post = by.require("submit_application", roster.path)
        kept = Roster.objects.filter(pk=roster_id, content__isnull=False).exists()
        if roster.state not in ("previewed", "unreadable") or not kept:
            raise Refused("wrong_roster_state")
        target_of(roster.school, programme, term)
        before = roster.state
        was = {"programme": roster.programme, "term": roster.term}
        roster.programme, roster.term, roster.state = programme, term, "uploaded"
        roster.understood, roster.problems, roster.error = {}, [], ""
        roster.rows = roster.valid = roster.done = roster.attempts = 0
        roster.settled_at = None
        roster.save()
        record.write(
            "retarget",
            "roster",
            [roster.pk],
            by,
            post=post,
            path=roster.path,
            states=(before, "uploaded"),
            data={"from": was, "to": {"programme": programme, "term": term}},
        )
    return roster


def confirm(roster_id: int, all_or_nothing: bool, commitment_held: bool, consent_held: bool, by: UserActor) -> Roster:
    """The school takes the roster over: its valid rows, or all or nothing. Raises Refused."""
    with transaction.atomic():
        roster = Roster.objects.select_for_update().defer("content").get(pk=roster_id)
        post = by.require("submit_application", roster.path)
        if roster.state != "previewed":
            raise Refused("wrong_roster_state")
        target_of(roster.school, roster.programme, roster.term)
        if not roster.valid:
            raise Refused("nothing_valid")
        if all_or_nothing and roster.valid < roster.rows:
            raise Refused("some_refused", count=roster.rows - roster.valid)
        roster.state = "importing"
        roster.all_or_nothing = all_or_nothing
        on = today()
        roster.commitment_on, roster.consent_on = on if commitment_held else None, on if consent_held else None
        roster.confirmed_by = by.user
        roster.attempts = roster.done = 0
        roster.save()
        record.write(
            "confirm",
            "roster",
            [roster.pk],
            by,
            post=post,
            path=roster.path,
            states=("previewed", "importing"),
            data={"commitment": commitment_held, "consent": consent_held, "all_or_nothing": all_or_nothing},
        )
    return roster


def discard(roster_id: int, by: UserActor) -> Roster:
    """Throws an uploaded file away before it was taken over. Raises Refused."""
    with transaction.atomic():
        roster = Roster.objects.select_for_update().defer("content").get(pk=roster_id)
        post = by.require("submit_application", roster.path)
        if roster.state not in ("uploaded", "previewed", "unreadable", "failed"):
            raise Refused("wrong_roster_state")
        before, roster.state, roster.content = roster.state, "discarded", None
        roster.understood.pop("findings", None)
        roster.save(update_fields=["state", "content", "understood"])
        record.write("discard", "roster", [roster.pk], by, post=post, path=roster.path, states=(before, "discarded"))
    return roster


def work_on_next() -> int:
    """Judges or takes over one roster that waits and that nobody else works on; returns 1, or 0 when there is none."""
    waiting = Roster.objects.filter(state__in=WORKING).order_by("attempts", "pk")
    return int(any(_work_on(roster_id) for roster_id in waiting.values_list("pk", flat=True)))


def _work_on(roster_id: int) -> bool:
    """Whether it went on with this roster: not where another worker does, or other people's locks stand in the way."""
    with _alone_with(roster_id) as alone:
        roster = _claim(roster_id) if alone else None
        if roster is None:
            return False
        try:
            with translation.override("zh-hans"):
                _try(roster)
        except _TakenOver:
            log.info("roster_taken_over", roster=roster.pk)
        except _Busy:
            log.info("roster_busy", roster=roster.pk)
            Roster.objects.filter(pk=roster.pk, attempts=roster.attempts).update(attempts=F("attempts") - 1)
            return False
    return True


def _try(roster: Roster) -> None:
    try:
        _judge(roster) if roster.state == "uploaded" else _import(roster)
    except RosterUnreadable as refusal:
        _give_up(roster, "unreadable", refusal.message)
    except Refused as refusal:
        _give_up(roster, "failed", refusal.message)
    except PermissionDenied:
        _give_up(roster, "failed", Refused("no_longer_permitted").message)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise _Busy from error
        raise


class _TakenOver(Exception):
    """Another worker went on with this roster."""


class _Busy(Exception):
    """Somebody holds what this roster needs; a later sweep goes on with it, and the try does not count."""


@contextmanager
def _alone_with(roster_id: int) -> Iterator[bool]:
    """Whether this session is the only one that works on a roster. A worker that is killed lets go of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('roster'), %s)", [roster_id])
        [alone] = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            _let_go(roster_id)


def _let_go(roster_id: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('roster'), %s)", [roster_id])
    except DatabaseError:
        connection.close()  # a session that cannot give the lock back ends, and the lock with it


def _claim(roster_id: int) -> Roster | None:
    """The roster, if it still waits; each try is counted before it starts, so that a poisonous file has few."""
    with transaction.atomic():
        roster = Roster.objects.select_for_update().filter(pk=roster_id, state__in=WORKING).first()
        if roster is None:
            return None
        if roster.attempts >= ATTEMPTS:
            _give_up(roster, "failed", TRIED_IN_VAIN)
            return None
        roster.attempts += 1
        roster.save(update_fields=["attempts"])
    return roster


def content_of(roster: Roster) -> bytes:
    """The file as it was uploaded."""
    return decrypt_bytes(bytes(roster.content or b""))


def _progress(roster: Roster) -> Callable[[int], None]:
    def note(done: int) -> None:
        Roster.objects.filter(pk=roster.pk).update(done=done)

    return note


def _judge(roster: Roster) -> None:
    target = target_of(roster.school, roster.programme, roster.term)
    judgement = judge(content_of(roster), roster.filename, target, progress=_progress(roster))
    Roster.objects.filter(pk=roster.pk, state="uploaded", attempts=roster.attempts).update(
        state="previewed",
        understood=importing.summary(judgement)
        | {"meant": meant(roster.school, (roster.programme, roster.term), judgement.table.rows, judgement.rows)},
        problems=_problems(judgement),
        rows=len(judgement.rows),
        valid=len(judgement.valid),
        done=len(judgement.rows),
    )


@importing.without_collecting()
def _problems(judgement: Judgement) -> list[dict[str, Any]]:
    """Refused rows, then what travels along with valid ones, each sentence in both languages."""
    listed = []
    said: dict[tuple[str, str, str, int], dict[str, Any]] = {}

    def told(problem: Problem) -> dict[str, Any]:
        """As `_told`; what says no particulars is said once: fifty thousand new pupils are the same remark."""
        if problem.params:
            return _told(problem)
        key = (problem.column, problem.code, problem.severity, id(problem.sentence))
        if key not in said:
            said[key] = _told(problem)
        return said[key]

    for checked in [*judgement.refused, *(row for row in judgement.valid if row.problems)]:
        first, others = root_cause(checked.problems)
        assert first is not None
        listed.append({"row": checked.row, "refused": checked.refused, **told(first), "also": [*map(told, others)]})
    return listed


def _told(problem: Problem) -> dict[str, Any]:
    """A problem as the pages show it, in both languages."""
    return {
        "column": problem.column,
        "code": problem.code,
        "warning": problem.severity == WARNING,
        "message": {language: problem.in_language(language) for language in ("zh-hans", "en")},
    }


def _taken_over_by(roster: Roster) -> UserActor:
    return UserActor(roster.confirmed_by or roster.uploaded_by)


def _import(roster: Roster) -> None:
    by = _taken_over_by(roster)
    target = target_of(roster.school, roster.programme, roster.term)
    judgement = judge(content_of(roster), roster.filename, target, ignore_roster=roster.pk)
    papers = Papers(roster.commitment_on, roster.consent_on)

    def before_chunk(done: int) -> None:
        """Holds the roster's row for the chunk, and stops when another worker has gone on with it."""
        held = Roster.objects.select_for_update().filter(pk=roster.pk, state="importing", attempts=roster.attempts)
        if not held.update(done=done):
            raise _TakenOver

    def after_chunk(cases: list[int]) -> None:
        """Whoever uploaded the list prepared its applications too."""
        if roster.uploaded_by.person != by.user.person:
            take_level([(case, LEVEL) for case in cases], UserActor(roster.uploaded_by).key)

    together = roster.all_or_nothing
    if together and judgement.refused:
        raise Refused("some_refused", count=len(judgement.refused))
    taken = take_rows(
        target, judgement, by, papers, roster=roster.pk, before_chunk=before_chunk, after_chunk=after_chunk,
        together=together,
    )  # fmt: skip
    if any(problem.code == BUSY for checked in taken.refused for problem in checked.problems):
        raise _Busy
    if together and taken.refused:
        raise Refused("some_refused", count=len(taken.refused))
    if taken.refused:
        roster.problems = _with_late(roster.problems, taken.refused)
    _finish(roster, taken.accepted, by)


def _with_late(problems: list[dict[str, Any]], late: Iterable[CheckedRow]) -> list[dict[str, Any]]:
    rows = {checked.row: checked for checked in late}
    kept = [problem for problem in problems if problem["row"] not in rows]
    told = [{"row": row, "refused": True, **_told(checked.problems[0]), "also": []} for row, checked in rows.items()]
    return sorted([*kept, *told], key=lambda problem: (not problem["refused"], problem["row"]))


def _finish(roster: Roster, accepted: int, by: UserActor, error: str = "") -> None:
    """Settles a roster once: a worker that comes late, after another went on with it, writes nothing."""
    with transaction.atomic():
        ours = Roster.objects.filter(pk=roster.pk, state=roster.state, attempts=roster.attempts)
        if not ours.update(
            state="imported", accepted=accepted, problems=roster.problems, error=error, settled_at=moment().business
        ):
            raise _TakenOver
        record.write(
            "import",
            "roster",
            [roster.pk],
            by,
            path=roster.path,
            states=("importing", "imported"),
            data={"accepted": accepted, "rows": roster.rows, "complete": not error},
        )
        send(
            "roster_imported",
            [by.user_id],
            about="roster",
            about_id=roster.pk,
            cause=str(roster.pk),
            data={"name": roster.filename, "count": accepted},
        )


def _give_up(roster: Roster, state: str, error: str) -> None:
    """Leaves a roster alone, with the reason. Where rows were taken before, it is one that was taken in part."""
    taken = len(_rows_done(roster.pk))
    if taken:
        _finish(roster, taken, _taken_over_by(roster), _in_part(taken, error))
        return
    Roster.objects.filter(pk=roster.pk, state=roster.state, attempts=roster.attempts).update(
        state=state, error=error[:400], settled_at=moment().business
    )


def _in_part(taken: int, error: str) -> str:
    reason = gettext("It was tried several times in vain.") if error == TRIED_IN_VAIN else error
    return gettext("%(reason)s %(count)s rows had been taken over before; upload the list again for the others.") % {
        "reason": reason[:300],
        "count": taken,
    }


# ---------------------------------------------------------------- how long a file is kept


def forget_files() -> int:
    """Drops the files that were taken over, or given up, `ROSTER_FILE_DAYS` ago; returns how many."""
    with transaction.atomic():
        old = Roster.objects.filter(content__isnull=False, settled_at__lt=now() - timedelta(settings.ROSTER_FILE_DAYS))
        ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:FILES_AT_ONCE])
        Roster.objects.filter(pk__in=ids).update(content=None)
        record.write("drop_file", "roster", ids, SYSTEM, post="system")
    return len(ids)
