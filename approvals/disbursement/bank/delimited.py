"""Text with a sign between the columns."""

from collections.abc import Iterable, Iterator

from approvals.disbursement.bank.base import Head, Order, Read, Row
from approvals.disbursement.bank.layout import control_of, named, tabular_lacks
from approvals.disbursement.bank.profiles import Profile
from approvals.disbursement.bank.texts import cell, header_cells, kind_of, lines_of, value_of
from approvals.disbursement.refusals import Refused


class Delimited:
    """Header, titles where wanted, then a line a payment."""

    code = "delimited"
    most = 1_000_000

    def lacks(self, bank: Profile) -> Iterator[str]:
        yield from tabular_lacks(bank)

    def write(self, orders: Iterable[Order], head: Head, bank: Profile) -> bytes:
        return "".join(self._lines(orders, head, bank)).encode(bank.encoding)

    def _lines(self, orders: Iterable[Order], head: Head, bank: Profile) -> Iterator[str]:
        sign, end = bank.delimiter, bank.line_end
        if bank.header:
            yield sign.join(header_cells(bank.header, head, bank)) + end
        if bank.titles:
            yield sign.join(cell(column.name, sign) for column in bank.columns) + end
        for order in orders:
            yield sign.join([cell(value_of(column, order, head, bank), sign) for column in bank.columns]) + end

    def read(self, content: bytes, bank: Profile) -> Read:
        if kind := kind_of(content):
            raise Refused("return_kind", kind=kind, wanted=bank.name)
        lines = iter(lines_of(content))
        control = control_of(bank.read_header, _cells(*next(lines), bank)[1], bank) if bank.read_header else None
        if bank.read_titles:
            next(lines, None)
        return Read(control, (Row(n, named(bank.answer_columns, *_cells(n, line, bank), bank)) for n, line in lines))


def _cells(number: int, line: str, bank: Profile) -> tuple[int, list[str]]:
    return number, [each.strip() for each in line.split(bank.delimiter)]
