"""Who is told what, once, and without a pupil's name."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from notifications import queries, send
from notifications.events import SENTENCES
from notifications.models import Message
from tests.factories import FIRST_DAY, SchoolFactory, UserFactory, at_step, officer_of, set_training_date, stand_in
from workflows import Reason, clock, decide
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db


def test_the_same_cause_is_told_once_and_another_again() -> None:
    user = UserFactory()
    for cause in ("a", "a", "b"):
        send("batch_waiting", [user.pk], about="batch", about_id=1, cause=cause, data={"name": "20260907-0001"})
    assert Message.objects.filter(recipient=user).count() == 2


def test_a_message_bears_the_demo_s_date_and_keeps_the_machine_s() -> None:
    set_training_date()
    user = UserFactory()
    send("batch_waiting", [user.pk], about="batch", about_id=1, cause="x", data={"name": "B"})
    message = Message.objects.get(recipient=user)
    assert queries.line(message).at.astimezone(clock.CHINA).date() == FIRST_DAY
    assert message.created_at.date() != FIRST_DAY


def test_an_unknown_event_is_a_mistake_in_the_code() -> None:
    with pytest.raises(KeyError):
        send("no_such_event", [1], about="batch", about_id=1, cause="x")


def test_one_send_is_one_statement_for_any_number_of_people(django_assert_num_queries: Any) -> None:
    users = [UserFactory().pk for _ in range(20)]
    with clock.held(), django_assert_num_queries(1):
        send("batch_waiting", users, about="batch", about_id=1, cause="x", data={"name": "B"})


@pytest.mark.parametrize("event", SENTENCES)
def test_every_sentence_can_be_said_in_both_languages_with_hostile_data(event: str) -> None:
    message = Message(
        event=event,
        about="x",
        about_id=1,
        data={"name": "<b>%(x)s", "count": 3, "reason": "100%", "near": 2, "overdue": 1, "due": "%d", "day": "%s"},
    )
    said = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said.append(queries.line(message).sentence)
    assert said[0] != said[1]


def test_the_officer_is_told_of_a_return_with_its_reason_and_no_name(client: Client) -> None:
    set_training_date()
    school = SchoolFactory()
    officer, stranger = officer_of(school), officer_of(SchoolFactory())
    applications = [at_step("school_review", school=school) for _ in range(2)]
    items = [open_item_of(application.case_id).pk for application in applications]
    decide(items, "return", stand_in("review_school"), Reason("form_incomplete", "缺少监护人签名,请补齐后再报"))
    assert not Message.objects.filter(recipient=stranger).exists()
    client.force_login(officer)
    page = client.get(reverse("notifications:inbox")).content.decode()
    assert "2" in page
    assert "申请表" in page
    assert applications[0].student.name not in page
    assert queries.unread(officer.pk) == 1
    client.post(reverse("notifications:read"))
    assert queries.unread(officer.pk) == 0


def test_marking_as_read_changes_nothing_by_get(client: Client) -> None:
    client.force_login(UserFactory())
    assert client.get(reverse("notifications:read")).status_code == 405
