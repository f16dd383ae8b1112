"""Words and numbers as pages show them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from approvals.organisations.authority import Office
from project.templatetags import zhuxue
from workflows.flows.aid import AidFlow
from workflows.nodes import Step


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1150"), "1,150.00"),
        (Decimal("312.50"), "312.50"),
        ("1234567.8", "1,234,567.80"),
        (0, "0.00"),
        (None, "—"),
        ("", "—"),
        (Decimal("-625"), "-625.00"),
    ],
)
def test_money_has_two_places_and_separators(value: object, shown: str) -> None:
    assert zhuxue.money(value) == shown


def test_dates_are_written_as_the_language_does() -> None:
    assert zhuxue.cn_date(date(2026, 9, 7), "weekday") == "2026年9月7日 星期一"
    with translation.override("en"):
        assert zhuxue.cn_date(date(2026, 9, 7), "weekday") == "Monday, 7 September 2026"


def test_an_instant_is_shown_in_china() -> None:
    assert zhuxue.cn_date(datetime(2026, 9, 7, 17, 30, tzinfo=UTC), "time") == "2026年9月8日 01:30"


def test_a_missing_date_shows_nothing() -> None:
    assert zhuxue.cn_date(None) == ""


def test_terms_have_names_and_what_is_none_is_left() -> None:
    assert zhuxue.term_name("2026-2027-1") == "2026年秋季学期"
    assert zhuxue.term_name("nonsense") == "nonsense"


def test_a_post_is_told_as_office_and_role() -> None:
    with translation.override("en"):
        assert zhuxue.post_name("aid_officer@鸡泽县第一中学") == "鸡泽县第一中学 · School aid officer"
        assert zhuxue.post_name(Office("0001", "鸡泽镇", "township_reviewer", 1)) == "鸡泽镇 · Township reviewer"
        assert zhuxue.post_name("system") == "System"
        assert zhuxue.post_name("") == ""


def test_every_step_of_the_route_has_a_name_and_every_outcome_too() -> None:
    steps = [node for node in AidFlow.instance.nodes() if isinstance(node, Step)]
    assert [node.name for node in steps if node.name not in zhuxue.STEPS] == []
    outcomes = {name for node in steps for name in node.outcomes}
    assert [name for name in outcomes if zhuxue.outcome_name(name) == name] == []


def test_personal_numbers_are_masked_and_missing_ones_are_nothing() -> None:
    masks = zhuxue.register.filters
    assert masks["mask_id"]("130499201603050010") == "1304**********0010"
    assert masks["mask_account"]("6219990000000000010") == "***0010"
    assert masks["mask_phone"](None) == ""
    assert masks["mask_name"]("王小禾") == "王**"
