"""What lets anybody check a published list: its frozen bytes, the line of the record, and the sealed tree's head."""

import base64
import json
from collections import Counter
from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals.notices import freezing
from approvals.notices.models import Notice, NoticeEdition, NoticeLine
from approvals.notices.queries import listed, removed
from workflows.models import Record
from workflows.seal import heads
from workflows.seal.sealing import is_sealed, proof_of
from workflows.seal.verifying import SENTENCES, Report

FORMAT = "zhuxue-proof-1"
SENTENCES.update(
    {
        "list_changed": _("The published list of notice %(name)s is not what its hash on the record says."),
        "list_unrecorded": _("No line of the record says that notice %(name)s was published."),
        "list_twice": _("The record says more often than there are editions that notice %(name)s was published."),
        "edition_changed": _("An earlier edition of notice %(name)s is not what its hash on the record says."),
        "rows_changed": _("Rows of the published notice %(name)s were changed after publication."),
    }
)


def published_line(notice: Notice) -> Record | None:
    """The line of the record in which the edition that is public was published.

    None where there are not as many such lines as editions: each is published only once.
    """
    lines = Record.objects.filter(about="notice", about_id=notice.pk, act="publish").order_by("id")
    found = list(lines[: notice.edition + 1])
    return found[-1] if found and len(found) == notice.edition else None


def is_provable(notice: Notice) -> bool:
    """Whether `package` has something to give, asked cheaply."""
    line = published_line(notice)
    if line is None or notice.interrupted or not is_sealed(line.pk):
        return False
    return not removed(notice) or freezing.is_redactable(notice)


def package(notice: Notice) -> dict[str, Any] | None:
    """A notice's list with its proof, as JSON; None until the record has been sealed that far.

    Of a line that was taken off only its hash is in it, since nobody may name that pupil any more; a list of the first
    format, which cannot leave a line out, has no proof any more then, nor has one that is out of view.
    """
    line = published_line(notice)
    proof = proof_of(line.pk) if line is not None else None
    if proof is None or notice.frozen is None or notice.interrupted:
        return None
    shown = bytes(notice.frozen)
    if removed(notice):
        if not freezing.is_redactable(notice):
            return None
        columns = json.loads(shown)["columns"]
        standing = listed(notice).values_list("shown", flat=True)
        shown = freezing.redacted(shown, ([row.get(heading, "") for heading in columns] for row in standing))
    return {
        "format": FORMAT,
        "list": shown.decode(),
        "line": proof.line.decode(),
        "salt": proof.salt.hex(),
        "position": proof.position,
        "path": [each.hex() for each in proof.path],
        "head": proof.head,
        "key": base64.b64encode(heads.public_key()).decode(),
    }


def verify_notices(report: Report) -> int:
    """Holds every published list, earlier editions included, against its hash on the record, and its rows against the
    list; how many notices.
    """
    count = 0
    found = Notice.objects.exclude(published_at=None).order_by("pk")
    lines = Record.objects.filter(about="notice", act="publish").order_by("id")
    recorded: dict[int, list[str]] = {}
    for about, digest in lines.values_list("about_id", "data__sha256"):
        recorded.setdefault(about, []).append(digest)
    ended = set(NoticeEdition.objects.values_list("notice", "number"))
    for notice in found.iterator(chunk_size=50):
        count += 1
        corrected = (notice.pk, notice.edition) in ended  # out of view since: its rows may say something else by now
        hashes = recorded.get(notice.pk, [])
        digest = _digest(notice.frozen)
        if len(hashes) < notice.edition or not hashes:
            report.add("list_unrecorded", name=notice.public_id)
        elif len(hashes) > notice.edition:
            report.add("list_twice", name=notice.public_id)
        elif not digest == notice.sha256 == hashes[-1]:
            report.add("list_changed", name=notice.public_id)
        elif not corrected and not _rows_stand(notice):
            report.add("rows_changed", name=notice.public_id)
        if notice.edition > 1 or corrected:
            _verify_editions(notice, hashes, report)
    return count


def _verify_editions(notice: Notice, hashes: list[str], report: Report) -> None:
    """Each edition before the newest was taken out of view, and is still what it was; perhaps the newest, too."""
    kept = {row.number: row for row in NoticeEdition.objects.filter(notice=notice)}
    for number, recorded in enumerate(hashes[: max(notice.edition - 1, *kept, 0)], 1):
        row = kept.get(number)
        digest = _digest(row.frozen) if row else ""
        if row is None or not digest == row.sha256 == recorded:
            report.add("edition_changed", name=notice.public_id)


def _digest(frozen: bytes | memoryview | None) -> str:
    """The hash of a list, or nothing for what is no list any more."""
    try:
        return freezing.digest(frozen or b"")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _rows_stand(notice: Notice) -> bool:
    """Whether what is on the list now was published, and what was published is still known, taken off or not."""
    frozen = json.loads(bytes(notice.frozen or b"{}"))
    published = Counter(tuple(row) for row in frozen["rows"])
    known: Counter[tuple[str, ...]] = Counter()
    listed: Counter[tuple[str, ...]] = Counter()
    for state, shown in NoticeLine.objects.filter(notice=notice).values_list("state", "shown"):
        row = tuple(shown.get(heading, "") for heading in frozen["columns"])
        known[row] += 1
        listed[row] += state != "removed"
    return listed <= published <= known
