"""Files of notices, made in the background: one bounded step a call, each kept before the next begins.

Killed at any moment, the next worker goes on from the steps that are done. Nobody else works on the same file
meanwhile, and what was made of something that has changed since is thrown away.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext
from pypdf import PdfReader, PdfWriter

from approvals.applications import evidence_store
from approvals.notices import paper, queries
from approvals.notices.archive import package
from approvals.notices.archive.models import PACKAGE, PDF, NoticeFile, NoticeFilePart
from approvals.notices.models import Notice
from approvals.organisations.papers import PaperUnavailable
from workflows import record
from workflows.actors import SYSTEM
from workflows.background import due
from workflows.clock import moment

log = structlog.get_logger(__name__)

ATTEMPTS = 5
"""How often a step is tried before the file is left alone with an error."""
WAITING = ("queued", "building")


@due("notice_files", queue="long")
def work_on_next() -> int:
    """One step of one file that waits and that nobody else works on; returns 1, or 0 when there is none."""
    for notice in queries.current().filter(line_count__gt=paper.ROWS_PER_FILE):
        want_pdf(notice)
    waiting = NoticeFile.objects.filter(state__in=WAITING).order_by("attempts", "pk")
    return int(any(_work_on(file_id) for file_id in waiting.values_list("pk", flat=True)))


# ---------------------------------------------------------------- what is wanted


def basis_of(notice: Notice) -> str:
    """A mark that changes with whatever is printed of a notice."""
    printed = (
        notice.published_at, notice.ends_on, notice.provisional, notice.title, notice.sha256,
        queries.listed(notice).count(),
    )  # fmt: skip
    return hashlib.sha256(repr(printed).encode()).hexdigest()


def is_long(notice: Notice) -> bool:
    """Whether its paper is too long to be set while somebody waits."""
    return notice.line_count > paper.ROWS_PER_FILE


def want_pdf(notice: Notice) -> NoticeFile:
    """The row of a long list's PDF as the list is now: made, or put back into the queue where the list has changed."""
    basis = basis_of(notice)
    file = NoticeFile.objects.filter(notice=notice, kind=PDF).first()
    if file is not None and file.basis == basis:
        return file
    with transaction.atomic():
        file, _new = NoticeFile.objects.get_or_create(notice=notice, kind=PDF)
        file = NoticeFile.objects.select_for_update().get(pk=file.pk)
        if file.basis != basis:
            _drop(file.file, *file.pieces.values_list("file", flat=True))
            file.pieces.all().delete()
            file.state, file.basis, file.pages, file.done, file.attempts = "queued", basis, [], 0, 0
            file.parts = -(-queries.listed(notice).count() // paper.ROWS_PER_FILE) or 1
            file.file, file.sha256, file.size, file.made_at, file.error = "", "", 0, None, ""
            file.save()
    return file


def whole_pdf(notice: Notice) -> NoticeFile | None:
    """A long list as one PDF, if there is one of the list as it is now."""
    if not is_long(notice):
        return None
    return NoticeFile.objects.filter(notice=notice, kind=PDF, state="ready", basis=basis_of(notice)).first()


def _drop(*keys: str) -> None:
    for key in keys:
        if key:
            transaction.on_commit(lambda key=key: evidence_store.forget(key))  # type: ignore[misc]


# ---------------------------------------------------------------- one step


class _Waits(Exception):
    """What this file needs is not there yet; the try does not count."""


def _work_on(file_id: int) -> bool:
    with _alone_with(file_id) as alone:
        file = _claim(file_id) if alone else None
        if file is None:
            return False
        try:
            with translation.override("zh-hans"):
                _step(file)
        except _Waits:
            NoticeFile.objects.filter(pk=file.pk, attempts=file.attempts).update(attempts=file.attempts - 1)
            return False
        except PaperUnavailable as unavailable:
            _give_up(file, str(unavailable))
        except Exception:
            log.exception("notice_file_failed", file=file.pk)
            if file.attempts >= ATTEMPTS:
                _give_up(file, gettext("It was tried several times in vain."))
    return True


@contextmanager
def _alone_with(file_id: int) -> Iterator[bool]:
    """Whether this session is the only one that works on a file. A worker that is killed lets go of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('notice_file'), %s)", [file_id])
        [alone] = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(hashtext('notice_file'), %s)", [file_id])
            except DatabaseError:
                connection.close()  # a session that cannot give the lock back ends, and the lock with it


def _claim(file_id: int) -> NoticeFile | None:
    """The file, if it still waits; each try is counted before it starts, so that a poisonous one has few."""
    with transaction.atomic():
        file = NoticeFile.objects.select_for_update().filter(pk=file_id, state__in=WAITING).first()
        if file is None:
            return None
        if file.attempts >= ATTEMPTS:
            with translation.override("zh-hans"):
                _give_up(file, gettext("It was tried several times in vain."))
            return None
        file.state, file.attempts = "building", file.attempts + 1
        file.save(update_fields=["state", "attempts"])
    return file


def _give_up(file: NoticeFile, error: str) -> None:
    _ours(file).update(state="failed", error=error[:300])


def _ours(file: NoticeFile) -> QuerySet[NoticeFile]:
    """The row, unless somebody has put it back into the queue meanwhile."""
    return NoticeFile.objects.filter(pk=file.pk, state="building", basis=file.basis, upto=file.upto)


def _step(file: NoticeFile) -> None:
    notice = Notice.objects.select_related("organisation", "programme").get(pk=file.notice_id)
    if file.kind == PACKAGE:
        _package(file, notice)
    elif file.basis != basis_of(notice):
        want_pdf(notice)
    elif len(file.pages) < file.parts:
        _set(file, notice)
    else:
        _merge(file, notice)


# ---------------------------------------------------------------- a long list as one PDF


def _set(file: NoticeFile, notice: Notice) -> None:
    """The next part, its pages numbered on from the one before."""
    number = len(file.pages) + 1
    made = paper.piece_of(notice, number, file.parts, sum(file.pages) + 1)
    pages = [*file.pages, len(PdfReader(io.BytesIO(made)).pages)]
    key = evidence_store.keep(made)
    with transaction.atomic():
        if not _ours(file).update(pages=pages, done=number, attempts=0):
            _drop(key)
            return
        NoticeFilePart.objects.create(whole=file, number=number, file=key)


def _merge(file: NoticeFile, notice: Notice) -> None:
    pieces = list(file.pieces.order_by("number").values_list("file", flat=True))
    writer = PdfWriter()
    for key in pieces:
        writer.append(io.BytesIO(evidence_store.read(key)), import_outline=False)
    writer.add_metadata({"/Title": notice.title})
    made = io.BytesIO()
    writer.write(made)
    _finish(file, notice, made.getvalue())


def _finish(file: NoticeFile, notice: Notice, data: bytes) -> None:
    """Keeps what was made, once: not where what it is made of has changed meanwhile."""
    key, at = evidence_store.keep(data), moment()
    digest = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        ready = _ours(file).update(
            state="ready", file=key, sha256=digest, size=len(data), made_at=at.business, done=file.parts, error="",
            attempts=0,
        )  # fmt: skip
        if not ready:
            _drop(key)
            return
        _drop(*file.pieces.values_list("file", flat=True))
        file.pieces.all().delete()
        record.write(
            file.kind, "notice", [notice.pk], SYSTEM, post="system", step=notice.step, path=notice.path, at=at,
            data={"sha256": digest, "bytes": len(data)},
        )  # fmt: skip


# ---------------------------------------------------------------- the evidence package


def _package(file: NoticeFile, notice: Notice) -> None:
    """The package, once its lines of the record are sealed and a long list has its PDF."""
    head = package.head_for(notice, file.upto, file.head)
    if head is None:
        raise _Waits
    if file.head is None:
        _ours(file).update(head=head.size)
    printed = _printed(notice)
    if printed is None:
        raise _Waits
    _finish(file, notice, package.made(notice, file.upto, head, printed))


def _printed(notice: Notice) -> bytes | None:
    """The list on paper; None while a long one is being set. Raises PaperUnavailable."""
    if not is_long(notice):
        return paper.pdf_of(notice, address=paper.address_of(notice))
    file = want_pdf(notice)
    if file.state == "failed":
        raise RuntimeError(f"the PDF of notice {notice.pk} has failed")
    return evidence_store.read(file.file) if file.state == "ready" else None
