"""A notice that was objected to is concluded by people: one proposes the words, another signs, once all is settled."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.notices import actions, queries, tasks
from approvals.notices.actions import ending
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.objections import actions as objections
from notifications.models import Message
from tests.approvals.notices.conftest import Place, refused
from tests.factories import acting, person, set_training_date
from workflows.background import run_due
from workflows.models import Case
from workflows.record import history

OVER = date(2026, 9, 15)
TEXT = "公示期内收到异议一件，经核查不成立，维持原认定结果。"


def at(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def contested(place: Place, count: int = 3, held: int = 1) -> Notice:
    """A closed notice about which an objection was accepted; `held` of its lines still have an open one."""
    notice = place.published(count)
    for line in range(1, held + 1):
        said = objections.Statement(line, "other", "这一户的情况与名单上写的不符。")
        objection, _receipt = objections.receive(notice.pk, said, f"question-{line}", bytes([line]) * 32)
        objections.accept(objection.pk, place.signer)
    set_training_date(OVER)
    run_due()
    return at(notice)


def settle(notice: Notice) -> None:
    """The objections were dismissed and not appealed: their lines return to the list, and the sweep moves them on."""
    notice.objections.update(state="closed", outcome="dismissed", reply=TEXT, replied_at=timezone.now())
    NoticeLine.objects.filter(notice=notice, state="objected").update(state="listed")
    run_due()


# ---------------------------------------------------------------- lines


def test_an_objection_holds_its_line_and_lets_the_others_go_on(school_place: Place) -> None:
    notice = contested(school_place)
    assert notice.state == "closed"
    assert sorted(notice.lines.values_list("state", flat=True)) == ["confirmed", "confirmed", "objected"]
    states = Case.objects.filter(notice_lines__notice=notice).values_list("state", flat=True)
    assert sorted(states) == ["school_notice", "township_review", "township_review"]
    assert run_due() == 0, "nothing more to do until it is decided"
    settle(notice)
    assert set(notice.lines.values_list("state", flat=True)) == {"confirmed"}
    assert at(notice).state == "closed", "people conclude it"


def test_an_objected_line_is_still_on_the_list_while_it_runs(school_place: Place) -> None:
    notice = school_place.published(3)
    notice.lines.filter(number=2).update(state="objected")
    assert [line.number for line in queries.listed(notice)] == [1, 2, 3]
    assert queries.removed(notice) == 0


def test_many_contested_notices_do_not_keep_others_from_being_concluded(
    school_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "NOTICES_AT_ONCE", 1)
    waiting = contested(school_place, 2)
    set_training_date(date(2026, 9, 16))
    other = school_place.published(1)
    set_training_date(date(2026, 9, 30))
    tasks.conclude_notices()
    run_due()
    assert (at(waiting).state, at(other).state) == ("closed", "taken_down")


# ---------------------------------------------------------------- proposing and concluding


def test_one_proposes_another_concludes_and_it_is_taken_down(school_place: Place) -> None:
    notice = contested(school_place)
    settle(notice)
    actions.propose(notice.pk, school_place.author, TEXT)
    told = set(Message.objects.filter(event="conclusion_proposed").values_list("recipient", flat=True))
    assert school_place.signer.user.pk in told
    done = actions.conclude(notice.pk, school_place.signer)
    assert (done.state, done.conclusion, done.conclusion_text) == ("taken_down", "objections_settled", TEXT)
    assert (done.conclusion_by, done.concluded_by) == (school_place.author.user, school_place.signer.user)
    lines = list(history("notice", notice.pk))[-3:]
    assert [(line.act, line.reason_text) for line in lines] == [
        ("propose", TEXT),
        ("conclude", TEXT),
        ("take_down", ""),
    ]
    assert run_due() == 0


def test_while_a_line_is_held_or_nothing_is_proposed_nobody_concludes(school_place: Place) -> None:
    notice = contested(school_place)
    with refused("not_proposed"):
        actions.conclude(notice.pk, school_place.signer)
    actions.propose(notice.pk, school_place.author, TEXT)
    with refused("lines_held"):
        actions.conclude(notice.pk, school_place.signer)
    found = queries.missing(at(notice))
    assert found is not None
    assert ([objection.number for objection in found.objections], found.waiting, found.proposal) == ([1], 0, False)
    settle(notice)
    assert not queries.missing(at(notice))
    assert actions.conclude(notice.pk, school_place.signer).state == "taken_down"


def test_two_natural_persons(school_place: Place) -> None:
    notice = contested(school_place)
    settle(notice)
    actions.propose(notice.pk, school_place.author, TEXT)
    with pytest.raises(PermissionDenied):
        actions.conclude(notice.pk, school_place.author)
    twice = acting(person("school_head", school_place.school, person=school_place.author.user.person))
    with refused("same_person_concludes"):
        actions.conclude(notice.pk, twice)
    with pytest.raises(PermissionDenied):
        actions.propose(notice.pk, school_place.signer, TEXT)
    with pytest.raises(IntegrityError, match="concluded_by_a_second_person"), transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(concluded_person=school_place.author.user.person)


def test_what_was_proposed_anew_since_is_not_signed(school_place: Place) -> None:
    notice = contested(school_place)
    settle(notice)
    actions.propose(notice.pk, school_place.author, TEXT)
    actions.propose(notice.pk, school_place.author, TEXT + "已答复反映人。")
    with refused("changed"):
        actions.conclude(notice.pk, school_place.signer, seen=TEXT)
    assert at(notice).state == "closed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("短", "conclusion_length"),
        ("长" * 501, "conclusion_length"),
        ("反映人电话13800000000，已答复。", "conclusion_private"),
    ],
)
def test_words_that_say_nothing_or_something_private_are_refused(school_place: Place, text: str, code: str) -> None:
    notice = contested(school_place)
    with refused(code):
        actions.propose(notice.pk, school_place.author, text)


def test_only_a_closed_notice_that_was_objected_to_is_concluded_by_people(school_place: Place) -> None:
    notice = school_place.published(1)
    with refused("wrong_state"):
        actions.propose(notice.pk, school_place.author, TEXT)
    with refused("wrong_state"):
        actions.conclude(notice.pk, school_place.signer)
    set_training_date(OVER)
    actions.close_due()
    with refused("uncontested"):
        actions.propose(notice.pk, school_place.author, TEXT)
    with refused("uncontested"):
        actions.conclude(notice.pk, school_place.signer)
    run_due()
    assert (at(notice).conclusion, at(notice).concluded_by) == ("no_objection", None)


def test_the_database_keeps_the_system_from_concluding_a_contested_notice(school_place: Place) -> None:
    notice = contested(school_place)
    assert notice.contested
    with pytest.raises(IntegrityError, match="contested_notice_is_concluded_by_people"), transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(state="concluded")


# ---------------------------------------------------------------- the page


def test_the_page_says_what_is_missing_and_takes_the_conclusion(school_place: Place, client: Client) -> None:
    notice = contested(school_place)
    address = reverse("notices:detail", args=[notice.pk])
    client.force_login(school_place.author.user)
    page = client.get(address).content.decode()
    assert "作出结论前还缺什么" in page
    assert "第1行" in page
    assert "拟稿单位尚未拟写结论" in page
    answer = client.post(reverse("notices:propose", args=[notice.pk]), {"text": "短"})
    assert answer.status_code == 422
    assert ">\n短</textarea>" in answer.content.decode()
    client.post(reverse("notices:propose", args=[notice.pk]), {"text": TEXT})
    settle(notice)
    client.force_login(school_place.signer.user)
    page = client.get(address).content.decode()
    assert "签署结论并撤下" in page
    assert "还缺什么" not in page
    page = client.post(reverse("notices:conclude", args=[notice.pk]), {"seen": TEXT}, follow=True).content.decode()
    assert "异议已处理" in page
    assert at(notice).state == "taken_down"
