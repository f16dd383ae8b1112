"""Two people at the same rows: shown with the protection off, gone with it on.

Where a race is shown, both sessions are made to read before either writes, so that it happens every time.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from approvals.organisations.authority import actor_of
from approvals.organisations.models import Post
from tests.cases import HEAD, OFFICER, SCHOOL_PATH, WHY, item_of, items_of, opened, standing, state_of
from tests.factories import ApplicationFactory, head_of, officer_of
from tests.workflows.leave.flows import LeaveFlow
from workflows import decide, decisions, events, locking, moving, ways
from workflows.actors import LiteralActor
from workflows.facts import set_facts
from workflows.guards import guard
from workflows.models import ActingLevel, Case, KeyedDecision, Record, WorkItem

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

AtOnce = Callable[..., list[Any]]


@dataclass(frozen=True, eq=False)
class Meeting(LiteralActor):
    """Somebody whose permission is looked up slowly: between reading a task and deciding it, all wait."""

    others: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))

    def permits(self, permission: str, paths: Any) -> dict[str, str]:
        with suppress(threading.BrokenBarrierError):  # with the lock on, nobody else gets this far
            self.others.wait(timeout=1)
        return super().permits(permission, paths)


def meeting(barrier: threading.Barrier, key: str, *permissions: str) -> Meeting:
    return Meeting(key, key, {permission: [""] for permission in permissions}, barrier)


@pytest.fixture
def unlock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the engine's lock away, and the last look at whether the task is still open."""

    def take_away() -> None:
        monkeypatch.setattr(locking, "_FOR_UPDATE", "")
        monkeypatch.setattr(moving, "_MOVE", moving._MOVE.replace("i.finished IS NULL", "i.flow_task LIKE '%%review'"))

    return take_away


def nothing() -> None:
    """The engine as it is."""


def codes(answers: list[Any]) -> list[str]:
    return [answer[0].code if isinstance(answer, list) else type(answer).__name__ for answer in answers]


# ---------------------------------------------------------------- two people, one task


def two_heads(at_once: AtOnce, first: str, second: str, prepare: Callable[[], None] = nothing) -> tuple[int, list[str]]:
    case = standing("school_review")
    prepare()
    item, barrier = item_of(case), threading.Barrier(2)
    answers = at_once(
        lambda: decide([item], first, meeting(barrier, "one", "review_school"), reason=WHY.get(first)),
        lambda: decide([item], second, meeting(barrier, "two", "review_school"), reason=WHY.get(second)),
    )
    return case, sorted(codes(answers))


def test_without_the_lock_a_task_is_both_approved_and_rejected(at_once: AtOnce, unlock: Callable[[], None]) -> None:
    case, answers = two_heads(at_once, "approve", "reject", unlock)
    assert answers == ["ok", "ok"]
    assert Record.objects.filter(about_id=case, item__isnull=False, act__in=["approve", "reject"]).count() == 2


def test_without_the_lock_two_approvals_are_stopped_by_the_last_constraint_only(
    at_once: AtOnce, unlock: Callable[[], None]
) -> None:
    case, answers = two_heads(at_once, "approve", "approve", unlock)
    assert answers == ["IntegrityError", "ok"]
    assert WorkItem.objects.filter(process_id=case, finished=None).count() == 1


@pytest.mark.parametrize("second", ["approve", "reject", "return"])
def test_two_people_deciding_the_same_task_one_does_and_the_other_is_told(at_once: AtOnce, second: str) -> None:
    case, answers = two_heads(at_once, "approve", second)
    assert answers == ["closed", "ok"]
    assert Record.objects.filter(about_id=case, act__in=["approve", second]).count() == 1
    assert WorkItem.objects.filter(process_id=case, finished=None).count() == (state_of(case) != "rejected")


def test_many_people_deciding_the_same_tasks_decide_each_once(at_once: AtOnce) -> None:
    items = items_of([standing("school_review") for _ in range(6)])
    answers = at_once(
        *(
            lambda n=n: decide(items[n:] + items[:n], "approve", LiteralActor(f"p{n}", "P", {"review_school": [""]}))
            for n in range(4)
        )
    )
    assert sorted(result.task_id for answer in answers for result in answer if result.ok) == sorted(items)
    assert {result.code for answer in answers for result in answer} <= {"ok", "closed"}
    assert Record.objects.filter(act="approve").count() == 6


# ---------------------------------------------------------------- one person, two levels


@pytest.fixture
def two_levels_at_one_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A route set up so that approving and rejecting are acts of different levels."""
    outcomes = LeaveFlow.head_review.outcomes
    monkeypatch.setitem(outcomes, "reject", replace(outcomes["reject"], level="office"))
    ways._way_of.cache_clear()
    yield
    ways._way_of.cache_clear()


def one_person_twice(at_once: AtOnce, prepare: Callable[[], None] = nothing) -> tuple[int, list[str]]:
    asker = LiteralActor("asker", "A", {"ask_leave": [""]})
    [case] = opened(1, LeaveFlow, asker, steps=())
    decide([item_of(case)], "submit", asker)
    prepare()
    item, barrier = item_of(case), threading.Barrier(2)
    answers = at_once(
        lambda: decide([item], "approve", meeting(barrier, "same", "grant_leave")),
        lambda: decide([item], "reject", meeting(barrier, "same", "grant_leave"), reason=WHY["reject"]),
    )
    return case, sorted(codes(answers))


def test_without_the_row_one_person_acts_at_two_levels_at_once(
    at_once: AtOnce, unlock: Callable[[], None], two_levels_at_one_step: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_SEPARATED", moving._UNSEPARATED)
    _, answers = one_person_twice(at_once, unlock)
    assert answers == ["ok", "ok"]


def test_with_the_row_the_database_lets_one_level_through_even_without_the_lock(
    at_once: AtOnce, unlock: Callable[[], None], two_levels_at_one_step: None
) -> None:
    case, answers = one_person_twice(at_once, unlock)
    assert answers == ["ok", "other_level"]
    assert ActingLevel.objects.filter(case=case, person="same").count() == 1


def test_with_the_lock_the_second_finds_the_task_closed(at_once: AtOnce, two_levels_at_one_step: None) -> None:
    _, answers = one_person_twice(at_once)
    assert answers == ["closed", "ok"]


# ---------------------------------------------------------------- many tasks, in opposite order


def overlapping(at_once: AtOnce, count: int) -> list[str]:
    items, barrier = items_of(opened(count)), threading.Barrier(2)

    def submit(order: list[int]) -> Any:
        barrier.wait()
        return decide(order, "submit", LiteralActor("officer", "O", {"submit_application": [""]}))

    answers = at_once(lambda: submit(items), lambda: submit(items[::-1]))
    return sorted(result.code for answer in answers for result in answer)


def test_locked_in_opposite_order_two_bulk_decisions_stand_in_each_other_s_way(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked in the order in which they were asked for, half of them before the other half."""
    in_order, halfway = decisions.lock, threading.Barrier(2)

    def in_the_order_asked(items: list[int], by: Any, patient: bool, **also: bool) -> Any:
        if patient:
            in_order(items[: len(items) // 2], by, patient, **also)
            halfway.wait(5)
        return in_order(items, by, patient, **also)

    monkeypatch.setattr(decisions, "lock", in_the_order_asked)
    found = overlapping(at_once, 20)
    assert found.count("ok") < 40
    assert "busy" in found, "the deadlock cost one of them tasks, though not an exception"


def test_locked_in_one_order_each_task_is_decided_once_and_nobody_waits_in_vain(at_once: AtOnce) -> None:
    assert overlapping(at_once, 1500) == ["closed"] * 1500 + ["ok"] * 1500


def test_facts_and_decisions_lock_in_the_same_order(at_once: AtOnce) -> None:
    cases = opened(1500)
    items, barrier = items_of(cases), threading.Barrier(2)

    def submit() -> Any:
        barrier.wait()
        return decide(items, "submit", OFFICER)

    def match() -> Any:
        barrier.wait()
        return set_facts(cases[::-1], open_hits=1)

    answers = at_once(submit, match)
    assert {result.code for result in answers[0]} == {"ok"}
    assert answers[1] == 1500


# ---------------------------------------------------------------- the same request twice at once


def test_without_a_key_the_second_of_two_equal_requests_is_refused(at_once: AtOnce) -> None:
    [item] = items_of(opened())
    barrier = threading.Barrier(2)
    answers = at_once(*[lambda: decide([item], "submit", meeting(barrier, "same", "submit_application"))] * 2)
    assert sorted(codes(answers)) == ["closed", "ok"]


def test_with_one_key_both_get_the_first_results(at_once: AtOnce) -> None:
    items = items_of([*opened(3), *opened(1, missing=["account"])])
    barrier = threading.Barrier(2)

    def send() -> Any:
        return decide(items, "submit", meeting(barrier, "same", "submit_application"), key="form")

    one, other = at_once(send, send)
    assert one == other
    assert [result.code for result in one] == ["ok", "ok", "ok", "incomplete"]
    assert KeyedDecision.objects.count() == 1
    assert Record.objects.filter(act="submit").count() == 3


def test_a_request_whose_first_attempt_fell_is_decided_by_the_second(at_once: AtOnce) -> None:
    [item] = items_of(opened())
    failed = threading.Event()

    @events.on_move("aid", step="draft")
    def falls_once(move: events.Move) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("killed")

    def send() -> Any:
        return decide([item], "submit", OFFICER, key="form")

    answers = at_once(send, send)
    assert sorted(codes(answers)) == ["RuntimeError", "ok"]
    assert Record.objects.filter(act="submit").count() == 1


# ---------------------------------------------------------------- busy


@contextmanager
def held(table: str, key: int) -> Iterator[None]:
    """A row that another session keeps locked meanwhile."""
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [key])
                locked.set()
                done.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(5)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.fixture
def impatient() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    yield
    connection.close()


@pytest.mark.parametrize("table", ["workflows_case", "workflows_workitem"])
def test_what_somebody_else_holds_is_busy_and_the_rest_moves(impatient: None, table: str) -> None:
    cases = opened(3)
    items = items_of(cases)
    with held(table, cases[1] if table == "workflows_case" else items[1]):
        results = decide([*items, 987_654_321], "submit", OFFICER)
    assert [result.code for result in results] == ["ok", "busy", "ok", "not_found"]
    assert results[1].message == "其他人正在办理，请稍后再试。"
    assert [result.code for result in decide(items, "submit", OFFICER)] == ["closed", "ok", "closed"]


def test_what_was_busy_is_done_by_the_same_request_sent_again(impatient: None) -> None:
    cases = opened(2)
    items = items_of(cases)
    with held("workflows_case", cases[0]):
        assert [result.code for result in decide(items, "submit", OFFICER, key="k")] == ["busy", "ok"]
    assert [result.code for result in decide(items, "submit", OFFICER, key="k")] == ["ok", "ok"]


def test_a_lock_that_a_guard_waits_for_in_vain_makes_the_chunk_busy(impatient: None) -> None:
    @guard("aid", "draft", "submit")
    def waits(case_ids: list[int], by: Any) -> dict[int, Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM workflows_case WHERE id = %s FOR UPDATE", [other])
        return {}

    mine, other = opened(2)
    with held("workflows_case", other):
        assert [result.code for result in decide([item_of(mine)], "submit", OFFICER)] == ["busy"]
    assert state_of(mine) == "draft"


def test_busy_inside_a_caller_s_transaction_leaves_it_usable(impatient: None) -> None:
    mine, other = opened(2)
    with transaction.atomic():
        with held("workflows_case", other):
            assert decide([item_of(other)], "submit", OFFICER)[0].code == "busy"
        assert decide([item_of(mine)], "submit", OFFICER)[0].ok
    assert (state_of(mine), state_of(other)) == ("school_review", "draft")


def test_other_database_errors_are_raised_and_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    [case] = opened()

    @events.on_move("aid")
    def breaks(move: events.Move) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError):
        decide([item_of(case)], "submit", OFFICER)
    connection.close()
    assert state_of(case) == "draft"
    assert not Record.objects.filter(act="submit").exists()


# ---------------------------------------------------------------- a post that is revoked meanwhile


def test_a_post_revoked_after_the_page_was_opened_decides_nothing() -> None:
    application = ApplicationFactory()
    officer, head = officer_of(application.school), head_of(application.school)
    assert decide([item_of(application.case_id)], "submit", actor_of(officer))[0].ok
    item = item_of(application.case_id)  # the head opens the page …
    Post.objects.filter(user=head).update(revoked_at=timezone.now())  # … and loses the post
    assert decide([item], "approve", actor_of(head))[0].code == "not_permitted"


def test_the_unique_row_is_the_database_s_own() -> None:
    [case] = opened()
    with pytest.raises(IntegrityError), transaction.atomic():
        ActingLevel.objects.create(case_id=case, person="officer", level="school")
    assert Case.objects.filter(path=SCHOOL_PATH).exists()
    assert HEAD.key != OFFICER.key
