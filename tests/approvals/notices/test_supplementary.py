"""补充公示: who is added to a public list, or changed on it, stands on a notice that names it, for a full period."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, queries
from approvals.notices.models import Notice
from approvals.notices.steps import STEPS
from tests.approvals.notices.conftest import LEAK, Place, refused
from tests.factories import TERM, set_training_date, stand_in
from workflows import Reason, decide
from workflows.background import run_due
from workflows.queries import open_item_of
from workflows.record import history

WITHDRAWN = Reason("line_withdrawn", "该生班级有误，更正后重新公示名单。")
LATER = date(2026, 9, 10)


def judged_again(place: Place, case: int) -> None:
    """Taken off its list, and approved once more."""
    item = open_item_of(case)
    assert item is not None
    assert decide([item.pk], "adjust", stand_in("review_school"), WITHDRAWN)[0].ok
    item = open_item_of(case)
    assert item is not None
    assert decide([item.pk], "approve", stand_in("review_school"))[0].ok


def test_drafting_offers_a_supplement_once_a_list_is_or_was_public(school_place: Place) -> None:
    school_place.applications(1)
    [row] = queries.waiting(STEPS["school_notice"], [school_place.school.path])
    assert row.original is None
    original = school_place.published(1)
    school_place.applications(1)
    [row] = queries.waiting(STEPS["school_notice"], [school_place.school.path])
    assert row.original == original
    set_training_date(date(2026, 9, 15))
    run_due()
    [row] = queries.waiting(STEPS["school_notice"], [school_place.school.path])
    assert (row.original, row.original and row.original.state) == (original, "taken_down")


def test_a_supplement_names_its_original_and_runs_for_its_own_full_period(school_place: Place) -> None:
    original = school_place.published(2)
    set_training_date(LATER)
    school_place.applications(1)
    notice = school_place.draft(supplements=original.pk)
    assert notice.supplements == original
    assert notice.title.endswith("名单的补充公示")
    assert f"我们已于2026年9月7日发布《{original.title}》" in notice.body
    actions.submit(notice.pk, school_place.author)
    notice = school_place.sign(notice)
    assert (notice.line_count, notice.ends_on) == (1, date(2026, 9, 17))
    assert original.public_id in bytes(notice.frozen or b"").decode()
    assert list(queries.supplements_of(original)) == [notice]
    assert notice.supplements == original
    assert original.supplements is None
    assert history("notice", notice.pk).first().data["supplements"] == original.public_id


def test_a_draft_of_a_supplement_is_not_named_to_the_public(school_place: Place) -> None:
    original = school_place.published(1)
    school_place.applications(1)
    school_place.draft(supplements=original.pk)
    assert list(queries.supplements_of(original)) == []


def test_who_was_taken_off_a_public_list_comes_back_on_a_supplement_asked_or_not(school_place: Place) -> None:
    original = school_place.published(2)
    case = original.lines.get(number=1).case_id
    judged_again(school_place, case)
    notice = school_place.draft()
    assert (notice.supplements, notice.lines.get().case_id) == (original, case)


def test_a_second_supplement_supplements_the_original(school_place: Place) -> None:
    original = school_place.published(1)
    school_place.applications(1)
    first = school_place.draft(supplements=original.pk)
    actions.submit(first.pk, school_place.author)
    school_place.sign(first)
    judged_again(school_place, first.lines.get().case_id)
    second = school_place.draft()
    assert second.supplements == original
    assert second.title.endswith("补充公示（之二）")
    with refused("nothing_waits"):
        school_place.draft(supplements=first.pk)


@pytest.mark.parametrize("what", ["draft", "paused", "voided", "supplement", "elsewhere"])
def test_only_a_public_original_of_the_same_subject_is_supplemented(
    school_place: Place, county_place: Place, what: str
) -> None:
    if what == "draft":
        school_place.applications(1)
        other = school_place.draft()
    elif what == "paused":
        other = school_place.paused(1)
    elif what == "voided":
        other = school_place.published(1)
        cases = [line.case_id for line in other.lines.all()]
        actions.void(other.pk, school_place.signer, LEAK)
        assert school_place.draft(*cases).supplements is None, "what is void is not supplemented"
    elif what == "supplement":
        original = school_place.published(1)
        school_place.applications(1)
        other = school_place.draft(supplements=original.pk)
        actions.submit(other.pk, school_place.author)
        school_place.sign(other)
    else:
        other = county_place.published(1)
    school_place.applications(1)
    with refused("not_supplementable"):
        school_place.draft(supplements=other.pk)
    assert school_place.draft().supplements is None


def test_a_notice_of_its_own_stays_possible(school_place: Place) -> None:
    school_place.published(1)
    school_place.applications(1)
    notice = school_place.draft()
    assert (notice.supplements, notice.title[-4:]) == (None, "（之二）")


def test_the_page_offers_both_and_links_the_two(school_place: Place, client: Client) -> None:
    original = school_place.published(1)
    school_place.applications(1)
    client.force_login(school_place.author.user)
    page = client.get(reverse("notices:list")).content.decode()
    assert "拟写补充公示" in page
    assert "另行单独公示" in page
    client.post(
        reverse("notices:draft"),
        {"step": "school_notice", "organisation": school_place.school.pk, "term": TERM,
         "programme": school_place.version.programme_id, "supplements": original.pk},
    )  # fmt: skip
    notice = Notice.objects.latest("pk")
    assert notice.supplements == original
    assert original.title in client.get(reverse("notices:detail", args=[notice.pk])).content.decode()
    actions.submit(notice.pk, school_place.author)
    school_place.sign(notice)
    assert notice.title in client.get(reverse("notices:detail", args=[original.pk])).content.decode()


def test_the_public_page_of_an_original_names_its_supplement_while_that_is_on_notice(
    school_place: Place, client: Client
) -> None:
    original = school_place.published(1)
    address = reverse("public:notice", args=[original.public_id])
    assert "另有补充公示" not in client.get(address).content.decode()
    school_place.applications(1)
    notice = school_place.draft(supplements=original.pk)
    actions.submit(notice.pk, school_place.author)
    notice = school_place.sign(notice)
    page = client.get(address).content.decode()
    assert "另有补充公示" in page
    assert f'href="{reverse("public:notice", args=[notice.public_id])}"' in page
    actions.void(notice.pk, school_place.signer, LEAK)
    assert "另有补充公示" not in client.get(address).content.decode(), "a kept page is made anew"
