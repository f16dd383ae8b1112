"""A term matched again: hits added, closed, kept waived; two at once; killed in the middle; waived one by one."""

import json
from collections.abc import Callable
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from approvals.applications import actions, matching
from approvals.applications import register_queries as queries
from approvals.applications.actions import match_runs
from approvals.applications.actions.match_runs import ask, ask_by_system, finish, work_on
from approvals.applications.models import Application, Hit, MatchRun
from approvals.applications.refusals import Refused
from approvals.awards.models import AwardTerm
from approvals.organisations.models import User
from approvals.people import registers
from approvals.people.models import RegisterEntry, RegisterList
from approvals.programmes.terms import UnknownTerm
from notifications.models import Message
from tests.factories import (
    TERM,
    ApplicationFactory,
    CountyFactory,
    SchoolFactory,
    VersionFactory,
    acting,
    at_step,
    officer_of,
    person,
    set_training_date,
    stand_in,
    walk_to,
)
from tests.races.conftest import at_once  # noqa: F401
from workflows import Reason, decide
from workflows.background import run_due
from workflows.models import Case, Record
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db
SPRING = "2026-2027-2"
HOLDS = Reason("verified", "逐人核实，派出所确认系重号，学生在校就读。")


@pytest.fixture(autouse=True)
def first_day() -> None:
    set_training_date()


def dead(*applications: Application, day: date = date(2026, 8, 31), on: str = "") -> RegisterList:
    return registers.load_list(
        "deceased", "县公安局", day,
        [registers.Row(bytes(each.student.id_hash), "", told=json.dumps({"on": on})) for each in applications],
    )  # fmt: skip


def doubly_enrolled(*applications: Application, school: str = "某县示例中学", day: date = date(2026, 8, 31)) -> None:
    told = json.dumps({"school": school})
    registers.load_list(
        "dual_enrolment", "县教育局", day,
        [registers.Row(bytes(each.student.id_hash), "", name=school, told=told) for each in applications],
    )  # fmt: skip


def matched() -> MatchRun:
    return finish(ask_by_system(TERM))


def counts(run: MatchRun) -> dict[str, dict[str, int]]:
    return {code: {what: n for what, n in of.items() if n} for code, of in run.tally.items()}


def second_reviewer() -> User:
    return person("county_second_reviewer", CountyFactory())


def open_hits(application: Application) -> int:
    return Case.objects.get(pk=application.pk).open_hits


# ---------------------------------------------------------------- what a run does


def test_a_run_adds_hits_wherever_cases_stand_and_moves_none() -> None:
    applications = [at_step(step) for step in ("school_review", "county_review", "pending_approval", "payment")]
    draft = ApplicationFactory()
    register = dead(*applications, draft)
    run = matched()
    assert (run.state, run.done, run.total) == ("done", 4, 4)
    assert counts(run) == {"deceased": {"new": 4}}
    assert [Case.objects.get(pk=each.pk).state for each in applications] == [
        "school_review", "county_review", "pending_approval", "approved",
    ]  # fmt: skip
    assert [open_hits(each) for each in applications] == [1] * 4
    assert draft.hits.count() == 0, "a draft is the school's own"
    assert {hit.list_id for hit in Hit.objects.all()} == {register.pk}
    lines = Record.objects.filter(act="match", about="case")
    assert {line.about_id: line.data["new"] for line in lines} == {each.pk: ["deceased"] for each in applications}


def test_who_waits_at_the_data_check_is_sent_on_by_the_match_that_was_there_before() -> None:
    application = at_step("data_check")
    doubly_enrolled(application)
    matched()
    run_due("default")
    assert Case.objects.get(pk=application.pk).state == "recheck"
    assert Record.objects.filter(act="hit", about_id=application.pk).exists()


def test_a_run_over_spring_matches_what_is_paid_in_spring_and_one_over_autumn_nothing_of_spring() -> None:
    autumn, spring, last_year = (at_step("payment") for _ in range(3))
    Application.objects.filter(pk=spring.pk).update(term=SPRING)
    Application.objects.filter(pk=last_year.pk).update(term="2025-2026-2", school_year="2025-2026")
    dead(autumn, spring, last_year)
    assert {term.term for term in AwardTerm.objects.filter(award__case=autumn.pk)} == {TERM, SPRING}
    run = finish(ask_by_system(TERM))
    assert (run.done, run.total, list(Hit.objects.values_list("application", flat=True))) == (1, 1, [autumn.pk])
    run = finish(ask_by_system(SPRING))
    assert (run.done, run.total) == (2, 2)
    assert counts(run) == {"deceased": {"kept": 1, "new": 1}}
    everywhere = [CountyFactory().path]
    for term, found in ((TERM, [autumn.pk]), (SPRING, [autumn.pk, spring.pk])):
        assert [count for _state, _name, count in queries.standing(term)] == [len(found)]
        hits = queries.hits(everywhere, queries.Wanted(term))
        assert [hit.application_id for hit in hits] == found


def test_the_same_again_changes_nothing() -> None:
    application = at_step("county_review")
    dead(application)
    matched()
    before = list(Hit.ever.values())
    run = matched()
    assert counts(run) == {"deceased": {"kept": 1}}
    assert list(Hit.ever.values()) == before
    assert Record.objects.filter(act="match").count() == 1


def test_what_a_later_list_no_longer_says_is_closed_with_why_and_opens_again() -> None:
    application = at_step("county_review")
    dead(application)
    matched()
    dead(day=date(2026, 9, 1))
    assert counts(matched()) == {"deceased": {"gone": 1}}
    hit = Hit.ever.get()
    assert (hit.closed_why, hit.closed_at is not None, application.hits.count()) == ("other_list", True, 0)
    assert open_hits(application) == 0
    dead(application, day=date(2026, 9, 2))
    assert counts(matched()) == {"deceased": {"again": 1}}
    assert (application.hits.get().pk, open_hits(application)) == (hit.pk, 1)


def test_each_hit_that_is_gone_says_why() -> None:
    corrected, without = at_step("county_review", holder_name="赵无关"), at_step("county_review")
    dead(without)
    matched()
    Application.objects.filter(pk=corrected.pk).update(holder_name="王大山")
    RegisterList.objects.update(current=False, state="withdrawn")
    matched()
    assert {hit.application_id: hit.closed_why for hit in Hit.ever.all()} == {
        corrected.pk: "corrected", without.pk: "no_list",
    }  # fmt: skip


def test_what_was_granted_is_not_judged_by_its_claims_again() -> None:
    """A household that leaves the register keeps what it was granted to the end of its stage (DOMAIN.md §2.5)."""
    granted, judged = (at_step(step, special_groups=["dibao"]) for step in ("payment", "county_review"))
    registers.load_list("poor_households", "县农业农村局", date(2026, 8, 31), [])
    matched()
    assert (granted.hits.count(), [hit.code for hit in judged.hits.all()]) == (0, ["not_registered"])


def test_a_hit_of_a_claim_stays_as_it_was_once_it_is_granted() -> None:
    application = at_step("pending_approval", special_groups=["dibao"])
    Hit.objects.create(application=application, source="poor_households", code="not_registered")
    walk_to("payment", application)
    registers.load_list("poor_households", "县农业农村局", date(2026, 8, 31), [])
    assert counts(matched()) == {}
    assert application.hits.count() == 1


def test_programmes_without_a_data_check_ask_nobody() -> None:
    steps = ["township_review", "payment", "disbursement"]
    unchecked = VersionFactory(changes={"code": "unchecked", "steps": steps, "notices": {}})
    application = at_step("school_review", version=unchecked)
    dead(application)
    assert (matched().done, application.hits.count()) == (0, 0)


def test_a_list_that_changes_meanwhile_has_the_run_begin_anew(monkeypatch: Any) -> None:
    monkeypatch.setattr(match_runs, "CHUNK", 2)
    school = SchoolFactory()
    applications = [at_step("county_review", school=school) for _ in range(5)]
    dead(applications[0])
    run = ask_by_system(TERM)
    assert work_on(run.pk)
    dead(*applications, day=date(2026, 9, 1))
    run = finish(run)
    assert (run.done, counts(run)) == (5, {"deceased": {"new": 4, "kept": 1}})


def test_the_number_of_statements_does_not_grow_with_the_applications(django_assert_max_num_queries: Any) -> None:
    school = SchoolFactory()
    applications = [at_step("county_review", school=school) for _ in range(12)]
    dead(*applications[:6])
    doubly_enrolled(*applications[3:9])
    run = ask_by_system(TERM)
    with django_assert_max_num_queries(45):
        finish(run)


def test_many_are_matched_as_few_are(monkeypatch: Any) -> None:
    """Above a number they are joined in another way, which is undone afterwards."""
    monkeypatch.setattr(matching, "MANY", 0)
    application = at_step("county_review", special_groups=["disabled_student"])
    dead(application)
    doubly_enrolled(application)
    registers.load_list("disabled", "县残联", date(2026, 8, 31), [])
    matched()
    assert {hit.code for hit in application.hits.all()} == {"deceased", "dual_enrolment", "not_disabled"}
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("on",)


# ---------------------------------------------------------------- waivers


def test_a_waived_hit_stays_waived_under_a_later_list_that_says_the_same() -> None:
    application = at_step("county_review")
    dead(application, on="2026-05-04")
    matched()
    actions.waive_hit(application.hits.get().pk, acting(second_reviewer()), HOLDS)
    later = dead(application, day=date(2026, 9, 1), on="2026-05-04")
    assert counts(matched()) == {"deceased": {"waived": 1}}
    hit = application.hits.get()
    assert (hit.waived_reason, hit.list_id, open_hits(application)) == (HOLDS.text, later.pk, 0)


@pytest.mark.parametrize("what", ["list", "application"])
def test_a_waiver_lapses_when_the_list_or_the_application_says_something_else(what: str) -> None:
    application = at_step("county_review")
    doubly_enrolled(application)
    matched()
    actions.waive_hit(application.hits.get().pk, acting(second_reviewer()), HOLDS)
    if what == "list":
        doubly_enrolled(application, school="另一县示例中学", day=date(2026, 9, 1))
    else:
        Application.objects.filter(pk=application.pk).update(guardian_name="王小山")
    assert counts(matched())["dual_enrolment"] == {"again": 1}
    hit = application.hits.get(code="dual_enrolment")
    assert (hit.waived_at, hit.waived_by, open_hits(application)) == (None, "", application.hits.count())


def test_one_hit_is_waived_with_its_own_reason_and_the_others_stay() -> None:
    application = at_step("county_review", holder_name="赵无关")
    dead(application)
    matched()
    reviewer = second_reviewer()
    actions.waive_hit(application.hits.get(code="deceased").pk, acting(reviewer), HOLDS)
    assert open_hits(application) == 1
    line = Record.objects.get(act="waive", about_id=application.pk)
    assert (line.actor, line.reason_text, line.data) == (reviewer.person.hex, HOLDS.text, {"code": "deceased"})
    with pytest.raises(Refused) as refusal:
        actions.waive_hit(application.hits.get(code="deceased").pk, acting(reviewer), HOLDS)
    assert refusal.value.code == "hit_not_open"


@pytest.mark.parametrize("reason", [Reason("verified", "短"), Reason("nothing", HOLDS.text), Reason("", "")])
def test_no_hit_is_waived_without_a_proper_reason(reason: Reason) -> None:
    application = at_step("county_review")
    dead(application)
    matched()
    with pytest.raises(Refused):
        actions.waive_hit(application.hits.get().pk, acting(second_reviewer()), reason)
    assert open_hits(application) == 1


def test_only_who_may_re_check_the_case_waives() -> None:
    application = at_step("county_review")
    dead(application)
    matched()
    for role, place in (("match_officer", CountyFactory()), ("county_reviewer", CountyFactory())):
        with pytest.raises(PermissionDenied):
            actions.waive_hit(application.hits.get().pk, acting(person(role, place)), HOLDS)
    assert open_hits(application) == 1


def test_who_acted_on_the_case_at_another_level_does_not_waive() -> None:
    from workflows.moving import take_level

    application = at_step("county_review")
    dead(application)
    matched()
    reviewer = second_reviewer()
    take_level([(application.pk, "submit")], reviewer.person.hex)
    with pytest.raises(Refused):
        actions.waive_hit(application.hits.get().pk, acting(reviewer), HOLDS)
    assert open_hits(application) == 1


def test_what_is_for_information_need_not_be_waived() -> None:
    application = at_step("county_review")
    registers.load_list(
        "disabled", "县残联", date(2026, 8, 31), [registers.Row(bytes(application.student.id_hash), "")]
    )
    matched()
    hit = application.hits.get()
    assert (hit.weight, open_hits(application)) == ("info", 0)
    with pytest.raises(Refused):
        actions.waive_hit(hit.pk, acting(second_reviewer()), HOLDS)


def test_a_blocking_hit_does_not_go_with_the_re_check_s_approval() -> None:
    blocked, other = (at_step("data_check") for _ in range(2))
    dead(blocked)
    doubly_enrolled(blocked, other)
    run_due("default")
    items = {each.pk: open_item_of(each.pk).pk for each in (blocked, other)}
    results = {
        result.task_id: result for result in decide(items.values(), "approve", stand_in("recheck_county"), HOLDS)
    }
    refused = results[items[blocked.pk]]
    assert (refused.code, results[items[other.pk]].ok) == ("blocking_hit", True)
    assert "1" in refused.message
    assert other.hits.get().waived_reason == HOLDS.text
    assert Case.objects.get(pk=blocked.pk).state == "recheck"
    reviewer = second_reviewer()
    actions.waive_hit(blocked.hits.get(code="deceased").pk, acting(reviewer), HOLDS)
    [result] = decide([items[blocked.pk]], "approve", acting(reviewer), HOLDS)
    assert result.ok, result.message
    walk_to("data_check", blocked)
    run_due("default")
    assert Case.objects.get(pk=blocked.pk).state == "pending_approval", "both are waived, for the same facts"


def test_a_hit_found_after_the_case_came_to_the_re_check_does_not_go_with_its_approval() -> None:
    seen, both = (at_step("data_check", holder_name="赵无关") for _ in range(2))
    run_due("default")
    items = {each.pk: open_item_of(each.pk).pk for each in (seen, both)}
    doubly_enrolled(both)
    matched()
    reviewer = second_reviewer()
    results = {result.task_id: result for result in decide(items.values(), "approve", acting(reviewer), HOLDS)}
    refused = results[items[both.pk]]
    assert (refused.code, results[items[seen.pk]].ok) == ("hit_since", True)
    assert "1" in refused.message
    assert (Case.objects.get(pk=both.pk).state, open_hits(both)) == ("recheck", 2)
    assert both.hits.filter(waived_at=None).count() == 2
    actions.waive_hit(both.hits.get(code="dual_enrolment").pk, acting(reviewer), HOLDS)
    [result] = decide([items[both.pk]], "approve", acting(reviewer), HOLDS)
    assert result.ok, result.message
    assert both.hits.filter(waived_at=None).count() == 0


def test_what_a_hit_says_anew_after_the_case_came_to_the_re_check_is_looked_at_too() -> None:
    application = at_step("data_check")
    doubly_enrolled(application)
    run_due("default")
    item = open_item_of(application.pk).pk
    doubly_enrolled(application, school="邻县第二小学", day=date(2026, 9, 1))
    matched()
    assert [each.code for each in decide([item], "approve", stand_in("recheck_county"), HOLDS)] == ["hit_since"]


def test_what_is_only_for_information_may_come_after_the_case_did() -> None:
    application = at_step("data_check", holder_name="赵无关")
    run_due("default")
    registers.load_list(
        "disabled", "县残联", date(2026, 8, 31), [registers.Row(bytes(application.student.id_hash), "")]
    )
    matched()
    assert application.hits.count() == 2
    [result] = decide([open_item_of(application.pk).pk], "approve", stand_in("recheck_county"), HOLDS)
    assert result.ok, result.message


def test_a_hit_found_while_it_awaits_approval_stops_the_approval_until_it_is_waived() -> None:
    application = at_step("pending_approval")
    dead(application)
    matched()
    leader = stand_in("approve_county")
    assert [r.code for r in decide([open_item_of(application.pk).pk], "approve", leader)] == ["open_hit"]
    actions.waive_hit(application.hits.get().pk, acting(second_reviewer()), HOLDS)
    assert decide([open_item_of(application.pk).pk], "approve", leader)[0].ok


# ---------------------------------------------------------------- asked for, at once, killed


def test_who_asks_gets_a_run_and_a_message_and_asking_twice_is_told() -> None:
    application = at_step("county_review")
    dead(application)
    officer = person("match_officer", CountyFactory())
    run, made = ask("2026年秋季学期", acting(officer))
    same, again = ask(TERM, acting(officer))
    assert (made, same.pk, again) == (True, run.pk, False)
    run_due("long")
    run.refresh_from_db()
    assert (run.state, run.done) == ("done", 1)
    message = Message.objects.get(recipient=officer.pk)
    assert (message.event, message.about_id) == ("match_done", run.pk)
    assert ask(TERM, acting(officer))[1]


def test_who_may_not_ask_is_refused() -> None:
    with pytest.raises(PermissionDenied):
        ask(TERM, acting(officer_of(SchoolFactory(parent=CountyFactory()))))
    with pytest.raises(UnknownTerm):
        ask("autumn", acting(person("match_officer", CountyFactory())))
    assert MatchRun.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_after_the_last_chunk(monkeypatch: Any) -> None:
    set_training_date()
    monkeypatch.setattr(match_runs, "CHUNK", 2)
    school = SchoolFactory()
    applications = [at_step("county_review", school=school) for _ in range(5)]
    dead(*applications)
    run = ask_by_system(TERM)
    assert work_on(run.pk)

    def killed(*_given: Any, **_named: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(match_runs.record, "write_told", killed)
        with pytest.raises(SystemExit):
            work_on(run.pk)
    run.refresh_from_db()
    assert (run.done, Hit.objects.count()) == (2, 2)
    run = finish(run)
    assert (run.state, run.done, counts(run)) == ("done", 5, {"deceased": {"new": 5}})
    assert Record.objects.filter(act="match").count() == 5


def test_a_chunk_that_fails_again_and_again_is_given_up(monkeypatch: Any) -> None:
    at_step("county_review")
    run = ask_by_system(TERM)
    with monkeypatch.context() as patch:
        patch.setattr(match_runs, "match_locked", lambda *_given: 1 / 0)
        for _ in range(match_runs.ATTEMPTS):
            with pytest.raises(ZeroDivisionError):
                work_on(run.pk)
    assert work_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "attempts")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_find_every_hit_once(
    monkeypatch: Any,
    at_once: Callable[..., list[Any]],  # noqa: F811
) -> None:
    set_training_date()
    monkeypatch.setattr(match_runs, "CHUNK", 3)
    school = SchoolFactory()
    applications = [at_step("county_review", school=school) for _ in range(10)]
    dead(*applications)
    runs = at_once(*[matched] * 3)
    assert {run.state for run in runs} == {"done"}
    assert Hit.ever.count() == 10
    found = [counts(run).get("deceased", {}) for run in MatchRun.objects.order_by("pk")]
    assert sum(each.get("new", 0) for each in found) == 10
    assert Record.objects.filter(act="match").count() == 10


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_run_and_the_match_of_who_waits_do_not_get_into_each_other_s_way(
    at_once: Callable[..., list[Any]],  # noqa: F811
) -> None:
    set_training_date()
    school = SchoolFactory()
    applications = [at_step("data_check", school=school) for _ in range(8)]
    doubly_enrolled(*applications)

    def waiting() -> int:
        done = 0
        while piece := actions.match_waiting(2):
            done += piece
        return done

    results = at_once(matched, waiting, waiting)
    assert not [each for each in results if isinstance(each, Exception)]
    while actions.match_waiting():
        pass
    assert Hit.ever.count() == 8
    assert set(Case.objects.values_list("state", "open_hits")) == {("recheck", 1)}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_hit_waived_twice_at_once_is_waived_once(at_once: Callable[..., list[Any]]) -> None:  # noqa: F811
    set_training_date()
    application = at_step("county_review")
    dead(application)
    matched()
    hit, reviewers = application.hits.get().pk, [second_reviewer(), second_reviewer()]
    answers = at_once(*[lambda by=by: actions.waive_hit(hit, acting(by), HOLDS) for by in reviewers])
    assert [getattr(answer, "code", "") for answer in answers if isinstance(answer, Exception)] == ["hit_not_open"]
    assert Record.objects.filter(act="waive").count() == 1


# ---------------------------------------------------------------- command and pages


def test_the_command_matches_and_tells() -> None:
    waiting, standing = at_step("data_check"), at_step("county_review")
    dead(standing)
    doubly_enrolled(waiting)
    out = StringIO()
    call_command("match_term", TERM, "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert (answer["state"], answer["applications"]) == ("done", 2)
    assert {line["code"]: line["new"] for line in answer["hits"]} == {"deceased": 1, "dual_enrolment": 1}
    assert answer["lists"] == {"deceased": "2026-08-31", "dual_enrolment": "2026-08-31"}
    assert answer["cases"] == {"county_review": 1, "recheck": 1}
    with pytest.raises(SystemExit) as end:
        call_command("match_term", "someday", "--json", stdout=StringIO())
    assert end.value.code == 2


def client_of(role: str) -> Client:
    client = Client()
    client.force_login(person(role, CountyFactory()))
    return client


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_term_is_matched_from_the_page_and_its_hits_are_found(language: str) -> None:
    application = at_step("pending_approval")
    register = dead(application, on="2026-05-04")
    client = client_of("match_officer")
    client.cookies["django_language"] = language
    answer = client.post(reverse("applications:match_term"), {"term": TERM})
    run = MatchRun.objects.get()
    assert answer.url == reverse("applications:match_run", args=[run.pk])
    assert "hx-get" in client.get(answer.url).content.decode()
    run_due("long")
    page = client.get(answer.url)
    assert [(line.code, line.counts["new"]) for line in page.context["lines"]] == [("deceased", 1)]
    assert [(state, count) for state, _name, count in page.context["standing"]] == [("pending_approval", 1)]
    found = client.get(reverse("applications:hits"), {"term": TERM, "code": "deceased"}).content.decode()
    assert application.student.name in found
    assert "2026-05-04" in found
    assert "县公安局" in client.get(reverse("review:case", args=[application.pk])).content.decode()
    dead(application, day=date(2026, 9, 1))
    assert client.get(answer.url).context["changed"]
    assert RegisterEntry.objects.filter(list=register).count() == 1


def test_only_the_match_officer_has_a_term_matched() -> None:
    for role in ("county_second_reviewer", "auditor", "county_reviewer"):
        assert client_of(role).post(reverse("applications:match_term"), {"term": TERM}).status_code == 403
    assert MatchRun.objects.count() == 0
    answer = client_of("match_officer").post(reverse("applications:match_term"), {"term": "x"}, follow=True)
    assert (answer.status_code, MatchRun.objects.count()) == (200, 0)


def test_the_second_reviewer_waives_on_the_page_and_nobody_else() -> None:
    application = at_step("pending_approval")
    dead(application)
    matched()
    hit = application.hits.get()
    case, address = (
        reverse("review:case", args=[application.pk]),
        reverse("applications:waive_hit", args=[application.pk, hit.pk]),
    )
    given = {"reason_code": HOLDS.code, "reason_text": HOLDS.text}
    officer = client_of("match_officer")
    assert address not in officer.get(case).content.decode()
    assert (officer.get(address).status_code, officer.post(address, given).status_code) == (403, 403)
    school = Client()
    school.force_login(officer_of(SchoolFactory()))
    assert school.get(address).status_code == 404
    reviewer = client_of("county_second_reviewer")
    assert address in reviewer.get(case).content.decode()
    short = reviewer.post(address, given | {"reason_text": "短"})
    assert (short.status_code, bool(short.context["form"].errors)) == (200, True)
    assert open_hits(application) == 1
    assert reviewer.post(address, given).url == case
    page = reviewer.get(case).content.decode()
    assert HOLDS.text in page
    assert address not in page
    other = ApplicationFactory()
    assert reviewer.get(reverse("applications:waive_hit", args=[other.pk, hit.pk])).status_code == 404


def test_an_earlier_hit_is_told_with_why_it_is_gone() -> None:
    application = at_step("county_review")
    dead(application)
    matched()
    dead(day=date(2026, 9, 1))
    matched()
    page = client_of("county_reviewer").get(reverse("review:case", args=[application.pk])).content.decode()
    assert "后来的名册" in page


def test_hits_are_shown_only_of_the_offices_that_the_reader_sees() -> None:
    application = at_step("county_review")
    dead(application)
    matched()
    assert connection.queries_log is not None
    client = client_of("county_second_reviewer")
    wanted = {"term": TERM}
    assert application.student.name in client.get(reverse("applications:hits"), wanted).content.decode()
    assert client.get(reverse("applications:hits"), {"term": "x"}).status_code == 404
    assert client.get(reverse("applications:hits"), wanted | {"code": "dual_enrolment"}).context["hits"] == []
    assert len(client.get(reverse("applications:hits"), wanted | {"state": "county_review"}).context["hits"]) == 1
