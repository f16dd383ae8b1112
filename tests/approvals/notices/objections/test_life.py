"""An objection from receipt to its end: what each act does, and every reason for which it is refused."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from approvals.applications import recusals
from approvals.notices import actions as notices
from approvals.notices import queries as notice_queries
from approvals.notices.models import Notice, NoticeLine, Objection
from approvals.notices.objections import actions, eligibility, queries, receipts, words
from approvals.notices.objections.models import OUTCOMES, Ruling
from approvals.organisations.employers import employ
from approvals.people.crypto import blind_index
from approvals.people.models import Kinship
from notifications.models import Message
from tests.approvals.notices.conftest import Place, refused
from tests.approvals.notices.objections.conftest import HERE, REPLY, Scene, scene_of
from tests.factories import CountyFactory, acting, person, set_training_date
from workflows import Reason, decide, working_days
from workflows.actors import SYSTEM
from workflows.background import run_due
from workflows.facts import add_noticed
from workflows.models import ActingLevel, CalendarDay, CalendarYear, Case, Record
from workflows.queries import open_items

NO_FACTS = Reason("no_facts", "没有说明可以核实的具体事实，请补充后再提。")
WRONG = Reason("wrong_list", "名单里缺了两个班级，请重新拟稿。")
MOVED_AWAY = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")
LAST, OVER = date(2026, 9, 14), date(2026, 9, 15)


def item_of(scene: Scene, number: int = 1) -> int:
    case = scene.line(number).case_id
    return open_items("aid", scene.notice.step, [case])[case]


# ---------------------------------------------------------------- received


def test_an_objection_holds_its_line_from_receipt_and_is_due_in_two_working_days(scene: Scene) -> None:
    objection, digits = scene.sent(2, name="刘大海", contact="邻居家座机")
    assert (objection.state, objection.number, objection.due_on) == ("received", 1, date(2026, 9, 9))
    assert receipts.read(receipts.shown(digits)) == digits
    assert queries.by_receipt(digits) == objection
    assert scene.line(2).state == "objected"
    assert scene.line(2).open
    assert queries.held_numbers(scene.notice) == [2]
    assert not Notice.objects.get(pk=scene.notice.pk).contested
    row = Record.objects.get(about="objection", about_id=objection.pk)
    assert (row.act, row.actor, row.actor_name) == ("receive", "", "public")
    assert "刘大海" not in str(row.data)


def test_the_public_list_shows_a_held_line_like_any_other(scene: Scene) -> None:
    scene.object(1)
    assert [line.number for line in notice_queries.listed(scene.notice)] == [1, 2, 3]
    assert notice_queries.removed(scene.notice) == 0


def test_the_whole_list_can_be_objected_to_and_holds_no_line(scene: Scene) -> None:
    objection = scene.object(None, "procedure")
    assert objection.line is None
    assert queries.held_numbers(scene.notice) == []


def test_a_line_that_is_not_there_or_was_taken_off_cannot_be_objected_to(scene: Scene) -> None:
    with refused("no_such_line"):
        scene.object(9)
    notices.withdraw_line(
        scene.line(3).pk, scene.place.reviewer, Reason("line_withdrawn", "该生已转学，重新核实学籍。")
    )
    with refused("line_removed"):
        scene.object(3)


def test_what_is_not_on_notice_cannot_be_objected_to(scene: Scene) -> None:
    set_training_date(OVER)
    with refused("period_ended"):
        scene.object()
    run_due()
    with refused("period_ended"):
        scene.object()


def test_a_voided_notice_cannot_be_objected_to(scene: Scene) -> None:
    notices.void(scene.notice.pk, scene.head, WRONG)
    with refused("not_on_notice"):
        scene.object()


def test_a_question_is_answered_once(scene: Scene) -> None:
    scene.object()
    statement = actions.Statement(2, "other", "再说一遍同样的话，看看行不行。")
    with refused("question_used"):
        actions.receive(scene.notice.pk, statement, scene.nonces[-1], HERE)
    assert scene.line(2).state == "listed"


def test_too_many_from_one_place_are_refused(scene: Scene) -> None:
    for _ in range(20):
        scene.object(place=HERE)
    with refused("too_many"):
        scene.object(place=HERE)
    scene.object(place=b"x" * 32)


def test_too_many_to_one_notice_are_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(actions.limits.AN_HOUR, "notice", 3)
    for _ in range(3):
        scene.object()
    with refused("too_many"):
        scene.object()


def test_its_author_may_have_the_county_handle_it(scene: Scene) -> None:
    objection = scene.object(to_county=True)
    assert objection.path == CountyFactory().path
    with pytest.raises(PermissionDenied):
        actions.accept(objection.pk, scene.head)
    assert actions.accept(objection.pk, scene.leader).state == "accepted"


# ---------------------------------------------------------------- accepted or not


def test_accepting_contests_the_notice_and_leaves_five_working_days_from_receipt(scene: Scene) -> None:
    objection = scene.accepted()
    assert (objection.state, objection.due_on) == ("accepted", LAST)
    assert Notice.objects.get(pk=scene.notice.pk).contested


def test_what_is_not_accepted_frees_its_line_and_says_why(scene: Scene) -> None:
    objection = actions.not_accept(scene.object().pk, scene.head, NO_FACTS)
    assert (objection.state, objection.reply, objection.due_on) == ("not_accepted", NO_FACTS.text, None)
    assert scene.line().state == "listed"
    assert not Notice.objects.get(pk=scene.notice.pk).contested


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason("nonsense", "没有说明可以核实的具体事实。"), "reason_unknown"),
        (Reason("no_facts", "不行"), "reason_too_short"),
        (Reason("no_facts", "该生父亲的电话是13812345678，请核对。"), "reply_private"),
    ],
)
def test_why_it_is_not_accepted_must_be_said_and_hold_nothing_private(scene: Scene, reason: Reason, code: str) -> None:
    objection = scene.object()
    with refused(code):
        actions.not_accept(objection.pk, scene.head, reason)
    assert scene.line().state == "objected"


def test_an_act_out_of_its_time_is_refused(scene: Scene) -> None:
    objection = scene.accepted()
    with refused("answered_before"):
        actions.accept(objection.pk, scene.head)
    with refused("answered_before"):
        actions.not_accept(objection.pk, scene.head, NO_FACTS)
    objection = actions.decide(scene.investigated(2).pk, scene.teacher, "dismissed", REPLY)
    with refused("answered_before"):
        actions.refer(objection.pk, scene.head)
    fresh = scene.object(3)
    with refused("answered_before"):
        actions.assign(fresh.pk, scene.teacher.user_id, scene.head)


def test_who_holds_no_post_for_it_does_nothing(scene: Scene) -> None:
    objection = scene.object()
    for by in (scene.teacher, scene.clerk, scene.place.author):
        with pytest.raises(PermissionDenied):
            actions.accept(objection.pk, by)
        with pytest.raises(PermissionDenied):
            actions.not_accept(objection.pk, by, NO_FACTS)
        with pytest.raises(PermissionDenied):
            actions.refer(objection.pk, by)
        with pytest.raises(PermissionDenied):
            actions.assign(objection.pk, scene.teacher.user_id, by)


# ---------------------------------------------------------------- who may look into it


def test_nobody_whom_it_touches_looks_into_it_and_the_reasons_are_told(scene: Scene) -> None:
    kin = acting(person("class_teacher", scene.place.school))
    student = scene.line().case.application.student
    Kinship.objects.create(person=kin.user.person, id_hash=student.id_hash, id_tail="0000", relation="direct")
    recusals.find([scene.line().case_id])
    acted = acting(person("class_teacher", scene.place.school))
    ActingLevel.objects.create(case_id=scene.line().case_id, person=acted.key, level="class")
    blamed = acting(person("class_teacher", scene.place.school))
    objection = actions.accept(scene.object().pk, scene.head, [blamed.user.person])
    against = {who.user_id: who.reasons for who in eligibility.candidates(objection)}
    assert against == {
        scene.teacher.user_id: [],
        scene.place.author.user_id: ["drafted"],
        scene.head.user_id: ["signed"],
        scene.place.reviewer.user_id: [],
        kin.user_id: ["recused"],
        acted.user_id: ["acted"],
        blamed.user_id: ["complained_of"],
    }
    for user, reasons in against.items():
        if reasons:
            with refused("cannot_investigate"):
                actions.assign(objection.pk, user, scene.head)
    with refused("nobody_named"):
        actions.assign(objection.pk, scene.leader.user_id, scene.head)
    assert actions.assign(objection.pk, scene.teacher.user_id, scene.head).state == "investigating"


def test_a_second_account_of_the_signer_is_the_same_person(scene: Scene) -> None:
    again = person("class_teacher", scene.place.school, person=scene.head.user.person)
    objection = scene.accepted()
    with refused("cannot_investigate"):
        actions.assign(objection.pk, again.pk, scene.head)


def test_where_nobody_at_the_school_may_the_county_handles_it(scene: Scene) -> None:
    case = scene.line().case_id
    ActingLevel.objects.create(case_id=case, person=scene.teacher.key, level="class")
    ActingLevel.objects.create(case_id=case, person=scene.place.reviewer.key, level="school")
    objection = scene.accepted()
    assert (objection.path, objection.state) == (CountyFactory().path, "accepted")
    assert Record.objects.get(about="objection", act="refer").data == {"why": "nobody"}
    assert actions.assign(objection.pk, scene.clerk.user_id, scene.leader).state == "investigating"


def test_who_is_complained_of_does_not_handle_it_but_the_county(scene: Scene) -> None:
    objection = actions.accept(scene.object().pk, scene.head, [scene.head.user.person])
    assert objection.path == CountyFactory().path
    with pytest.raises(PermissionDenied):
        actions.assign(objection.pk, scene.teacher.user_id, scene.head)


def test_the_school_may_hand_it_to_the_county_once(scene: Scene) -> None:
    objection = actions.refer(scene.object().pk, scene.head)
    assert objection.path == CountyFactory().path
    with refused("at_county"):
        actions.refer(objection.pk, scene.leader)


def test_who_looked_into_it_at_the_school_is_free_of_it_once_the_county_has_it(scene: Scene) -> None:
    objection = actions.refer(scene.investigated(name="刘大海", contact="修车铺").pk, scene.head)
    assert (objection.state, objection.investigator) == ("accepted", None)
    with refused("not_investigator"):
        actions.unseal(objection.pk, scene.clerk, "ask_back")
    assert actions.assign(objection.pk, scene.clerk.user_id, scene.leader).state == "investigating"


def test_whoever_is_employed_by_the_school_does_not_look_into_it_at_the_county(scene: Scene) -> None:
    employ(scene.clerk.user, scene.place.school, SYSTEM, "")
    objection = actions.accept(scene.object(to_county=True).pk, scene.leader)
    with refused("cannot_investigate"):
        actions.assign(objection.pk, scene.clerk.user_id, scene.leader)


def test_another_investigator_takes_the_place_of_the_first(scene: Scene) -> None:
    second = acting(person("class_teacher", scene.place.school))
    objection = scene.investigated()
    actions.assign(objection.pk, second.user_id, scene.head)
    with refused("not_investigator"):
        actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)
    assert actions.decide(objection.pk, second, "dismissed", REPLY).state == "replied"


# ---------------------------------------------------------------- decided


def test_upheld_the_case_is_rejected_and_its_line_is_off_the_list(scene: Scene) -> None:
    objection = actions.decide(scene.investigated().pk, scene.teacher, "upheld", REPLY)
    assert (objection.state, objection.outcome) == ("closed", "upheld")
    assert scene.state_of() == "rejected"
    line = scene.line()
    assert (line.state, line.open) == ("removed", False)
    assert notice_queries.removed(scene.notice) == 1
    decided = Record.objects.get(about="case", about_id=line.case_id, act="uphold")
    assert (decided.actor, decided.reason_code) == (scene.teacher.key, words.UPHELD)
    assert ActingLevel.objects.get(case=line.case_id, person=scene.teacher.key).level == "objection"


def test_adjusted_the_case_goes_back_to_review_and_is_noticed_again(scene: Scene) -> None:
    objection = actions.decide(scene.investigated().pk, scene.teacher, "adjusted", REPLY)
    assert objection.state == "closed"
    assert scene.state_of() == "school_review"
    assert scene.line().state == "removed"
    case = Case.objects.get(pk=scene.line().case_id)
    assert (case.round, case.noticed) == (2, [])


def test_dismissed_the_line_waits_until_nobody_can_appeal_any_more(scene: Scene) -> None:
    objection = actions.decide(scene.investigated().pk, scene.teacher, "dismissed", REPLY)
    assert (objection.state, objection.appeal_until) == ("replied", date(2026, 9, 10))
    scene.on(date(2026, 9, 10))
    assert scene.line().state == "objected"
    scene.on(date(2026, 9, 11))
    assert scene.line().state == "listed"
    assert Objection.objects.get(pk=objection.pk).state == "closed"


def test_the_others_go_on_at_the_end_and_a_held_one_stays(scene: Scene) -> None:
    scene.on(LAST)
    scene.object(1)
    scene.on(OVER)
    assert [scene.state_of(number) for number in (1, 2, 3)] == ["school_notice", "township_review", "township_review"]
    assert [scene.line(number).state for number in (1, 2, 3)] == ["objected", "confirmed", "confirmed"]
    notice = Notice.objects.get(pk=scene.notice.pk)
    assert notice.state == "closed"
    assert not notice_queries.is_current(notice, OVER)


def test_after_the_period_a_freed_line_is_confirmed_by_the_next_sweep(scene: Scene) -> None:
    objection = scene.object(1)
    scene.on(OVER)
    actions.not_accept(objection.pk, scene.head, NO_FACTS)
    scene.on(OVER)
    assert scene.line().state == "confirmed"
    assert scene.state_of() == "township_review"
    assert Notice.objects.get(pk=scene.notice.pk).state == "taken_down", "nothing was accepted: the system concludes"


@pytest.mark.parametrize(("outcome", "state"), [("upheld", "rejected"), ("adjusted", "school_review")])
def test_after_the_period_it_is_decided_as_before_it(scene: Scene, outcome: str, state: str) -> None:
    objection = scene.investigated()
    scene.on(OVER)
    actions.decide(objection.pk, scene.teacher, outcome, REPLY)
    scene.on(OVER)
    assert scene.state_of() == state
    left = notice_queries.missing(Notice.objects.get(pk=scene.notice.pk))
    assert left is not None, "people conclude it, and only their words are missing"
    assert (left.objections, left.waiting, left.proposal) == ([], 0, True)


def test_a_line_is_free_when_the_last_objection_to_it_is_settled(scene: Scene) -> None:
    first, second = scene.object(), scene.object()
    actions.not_accept(first.pk, scene.head, NO_FACTS)
    assert scene.line().state == "objected"
    actions.not_accept(second.pk, scene.head, NO_FACTS)
    assert scene.line().state == "listed"


def test_what_another_objection_has_taken_off_needs_no_second_move(scene: Scene) -> None:
    first, second = scene.investigated(), scene.investigated()
    actions.decide(first.pk, scene.teacher, "upheld", REPLY)
    assert actions.decide(second.pk, scene.teacher, "upheld", REPLY).state == "closed"
    assert scene.state_of() == "rejected"


def test_a_whole_list_upheld_says_so_and_moves_nothing(scene: Scene) -> None:
    objection = actions.decide(scene.investigated(None, ground="procedure").pk, scene.teacher, "upheld", REPLY)
    assert objection.state == "closed"
    assert Notice.objects.get(pk=scene.notice.pk).state == "published"
    assert {line.state for line in NoticeLine.objects.filter(notice=scene.notice)} == {"listed"}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("不成立", "reply_too_short"),
        (words.template("dismissed", words.about(1), 3, False, False), "reply_unfinished"),
        ("您反映的关于××同学的问题收悉，经核实情况并不属实，维持原认定。", "reply_unfinished"),
        (REPLY + "该户系低保家庭。", "reply_private"),
        (REPLY + "联系电话13812345678。", "reply_private"),
    ],
)
@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
def test_a_reply_is_whole_and_holds_nothing_private(scene: Scene, outcome: str, reply: str, code: str) -> None:
    objection = scene.investigated()
    with refused(code):
        actions.decide(objection.pk, scene.teacher, outcome, reply)
    assert scene.state_of() == "school_notice"
    assert Objection.objects.get(pk=objection.pk).state == "investigating"


def test_a_reply_names_neither_the_pupil_nor_who_objected(scene: Scene) -> None:
    objection = scene.investigated(name="刘大海", contact="西关路口修车铺")
    pupil = scene.line().case.application.student.name
    for named in (pupil, "刘大海", "西关路口修车铺"):
        with refused("reply_private"):
            actions.decide(objection.pk, scene.teacher, "dismissed", f"{REPLY}（{named}）")


def test_every_template_is_whole_once_it_is_filled_in(scene: Scene) -> None:
    for outcome, _name in OUTCOMES:
        for final in (True, False):
            for line in (1, None):
                text = words.template(outcome, words.about(line), 3, final, line is None)
                filled = text.replace(words.TO_FILL_IN, "入户核实并调取了比对结果")
                actions._check_told(scene.object(), filled, date(2026, 9, 7))
                assert words.TO_FILL_IN in text


def test_only_a_known_outcome_is_decided(scene: Scene) -> None:
    with refused("reason_unknown"):
        actions.decide(scene.investigated().pk, scene.teacher, "ignored", REPLY)


def test_who_came_to_be_touched_by_it_no_longer_decides(scene: Scene) -> None:
    objection = scene.investigated()
    ActingLevel.objects.create(case_id=scene.line().case_id, person=scene.teacher.key, level="school")
    with refused("cannot_investigate"):
        actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)


def test_who_looked_into_it_reviews_the_case_at_no_level(scene: Scene) -> None:
    actions.decide(scene.investigated().pk, scene.teacher, "dismissed", REPLY)
    assert ActingLevel.objects.get(case=scene.line().case_id, person=scene.teacher.key).level == "objection"


# ---------------------------------------------------------------- appealed


def appealed(scene: Scene) -> Objection:
    objection, digits = scene.sent()
    actions.accept(objection.pk, scene.head)
    actions.assign(objection.pk, scene.teacher.user_id, scene.head)
    actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)
    return actions.appeal(digits, "核实时没有到他家里看，也没有问过邻居。")


def test_an_appeal_goes_to_the_county_and_is_decided_by_another_person(scene: Scene) -> None:
    objection = appealed(scene)
    assert (objection.state, objection.path, objection.investigator) == ("appealed", CountyFactory().path, None)
    assert objection.due_on == LAST
    assert scene.line().state == "objected"
    with pytest.raises(PermissionDenied):
        actions.assign(objection.pk, scene.clerk.user_id, scene.head)
    again = person("county_reviewer", CountyFactory(), person=scene.teacher.user.person)
    with refused("cannot_investigate"):
        actions.assign(objection.pk, again.pk, scene.leader)
    assert actions.assign(objection.pk, scene.clerk.user_id, scene.leader).state == "rechecking"


@pytest.mark.parametrize(
    ("outcome", "state", "line"),
    [
        ("dismissed", "school_notice", "listed"),
        ("upheld", "rejected", "removed"),
        ("adjusted", "school_review", "removed"),
    ],
)
def test_what_is_decided_upon_appeal_is_final(scene: Scene, outcome: str, state: str, line: str) -> None:
    objection = appealed(scene)
    actions.assign(objection.pk, scene.clerk.user_id, scene.leader)
    final = actions.decide(objection.pk, scene.clerk, outcome, REPLY)
    assert (final.state, final.outcome, final.appeal_until) == ("closed", outcome, None)
    assert (scene.state_of(), scene.line().state) == (state, line)
    assert list(Ruling.objects.values_list("round", "outcome")) == [(1, "dismissed"), (2, outcome)]


def test_an_appeal_needs_a_receipt_comes_in_time_and_once(scene: Scene) -> None:
    with refused("no_such_receipt"):
        actions.appeal(receipts.new(), "我对答复不满意，请再核实。")
    objection, digits = scene.sent()
    with refused("no_appeal"):
        actions.appeal(digits, "我对答复不满意，请再核实。")
    actions.accept(objection.pk, scene.head)
    actions.assign(objection.pk, scene.teacher.user_id, scene.head)
    actions.decide(objection.pk, scene.teacher, "dismissed", REPLY)
    set_training_date(date(2026, 9, 11))
    with refused("appeal_too_late"):
        actions.appeal(digits, "我对答复不满意，请再核实。")
    set_training_date(date(2026, 9, 10))
    actions.appeal(digits, "我对答复不满意，请再核实。")
    with refused("appealed_already"):
        actions.appeal(digits, "我对答复不满意，请再核实。")


def test_what_was_upheld_cannot_be_appealed(scene: Scene) -> None:
    objection, digits = scene.sent()
    actions.accept(objection.pk, scene.head)
    actions.assign(objection.pk, scene.teacher.user_id, scene.head)
    actions.decide(objection.pk, scene.teacher, "upheld", REPLY)
    with refused("no_appeal"):
        actions.appeal(digits, "我对答复不满意，请再核实。")


def test_an_appeal_after_the_countys_own_notice_goes_to_its_leader(county_place: Place) -> None:
    scene = scene_of(county_place)
    second = acting(person("match_officer", CountyFactory()))
    objection, digits = scene.sent()
    assert objection.path == CountyFactory().path
    actions.accept(objection.pk, scene.leader)
    with refused("cannot_investigate"):
        actions.assign(objection.pk, county_place.signer.user_id, scene.leader)
    actions.assign(objection.pk, scene.clerk.user_id, scene.leader)
    actions.decide(objection.pk, scene.clerk, "dismissed", REPLY)
    actions.appeal(digits, "核实时没有到他家里看，也没有问过邻居。")
    with refused("cannot_investigate"):
        actions.assign(objection.pk, scene.clerk.user_id, scene.leader)
    actions.assign(objection.pk, second.user_id, scene.leader)
    assert actions.decide(objection.pk, second, "upheld", REPLY).state == "closed"
    assert scene.state_of() == "rejected"


# ---------------------------------------------------------------- a held case goes nowhere else


def test_a_held_case_is_neither_withdrawn_nor_concluded_nor_taken_back(scene: Scene) -> None:
    scene.object(1)
    why = MOVED_AWAY
    with refused("objected"):
        notices.withdraw_line(scene.line().pk, scene.place.reviewer, why)
    assert decide([item_of(scene)], "adjust", scene.place.reviewer, why)[0].code == "objected"
    add_noticed([scene.line().case_id], "school_notice")
    assert decide([item_of(scene)], "conclude", SYSTEM)[0].code == "objected"
    assert decide([item_of(scene)], "take_back", scene.head)[0].ok is False
    assert decide([item_of(scene, 2)], "adjust", scene.place.reviewer, why)[0].ok


@pytest.mark.parametrize("outcome", ["uphold", "amend"])
def test_without_an_objection_that_is_looked_into_nobody_upholds_one(scene: Scene, outcome: str) -> None:
    reason = Reason(words.UPHELD if outcome == "uphold" else words.ADJUSTED, REPLY)
    assert decide([item_of(scene)], outcome, scene.teacher, reason)[0].code == "no_objection"
    scene.investigated()
    assert decide([item_of(scene)], outcome, scene.place.author, reason)[0].code == "no_objection"
    assert decide([item_of(scene)], outcome, scene.clerk, reason)[0].code == "no_objection"


def test_a_voided_notice_keeps_its_held_lines_until_they_are_settled(scene: Scene) -> None:
    objection = scene.object(1)
    notices.void(scene.notice.pk, scene.head, WRONG)
    assert [(scene.line(n).state, scene.line(n).open) for n in (1, 2)] == [("objected", True), ("listed", False)]
    again = scene.place.draft()
    assert {line.case_id for line in again.lines.all()} == {scene.line(2).case_id, scene.line(3).case_id}
    actions.not_accept(objection.pk, scene.head, NO_FACTS)
    assert (scene.line().state, scene.line().open) == ("listed", False)
    assert [line.case_id for line in scene.place.draft().lines.all()] == [scene.line().case_id]


def test_an_objection_to_a_voided_notice_can_still_be_upheld(scene: Scene) -> None:
    objection = scene.investigated(1)
    notices.void(scene.notice.pk, scene.head, WRONG)
    actions.decide(objection.pk, scene.teacher, "upheld", REPLY)
    assert scene.state_of() == "rejected"
    assert (scene.line().state, scene.line().open) == ("removed", False)


# ---------------------------------------------------------------- the database holds it too


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "investigating", "investigator": None},
        {"state": "replied", "reply": ""},
        {"state": "closed", "reply": "有", "replied_at": "2026-09-07T08:00+08:00"},
        {"state": "appealed", "appealed_at": None},
    ],
)
def test_no_row_says_what_cannot_be(scene: Scene, wrong: dict[str, object]) -> None:
    objection = scene.object()
    with pytest.raises(IntegrityError), transaction.atomic():
        Objection.objects.filter(pk=objection.pk).update(**wrong)


def test_each_ruling_is_by_another_person_and_there_are_two_at_most(scene: Scene) -> None:
    objection = actions.decide(scene.investigated().pk, scene.teacher, "dismissed", REPLY)
    same = {"objection": objection, "outcome": "upheld", "reply": REPLY, "at": "2026-09-07T08:00+08:00"}
    for row in ({"round": 2, "person": scene.teacher.user.person}, {"round": 1, "person": scene.clerk.user.person},
                {"round": 3, "person": scene.clerk.user.person}):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Ruling.objects.create(by=scene.teacher.user, **same, **row)


# ---------------------------------------------------------------- what the file of a notice takes in


def test_the_summary_tells_everything_but_names(scene: Scene) -> None:
    actions.decide(scene.investigated(name="刘大海", contact="修车铺").pk, scene.teacher, "upheld", REPLY)
    actions.not_accept(scene.object(None, "other").pk, scene.head, NO_FACTS)
    first, second = queries.summary(scene.notice)
    assert (first["number"], first["line"], first["ground"], first["outcome"]) == (1, 1, "not_in_hardship", "upheld")
    assert (first["received_on"], first["replied_on"], first["reply"]) == (date(2026, 9, 7), date(2026, 9, 7), REPLY)
    assert (second["state"], second["line"], second["reply"]) == ("not_accepted", None, NO_FACTS.text)
    for secret in ("刘大海", "修车铺", "新车", scene.teacher.name):
        assert secret not in str((first, second))
    assert queries.counts(scene.notice) == {"all": 2, "open": 0}


def test_the_deadlines_are_the_programmes(scene: Scene) -> None:
    version = scene.place.version
    version.definition["notices"]["school_notice"]["objections"] = {
        "accept_days": 1, "reply_days": 3, "appeal_days": 2, "appeal_reply_days": 4,
    }  # fmt: skip
    type(version).objects.filter(pk=version.pk).update(definition=version.definition, digest="other")
    objection = scene.object()
    assert objection.due_on == date(2026, 9, 8)
    assert actions.accept(objection.pk, scene.head).due_on == date(2026, 9, 10)


def test_a_calendar_that_comes_later_moves_the_deadlines_that_run_and_people_are_told(scene: Scene) -> None:
    at_school, answered = scene.investigated(1), scene.investigated(2)
    answered = actions.decide(answered.pk, scene.teacher, "dismissed", REPLY)
    assert (at_school.due_on, answered.appeal_until) == (date(2026, 9, 14), date(2026, 9, 10))
    CalendarDay.objects.create(day=date(2026, 9, 9), year=CalendarYear.objects.get(year=2026), working=False, name="假")
    working_days.forget()
    assert actions.recompute() == 2
    at_school.refresh_from_db()
    answered.refresh_from_db()
    assert (at_school.due_on, answered.appeal_until) == (date(2026, 9, 15), date(2026, 9, 11))
    told = Message.objects.filter(event="objection_recomputed").values_list("recipient", flat=True)
    assert list(told) == [scene.teacher.user_id]
    assert actions.recompute() == 0


def test_blind_index_of_a_receipt_is_all_that_is_kept(scene: Scene) -> None:
    objection, digits = scene.sent()
    assert bytes(objection.receipt_hash) == blind_index(f"objection receipt {digits}")
