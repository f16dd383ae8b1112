"""The public site: for everybody, without sign-in, session, cookie or script, and without a name in an address."""

import re
from datetime import date
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, paper
from approvals.notices.models import Notice
from approvals.organisations import papers
from tests.approvals.notices.conftest import Place
from tests.factories import set_training_date
from workflows import Reason
from workflows.background import run_due

HOME = "/public/"
WITHDRAWN = Reason("line_withdrawn", "该生已转学，需重新核实学籍。")
OVER = date(2026, 9, 15)


def address(notice: Notice) -> str:
    return reverse("public:notice", args=[notice.public_id])


def text(response: Any) -> str:
    return response.content.decode()


# ---------------------------------------------------------------- for everybody


def test_anybody_reads_a_notice_without_a_session_or_a_cookie(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    for url in (HOME, address(notice)):
        response = client.get(url)
        assert response.status_code == 200
        assert notice.title in text(response)
        assert not response.cookies
        assert "csrfmiddlewaretoken" not in text(response)
        assert "<script" not in text(response)


def test_the_list_shows_whitelisted_columns_and_nothing_of_a_pupils_secrets(
    school_place: Place, client: Client
) -> None:
    notice = school_place.published(1)
    page = text(client.get(address(notice)))
    application = notice.lines.get().case.application
    assert application.student.name in page
    for secret in (
        application.student.id_number, application.student.enrolment_no, application.student.id_tail,
        application.account_no, application.guardian_name, application.guardian_phone,
        f"{application.student.birth_date:%Y-%m-%d}", "625.00",
    ):  # fmt: skip
        assert secret not in page


def test_a_county_list_masks_every_name(county_place: Place, client: Client) -> None:
    county_place.applications(1, name="欧阳小禾")
    notice = county_place.published(0)
    page = text(client.get(address(notice)))
    assert "欧**" in page
    assert "欧阳" not in page


def test_period_contact_and_fingerprint_are_there(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    page = text(client.get(address(notice)))
    for piece in (
        "2026年9月7日",
        "2026年9月14日",
        "还有5个工作日",
        "王老师",
        "0310-0000000",
        "一楼值班室",
        notice.sha256,
    ):
        assert piece in page


def test_a_provisional_end_is_marked(school_place: Place, client: Client) -> None:
    notice = school_place.pending()
    set_training_date(date(2026, 12, 30))
    actions.publish(notice.pk, school_place.signer, privacy_checked=True, sealed=True)
    assert "暂定" in text(client.get(address(notice)))
    assert "暂定" in text(client.get(HOME))


def test_the_site_reads_in_english_by_its_address(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    response = client.get(f"{address(notice)}?lang=en")
    assert response["Content-Language"] == "en"
    assert "Find a name or a number on this list" in text(response)
    assert notice.title in text(response)
    assert not response.cookies


def test_search_engines_are_kept_away(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    for url in (address(notice), reverse("public:pdf", args=[notice.public_id]), reverse("public:results")):
        assert "noindex" in client.get(url)["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex' in text(client.get(address(notice)))


def test_caches_must_ask_again_and_an_unchanged_page_is_not_sent_twice(school_place: Place, client: Client) -> None:
    notice = school_place.published(2)
    first = client.get(address(notice))
    assert "no-cache" in first["Cache-Control"]
    again = client.get(address(notice), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    actions.withdraw_line(notice.lines.first().pk, school_place.reviewer, WITHDRAWN)
    changed = client.get(address(notice), headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


# ---------------------------------------------------------------- finding


def test_a_name_is_found_by_post_and_kept_nowhere(school_place: Place, client: Client) -> None:
    school_place.applications(1, name="赵一苗")
    notice = school_place.published(2)
    response = client.post(address(notice), {"name": " 赵 一苗 "})
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    found = re.search(r'class="found".*?</table>', text(response), re.S)
    assert found is not None
    assert "赵一苗" in found[0]
    assert "王小" not in found[0]
    assert not re.search(r'(href|action)="[^"]*(赵|%E8%B5%B5)', text(response))
    assert "赵一苗" not in re.search(r"<title>.*?</title>", text(response), re.S)[0]  # type: ignore[index]


def test_the_find_form_needs_no_token(school_place: Place) -> None:
    notice = school_place.published()
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(notice), {"name": "王"}).status_code == 200


def test_a_name_that_is_not_there_is_said_not_to_be(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    assert "没有这个姓名" in text(client.post(address(notice), {"name": "查无此人"}))


def test_on_a_masked_list_only_what_is_shown_is_compared(county_place: Place, client: Client) -> None:
    county_place.applications(1, name="欧阳小禾")
    notice = county_place.draft()
    actions.submit(notice.pk, county_place.author)
    actions.publish(notice.pk, county_place.signer, privacy_checked=True, sealed=True)
    # another name that is shown the same is found just as well: the answer tells no more than the list does
    for name in ("欧阳小禾", "欧阳大海"):
        assert "找到1条" in text(client.post(address(notice), {"name": name}))
    assert "没有这个姓名" in text(client.post(address(notice), {"name": "小禾"}))


def test_a_removed_line_is_neither_listed_nor_found_and_the_page_says_how_many(
    school_place: Place, client: Client
) -> None:
    school_place.applications(1, name="赵一苗")
    notice = school_place.published(2)
    line = notice.lines.get(shown__contains={"姓名": "赵一苗"})
    actions.withdraw_line(line.pk, school_place.reviewer, WITHDRAWN)
    page = text(client.get(address(notice)))
    assert "赵一苗" not in page
    assert "已移除1人" in page
    assert WITHDRAWN.text not in page
    assert "没有这个姓名" in text(client.post(address(notice), {"name": "赵一苗"}))


# ---------------------------------------------------------------- long lists, filters


def test_a_long_list_is_read_page_by_page(
    school_place: Place, client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("approvals.notices.public.LINES_PER_PAGE", 2)
    notice = school_place.published(5)
    with django_assert_max_num_queries(8):
        first = text(client.get(address(notice)))
    assert "?after=2" in first
    last = text(client.get(f"{address(notice)}?after=4"))
    rows = re.findall(r"<tr>\s*<td>(\d+)</td>", last)
    assert rows == ["5"]
    assert "after=6" not in last


def test_notices_are_filtered_by_school_township_and_programme(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    township = school_place.school.path[:8]
    code = type(school_place.school).objects.get(path=township).code
    for query in (f"township={code}", f"school={school_place.school.code}", f"programme={notice.subject}"):
        assert address(notice) in text(client.get(f"{HOME}?{query}"))
    for query in ("township=nowhere", "school=0", "programme=none", f"programme={notice.programme_id}"):
        assert address(notice) not in text(client.get(f"{HOME}?{query}"))
    page = text(client.get(HOME))
    assert f">{notice.subject}</option>" in page
    assert str(notice.programme) not in page, "boarders' and day pupils' lists bear one name in public"


def test_the_home_page_is_paged_and_takes_a_fixed_number_of_statements(
    school_place: Place, client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("approvals.notices.public.NOTICES_PER_PAGE", 2)
    made = [school_place.published(1) for _ in range(5)]
    with django_assert_max_num_queries(9):
        page = text(client.get(HOME))
    seen: list[str] = []
    while True:
        seen += re.findall(r'<h2 lang="zh-Hans"><a href="/public/notices/([0-9a-f]+)/', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if not following:
            break
        page = text(client.get(HOME + following[1].replace("&amp;", "&")))
    assert seen == [notice.public_id for notice in reversed(made)]


# ---------------------------------------------------------------- not public any more


def test_a_draft_was_never_there(school_place: Place, client: Client) -> None:
    notice = school_place.pending()
    assert client.get(address(notice)).status_code == 404
    assert client.get(reverse("public:pdf", args=[notice.public_id])).status_code == 404


@pytest.mark.parametrize("swept", [False, True])
def test_after_the_last_day_only_totals_remain(school_place: Place, client: Client, swept: bool) -> None:
    school_place.applications(1, name="赵一苗")
    notice = school_place.published(1)
    set_training_date(OVER)
    if swept:
        run_due()
    response = client.get(address(notice))
    assert response.status_code == 410
    assert "已撤下" in text(response)
    assert "赵一苗" not in text(response)
    assert "<dd>少于5</dd>" in text(response)
    assert client.post(address(notice), {"name": "赵一苗"}).status_code == 410
    assert client.get(reverse("public:pdf", args=[notice.public_id])).status_code == 410
    assert address(notice) not in text(client.get(HOME))


def test_a_voided_notice_is_gone_with_its_title(school_place: Place, client: Client) -> None:
    notice = school_place.published(1)
    actions.void(notice.pk, school_place.signer, Reason("wrong_list", "名单里缺了两个班级，请重新拟稿。"))
    response = client.get(address(notice))
    assert response.status_code == 410
    assert "已作废" in text(response)
    assert notice.lines.get().shown["姓名"] not in text(response)


@pytest.mark.parametrize("url", ["/public/notices/0123456789abcdef/", "/public/notices/1/"])
def test_an_address_that_was_guessed_is_not_found(db: None, client: Client, url: str) -> None:
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_nothing_can_be_changed_from_outside(school_place: Place, client: Client, method: str) -> None:
    assert getattr(client, method)(address(school_place.published())).status_code == 405


# ---------------------------------------------------------------- on paper


@pytest.mark.skipif(not papers.available(), reason="no Chinese font on this machine")
def test_the_list_prints_on_a4_without_what_was_removed(school_place: Place, client: Client) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    school_place.applications(1, name="赵一苗")
    notice = school_place.published(2)
    cache.clear()
    url = reverse("public:pdf", args=[notice.public_id])

    def read() -> str:
        response = client.get(url)
        assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
        reader = PdfReader(BytesIO(response.content))
        assert [round(side / 72 * 25.4) for side in reader.pages[0].mediabox[2:]] == [210, 297]
        return "".join(page.extract_text() for page in reader.pages)

    assert "赵一苗" in read()
    actions.withdraw_line(notice.lines.get(shown__contains={"姓名": "赵一苗"}).pk, school_place.reviewer, WITHDRAWN)
    assert "赵一苗" not in read()


@pytest.mark.skipif(not papers.available(), reason="no Chinese font on this machine")
def test_a_list_beyond_one_file_is_printed_in_parts(
    school_place: Place, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "ROWS_PER_FILE", 2)
    cache.clear()
    notice = school_place.published(3)
    url = reverse("public:pdf", args=[notice.public_id])
    assert client.get(f"{url}?part=2").status_code == 200
    for beyond in ("3", "0", "x"):
        assert client.get(f"{url}?part={beyond}").status_code == 404


@pytest.mark.parametrize("part", ["000001999999", "01", "٠١", "1999999", "9" * 5000, "+1", "1 "])
def test_a_paper_has_one_address_and_nobody_else_has_it_typeset_anew(
    school_place: Place, client: Client, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    typeset: list[int] = []
    monkeypatch.setattr(paper, "pdf_of", lambda notice, part, address: typeset.append(part) or b"%PDF")
    cache.clear()
    url = reverse("public:pdf", args=[school_place.published().public_id])
    assert client.get(url, {"part": part}).status_code == 404
    assert [client.get(url).status_code, client.get(url, {"part": "1"}).status_code] == [200, 200]
    assert typeset == [1]


def test_without_a_chinese_font_the_page_offers_no_pdf(
    school_place: Place, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("approvals.notices.public.papers_available", lambda: False)
    notice = school_place.published()
    assert "list.pdf" not in text(client.get(address(notice)))


@pytest.mark.django_db
def test_a_wrong_address_is_answered_in_the_public_frame_and_without_a_cookie(client: Client) -> None:
    for address_ in ("/public/nonsense/", "/public/policies/x/y", "/public/notices/"):
        answer = client.get(address_)
        assert answer.status_code == 404
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert not answer.cookies
        assert "csrfmiddlewaretoken" not in text(answer)
