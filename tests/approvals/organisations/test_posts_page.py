"""The posts page: for who manages or audits, and for nobody else."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from approvals.organisations.models import Organisation, Post, User
from tests.factories import FIRST_DAY, CountyFactory, SchoolFactory, UserFactory, person, set_training_date

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def training_day() -> None:
    set_training_date()


@pytest.fixture
def school() -> Organisation:
    return SchoolFactory()


@pytest.fixture
def admin() -> User:
    return person("administrator", CountyFactory())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_administrator_gives_and_takes_a_post_on_the_pages(admin: User, school: Organisation) -> None:
    client, user = signed_in(admin), UserFactory(name="钱小满")
    page = client.get(reverse("organisations:appoint"))
    assert page.context["form"]["starts_on"].value() == FIRST_DAY
    answer = client.post(
        reverse("organisations:appoint"),
        {"user": user.username, "organisation": school.pk, "role": "aid_officer", "starts_on": "2026-09-07"},
    )
    assert answer.url == reverse("organisations:posts")
    assert "钱小满" in client.get(answer.url).content.decode()
    post = user.posts.get()
    revoked = reverse("organisations:revoke", args=[post.pk])
    assert "鸡泽县" in client.get(revoked).content.decode()
    assert client.post(revoked, {"reason": "调往外县任教，不再负责。"}).status_code == 302
    post.refresh_from_db()
    assert post.revoked_at is not None


def test_a_refusal_is_shown_as_a_sentence_and_nothing_is_written(admin: User, school: Organisation) -> None:
    head = person("school_head", school)
    answer = signed_in(admin).post(
        reverse("organisations:appoint"),
        {"user": head.username, "organisation": school.pk, "role": "aid_officer", "starts_on": "2026-09-07"},
    )
    assert answer.status_code == 422
    assert "不相容" in answer.content.decode()
    assert head.posts.count() == 1


def test_an_unknown_account_is_refused(admin: User, school: Organisation) -> None:
    answer = signed_in(admin).post(
        reverse("organisations:appoint"),
        {"user": "nobody", "organisation": school.pk, "role": "aid_officer", "starts_on": "2026-09-07"},
    )
    assert "没有这个账号" in answer.content.decode()


def test_a_short_reason_is_refused(admin: User, school: Organisation) -> None:
    post = person("aid_officer", school).posts.get()
    answer = signed_in(admin).post(reverse("organisations:revoke", args=[post.pk]), {"reason": "不干了"})
    assert answer.status_code == 422
    assert Post.objects.get(pk=post.pk).revoked_at is None


def test_the_auditor_reads_and_cannot_change(admin: User, school: Organisation) -> None:
    auditor = signed_in(person("auditor", CountyFactory()))
    post = person("aid_officer", school).posts.get()
    page = auditor.get(reverse("organisations:posts")).content.decode()
    assert school.name in page
    assert reverse("organisations:revoke", args=[post.pk]) not in page
    revoking = reverse("organisations:revoke", args=[post.pk])
    assert auditor.post(revoking, {"reason": "调往外县任教，不再负责。"}).status_code == 403
    assert auditor.get(reverse("organisations:appoint")).status_code == 403


@pytest.mark.parametrize("role", ["aid_officer", "school_head"])
def test_others_do_not_see_the_posts(role: str, school: Organisation) -> None:
    client = signed_in(person(role, school))
    assert client.get(reverse("organisations:posts")).status_code == 403


def test_nobody_sees_the_posts_without_signing_in() -> None:
    assert Client().get(reverse("organisations:posts")).status_code == 302


def test_posts_are_filtered_by_word_and_role(admin: User, school: Organisation) -> None:
    person("aid_officer", school, name="段一禾")
    person("school_head", school, name="汤二苗")
    client = signed_in(admin)
    by_name = client.get(reverse("organisations:posts"), {"q": "一禾"}).content.decode()
    assert "段一禾" in by_name
    assert "汤二苗" not in by_name
    by_role = client.get(reverse("organisations:posts"), {"role": "school_head"}).content.decode()
    assert "汤二苗" in by_role
    assert "段一禾" not in by_role


def test_an_ended_post_is_shown_as_such_and_offers_nothing(admin: User, school: Organisation) -> None:
    user = person("aid_officer", school)
    user.posts.update(ends_on=FIRST_DAY - timedelta(days=1))
    page = signed_in(admin).get(reverse("organisations:posts")).content.decode()
    assert "已到期" in page
    assert reverse("organisations:revoke", args=[user.posts.get().pk]) not in page


def test_a_list_of_many_posts_takes_few_statements_and_pages(
    admin: User, school: Organisation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(60):
        person("aid_officer", school)
    client = signed_in(admin)
    client.get(reverse("organisations:posts"))
    with django_assert_max_num_queries(8):
        page = client.get(reverse("organisations:posts"))
    assert len(page.context["rows"]) == 50
    rest = client.get(reverse("organisations:posts") + page.context["next"])
    assert len(rest.context["rows"]) == 11
