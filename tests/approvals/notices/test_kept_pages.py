"""A page that a process keeps is shown only while it is true: the next request knows of any change, by any door."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.notices import actions, public
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.site.frame import Kept, Shelf, shelf
from approvals.notices.site.stamps import Stamp
from tests.approvals.notices.conftest import Place
from tests.factories import set_training_date
from workflows import Reason
from workflows.seal.sealing import seal_now

NAME = "赵一苗"
WITHDRAWN = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")
WRONG = Reason("wrong_list", "名单里缺了两个班级，请重新拟稿。")
OVER = date(2026, 9, 15)


def address(notice: Notice) -> str:
    return reverse("public:notice", args=[notice.public_id])


def text(response: Any) -> str:
    return response.content.decode()


@pytest.fixture
def notice(school_place: Place, client: Client) -> Notice:
    """A notice with 赵一苗 on it whose page, and the lists that name it, this process keeps."""
    school_place.applications(1, name=NAME)
    made = school_place.published(5)
    seal_now()
    for url in (address(made), "/public/", reverse("public:feed")):
        for _ in range(2):
            response = client.get(url)
            assert response.status_code == 200
    assert NAME in text(client.get(address(made)))
    return made


def test_a_kept_page_costs_one_statement_and_its_view_is_not_called(
    notice: Notice, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "_noticed", None)
    with CaptureQueriesContext(connection) as asked:
        response = client.get(address(notice))
    assert (response.status_code, len(asked)) == (200, 1)
    assert client.get(address(notice), headers={"If-None-Match": response["ETag"]}).status_code == 304


def _withdrawn(notice: Notice, place: Place) -> None:
    line = notice.lines.get(shown__contains={"姓名": NAME})
    assert actions.withdraw_line(line.pk, place.reviewer, WITHDRAWN).ok


def _by_hand(notice: Notice, place: Place) -> None:
    NoticeLine.objects.filter(notice=notice, shown__contains={"姓名": NAME}).update(state="removed")


@pytest.mark.parametrize("take_off", [_withdrawn, _by_hand])
def test_a_line_taken_off_is_gone_from_the_next_request_on(
    notice: Notice, school_place: Place, client: Client, take_off: Callable[[Notice, Place], None]
) -> None:
    before = client.get(address(notice))
    take_off(notice, school_place)
    for headers in ({}, {"If-None-Match": before["ETag"]}):
        response = client.get(address(notice), headers=headers)
        assert response.status_code == 200
        assert NAME not in text(response)
        assert "已移除1人" in text(response)
    assert "王小" in text(response)


def _void(notice: Notice, place: Place) -> None:
    actions.void(notice.pk, place.signer, WRONG)


def _pause(notice: Notice, place: Place) -> None:
    Notice.objects.filter(pk=notice.pk).update(state="paused")


def _end(notice: Notice, place: Place) -> None:
    set_training_date(OVER)  # and no sweep has run


@pytest.mark.parametrize("stop", [_void, _pause, _end])
def test_a_notice_that_is_voided_paused_or_over_is_gone_everywhere_from_the_next_request_on(
    notice: Notice, school_place: Place, client: Client, stop: Callable[[Notice, Place], None]
) -> None:
    before = client.get(address(notice))
    stop(notice, school_place)
    for method in (client.get, client.post):
        response = method(address(notice), {"name": NAME}, headers={"If-None-Match": before["ETag"]})
        assert response.status_code == 410
        assert NAME not in text(response)
    for url in ("/public/", reverse("public:feed")):
        assert notice.public_id not in text(client.get(url))
    for name in ("public:pdf", "public:proof"):
        assert client.get(reverse(name, args=[notice.public_id])).status_code == 410


def test_a_paused_notice_says_neither_its_title_nor_that_it_is_over(
    notice: Notice, school_place: Place, client: Client
) -> None:
    _pause(notice, school_place)
    page = text(client.get(address(notice)))
    assert "已中止" in page
    assert notice.title not in page


def test_a_changed_end_is_told_at_once(notice: Notice, client: Client) -> None:
    Notice.objects.filter(pk=notice.pk).update(ends_on=date(2026, 9, 16), provisional=True)
    page = text(client.get(address(notice)))
    assert "2026年9月16日" in page
    assert "暂定" in page


def test_another_day_is_another_page_though_nothing_changed(notice: Notice, client: Client) -> None:
    assert "还有5个工作日" in text(client.get(address(notice)))
    set_training_date(date(2026, 9, 8))
    assert "还有4个工作日" in text(client.get(address(notice)))


def test_a_page_that_will_soon_offer_its_proof_is_not_kept(school_place: Place, client: Client) -> None:
    made = school_place.published()
    page, proof = address(made), reverse("public:proof", args=[made.public_id])
    assert proof not in text(client.get(page))
    seal_now()
    assert proof in text(client.get(page))


def test_languages_pages_and_hosts_are_kept_apart(notice: Notice, client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "gongshi.example"]
    assert "Find a name or a number" in text(client.get(f"{address(notice)}?lang=en"))
    assert "查找姓名或序号" in text(client.get(address(notice)))
    assert NAME not in text(client.get(f"{address(notice)}?after=6"))
    assert "http://testserver/public/notices/" in text(client.get(reverse("public:feed")))
    assert "http://gongshi.example/public/" in text(
        client.get(reverse("public:feed"), headers={"host": "gongshi.example"})
    )


def test_an_answer_to_a_search_is_never_kept(notice: Notice, client: Client) -> None:
    before = dict(shelf._pages)
    assert NAME in text(client.post(address(notice), {"name": NAME}))
    assert dict(shelf._pages) == before


def test_nothing_is_kept_where_the_office_wants_it_so(notice: Notice, client: Client, settings: Any) -> None:
    settings.KEEP_PUBLIC_PAGES = False
    shelf.clear()
    client.get(address(notice))
    assert not shelf._pages


# ---------------------------------------------------------------- the shelf itself

STAMP = Stamp(None, "1 (0,1) 700", ())


def kept(body: bytes = b"page", stamp: Stamp = STAMP, day: str = "2026-09-07", made: float = 1e12) -> Kept:
    return Kept(stamp, day, made, body, 200, {})


@pytest.mark.parametrize(
    ("stamp", "day", "made"),
    [
        (Stamp(None, "1 (0,2) 701", ()), "2026-09-07", 1e12),
        (Stamp(None, "1 (0,1) 700", (3,)), "2026-09-07", 1e12),
        (STAMP, "2026-09-08", 1e12),
        (STAMP, "2026-09-07", 0.0),
    ],
)
def test_a_page_of_another_stamp_or_day_or_long_ago_is_given_up(stamp: Stamp, day: str, made: float) -> None:
    pages = Shelf()
    pages.put(("a",), kept(made=made))
    assert pages.take(("a",), stamp, day) is None
    assert pages.take(("a",), STAMP, "2026-09-07") is None


def test_a_shelf_that_is_full_gives_up_what_was_longest_unread() -> None:
    pages = Shelf(most=10)
    pages.put(("a",), kept(b"12345"))
    pages.put(("b",), kept(b"12345"))
    assert pages.take(("a",), STAMP, "2026-09-07") is not None
    pages.put(("c",), kept(b"12345"))
    assert pages.take(("b",), STAMP, "2026-09-07") is None
    assert pages.take(("a",), STAMP, "2026-09-07") is not None
