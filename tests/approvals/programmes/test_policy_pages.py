"""The policy pages: open to everybody, in both languages, with every figure's source."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from approvals.organisations.actions import load_organisations
from approvals.programmes.actions import load_programmes
from approvals.programmes.models import Programme
from tests.factories import set_training_date

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def loaded() -> None:
    set_training_date()
    load_organisations()
    load_programmes()


def page(name: str, *arguments: str, language: str = "zh-hans") -> str:
    client = Client()
    client.cookies["django_language"] = language
    answer = client.get(reverse(name, args=arguments))
    assert answer.status_code == 200
    return answer.content.decode()


def test_everybody_may_read_what_can_be_applied_for() -> None:
    text = page("programmes:list")
    for programme in Programme.objects.all():
        assert programme.name in text
    assert text.count("开放申请") == 6
    assert "312.50" in text
    assert "2026年9月30日" in text


def test_a_programme_shows_rates_with_sources_windows_rules_and_notices() -> None:
    text = page("programmes:detail", "living_subsidy_day")
    for part in ("312.50", "250.00", "2024年春季学期", "据转载", "2026年9月1日", "不在校寄宿。", "不少于5个工作日",
                 "序号、学校、年级、班级、姓名、资助项目", "姓名作部分隐去", "不要求提供盖章的贫困证明"):  # fmt: skip
        assert part in text


def test_the_waiver_names_its_two_schools_and_that_nobody_is_paid() -> None:
    text = page("programmes:detail", "tuition_waiver_registered")
    assert "鸡泽县第一中学、鸡泽县职教中心" in text
    assert "不发给个人" in text


def test_the_pages_are_complete_in_english() -> None:
    assert "Senior secondary state grant" in page("programmes:list", language="en")
    text = page("programmes:detail", "senior_state_grant", language="en")
    for part in ("Tier 2", "1,150.00", "The pupil attends senior secondary school.", "at least 5 working days"):
        assert part in text


def test_a_closed_programme_says_so() -> None:
    from datetime import date

    set_training_date(date(2026, 11, 2))
    assert "当前未开放申请" in page("programmes:detail", "senior_state_grant")


def test_an_unknown_programme_is_not_found() -> None:
    assert Client().get(reverse("programmes:detail", args=["no_such"])).status_code == 404


@pytest.mark.parametrize(("name", "arguments"), [("programmes:list", []), ("programmes:detail", ["voc_state_grant"])])
def test_a_page_takes_few_statements(
    name: str, arguments: list[str], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = Client()
    client.get(reverse(name, args=arguments))
    with django_assert_max_num_queries(6):
        client.get(reverse(name, args=arguments))
