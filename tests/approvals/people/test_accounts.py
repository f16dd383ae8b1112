"""The account that aid is paid to (DOMAIN.md §4.3)."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn

from approvals.people.accounts import (
    KINDS,
    SENTENCES,
    account_doubt,
    account_problem,
    fits_check_digit,
    normalise_account,
)
from tests.factories import account_number

cards = st.builds(account_number, st.integers(0, 999_999_999))


@pytest.mark.parametrize("number", ["6219990000000000010", "6219990000000000028", "6219999900000008"])
def test_the_vectors_of_the_domain_page_are_valid(number):
    assert account_problem(number) is None


@given(cards, st.integers(0, 18), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_noticed(number, place, digit):
    assume(number[place] != digit)
    assert account_problem(number[:place] + digit + number[place + 1 :]) == "account_check_digit"


@given(st.one_of(st.text("0123456789", max_size=40), st.text(max_size=6), cards))
def test_check_digits_are_those_of_the_reference(number):
    assert fits_check_digit(number) == (number.isascii() and luhn.is_valid(number))


@pytest.mark.parametrize(
    "typed",
    [
        "6219 9900 0000 0000 010",
        "6219-9900-0000-0000-010",
        "６２１９９９００００００００００010",
        "'6219990000000000010",
        " 6219990000000000010\n",
    ],
)
def test_spaces_hyphens_and_apostrophes_are_taken_out(typed):
    assert normalise_account(typed) == "6219990000000000010"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        ("", "bank_card", "account_missing"),
        ("621999000000001A", "bank_card", "account_format"),
        ("621999000000001", "bank_card", "account_length"),
        ("62199900000000000101", "bank_card", "account_length"),
        ("6219990000000000011", "social_security_card", "account_check_digit"),
        ("1234567", "passbook", "passbook_length"),
        ("12345678", "passbook", None),
        ("6219990000000000011", "passbook", None),
    ],
)
def test_each_fault_has_its_own_code(number, kind, code):
    assert account_problem(number, kind) == code
    assert code is None or str(SENTENCES[code])


def test_a_passbook_that_cannot_be_checked_is_doubted_not_refused():
    assert account_doubt("6219990000000000011", "passbook") == "passbook_unchecked"
    assert account_doubt("6219990000000000010", "passbook") is None
    assert [account_doubt("6219990000000000010", kind) for kind in KINDS] == [None, None, None]
