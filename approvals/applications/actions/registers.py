"""名册: a list of another office uploaded, read in the background, looked at, taken over, withdrawn.

A list is a row that remembers what is owed; killed at any moment it is read again, and taken over all or not at all.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import translation

from approvals.applications.actions.submitting import not_for_long
from approvals.applications.importing import without_collecting
from approvals.applications.refusals import Refused
from approvals.applications.rosters import MAX_BYTES, Problem, RosterUnreadable, root_cause
from approvals.applications.sources.base import Kind
from approvals.applications.sources.doubts import doubts
from approvals.applications.sources.lists import Reading, read_list
from approvals.applications.sources.registry import kind_of
from approvals.organisations.authority import UserActor
from approvals.organisations.queries import county
from approvals.people import registers
from approvals.people.crypto import decrypt_bytes, encrypt_bytes
from approvals.people.masking import mask_text
from approvals.people.models import RegisterList
from workflows import record
from workflows.clock import today
from workflows.reasons import MIN_LENGTH, Reason

log = structlog.get_logger(__name__)

PERMISSION = "load_register"
WORKING = ("uploaded", "loading")
ATTEMPTS = 5
TRIED_IN_VAIN = "attempts"
SHOWN = 500
"""Refused rows of which the reasons are kept."""
EARLIEST = date(2000, 1, 1)


def kind_named(code: str) -> Kind:
    """The kind of a list that can be uploaded. Raises Refused (unknown_register)."""
    kind = kind_of(code)
    if kind is None or not kind.columns:
        raise Refused("unknown_register", given=code)
    return kind


def upload(content: bytes, filename: str, kind: str, origin: str, as_of: date, by: UserActor) -> RegisterList:
    """Keeps an uploaded file, encrypted, to be read in the background.

    Raises Refused (unknown_register, origin_missing, date_ahead, date_too_old, list_known), RosterUnreadable (too_big).
    """
    post = by.require(PERMISSION, county().path)
    digest = _acceptable(content, kind, origin, as_of)
    with transaction.atomic():
        register = _new(digest, filename, kind, origin, as_of, by)
        register.content = encrypt_bytes(content)
        register.save(update_fields=["content"])
        _write("upload", register, by, ("", "uploaded"), post)
    return register


def load_now(
    content: bytes | Path,
    filename: str,
    kind: str,
    origin: str,
    as_of: date,
    by: UserActor,
    lang: str | None = None,
    despite: bool = False,
) -> dict[str, Any]:
    """Takes a list over in one go, its valid rows: {"list", "rows", "accepted", "current", "refused": [{"row", …}]}.

    `despite` what speaks against it, as for `confirm`. Raises what `upload` raises, PermissionDenied, and Refused
    (no_valid_row, list_doubtful with `why`).
    """
    post = by.require(PERMISSION, county().path)
    data = content if isinstance(content, bytes) else content.read_bytes()
    digest = _acceptable(data, kind, origin, as_of)
    reading = _read(kind_named(kind), data, filename, as_of, lang)
    if not reading.rows:
        raise Refused("no_valid_row")
    with registers.alone_with(kind):
        _acceptable(data, kind, origin, as_of)  # again: somebody may have loaded it meanwhile
        register = _new(digest, filename, kind, origin, as_of, by)
        _note_reading(register, reading)
        against = doubts(register)
        if against and not despite:
            raise Refused("list_doubtful", why=" ".join(doubt.message for doubt in against))
        register.confirmed_by = by.user
        _take_over(register, reading, by, post, despite=[doubt.code for doubt in against])
    return {
        "list": register.pk,
        "rows": register.rows,
        "accepted": register.accepted,
        "current": register.current,
        "refused": [
            {"row": row, **first.as_dict(), "also": [problem.as_dict() for problem in others]}
            for row, first, others in _first(reading)
        ],
    }


def _acceptable(content: bytes, kind: str, origin: str, as_of: date) -> str:
    """The digest of a file that may be uploaded as a kind's list."""
    kind_named(kind)
    if len(content) > MAX_BYTES:
        raise RosterUnreadable("too_big", size=-(-len(content) // 1024**2), limit=MAX_BYTES // 1024**2)
    if len(origin.strip()) < 2:
        raise Refused("origin_missing")
    if as_of > today():
        raise Refused("date_ahead")
    if as_of < EARLIEST:
        raise Refused("date_too_old")
    digest = hashlib.sha256(content).hexdigest()
    known = RegisterList.objects.filter(kind=kind, sha256=digest, state__in=["loaded", "previewed", *WORKING]).first()
    if known is not None:
        raise Refused("list_known", origin=known.origin, day=known.as_of.isoformat())
    return digest


def _new(digest: str, filename: str, kind: str, origin: str, as_of: date, by: UserActor) -> RegisterList:
    return RegisterList.objects.create(
        kind=kind,
        origin=" ".join(origin.split())[:80],
        as_of=as_of,
        current=False,
        state="uploaded",
        filename=mask_text(filename)[-200:],
        sha256=digest,
        uploaded_by=by.user,
        uploaded_on=today(),
    )


def confirm(list_id: int, by: UserActor, despite: bool = False) -> RegisterList:
    """Has a list that was looked at taken over, its valid rows; `despite` what speaks against it, where anything does.

    Raises Refused (wrong_list_state, no_valid_row, list_doubted).
    """
    with not_for_long(), transaction.atomic():
        register, post = _held(list_id, by, "previewed")
        if not register.valid:
            raise Refused("no_valid_row")
        against = doubts(register)
        if against and not despite:
            raise Refused("list_doubted")
        register.state, register.confirmed_by, register.attempts = "loading", by.user, 0
        register.save(update_fields=["state", "confirmed_by", "attempts"])
        _write("confirm", register, by, ("previewed", "loading"), post, despite=[doubt.code for doubt in against])
    return register


def discard(list_id: int, by: UserActor) -> RegisterList:
    """Throws a file away before it was taken over. Raises Refused (wrong_list_state)."""
    with not_for_long(), transaction.atomic():
        register, post = _held(list_id, by, "uploaded", "previewed", "unreadable", "failed")
        before, register.state, register.content = register.state, "discarded", None
        register.save(update_fields=["state", "content"])
        _write("discard", register, by, (before, "discarded"), post)
    return register


def withdraw(list_id: int, by: UserActor, text: str) -> RegisterList:
    """Takes a list back that should not have been loaded; the latest one before it is current again.

    Raises Refused (wrong_list_state, withdraw_why).
    """
    if len(text.strip()) < MIN_LENGTH:
        raise Refused("withdraw_why")
    kind = RegisterList.objects.values_list("kind", flat=True).get(pk=list_id)
    with not_for_long(), registers.alone_with(kind):
        register, post = _held(list_id, by, "loaded")
        was_current, register.current, register.state = register.current, False, "withdrawn"
        register.save(update_fields=["current", "state"])
        if was_current:
            before = RegisterList.objects.filter(kind=kind, state="loaded").order_by("-as_of", "-pk").first()
            if before is not None:
                before.current = True
                before.save(update_fields=["current"])
        _write("withdraw", register, by, ("loaded", "withdrawn"), post, reason=Reason("other", text.strip()[:500]))
    return register


def _held(list_id: int, by: UserActor, *states: str) -> tuple[RegisterList, str]:
    """The list, locked, and the post under which `by` acts on it."""
    post = by.require(PERMISSION, county().path)
    register = RegisterList.objects.select_for_update(of=("self",)).defer("content", "problems").get(pk=list_id)
    if register.state not in states:
        raise Refused("wrong_list_state")
    return register, post


def _write(
    act: str,
    register: RegisterList,
    by: UserActor,
    states: tuple[str, str],
    post: str,
    reason: Reason | None = None,
    **data: Any,
) -> None:
    record.write(
        act, "register", [register.pk], by, post=post, path=county().path, states=states, reason=reason,
        data={"kind": register.kind, "as_of": register.as_of.isoformat(), **data},
    )  # fmt: skip


# ---------------------------------------------------------------- reading and taking over


def work_on_next() -> int:
    """Reads or takes over one list that waits; returns 1, or 0 when there is none."""
    waiting = RegisterList.objects.filter(state__in=WORKING).order_by("attempts", "pk").values_list("pk", flat=True)
    return int(any(_work_on(list_id) for list_id in waiting))


def _work_on(list_id: int) -> bool:
    register = _claim(list_id)
    if register is None:
        return False
    try:
        with translation.override("zh-hans"), transaction.atomic():
            # Held until the end, so that nobody else works on it; a worker that is killed lets go of it.
            if (
                not RegisterList.objects.select_for_update(skip_locked=True)
                .filter(pk=list_id, state=register.state)
                .values("pk")
            ):
                return False
            _judge(register) if register.state == "uploaded" else _load(register)
    except RosterUnreadable as refusal:
        _give_up(register, "unreadable", refusal.message)
    except Refused as refusal:
        _give_up(register, "failed", refusal.message)
    except PermissionDenied:
        _give_up(register, "failed", Refused("no_longer_permitted").message)
    except IntegrityError:
        _give_up(register, "failed", Refused("list_loaded_meanwhile").message)
    return True


def _claim(list_id: int) -> RegisterList | None:
    """The list, if it still waits; each try is counted before it starts, so that a poisonous file has few."""
    with transaction.atomic():
        register = (
            RegisterList.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=list_id, state__in=WORKING)
            .first()
        )
        if register is None:
            return None
        if register.attempts >= ATTEMPTS:
            _give_up(register, "failed", TRIED_IN_VAIN)
            return None
        RegisterList.objects.filter(pk=list_id).update(attempts=F("attempts") + 1)
    return register


def _give_up(register: RegisterList, state: str, error: str) -> None:
    RegisterList.objects.filter(pk=register.pk, state=register.state).update(
        state=state, error=error[:400], content=None
    )


@without_collecting()
def _read(kind: Kind, content: bytes, filename: str, as_of: date, lang: str | None = None) -> Reading:
    return read_list(kind, content, filename, as_of, lang)


def _judge(register: RegisterList) -> None:
    reading = _read(kind_named(register.kind), _content(register), register.filename, register.as_of)
    _note_reading(register, reading)
    register.state = "previewed"
    register.save()


def _load(register: RegisterList) -> None:
    by = UserActor(register.confirmed_by or register.uploaded_by)  # type: ignore[arg-type]
    post = by.require(PERMISSION, county().path)
    reading = _read(kind_named(register.kind), _content(register), register.filename, register.as_of)
    with registers.alone_with(register.kind):
        _take_over(register, reading, by, post)


def _content(register: RegisterList) -> bytes:
    return decrypt_bytes(bytes(register.content or b""))


def _take_over(register: RegisterList, reading: Reading, by: UserActor, post: str, **data: Any) -> None:
    """Writes the rows, and makes the list the current one unless a later one is; the caller is alone with the kind."""
    before = register.state
    register.accepted = registers.write_entries(register.pk, reading.rows)
    register.state, register.content = "loaded", None
    present = RegisterList.objects.filter(kind=register.kind, current=True).first()
    if present is None or present.as_of <= register.as_of:
        RegisterList.objects.filter(kind=register.kind, current=True).update(current=False)
        register.current = True
    register.save()
    told = data | {"accepted": register.accepted, "current": register.current}
    _write("load", register, by, (before, "loaded"), post, **told)


def _note_reading(register: RegisterList, reading: Reading) -> None:
    table, kind = reading.table, kind_named(register.kind)
    register.rows, register.valid, register.refused = reading.total, len(reading.rows), len(reading.refused)
    register.understood = {
        "format": table.format,
        "encoding": table.encoding,
        "sheet": table.sheet,
        "header_row": table.header_row,
        "columns": [
            {"column": column, "heading": match.heading, "letter": match.letter}
            for column, match in table.columns.items()
        ],
        "unmapped": [{"heading": match.heading, "letter": match.letter} for match in table.unmapped],
        "skipped": sum(skipped.why != "blank" for skipped in table.skipped),
        "notes": _in_both(lambda: [note.message for note in table.notes]),
        "categories": dict(Counter(row.category for row in reading.rows).most_common()),
        "why": dict(Counter(first.code for _row, first, _others in _first(reading)).most_common()),
        "codes": [column.heading for column in kind.columns],
    }
    register.problems = [
        {"row": row, **_told(first), "also": [_told(problem) for problem in others]}
        for row, first, others in _first(reading)[:SHOWN]
    ]


def _first(reading: Reading) -> list[tuple[int, Problem, list[Problem]]]:
    """The refused rows, each with the problem to mend first and the others."""
    found = []
    for row, problems in reading.refused:
        first, others = root_cause(problems)
        assert first is not None
        found.append((row, first, others))
    return found


def _told(problem: Problem) -> dict[str, Any]:
    said = {language: problem.in_language(language) for language in ("zh-hans", "en")}
    return {"column": problem.column, "code": problem.code, "message": said}


def _in_both(say: Callable[[], list[str]]) -> dict[str, list[str]]:
    said = {}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said[language] = say()
    return said
