"""Text from a bank and to it: whatever encoding it comes in, and nothing in a cell that a program would run."""

import codecs
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from approvals.disbursement.bank.base import Head, Order
from approvals.disbursement.bank.profiles import Column, Columns, Profile
from approvals.disbursement.refusals import Refused

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_KINDS = (
    (b"PK\x03\x04", "xlsx"), (b"\xd0\xcf\x11\xe0", "xls"), (b"%PDF", "pdf"), (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpg"), (b"Rar!", "rar"), (b"7z\xbc\xaf", "7z"), (b"\x1f\x8b", "gz"),
)  # fmt: skip


def kind_of(content: bytes) -> str:
    """What a file is by its first bytes, where that is no text: xlsx, xls, pdf, …; else empty."""
    return next((kind for beginning, kind in _KINDS if content.startswith(beginning)), "")


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or GB18030, with or without a byte-order mark. Raises Refused."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content[len(mark) :], encoding)
    if encoding := _unmarked_utf_16(content):
        return _decode(content, encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode(content, "gb18030")


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise Refused("return_encoding") from None


def _unmarked_utf_16(content: bytes) -> str:
    """UTF-16 without its mark shows by NUL bytes on one side: most of a bank file is digits."""
    sample = content[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 3 < len(sample) // 2 or min(even, odd) * 10 > max(even, odd):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


_LINE_END = re.compile(r"\r\n|\r|\n")


def lines_of(content: bytes) -> list[tuple[int, str]]:
    """The lines that hold anything with their numbers, whatever ends them. Raises Refused where there are none."""
    lines = [(n, line) for n, line in enumerate(_LINE_END.split(decoded(content)), start=1) if line.strip(" \t\x1a")]
    if not lines:
        raise Refused("return_empty")
    return lines


def money(amount: Decimal, bank: Profile) -> str:
    """An amount as the bank writes it: 312.50, or 31250 where it counts in fen."""
    return str(int(amount * 100)) if bank.amount == "fen" else f"{amount:.2f}"


def one_line(value: Any) -> str:
    """Any text on one line."""
    return " ".join(str(value).split())


def cell(value: Any, delimiter: str = "") -> str:
    """A cell that neither breaks its line nor starts a formula in a spreadsheet."""
    text = one_line(value)
    if delimiter:
        text = text.replace(delimiter, " ")
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def value_of(column: Column, order: Order, head: Head, bank: Profile) -> str:
    """What stands in a column for a payment."""
    if column.text:
        return column.text
    if column.field == "amount":
        return money(order.amount, bank)
    if column.field == "date":
        return day(head.at, bank)
    return str(getattr(order, column.field))


def header_cells(columns: Columns, head: Head, bank: Profile) -> list[str]:
    """The header: count, total, the batch's number, the day."""
    values = {
        "count": str(head.count), "total": money(head.total, bank), "number": head.number, "date": day(head.at, bank),
    }  # fmt: skip
    return [column.text or values[column.field] for column in columns]


def day(at: datetime, bank: Profile) -> str:
    """A day as the bank writes it."""
    return at.strftime(bank.date_format)
