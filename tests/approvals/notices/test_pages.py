"""The offices' pages: each person sees what is theirs and can do what their post allows, by POST only."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, queries
from approvals.notices.models import Notice
from tests.approvals.notices.conftest import Place
from tests.factories import TERM, SchoolFactory, officer_of, person, set_training_date
from workflows import Reason
from workflows.models import Case

LIST = "/notices/"
WHY = {"reason_code": "wrong_list", "reason_text": "名单里缺了两个班级，请重新拟稿。"}


def why(act: str, **changes: str) -> dict[str, str]:
    return {f"{act}-{key}": value for key, value in (WHY | changes).items()}


def as_author(place: Place, client: Client) -> Client:
    client.force_login(place.author.user)
    return client


def as_signer(place: Place, client: Client) -> Client:
    client.force_login(place.signer.user)
    return client


def act(client: Client, notice: Notice, name: str, data: dict[str, Any] | None = None) -> Any:
    return client.post(reverse(f"notices:{name}", args=[notice.pk]), data or {}, follow=True)


def state(notice: Notice) -> str:
    return Notice.objects.get(pk=notice.pk).state


# ---------------------------------------------------------------- the list


def test_an_officer_drafts_a_notice_of_what_waits_with_one_button(school_place: Place, client: Client) -> None:
    school_place.applications(3)
    page = as_author(school_place, client).get(LIST).content.decode()
    assert "待公示" in page
    assert "拟写公示" in page
    response = client.post(
        reverse("notices:draft"),
        {"step": "school_notice", "organisation": school_place.school.pk, "programme": "living_subsidy_boarder",
         "term": TERM},
        follow=True,
    )  # fmt: skip
    notice = Notice.objects.get()
    assert response.redirect_chain == [(reverse("notices:detail", args=[notice.pk]), 302)]
    assert "拟稿" in response.content.decode()


def test_drafting_what_no_longer_waits_is_refused_with_a_sentence(school_place: Place, client: Client) -> None:
    response = as_author(school_place, client).post(
        reverse("notices:draft"),
        {"step": "school_notice", "organisation": school_place.school.pk, "programme": "living_subsidy_boarder",
         "term": TERM},
        follow=True,
    )  # fmt: skip
    assert "没有待公示的申请" in response.content.decode()


@pytest.mark.parametrize("data", [{}, {"step": "school_notice"}, {"step": "x", "organisation": "x", "programme": "x"}])
def test_a_drafting_request_that_makes_no_sense_is_not_found(
    school_place: Place, client: Client, data: dict[str, str]
) -> None:
    assert as_author(school_place, client).post(reverse("notices:draft"), data).status_code in (403, 404)


def test_who_signs_sees_no_drafting_buttons(school_place: Place, client: Client) -> None:
    school_place.applications(1)
    assert "拟写公示" not in as_signer(school_place, client).get(LIST).content.decode()


def test_an_office_sees_its_own_notices_only(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    client.force_login(officer_of(SchoolFactory()))
    assert notice.title not in client.get(LIST).content.decode()
    assert client.get(reverse("notices:detail", args=[notice.pk])).status_code == 403
    client.force_login(person("township_reviewer", school_place.school.__class__.objects.get(
        path=school_place.school.path[:8])))  # fmt: skip
    assert notice.title in client.get(LIST).content.decode()


def test_the_list_takes_a_fixed_number_of_statements(
    school_place: Place, client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(4):
        school_place.published(1)
    school_place.applications(2)
    as_author(school_place, client).get(LIST)
    with django_assert_max_num_queries(13):
        client.get(LIST)


def test_tabs_part_what_is_under_way_from_what_ended(school_place: Place, client: Client) -> None:
    notice = school_place.published(1)
    actions.void(notice.pk, school_place.signer, Reason("wrong_list", WHY["reason_text"]))
    as_author(school_place, client)
    assert notice.title not in client.get(LIST).content.decode()
    assert notice.title in client.get(f"{LIST}?view=voided").content.decode()


def test_the_list_is_paged_by_keys(school_place: Place, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("approvals.notices.views.PAGE", 2)
    made = [school_place.published(1) for _ in range(3)]
    page = as_author(school_place, client).get(LIST).content.decode()
    assert f"before={made[1].pk}" in page
    older = client.get(f"{LIST}?view=open&before={made[1].pk}").content.decode()
    assert f"/notices/{made[0].pk}/" in older
    assert f"/notices/{made[2].pk}/" not in older


# ---------------------------------------------------------------- one notice


def test_signing_needs_the_tick_and_shows_the_clock_afterwards(school_place: Place, client: Client) -> None:
    notice = school_place.pending()
    as_signer(school_place, client)
    seen = queries.content(notice).mark
    assert "请确认已核对" in act(client, notice, "publish", {"seen": seen}).content.decode()
    assert state(notice) == "pending_review"
    page = act(client, notice, "publish", {"seen": seen, "privacy_checked": "on", "sealed": "on"}).content.decode()
    assert state(notice) == "published"
    assert "还有5个工作日" in page


def test_what_was_not_seen_is_not_signed(school_place: Place, client: Client) -> None:
    notice = school_place.pending()
    as_signer(school_place, client)
    for seen in ("", "0" * 32):
        assert (
            "请重新核对"
            in act(client, notice, "publish", {"seen": seen, "privacy_checked": "on", "sealed": "on"}).content.decode()
        )
    assert state(notice) == "pending_review"


def test_the_page_hands_the_signer_the_mark_of_what_it_shows(school_place: Place, client: Client) -> None:
    notice = school_place.pending()
    page = as_signer(school_place, client).get(reverse("notices:detail", args=[notice.pk])).content.decode()
    assert f'value="{queries.content(notice).mark}"' in page


def test_a_drafter_who_could_sign_elsewhere_is_told_another_person_must(school_place: Place, client: Client) -> None:
    notice = school_place.pending()
    school_place.author.user.posts.create(
        organisation=school_place.school, role="school_head", starts_on=date(2020, 1, 1)
    )
    page = as_author(school_place, client).get(reverse("notices:detail", args=[notice.pk])).content.decode()
    assert "须由他人签发" in page
    response = act(
        client, notice, "publish", {"seen": queries.content(notice).mark, "privacy_checked": "on", "sealed": "on"}
    )
    assert "拟稿人不能签发" in response.content.decode()
    assert state(notice) == "pending_review"


def test_private_data_is_named_on_the_page_where_it_stands(school_place: Place, client: Client) -> None:
    school_place.applications(1)
    notice = school_place.draft()
    as_author(school_place, client)
    form = {"title": notice.title, "remark": "联系家长１３８－００００－００００", "contact": "王老师",
            "contact_phone": "0310-7520123", "contact_place": "一楼"}  # fmt: skip
    act(client, notice, "edit", form)
    response = act(client, notice, "submit")
    assert response.status_code == 422
    assert "其他说明：电话号码" in response.content.decode()
    assert state(notice) == "draft"


def test_an_officer_edits_hands_on_and_gets_it_back(school_place: Place, client: Client) -> None:
    school_place.applications(1)
    notice = school_place.draft()
    as_author(school_place, client)
    form = {
        "title": "新标题",
        "remark": "",
        "contact": "王老师",
        "contact_phone": "0310-7520123",
        "contact_place": "楼",
    }
    assert "新标题" in act(client, notice, "edit", form).content.decode()
    act(client, notice, "submit")
    assert state(notice) == "pending_review"
    act(as_signer(school_place, client), notice, "send_back", why("send_back"))
    assert state(notice) == "draft"
    assert (
        WHY["reason_text"]
        in as_author(school_place, client).get(reverse("notices:detail", args=[notice.pk])).content.decode()
    )


def test_a_short_reason_keeps_the_form_open(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    response = act(as_signer(school_place, client), notice, "void", why("void", reason_text="短"))
    assert response.status_code == 422
    assert "<details open>" in response.content.decode()
    assert state(notice) == "published"


def test_a_signer_voids_a_public_notice(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    act(as_signer(school_place, client), notice, "void", why("void"))
    assert state(notice) == "voided"


def test_a_line_is_taken_off_on_a_page_of_its_own(school_place: Place, client: Client) -> None:
    notice = school_place.published(2)
    line = notice.lines.first()
    url = reverse("notices:withdraw", args=[notice.pk, line.pk])
    as_signer(school_place, client)
    assert line.shown["姓名"] in client.get(url).content.decode()
    assert Case.objects.get(pk=line.case_id).state == "school_notice"
    form = why("adjust", reason_code="line_withdrawn")
    assert "已移出名单" in client.post(url, form, follow=True).content.decode()
    assert Case.objects.get(pk=line.case_id).state == "school_review"
    assert "已不在名单上" in client.post(url, form, follow=True).content.decode()


def test_a_pupil_on_a_masked_list_is_found_by_the_office(county_place: Place, client: Client) -> None:
    county_place.applications(1, name="欧阳小禾")
    notice = county_place.published(2)
    page = act(as_author(county_place, client), notice, "find", {"name": "欧阳"}).content.decode()
    assert "欧**" in page.split('class="found"')[1].split("</table>")[0]
    assert "王*" not in page.split('class="found"')[1].split("</table>")[0]


def test_the_detail_page_takes_a_fixed_number_of_statements(
    school_place: Place, client: Client, django_assert_max_num_queries: Any
) -> None:
    notice = school_place.pending(6)
    as_signer(school_place, client).get(LIST)
    with django_assert_max_num_queries(13):
        client.get(reverse("notices:detail", args=[notice.pk]))


def test_after_the_last_day_the_page_offers_nothing_more(school_place: Place, client: Client) -> None:
    notice = school_place.published()
    set_training_date(date(2026, 9, 15))
    page = as_signer(school_place, client).get(reverse("notices:detail", args=[notice.pk])).content.decode()
    assert "正在办结" in page
    assert "作废此公示" not in page
    assert "/lines/" not in page


# ---------------------------------------------------------------- who may


ACTS = ["submit", "publish", "send_back", "void", "find"]


@pytest.mark.parametrize("name", ACTS)
def test_no_act_is_done_by_get(school_place: Place, client: Client, name: str) -> None:
    notice = school_place.pending(1)
    response = as_signer(school_place, client).get(reverse(f"notices:{name}", args=[notice.pk]))
    assert response.status_code == 405


@pytest.mark.parametrize("name", [*ACTS, "detail", "edit"])
def test_whoever_is_not_signed_in_is_sent_to_the_door(school_place: Place, client: Client, name: str) -> None:
    notice = school_place.pending(1)
    response = client.get(LIST) if name == "detail" else client.post(reverse(f"notices:{name}", args=[notice.pk]))
    assert response.status_code == 302
    assert "/sign-in/" in response["Location"]


@pytest.mark.parametrize(
    ("name", "role", "data"),
    [
        ("submit", "school_head", {}),
        ("submit", "auditor", {}),
        ("publish", "aid_officer", {"seen": "x", "privacy_checked": "on", "sealed": "on"}),
        ("publish", "township_reviewer", {"seen": "x", "privacy_checked": "on", "sealed": "on"}),
        ("send_back", "aid_officer", why("send_back")),
        ("void", "auditor", why("void")),
        ("void", "county_reviewer", why("void")),
    ],
)
def test_who_lacks_the_post_is_forbidden(
    school_place: Place, client: Client, name: str, role: str, data: dict[str, str]
) -> None:
    notice = school_place.pending(1)
    client.force_login(person(role, school_place.school))
    assert act(client, notice, name, data).status_code == 403
    assert state(notice) == "pending_review"


def test_acts_need_a_csrf_token(school_place: Place) -> None:
    notice = school_place.pending(1)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(school_place.signer.user)
    assert strict.post(reverse("notices:publish", args=[notice.pk])).status_code == 403


def test_the_pages_read_in_english_too(school_place: Place, client: Client) -> None:
    notice = school_place.pending(1)
    client.cookies["django_language"] = "en"
    as_signer(school_place, client)
    assert "Sign and publish" in client.get(reverse("notices:detail", args=[notice.pk])).content.decode()
    assert "Under way" in client.get(LIST).content.decode()
