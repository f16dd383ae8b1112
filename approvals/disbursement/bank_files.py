"""Bank files by profile: what goes to the bank, and what its answer says (DOMAIN.md §4.5(4)).

A profile is a YAML file in `fixtures/banks/`. The same lines always give the same bytes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings

from approvals.disbursement.refusals import Refused

DEFAULT_PROFILE = "rural_credit_text"
LARGEST = 20 * 1024 * 1024


@dataclass(frozen=True)
class Profile:
    """How one bank wants its files."""

    code: str
    name: str
    encoding: str
    delimiter: str
    line_end: str
    extension: str
    header: list[str]
    columns: list[str]
    answer_columns: list[str]
    paid_codes: list[str]


@dataclass(frozen=True, slots=True)
class Order:
    """One payment as the bank is told of it."""

    number: int
    payee: str
    account: str
    amount: Decimal
    summary: str
    reference: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank says of one payment; `line` is the line of the file."""

    line: int
    reference: str
    account: str
    amount: Decimal
    paid: bool
    code: str
    message: str


@cache
def profile(code: str = DEFAULT_PROFILE) -> Profile:
    """The profile of a bank."""
    text = (Path(settings.BASE_DIR) / "fixtures" / "banks" / f"{code}.yaml").read_text(encoding="utf-8")
    return Profile(**yaml.safe_load(text))


def write_orders(orders: Iterable[Order], bank: Profile) -> bytes:
    """The file for the bank: a header with count and total, then one line a payment."""
    rows = list(orders)
    values = {"count": len(rows), "total": sum((row.amount for row in rows), Decimal("0.00"))}
    lines = [[str(values[name]) for name in bank.header]]
    lines += [[_plain(getattr(row, name), bank) for name in bank.columns] for row in rows]
    return "".join(bank.delimiter.join(line) + bank.line_end for line in lines).encode(bank.encoding)


def _plain(value: object, bank: Profile) -> str:
    text = " ".join(str(value).split()).replace(bank.delimiter, " ")
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_COUNT = re.compile(r"[0-9]{1,9}")


def read_answers(content: bytes, bank: Profile) -> list[Answer]:
    """The bank's answers. Raises Refused for a file that is empty, too big, garbled or does not add up."""
    if len(content) > LARGEST:
        raise Refused("return_too_big")
    lines = [line for line in _text(content, bank).splitlines() if line.strip()]
    if not lines:
        raise Refused("return_empty")
    answers = [_answer(number, line, bank) for number, line in enumerate(lines[1:], start=2)]
    _check_total(lines[0], answers, bank)
    return answers


def _text(content: bytes, bank: Profile) -> str:
    for encoding in ("utf-8-sig", bank.encoding):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("return_encoding")


def _answer(number: int, line: str, bank: Profile) -> Answer:
    cells = [cell.strip() for cell in line.split(bank.delimiter)]
    if len(cells) != len(bank.answer_columns):
        raise Refused("return_unreadable", line=number)
    row = dict(zip(bank.answer_columns, cells, strict=True))
    if not _AMOUNT.fullmatch(row["amount"]) or any(map(_CONTROL.search, cells)):
        raise Refused("return_unreadable", line=number)
    amount = Decimal(row["amount"])
    return Answer(
        number,
        row["reference"],
        row["account"],
        amount,
        row["code"] in bank.paid_codes,
        row["code"],
        row["message"],
    )


def _check_total(header: str, answers: list[Answer], bank: Profile) -> None:
    cells = dict(zip(bank.header, header.split(bank.delimiter), strict=False))
    if not _COUNT.fullmatch(cells.get("count", "").strip()) or not _AMOUNT.fullmatch(cells.get("total", "").strip()):
        raise Refused("return_unreadable", line=1)
    count, total = int(cells["count"]), Decimal(cells["total"].strip())
    if count != len(answers) or total != sum((answer.amount for answer in answers), Decimal(0)):
        raise Refused("return_total", count=count, total=total)
