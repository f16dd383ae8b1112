"""Two people, or a person and a sweep, at the same objection or line in the same moment."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals.notices import actions as notices
from approvals.notices.models import Notice, Objection, Ruling
from approvals.notices.objections import actions
from approvals.notices.tasks import conclude_notices
from approvals.organisations.authority import UserActor
from tests.approvals.notices.conftest import Place
from tests.approvals.notices.objections.conftest import REPLY, Scene, scene_of
from tests.approvals.notices.objections.test_life import LAST, MOVED_AWAY, NO_FACTS, OVER
from tests.approvals.notices.test_races import at_once
from tests.factories import set_training_date
from workflows.background import run_due
from workflows.clock import held, moment
from workflows.models import Record

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(transactional_db: None, school_place: Place) -> Scene:
    return scene_of(school_place)


def at(reading: Any, act: Callable[[], Any]) -> Callable[[], Any]:
    """The act of somebody whose clock was read then: a request reads it once, when it comes in."""

    def done() -> Any:
        with held(reading):
            return act()

    return done


def settled(scene: Scene) -> None:
    """Whatever is left to the sweeps is done; no line may be in a state that its objections do not bear out."""
    run_due()
    for line in scene.notice.lines.all():
        open_about = Objection.objects.filter(line=line).exclude(state__in=["closed", "not_accepted"]).exists()
        assert (line.state == "objected") == open_about, line.number


@pytest.mark.parametrize("turn", range(3))
def test_objecting_at_the_very_moment_of_closing_is_in_time_or_refused(scene: Scene, turn: int) -> None:
    set_training_date(LAST)
    evening = moment()
    set_training_date(OVER)
    answer, _swept = at_once(at(evening, lambda: scene.object(1)), conclude_notices)
    settled(scene)
    if isinstance(answer, Objection):
        assert (scene.line().state, scene.state_of()) == ("objected", "school_notice")
    else:
        assert answer in ("period_ended", "not_on_notice")
        assert (scene.line().state, scene.state_of()) == ("confirmed", "township_review")
    assert [scene.state_of(number) for number in (2, 3)] == ["township_review"] * 2


def test_of_objecting_to_a_line_and_taking_it_off_one_is_refused(scene: Scene) -> None:
    taken_off = lambda: notices.withdraw_line(scene.line(1).pk, scene.place.reviewer, MOVED_AWAY)  # noqa: E731
    objected, result = at_once(lambda: scene.object(1), taken_off)
    settled(scene)
    if isinstance(objected, Objection):
        assert result == "objected" or not result.ok
        assert scene.state_of() == "school_notice"
    else:
        assert objected == "line_removed"
        assert result.ok
        assert scene.state_of() == "school_review"


def test_of_two_who_decide_one_does(scene: Scene) -> None:
    objection = scene.investigated()
    again = UserActor(scene.teacher.user)
    answers = at_once(
        lambda: actions.decide(objection.pk, scene.teacher, "upheld", REPLY),
        lambda: actions.decide(objection.pk, again, "dismissed", REPLY),
    )
    assert answers.count("answered_before") == 1
    assert Ruling.objects.count() == 1
    assert Record.objects.filter(about="objection", act="decide").count() == 1
    settled(scene)


def test_of_accepting_and_not_accepting_one_is_done(scene: Scene) -> None:
    objection = scene.object()
    answers = at_once(
        lambda: actions.accept(objection.pk, scene.head),
        lambda: actions.not_accept(objection.pk, scene.place.reviewer, NO_FACTS),
    )
    assert answers.count("answered_before") == 1
    settled(scene)


def test_a_new_objection_is_not_missed_when_the_last_one_is_settled(scene: Scene) -> None:
    first = scene.object(1)
    answers = at_once(lambda: actions.not_accept(first.pk, scene.head, NO_FACTS), lambda: scene.object(1))
    assert all(isinstance(answer, Objection) for answer in answers)
    settled(scene)
    assert scene.line().state == "objected"


def test_an_appeal_at_the_moment_its_time_runs_out_is_in_time_or_refused(scene: Scene) -> None:
    objection, digits = scene.sent()
    actions.accept(objection.pk, scene.head)
    actions.assign(objection.pk, scene.teacher.user_id, scene.head)
    decided = actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)
    assert decided.appeal_until is not None
    set_training_date(decided.appeal_until)
    evening = moment()
    set_training_date(OVER)
    answer, _swept = at_once(
        at(evening, lambda: actions.appeal(digits, "核实时没有问过邻居，请再核实。")), actions.close_run_out
    )
    settled(scene)
    assert isinstance(answer, Objection) or answer == "appeal_too_late"
    expected = "appealed" if isinstance(answer, Objection) else "closed"
    assert Objection.objects.get().state == expected


def test_one_answer_sent_twice_at_once_is_taken_once(scene: Scene) -> None:
    statement = actions.Statement(1, "other", "他家在县城开店，去年买了新车，不算困难。")

    def send() -> Any:
        return actions.receive(scene.notice.pk, statement, "the-same", b"p" * 32)[0]

    answers = at_once(send, send)
    assert answers.count("question_used") == 1
    assert Objection.objects.count() == 1


def test_upholding_and_the_end_of_the_period_at_once_move_the_case_once(scene: Scene) -> None:
    objection = scene.investigated()
    set_training_date(OVER)
    answers = at_once(lambda: actions.decide(objection.pk, scene.teacher, "upheld", REPLY), conclude_notices)
    assert isinstance(answers[0], Objection)
    settled(scene)
    assert scene.state_of() == "rejected"
    assert Notice.objects.get(pk=scene.notice.pk).state != "published"
