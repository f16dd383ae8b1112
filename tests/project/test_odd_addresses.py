"""Whatever stands in an address or a form, the answer is a page and never a failure."""

import pytest
from django.test import Client
from django.urls import reverse

from approvals.organisations.access import number
from tests.factories import CountyFactory, SchoolFactory, officer_of, person

pytestmark = pytest.mark.django_db
TOO_LONG = "9" * 5000
LISTS = [
    ("county_reviewer", "notices:list", "before"),
    ("county_reviewer", "awards:list", "after"),
    ("county_reviewer", "applications:list", "after"),
    ("finance_maker", "disbursement:list", "before"),
    ("administrator", "organisations:posts", "before"),
    ("officer", "applications:roster_list", "before"),
    ("officer", "notifications:inbox", "before"),
]


def signed_in(client: Client, role: str) -> Client:
    county = CountyFactory()
    client.force_login(officer_of(SchoolFactory()) if role == "officer" else person(role, county))
    return client


@pytest.mark.parametrize(("role", "page", "cursor"), LISTS)
@pytest.mark.parametrize("value", [TOO_LONG, "٣", "-1", "1e9", "x"])
def test_a_cursor_that_nobody_gave_out_begins_at_the_start(
    client: Client, role: str, page: str, cursor: str, value: str
) -> None:
    assert signed_in(client, role).get(reverse(page), {cursor: value}).status_code == 200


@pytest.mark.parametrize("name", ["township", "school", "programme", "after", "x\0"])
def test_a_nul_in_a_public_address_is_not_understood(client: Client, name: str) -> None:
    answer = client.get(reverse("public:notices"), {name: "a\0b"})
    assert (answer.status_code, answer.cookies) == (400, {})


def test_a_nul_in_an_address_of_the_office_is_not_understood(client: Client) -> None:
    assert signed_in(client, "county_reviewer").get(reverse("awards:list"), {"name": "\0"}).status_code == 400


def test_a_nul_in_a_form_or_a_path_or_a_cookie_is_not_understood(client: Client) -> None:
    assert client.post(reverse("login"), {"username": "a\0", "password": "b"}).status_code == 400
    assert client.get("/public/%00/").status_code in (400, 404)
    client.cookies["sessionid"] = "a\0b"
    assert client.get(reverse("login")).status_code == 400


@pytest.mark.parametrize(
    ("text", "read"), [("7", 7), ("007", 7), ("", None), (None, None), ("٧", None), ("9" * 19, None), ("7\n", None)]
)
def test_a_number_is_read_from_an_address(text: str | None, read: int | None) -> None:
    assert number(text) == read
