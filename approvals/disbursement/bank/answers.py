"""Writing a batch for a bank and reading its answer, whatever the format: what holds for all of them."""

import re
from collections.abc import Iterable
from decimal import Decimal

from approvals.disbursement.bank.base import BOUNCED, FAILED, PENDING, Answer, Head, Order, Row
from approvals.disbursement.bank.profiles import Profile
from approvals.disbursement.bank.registry import format_of
from approvals.disbursement.refusals import Refused

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)
_FEN = re.compile(r"[0-9]{1,14}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_COUNT = re.compile(r"0*[0-9]{1,9}", re.ASCII)


def write_orders(orders: Iterable[Order], head: Head, bank: Profile) -> bytes:
    """The file for the bank. Raises Refused for what the format cannot hold."""
    kind = format_of(bank.format)
    if head.count > kind.most:
        raise Refused("export_too_many", count=head.count, most=kind.most, bank=bank.name)
    return kind.write(orders, head, bank)


def read_answers(content: bytes, bank: Profile, most: int = 1_000_000) -> list[Answer]:
    """The bank's answers, as they stand in the file. Raises Refused for one that is empty, too big, garbled, does not
    add up, or holds more than `most` payments: nothing of such a file is taken.
    """
    if len(content) > bank.largest:
        raise Refused("return_too_big", size=-(-len(content) // 1024**2), limit=bank.largest_mb)
    if not content.strip():
        raise Refused("return_empty")
    read = format_of(bank.format).read(content, bank)
    said = _control(read.control, bank) if read.control is not None else None
    if said and said[0] > most:
        raise Refused("return_too_many", count=said[0], most=most)
    answers: list[Answer] = []
    for row in read.rows:
        if len(answers) == most:
            raise Refused("return_too_many", count=most + 1, most=most)
        answers.append(_answer(row, bank))
    if not answers:
        raise Refused("return_empty")
    if said:
        _check_total(said, answers)
    return answers


def _money(text: str, bank: Profile) -> Decimal | None:
    if bank.amount == "fen":
        return Decimal(text) / 100 if _FEN.fullmatch(text) else None
    return Decimal(text).quantize(Decimal("0.01")) if _AMOUNT.fullmatch(text) else None


def _control(cells: dict[str, str], bank: Profile) -> tuple[int, Decimal]:
    count, total = cells.get("count", "").strip(), _money(cells.get("total", "").strip(), bank)
    if not _COUNT.fullmatch(count) or total is None:
        raise Refused("return_header", bank=bank.name)
    return int(count), total


def _check_total(said: tuple[int, Decimal], answers: list[Answer]) -> None:
    count, total = said
    if count != len(answers):
        raise Refused("return_count", said=count, found=len(answers))
    amounts = [answer.amount for answer in answers]
    if None not in amounts and total != sum(amounts, Decimal(0)):  # type: ignore[arg-type]
        raise Refused("return_total", said=total, found=sum(amounts, Decimal(0)))  # type: ignore[arg-type]


def _answer(row: Row, bank: Profile) -> Answer:
    cells = row.cells
    if any(map(_CONTROL.search, cells.values())):
        raise Refused("return_unreadable", line=row.line)
    amount = None
    if "amount" in cells:
        amount = _money(cells["amount"], bank)
        if amount is None:
            raise Refused("return_no_amount", line=row.line, given=cells["amount"][:40])
    if not cells.get("reference"):
        raise Refused("return_no_reference", line=row.line)
    code = cells["code"]
    known = bank.codes.get(code)
    if known is None:
        raise Refused("return_unknown_code", line=row.line, given=code[:20], bank=bank.name)
    if known.means == PENDING:
        raise Refused("return_pending", line=row.line, reference=cells["reference"][:60], says=known)
    means = BOUNCED if row.means == BOUNCED and known.means == FAILED else known.means
    message = cells.get("message") or known.zh
    return Answer(row.line, cells["reference"], cells.get("account"), amount, means, code[:20], message[:200])
