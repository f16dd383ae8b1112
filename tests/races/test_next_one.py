"""Many reviewers ask for the next case at once: each gets another one, and none waits for another."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from approvals.review import actions
from approvals.review.queries import case_of
from approvals.review.waiting import Question, Reader, reach_of
from tests.approvals.review.scene import scene
from tests.factories import FIRST_DAY, acting, at_step, person
from workflows.locking import Result
from workflows.models import WorkItem

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
STEP = "county_review"
AtOnce = Callable[..., list[Any]]


def asked_by(user: Any) -> tuple[Question, Any]:
    by = acting(user)
    prefixes = by.prefixes("review_county")
    reader = Reader(by.key, tuple(by.prefixes("view_case")))
    return Question(STEP, reach_of(prefixes), today=FIRST_DAY, reader=reader), by


def test_eight_reviewers_get_eight_different_cases_in_order(at_once: AtOnce) -> None:
    place = scene()
    cases = [at_step(STEP, school=place.direct).pk for _ in range(10)]
    asking = [asked_by(person("county_reviewer", place.county)) for _ in range(8)]
    results = at_once(*(lambda each=each: actions.next_one(*each) for each in asking))
    assert [result.code for result in results if isinstance(result, Result)] == ["ok"] * 8, results
    assert sorted(case_of(result.task_id) for result in results) == cases[:8]
    assert WorkItem.objects.exclude(holder="").count() == 8


def test_what_somebody_is_locking_is_passed_over_in_larger_and_larger_windows(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "WINDOWS", (1, 2, 4))
    place = scene()
    cases = [at_step(STEP, school=place.direct).pk for _ in range(4)]
    question, by = asked_by(place.county_reviewer)
    with transaction.atomic():
        held = WorkItem.objects.filter(process__in=cases[:3], finished=None).select_for_update(no_key=True)
        assert len(held) == 3
        [result] = at_once(lambda: actions.next_one(question, by))
    assert case_of(result.task_id) == cases[3]
    with transaction.atomic():
        assert len(WorkItem.objects.filter(finished=None).select_for_update(no_key=True)) == 4
        assert at_once(lambda: actions.next_one(question, by)) == [None]
