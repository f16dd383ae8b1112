"""Rows written as text arrive as they were, whatever is in them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection, models
from hypothesis import given
from hypothesis import strategies as st

from workflows.copying import array, bytes_array, copy, fields, ints_array, line, short_array

NASTY = [
    *("", " ", "\\", "\\N", "\\.", "a\tb", "a\nb", "a\r\nb", "NULL", '"', "{}", "a,b", "\\x41", "'; --", "%s"),
    "𠮷\u2028",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture
def scratch(db):
    """A table for one test."""
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TEMP TABLE scratch (id int, "group" text, b bytea, yes bool, n numeric, d date, at timestamptz)'
            " ON COMMIT DROP"
        )
    return SimpleNamespace(_meta=SimpleNamespace(db_table="scratch"))


def stored(columns: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM scratch ORDER BY id")
        return cursor.fetchall()


def asked(sql: str, *params: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", params)
        return cursor.fetchone()[0]


def test_every_kind_of_value_arrives(scratch):
    at = datetime(2026, 9, 1, 8, 30, 0, 123456, UTC)
    row = (1, "甲", b"\x00\\\xff", True, Decimal("625.00"), date(2026, 9, 1), at)
    copy(scratch, "id group b yes n d at", [line(row), line((2, None, b"", False, None, None, None))])
    assert [(*r[:2], r[2] and bytes(r[2]), *r[3:]) for r in stored('id, "group", b, yes, n, d, at')] == [
        row,
        (2, None, b"", False, None, None, None),
    ]


def test_texts_that_look_like_syntax_arrive_as_they_are(scratch):
    copy(scratch, "id group", (line((order, text)) for order, text in enumerate(NASTY)))
    assert [text for _, text in stored('id, "group"')] == NASTY


def test_more_rows_than_one_batch_arrive_in_order(scratch):
    copy(scratch, "id group", (line((order, str(order))) for order in range(1201)))
    assert stored('id, "group"') == [(order, str(order)) for order in range(1201)]


def test_no_rows_are_no_fault(scratch):
    copy(scratch, "id group", [])
    assert stored("id") == []


def test_a_text_with_a_zero_byte_is_refused_as_ever(scratch):
    with pytest.raises(psycopg.DataError):
        copy(scratch, "id group", [line((1, "a\0b"))])


def test_an_enum_is_written_as_its_text_and_anything_unknown_is_refused():
    class Sex(models.TextChoices):
        FEMALE = "F", "female"

    assert fields((Sex.FEMALE, 1)) == "F\t1"
    with pytest.raises(TypeError, match="list"):
        fields((["a"],))


@pytest.mark.django_db
@given(words=st.lists(st.one_of(st.none(), TEXT, st.sampled_from(NASTY))))
def test_arrays_of_texts_arrive(words):
    assert asked("%s::text[]", array(words)) == words
    if None not in words:
        assert short_array(tuple(words)) == array(words)


@pytest.mark.django_db
def test_arrays_of_bytes_and_numbers_arrive():
    assert [each and bytes(each) for each in asked("%s::bytea[]", bytes_array([b"\x00\xff", b"", None]))] == [
        b"\x00\xff",
        b"",
        None,
    ]
    assert asked("%s::bigint[]", ints_array({3})) == [3]
    assert asked("%s::bigint[]", ints_array([])) == []


@given(texts=st.lists(TEXT, min_size=1, max_size=5))
def test_a_line_stays_one_line_with_its_columns(texts):
    written = line(texts)
    assert written.endswith("\n")
    assert written.count("\n") == 1
    assert written.count("\t") == len(texts) - 1
    assert "\r" not in written
