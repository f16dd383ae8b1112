"""What goes to the bank, and what its answer may look like."""

from decimal import Decimal

import pytest

from approvals.disbursement.bank_files import LARGEST, Order, profile, read_answers, write_orders
from approvals.disbursement.refusals import Refused

ORDERS = [
    Order(1, "王小禾", "6219990000000000010", Decimal("625.00"), "义教生活补助2026秋", "20260907-0001-000001"),
    Order(2, "买买提·𠮷", "6219990000000000028", Decimal("312.50"), "义教生活补助2026秋", "20260907-0001-000002"),
]


def answer_file(*lines: str, count: int | None = None, total: str | None = None, encoding: str = "gb18030") -> bytes:
    amounts = [Decimal(line.split("|")[3]) for line in lines]
    header = f"{len(lines) if count is None else count}|{sum(amounts) if total is None else total}"
    return "\r\n".join([header, *lines, ""]).encode(encoding)


def answered(number: int = 1, amount: str = "625.00", code: str = "0000", message: str = "成功") -> str:
    return f"{number}|王小禾|6219990000000000010|{amount}|摘要|20260907-0001-{number:06d}|{code}|{message}"


def code_of(content: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        read_answers(content, profile())
    assert str(refusal.value)
    return refusal.value.code


def test_the_file_starts_with_count_and_total_and_survives_rare_characters() -> None:
    lines = write_orders(ORDERS, profile()).decode("gb18030").split("\r\n")
    assert lines[0] == "2|937.50"
    assert lines[2].split("|")[1] == "买买提·𠮷"
    assert lines[-1] == ""


def test_the_same_orders_give_the_same_bytes() -> None:
    assert write_orders(ORDERS, profile()) == write_orders(list(ORDERS), profile())


def test_a_cell_can_neither_break_the_line_nor_start_a_formula() -> None:
    order = Order(1, "=cmd|'/c calc'!A1\n王", "6219990000000000010", Decimal("1.00"), "", "r")
    line = write_orders([order], profile()).decode("gb18030").split("\r\n")[1]
    assert line.count("|") == len(profile().columns) - 1
    assert line.split("|")[1].startswith("'=")


def test_an_answer_is_read_in_either_encoding_and_with_mixed_line_ends() -> None:
    for encoding in ("gb18030", "utf-8", "utf-8-sig"):
        content = answer_file(answered(), answered(2, "312.50", "1001", "户名不符"), encoding=encoding)
        read = read_answers(content.replace(b"\r\n", b"\n", 1), profile())
        assert [(row.paid, row.code, row.amount) for row in read] == [
            (True, "0000", Decimal("625.00")),
            (False, "1001", Decimal("312.50")),
        ]
        assert read[1].message == "户名不符"


def test_a_file_that_cannot_be_the_banks_answer_is_refused_whole() -> None:
    assert code_of(b"") == "return_empty"
    assert code_of(b"\r\n\r\n") == "return_empty"
    assert code_of(b"x" * (LARGEST + 1)) == "return_too_big"
    assert code_of(b"\x89PNG\r\n\x1a\n\xff\xff\xff") == "return_encoding"
    assert code_of(answer_file(answered())[:-20]) == "return_unreadable"
    assert code_of(answer_file(answered(), total="625.01")) == "return_total"
    assert code_of(answer_file(answered(), count=2)) == "return_total"
    assert code_of(answer_file(answered(amount="625.00")).replace(b"|625.00|", b"|abc|")) == "return_unreadable"
