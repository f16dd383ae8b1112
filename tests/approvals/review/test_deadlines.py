"""Deadlines remind and escalate, and decide nothing; what nobody may decide is brought before the office above."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.organisations.accounts import close
from approvals.organisations.authority import actor_of
from approvals.organisations.models import Post
from approvals.organisations.proposals import approve, propose_end
from approvals.review import deadlines
from notifications.models import Message
from tests.approvals.review.scene import Scene
from tests.cases import item_of
from tests.factories import FIRST_DAY, ApplicationFactory, at_step, person, set_training_date, walk_to
from workflows import Reason, decide
from workflows.actors import SYSTEM
from workflows.acts import Claim, Comment, CopyTo, StepAside, TakeOver, Transfer, Urge, Watch, perform, recuse
from workflows.facts import set_facts
from workflows.models import Record, Signer, WorkItem

pytestmark = pytest.mark.django_db


def waiting(scene: Scene, count: int = 1, **due: int) -> list[int]:
    """Applications at the school's review, due so many days from the first day; their cases."""
    cases = [at_step("school_review", school=scene.school).case_id for _ in range(count)]
    due_on = FIRST_DAY + timedelta(days=due["due"]) if due else None
    WorkItem.objects.filter(process__in=cases, finished=None).update(due_on=due_on)
    return cases


def told(user: object, event: str) -> list[dict[str, object]]:
    return list(Message.objects.filter(recipient=user, event=event).order_by("id").values_list("data", flat=True))


def test_reviewers_are_reminded_once_a_day_with_the_count(scene: Scene) -> None:
    waiting(scene, 2, due=1)
    waiting(scene, 1, due=-1)
    waiting(scene, 1, due=30)
    assert (deadlines.remind(), deadlines.remind()) == (1, 0)
    assert told(scene.head, "deadlines") == [{"near": 2, "overdue": 1}]
    assert told(scene.county_reviewer, "deadlines") == []
    set_training_date(FIRST_DAY + timedelta(days=1))
    assert deadlines.remind() == 1
    assert len(told(scene.head, "deadlines")) == 2


def test_what_is_long_overdue_goes_before_the_office_above_once_and_stays_where_it_is(scene: Scene) -> None:
    [late] = waiting(scene, 1, due=-7)
    waiting(scene, 1, due=-1)
    assert (deadlines.escalate(), deadlines.escalate()) == (1, 0)
    assert told(scene.leader, "escalated_overdue") == [{"name": scene.school.name, "count": 1}]
    assert Record.objects.filter(about_id=late, act="escalate").count() == 1
    assert decide([item_of(late)], "approve", actor_of(scene.head))[0].ok


def test_what_nobody_may_decide_is_found_and_told(scene: Scene) -> None:
    free, stuck = waiting(scene, 2)
    recuse([(stuck, actor_of(scene.head).key)], "declared", SYSTEM)
    assert (deadlines.find_undecidable(), deadlines.find_undecidable()) == (1, 0)
    assert told(scene.leader, "escalated_undecidable") == [{"name": scene.school.name, "count": 1}]
    assert WorkItem.objects.get(pk=item_of(stuck)).escalated_on == FIRST_DAY
    assert WorkItem.objects.get(pk=item_of(free)).escalated_on is None


def test_what_was_overdue_before_nobody_could_decide_it_is_told_of_again(scene: Scene) -> None:
    [late] = waiting(scene, 1, due=-7)
    assert deadlines.escalate() == 1
    recuse([(late, actor_of(scene.head).key)], "declared", SYSTEM)
    assert (deadlines.find_undecidable(), deadlines.find_undecidable()) == (1, 0)
    assert told(scene.administrator, "escalated_undecidable") == [{"name": scene.school.name, "count": 1}]


def test_where_the_only_head_steps_aside_leader_and_administrator_are_told_at_once(scene: Scene) -> None:
    colleague = person("school_head", scene.school)
    [case] = waiting(scene, 1)
    why = Reason("kin", "申请人是本人的外甥，申请回避")
    assert perform(StepAside(), [item_of(case)], actor_of(colleague), why)[0].ok
    assert told(scene.leader, "escalated_undecidable") == [], "the other head may decide it"
    assert perform(StepAside(), [item_of(case)], actor_of(scene.head), why)[0].ok
    for who in (scene.leader, scene.administrator):
        assert told(who, "escalated_undecidable") == [{"name": scene.school.name, "count": 1}]
    assert deadlines.find_undecidable() == 0, "it is said once"


def jointly(scene: Scene, **panel: object) -> int:
    """A case that heads of the school decide jointly."""
    application = ApplicationFactory(school=scene.school)
    given = {"mode": "all", "of": "review_school"} | panel
    set_facts([application.case_id], panels={"school_review": given})
    return walk_to("school_review", application).case_id


def test_a_joint_decision_that_nobody_signs_any_more_is_found_and_told(scene: Scene) -> None:
    colleague = person("school_head", scene.school)
    left, lasting, short = jointly(scene), jointly(scene), jointly(scene, mode="share", share=50, quorum=3)
    recuse([(left, actor_of(scene.head).key), (left, actor_of(colleague).key)], "declared", SYSTEM)
    assert deadlines.find_undecidable() == 2
    assert told(scene.leader, "escalated_undecidable") == [{"name": scene.school.name, "count": 2}]
    assert WorkItem.objects.get(pk=item_of(lasting)).escalated_on is None
    assert WorkItem.objects.get(pk=item_of(short)).escalated_on == FIRST_DAY


def test_who_is_appointed_later_takes_the_seat_that_is_empty(scene: Scene) -> None:
    case = jointly(scene)
    recuse([(case, actor_of(scene.head).key)], "declared", SYSTEM)
    successor = person("school_head", scene.school)
    assert deadlines.find_undecidable() == 0
    assert [line.data for line in Record.objects.filter(about_id=case, act="seat")] == [{"to": [str(successor)]}]
    assert decide([item_of(case)], "approve", actor_of(successor))[0].code == "ok"


def test_a_post_that_is_taken_away_takes_the_seat_with_it(scene: Scene) -> None:
    colleague, case = person("school_head", scene.school), jointly(scene)
    assert decide([item_of(case)], "approve", actor_of(scene.head))[0].code == "signed"
    post = Post.objects.get(user=colleague)
    ending = propose_end(post, None, "调离本校，不再担任校长职务", actor_of(scene.administrator))
    assert approve([ending.pk], actor_of(person("administrator", scene.county)))[0].ok
    seats = Signer.objects.filter(item=item_of(case), ended_at=None)
    assert list(seats.values_list("person", "vote")) == [(actor_of(scene.head).key, "")], "the last one signs again"
    [line] = Record.objects.filter(about_id=case, act__in=["vacate", "remove_signer"])
    assert line.data == {"to": [str(colleague)], "cause": "no_post"}
    assert decide([item_of(case)], "approve", actor_of(scene.head))[0].code == "ok"


def test_a_post_that_runs_out_is_not_waited_for(scene: Scene) -> None:
    colleague, case = person("school_head", scene.school), jointly(scene)
    assert decide([item_of(case)], "approve", actor_of(scene.head))[0].code == "signed"
    Post.objects.filter(user=colleague).update(ends_on=FIRST_DAY)
    assert deadlines.find_undecidable() == 0
    assert Signer.objects.filter(item=item_of(case), ended_at=None).count() == 2
    set_training_date(FIRST_DAY + timedelta(days=1))
    assert deadlines.find_undecidable() == 0
    assert Signer.objects.filter(item=item_of(case), ended_at=None).count() == 1
    assert decide([item_of(case)], "approve", actor_of(scene.head))[0].code == "ok"


def test_what_was_taken_on_as_the_account_was_closed_is_free_within_the_hour(scene: Scene) -> None:
    case, kept = waiting(scene, 2)
    colleague, there = person("school_head", scene.school), person("school_head", scene.school)
    close(colleague.pk, actor_of(scene.administrator), "已调离本校，不再使用。")
    for held, holder in ((case, colleague), (kept, there)):  # the claim came after the account was looked through
        WorkItem.objects.filter(pk=item_of(held)).update(holder=holder.person.hex, holder_name=str(holder))
    assert decide([item_of(case)], "approve", actor_of(scene.head))[0].code == "held"
    assert (deadlines.look_for_undecidable(), deadlines.look_for_undecidable()) == (1, 0)
    assert WorkItem.objects.get(pk=item_of(kept)).holder == there.person.hex
    assert [line.data["to"] for line in Record.objects.filter(act="release", about="case")] == [[str(colleague)]]
    assert decide([item_of(case)], "approve", actor_of(scene.head))[0].ok


def test_looking_for_them_takes_the_same_statements_for_many(scene: Scene) -> None:
    waiting(scene, 1)
    with CaptureQueriesContext(connection) as few:
        deadlines.find_undecidable()
    waiting(scene, 5)
    with CaptureQueriesContext(connection) as many:
        deadlines.find_undecidable()
    assert len(few) == len(many)


def test_whom_an_act_concerns_is_told_once_for_many(scene: Scene) -> None:
    cases = waiting(scene, 3)
    items = [item_of(case) for case in cases]
    head, colleague = actor_of(scene.head), actor_of(scene.county_reviewer)
    assert all(result.ok for result in perform(Claim(), items, head))
    assert all(result.ok for result in perform(CopyTo([colleague]), items, head))
    assert told(scene.county_reviewer, "copied") == [{"name": str(scene.head), "count": 3}]
    assert [result.code for result in perform(Transfer(colleague), items, head)] == ["they_not_permitted"] * 3
    assert perform(TakeOver(), items[:1], head, Reason("away"))[0].code == "already_yours"


def test_urging_reaches_whoever_has_it_or_may_decide_it(scene: Scene) -> None:
    [case] = waiting(scene, 1)
    assert perform(Urge(), [item_of(case)], actor_of(scene.officer))[0].ok
    assert told(scene.head, "urged") == [{"name": str(scene.officer), "count": 1}]


def test_followers_read_of_comments(scene: Scene) -> None:
    [case] = waiting(scene, 1)
    perform(Watch(), [item_of(case)], actor_of(scene.officer))
    perform(Comment(), [item_of(case)], actor_of(scene.head))
    assert told(scene.officer, "commented") == [{"name": str(scene.head), "count": 1}]
    assert told(scene.head, "commented") == []
