"""How secrets are shown (DOMAIN.md §6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.people.masking import mask_account, mask_enrolment_no, mask_id, mask_name, mask_phone, mask_text


def test_the_masks_are_those_of_the_domain_page():
    assert mask_id("130499201203050010") == "1304**********0010"
    assert mask_enrolment_no("G130499201203050010") == "G1304**********0010"
    assert mask_account("6219990000000000010") == "***0010"
    assert mask_phone("13812341234") == "138****1234"
    assert mask_phone("0310-7520123") == "****123"


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("张小三", "张**"), ("买买提·艾力", "买**"), ("𠮷田", "𠮷*"), ("张", "*"), ("", "")],
)
def test_of_a_name_only_the_first_character_is_shown(name, masked):
    assert mask_name(name) == masked


@given(st.text(alphabet="0123456789X", max_size=30))
def test_no_mask_shows_more_than_eight_characters(number):
    for mask in (mask_id, mask_account, mask_phone):
        assert len(mask(number).replace("*", "")) <= 8
        assert number not in mask(number) or not number


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("pupil 130499201203050010 refused", "pupil 1304**********0010 refused"),
        ("学籍号G13049920151130203X", "学籍号G1304**********203X"),
        ("card=6219990000000000010;", "card=***0010;"),
        ("打13812341234", "打138****1234"),
        ("ID130499201203050010", "ID1304**********0010"),
        ("tel-13812341234,", "tel-138****1234,"),
        ("存折50123456789012345678901234567890", "存折***7890"),
        ("１３０４９９２０１２０３０５００１０", "***００１０"),
        ("1234567a-1234-4abc-8123-123456789012", "1234567a-1234-4abc-8123-123456789012"),
        ("abcdef12345678901234567890123456", "abcdef12345678901234567890123456"),
        ("row 12 of 2026-09-07, 625.00", "row 12 of 2026-09-07, 625.00"),
    ],
)
def test_numbers_in_a_log_line_are_masked(line, masked):
    assert mask_text(line) == masked
