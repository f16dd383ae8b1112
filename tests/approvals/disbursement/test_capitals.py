"""金额大写 as vouchers carry it."""

from decimal import Decimal

import pytest

from approvals.disbursement.capitals import in_capitals


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.00", "零元整"),
        ("625.00", "陆佰贰拾伍元整"),
        ("312.50", "叁佰壹拾贰元伍角整"),
        ("1150.00", "壹仟壹佰伍拾元整"),
        ("358800.00", "叁拾伍万捌仟捌佰元整"),
        ("100000.00", "壹拾万元整"),
        ("10005.00", "壹万零伍元整"),
        ("100000001.00", "壹亿零壹元整"),
        ("20350000.07", "贰仟零叁拾伍万元零柒分"),
        ("1002003004.50", "壹拾亿零贰佰万叁仟零肆元伍角整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
    ],
)
def test_an_amount_reads_as_a_voucher_wants_it(amount: str, text: str) -> None:
    assert in_capitals(Decimal(amount)) == text


@pytest.mark.parametrize("amount", ["-1.00", "0.005", "10000000000000000.00"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        in_capitals(Decimal(amount))
