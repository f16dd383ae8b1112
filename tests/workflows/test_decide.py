"""The one door: what it moves, what it refuses, in which order, and what it never does."""

import json
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests import cases
from tests.cases import (
    COUNTY,
    COUNTY_PATH,
    HEAD,
    OFFICER,
    SCHOOL_PATH,
    TOWNSHIP,
    WHY,
    act,
    item_of,
    items_of,
    opened,
    stand,
    standing,
    state_of,
    step_of,
)
from tests.workflows.leave.flows import LeaveFlow
from workflows import Reason, clock, decide, decisions, events, locking, working_days
from workflows.actors import SYSTEM, LiteralActor
from workflows.facts import set_facts
from workflows.flows.aid import REVIEWERS
from workflows.guards import Refusal, guard
from workflows.models import ActingLevel, Case, KeyedDecision, Record, TrainingClock, WorkItem
from workflows.reasons import MAX_LENGTH
from workflows.ways import Stand

pytestmark = pytest.mark.django_db


def codes(results: list[Any]) -> list[str]:
    return [result.code for result in results]


# ---------------------------------------------------------------- moving


def test_a_draft_is_submitted_accepted_and_waits_for_the_head() -> None:
    [case] = opened()
    result = act(case, "submit", OFFICER)
    assert (result.ok, result.code, result.message) == (True, "ok", "已办理。")
    assert (state_of(case), step_of(case)) == ("school_review", "school_review")
    done, waiting = WorkItem.objects.filter(process_id=case).order_by("id")
    assert (done.status, done.outcome, done.decided_by) == ("DONE", "submit", "officer")
    assert done.finished is not None
    assert (waiting.status, waiting.finished, waiting.outcome) == ("NEW", None, "")
    assert list(waiting.previous.all()) == [done]
    assert list(done.leading.all()) == [waiting]


def test_many_move_at_once_and_are_answered_in_the_order_asked() -> None:
    items = items_of(opened(7))
    asked = [*reversed(items), 987_654_321]
    results = decide(asked, "submit", OFFICER)
    assert [result.task_id for result in results] == asked
    assert codes(results) == ["ok"] * 7 + ["not_found"]


def test_a_task_given_twice_is_one_task() -> None:
    [item] = items_of(opened())
    assert codes(decide([item, item], "submit", OFFICER)) == ["ok"]


def test_nothing_asked_is_nothing_done() -> None:
    with CaptureQueriesContext(connection) as statements:
        assert decide([], "submit", OFFICER) == []
        assert decide(iter(()), "submit", OFFICER, key="k") == []
    assert len(statements) == 0


def test_tasks_of_several_routes_and_steps_go_in_one_call() -> None:
    everywhere = LiteralActor("x", "X", {"submit_application": [""], "ask_leave": [""]})
    draft, back, leave = opened()[0], standing("school_review"), opened(flow=LeaveFlow, steps=())[0]
    act(back, "return", HEAD)
    set_facts([back], missing=["account"])
    results = decide(items_of([draft, back, leave]), "submit", everywhere)
    assert codes(results) == ["ok", "no_such_outcome", "ok"]
    assert (step_of(draft), step_of(leave)) == ("school_review", "head_review")


def test_each_chunk_is_a_transaction_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "CHUNK", 2)
    items = items_of(opened(5))
    told: list[int] = []
    events.on_move("aid", step="draft")(lambda move: told.append(len(move.case_ids)))
    assert codes(decide(items, "submit", OFFICER)) == ["ok"] * 5
    assert told == [2, 2, 1]


def test_the_number_of_statements_does_not_grow_with_the_number_of_tasks() -> None:
    one, some, many = items_of(opened(1)), items_of(opened(30)), items_of(opened(60))
    working_days.forget()
    working_days.calendar()
    with CaptureQueriesContext(connection) as for_one:
        decide(one, "submit", OFFICER)
    with CaptureQueriesContext(connection) as for_some:
        decide(some, "submit", OFFICER)
    with CaptureQueriesContext(connection) as for_many:
        decide(many, "submit", OFFICER)
    sql = [query["sql"].split()[0] for query in for_one if "SAVEPOINT" not in query["sql"]]
    assert sql == ["SELECT", "SELECT", "WITH"]  # lock, conditions, move; posts are read by the actor
    assert len(for_some) == len(for_many) == len(for_one) + 1  # what bars, with the locks had


def test_a_key_costs_two_statements() -> None:
    working_days.calendar()
    without, under = items_of(opened(2))
    with CaptureQueriesContext(connection) as plain:
        decide([without], "submit", OFFICER)
    with CaptureQueriesContext(connection) as keyed:
        decide([under], "submit", OFFICER, key="k")
    assert len(keyed) == len(plain) + 2


def test_the_account_that_decided_is_kept_beside_the_person() -> None:
    @dataclass(frozen=True)
    class WithAccount(LiteralActor):
        user_id: int = 7

    [case] = opened()
    act(case, "submit", WithAccount("p", "P", {"submit_application": [""]}))
    assert WorkItem.objects.get(process_id=case, outcome="submit").owner_id == 7


# ---------------------------------------------------------------- what cannot be asked


@pytest.mark.parametrize("ids", [["1"], [None], [1.0], [True], "12", [b"1"]])
def test_ids_that_are_no_numbers_are_a_mistake_of_the_caller(ids: Any) -> None:
    with pytest.raises(TypeError):
        decide(ids, "submit", OFFICER)


def test_ids_that_cannot_exist_are_not_found() -> None:
    assert codes(decide([0, -1, 2**63, 10**30], "submit", OFFICER)) == ["not_found"] * 4


@pytest.mark.parametrize(
    "data", [{"when": date(2026, 9, 7)}, {"x": float("nan")}, {"x": "\0"}, {"x": "\ud800"}, {"\\\0": 1}, {1, 2}, ["x"]]
)
def test_data_that_is_no_plain_json_is_refused_before_anything_is_written(data: Any) -> None:
    items = items_of(opened(2))
    with pytest.raises((TypeError, ValueError)):
        decide(items, "submit", OFFICER, data=data)
    assert Record.objects.filter(act="submit").count() == 0


def test_data_stands_on_the_record_as_it_was_given() -> None:
    [case] = opened()
    data = {"fields": ["account_no"], "note": "𠮷 · \\u0000 %s %(x)s '", "n": 1.5, "none": None}
    act(case, "submit", OFFICER, data=data)
    assert Record.objects.get(about_id=case, act="submit").data == data


def test_an_outcome_that_the_step_does_not_offer_is_refused() -> None:
    [case] = opened()
    assert act(case, "approve", OFFICER).code == "no_such_outcome"
    assert act(case, "", OFFICER).code == "no_such_outcome"


def test_a_task_is_decided_once() -> None:
    [case] = opened()
    item = item_of(case)
    assert codes(decide([item], "submit", OFFICER) + decide([item], "submit", OFFICER)) == ["ok", "closed"]
    assert Record.objects.filter(about_id=case, act="submit").count() == 1


def test_nothing_leads_out_of_an_ended_case() -> None:
    case = standing("school_review")
    act(case, "reject", HEAD)
    assert (state_of(case), step_of(case)) == ("rejected", "")
    items = WorkItem.objects.filter(process_id=case).values_list("id", flat=True)
    for outcome in ("submit", "approve", "reject", "resubmit", "withdraw"):
        assert set(codes(decide(list(items), outcome, HEAD))) <= {"closed", "not_permitted"}
    assert state_of(case) == "rejected"


def test_a_step_that_the_route_no_longer_has_refuses_instead_of_failing() -> None:
    cases_open = opened(2)
    lost, fine = items_of(cases_open)
    for ref in ("workflows/flows.aid.AidFlow.renamed", "workflows/flows.gone.GoneFlow.draft"):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE workflows_workitem SET flow_task = %s WHERE id = %s", [ref, lost])
        assert codes(decide([lost], "submit", OFFICER)) == ["no_such_outcome"]
    assert codes(decide([lost, fine], "submit", OFFICER)) == ["no_such_outcome", "ok"]


def test_a_case_in_another_state_than_its_step_goes_nowhere() -> None:
    [case] = opened()
    Case.objects.filter(pk=case).update(state="approved")
    assert act(case, "submit", OFFICER).code == "wrong_state"


def test_a_case_that_does_not_know_where_to_resume_stays() -> None:
    case = standing("school_review")
    act(case, "return", HEAD)
    for resume in ("", "completed", "correction", "nowhere", "school_notice"):
        set_facts([case], resume=resume)
        assert act(case, "resubmit", OFFICER).code == "wrong_state", resume


# ---------------------------------------------------------------- who may


def test_only_who_holds_the_permission_at_the_case_s_office_decides() -> None:
    case = standing("school_review")
    neighbour = LiteralActor("n", "N", {"review_school": ["000100010002"]})
    above = LiteralActor("a", "A", {"review_school": [COUNTY_PATH]})
    nobody = LiteralActor("z", "Z")
    assert act(case, "approve", neighbour).code == "not_permitted"
    assert act(case, "approve", nobody).code == "not_permitted"
    assert act(case, "approve", SYSTEM).code == "not_permitted"
    assert act(case, "approve", above).ok


def test_people_do_not_act_for_the_system() -> None:
    case = standing("school_notice")
    greedy = LiteralActor("g", "G", {"review_school": [""], "review_county": [""]})
    assert act(case, "conclude", greedy).code == "not_permitted"


@dataclass
class Fickle:
    """An actor whose permission can be taken away between the page and the act."""

    key: str = "fickle"
    name: str = "F"
    holds: bool = True
    asked: list[set[str]] = field(default_factory=list)

    def permits(self, permission: str, paths: Any) -> dict[str, str]:
        self.asked.append(set(paths))
        return dict.fromkeys(paths, "post") if self.holds else {}


def test_permission_is_asked_when_it_is_executed_and_once_for_all_offices() -> None:
    one, other = opened(3), opened(2, path="000100010002")
    actor = Fickle()
    assert set(codes(decide(items_of(one), "submit", actor))) == {"ok"}
    actor.holds = False
    assert set(codes(decide(items_of(other), "submit", actor))) == {"not_permitted"}
    assert actor.asked == [{SCHOOL_PATH}, {"000100010002"}]


def test_some_may_go_and_others_not_in_one_call() -> None:
    mine, foreign = opened(2), opened(2, path="000100010002")
    results = decide(items_of([mine[0], foreign[0], mine[1], foreign[1]]), "submit", OFFICER)
    assert codes(results) == ["ok", "not_permitted", "ok", "not_permitted"]


def test_a_stranger_is_not_told_whether_a_task_is_closed() -> None:
    [case] = opened()
    item = item_of(case)
    act(case, "submit", OFFICER)
    assert codes(decide([item], "submit", HEAD)) == ["not_permitted"]


# ---------------------------------------------------------------- separation of duties (DOMAIN.md §2.8, DESIGN §6)


def both(person: str, name: str = "") -> LiteralActor:
    """Somebody who holds every post there is."""
    everything = ["submit_application", "withdraw_application", "cancel_application", *reviewing()]
    return LiteralActor(person, name or person, {permission: [""] for permission in everything})


def reviewing() -> list[str]:
    return list(REVIEWERS.values())


def test_who_submitted_may_not_review() -> None:
    [case] = opened()
    assert act(case, "submit", both("p")).ok
    assert act(case, "approve", both("p")).code == "other_level"
    assert act(case, "approve", both("q")).ok


def test_who_prepared_a_draft_has_acted_even_if_another_submits() -> None:
    [case] = opened(by=both("preparer"))
    act(case, "submit", OFFICER)
    assert act(case, "approve", both("preparer")).code == "other_level"


def test_who_reviewed_at_one_level_reviews_at_no_other() -> None:
    case = standing("school_review")
    assert act(case, "approve", both("p")).ok
    stand(case, "township_review")
    assert act(case, "approve", both("p")).code == "other_level"
    stand(case, "county_review")
    assert act(case, "approve", both("p")).code == "other_level"
    stand(case, "pending_approval")
    assert act(case, "approve", both("p")).code == "other_level"


def test_the_same_level_may_be_taken_again_in_a_later_round_and_no_other() -> None:
    case = standing("school_review")
    p = both("p")
    assert act(case, "return", p).ok
    assert act(case, "resubmit", p).code == "other_level"
    assert act(case, "resubmit", OFFICER).ok
    assert act(case, "approve", p).ok
    stand(case, "township_review")
    assert act(case, "return", TOWNSHIP).ok
    assert act(case, "resubmit", OFFICER).ok
    assert step_of(case) == "township_review"
    assert act(case, "approve", p).code == "other_level"


def test_two_accounts_of_one_person_are_one_person() -> None:
    [case] = opened()
    first, second = both("same-person", "账号一"), both("same-person", "账号二")
    assert act(case, "submit", first).ok
    assert act(case, "approve", second).code == "other_level"


def test_the_level_holds_per_case() -> None:
    mine, other = opened(2)
    p = both("p")
    act(mine, "submit", p)
    act(other, "submit", OFFICER)
    assert codes(decide(items_of([mine, other]), "approve", p)) == ["other_level", "ok"]


def test_giving_up_judges_nothing_and_uses_up_no_level() -> None:
    case = standing("county_review")
    p = both("p")
    before = ActingLevel.objects.filter(case=case).count()
    assert act(case, "withdraw", p, reason=None).ok
    assert ActingLevel.objects.filter(case=case).count() == before
    case = standing("township_review")
    act(stand(opened(1)[0], "school_review"), "approve", p)
    assert act(case, "cancel", p).ok


def test_a_level_that_slipped_in_after_the_check_is_refused_by_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    case = standing("school_review")
    ActingLevel.objects.create(case_id=case, person="p", level="county")
    monkeypatch.setattr(locking, "_LOCK", locking._LOCK.replace("c.id AND person =", "c.id AND false AND person ="))
    told: list[Any] = []
    events.on_move("aid")(told.append)
    [other] = opened()
    stand(other, "school_review")
    told.clear()
    assert codes(decide(items_of([case, other]), "approve", both("p"))) == ["other_level", "ok"]
    assert (state_of(case), step_of(case)) == ("school_review", "school_review")
    assert [move.case_ids for move in told] == [[other]]


def test_the_system_has_no_level() -> None:
    case = standing("county_review")
    assert not ActingLevel.objects.filter(case=case, person="").exists()
    assert stand(case, "payment")
    assert not ActingLevel.objects.filter(case=case, person="").exists()


# ---------------------------------------------------------------- reasons


@pytest.mark.parametrize("outcome", ["return", "reject", "cancel"])
def test_sending_back_refusing_and_voiding_need_a_reason(outcome: str) -> None:
    case = standing("school_review")
    [result] = decide([item_of(case)], outcome, HEAD)
    assert result.code == "reason_required"
    assert act(case, outcome, HEAD, reason=replace(WHY[outcome], text="太短")).code == "reason_too_short"
    assert (
        act(case, outcome, HEAD, reason=replace(WHY[outcome], text="         十个空格不算字")).code
        == "reason_too_short"
    )
    assert (
        act(case, outcome, HEAD, reason=replace(WHY[outcome], text="字" * (MAX_LENGTH + 1))).code == "reason_too_long"
    )
    assert act(case, outcome, HEAD, reason=Reason("invented", "这个理由代码不在清单之内")).code == "reason_unknown"
    assert (
        act(case, outcome, HEAD, reason=Reason("applicant_withdraws", "这个代码只能用于撤回申请")).code
        == "reason_unknown"
    )
    assert act(case, outcome, HEAD).ok


def test_a_reason_stands_on_the_record_with_its_code() -> None:
    case = standing("school_review")
    act(case, "return", HEAD, reason=Reason("other", "  请补充\0监护人签字页，谢谢配合 "))
    line = Record.objects.get(about_id=case, act="return")
    assert (line.reason_code, line.reason_text) == ("other", "  请补充监护人签字页，谢谢配合 ")


def test_withdrawing_needs_none() -> None:
    assert act(standing("school_review"), "withdraw", OFFICER, reason=None).ok


def test_recheck_s_approval_needs_one() -> None:
    case = standing("recheck")
    assert act(case, "approve", cases.RECHECKER).code == "reason_required"
    assert act(case, "approve", cases.RECHECKER, reason=cases.CHECKED).ok
    assert step_of(case) == "county_review"


# ---------------------------------------------------------------- due dates and rounds


def test_a_step_is_due_when_its_working_days_run_out() -> None:
    TrainingClock.objects.create(date=date(2026, 9, 7))
    [case] = opened(limits={"school_review": 5})
    act(case, "submit", OFFICER)
    assert WorkItem.objects.get(process_id=case, finished=None).due_on == date(2026, 9, 14)


def test_who_returns_may_say_until_when() -> None:
    TrainingClock.objects.create(date=date(2026, 9, 7))
    case = standing("school_review", limits={"correction": 10})
    assert act(case, "return", HEAD, data={"due_on": "2026-09-11"}).ok
    assert WorkItem.objects.get(process_id=case, finished=None).due_on == date(2026, 9, 11)


@pytest.mark.parametrize("due", ["2026-09-06", "2026-13-01", "soon", "", None, 5, "2026-9-30", ["2026-09-30"]])
def test_a_due_date_that_is_none_or_past_is_refused(due: Any) -> None:
    TrainingClock.objects.create(date=date(2026, 9, 7))
    case = standing("school_review")
    assert act(case, "return", HEAD, data={"due_on": due}).code == "due_on_invalid"
    assert step_of(case) == "school_review"


def test_a_returned_case_comes_back_to_who_returned_it_in_a_new_round() -> None:
    case = standing("county_review")
    assert act(case, "return", COUNTY).ok
    found = Case.objects.get(pk=case)
    assert (found.state, found.resume, found.round) == ("returned", "county_review", 2)
    act(case, "resubmit", OFFICER)
    assert (state_of(case), step_of(case)) == ("county_review", "county_review")
    assert WorkItem.objects.get(process_id=case, finished=None).round == 2


def test_a_case_noticed_again_must_stand_its_whole_notice_again() -> None:
    case = standing("township_review")
    assert Case.objects.get(pk=case).noticed == ["school_notice"]
    act(case, "return", TOWNSHIP)
    set_facts([case], resume="school_review")
    act(case, "resubmit", OFFICER)
    act(case, "approve", HEAD)
    assert step_of(case) == "school_notice"
    assert act(case, "conclude", SYSTEM).code == "school_not_noticed"


# ---------------------------------------------------------------- conditions and guards


def test_what_is_missing_keeps_a_draft_a_draft() -> None:
    [fine, poor] = [opened()[0], opened(missing=["commitment"])[0]]
    results = decide(items_of([fine, poor]), "submit", OFFICER)
    assert codes(results) == ["ok", "incomplete"]
    assert results[1].message == "还缺少必需的内容。"


def test_every_hop_s_condition_holds_not_only_the_first_one_s() -> None:
    """A leave that skips the office: the condition stands on the skip, the second hop of the approval."""
    head = LiteralActor("h", "H", {"grant_leave": [""], "ask_leave": [""]})
    asker = LiteralActor("a", "A", {"ask_leave": [""]})
    short, long = opened(2, flow=LeaveFlow, by=asker, steps=())
    decide(items_of([short, long]), "submit", asker)
    way = decisions.way_of(LeaveFlow.head_review, "approve", Stand("head_review", (), "", True))
    assert [condition.code for condition in way.conditions] == ["too_long"]
    # The row says that it passes the office while the way was planned without: only a broken lock could do this.
    item = item_of(long)
    plain = decisions.way_of
    original = plain(LeaveFlow.head_review, "approve", Stand("head_review", (), "", True))
    Case.objects.filter(pk=long).update(steps=["office_review"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decisions, "way_of", lambda *args: original)
        assert codes(decide([item_of(short), item], "approve", head)) == ["ok", "too_long"]
    assert (step_of(short), step_of(long)) == ("substitute", "head_review")


def test_a_guard_sees_all_that_would_go_and_names_who_may_not() -> None:
    fine, poor, foreign = opened(4), opened(missing=["x"])[0], opened(path="000100010002")[0]
    acted = opened(by=both("p"))[0]
    ActingLevel.objects.filter(case=acted).update(level="county")
    seen: list[set[int]] = []

    @guard("aid", "draft", "submit")
    def at_most_two(case_ids: list[int], by: Any) -> dict[int, Refusal]:
        seen.append(set(case_ids))
        return dict.fromkeys(case_ids[2:], Refusal("full", "满了"))

    @guard("aid", "draft", "submit")
    def second(case_ids: list[int], by: Any) -> dict[int, Refusal]:
        seen.append(set(case_ids))
        return {}

    officer = LiteralActor("p", "P", {"submit_application": [SCHOOL_PATH]})
    results = decide(items_of([*fine, poor, foreign, acted]), "submit", officer)
    assert codes(results) == ["ok", "ok", "full", "full", "incomplete", "not_permitted", "other_level"]
    assert seen == [set(fine), set(fine[:2])]
    assert results[2].message == "满了"


def test_a_guard_is_asked_for_its_own_edge_only() -> None:
    asked: list[Any] = []
    guard("aid", "school_review", "approve")(lambda ids, by: asked.append(ids) or {})
    case = standing("school_review")
    act(case, "return", HEAD)
    assert asked == []


# ---------------------------------------------------------------- what follows


def test_listeners_get_sets_of_cases_with_what_was_decided_and_the_steps_passed() -> None:
    told: list[events.Move] = []
    events.on_move("aid", step="school_notice")(told.append)
    direct = [stand(case, "school_notice") for case in opened(3, steps=("school_notice", "data_check"))]
    cases.add_noticed(direct, "school_notice")
    decide(items_of(direct), "conclude", SYSTEM)
    [move] = told
    assert (move.kind, move.step, move.outcome, move.case_ids) == ("aid", "school_notice", "conclude", direct)
    assert move.entered == ("township_review", "county_review")
    assert (move.by, move.reason, move.data) == (SYSTEM, None, {})


def test_a_listener_may_decide_further() -> None:
    @events.on_move("aid", step="county_review", outcome="approve")
    def match(move: events.Move) -> None:
        assert set(codes(decide(items_of(move.case_ids), "clear", SYSTEM))) == {"ok"}

    case = standing("county_review")
    assert act(case, "approve", COUNTY).ok
    assert (state_of(case), step_of(case)) == ("pending_approval", "pending_approval")


def test_a_listener_s_failure_undoes_its_chunk_and_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "CHUNK", 2)
    all_cases = opened(4)

    @events.on_move("aid")
    def fails(move: events.Move) -> None:
        if all_cases[2] in move.case_ids:
            raise RuntimeError("broken listener")

    with pytest.raises(RuntimeError, match="broken listener"):
        decide(items_of(all_cases), "submit", OFFICER)
    assert [step_of(case) for case in all_cases] == ["school_review", "school_review", "draft", "draft"]


def test_it_can_be_called_inside_a_transaction_and_falls_with_it() -> None:
    [case] = opened()

    class Undo(Exception):
        pass

    with pytest.raises(Undo), transaction.atomic():
        assert act(case, "submit", OFFICER).ok
        raise Undo
    assert step_of(case) == "draft"


# ---------------------------------------------------------------- the record of it


def test_every_change_has_its_line_and_what_the_system_passed_over_has_its_own() -> None:
    [case] = opened(steps=("data_check",))
    act(case, "submit", OFFICER)
    act(case, "approve", HEAD)
    lines = Record.objects.filter(about="case", about_id=case).order_by("id")
    assert [(line.act, line.step, line.state_from, line.state_to, line.actor_name) for line in lines] == [
        ("open", "draft", "", "draft", "王老师"),
        ("submit", "draft", "draft", "submitted", "王老师"),
        ("accept", "acceptance", "submitted", "school_review", "system"),
        ("approve", "school_review", "school_review", "school_notice", "李校长"),
        ("skip", "school_notice", "school_notice", "township_review", "system"),
        ("skip", "township_review", "township_review", "county_review", "system"),
    ]
    assert {line.path for line in lines} == {SCHOOL_PATH}
    assert lines[3].item == WorkItem.objects.get(process_id=case, outcome="approve").pk
    assert lines[3].post == "literal"


def test_the_record_keeps_both_clocks() -> None:
    TrainingClock.objects.create(date=date(2020, 2, 29))
    [case] = opened()
    act(case, "submit", OFFICER)
    line = Record.objects.filter(about_id=case, act="submit").get()
    assert line.business_at.astimezone(clock.CHINA).date() == date(2020, 2, 29)
    assert abs(line.at - clock.timezone.now()) < timedelta(minutes=5)
    assert WorkItem.objects.get(process_id=case, outcome="submit").finished == line.at


def test_the_record_names_the_request() -> None:
    from workflows.requests import set_request_id

    set_request_id("req-1")
    try:
        [case] = opened()
        act(case, "submit", OFFICER)
    finally:
        set_request_id("")
    assert set(Record.objects.filter(about_id=case).values_list("request_id", flat=True)) == {"req-1"}


# ---------------------------------------------------------------- the same request twice


def test_the_same_key_returns_the_first_results_and_changes_nothing() -> None:
    good, poor = opened(2)
    set_facts([poor], missing=["account"])
    items = [*items_of([good, poor]), 987_654_321]
    first = decide(items, "submit", OFFICER, key="form-1")
    set_facts([poor], missing=[])
    again = decide(items, "submit", OFFICER, key="form-1")
    assert again == first
    assert codes(first) == ["ok", "incomplete", "not_found"]
    assert step_of(poor) == "draft"
    assert codes(decide(items, "submit", OFFICER, key="form-2")) == ["closed", "ok", "not_found"]


def test_first_results_are_said_again_in_the_reader_s_language() -> None:
    items = items_of(opened(missing=["account"]))

    @guard("aid", "draft", "submit")
    def refuses(case_ids: list[int], by: Any) -> dict[int, Refusal]:
        return {}

    first = decide(items, "submit", OFFICER, key="k")
    with translation.override("en"):
        again = decide(items, "submit", OFFICER, key="k")
    assert first[0].message == "还缺少必需的内容。"
    assert again[0].message == "Something required is still missing."


def test_a_guard_s_sentence_with_values_is_said_again_too() -> None:
    from django.utils.translation import gettext_lazy as _

    from workflows import refusals

    sentence = _("Somebody has already decided this task.")
    items = items_of(opened(3))
    own = {"taken": sentence}

    @guard("aid", "draft", "submit")
    def refuses(case_ids: list[int], by: Any) -> dict[int, Refusal]:
        one, two, three = case_ids
        return {
            one: Refusal("taken", own["taken"]),
            two: Refusal("words", "只有话"),
            three: Refusal("full", "满 %(count)s 人", {"count": 3}),
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refusals, "SENTENCES", refusals.SENTENCES | own)
        patch.setattr("workflows.guards.SENTENCES", refusals.SENTENCES)
        first = decide(items, "submit", OFFICER, key="k")
        with translation.override("en"):
            again = decide(items, "submit", OFFICER, key="k")
    assert [result.message for result in first] == ["该事项已由他人办理。", "只有话", "满 3 人"]
    assert [result.message for result in again] == [
        "Somebody has already decided this task.",
        "只有话",
        "满 3 人",
    ]


def test_a_key_is_the_person_s_own() -> None:
    mine, other = items_of(opened(2))
    colleague = LiteralActor("colleague", "C", {"submit_application": [""]})
    assert codes(decide([mine], "submit", OFFICER, key="k")) == ["ok"]
    assert codes(decide([other], "submit", colleague, key="k")) == ["ok"]


def test_a_key_used_for_other_tasks_decides_nothing() -> None:
    mine, other = items_of(opened(2))
    decide([mine], "submit", OFFICER, key="k")
    results = decide([mine, other], "submit", OFFICER, key="k")
    assert codes(results) == ["ok", "key_used"]
    assert WorkItem.objects.get(pk=other).finished is None


def test_what_was_busy_is_tried_again_under_the_same_key() -> None:
    mine, busy = items_of(opened(2))
    decide([mine, busy], "approve", OFFICER, key="k")
    KeyedDecision.objects.update(results=[[mine, "no_such_outcome", {}], [busy, "busy", {}]])
    assert codes(decide([mine, busy], "submit", OFFICER, key="k")) == ["no_such_outcome", "ok"]
    assert codes(decide([mine, busy], "submit", OFFICER, key="k")) == ["no_such_outcome", "ok"]


@pytest.mark.parametrize("key", ["", "x" * 5000, "\0", "\ud800", "空 格"])
def test_a_key_may_be_any_text(key: str) -> None:
    [item] = items_of(opened())
    first = decide([item], "submit", OFFICER, key=key)
    again = decide([item], "submit", OFFICER, key=key)
    assert codes(first) == ["ok"]
    assert codes(again) == (["ok"] if key else ["closed"])


def test_keys_hold_for_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "CHUNK", 2)
    items = items_of(opened(5))
    first = decide(items, "submit", OFFICER, key="k")
    assert decide(items, "submit", OFFICER, key="k") == first
    assert KeyedDecision.objects.count() == 3
    assert all("message" not in json.dumps(kept.results) for kept in KeyedDecision.objects.all())


def test_what_a_key_led_to_can_be_read_back() -> None:
    from workflows.queries import results_under

    items = items_of(opened(2))
    first = decide(items, "submit", OFFICER, key="k")
    assert results_under("k", OFFICER) == first
    assert results_under("k", HEAD) == []
