"""公告: drafted by one person, published by another, for everybody's information; and the results of a school year."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from approvals.notices.announcements import actions, yearly
from approvals.notices.announcements.models import Announcement
from approvals.notices.models import Notice
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from notifications.models import Message
from tests.approvals.notices.conftest import Place, refused
from tests.approvals.notices.test_site import concluded
from tests.approvals.review.scene import signed_in
from tests.factories import (
    CountyFactory,
    PostFactory,
    SchoolFactory,
    TownshipFactory,
    acting,
    person,
    set_training_date,
)
from workflows.background import run_due
from workflows.models import Record

pytestmark = pytest.mark.django_db
WHY = "文字有误，需要重新核对以后再发布。"
GIVEN = {
    "kind": "policy",
    "title": "关于开展2026年秋季学期资助申请的公告",
    "body": "请于9月30日前到学校申请。\n\n低保家庭学生同样适用。",
}


@pytest.fixture
def school() -> Organisation:
    set_training_date()
    return SchoolFactory()


@pytest.fixture
def officer(school: Organisation) -> UserActor:
    return acting(person("aid_officer", school))


@pytest.fixture
def head(school: Organisation) -> UserActor:
    return acting(person("school_head", school))


def published(school: Organisation, officer: UserActor, head: UserActor, **given: str) -> Announcement:
    made = actions.draft(school, officer, **GIVEN | given)
    actions.submit(made.pk, officer)
    return actions.publish(made.pk, head)


def page_of(made: Announcement) -> str:
    return reverse("public:announcement", args=[made.public_id])


# ---------------------------------------------------------------- from draft to withdrawal


def test_one_drafts_another_publishes_and_everybody_reads(
    school: Organisation, officer: UserActor, head: UserActor, client: Client
) -> None:
    made = published(school, officer, head)
    response = client.get(page_of(made))
    assert response.status_code == 200
    assert not response.cookies
    page = response.content.decode()
    assert '<p class="paper-part">请于9月30日前到学校申请。</p><p class="paper-part">低保家庭学生同样适用。</p>' in page
    for url in (reverse("public:announcements"), "/public/", reverse("public:feed"), reverse("public:sitemap")):
        assert made.public_id in client.get(url).content.decode()
    acts = list(
        Record.objects.filter(about="announcement", about_id=made.pk).order_by("id").values_list("act", flat=True)
    )
    assert acts == ["draft", "submit", "publish"]


def test_text_is_text_and_never_markup(
    school: Organisation, officer: UserActor, head: UserActor, client: Client
) -> None:
    made = published(school, officer, head, body="<script>alert(1)</script>\n<b>粗体</b>")
    page = client.get(page_of(made)).content.decode()
    assert "&lt;b&gt;粗体&lt;/b&gt;" in page
    assert "<script" not in page


def test_nobody_publishes_what_he_handed_in_himself_even_under_another_account(
    school: Organisation, officer: UserActor
) -> None:
    PostFactory(user=officer.user, organisation=school, role="school_head")
    made = actions.draft(school, officer, **GIVEN)
    actions.submit(made.pk, officer)
    with refused("same_person"):
        actions.publish(made.pk, officer)
    other = person("school_head", school, person=officer.user.person)
    with refused("same_person"):
        actions.publish(made.pk, acting(other))
    with pytest.raises(IntegrityError), transaction.atomic():
        Announcement.objects.filter(pk=made.pk).update(published_person=officer.user.person)


def test_a_draft_is_nobodys_to_read(school: Organisation, officer: UserActor, client: Client) -> None:
    made = actions.draft(school, officer, **GIVEN)
    assert client.get(page_of(made)).status_code == 404
    actions.submit(made.pk, officer)
    assert client.get(page_of(made)).status_code == 404
    assert made.public_id not in client.get(reverse("public:announcements")).content.decode()


def test_what_is_withdrawn_is_gone_from_page_list_and_feed_and_says_no_title(
    school: Organisation, officer: UserActor, head: UserActor, client: Client
) -> None:
    made = published(school, officer, head)
    client.get("/public/")
    actions.withdraw(made.pk, head, WHY)
    response = client.get(page_of(made))
    assert response.status_code == 410
    assert "已撤回" in response.content.decode()
    assert made.title not in response.content.decode()
    assert WHY not in response.content.decode()
    for url in (reverse("public:announcements"), "/public/", reverse("public:feed"), reverse("public:sitemap")):
        assert made.public_id not in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("身份证号13049920160305001X请核对", "id"),
        ("请致电１３８０００００００ ０", "phone"),
        ("王小禾系孤儿", "cause"),
        ("出生日期2016年3月5日", "birth_date"),
    ],
)
def test_what_is_private_is_neither_handed_in_nor_published(
    school: Organisation, officer: UserActor, head: UserActor, text: str, kind: str
) -> None:
    made = actions.draft(school, officer, kind="other", title="公告", body=f"第一段。\n{text}")
    with refused("private_data") as refusal:
        actions.submit(made.pk, officer)
    assert kind in {finding.kind for finding in refusal.value.findings}
    assert "正文第2段" in str(refusal.value)


def test_a_policy_may_name_groups_of_people_and_still_nobodys_number(school: Organisation, officer: UserActor) -> None:
    made = actions.draft(school, officer, kind="policy", title="政策", body="孤儿、低保、残疾学生均可申请。")
    actions.submit(made.pk, officer)
    other = actions.draft(school, officer, kind="policy", title="政策", body="致电13800000000")
    with refused("private_data"):
        actions.submit(other.pk, officer)


def test_it_is_sent_back_changed_handed_in_again_or_thrown_away(
    school: Organisation, officer: UserActor, head: UserActor
) -> None:
    made = actions.draft(school, officer, **GIVEN)
    actions.submit(made.pk, officer)
    with refused("reason_too_short"):
        actions.send_back(made.pk, head, "不行")
    actions.send_back(made.pk, head, WHY)
    made = actions.edit(made.pk, officer, kind="other", title="新标题", body="新正文")
    assert (made.title, made.kind) == ("新标题", "other")
    assert actions.discard(made.pk, officer).state == "discarded"
    for act in (actions.submit, actions.discard):
        with refused("wrong_state"):
            act(made.pk, officer)


@pytest.mark.parametrize(
    ("given", "code"),
    [({"title": " "}, "title_missing"), ({"body": "\n "}, "text_missing"), ({"kind": "x"}, "kind_unknown")],
)
def test_what_is_incomplete_is_refused(
    school: Organisation, officer: UserActor, given: dict[str, str], code: str
) -> None:
    with refused(code):
        actions.draft(school, officer, **GIVEN | given)


def test_offices_announce_for_themselves_and_townships_not_at_all(school: Organisation, officer: UserActor) -> None:
    with pytest.raises(PermissionDenied):
        actions.draft(SchoolFactory(), officer, **GIVEN)
    with pytest.raises(PermissionDenied):
        actions.draft(CountyFactory(), officer, **GIVEN)
    with refused("wrong_office"):
        actions.draft(TownshipFactory(), officer, **GIVEN)


# ---------------------------------------------------------------- the offices' pages


def test_the_pages_lead_from_draft_to_publication(school: Organisation, officer: UserActor, head: UserActor) -> None:
    author, signer = signed_in(officer.user), signed_in(head.user)
    wrong = author.post(reverse("notices:announcement_new"), GIVEN | {"office": school.pk, "title": ""})
    assert "低保家庭学生同样适用" in wrong.content.decode()
    made = author.post(reverse("notices:announcement_new"), GIVEN | {"office": school.pk}, follow=True)
    found = Announcement.objects.get()
    assert GIVEN["title"] in made.content.decode()
    author.post(reverse("notices:announcement_edit", args=[found.pk]), GIVEN | {"title": "改过的标题"})
    author.post(reverse("notices:announcement_submit", args=[found.pk]))
    assert "须由另一人发布" not in signer.get(reverse("notices:announcement", args=[found.pk])).content.decode()
    assert (
        signer.post(reverse("notices:announcement_send_back", args=[found.pk]), {"send_back-text": "短"}).status_code
        == 422
    )
    signer.post(reverse("notices:announcement_publish", args=[found.pk]))
    found.refresh_from_db()
    assert (found.state, found.title) == ("published", "改过的标题")
    assert "改过的标题" in author.get(reverse("notices:announcements"), {"view": "published"}).content.decode()
    signer.post(reverse("notices:announcement_withdraw", args=[found.pk]), {"withdraw-text": WHY})
    found.refresh_from_db()
    assert (found.state, found.withdraw_reason) == ("withdrawn", WHY)


def test_other_offices_do_not_see_it(school: Organisation, officer: UserActor) -> None:
    made = actions.draft(school, officer, **GIVEN)
    other = signed_in(person("aid_officer", SchoolFactory()))
    assert made.title not in other.get(reverse("notices:announcements")).content.decode()
    assert other.get(reverse("notices:announcement", args=[made.pk])).status_code == 403


# ---------------------------------------------------------------- the results of a school year

AFTER = date(2027, 9, 6)
YEAR = "2026-2027"


@pytest.fixture
def ended(school_place: Place) -> Place:
    """A place with six pupils granted aid in a year that has ended, and the county's people."""
    CountyFactory()
    concluded(school_place, 6)
    set_training_date(AFTER)
    return school_place


def test_the_system_drafts_a_years_results_with_the_day_by_which_they_are_due(ended: Place) -> None:
    reviewer = person("county_reviewer", CountyFactory())
    run_due()
    run_due()
    made = Announcement.objects.get()
    assert (made.state, made.school_year, made.drafted_by) == ("draft", YEAR, None)
    assert made.due_on == date(2027, 9, 28)  # the twentieth working day after 31 August
    assert made.table["rows"] == [[ended.school.name, ended.version.programme.name, "2026-2027-1", 6, "3750.00"]]
    assert "2026—2027学年" in made.title
    assert "6人次，每学期资助金额合计3,750.00元" in made.body
    assert Message.objects.filter(recipient=reviewer, event="results_drafted").count() == 1
    assert Record.objects.get(about="announcement", about_id=made.pk).actor_name


def test_while_a_notice_of_the_year_runs_its_results_are_not_complete(ended: Place) -> None:
    Notice.objects.update(state="published", ends_on=date(2027, 9, 10), concluded_at=None)
    assert yearly.draft_due() == 0
    set_training_date(date(2027, 9, 13))
    run_due()
    assert not Announcement.objects.exists()
    set_training_date(date(2027, 9, 14))
    run_due()
    made = Announcement.objects.get()
    assert made.due_on == date(2027, 10, 11)  # counted from the day the last one concluded, 2027 being provisional


def test_a_year_without_results_owes_nothing(school_place: Place) -> None:
    set_training_date(AFTER)
    assert yearly.draft_due() == 0


def test_people_hand_it_in_and_publish_it_and_it_cannot_be_thrown_away(ended: Place, client: Client) -> None:
    county = CountyFactory()
    reviewer, leader = acting(person("county_reviewer", county)), acting(person("county_leader", county))
    run_due()
    made = Announcement.objects.get()
    with refused("yearly_is_owed"):
        actions.discard(made.pk, reviewer)
    actions.submit(made.pk, reviewer)
    made = actions.publish(made.pk, leader)
    page = client.get(page_of(made)).content.decode()
    assert ended.school.name in page
    assert "3,750.00" in page
    assert made.drafted_person == reviewer.user.person
    run_due()
    assert Announcement.objects.count() == 1


def test_figures_that_have_changed_since_are_not_published(ended: Place) -> None:
    county = CountyFactory()
    reviewer, leader = acting(person("county_reviewer", county)), acting(person("county_leader", county))
    run_due()
    made = Announcement.objects.get()
    actions.submit(made.pk, reviewer)
    Announcement.objects.filter(pk=made.pk).update(table={"rows": [], "programmes": [], "total": ["", 0, None, 0]})
    with refused("figures_changed"):
        actions.publish(made.pk, leader)
    actions.send_back(made.pk, leader, WHY)
    actions.submit(made.pk, reviewer)
    assert actions.publish(made.pk, leader).table["rows"]


def test_withdrawn_results_are_drafted_anew_and_due_from_that_day(ended: Place) -> None:
    county = CountyFactory()
    reviewer, leader = acting(person("county_reviewer", county)), acting(person("county_leader", county))
    run_due()
    made = Announcement.objects.get()
    actions.submit(made.pk, reviewer)
    actions.publish(made.pk, leader)
    set_training_date(date(2027, 12, 1))
    actions.withdraw(made.pk, leader, WHY)
    run_due()
    again = Announcement.objects.get(state="draft")
    assert again.due_on == date(2027, 12, 29)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2027, 9, 20), set()),
        (date(2027, 9, 21), {"results_near"}),
        (date(2027, 9, 29), {"results_overdue"}),
    ],
)
def test_the_office_is_reminded_when_few_days_are_left_and_when_they_are_over_each_once(
    ended: Place, day: date, told: set[str]
) -> None:
    leader = person("county_leader", CountyFactory())
    run_due()
    set_training_date(day)
    run_due()
    run_due()
    found: Any = Message.objects.filter(recipient=leader).values_list("event", flat=True)
    assert sorted(set(found) - {"results_drafted"}) == sorted(told)
    assert len(found) == 1 + len(told)
