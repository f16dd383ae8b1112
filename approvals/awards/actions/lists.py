"""Lists of changes of enrolment: uploaded and read, looked at, then taken over or thrown away."""

import hashlib
from typing import Any

from django.db import transaction

from approvals.applications.rosters import MAX_BYTES, RosterUnreadable
from approvals.awards.actions.common import PROPOSES, not_for_long
from approvals.awards.actions.events import Recorded, record_events
from approvals.awards.event_lists import EventReading, read_events
from approvals.awards.models import EventList
from approvals.awards.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.people.crypto import decrypt_bytes, encrypt_bytes
from approvals.people.masking import mask_text
from workflows import record
from workflows.clock import moment

SHOWN = 500
"""Refused rows of which the reasons are kept."""


def upload(content: bytes, filename: str, school: Organisation, by: UserActor) -> EventList:
    """Reads a list and keeps it, encrypted, to be looked at. Raises Refused (list_known), RosterUnreadable."""
    post = by.require(PROPOSES, school.path)
    if len(content) > MAX_BYTES:
        raise RosterUnreadable("too_big", size=-(-len(content) // 1024**2), limit=MAX_BYTES // 1024**2)
    digest = hashlib.sha256(content).hexdigest()
    _new_to(school, digest)
    reading = read_events(content, filename, school)
    with transaction.atomic():
        kept = EventList.objects.create(
            school=school,
            path=school.path,
            filename=mask_text(filename)[-200:],
            sha256=digest,
            content=encrypt_bytes(content),
            rows=reading.rows,
            valid=len(reading.changes),
            counts=reading.counts,
            problems=_problems(reading),
            uploaded_by=by.user,
            uploaded_at=moment().business,
        )
        _write("upload", kept, by, post, ("", "previewed"))
    return kept


def confirm_list(list_id: int, by: UserActor) -> Recorded:
    """Records the valid rows of a list. Raises Refused (wrong_list_state, no_valid_row, list_known)."""
    with not_for_long(), transaction.atomic():
        kept, post = _held(list_id, by)
        _new_to(kept.school, kept.sha256)
        reading = read_events(decrypt_bytes(bytes(kept.content or b"")), kept.filename, kept.school)
        if not reading.changes:
            raise Refused("no_valid_row")
        recorded = record_events(reading.changes, kept.school, by, kept)
        kept.state, kept.content = "loaded", None
        kept.recorded, kept.proposals = recorded.events, recorded.proposals
        kept.valid, kept.problems = len(reading.changes), _problems(reading)
        kept.save()
        _write("load", kept, by, post, ("previewed", "loaded"))
    return recorded


def discard_list(list_id: int, by: UserActor) -> EventList:
    """Throws a list away before it was taken over. Raises Refused (wrong_list_state)."""
    with not_for_long(), transaction.atomic():
        kept, post = _held(list_id, by)
        kept.state, kept.content = "discarded", None
        kept.save(update_fields=["state", "content"])
        _write("discard", kept, by, post, ("previewed", "discarded"))
    return kept


def _held(list_id: int, by: UserActor) -> tuple[EventList, str]:
    kept = EventList.objects.select_for_update(of=("self",)).select_related("school").get(pk=list_id)
    post = by.require(PROPOSES, kept.path)
    if kept.state != "previewed":
        raise Refused("wrong_list_state")
    return kept, post


def _new_to(school: Organisation, digest: str) -> None:
    if EventList.objects.filter(school=school, sha256=digest, state="loaded").exists():
        raise Refused("list_known")


def _problems(reading: EventReading) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "column": problem.column,
            "message": {language: problem.in_language(language) for language in ("zh-hans", "en")},
        }
        for row, problems in reading.refused[:SHOWN]
        for problem in problems
    ]


def _write(act: str, kept: EventList, by: UserActor, post: str, states: tuple[str, str]) -> None:
    record.write(act, "event_list", [kept.pk], by, post=post, path=kept.path, states=states,
                 data={"rows": kept.rows, "valid": kept.valid, "recorded": kept.recorded})  # fmt: skip
