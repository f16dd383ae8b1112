"""What kind of file it is, judged by its content and never by its name."""

import io
import re
import zipfile

import olefile

from approvals.applications.rosters.csv_book import open_csv
from approvals.applications.rosters.problems import KINDS, RosterUnreadable
from approvals.applications.rosters.sheets import Book
from approvals.applications.rosters.xls_book import open_xls
from approvals.applications.rosters.xlsx_book import Package, open_xlsx

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"{\\rtf", "word"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"\xfd7zXZ", "archive"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_EXCEL = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00", re.DOTALL)
_WEB_PAGE = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|meta|table|body|style|div)",
                       re.IGNORECASE | re.DOTALL)  # fmt: skip
_XML = re.compile(rb"\s*<(\?xml|workbook)", re.IGNORECASE)
_MAIL = re.compile(rb"\s*mime-version:", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x19\x1b-\x1f]")


def _wrong(kind: str) -> RosterUnreadable:
    return RosterUnreadable("wrong_type", kind=KINDS[kind])


def _office_kind(package: Package) -> str | None:
    """What a zip file is, where it is no .xlsx."""
    if "word/document.xml" in package:
        return "word"
    if "ppt/presentation.xml" in package:
        return "powerpoint"
    if "xl/workbook.bin" in package:
        return "binary_workbook"
    if "mimetype" in package and package.head("mimetype", 60).startswith(b"application/vnd.oasis"):
        return "opendocument"
    return None


def _open_zip(data: bytes) -> Book:
    package = Package(data)
    if kind := _office_kind(package):
        raise _wrong(kind)
    if "xl/workbook.xml" in package:
        return open_xlsx(package, "xl/workbook.xml")
    if "[content_types].xml" in package:
        workbooks = [path for path in package.parts if path.endswith(("/workbook.xml", "/workbook2.xml"))]
        if workbooks:
            return open_xlsx(package, workbooks[0])
    raise _wrong("archive")


def _open_ole(data: bytes) -> Book:
    """The container of old Office files; a workbook with a password is one too, whatever its age."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            streams = {entry[0].lower() for entry in container.listdir()}
    except Exception:  # olefile ends in any error there is on a broken container
        raise RosterUnreadable("damaged") from None
    if not streams:
        raise RosterUnreadable("damaged")
    if {"encryptedpackage", "encryptioninfo"} & streams:
        raise RosterUnreadable("password")
    if {"workbook", "book"} & streams:
        return open_xls(data)
    if "worddocument" in streams:
        raise _wrong("word")
    raise _wrong("powerpoint" if "powerpoint document" in streams else "unknown")


def _refuse_other_kinds(data: bytes) -> None:
    head = data[:4096]
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning) and (beginning != b"MZ" or b"\0" in head[:64]):
            raise _wrong(kind)
    if _WEB_PAGE.match(head) or _MAIL.match(head):
        raise RosterUnreadable("web_page")
    if _XML.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise _wrong("xml_workbook")


def _open_text(data: bytes, filename: str) -> Book:
    if not data.strip(b"\0 \t\r\n\x1a\xef\xbb\xbf\xff\xfe"):
        raise RosterUnreadable("empty_file")
    sample = data[:65536]
    if not sample.startswith((b"\xff\xfe", b"\xfe\xff")) and len(_CONTROL.findall(sample)) * 50 > len(sample):
        raise _wrong("unknown")
    return open_csv(data, filename)


def open_book(data: bytes, filename: str) -> Book:
    """The workbook in a file. Raises RosterUnreadable for what is none, and says what it is instead."""
    if not data:
        raise RosterUnreadable("empty_file")
    if data.startswith(b"PK") and (data[2:4] in (b"\x03\x04", b"\x05\x06") or zipfile.is_zipfile(io.BytesIO(data))):
        return _open_zip(data)
    if data.startswith(_OLE):
        return _open_ole(data)
    if _OLD_EXCEL.match(data):
        return open_xls(data)
    _refuse_other_kinds(data)
    return _open_text(data, filename)
