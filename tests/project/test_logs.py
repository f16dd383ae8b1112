"""Logs carry no personal numbers, wherever in an event they stand."""

import json
import logging

import pytest
import structlog

from project.logs import without_secrets


@pytest.mark.parametrize(
    "number",
    [
        "130499201203041234", "13049920120304123X", "G130499201203041234", "13800138000", "6228480402564890018",
        "50123456789012345678", "50123456789012345678901234567890",
    ],
)  # fmt: skip
def test_a_personal_number_is_blanked_at_any_depth(number: str) -> None:
    event = {"a": f"key ({number}) exists", "b": [{"c": number}], "d": f"ID{number}", "e": f"tel-{number}", number: 1}
    assert number not in json.dumps(without_secrets(event))


def test_a_number_that_is_no_text_is_blanked_too() -> None:
    assert without_secrets({"account": 6228480402564890018, "ms": 12}) == {"account": "***0018", "ms": 12}


def test_what_was_searched_for_is_dropped_from_a_line_that_quotes_a_request() -> None:
    line = '"GET /awards/?name=%E5%BC%A0%E4%B8%89&after=3 HTTP/1.1" 200 12'
    assert without_secrets(line) == '"GET /awards/ HTTP/1.1" 200 12'


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-09-07", "42", "312.50", "b3f0c1d2e4a59687123456789012345678901234",
        "1234567a-1234-4abc-8123-123456789012", "12345678901234567890abcdef123456",
    ],
)  # fmt: skip
def test_dates_counts_amounts_and_request_ids_stay(harmless: str) -> None:
    assert without_secrets(harmless) == harmless


def test_an_exception_is_logged_as_one_json_line_without_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    from django.conf import settings

    formatter = structlog.stdlib.ProcessorFormatter(
        **{key: value for key, value in settings.LOGGING["formatters"]["json"].items() if key != "()"}
    )
    try:
        raise ValueError("duplicate key (account)=(6228480402564890018)")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), (type(error), error, error.__traceback__))
    line = formatter.format(record)
    assert json.loads(line)["event"] == "failed"
    assert "ValueError" in line
    assert "6228480402564890018" not in line
