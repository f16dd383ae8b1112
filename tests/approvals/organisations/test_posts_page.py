"""The posts page: for who manages or audits, and for nobody else."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from approvals.organisations.models import Organisation, Post, PostProposal, User
from tests.factories import FIRST_DAY, CountyFactory, PostFactory, SchoolFactory, UserFactory, person, set_training_date

pytestmark = pytest.mark.django_db
WHY = "调往外县任教，不再负责。"


@pytest.fixture(autouse=True)
def training_day() -> None:
    set_training_date()


@pytest.fixture
def school() -> Organisation:
    return SchoolFactory()


@pytest.fixture
def admin() -> User:
    return person("administrator", CountyFactory())


@pytest.fixture
def other() -> User:
    return person("administrator", CountyFactory())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def proposed(school: Organisation, **values: object) -> dict[str, object]:
    return {
        "organisation": school.pk, "role": "aid_officer", "starts_on": "2026-09-07", "reason": WHY,
    } | values  # fmt: skip


def decide(client: Client, answer: str, *keys: int, **more: str) -> str:
    address = reverse("organisations:decide_proposals")
    return client.post(address, {"proposal": keys, "answer": answer, **more}, follow=True).content.decode()


def test_one_administrator_proposes_and_another_approves_on_the_pages(
    admin: User, other: User, school: Organisation
) -> None:
    client, colleague, user = signed_in(admin), signed_in(other), UserFactory(name="钱小满")
    page = client.get(reverse("organisations:appoint"))
    assert page.context["form"]["starts_on"].value() == FIRST_DAY
    answer = client.post(reverse("organisations:appoint"), proposed(school, user=user.username))
    assert answer.url == reverse("organisations:proposals")
    [row] = colleague.get(answer.url).context["rows"]
    waiting = row["proposal"]
    assert (waiting.user, row["why"], user.posts.count()) == (user, "", 0)
    assert "另一名管理员批准" in decide(client, "approve", waiting.pk)
    assert "已同意 1 件" in decide(colleague, "approve", waiting.pk)
    post = user.posts.get()
    ending = reverse("organisations:end", args=[post.pk])
    assert "鸡泽县" in colleague.get(ending).content.decode()
    assert colleague.post(ending, {"reason": WHY}).status_code == 302
    assert "已同意 1 件" in decide(client, "approve", PostProposal.objects.get(state="waiting").pk)
    post.refresh_from_db()
    assert post.revoked_at is not None
    assert "钱小满" in client.get(reverse("organisations:history")).content.decode()


def test_several_are_decided_at_once_and_each_refusal_is_told(admin: User, other: User, school: Organisation) -> None:
    client, colleague = signed_in(admin), signed_in(other)
    for at in (school, SchoolFactory()):
        client.post(reverse("organisations:appoint"), proposed(at, user=UserFactory().username))
    mine = colleague.post(reverse("organisations:appoint"), proposed(SchoolFactory(), user=UserFactory().username))
    assert mine.status_code == 302
    page = decide(colleague, "approve", *PostProposal.objects.values_list("pk", flat=True))
    assert "已同意 2 件" in page
    assert "另一名管理员批准" in page
    assert PostProposal.objects.get(state="waiting").proposed_by == other


def test_declining_needs_a_reason_and_keeps_what_was_ticked(admin: User, other: User, school: Organisation) -> None:
    signed_in(admin).post(reverse("organisations:appoint"), proposed(school, user=UserFactory().username))
    key, colleague = PostProposal.objects.get().pk, signed_in(other)
    answer = colleague.post(
        reverse("organisations:decide_proposals"), {"proposal": key, "answer": "decline", "reason": "不行"}
    )
    assert (answer.status_code, answer.context["ticked"]) == (422, {key})
    assert "未同意 1 件" in decide(colleague, "decline", key, reason="该校另有安排，不予同意。")
    assert "该校另有安排" in colleague.get(reverse("organisations:history")).content.decode()


def test_a_deputy_is_proposed_and_shown_as_one(admin: User, other: User, school: Organisation) -> None:
    post = person("aid_officer", school, name="李四").posts.get()
    deputy = UserFactory(name="张三")
    client = signed_in(admin)
    address = reverse("organisations:deputise", args=[post.pk])
    values = {"user": deputy.username, "starts_on": "2026-09-07", "ends_on": "2026-09-11", "reason": WHY}
    assert client.post(address, values | {"ends_on": ""}).status_code == 422
    assert client.post(address, values).status_code == 302
    assert "张三（代理李四）" in client.get(reverse("organisations:proposals")).content.decode()
    decide(signed_in(other), "approve", PostProposal.objects.get().pk)
    assert "张三（代理李四）" in client.get(reverse("organisations:posts")).content.decode()
    assert "代理李四" in signed_in(deputy).get(reverse("home")).content.decode()
    [mine] = deputy.posts.all()
    assert (
        reverse("organisations:deputise", args=[mine.pk])
        not in client.get(reverse("organisations:posts")).content.decode()
    )


def test_whoever_leaves_has_all_posts_proposed_to_end(admin: User, other: User, school: Organisation) -> None:
    user = person("aid_officer", school)
    PostFactory(user=user, organisation=SchoolFactory(), role="school_head")
    client = signed_in(admin)
    leave = reverse("organisations:account_leave", args=[user.pk])
    assert client.post(leave, {"leave-reason": "短"}).status_code == 422
    assert "已提请免去 2 个岗位" in client.post(leave, {"leave-reason": WHY}, follow=True).content.decode()
    decide(signed_in(other), "approve", *PostProposal.objects.values_list("pk", flat=True))
    assert not user.posts.filter(revoked_at=None).exists()


def test_what_one_proposed_oneself_offers_no_approval_but_says_why(
    admin: User, other: User, school: Organisation
) -> None:
    signed_in(admin).post(reverse("organisations:appoint"), proposed(school, user=UserFactory().username))
    approving, address = 'value="approve"', reverse("organisations:proposals")
    own, second = (signed_in(who).get(address).content.decode() for who in (admin, other))
    assert (approving in own, approving in second) == (False, True)
    assert ("须由另一名管理员批准" in own, "须由另一名管理员批准" in second) == (True, False)


def test_an_only_administrator_is_told_what_to_do(admin: User, school: Organisation) -> None:
    client = signed_in(admin)
    client.post(reverse("organisations:appoint"), proposed(school, user=UserFactory().username))
    assert "create_administrator" in client.get(reverse("organisations:proposals")).content.decode()
    assert decide(client, "approve", PostProposal.objects.get().pk).count("create_administrator") == 2
    person("administrator", CountyFactory())
    assert "create_administrator" not in client.get(reverse("organisations:proposals")).content.decode()


def test_what_nobody_can_approve_is_marked(admin: User, other: User, school: Organisation) -> None:
    client = signed_in(admin)
    client.post(reverse("organisations:appoint"), proposed(school, user=UserFactory().username))
    address = reverse("organisations:proposals")
    assert "create_administrator" not in client.get(address).content.decode()
    assert client.post(reverse("organisations:end", args=[other.posts.get().pk]), {"reason": WHY}).status_code == 302
    for reader in (admin, other, person("auditor", CountyFactory())):
        page = signed_in(reader).get(address)
        assert [row["stuck"] for row in page.context["rows"]] == [False, True]
        assert page.content.decode().count("create_administrator") == 1
        assert page.content.decode().count("无人可以批准") == 1
    person("administrator", CountyFactory())
    assert "无人可以批准" not in client.get(address).content.decode()


def test_a_refusal_is_shown_as_a_sentence_and_nothing_is_written(admin: User, school: Organisation) -> None:
    head = person("school_head", school)
    answer = signed_in(admin).post(
        reverse("organisations:appoint"),
        proposed(school, user=head.username),
    )
    assert answer.status_code == 422
    assert "不相容" in answer.content.decode()
    assert head.posts.count() == 1


def test_an_unknown_account_is_refused(admin: User, school: Organisation) -> None:
    answer = signed_in(admin).post(
        reverse("organisations:appoint"),
        proposed(school, user="nobody"),
    )
    assert "没有这个账号" in answer.content.decode()


def test_a_short_reason_is_refused(admin: User, school: Organisation) -> None:
    post = person("aid_officer", school).posts.get()
    answer = signed_in(admin).post(reverse("organisations:end", args=[post.pk]), {"reason": "不干了"})
    assert answer.status_code == 422
    assert "理由至少10个字，现为3个字" in answer.content.decode()
    assert Post.objects.get(pk=post.pk).revoked_at is None


def test_a_long_reason_is_refused_with_what_was_typed_and_nothing_is_cut(admin: User, school: Organisation) -> None:
    post, long = person("aid_officer", school).posts.get(), "长" * 501
    answer = signed_in(admin).post(reverse("organisations:end", args=[post.pk]), {"reason": long})
    assert "理由最多500个字，现为501个字" in answer.content.decode()
    assert long in answer.content.decode()
    assert "maxlength" not in str(answer.context["form"]["reason"])


def test_whoever_proposes_a_post_chooses_office_and_role(admin: User, school: Organisation) -> None:
    page = signed_in(admin).get(reverse("organisations:appoint"))
    assert "---------" not in page.content.decode()
    assert page.content.decode().count("请选择") == 2, "no role stands there chosen already"


def test_the_auditor_reads_and_cannot_change(admin: User, school: Organisation) -> None:
    auditor = signed_in(person("auditor", CountyFactory()))
    post = person("aid_officer", school).posts.get()
    page = auditor.get(reverse("organisations:posts")).content.decode()
    assert school.name in page
    assert reverse("organisations:end", args=[post.pk]) not in page
    ending = reverse("organisations:end", args=[post.pk])
    assert auditor.post(ending, {"reason": WHY}).status_code == 403
    assert auditor.get(reverse("organisations:appoint")).status_code == 403
    assert auditor.get(reverse("organisations:proposals")).status_code == 200
    assert auditor.post(reverse("organisations:decide_proposals"), {"answer": "approve"}).status_code == 403


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


def test_the_posts_of_one_office_and_those_in_force_are_listed(admin: User, school: Organisation) -> None:
    gone, here = person("aid_officer", school), person("aid_officer", school)
    gone.posts.update(ends_on=FIRST_DAY - timedelta(days=1))
    person("aid_officer", SchoolFactory())
    client, address = signed_in(admin), reverse("organisations:posts")
    assert len(client.get(address, {"office": school.pk}).context["rows"]) == 2
    [row] = client.get(address, {"office": school.pk, "standing": "in_force"}).context["rows"]
    assert row["post"].user == here


def test_an_ended_post_is_shown_as_such_and_offers_nothing(admin: User, school: Organisation) -> None:
    user = person("aid_officer", school)
    user.posts.update(ends_on=FIRST_DAY - timedelta(days=1))
    page = signed_in(admin).get(reverse("organisations:posts")).content.decode()
    assert "已到期" in page
    assert reverse("organisations:end", args=[user.posts.get().pk]) not in page


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
