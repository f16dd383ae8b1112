"""Who a person is (DOMAIN.md §4.1, §4.3)."""

from datetime import date, timedelta

import pytest
from django.utils import translation
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import ric

from approvals.people.identity import (
    SENTENCES,
    age_on,
    birth_date_of,
    enrolment_fits_id,
    enrolment_problem,
    id_problem,
    is_under_14,
    name_problem,
    normalise_enrolment_no,
    normalise_id,
    normalise_name,
    normalise_phone,
    phone_problem,
    plain_text,
    sex_of,
)
from tests.factories import id_number

TODAY = date(2026, 9, 7)
birth_dates = st.dates(date(1900, 1, 1), TODAY)
valid_ids = st.builds(id_number, birth_dates, st.integers(0, 999))


@given(valid_ids, st.sampled_from("0123456789X"))
def test_check_digits_are_those_of_the_reference(number, last):
    right = ric.calc_check_digit(number[:17] + last) == last
    assert (id_problem(number[:17] + last, TODAY) is None) == right


@pytest.mark.parametrize(
    ("number", "sex", "born"),
    [
        ("130499201203050010", "M", date(2012, 3, 5)),
        ("130499200909121023", "F", date(2009, 9, 12)),
        ("13049920151130203X", "M", date(2015, 11, 30)),
        ("130499198507043042", "F", date(1985, 7, 4)),
    ],
)
def test_the_vectors_of_the_domain_page_are_valid(number, sex, born):
    assert id_problem(number, TODAY) is None
    assert (sex_of(number), birth_date_of(number)) == (sex, born)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "id_missing"),
        ("130499201002290018", "id_date"),
        ("130499201203050011", "id_check_digit"),
        ("130499120305001", "id_first_generation"),
        ("13049920120305001", "id_length"),
        ("1304992012030500100", "id_length"),
        ("13049920120305001A", "id_format"),
        ("1304992012O3050010", "id_format"),
        ("030499201203050010", "id_format"),
        ("130499170003050010", "id_date"),
        ("130499202609080012", "id_future"),
        ("13049920120305００10", "id_format"),
    ],
)
def test_each_fault_of_an_id_has_its_own_code(number, code):
    assert id_problem(number, TODAY) == code


@pytest.mark.parametrize("region", ["370116", "500156", "361103", "330113", "999999"])
def test_no_id_is_refused_for_its_region(region):
    stem = region + "201203050010"[:-1]
    assert sum(id_problem(stem + last, TODAY) is None for last in "0123456789X") == 1


@given(valid_ids)
def test_every_built_id_is_valid_and_says_its_birth_date_and_sex(number):
    assert id_problem(number, TODAY) is None
    assert birth_date_of(number).strftime("%Y%m%d") == number[6:14]
    assert sex_of(number) == "FM"[int(number[16]) % 2]


@given(valid_ids, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_noticed(number, place, character):
    assume(number[place] != character)
    assert id_problem(number[:place] + character + number[place + 1 :], TODAY) is not None


@given(valid_ids, st.integers(0, 16))
def test_two_neighbours_in_the_wrong_order_are_always_noticed(number, place):
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert id_problem(swapped, TODAY) is not None


def _full_width(text):
    return "".join(chr(ord(one) + 0xFEE0) for one in text)


@given(valid_ids, st.sampled_from([str.lower, _full_width, "'{}".format, " {} ".format, "\u200b{}\ufeff".format]))
def test_however_an_id_was_typed_it_is_read_the_same(number, spelling):
    assert normalise_id(spelling(number)) == number


@pytest.mark.parametrize(
    "typed",
    ["130499 20120305 0010", "130499-20120305-0010", "１３０４９９２０１２０３０５００１０", "’130499201203050010"],
)
def test_spaces_hyphens_and_apostrophes_are_taken_out_of_an_id(typed):
    assert normalise_id(typed) == "130499201203050010"


def test_the_roman_ten_is_an_x():
    assert normalise_id("13049920151130203Ⅹ") == "13049920151130203X"


@given(birth_dates, st.integers(0, 40_000))
def test_age_counts_full_years(born, days):
    day = born + timedelta(days=days)
    age = age_on(born, day)
    assert age * 365 <= days + 1
    assert days < (age + 1) * 366


def test_the_day_before_the_birthday_is_still_the_year_before():
    assert age_on(date(2012, 9, 8), TODAY) == 13
    assert age_on(date(2012, 9, 7), TODAY) == 14
    assert is_under_14(date(2012, 9, 8), TODAY)
    assert not is_under_14(date(2012, 9, 7), TODAY)


def test_born_on_the_leap_day_turns_older_on_the_first_of_march():
    assert age_on(date(2012, 2, 29), date(2026, 2, 28)) == 13
    assert age_on(date(2012, 2, 29), date(2026, 3, 1)) == 14


@pytest.mark.parametrize("number", ["G130499201203050010", "J13049920151130203X", "L130499201203050010", ""])
def test_enrolment_numbers_begin_with_g_j_or_l(number):
    assert enrolment_problem(number) is None


@pytest.mark.parametrize(
    "number", ["130499201203050010", "H130499201203050010", "G13049920120305001", "GX30499201203050010"]
)
def test_other_enrolment_numbers_are_refused(number):
    assert enrolment_problem(normalise_enrolment_no(number)) == "enrolment_format"


def test_a_g_number_holds_the_id_and_the_others_do_not():
    assert enrolment_fits_id("G130499201203050010", "130499201203050010")
    assert not enrolment_fits_id("G130499201203050010", "130499200909121023")
    assert enrolment_fits_id("J999999999999999999", "130499200909121023")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("张 三", "张三"),
        ("　张　三　", "张三"),
        ("买买提・艾力", "买买提·艾力"),
        ("买买提•艾力", "买买提·艾力"),
        ("买买提‧艾力", "买买提·艾力"),
        ("买买提 · 艾力", "买买提·艾力"),
        ("买买提.艾力", "买买提·艾力"),
        ("阿依古丽··买买提", "阿依古丽·买买提"),
        ("John  Smith", "John Smith"),
        ("Ｊｏｈｎ　Ｓｍｉｔｈ", "John Smith"),
        ("Ana María  López", "Ana María López"),
        ("李 John Paul", "李John Paul"),
        ("'王小禾", "王小禾"),
        ("𠮷 田一", "𠮷田一"),
        ("䶮", "䶮"),
        ("\ue863", "䶮"),
        ("㛃 𫟦", "㛃𫟦"),
        ("e\u0301milie", "émilie"),
    ],
)
def test_names_are_spelled_one_way(typed, name):
    assert normalise_name(typed) == name
    assert name_problem(name) is None


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
def test_normalising_a_name_twice_changes_nothing_more(text):
    once = normalise_name(text)
    assert normalise_name(once) == once


@given(
    st.text(
        alphabet=[chr(c) for c in (0x4E00, 0x20BB7, 0x4DAE, 0x36C3, 0x2B7E6, 0x30EDD, 0x31350)], min_size=2, max_size=9
    )
)
def test_rare_characters_survive(name):
    assert normalise_name(name) == name
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_missing"),
        ("王" * 51, "name_length"),
        ("张?", "name_lost_character"),
        ("张\ufffd", "name_lost_character"),
        ("张三1", "name_characters"),
        ("张三(转学)", "name_characters"),
        ("=cmd|' /C calc'!A0", "name_characters"),
        ("张三,李四", "name_characters"),
    ],
)
def test_what_is_no_name_is_said(name, code):
    assert name_problem(normalise_name(name)) == code


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("138 1234 5678", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("+86 13812345678", "13812345678"),
        ("0086-13812345678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("(0310)7520123", "03107520123"),
        ("0310－7520123", "0310-7520123"),
        ("", ""),
    ],
)
def test_phones_lose_what_is_no_digit(typed, phone):
    assert normalise_phone(typed) == phone
    assert phone_problem(phone) is None


@pytest.mark.parametrize(
    "phone", ["12812345678", "1381234567", "138123456789", "7520123", "无", "13812345678/13912345678"]
)
def test_what_is_no_phone_is_refused(phone):
    assert phone_problem(normalise_phone(phone)) == "phone_format"


@given(st.text(max_size=40))
def test_plain_text_is_one_line_without_odd_spaces(text):
    plain = plain_text(text)
    assert plain == plain.strip()
    assert "  " not in plain
    assert plain_text(plain) == plain


def test_every_sentence_is_chinese_by_default_and_english_on_request():
    for sentence in SENTENCES.values():
        chinese = str(sentence)
        with translation.override("en"):
            assert str(sentence).isascii()
            assert str(sentence) != chinese
