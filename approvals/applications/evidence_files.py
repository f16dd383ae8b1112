"""What an uploaded paper may be, judged by its content: a photo, made anew without its metadata, or a plain PDF."""

import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import puremagic
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageDraw, ImageFont, ImageOps

from approvals.applications.refusals import Refused
from approvals.organisations.papers import font_file

MB = 1024 * 1024
MAX_BYTES = 10 * MB
MAX_PIXELS = 40_000_000
LONGEST_SIDE = 2400
"""Pixels of the longer side that are kept: an A4 page at 200 dpi."""
_IMAGES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper fit to be kept."""

    content_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def accept(file: UploadedFile, watermark: str) -> Paper:
    """The paper in an uploaded file: at most 10 MB, JPEG, PNG, WebP or PDF. Raises Refused."""
    data = _content(file)
    kind = _kind(data)
    if kind in _IMAGES:
        return Paper("image/jpeg", _photo(data, _IMAGES[kind], watermark))
    if kind == "application/pdf":
        _plain_pdf(data)
        return Paper(kind, data)
    raise Refused("file_type")


def accept_photo(file: UploadedFile) -> Paper:
    """The photo in an uploaded file, with no mark upon it: at most 10 MB, JPEG, PNG or WebP. Raises Refused."""
    data = _content(file)
    kind = _kind(data)
    if kind not in _IMAGES:
        raise Refused("photo_type")
    return Paper("image/jpeg", _photo(data, _IMAGES[kind], ""))


def _content(file: UploadedFile) -> bytes:
    if not file.size:
        raise Refused("file_empty")
    if file.size > MAX_BYTES:
        raise Refused("file_too_big", limit=MAX_BYTES // MB)
    data: bytes = file.read()
    return data


def _kind(data: bytes) -> str:
    """Media type by content; what the browser says, and the name, are not asked."""
    if data[:1024].lstrip()[:5] == b"%PDF-":
        return "application/pdf"
    try:
        return str(puremagic.from_string(data, mime=True))
    except (puremagic.PureError, ValueError):
        return ""


# ---------------------------------------------------------------- photos


def _photo(data: bytes, expected: str, watermark: str) -> bytes:
    """The picture made anew as JPEG: upright, no larger than needed, marked with its purpose, nothing else in it."""
    try:
        with Image.open(io.BytesIO(data), formats=[expected]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Refused("image_too_large", limit=MAX_PIXELS // 1_000_000)
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            plain = _on_white(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError:
        raise Refused("image_too_large", limit=MAX_PIXELS // 1_000_000) from None
    except (OSError, ValueError, SyntaxError, MemoryError):
        raise Refused("image_damaged") from None
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if watermark:
        _mark(plain, watermark)
    made = io.BytesIO()
    plain.save(made, "JPEG", quality=82, optimize=True)
    return made.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        ground = Image.new("RGB", picture.size, "white")
        layer = picture.convert("RGBA")
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    return picture.convert("RGB")


def _mark(picture: Image.Image, text: str) -> None:
    """Writes the purpose across the picture, slanted and repeated, so that it cannot be cut off (DOMAIN.md §4.4)."""
    size = max(14, min(picture.size) // 18)
    found = font_file()
    if found:
        font = ImageFont.truetype(str(found[0]), size, index=found[1])
    else:
        font, text = ImageFont.load_default(size), "FOR STUDENT AID ONLY"
    left, top, right, bottom = font.getbbox(text)
    tile = Image.new("L", (int(right - left) + size * 4, int(bottom - top) + size * 7), 0)
    ImageDraw.Draw(tile).text((size * 2 - left, size * 3 - top), text, fill=88, font=font)
    side = int((picture.width**2 + picture.height**2) ** 0.5) + max(tile.size)
    sheet = Image.new("L", (side, side), 0)
    for y in range(0, side, tile.height):
        for x in range(-(y // tile.height % 2) * tile.width // 2, side, tile.width):
            sheet.paste(tile, (x, y))
    turned = sheet.rotate(30)
    corner = ((side - picture.width) // 2, (side - picture.height) // 2)
    mask = turned.crop((*corner, corner[0] + picture.width, corner[1] + picture.height))
    picture.paste((150, 20, 20), mask=mask)


# ---------------------------------------------------------------- PDF

_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToE)(?![A-Za-z])")
_HEX_IN_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"\bstream\r?\n.*?\bendstream", re.DOTALL)
_OBJECTS = re.compile(rb"/ObjStm.{0,400}?\bstream\r?\n(.*?)endstream", re.DOTALL)
_UNPACKED = 8 * MB


def _plain_pdf(data: bytes) -> None:
    """Refuses a PDF that is cut off, locked, or does anything but show pages."""
    if b"%%EOF" not in data[-2048:] or b"startxref" not in data:
        raise Refused("pdf_damaged")
    for part in _parts(data):
        names = _HEX_IN_NAME.sub(lambda found: bytes([int(found[1], 16)]), part)
        if b"/Encrypt" in names:
            raise Refused("pdf_locked")
        if _ACTIVE.search(names):
            raise Refused("pdf_active")


def _parts(data: bytes) -> Iterator[bytes]:
    """The file without its streams (whose bytes may look like anything), and its object streams unpacked."""
    yield _STREAM.sub(b"", data)
    left = _UNPACKED
    for found in _OBJECTS.finditer(data):
        try:
            unpacked = zlib.decompressobj().decompress(found[1], left)
        except zlib.error:
            continue
        left -= len(unpacked)
        if left <= 0:
            raise Refused("pdf_damaged")
        yield unpacked
