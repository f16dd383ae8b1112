"""Holding what is kept of notices, packages and photos of the board, against their hashes on the record."""

from hashlib import sha256

from cryptography.exceptions import InvalidTag
from django.utils.translation import gettext_lazy as _

from approvals.applications import evidence_store
from approvals.notices.archive.models import PACKAGE, BoardPhoto, NoticeFile
from workflows.models import Record
from workflows.seal.verifying import SENTENCES, Report

SENTENCES.update(
    {
        "package_changed": _("The evidence package of notice %(name)s is not what its hash on the record says."),
        "photo_changed": _("A photo of the board of notice %(name)s is not what its hash on the record says."),
    }
)


def verify_archives(report: Report) -> int:
    """Reads every package and photo that is kept; how many. What is missing counts as changed."""
    count = 0
    packages = NoticeFile.objects.filter(kind=PACKAGE, state="ready").select_related("notice").defer("notice__frozen")
    for file in packages.order_by("pk").iterator(chunk_size=100):
        made = Record.objects.filter(about="notice", about_id=file.notice_id, act="package").order_by("-id").first()
        count += 1
        if made is None or not made.data.get("sha256") == file.sha256 == _hash(file.file):
            report.add("package_changed", name=file.notice.public_id)
    photos = BoardPhoto.objects.filter(removed_at=None).select_related("notice").defer("notice__frozen")
    for photo in photos.order_by("pk").iterator(chunk_size=100):
        added = Record.objects.filter(about="notice", about_id=photo.notice_id, act="add_photo", data__photo=photo.pk)
        hashes = list(added.values_list("data__sha256", flat=True))
        count += 1
        if hashes != [photo.sha256] or _hash(photo.file) != photo.sha256:
            report.add("photo_changed", name=photo.notice.public_id)
    return count


def _hash(key: str) -> str:
    try:
        return sha256(evidence_store.read(key)).hexdigest()
    except (OSError, ValueError, InvalidTag):
        return ""
