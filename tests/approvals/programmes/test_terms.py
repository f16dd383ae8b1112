"""School terms and the ways they are written."""

from datetime import date, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from approvals.programmes.terms import Term, UnknownTerm, parse_term


@pytest.mark.parametrize(
    "text",
    [
        "2026-2027-1",
        "2026年秋季学期",
        "2026年秋季",
        "2026秋",
        "２０２６年秋",
        "26秋",
        "2026—2027学年第一学期",
        "2026-2027学年度第1学期",
        "2026～2027学年上学期",
        "2026-27-1",
        "2026-2027(1)",
        "2026/2027 1",
        "Autumn 2026",
        "autumn term 2026",
        " 2026 年 秋季 学期 ",
    ],
)
def test_all_these_are_the_autumn_term_of_2026(text):
    assert parse_term(text) == "2026-2027-1"


@pytest.mark.parametrize(
    "text", ["2027年春季学期", "2026-2027-2", "2026—2027学年第二学期", "2027春", "2026-2027学年下学期"]
)
def test_all_these_are_the_spring_term_of_2027(text):
    assert parse_term(text) == "2026-2027-2"


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-2028-1", "2026-2027-3", "秋季", "2026年夏季学期", "1926秋", "2026-2027"]
)
def test_what_is_no_term_is_said_in_a_sentence(text):
    with pytest.raises(UnknownTerm) as refused:
        parse_term(text)
    assert "学期" in refused.value.message
    assert refused.value.code == "term_unknown"


terms = st.builds(Term, st.integers(2001, 2098), st.sampled_from([1, 2]))


@given(terms)
def test_a_term_reads_back_from_its_code_and_from_its_name_in_both_languages(term):
    assert Term.of(term.code) == term
    for language in ("zh-hans", "en"):
        with translation.override(language):
            assert Term.of(term.name()) == term


@given(terms)
def test_terms_follow_each_other_without_a_gap(term):
    assert term.next().previous() == term
    assert term.next().starts_on == term.ends_on + timedelta(days=1)
    assert term < term.next()


@given(st.dates(date(2001, 1, 1), date(2090, 1, 1)))
def test_every_day_lies_in_one_term(day):
    term = Term.on(day)
    assert term.starts_on <= day <= term.ends_on


def test_the_demo_begins_in_the_autumn_term():
    term = Term.on(date(2026, 9, 7))
    assert (term.code, term.school_year, term.season, term.name()) == (
        "2026-2027-1",
        "2026-2027",
        "autumn",
        "2026年秋季学期",
    )
    assert Term.of("2026-2027-2").name() == "2027年春季学期"
