"""Text whose columns have fixed widths, in bytes of the encoding: a Chinese character counts two or four in GB18030."""

from collections.abc import Iterable, Iterator

from approvals.disbursement.bank.base import Head, Order, Read, Row
from approvals.disbursement.bank.layout import tabular_lacks
from approvals.disbursement.bank.profiles import Column, Columns, Profile
from approvals.disbursement.bank.texts import header_cells, kind_of, lines_of, one_line, value_of
from approvals.disbursement.refusals import Refused


class FixedWidth:
    """A value that is longer than its column is refused: a cut name or account would pay somebody else."""

    code = "fixed_width"
    most = 1_000_000

    def lacks(self, bank: Profile) -> Iterator[str]:
        yield from tabular_lacks(bank)
        if bank.titles or bank.read_titles:
            yield "titles: text of fixed width has none"
        for where, columns in (("header", bank.header), ("columns", bank.columns), ("answer_header", bank.read_header),
                               ("answer_columns", bank.answer_columns)):  # fmt: skip
            yield from (f"{where}.{n}: width is missing" for n, column in enumerate(columns) if not column.width)

    def write(self, orders: Iterable[Order], head: Head, bank: Profile) -> bytes:
        return b"".join(self._lines(orders, head, bank))

    def _lines(self, orders: Iterable[Order], head: Head, bank: Profile) -> Iterator[bytes]:
        end = bank.line_end.encode()
        if bank.header:
            cells = zip(bank.header, header_cells(bank.header, head, bank), strict=True)
            yield b"".join([_padded(column, text, 0, bank) for column, text in cells]) + end
        for order in orders:
            yield (
                b"".join(
                    [
                        _padded(column, one_line(value_of(column, order, head, bank)), order.number, bank)
                        for column in bank.columns
                    ]
                )
                + end
            )

    def read(self, content: bytes, bank: Profile) -> Read:
        if kind := kind_of(content):
            raise Refused("return_kind", kind=kind, wanted=bank.name)
        lines = iter(lines_of(content))
        control = _sliced(bank.read_header, *next(lines), bank) if bank.read_header else None
        return Read(control, (Row(n, _sliced(bank.answer_columns, n, line, bank)) for n, line in lines))


def _encoding(bank: Profile) -> str:
    """That of the cells: a byte-order mark would stand in each of them."""
    return "utf-8" if bank.encoding == "utf-8-sig" else bank.encoding


def _padded(column: Column, text: str, number: int, bank: Profile) -> bytes:
    written = text.encode(_encoding(bank))
    if len(written) > column.width:
        raise Refused("export_too_long", line=number, column=column.name, length=len(written), width=column.width)
    pad = column.pad.encode()
    return written.rjust(column.width, pad) if column.align == "right" else written.ljust(column.width, pad)


def _sliced(columns: Columns, line: int, text: str, bank: Profile) -> dict[str, str]:
    """The cells of a line; a bank may leave off the blanks at its end."""
    written = text.encode(_encoding(bank))
    wanted = sum(column.width for column in columns)
    if len(written.rstrip(b" ")) > wanted or len(written) < wanted - columns[-1].width:
        raise Refused("return_width", line=line, found=len(written), wanted=wanted, bank=bank.name)
    cells, at = {}, 0
    for column in columns:
        piece = written[at : at + column.width]
        at += column.width
        if column.field:
            cells[column.field] = _text(piece, column, line, bank)
    return cells


def _text(piece: bytes, column: Column, line: int, bank: Profile) -> str:
    try:
        text = piece.decode(_encoding(bank))
    except UnicodeDecodeError:
        raise Refused("return_unreadable", line=line) from None
    if column.pad != " ":
        text = text.lstrip(column.pad) if column.align == "right" else text.rstrip(column.pad)
        if not text.strip() and column.pad == "0":
            return "0"
    return text.strip()
