"""The engine's small doors: opening, facts, conditions, machines, background work, reading."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tests.cases import OFFICER, act, item_of, opened, standing, step_of
from workflows import CaseSpec, background, open_cases
from workflows.actors import SYSTEM, LiteralActor
from workflows.conditions import Condition, failing
from workflows.facts import add_noticed, drop_noticed, set_facts, set_missing
from workflows.flows.aid import EVERY_NOTICE_CONCLUDED, NO_OPEN_HIT, NOTHING_MISSING, AidCase, AidFlow
from workflows.machines import transition_all
from workflows.models import ActingLevel, Case, Record, WorkItem
from workflows.queries import open_item_of, open_items, queue_of

pytestmark = pytest.mark.django_db


# ---------------------------------------------------------------- opening


def test_opened_cases_come_back_in_the_order_of_their_specs() -> None:
    specs = [
        CaseSpec(f"0001{n:04d}", "living_subsidy", 3, "2026-2027-1", ["data_check"], {"recheck": n}) for n in range(40)
    ]
    with transaction.atomic():
        ids = open_cases(AidFlow, specs, OFFICER, post="aid_officer@示例小学", act="import")
    assert [(case.path, case.limits) for case in Case.objects.filter(pk__in=ids).order_by("pk")] == [
        (spec.path, spec.limits) for spec in specs
    ]
    case = Case.objects.get(pk=ids[0])
    assert (case.kind, case.state, case.programme, case.programme_version) == ("aid", "draft", "living_subsidy", 3)
    assert (case.term, case.steps, case.missing, case.round) == ("2026-2027-1", ["data_check"], [], 1)
    line = Record.objects.get(about_id=ids[0])
    assert (line.act, line.post, line.step, line.state_to) == ("import", "aid_officer@示例小学", "draft", "draft")


def test_words_of_any_kind_survive_the_opening() -> None:
    odd = ['a"b', "c\\d", "e,f", "{g}", "名", " h "]
    [case] = opened(steps=odd, missing=odd, limits={'a"b': 3})
    found = Case.objects.get(pk=case)
    assert (found.steps, found.missing, found.noticed, found.limits) == (odd, odd, [], {'a"b': 3})


def test_opening_nothing_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert open_cases(AidFlow, [], OFFICER) == []


def test_whoever_prepares_has_acted_and_the_system_has_not() -> None:
    mine, its = opened()[0], opened(by=SYSTEM)[0]
    assert ActingLevel.objects.get(case=mine).level == "submit"
    assert not ActingLevel.objects.filter(case=its).exists()


# ---------------------------------------------------------------- facts


def test_only_facts_may_be_set() -> None:
    [case] = opened()
    for name in ("state", "path", "round", "status", "noticed"):
        with pytest.raises(ValueError, match=name):
            set_facts([case], **{name: "x"})


def test_facts_are_set_for_many_at_once() -> None:
    cases = opened(5)
    assert set_facts(cases, open_hits=2, resume="county_review") == 5
    set_missing({cases[0]: ["account"], cases[1]: ["account"], cases[2]: []})
    assert [case.missing for case in Case.objects.filter(pk__in=cases).order_by("pk")] == [
        ["account"],
        ["account"],
        [],
        [],
        [],
    ]


def test_a_notice_is_noted_once_and_can_be_forgotten() -> None:
    [case] = opened()
    assert add_noticed([case], "school_notice") == 1
    assert add_noticed([case], "school_notice") == 0
    add_noticed([case], "county_notice")
    assert Case.objects.get(pk=case).noticed == ["school_notice", "county_notice"]
    drop_noticed([case], "school_notice", "county_notice")
    assert Case.objects.get(pk=case).noticed == []


# ---------------------------------------------------------------- conditions


def test_a_condition_says_the_same_of_one_case_and_of_many() -> None:
    good, poor = opened()[0], opened(missing=["account"])[0]
    assert failing([NOTHING_MISSING], Case, [good, poor]) == {poor: NOTHING_MISSING}
    assert [NOTHING_MISSING(AidCase.objects.get(pk=case)) for case in (good, poor)] == [True, False]


def null_cases() -> list[Any]:
    """Filters that come out NULL where `due_on` or `owner` is."""
    return [
        Q(due_on__gt="2026-01-01"),
        ~Q(due_on__gt="2026-01-01"),
        Q(due_on=None),
        ~Q(due_on=None),
        Q(owner=7) | Q(due_on__lt="2026-01-01"),
        ~(Q(owner=7) & Q(due_on__lt="2026-01-01")),
        Q(owner__in=[1, 2]),
        ~Q(owner__in=[1, 2]),
        Q(outcome="submit", owner__gt=1),
    ]


@pytest.mark.parametrize("number", range(len(null_cases())))
def test_null_passes_neither_one_row_nor_many(number: int) -> None:
    """`Q.check` would let NULL pass where SQL refuses; a condition is SQL for one row as for ten thousand."""
    condition = Condition("x", _("Other"), lambda: null_cases()[number])
    empty, filled = items = [item_of(case) for case in opened(2)]
    WorkItem.objects.filter(pk=filled).update(due_on="2026-06-01", owner=7, outcome="submit")
    failed = failing([condition], WorkItem, items)
    assert {item: condition(WorkItem.objects.get(pk=item)) for item in items} == {
        item: item not in failed for item in items
    }
    rows = set(WorkItem.objects.filter(null_cases()[number], pk__in=items).values_list("pk", flat=True))
    assert rows == set(items) - failed.keys()
    assert empty in failed or number in (1, 2, 5, 7), "what is not known does not hold, unless it is asked for"


def test_conditions_that_all_hold_cost_one_statement(django_assert_num_queries: Any) -> None:
    cases = opened(3)
    with django_assert_num_queries(1):
        assert failing([NOTHING_MISSING, NO_OPEN_HIT], Case, cases) == {}


def test_the_first_condition_that_fails_is_the_one_told() -> None:
    both, hit, fine = opened(3)
    set_facts([both], missing=["x"], open_hits=1)
    set_facts([hit], open_hits=1)
    assert failing([NOTHING_MISSING, NO_OPEN_HIT], Case, [both, hit, fine]) == {both: NOTHING_MISSING, hit: NO_OPEN_HIT}


@pytest.mark.parametrize(
    ("steps", "noticed", "holds"),
    [
        (["school_notice", "county_notice"], [], False),
        (["school_notice", "county_notice"], ["school_notice"], False),
        (["school_notice", "county_notice"], ["school_notice", "county_notice"], True),
        (["school_notice"], ["school_notice"], True),
        (["school_notice"], ["county_notice"], False),
        ([], [], True),
    ],
)
def test_nothing_is_payable_unless_its_notices_concluded(steps: list[str], noticed: list[str], holds: bool) -> None:
    [case] = opened(steps=steps)
    for step in noticed:
        add_noticed([case], step)
    assert EVERY_NOTICE_CONCLUDED(AidCase.objects.get(pk=case)) is holds


# ---------------------------------------------------------------- moving other machines


def test_a_row_is_not_moved_twice_by_one_act() -> None:
    with pytest.raises(ValueError, match="approve"):
        transition_all(AidCase.objects.all(), "approve")


def test_only_rows_that_may_go_do() -> None:
    ready, poor, reviewed = opened()[0], opened(missing=["x"])[0], standing("school_review")
    assert transition_all(AidCase.objects.filter(pk__in=[ready, poor, reviewed]), "submit") == 1
    assert [AidCase.objects.get(pk=case).state for case in (ready, poor, reviewed)] == [
        "submitted",
        "draft",
        "school_review",
    ]


# ---------------------------------------------------------------- background work


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers due work in a registry of the test's own."""
    monkeypatch.setattr(background, "_registry", {})

    def register(name: str, left: list[int], queue: str = "default") -> None:
        background.due(name, queue)(lambda: left.pop() if left else 0)

    return register


def test_due_work_is_done_until_nothing_is_left(works: Any) -> None:
    one, two = [1, 2, 3], [5]
    works("one", one)
    works("two", two)
    assert background.run_due() == 11
    assert (one, two) == ([], [])


def test_each_queue_does_its_own(works: Any) -> None:
    short, long = [1], [1]
    works("short", short)
    works("long", long, "long")
    assert background.run_due("long") == 1
    assert (short, long) == ([1], [])


def test_one_kind_s_failure_leaves_the_others_alone(works: Any) -> None:
    left = [1, 1]
    background.due("broken")(lambda: 1 // 0)
    works("fine", left)
    assert background.run_due() == 2


def test_work_that_never_ends_is_bounded(works: Any) -> None:
    background.due("endless")(lambda: 1)
    assert background.run_due(rounds=7) == 7


# ---------------------------------------------------------------- reading


def test_open_tasks_are_found_by_step_and_case() -> None:
    one, two = standing("school_review"), standing("school_review")
    [draft] = opened()
    assert open_items("aid", "school_review") == {one: item_of(one), two: item_of(two)}
    assert open_items("aid", "school_review", [two, draft]) == {two: item_of(two)}
    assert open_item_of(draft).pk == item_of(draft)  # type: ignore[union-attr]
    assert queue_of("aid", "draft") == "aid.draft"


def test_an_ended_case_has_no_open_task() -> None:
    [case] = opened()
    act(case, "withdraw", OFFICER, reason=None)
    assert open_item_of(case) is None
    assert step_of(case) == ""


def test_the_system_and_a_literal_answer_as_actors() -> None:
    assert SYSTEM.permits("system", ["a"]) == {"a": "system"}
    assert SYSTEM.permits("review_school", ["a"]) == {}
    assert str(SYSTEM) == "系统"
    actor = LiteralActor("k", "n", {"p": ["00"]})
    assert actor.permits("p", ["0001", "11"]) == {"0001": "literal"}
    assert actor.permits("q", ["0001"]) == {}
