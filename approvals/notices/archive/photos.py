"""Photos of the board: checked and made anew as evidence is, without the place that a phone writes into them."""

import io
from dataclasses import dataclass
from datetime import datetime

from django.core.files.uploadedfile import UploadedFile
from PIL import Image

from approvals.applications.evidence_files import accept_photo
from approvals.applications.refusals import Refused as Unfit
from approvals.notices.refusals import Refused
from workflows.clock import CHINA

SMALL = 360
"""Pixels of a thumbnail's longer side."""
_EXIF, _TAKEN, _CHANGED = 0x8769, 0x9003, 0x0132
"""The camera's block, its date of taking, and the file's date."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo fit to be kept."""

    data: bytes
    thumbnail: bytes
    sha256: str
    taken_at: datetime | None


def accept(file: UploadedFile) -> Photo:
    """The photo in an uploaded file: at most 10 MB, JPEG, PNG or WebP. Raises Refused."""
    taken = _taken_at(file)
    file.seek(0)
    try:
        paper = accept_photo(file)
    except Unfit as refusal:
        raise Refused("photo_unfit", why=refusal.message) from None
    return Photo(paper.data, _small(paper.data), paper.sha256, taken)


def _taken_at(file: UploadedFile) -> datetime | None:
    """When the camera says it was taken; None for none, or for nonsense."""
    try:
        with Image.open(file, formats=["JPEG", "PNG", "WEBP"]) as picture:
            exif = picture.getexif()
            text = exif.get_ifd(_EXIF).get(_TAKEN) or exif.get(_CHANGED) or ""
            return datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=CHINA)
    except (OSError, ValueError, SyntaxError, MemoryError, TypeError, Image.DecompressionBombError):
        return None


def _small(data: bytes) -> bytes:
    made = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
        picture.thumbnail((SMALL, SMALL))
        picture.save(made, "JPEG", quality=75)
    return made.getvalue()
