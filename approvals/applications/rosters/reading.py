"""From a file to the rows of a roster: which sheet, which heading row, which columns, which rows are pupils'."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path

from approvals.applications.rosters.columns import (
    COLUMNS,
    EXACT,
    REASONS,
    REQUIRED,
    ColumnMatch,
    Heading,
    Lookup,
    find_heading,
    match_heading,
)
from approvals.applications.rosters.opening import open_book
from approvals.applications.rosters.problems import Note, RosterUnreadable, Skipped
from approvals.applications.rosters.sheets import MAX_BYTES, MAX_ROWS, Book, Cell, Row, Sheet, cell_text, letter

TEMPLATE_VERSION = "2026-1"
"""Version written into the blank template; told apart from lists made with an older one."""

HEAD = 40
"""Rows in which the heading is looked for."""


@dataclass(frozen=True)
class Layout:
    """What kind of list is read: its columns, and what its headings may be called. `ROSTER` is a school's."""

    columns: tuple[str, ...]
    required: tuple[str, ...]
    """Without these it is no such list."""
    critical: frozenset[str]
    """Columns of which one must never take the wrong one."""
    shared: tuple[str, ...]
    """Columns in which cells are merged down over several rows."""
    weak: frozenset[str]
    """Columns that are filled down ahead of the rows proper."""
    name: str
    number: str
    """The columns by which a row is told from totals and signatures; the same one where there is only a number."""
    lookup: Lookup = match_heading
    most: int = 0
    """Most rows; 0 for those of a roster."""

    @property
    def limit(self) -> int:
        return self.most or MAX_ROWS


ROSTER = Layout(
    columns=COLUMNS,
    required=REQUIRED,
    critical=frozenset(("姓名", "身份证号", "银行账号", "金额")),
    shared=("学校", "学校标识码", "年级", "班级", "资助项目", "学期", "开户行"),
    weak=frozenset(("序号", "学校", "学校标识码", "资助项目", "学期")),
    name="姓名",
    number="身份证号",
)


class RawRow:
    """A pupil's row as it stands in the sheet: `row` as a person counts, cells by canonical column."""

    __slots__ = ("_places", "row", "values")

    def __init__(self, row: int, values: tuple[Cell, ...], places: dict[str, int]) -> None:
        self.row = row
        self.values = values
        self._places = places

    def get(self, column: str) -> Cell:
        """The cell of a canonical column; None where it is blank or the list has no such column."""
        place = self._places.get(column)
        return None if place is None else self.values[place]

    @property
    def cells(self) -> dict[str, Cell]:
        """All cells by canonical column."""
        return {column: self.values[place] for column, place in self._places.items()}


@dataclass(frozen=True, slots=True)
class SheetChoice:
    """A sheet of the workbook and what became of it: read, hidden, blank, no_roster, or not_read (another was)."""

    name: str
    hidden: bool
    why: str


@dataclass
class Table:
    """A roster as it was understood."""

    filename: str
    format: str
    encoding: str
    sheet: str
    sheets: list[SheetChoice]
    header_row: int
    """Lowest heading row, from 1, as a person sees it."""
    heading: Heading
    columns: dict[str, ColumnMatch]
    unmapped: list[ColumnMatch]
    missing: list[str]
    """Canonical columns of the template that the list does not have."""
    rows: list[RawRow] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    template_version: str = ""


def _load(source: Path | bytes) -> bytes:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > MAX_BYTES:
        raise RosterUnreadable("too_big", size=-(-size // 1024**2), limit=MAX_BYTES // 1024**2)
    return source if isinstance(source, bytes) else source.read_bytes()


def read_book(source: Path | bytes, filename: str) -> Book:
    """The file's sheets, after its size and kind were looked at. Raises RosterUnreadable."""
    return open_book(_load(source), filename)


# ---------------------------------------------------------------- which sheet


@dataclass
class _Candidate:
    sheet: Sheet
    heading: Heading | None
    blank: bool
    required: tuple[str, ...]

    @property
    def named(self) -> set[str]:
        return {column for _i, column, _sure in self.heading.matches()} if self.heading else set()

    @property
    def fits(self) -> bool:
        return self.named.issuperset(self.required)

    @property
    def worth(self) -> tuple[bool, bool, int]:
        return (self.fits, not self.sheet.hidden, len(self.named))


def _candidate(sheet: Sheet, layout: Layout) -> _Candidate:
    head = [(number, [cell_text(cell) for cell in cells]) for number, cells in islice(sheet.rows(), HEAD)]
    return _Candidate(sheet, find_heading(head, layout.lookup), not head, layout.required)


def _choose(candidates: list[_Candidate], wanted: str | None, layout: Layout) -> _Candidate:
    if wanted is not None:
        candidates = [one for one in candidates if one.sheet.name == wanted]
        if not candidates:
            raise RosterUnreadable("no_such_sheet", sheet=wanted)
    if all(one.blank for one in candidates):
        raise RosterUnreadable("blank_workbook")
    best = max(candidates, key=lambda one: one.worth)  # the first of equals: max keeps it
    if not best.named.intersection(layout.required):
        raise RosterUnreadable("no_heading", columns="、".join(layout.required))
    return best


def _why(one: _Candidate, best: _Candidate) -> str:
    if one is best:
        return "read"
    if one.blank:
        return "blank"
    if not one.fits:
        return "no_roster"
    return "hidden" if one.sheet.hidden else "not_read"


def _notes_on_sheets(candidates: list[_Candidate], best: _Candidate) -> Iterator[Note]:
    if best.sheet.hidden:
        yield Note("hidden_sheet", {"sheet": best.sheet.name})
    others = [one.sheet.name for one in candidates if _why(one, best) == "not_read"]
    if others:
        yield Note("other_sheets", {"sheet": best.sheet.name, "others": "、".join(others)})


# ---------------------------------------------------------------- which columns


def _at(cells: list[Cell], index: int) -> Cell:
    return cells[index] if index < len(cells) else None


def _same(rows: list[Row], one: int, other: int) -> bool:
    """Whether two columns never say different things."""
    pairs = ((_at(cells, one), _at(cells, other)) for _number, cells in rows)
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _filled(rows: list[Row], index: int) -> bool:
    return any(_at(cells, index) is not None for _number, cells in rows)


def match_columns(
    heading: Heading, rows: list[Row], critical: frozenset[str] = ROSTER.critical
) -> tuple[dict[str, ColumnMatch], list[ColumnMatch], list[Note]]:
    """Canonical columns, headings that are none, and notes on doubles.

    Of several headings for one column the surest is taken, then one that holds anything, then the first. Raises
    RosterUnreadable where two equal ones hold different names, IDs, accounts or amounts.
    """
    claims: dict[str, list[tuple[int, bool, int]]] = {}
    for index, column, sure in heading.matches():
        claims.setdefault(column, []).append((sure, not _filled(rows, index), index))
    columns: dict[str, ColumnMatch] = {}
    notes: list[Note] = []
    for column, claimants in claims.items():
        claimants.sort()
        sure, _blank, index = claimants[0]
        columns[column] = _match(heading, index, sure)
        for other_sure, _other_blank, other in claimants[1:]:
            if column in critical and other_sure == sure and not _same(rows, index, other):
                letters = f"{letter(index)}、{letter(other)}"
                raise RosterUnreadable("duplicate_columns", column=column, letters=letters)
            ignored = _match(heading, other, other_sure)
            params = {"letter": ignored.letter, "heading": ignored.heading, "column": column}
            notes.append(Note("column_ignored", {**params, "used": letter(index)}))
    known = {index for index, _column, _sure in heading.matches()}
    unmapped = [
        _match(heading, index, EXACT)
        for index, (_group, text) in enumerate(heading.texts)
        if text and index not in known and text != REASONS
    ]
    return columns, unmapped, notes


def _match(heading: Heading, index: int, sure: int) -> ColumnMatch:
    group, text = heading.texts[index]
    shown = f"{group}/{text}" if group and heading.first_row != heading.last_row else text
    return ColumnMatch(shown, letter(index), index, sure == EXACT)


def _fill_merged(
    sheet: Sheet, rows: list[Row], columns: dict[str, ColumnMatch], shared: tuple[str, ...]
) -> Note | None:
    """A cell merged down over several pupils (school, class) holds for each of them."""
    indexes = {columns[column].index: column for column in shared if column in columns}
    by_number = dict(rows)
    filled: set[str] = set()
    for top, left, bottom, _right in sheet.merged:
        if bottom == top or left not in indexes or bottom - top > MAX_ROWS:
            continue
        value = _at(by_number.get(top, []), left)
        for number in range(top + 1, bottom + 1):
            cells = by_number.get(number)
            if value is not None and cells and _at(cells, left) is None:
                cells.extend([None] * (left + 1 - len(cells)))
                cells[left] = value
                filled.add(indexes[left])
    return Note("merged_cells", {"columns": "、".join(sorted(filled))}) if filled else None


# ---------------------------------------------------------------- which rows

_TOTAL = re.compile(
    r"(本页|本班|本校|全校|全县|年级|班级|金额|人数|资金)?(合计|总计|小计|共计|累计|总人数|总金额)([:：(（\d元人金大共¥].*)?"
    r"|共\d+(人|名).*"
)
_SIGNED = (
    "制表|填表|填报|经办|审核|复核|审批|批准|负责|校长|园长|主管|分管|班主任|联系|监督|单位|学校|领导|财务|签字|签名|盖章|公章|"
    "日期|时间|报送|核对|统计|录入"
)
_SIGNATURE = re.compile(
    rf"({_SIGNED})[^:：]{{0,12}}[:：].*"
    r"|(制表|填表|填报|经办|审核|复核|审批|核对|统计|录入|负责|主管|分管)(人|领导|负责人|单位)?(签字|签名|盖章|签章)?"
    r"|(学校|校长|单位|班主任|领导|负责人).{0,6}(签字|签名|盖章|签章|公章).*"
    r"|[(（]?(盖章|公章|签字|签章)[)）]?"
    r"|(20\d\d)?年?\d{0,2}月?\d{0,2}日?年?月?日"
)
_FOOTNOTE = re.compile(r"(注|附注|说明|填表说明|填报说明|备注|注意|注意事项|※|\*).{0,3}([:：.、].*|$)|[※*].*")
_PUNCTUATED = re.compile(r"[。，；,;！!]")
_EXAMPLE = re.compile(r"(示例|样例|例如|举例|例)[:：\d]*")
_AMOUNT = re.compile(r"[¥￥]?[\d,.]+元?")
_NUMBERING = re.compile(r"[(（]?(\d{1,2})[)）]?")


class _Classifier:
    """Tells a pupil's row from totals, signatures and notes (DOMAIN.md §4.5)."""

    def __init__(self, columns: dict[str, ColumnMatch], layout: Layout) -> None:
        self.number = columns[layout.number].index
        self.name = columns[layout.name].index if layout.name in columns else self.number
        self.heading = (layout.name if layout.name in columns else layout.number, EXACT)
        self.lookup = layout.lookup
        self.weak = {match.index for column, match in columns.items() if column in layout.weak}

    def why_not(self, cells: list[Cell]) -> str | None:
        """None for a pupil's row, else a key of SKIPPED."""
        number = cell_text(_at(cells, self.number))
        first = next((cell for cell in cells if cell is not None), None)
        if isinstance(first, str) and _EXAMPLE.fullmatch(cell_text(first)):
            return "example"
        if len(number) >= 12 and _mostly_digits(number):
            return None
        filled = [(i, text) for i, cell in enumerate(cells) if (text := cell_text(cell))]
        if not filled:
            return "blank" if not any(cells) else None
        return self._label(filled) or self._not_pupil(filled, number)

    def _label(self, filled: list[tuple[int, str]]) -> str | None:
        texts = [text.replace(" ", "") for _i, text in filled]
        if any(_TOTAL.fullmatch(text) for text in texts[:3]):
            return "total"
        if self.lookup(dict(filled).get(self.name, ""), "") == self.heading:
            return "heading"
        if len(texts) >= 5 and _counts(texts):
            return "numbering"
        if _FOOTNOTE.fullmatch(texts[0]):
            return "footnote"
        return "signature" if sum(bool(_SIGNATURE.fullmatch(text)) for text in texts) * 3 >= len(texts) else None

    def _not_pupil(self, filled: list[tuple[int, str]], number: str) -> str | None:
        """Rows without name and ID: numbered ahead, a sum nobody labelled, or words across the sheet."""
        if len(filled) == 1 and (len(filled[0][1]) > 20 or _PUNCTUATED.search(filled[0][1])):
            return "footnote"
        places = {i for i, _text in filled}
        if number or self.name in places:
            return None
        if places <= self.weak:
            return "unfilled"
        if len(filled) > 2:
            return None
        return "total" if all(_AMOUNT.fullmatch(text) for _i, text in filled) else "footnote"


def _mostly_digits(number: str) -> bool:
    """Whether a long text is a number with perhaps a few other signs in it."""
    if number[:-1].isdigit() and number[-1] != ":":
        return len(number) > 10
    return sum(map(str.isdigit, number)) >= 10 and ":" not in number


def _counts(texts: list[str]) -> bool:
    """1 2 3 4 … below the headings."""
    found = [_NUMBERING.fullmatch(text) for text in texts]
    numbers = [int(one[1]) for one in found if one]
    return len(numbers) == len(texts) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _sort_rows(table: Table, rows: list[Row], layout: Layout) -> None:
    """Parts pupils' rows from the others; blank rows between them are named too."""
    classifier = _Classifier(table.columns, layout)
    places = {column: place for place, column in enumerate(table.columns)}
    indexes = [match.index for match in table.columns.values()]
    width = max(indexes) + 1
    take = itemgetter(*indexes) if len(indexes) > 1 else lambda cells: (cells[indexes[0]],)
    last = table.header_row
    for number, cells in rows:
        for blank in range(last + 1, min(number, last + 1000)):
            table.skipped.append(Skipped(blank, "blank"))
        last = number
        if why := classifier.why_not(cells):
            table.skipped.append(Skipped(number, why))
            continue
        if len(cells) < width:
            cells = cells + [None] * (width - len(cells))
        table.rows.append(RawRow(number, take(cells), places))
        if len(table.rows) > layout.limit:
            raise RosterUnreadable("too_many_rows", limit=layout.limit)


# ---------------------------------------------------------------- what to say about it

_VERSION = re.compile(r"模板版本\s*[:]?\s*([\w.\-]+)")


def _ranges(numbers: Iterable[int], most: int = 8) -> str:
    """5, 6, 7, 9 -> 5-7、9"""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in spans[:most]]
    return "、".join(shown) + ("…" if len(spans) > most else "")


def _notes_on_hiding(table: Table, sheet: Sheet) -> Iterator[Note]:
    hidden = sheet.hidden_rows.intersection(row.row for row in table.rows)
    if hidden:
        yield Note("hidden_rows", {"count": len(hidden), "rows": _ranges(hidden)})
    indexes = sheet.hidden_columns.intersection(match.index for match in table.columns.values())
    if indexes:
        yield Note("hidden_columns", {"letters": "、".join(map(letter, sorted(indexes)))})


def _notes_on_reading(table: Table, sheet: Sheet, book: Book) -> Iterator[Note]:
    if table.heading.first_row != table.heading.last_row:
        yield Note("two_heading_rows")
    if sheet.cut_below:
        yield Note("blank_tail", {"row": sheet.cut_below, "count": 10_000})
    if book.lost_characters:
        yield Note("lost_characters", {"count": book.lost_characters})
    if table.template_version and table.template_version != TEMPLATE_VERSION:
        yield Note("old_template", {"version": table.template_version, "present": TEMPLATE_VERSION})


def _template_version(head: Iterable[Row]) -> str:
    for _number, cells in head:
        for cell in cells:
            if found := _VERSION.search(cell_text(cell)):
                return found[1]
    return ""


def _split(sheet: Sheet, heading: Heading, most: int) -> tuple[list[Row], list[Row]]:
    """Rows above the heading, and those below it."""
    above: list[Row] = []
    below: list[Row] = []
    for row in sheet.rows():
        if row[0] > heading.last_row:
            below.append(row)
        elif row[0] < heading.first_row:
            above.append(row)
        if len(below) > most + 2_000:
            raise RosterUnreadable("too_many_rows", limit=most)
    return above, below


def read_roster(source: Path | bytes, filename: str, sheet: str | None = None, layout: Layout = ROSTER) -> Table:
    """Reads a school's roster (DOMAIN.md §4.5), however it was laid out; `sheet` names one, else the best is taken.

    Another `layout` reads another kind of list in the same way. Raises RosterUnreadable with a code and a sentence
    when the file is no such list.
    """
    book = read_book(source, filename)
    candidates = [_candidate(one, layout) for one in book.sheets]
    best = _choose(candidates, sheet, layout)
    heading = best.heading
    assert heading is not None  # _choose takes none without
    above, below = _split(best.sheet, heading, layout.limit)
    columns, unmapped, notes = match_columns(heading, below, layout.critical)
    if absent := [column for column in layout.required if column not in columns]:
        raise RosterUnreadable("missing_columns", columns="、".join(absent))
    table = Table(
        filename=filename,
        format=book.format,
        encoding=book.encoding,
        sheet=best.sheet.name,
        sheets=[SheetChoice(one.sheet.name, one.sheet.hidden, _why(one, best)) for one in candidates],
        header_row=heading.last_row,
        heading=heading,
        columns=columns,
        unmapped=unmapped,
        missing=[column for column in layout.columns if column not in columns],
        skipped=[Skipped(number, "title") for number, _cells in above],
        template_version=_template_version(above),
    )
    table.notes += _notes_on_sheets(candidates, best)
    table.notes += notes
    if note := _fill_merged(best.sheet, below, columns, layout.shared):
        table.notes.append(note)
    _sort_rows(table, below, layout)
    if not table.rows:
        raise RosterUnreadable("no_rows")
    table.notes += _notes_on_hiding(table, best.sheet)
    table.notes += _notes_on_reading(table, best.sheet, book)
    return table
