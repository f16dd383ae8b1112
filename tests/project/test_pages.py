"""The frame of the pages: who sees what in it, the demo's sign-in, and the pages that say what went wrong."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path, reverse
from django.utils import timezone

from approvals.organisations.models import Post, User
from project import demo, walk
from project.views import server_error
from tests.factories import (
    FIRST_DAY,
    PASSWORD,
    CountyFactory,
    PostFactory,
    SchoolFactory,
    TownshipFactory,
    UserFactory,
    at_step,
    head_of,
    officer_of,
    person,
    set_training_date,
)

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


# ---------------------------------------------------------------- the frame


def test_home_asks_to_sign_in(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/sign-in/?next=/"


def test_the_frame_names_the_person_and_the_post(client: Client) -> None:
    client.force_login(person("aid_officer", SchoolFactory(name="鸡泽县示例中心小学"), name="李敏"))
    page = text(client.get("/"))
    assert "李敏" in page
    assert "鸡泽县示例中心小学 · " in page


def test_somebody_without_a_post_is_told_where_posts_come_from(client: Client) -> None:
    client.force_login(UserFactory())
    assert "岗位由县里的系统管理员设置" in text(client.get("/"))


def test_pages_are_strict_about_styles_and_scripts(client: Client) -> None:
    set_training_date()
    page = client.get("/sign-in/")
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert not re.search(r"<[^>]+ (style|on\w+)=", text(page))


def test_home_takes_at_most_eight_statements(client: Client, django_assert_max_num_queries: Any) -> None:
    set_training_date()
    school = SchoolFactory()
    for step in ("draft", "school_review", "school_notice"):
        at_step(step, school=school)
    user = officer_of(school)
    PostFactory(user=user, organisation=school, role="school_head")
    client.force_login(user)
    client.get("/")
    with django_assert_max_num_queries(8):
        client.get("/")


def test_signing_out_needs_a_post_request(client: Client) -> None:
    client.force_login(UserFactory())
    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).headers["Location"] == "/sign-in/"
    assert client.get("/").status_code == 302


# ---------------------------------------------------------------- language


def test_pages_turn_english_at_a_post_and_stay_so(client: Client) -> None:
    client.post(reverse("set_language"), {"language": "en", "next": "/sign-in/"})
    page = client.get("/sign-in/")
    assert '<html lang="en">' in text(page)
    assert "<h1>Sign in</h1>" in text(page)


def test_the_switch_never_leads_to_another_site(client: Client) -> None:
    answer = client.post(reverse("set_language"), {"language": "en", "next": "https://example.org/"})
    assert answer.headers["Location"] == "/"


# ---------------------------------------------------------------- signing in


@pytest.fixture
def demo_people() -> None:
    set_training_date()
    school = SchoolFactory(parent=TownshipFactory(), name="鸡泽县示例中心小学")
    PostFactory(user=UserFactory(username="officer1", name="李敏"), organisation=school, role="aid_officer")
    PostFactory(user=UserFactory(username="county1"), organisation=CountyFactory(), role="county_reviewer")


def test_the_demo_lists_its_accounts_with_their_posts(client: Client, demo_people: None) -> None:
    page = text(client.get("/sign-in/"))
    assert 'name="username" value="officer1"' in page
    assert "鸡泽县示例中心小学 · " in page
    assert PASSWORD in page


def test_a_database_without_a_training_clock_lists_nobody(client: Client) -> None:
    PostFactory(user=UserFactory(username="officer1"))
    page = text(client.get("/sign-in/"))
    assert "officer1" not in page
    assert walk.PASSWORD not in page
    assert "前进一个工作日" not in page


def test_a_place_that_is_no_demo_lists_nobody_even_with_the_clock(
    client: Client, demo_people: None, settings: Any
) -> None:
    settings.DEMO = False
    page = text(client.get("/sign-in/", secure=True))
    assert "officer1" not in page
    assert "前进一个工作日" not in page


def test_an_account_whose_post_was_revoked_is_not_offered(client: Client, demo_people: None) -> None:
    Post.objects.filter(user__username="county1").update(revoked_at=timezone.now())
    assert 'value="county1"' not in text(client.get("/sign-in/"))


def test_signing_in_leads_on_to_where_one_wanted_to_go_but_not_away(client: Client, demo_people: None) -> None:
    form = {"username": "officer1", "password": PASSWORD}
    assert client.post("/sign-in/", form | {"next": "/rosters/"}).headers["Location"] == "/rosters/"
    assert client.post("/sign-in/", form | {"next": "https://example.org/"}).headers["Location"] == "/"


def test_five_wrong_passwords_close_the_account_to_this_place_for_a_while(client: Client, demo_people: None) -> None:
    for _ in range(5):
        answer = client.post("/sign-in/", {"username": "officer1", "password": "wrong"})
    assert answer.status_code == 429
    assert "15 分钟" in text(answer)
    assert client.post("/sign-in/", {"username": "officer1", "password": PASSWORD}).status_code == 429


# ---------------------------------------------------------------- what went wrong


def _falls_over(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on purpose")


def _forbids(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [
    path("falls-over/", _falls_over),
    path("forbids/", _forbids),
    path("", include("project.urls")),
]
handler500 = "project.views.server_error"
WRONG_PAGES = [
    ("/forbids/", 403, "您的岗位不能打开此页", "Your post does not open this page"),
    ("/nowhere/", 404, "这个地址没有内容", "There is nothing at this address"),
    ("/falls-over/", 500, "系统出错了", "Something went wrong on our side"),
]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("address", "status", "chinese", "english"), WRONG_PAGES)
def test_what_went_wrong_is_said_in_both_languages(address: str, status: int, chinese: str, english: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(head_of(SchoolFactory()))
    for language, sentence in (("zh-hans", chinese), ("en", english)):
        client.cookies["django_language"] = language
        answer = client.get(address)
        assert answer.status_code == status
        assert sentence in text(answer)


def test_an_address_that_only_takes_forms_says_so_when_it_is_opened(client: Client) -> None:
    answer = client.get(reverse("clock_forward"))
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert "请重新打开原来的页面" in text(answer)


@pytest.mark.urls(__name__)
def test_a_failure_shows_the_number_that_the_log_knows_it_by() -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/falls-over/", headers={"x-request-id": "number-12345678"})
    assert "number-12345678" in text(answer)


@pytest.mark.urls(__name__)
def test_the_page_of_a_failure_asks_nothing_of_the_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert server_error(RequestFactory().get("/")).status_code == 500


def test_a_form_without_its_token_is_refused_with_the_way_back(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/sign-in/", headers={"referer": "http://testserver/sign-in/?next=/rosters/"})
    assert answer.status_code == 403
    assert "请重新打开页面，再提交一次" in text(answer)
    assert 'href="/sign-in/?next=/rosters/"' in text(answer).replace("http://testserver", "")


def test_the_way_back_never_leads_to_another_site() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", headers={"referer": "https://example.org/x"})
    assert "example.org" not in text(answer)


# ---------------------------------------------------------------- the demo's bar


def test_the_bar_shows_date_weekday_and_term(client: Client) -> None:
    set_training_date(FIRST_DAY)
    page = text(client.get("/sign-in/"))
    assert "2026年9月7日 星期一" in page
    assert "2026年秋季学期" in page


def test_reset_is_refused_outside_a_demo_database(client: Client) -> None:
    UserFactory(username="stays")
    assert client.post(reverse("demo_reset")).status_code == 403
    assert User.objects.filter(username="stays").exists()


def test_a_reset_signs_out_and_says_so(client: Client, demo_people: None, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[bool] = []
    monkeypatch.setattr(demo, "reset", lambda: loaded.append(True))
    client.force_login(User.objects.get(username="officer1"))
    answer = client.post(reverse("demo_reset"), follow=True)
    assert loaded == [True]
    assert answer.redirect_chain == [("/sign-in/", 302)]
    assert "演示已重新开始" in text(answer)
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("name", ["clock_forward", "demo_reset"])
def test_the_demo_s_buttons_answer_to_post_alone(client: Client, name: str) -> None:
    set_training_date()
    assert client.get(reverse(name)).status_code == 405


def test_the_bar_s_message_is_shown_where_the_form_stood(client: Client) -> None:
    set_training_date()
    answer = client.post(reverse("clock_forward"), {"seen": "2026-09-07", "next": "/sign-in/?next=/queue/"})
    assert answer.headers["Location"] == "/sign-in/?next=/queue/"
    assert "2026年9月8日 星期二" in str(next(iter(get_messages(answer.wsgi_request))))
