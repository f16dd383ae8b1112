"""Quota and average of a grant, at the school's decision."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from approvals.applications import quotas
from approvals.applications.models import Application
from approvals.applications.quotas import Candidate, Room, fit
from approvals.organisations.models import Organisation
from approvals.programmes.models import ProgrammeVersion, Quota
from tests.factories import CountySchoolFactory, VersionFactory, at_step, set_training_date, stand_in, walk_to
from workflows import Reason, decide
from workflows.models import Case
from workflows.queries import open_item_of

TIERS = {"tier_1": "1500.00", "tier_2": "1150.00", "tier_3": "750.00"}
AVERAGE = Decimal("1150.00")
amounts = st.lists(st.sampled_from([Decimal(amount) for amount in TIERS.values()]), max_size=12)


# ---------------------------------------------------------------- the arithmetic


@given(amounts, st.integers(0, 8), amounts)
def test_whatever_is_approved_keeps_headcount_budget_and_average(
    asked: list[Decimal], headcount: int, before: list[Decimal]
) -> None:
    room = Room(headcount, AVERAGE, len(before), sum(before, Decimal(0)))
    refused = fit(room, [Candidate(number, amount) for number, amount in enumerate(asked)])
    accepted = [amount for number, amount in enumerate(asked) if number not in refused]
    count, total = len(before) + len(accepted), sum(before + accepted, Decimal(0))
    assert (room.count, room.total) == (count, total)
    if accepted:
        assert count <= headcount
        assert total <= headcount * AVERAGE
        assert total >= count * AVERAGE


@given(amounts, st.integers(0, 8))
def test_whoever_is_refused_really_does_not_fit(asked: list[Decimal], headcount: int) -> None:
    room = Room(headcount, AVERAGE, 0, Decimal(0))
    for code, then, amount in fit(room, [Candidate(n, amount) for n, amount in enumerate(asked)]).values():
        assert {
            "over_quota": then.count >= headcount,
            "over_budget": then.total + amount > headcount * AVERAGE,
            "average_below": then.total + amount < AVERAGE * (then.count + 1),
        }[code]


# ---------------------------------------------------------------- at the school's decision


def grant() -> ProgrammeVersion:
    rates = [
        {"first_term": "2025-2026-1", "tier": tier, "amount": amount, "source": "本县分档示例"}
        for tier, amount in TIERS.items()
    ]
    return VersionFactory(
        changes={
            "code": "senior_state_grant", "group": "state_grant", "stages": ["senior"],
            "tiers": [{"code": tier, "name": tier, "name_en": tier} for tier in TIERS], "rates": rates,
            "needs": ["account", "amount", "tier"], "quota": {"share": "0.20", "average": "1150.00"},
        }
    )  # fmt: skip


def reviewed(school: Organisation, *tiers: str) -> list[Application]:
    version = grant()
    rates = {rate.tier: rate for rate in version.rates.all()}
    return [at_step("school_review", school=school, version=version, tier=tier, rate=rates[tier]) for tier in tiers]


def quota(school: Organisation, headcount: int) -> None:
    grant()
    Quota.objects.update_or_create(
        programme_id="senior_state_grant", school=school, school_year="2026-2027", defaults={"headcount": headcount}
    )


def approve(applications: list[Application]) -> list[str]:
    items = [open_item_of(each.case_id).pk for each in applications]
    return [result.code for result in decide(items, "approve", stand_in("review_school"))]


@pytest.fixture
def school(db: None) -> Organisation:
    set_training_date()
    return CountySchoolFactory()


def test_without_a_headcount_from_the_county_nothing_is_approved(school: Organisation) -> None:
    applications = reviewed(school, "tier_2")
    assert approve(applications) == ["quota_missing"]
    [result] = decide([open_item_of(applications[0].case_id).pk], "approve", stand_in("review_school"))
    assert school.name in result.message
    assert "2026-2027" in result.message


def test_the_best_paid_come_first_and_the_sentence_names_the_numbers(school: Organisation) -> None:
    quota(school, 2)
    applications = reviewed(school, "tier_3", "tier_2", "tier_1")
    items = [open_item_of(each.case_id).pk for each in applications]
    results = decide(items, "approve", stand_in("review_school"))
    assert [result.code for result in results] == ["average_below", "over_budget", "ok"]
    assert "2,300.00" in results[1].message
    assert "1,150.00" in results[0].message


def test_a_low_tier_passes_beside_a_high_one(school: Organisation) -> None:
    quota(school, 5)
    applications = reviewed(school, "tier_1", "tier_2", "tier_3")
    assert approve(applications[2:]) == ["average_below"]
    assert approve(applications[:2]) == ["ok", "ok"]
    assert approve(applications[2:]) == ["average_below"]
    again = reviewed(school, "tier_1")
    assert approve(again) == ["ok"]
    assert approve(applications[2:]) == ["ok"]


def test_rejecting_needs_no_quota(school: Organisation) -> None:
    [application] = reviewed(school, "tier_2")
    [result] = decide(
        [open_item_of(application.case_id).pk], "reject", stand_in("review_school"),
        Reason("over_quota", "本校名额已满,按困难程度排序靠后"),
    )  # fmt: skip
    assert result.ok


def test_one_that_the_county_returned_keeps_its_place(school: Organisation) -> None:
    quota(school, 1)
    first, second = reviewed(school, "tier_2", "tier_2")
    walk_to("county_review", first)
    decide(
        [open_item_of(first.case_id).pk], "return", stand_in("review_county"),
        Reason("account_invalid", "银行账号与社保卡不一致,请核对"),
    )  # fmt: skip
    assert Case.objects.get(pk=first.case_id).state == "returned"
    assert approve([second]) == ["over_quota"]


def test_another_school_and_a_programme_without_quota_are_left_alone(school: Organisation) -> None:
    quota(school, 1)
    other = CountySchoolFactory()
    quota(other, 1)
    assert approve(reviewed(school, "tier_2")) == ["ok"]
    assert approve(reviewed(other, "tier_2")) == ["ok"]
    assert approve([at_step("school_review", school=school)]) == ["ok"]


def test_the_number_of_statements_does_not_grow_with_the_applications(
    school: Organisation, django_assert_max_num_queries: Any
) -> None:
    quota(school, 20)
    applications = reviewed(school, *["tier_2"] * 15)
    items = [open_item_of(each.case_id).pk for each in applications]
    with django_assert_max_num_queries(16):
        assert all(result.ok for result in decide(items, "approve", stand_in("review_school")))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [False, True], ids=["without the lock", "with the lock"])
def test_two_heads_approving_at_once_cannot_both_take_the_last_place(
    locked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_training_date()
    school = CountySchoolFactory()
    quota(school, 1)
    applications = reviewed(school, "tier_2", "tier_2")
    items = [open_item_of(each.case_id).pk for each in applications]
    counted = threading.Barrier(2)
    count = quotas._taken
    if not locked:
        monkeypatch.setattr(quotas, "_lock", lambda places: None)

        def both_count_before_either_writes(place: Any) -> Any:
            found = count(place)
            counted.wait(timeout=10)
            return found

        monkeypatch.setattr(quotas, "_taken", both_count_before_either_writes)
    codes: list[str] = []

    def head(item: int) -> None:
        try:
            codes.extend(result.code for result in decide([item], "approve", stand_in("review_school")))
        finally:
            connection.close()

    threads = [threading.Thread(target=head, args=[item]) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == (["ok", "over_quota"] if locked else ["ok", "ok"])
