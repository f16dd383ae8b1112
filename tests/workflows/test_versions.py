"""A second version of the aid route beside the first: cases end on the one they started on, queues hold both."""

from typing import Any

import pytest

from tests.cases import COUNTY, HEAD, OFFICER, SCHOOL_PATH, STEPS, act, opened, standing, state_of, step_of
from workflows.actors import LiteralActor
from workflows.flows.aid import AidFlow
from workflows.flows.aid_2027 import AidFlow2027
from workflows.queries import open_items
from workflows.versions import earlier_steps, route_named, steps_of, versions_of
from workflows.versions import step_of as step_in

pytestmark = pytest.mark.django_db

TEACHER = LiteralActor("teacher", "赵老师", {"review_class": [SCHOOL_PATH]})
NEW = ("class_review", *STEPS)


def new(**spec: Any) -> int:
    [case] = opened(1, flow=AidFlow2027, steps=NEW, **spec)
    assert act(case, "submit", OFFICER).ok
    return case


def test_the_class_reviews_first_on_the_new_route_only() -> None:
    old, case = standing("school_review"), new()
    assert (step_of(case), state_of(case)) == ("class_review", "class_review")
    assert act(case, "approve", HEAD).code == "not_permitted"
    assert act(case, "approve", TEACHER).ok
    assert step_of(case) == step_of(old) == "school_review"
    assert set(open_items("aid", "school_review")) == {old, case}, "one queue holds both versions"
    assert all(act(each, "approve", HEAD).ok for each in (old, case))


def test_a_programme_without_class_review_passes_it_over_with_a_line() -> None:
    [case] = opened(1, flow=AidFlow2027)
    act(case, "submit", OFFICER)
    assert step_of(case) == "school_review"


def test_who_judged_for_the_class_judges_at_no_other_level() -> None:
    case = new()
    both = LiteralActor("teacher", "赵老师", {"review_class": [""], "review_school": [""]})
    act(case, "approve", both)
    assert act(case, "approve", both).code == "other_level"


def test_all_again_begins_with_the_class() -> None:
    case = new(returns="all")
    act(case, "approve", TEACHER)
    act(case, "return", HEAD)
    act(case, "resubmit", OFFICER)
    assert step_of(case) == "class_review"


def test_a_school_may_send_back_to_the_class_which_sends_straight_back() -> None:
    case = new()
    act(case, "approve", TEACHER)
    assert act(case, "return", HEAD, data={"to": "class_review"}).ok
    assert step_of(case) == "class_review"
    assert act(case, "approve", TEACHER).ok
    assert step_of(case) == "school_review"


def test_versions_are_found_by_kind_and_year() -> None:
    assert versions_of("aid") == [AidFlow, AidFlow2027]
    assert (route_named("aid"), route_named("aid_2027")) == (AidFlow, AidFlow2027)
    assert step_in("aid", "class_review").flow_class is AidFlow2027
    assert steps_of("aid")[:4] == ("draft", "acceptance", "class_review", "school_review") or "correction" in steps_of(
        "aid"
    )
    assert earlier_steps("aid", "county_review") == ("class_review", "school_review", "township_review")
    with pytest.raises(LookupError):
        route_named("aid_1999")
    with pytest.raises(LookupError):
        step_in("aid", "nowhere")
    assert COUNTY.key == "county"
