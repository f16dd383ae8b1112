"""What a person finds in the navigation, and what waits for them."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from approvals.organisations import proposals
from approvals.organisations.models import User
from approvals.organisations.roles import matrix
from notifications.models import Message
from project import navigation
from tests.factories import (
    CountyFactory,
    SchoolFactory,
    TownshipFactory,
    UserFactory,
    acting,
    at_step,
    head_of,
    officer_of,
    person,
)
from workflows.acts import AddSigners, perform
from workflows.clock import today
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db


def request_of(user: User, path: str = "/") -> Any:
    request = RequestFactory().get(path)
    request.user = user
    return request


def keys(user: User) -> set[str]:
    return {entry.key for entry in navigation.entries(request_of(user))}


def counts(user: User) -> dict[str, int]:
    return {item.work.key: item.count for item in navigation.works(request_of(user)) if item.count}


def test_every_entry_and_every_kind_of_work_leads_somewhere() -> None:
    for place in [*navigation.ENTRIES, *navigation.ACTIONS, *navigation.WORK]:
        assert reverse(place.url)


PLACES = {"school": SchoolFactory, "township": TownshipFactory, "county": CountyFactory}


@pytest.mark.parametrize("role", matrix().may)
def test_whatever_a_post_is_offered_opens(role: str, client: Client) -> None:
    [place] = matrix().at[role]
    user = person(role, PLACES[place]())
    client.force_login(user)
    request = request_of(user)
    offered = [*navigation.entries(request), *navigation.actions(request), *navigation.works(request)]
    assert {item.href: client.get(item.href).status_code for item in offered} == {item.href: 200 for item in offered}


def test_every_permission_asked_for_exists() -> None:
    asked = {permission for entry in [*navigation.ENTRIES, *navigation.ACTIONS] for permission in entry.permissions}
    asked |= {work.permission for work in navigation.WORK}
    assert asked <= set(matrix().permissions)


def test_a_school_s_officer_finds_rosters_and_no_queue() -> None:
    found = keys(officer_of(SchoolFactory()))
    assert "rosters" in found
    assert not {"queue", "batches"} & found


def test_a_head_finds_the_queue_and_no_rosters() -> None:
    found = keys(head_of(SchoolFactory()))
    assert "queue" in found
    assert "rosters" not in found


def test_an_administrator_finds_nothing_about_cases() -> None:
    assert keys(person("administrator", CountyFactory())) == {
        "home",
        "messages",
        "accounts",
        "permissions",
        "programmes",
        "posts",
        "routes",
    }


def test_a_person_without_a_post_finds_nothing_but_what_everybody_may_read() -> None:
    assert keys(UserFactory()) == {"home", "messages", "programmes"}


def test_what_waits_is_counted_below_one_s_own_office_only() -> None:
    township = TownshipFactory()
    school, other = SchoolFactory(parent=township), SchoolFactory()
    at_step("township_review", school=school)
    at_step("township_review", school=school)
    at_step("township_review", school=other)
    at_step("school_review", school=school)
    assert counts(person("township_reviewer", township)) == {"township_review": 2}
    assert counts(head_of(school)) == {"school_review": 1}
    assert counts(person("county_reviewer", CountyFactory())) == {}


def test_drafts_and_what_was_approved_wait_for_the_officer() -> None:
    school = SchoolFactory()
    at_step("draft", school=school)
    at_step("school_notice", school=school)
    assert counts(officer_of(school)) == {"drafts": 1, "school_to_notice": 1}


def test_unread_messages_are_counted_for_their_reader_alone() -> None:
    reader, other = officer_of(SchoolFactory()), officer_of(SchoolFactory())
    for number in range(3):
        Message.objects.create(
            recipient=reader, event="returned", about="case", about_id=1, effect=str(number), created_at=timezone.now()
        )
    Message.objects.filter(effect="0").update(read_at=timezone.now())
    counted = {
        user: entry.count
        for user in (reader, other)
        for entry in navigation.entries(request_of(user))
        if entry.key == "messages"
    }
    assert counted == {reader: 2, other: 0}


def test_all_counts_are_one_statement(django_assert_num_queries: Any) -> None:
    school = SchoolFactory()
    request = request_of(officer_of(school))
    with django_assert_num_queries(2):  # the posts, the counts
        navigation.entries(request)
        navigation.works(request)


def test_counting_stops_above_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "CAP", 2)
    school = SchoolFactory()
    for _ in range(4):
        at_step("school_review", school=school)
    [item] = [item for item in navigation.works(request_of(head_of(school))) if item.count]
    assert item.count == 3
    assert item.count_text == "2+"


@pytest.mark.parametrize(
    ("path", "current"), [("/", "home"), ("/queue/", "queue"), ("/queue/decide/", "queue"), ("/x/", "")]
)
def test_the_entry_of_the_page_one_looks_at_is_marked(path: str, current: str) -> None:
    request = request_of(head_of(SchoolFactory()), path)
    assert "".join(entry.key for entry in navigation.entries(request) if entry.current) == current


def test_who_is_asked_to_sign_finds_the_way_without_a_review_post() -> None:
    application = at_step("school_review")
    officer, stranger = officer_of(application.school), officer_of(application.school)
    assert "queue" not in keys(officer)
    item = open_item_of(application.pk)
    assert item
    perform(AddSigners([acting(officer)]), [item.pk], acting(head_of(application.school)))
    assert "queue" in keys(officer)
    assert counts(officer)[navigation.TO_SIGN] == 1
    assert "queue" not in keys(stranger)


def test_what_others_propose_of_posts_waits_for_an_administrator_and_what_is_his_own_does_not() -> None:
    first, second = (person("administrator", CountyFactory()) for _ in range(2))
    proposals.propose_appointment(
        UserFactory(), SchoolFactory(), "aid_officer", today(), None, "工作需要，调整岗位安排。", acting(first)
    )
    proposals.propose_end(second.posts.get(), None, "工作需要，调整岗位安排。", acting(first))
    assert counts(first) == {}
    assert counts(second) == {"posts_to_decide": 1}
    third = person("administrator", CountyFactory())
    assert counts(third) == {"posts_to_decide": 2}
