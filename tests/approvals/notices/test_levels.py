"""Four levels of publicity: class, school, township, county; each with its people, its office and what it may show."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from approvals.notices import actions, queries
from approvals.notices.models import Notice
from approvals.notices.steps import STEPS
from tests.approvals.notices.conftest import Place, refused
from tests.factories import (
    TERM,
    CountyFactory,
    CountySchoolFactory,
    SchoolFactory,
    VersionFactory,
    acting,
    at_step,
    every_notice,
    person,
    set_training_date,
    walk_to,
)
from workflows import Reason
from workflows.background import run_due
from workflows.flows.aid import EVERY_NOTICE_CONCLUDED, AidCase
from workflows.models import Case

FIRST, SECOND = ("五年级", "1班"), ("五年级", "2班")


@pytest.fixture
def two_classes(class_place: Place) -> Place:
    class_place.applications(2, grade=FIRST[0], class_name=FIRST[1])
    class_place.applications(1, grade=SECOND[0], class_name=SECOND[1])
    return class_place


# ---------------------------------------------------------------- one list a class


def test_what_waits_for_class_notices_is_offered_class_by_class(two_classes: Place) -> None:
    found = queries.waiting(STEPS["class_notice"], [two_classes.school.path])
    assert [(row.group, row.class_name, row.count) for row in found] == [
        (FIRST, "五年级1班", 2),
        (SECOND, "五年级2班", 1),
    ]


def test_a_class_notice_lists_its_class_alone_and_names_it(two_classes: Place) -> None:
    notice = two_classes.draft(group=FIRST)
    assert notice.line_count == 2
    assert notice.title == f"{two_classes.school.name}五年级1班关于2026年秋季学期义教生活补助拟资助学生名单的公示"
    assert "班级评议小组评议" in notice.body
    assert {line.shown["班级"] for line in notice.lines.all()} == {"1班"}
    other = two_classes.draft(group=SECOND)
    assert (other.line_count, other.title) == (1, notice.title.replace("1班", "2班"))


def test_a_class_notice_of_two_classes_is_refused(two_classes: Place) -> None:
    with refused("several_classes"):
        two_classes.draft()


def test_a_class_that_has_nobody_waiting_is_refused(two_classes: Place) -> None:
    with refused("nothing_waits"):
        two_classes.draft(group=("六年级", "1班"))


def test_the_page_offers_a_draft_for_each_class(two_classes: Place, client: Client) -> None:
    client.force_login(two_classes.author.user)
    page = client.get(reverse("notices:list")).content.decode()
    assert "五年级1班" in page
    assert "五年级2班" in page
    answer = client.post(
        reverse("notices:draft"),
        {"step": "class_notice", "organisation": two_classes.school.pk, "programme": two_classes.version.programme_id,
         "term": TERM, "grade": "五年级", "class_name": "2班"},
        follow=True,
    )  # fmt: skip
    assert "五年级2班" in answer.content.decode()
    assert Notice.objects.get().line_count == 1


# ---------------------------------------------------------------- who


@pytest.mark.parametrize("role", ["class_teacher", "aid_officer"])
def test_teacher_or_officer_draft_a_class_notice(class_place: Place, role: str) -> None:
    class_place.applications(1)
    by = acting(person(role, class_place.school))
    notice = actions.draft("class_notice", class_place.school, class_place.version.programme, TERM, by)
    assert notice.state == "draft"


@pytest.mark.parametrize("role", ["class_teacher", "aid_officer", "township_leader", "county_leader"])
def test_only_the_head_signs_a_class_notice(class_place: Place, role: str) -> None:
    notice = class_place.pending(1)
    with pytest.raises(PermissionDenied):
        actions.publish(notice.pk, acting(person(role, class_place.school)), privacy_checked=True, sealed=True)
    assert class_place.sign(notice).state == "published"


@pytest.mark.parametrize("role", ["township_reviewer", "county_leader", "auditor"])
def test_only_the_townships_leader_signs_its_notice(township_place: Place, role: str) -> None:
    notice = township_place.pending(1)
    with pytest.raises(PermissionDenied):
        actions.publish(notice.pk, acting(person(role, township_place.office)), privacy_checked=True, sealed=True)
    assert township_place.sign(notice).state == "published"


def test_a_second_account_of_the_townships_drafter_may_not_sign(township_place: Place) -> None:
    notice = township_place.pending(1)
    twice = person("township_leader", township_place.office, person=township_place.author.user.person)
    with refused("same_person"):
        actions.publish(notice.pk, acting(twice), privacy_checked=True, sealed=True)


def test_who_changed_a_draft_may_not_sign_it_either(class_place: Place) -> None:
    class_place.applications(1)
    notice = class_place.draft()
    colleague = person("aid_officer", class_place.school)
    colleague.posts.create(organisation=class_place.school, role="school_head", starts_on="2020-01-01")
    words = {name: getattr(notice, name) for name in ("title", "remark", "contact", "contact_phone", "contact_place")}
    actions.edit(notice.pk, acting(colleague), **words)
    actions.submit(notice.pk, class_place.author)
    with refused("same_person"):
        actions.publish(notice.pk, acting(colleague), privacy_checked=True, sealed=True)
    assert class_place.sign(notice).state == "published"


def test_a_township_gathers_the_cases_of_its_schools_and_no_others(township_place: Place) -> None:
    township_place.applications(1)
    sister = SchoolFactory(parent=township_place.office)
    at_step("township_notice", school=sister, version=township_place.version)
    at_step("township_notice", school=SchoolFactory(), version=township_place.version)
    [row] = queries.waiting(STEPS["township_notice"], [township_place.office.path])
    assert (row.organisation, row.count) == (township_place.office, 2)
    assert township_place.draft().line_count == 2


# ---------------------------------------------------------------- what is shown where


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("class_notice", "欧阳小禾"),
        ("school_notice", "欧阳小禾"),
        ("township_notice", "欧**"),
        ("county_notice", "欧**"),
    ],
)
def test_class_and_school_show_names_in_full_township_and_county_mask_them(
    request: pytest.FixtureRequest, step: str, shown: str
) -> None:
    place: Place = request.getfixturevalue(f"{step.removesuffix('_notice')}_place")
    place.applications(1, name="欧阳小禾")
    assert place.draft().lines.get().shown["姓名"] == shown


def test_a_list_that_should_be_masked_and_is_not_cannot_be_handed_on(township_place: Place) -> None:
    township_place.applications(1)
    notice = township_place.draft()
    Notice.objects.filter(pk=notice.pk).update(mask_names=False)
    with refused("names_not_masked"):
        actions.submit(notice.pk, township_place.author)


def test_the_hardship_level_is_not_shown_beyond_the_school(township_place: Place) -> None:
    township_place.applications(1)
    notice = township_place.draft()
    Notice.objects.filter(pk=notice.pk).update(columns=["姓名", "困难等级"])
    with refused("column_not_allowed"):
        actions.submit(notice.pk, township_place.author)


# ---------------------------------------------------------------- the whole way


def test_a_case_stands_on_four_public_lists_before_it_is_approved(class_place: Place) -> None:
    """Each notice is drafted, signed and ended by its own people; nothing is payable before the last."""
    school = class_place.school
    township = school.__class__.objects.get_parent(school)
    county = CountyFactory()
    [application] = class_place.applications(1)
    people = {
        "class_notice": (class_place.author, class_place.signer, school),
        "school_notice": (acting(person("aid_officer", school)), class_place.signer, school),
        "township_notice": (
            acting(person("township_reviewer", township)), acting(person("township_leader", township)), township,
        ),
        "county_notice": (
            acting(person("county_reviewer", county)), acting(person("county_leader", county)), county,
        ),
    }  # fmt: skip
    for step, (author, signer, office) in people.items():
        walk_to(step, application)
        assert not EVERY_NOTICE_CONCLUDED(AidCase.objects.get(pk=application.case_id))
        notice = actions.draft(step, office, class_place.version.programme, TERM, author)
        actions.submit(notice.pk, author)
        notice = actions.publish(notice.pk, signer, privacy_checked=True, sealed=True)
        assert notice.ends_on is not None
        set_training_date(notice.ends_on + timedelta(days=1))
        run_due()
    case = Case.objects.get(pk=application.case_id)
    assert (case.state, case.noticed) == ("approved", list(people))


def test_a_school_of_the_county_itself_has_no_township_notice(db: None) -> None:
    set_training_date()
    version = VersionFactory(changes=every_notice(stages=["senior"]))
    application = at_step("county_review", school=CountySchoolFactory(), version=version)
    assert application.case.noticed == ["class_notice", "school_notice"]
    assert "township_notice" not in application.case.steps


def test_a_line_taken_off_a_class_notice_is_judged_by_its_class_again(class_place: Place) -> None:
    notice = class_place.published(2)
    line: Any = notice.lines.first()
    why = Reason("line_withdrawn", "该生已转到别的班级，请重新评议。")
    assert actions.withdraw_line(line.pk, class_place.reviewer, why).ok
    assert Case.objects.get(pk=line.case_id).state == "class_review"
