"""Reading .xlsx from somebody we do not know.

Streams the XML parts with expat and keeps one copy of each shared text. calamine is three times faster, but lays a
sheet out as a full rectangle and copies shared texts into every cell: a file of 5 KB with a value in XFD1048576
aborted the process, one of 340 KB took 8.6 GB. Here what is read is counted while it is unpacked.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property
from math import isfinite
from typing import Any
from xml.parsers import expat

from approvals.applications.rosters.problems import RosterUnreadable
from approvals.applications.rosters.sheets import MAX_CELL_TEXT, MAX_COLUMNS, Book, Cell, CellFault, Row, Sheet

MAX_UNPACKED = 400 * 1024 * 1024
"""Most bytes of XML that a workbook may unpack to; 100,000 rows of 22 columns come to about 140 MB."""
MAX_TEXTS = 128 * 1024 * 1024
"""Most bytes of shared texts."""
MAX_RATIO = 250
"""A larger workbook than SMALL that was packed tighter than this is a bomb; real ones reach 60."""
SMALL = 64 * 1024 * 1024
MAX_PARTS = 10_000
MAX_TAG = 4 * 1024 * 1024
MAX_BLANK_ROWS = 10_000
"""So many blank rows end the list: somebody formatted the sheet down to its last row."""

_CHUNK = 256 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, expat.ExpatError, NotImplementedError, RuntimeError,
           ValueError, LookupError, OSError)  # fmt: skip
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")

Attributes = dict[str, str]
Handlers = dict[str, Callable[[Attributes], None]]


class Package:
    """The parts of an Office file, by lower-case path; unpacking more than is allowed raises RosterUnreadable."""

    def __init__(self, data: bytes) -> None:
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN:
            raise RosterUnreadable("damaged") from None
        infos = self.archive.infolist()
        self.parts = {info.filename.replace("\\", "/").lstrip("/").lower(): info for info in infos}
        if len(infos) > MAX_PARTS or len(self.parts) != len(infos):
            raise RosterUnreadable("damaged")
        if any(info.flag_bits & 1 for info in infos):
            raise RosterUnreadable("password")
        unpacked = sum(info.file_size for info in infos)
        if unpacked > MAX_UNPACKED or (unpacked > SMALL and unpacked > MAX_RATIO * len(data)):
            raise swollen()

    def __contains__(self, path: str) -> bool:
        return path in self.parts

    def head(self, path: str, size: int) -> bytes:
        """The first bytes of a part."""
        with self.archive.open(self.parts[path]) as part:
            return part.read(size)

    def chunks(self, path: str, limit: int) -> Iterator[bytes]:
        """The bytes of a part, counted as they are unpacked; its checksum is checked at the end."""
        total = 0
        with self.archive.open(self.parts[path]) as part:
            while chunk := part.read(_CHUNK):
                total += len(chunk)
                if total > limit:
                    raise swollen()
                yield chunk


def swollen() -> RosterUnreadable:
    """The refusal of a workbook that unpacks to too much."""
    return RosterUnreadable("swollen", limit=MAX_UNPACKED // 1024 // 1024)


class PartReader:
    """Runs expat over one part. Tags are told apart by their local name; text is collected in `text`."""

    def __init__(self, starts: Handlers, ends: dict[str, Callable[[], None]]) -> None:
        self.text: list[str] = []
        self.starts = starts
        self.ends = ends
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._first_start
        parser.StartDoctypeDeclHandler = self._doctype
        self.fed = 0

    def _doctype(self, *_args: Any) -> None:
        raise RosterUnreadable("damaged")  # no spreadsheet program writes one; entities are how XML bombs work

    def _first_start(self, tag: str, attributes: Attributes) -> None:
        """The root shows whether this writer puts a prefix before every tag."""
        prefix = tag[: tag.find(":") + 1]
        starts = {prefix + name: handler for name, handler in self.starts.items()}
        ends = {prefix + name: handler for name, handler in self.ends.items()}

        def start(tag: str, attributes: Attributes) -> None:
            if handler := starts.get(tag):
                handler(attributes)

        def end(tag: str) -> None:
            if handler := ends.get(tag):
                handler()

        self.parser.StartElementHandler = start
        self.parser.EndElementHandler = end
        start(tag, attributes)

    def collect(self, _attributes: Attributes | None = None) -> None:
        """Keep text from here on."""
        self.text.clear()
        self.parser.CharacterDataHandler = self.text.append

    def ignore(self, _attributes: Attributes | None = None) -> None:
        """Keep no text from here on."""
        self.parser.CharacterDataHandler = None

    def feed(self, chunk: bytes) -> None:
        self.parser.Parse(chunk, False)
        self.fed += len(chunk)
        if self.fed - self.parser.CurrentByteIndex > MAX_TAG:
            raise RosterUnreadable("damaged")

    def close(self) -> None:
        self.parser.Parse(b"", True)

    def run(self, package: Package, path: str, limit: int) -> None:
        for chunk in package.chunks(path, limit):
            self.feed(chunk)
        self.close()


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return "" if 0xD800 <= code < 0xE000 else chr(code)


def _unescape(text: str) -> str:
    """Excel writes control characters as _x000D_."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _text(pieces: list[str]) -> str | None:
    text = _unescape("".join(pieces))[:MAX_CELL_TEXT]
    return None if not text or text.isspace() else text


def _yes(value: str | None) -> bool:
    return value in ("1", "true")


# ---------------------------------------------------------------- the workbook and its styles


class XlsxBook:
    """The parts that belong to no single sheet: names and places of the sheets, shared texts, date formats."""

    def __init__(self, package: Package, workbook: str) -> None:
        self.package = package
        self.folder = workbook.rpartition("/")[0]
        self.targets: dict[str, tuple[str, str]] = {}
        self.entries: list[tuple[str, bool, str]] = []
        self.from_1904 = False
        relations = f"{self.folder}/_rels/{workbook.rpartition('/')[2]}.rels".lstrip("/")
        self._run(relations, {"Relationship": self._relation})
        self._run(workbook, {"sheet": self._sheet, "workbookPr": self._properties})

    def _run(self, path: str, starts: Handlers) -> None:
        PartReader(starts, {}).run(self.package, path, MAX_TEXTS)

    def _relation(self, attributes: Attributes) -> None:
        target = attributes.get("Target", "").replace("\\", "/")
        path = target.lstrip("/") if target.startswith("/") else f"{self.folder}/{target}".lstrip("/")
        kind = attributes.get("Type", "").rpartition("/")[2]
        self.targets[attributes.get("Id", "")] = (kind, path.lower().replace("/./", "/"))

    def _properties(self, attributes: Attributes) -> None:
        self.from_1904 = _yes(attributes.get("date1904"))

    def _sheet(self, attributes: Attributes) -> None:
        key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        hidden = attributes.get("state", "visible") != "visible"
        self.entries.append((attributes.get("name", ""), hidden, key))

    def sheets(self) -> list[Sheet]:
        """Worksheets in the order of their tabs; charts and macros are no sheets of ours."""
        found = []
        for name, hidden, key in self.entries:
            kind, path = self.targets.get(key, ("", ""))
            if kind == "worksheet" and path in self.package:
                found.append(Sheet(name, hidden, _reading(self, path)))
        return found

    def part(self, kind: str) -> str | None:
        """Path of the workbook's part of a kind (sharedStrings, styles), where it has one."""
        return next((path for k, path in self.targets.values() if k == kind and path in self.package), None)

    @cached_property
    def texts(self) -> list[str | None]:
        """Shared texts, each kept once; the hints on pronunciation that some carry are left out."""
        texts: list[str | None] = []
        pieces: list[str] = []
        aside = False

        def start_text(_attributes: Attributes) -> None:
            if not aside:
                reader.collect()

        def end_text() -> None:
            if not aside:
                pieces.extend(reader.text)
                reader.ignore()

        def hint(started: bool) -> Callable[..., None]:
            def mark(*_args: Any) -> None:
                nonlocal aside
                aside = started

            return mark

        def end_item() -> None:
            texts.append(_text(pieces))
            pieces.clear()

        reader = PartReader({"t": start_text, "rPh": hint(True)}, {"t": end_text, "rPh": hint(False), "si": end_item})
        if path := self.part("sharedStrings"):
            reader.run(self.package, path, MAX_TEXTS)
        return texts

    @cached_property
    def date_styles(self) -> set[str]:
        """Indexes of the cell styles that show a number as a date."""
        formats: dict[str, str] = {}
        styles: list[str] = []
        inside = False

        def cell_styles(started: bool) -> Callable[..., None]:
            def mark(*_args: Any) -> None:
                nonlocal inside
                inside = started

            return mark

        def style(attributes: Attributes) -> None:
            if inside:
                styles.append(attributes.get("numFmtId", "0"))

        def number_format(attributes: Attributes) -> None:
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")

        starts = {"numFmt": number_format, "cellXfs": cell_styles(True), "xf": style}
        if path := self.part("styles"):
            PartReader(starts, {"cellXfs": cell_styles(False)}).run(self.package, path, MAX_TEXTS)
        return {str(i) for i, key in enumerate(styles) if _is_date(key, formats.get(key))}


_BUILT_IN_DATES = frozenset(map(str, [*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)]))
_NOT_DATE_PARTS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h|m|s)[^\]]*\]', re.IGNORECASE)


def _is_date(key: str, code: str | None) -> bool:
    if code is None:
        return key in _BUILT_IN_DATES
    return bool(re.search(r"[ymdhs]", _NOT_DATE_PARTS.sub("", code), re.IGNORECASE)) and code != "General"


def as_date(days: float, from_1904: bool = False) -> date | datetime | None:
    """Excel's day number as a date, with its time where it has one; None for what is no day from 1900 to 9999."""
    days += 1462 if from_1904 else 0
    if not 1 <= days < 2958466:
        return None
    moment = datetime(1899, 12, 30) + timedelta(seconds=round(days * 86400))  # noqa: DTZ001 a cell has no time zone
    return moment if moment.time() != time.min else moment.date()


# ---------------------------------------------------------------- a sheet


class SheetReader:
    """The rows of one sheet part, handed out while it is parsed."""

    def __init__(self, book: XlsxBook, sheet: Sheet) -> None:
        self.texts = book.texts
        self.date_styles = book.date_styles
        self.from_1904 = book.from_1904
        self.sheet = sheet
        self.columns: dict[str, int] = {}
        self.seen: dict[str, str] = {}
        self.done: list[Row] = []
        self.number = 0
        self.blank = 0
        self.cells: list[Cell] = []
        self.column = -1
        self.attributes: Attributes = {}
        self.formula = False
        starts: Handlers = {"c": self.start_cell, "f": self.start_formula, "row": self.start_row,
                            "col": self.hidden_columns, "mergeCell": self.merged}  # fmt: skip
        ends = {"c": self.end_cell, "f": self.end_formula, "row": self.end_row}
        self.parser = PartReader(starts | {"rPh": self.start_hint}, ends | {"rPh": self.end_hint})
        self.pieces = self.parser.text
        self.parser.collect()

    def start_hint(self, _attributes: Attributes) -> None:
        self.parser.ignore()

    def end_hint(self) -> None:
        self.parser.parser.CharacterDataHandler = self.pieces.append

    def start_row(self, attributes: Attributes) -> None:
        self.number = int(attributes.get("r") or self.number + 1)
        self.cells = []
        self.column = -1
        if _yes(attributes.get("hidden")):
            self.sheet.hidden_rows.add(self.number)

    def end_row(self) -> None:
        if self.cells:
            self.done.append((self.number, self.cells))
            self.blank = 0
        else:
            self.blank += 1

    def start_cell(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.formula = False
        self.pieces.clear()

    def start_formula(self, _attributes: Attributes) -> None:
        self.formula = True

    def end_formula(self) -> None:
        self.pieces.clear()  # the formula itself; its value comes after it

    def end_cell(self) -> None:
        attributes = self.attributes
        self.column = column = self.place(attributes)
        text = "".join(self.pieces)
        if (not text and not self.formula) or column >= MAX_COLUMNS:
            return
        kind = attributes.get("t")
        shared = kind == "s" and not text.isspace()
        value = self.texts[int(text)] if shared else self.value(kind, attributes.get("s"), text)
        if value is None:
            return
        missing = column - len(self.cells)
        if missing > 0:
            self.cells.extend([None] * missing)
        if missing < 0:
            self.cells[column] = value
        else:
            self.cells.append(value)

    def place(self, attributes: Attributes) -> int:
        """Index of the cell's column; a writer may leave the reference out and count on the order."""
        reference = attributes.get("r")
        if not reference:
            return self.column + 1
        letters = reference.rstrip("0123456789")
        column = self.columns.get(letters)
        if column is None:
            column = self.columns[letters] = _column(letters)
        return column

    def value(self, kind: str | None, style: str | None, text: str) -> Cell:
        """The value of a cell of type `kind` (its t attribute), unless it is a shared text, from its own text."""
        if kind is None or kind == "n":
            return self.number_value(style, text.strip())
        if kind in ("inlineStr", "str"):
            found = _text([text])
            return None if found is None else self.seen.setdefault(found, found)
        if kind == "b":
            return text.strip() == "1" if text.strip() else None
        if kind == "e":
            return CellFault("cell_error", text.strip()[:20])
        return _iso_date(text.strip())

    def number_value(self, style: str | None, text: str) -> Cell:
        """A number, as int where it is whole and exact; a date where the cell's style says so."""
        if not text:
            return CellFault("not_calculated", "") if self.formula else None
        try:
            number = float(text)
        except ValueError:
            return text
        if not isfinite(number):
            return text
        if style in self.date_styles and (day := as_date(number, self.from_1904)):
            return day
        return int(number) if number.is_integer() and abs(number) < 1e15 else number

    def hidden_columns(self, attributes: Attributes) -> None:
        if _yes(attributes.get("hidden")):
            last = min(int(attributes["max"]), MAX_COLUMNS)
            self.sheet.hidden_columns.update(range(int(attributes["min"]) - 1, last))

    def merged(self, attributes: Attributes) -> None:
        corners = _REFERENCE.findall(attributes.get("ref", ""))
        if len(corners) == 2:
            (first, top), (last, bottom) = corners
            self.sheet.merged.append((int(top), _column(first), int(bottom), _column(last)))

    def rows(self, chunks: Iterator[bytes]) -> Iterator[Row]:
        """Rows that hold anything, until the end or too many blank ones."""
        last = 0
        for chunk in chunks:
            self.parser.feed(chunk)
            if self.done:
                last = self.done[-1][0]
                yield from self.done
                self.done.clear()
            if self.blank > MAX_BLANK_ROWS:
                self.sheet.cut_below = last
                return
        self.parser.close()
        yield from self.done


def _column(letters: str) -> int:
    index = 0
    for one in letters:
        index = index * 26 + ord(one) - 64
    return index - 1


def _iso_date(text: str) -> Cell:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text or None
    return moment if moment.time() != time.min else moment.date()


def _reading(book: XlsxBook, path: str) -> Callable[[Sheet], Iterator[Row]]:
    def read(sheet: Sheet) -> Iterator[Row]:
        try:
            reader = SheetReader(book, sheet)
            yield from reader.rows(book.package.chunks(path, MAX_UNPACKED))
        except _BROKEN:
            raise RosterUnreadable("damaged") from None

    return read


def open_xlsx(package: Package, workbook: str) -> Book:
    """The workbook whose main part is `workbook`. Raises RosterUnreadable."""
    try:
        return Book("xlsx", XlsxBook(package, workbook).sheets())
    except _BROKEN:
        raise RosterUnreadable("damaged") from None
