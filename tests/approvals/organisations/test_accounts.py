"""Accounts: made, reset and closed by administrators and nobody else; a one-time password opens one page only."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.organisations import accounts
from approvals.organisations.authority import offices_of
from approvals.organisations.models import User
from approvals.organisations.refusals import Refused
from tests.factories import (
    FIRST_DAY,
    PASSWORD,
    CountyFactory,
    PostFactory,
    SchoolFactory,
    UserFactory,
    acting,
    person,
    set_training_date,
)  # fmt: skip
from workflows.models import Record

pytestmark = pytest.mark.django_db

REASON = "已调离本校，不再使用。"
OTHERS = [
    ("auditor", CountyFactory), ("county_leader", CountyFactory), ("finance_maker", CountyFactory),
    ("school_head", SchoolFactory), ("aid_officer", SchoolFactory),
]  # fmt: skip


@pytest.fixture(autouse=True)
def training_day() -> None:
    set_training_date()


@pytest.fixture
def admin() -> User:
    return person("administrator", CountyFactory())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def acts_on(user: int) -> QuerySet[Record]:
    """What was done to an account, but for coming and going."""
    lines = Record.objects.filter(about="account", about_id=user).order_by("id")
    return lines.exclude(act__in=["sign_in", "sign_out"])


def the_password(answer: object) -> str:
    page = answer.content.decode()  # type: ignore[attr-defined]
    return str(page.split('id="one-time">')[1].split("<")[0])


def test_an_account_is_made_and_its_password_told_once_and_changed_at_the_first_sign_in(admin: User) -> None:
    office = signed_in(admin)
    made = office.post(
        reverse("organisations:account_new"), {"username": "zhao.min", "name": "赵敏", "phone": "0310-7520000"}
    )
    password = the_password(made)
    assert "no-store" in made.headers["Cache-Control"]
    user = User.objects.get(username="zhao.min")
    assert password not in office.get(reverse("organisations:account", args=[user.pk])).content.decode()
    client = Client()
    assert client.post(reverse("login"), {"username": "zhao.min", "password": password}).status_code == 302
    own = reverse("organisations:own_password")
    for closed_page in (reverse("home"), reverse("applications:list"), reverse("notifications:inbox")):
        assert client.get(closed_page).headers["Location"] == own
    weak = client.post(own, {"old": password, "new": "12345", "again": "12345"})
    assert weak.status_code == 422
    same = client.post(own, {"old": password, "new": password, "again": password})
    assert same.status_code == 422
    assert client.post(own, {"old": "wrong", "new": "Bian-Hua-2026", "again": "Bian-Hua-2026"}).status_code == 422
    assert client.post(own, {"old": password, "new": "Bian-Hua-2026", "again": "Bian-Hua-2026"}).status_code == 302
    assert client.get(reverse("home")).status_code == 200
    acts = acts_on(user.pk)
    assert list(acts.values_list("act", flat=True)) == ["create_account", "choose_password"]
    assert password not in str([line.data for line in acts])


def test_a_reset_ends_the_sessions_and_the_old_password(admin: User) -> None:
    user = person("aid_officer", SchoolFactory())
    client = signed_in(user)
    assert client.get(reverse("home")).status_code == 200
    password = the_password(signed_in(admin).post(reverse("organisations:account_password", args=[user.pk])))
    assert client.get(reverse("home")).status_code == 302
    user.refresh_from_db()
    assert not user.check_password(PASSWORD)
    assert user.check_password(password)
    assert user.one_time


def test_no_administrator_learns_the_password_of_another_who_could_approve_in_his_name(admin: User) -> None:
    other, to_come = person("administrator", CountyFactory()), UserFactory()
    PostFactory(user=to_come, organisation=CountyFactory(), role="administrator", starts_on=FIRST_DAY + timedelta(9))
    client = signed_in(admin)
    for user in (other, to_come):
        with pytest.raises(Refused) as refused:
            accounts.reset_password(user.pk, acting(admin))
        assert f"create_administrator {user.username}" in str(refused.value)
        page = client.post(reverse("organisations:account_password", args=[user.pk]), follow=True).content.decode()
        assert 'id="one-time"' not in page
        assert page.count(f"create_administrator {user.username}") == 2, "the refusal, and the page instead of a button"
        user.refresh_from_db()
        assert (user.check_password(PASSWORD), user.one_time) == (True, False)
    call_command("create_administrator", other.username, stdout=StringIO(), stderr=StringIO())
    other.refresh_from_db()
    assert other.one_time
    former = person("administrator", CountyFactory())
    former.posts.update(revoked_at=timezone.now())
    assert accounts.reset_password(former.pk, acting(admin))


def test_a_closed_account_is_out_at_once_and_comes_back_with_its_posts(admin: User) -> None:
    user = person("aid_officer", SchoolFactory())
    client, office = signed_in(user), signed_in(admin)
    close, reopen = (reverse(f"organisations:account_{act}", args=[user.pk]) for act in ("close", "reopen"))
    assert office.post(close, {"reason": "短"}).status_code == 422
    assert office.post(close, {"reason": REASON}).status_code == 302
    assert client.get(reverse("home")).status_code == 302
    assert offices_of(user) == []
    with pytest.raises(Refused):
        accounts.reset_password(user.pk, acting(admin))
    assert office.post(reopen, {"reason": REASON}).status_code == 302
    assert len(offices_of(user)) == 1
    lines = acts_on(user.pk)
    assert [(line.act, line.reason_text) for line in lines] == [("close_account", REASON), ("reopen_account", REASON)]


@pytest.mark.parametrize(("role", "place"), OTHERS)
def test_only_administrators_manage_accounts(role: str, place: type) -> None:
    other, user = person(role, place()), UserFactory()
    client = signed_in(other)
    for page in ("accounts", "account_new"):
        assert client.get(reverse(f"organisations:{page}")).status_code == 403
    assert client.get(reverse("organisations:account", args=[user.pk])).status_code == 403
    for act in ("password", "close", "reopen"):
        address = reverse(f"organisations:account_{act}", args=[user.pk])
        assert client.post(address, {"reason": REASON}).status_code == 403
    for act in (
        lambda by: accounts.create("new", "新人", "", by),
        lambda by: accounts.reset_password(user.pk, by),
        lambda by: accounts.close(user.pk, by, REASON),
        lambda by: accounts.reopen(user.pk, by, REASON),
        lambda by: accounts.choose_password(user, "Bian-Hua-2026", by),
    ):
        with pytest.raises(PermissionDenied):
            act(acting(other))
    assert not acts_on(user.pk).exists()


def test_nobody_manages_their_own_account_and_names_are_taken_once(admin: User) -> None:
    by = acting(admin)
    for act in (
        lambda: accounts.reset_password(admin.pk, by),
        lambda: accounts.close(admin.pk, by, REASON),
        lambda: accounts.create(admin.username.upper(), "同名", "", by),
        lambda: accounts.create("有 空格", "空格", "", by),
    ):
        with pytest.raises(Refused):
            act()


def test_the_list_finds_by_name_account_and_phone(admin: User, django_assert_max_num_queries: object) -> None:
    UserFactory(name="钱小满", phone="0310-7521234")
    UserFactory(name="孙大年")
    client = signed_in(admin)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        page = client.get(reverse("organisations:accounts"), {"q": "7521234"}).content.decode()
    assert "钱小满" in page
    assert "孙大年" not in page


def test_the_first_administrator_comes_from_the_command_line() -> None:
    with pytest.raises(CommandError):
        call_command("create_administrator", "admin", stdout=StringIO(), stderr=StringIO())
    CountyFactory()
    out = StringIO()
    call_command("create_administrator", "admin", "--name", "李主任", stdout=out, stderr=StringIO())
    user = User.objects.get(username="admin")
    assert user.check_password(out.getvalue().strip())
    assert (user.one_time, [office.role for office in offices_of(user)]) == (True, ["administrator"])
    again = StringIO()
    call_command("create_administrator", "admin", stdout=again, stderr=StringIO())
    user.refresh_from_db()
    assert user.check_password(again.getvalue().strip())
    user.posts.update(revoked_at=timezone.now())
    call_command("create_administrator", "admin", stdout=StringIO(), stderr=StringIO())
    assert [office.role for office in offices_of(user)] == ["administrator"]
    UserFactory(username="officer9")
    with pytest.raises(CommandError):
        call_command("create_administrator", "officer9", stdout=StringIO(), stderr=StringIO())
