"""What an office does for the archive of a notice: photos of the board, proof of posting, the package, 归档.

Whatever changes what the package holds has it made anew, so that one that is ready is never behind.
"""

from datetime import date
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from approvals.applications import evidence_store
from approvals.notices.actions.checks import go, locked, write
from approvals.notices.archive import photos
from approvals.notices.archive.models import PACKAGE, BoardPhoto, Dossier, NoticeFile
from approvals.notices.models import Notice
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS
from approvals.organisations.authority import UserActor
from approvals.organisations.roles import matrix
from workflows import record
from workflows.clock import moment

MOST_PHOTOS = 12


def _opened(notice_id: int, act: str, by: UserActor) -> tuple[Notice, str]:
    """The notice, locked, and the post; its office may do this in its state. Raises Refused and PermissionDenied."""
    notice = locked(notice_id)
    post = by.require(STEPS[notice.step].draft, notice.path)
    if notice.published_at is None or not matrix().in_state(f"{notice.step}.{act}", notice.state):
        raise Refused("wrong_state")
    return notice, post


# ---------------------------------------------------------------- photos of the board


def add_photo(
    notice_id: int, file: "UploadedFile[Any]", *, moment_shown: str, taken_on: date, place: str, by: UserActor
) -> BoardPhoto:
    """张贴照片: checked by content, kept encrypted without the place a phone wrote into it, its hash on the record.

    Raises Refused and PermissionDenied.
    """
    by.require(STEPS[Notice.objects.only("step").get(pk=notice_id).step].draft, _path(notice_id))
    photo = photos.accept(file)
    kept: list[str] = []
    try:
        kept = [evidence_store.keep(photo.data), evidence_store.keep(photo.thumbnail)]
        with transaction.atomic():
            notice, post = _opened(notice_id, "add_photo", by)
            at = moment()
            if notice.published_on is None or not notice.published_on <= taken_on <= at.date:
                raise Refused("photo_date")
            if notice.photos.filter(removed_at=None).count() >= MOST_PHOTOS:
                raise Refused("too_many_photos", limit=MOST_PHOTOS)
            added = BoardPhoto.objects.create(
                notice=notice, moment=moment_shown, taken_on=taken_on, place=place.strip(), taken_at=photo.taken_at,
                file=kept[0], thumbnail=kept[1], size=len(photo.data), sha256=photo.sha256, added_by=by.user,
                added_at=at.business,
            )  # fmt: skip
            write(
                notice, "add_photo", by, post, at=at,
                data={"photo": added.pk, "sha256": added.sha256, "moment": moment_shown,
                      "taken_on": taken_on.isoformat()},
            )  # fmt: skip
            _make_package_anew(notice)
    except BaseException:
        for key in kept:
            evidence_store.forget(key)
        raise
    return added


def _path(notice_id: int) -> str:
    return str(Notice.objects.values_list("path", flat=True).get(pk=notice_id))


def remove_photo(photo_id: int, by: UserActor) -> BoardPhoto:
    """Takes a wrong photo away; its file is deleted, that it was there is kept. Raises Refused."""
    notice_id = BoardPhoto.objects.values_list("notice", flat=True).get(pk=photo_id)
    with transaction.atomic():
        notice, post = _opened(notice_id, "remove_photo", by)
        photo = BoardPhoto.objects.get(pk=photo_id)
        if photo.removed_at:
            raise Refused("photo_gone")
        at = moment()
        photo.removed_at = at.business
        photo.save(update_fields=["removed_at"])
        write(notice, "remove_photo", by, post, at=at, data={"photo": photo.pk, "sha256": photo.sha256})
        _make_package_anew(notice)
        transaction.on_commit(lambda: _forget(photo.file, photo.thumbnail))
    return photo


def _forget(*keys: str) -> None:
    for key in keys:
        if key:
            evidence_store.forget(key)


# ---------------------------------------------------------------- proof of posting, package, 归档


def state_posting(notice_id: int, *, proof: str, no_photo_reason: str, by: UserActor) -> Dossier:
    """张贴证明: where and when the list hung on the board, and why there is no photo of it. Raises Refused."""
    with transaction.atomic():
        notice, post = _opened(notice_id, "posting", by)
        if not proof.strip():
            raise Refused("no_posting")
        dossier, _created = Dossier.objects.update_or_create(
            notice=notice, defaults={"proof": proof.strip(), "no_photo_reason": no_photo_reason.strip()}
        )
        said = f"{dossier.proof}\n{dossier.no_photo_reason}"
        write(notice, "posting", by, post, data={"sha256": sha256(said.encode()).hexdigest()})
        _make_package_anew(notice, first=matrix().in_state(f"{notice.step}.make_package", notice.state))
    return dossier


def make_package(notice_id: int, by: UserActor) -> NoticeFile:
    """Has the evidence package made, or made anew, in the background. Raises Refused."""
    with transaction.atomic():
        notice, post = _opened(notice_id, "make_package", by)
        write(notice, "make_package", by, post)
        _make_package_anew(notice, first=True)
    return NoticeFile.objects.get(notice=notice, kind=PACKAGE)


def _make_package_anew(notice: Notice, *, first: bool = False) -> None:
    """Puts the package back into the queue, where there is one; `first` where there is none, too."""
    upto = record.latest("notice", notice.pk)
    waiting = {"state": "queued", "upto": upto, "head": None, "attempts": 0, "done": 0, "error": "", "file": "",
               "sha256": "", "size": 0, "made_at": None}  # fmt: skip
    old = NoticeFile.objects.select_for_update().filter(notice=notice, kind=PACKAGE).first()
    if old is None:
        if first:
            NoticeFile.objects.create(notice=notice, kind=PACKAGE, **waiting)
        return
    key = old.file
    NoticeFile.objects.filter(pk=old.pk).update(**waiting)
    transaction.on_commit(lambda: _forget(key))


def archive(notice_id: int, by: UserActor) -> Notice:
    """归档: proof of posting, a photo or the reason for none, and the package are there. Raises Refused.

    From here on nothing is added; the hashes of list and package stand on the record.
    """
    with transaction.atomic():
        notice, post = _opened(notice_id, "archive", by)
        go(notice, "archive")
        at = moment()
        package = NoticeFile.objects.select_for_update().get(notice=notice, kind=PACKAGE)
        shown = notice.photos.filter(removed_at=None).count()
        Dossier.objects.filter(notice=notice).update(
            archived_at=at.business, archived_by=by.user,
            keep_until=date(at.date.year + settings.NOTICE_ARCHIVE_YEARS, 12, 31),
        )  # fmt: skip
        write(
            notice, "archive", by, post, states=("taken_down", notice.state), at=at,
            data={"list": notice.sha256, "package": package.sha256, "photos": shown},
        )  # fmt: skip
    return notice


def open_package(file: NoticeFile, by: UserActor) -> bytes:
    """The evidence package, with a line in the record of who opened it: for the office, and who reads the record.

    Raises PermissionDenied, and FileNotFoundError when it is gone.
    """
    notice = file.notice
    rules = STEPS[notice.step]
    for permission in (rules.draft, rules.sign, "view_record"):
        if post := by.permits(permission, [notice.path]).get(notice.path):
            break
    else:
        raise PermissionDenied
    data = evidence_store.read(file.file)
    write(notice, "open_package", by, post, data={"sha256": file.sha256})
    return data
