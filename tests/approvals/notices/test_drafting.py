"""A notice is drafted from what waits at its step, completed by its author, and checked before it is handed on."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError

from approvals.notices import actions, queries
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.steps import STEPS
from approvals.people.models import Student
from tests.approvals.notices.conftest import Place, refused
from tests.factories import (
    TERM,
    SchoolFactory,
    StudentFactory,
    TownshipFactory,
    VersionFactory,
    acting,
    at_step,
    person,
    stand_in,
)
from workflows import Reason, decide
from workflows.queries import open_items
from workflows.record import history

SCHOOL = STEPS["school_notice"]


def edited(notice: Notice, place: Place, **changes: str) -> Notice:
    fields = {name: getattr(notice, name) for name in ("title", "remark", "contact", "contact_phone", "contact_place")}
    return actions.edit(notice.pk, place.author, **fields | changes)


# ---------------------------------------------------------------- what waits


def test_what_waits_is_counted_by_office_programme_and_term(school_place: Place) -> None:
    school_place.applications(2)
    other = SchoolFactory()
    at_step("school_notice", school=other, version=school_place.version)
    found = queries.waiting(SCHOOL, [school_place.school.path])
    assert [(row.organisation, row.programme.pk, row.term, row.count) for row in found] == [
        (school_place.school, "living_subsidy_boarder", TERM, 2)
    ]


def test_a_county_notice_gathers_the_cases_of_all_its_schools(county_place: Place) -> None:
    county_place.applications(1)
    at_step("county_notice", version=county_place.version)
    [row] = queries.waiting(STEPS["county_notice"], [county_place.office.path])
    assert (row.organisation, row.count) == (county_place.office, 2)
    assert county_place.draft().line_count == 2


def test_what_is_on_a_notice_no_longer_waits(school_place: Place) -> None:
    school_place.applications(1)
    school_place.draft()
    assert queries.waiting(SCHOOL, [school_place.school.path]) == []


# ---------------------------------------------------------------- drafting


def test_a_draft_takes_text_columns_length_and_contact_from_programme_and_office(school_place: Place) -> None:
    school_place.applications(2)
    notice = school_place.draft()
    assert notice.state == "draft"
    assert notice.title == f"{school_place.school.name}关于2026年秋季学期义教生活补助拟资助学生名单的公示"
    assert "2名同学" in notice.body
    assert (notice.columns, notice.days, notice.day_kind, notice.mask_names) == (
        ["序号", "学校", "班级", "姓名", "资助项目"],
        5,
        "working",
        False,
    )
    assert (notice.contact, notice.contact_phone, notice.contact_place) == ("王老师", "0310-0000000", "一楼值班室")
    assert notice.amount == Decimal("1250.00")
    shown = notice.lines.get(number=1).shown
    assert set(shown) == set(notice.columns)
    assert shown["姓名"] == Student.objects.get(applications__case=notice.lines.get(number=1).case).name


def test_a_county_notice_masks_names_and_sums_the_amount(county_place: Place) -> None:
    county_place.applications(1, name="欧阳小禾")
    notice = county_place.draft()
    assert notice.lines.get().shown["姓名"] == "欧**"
    assert "625.00元" in notice.body


def test_a_recognition_is_worded_as_one(school_place: Place) -> None:
    changes = {
        "code": "hardship_recognition",
        "project": "家庭经济困难学生认定",
        "group": "hardship_recognition",
        "steps": ["school_notice"],
        "notices": {"school_notice": {"days": 5, "columns": ["序号", "姓名", "困难等级"]}},
        "disbursement": "none",
        "needs": ["level"],
        "rates": [],
    }
    version = VersionFactory(changes=changes)
    at_step("school_notice", school=school_place.school, version=version, level="moderate")
    notice = actions.draft("school_notice", school_place.school, version.programme, TERM, school_place.author)
    assert notice.title.endswith("关于2026—2027学年家庭经济困难学生认定结果的公示")
    assert notice.lines.get().shown["困难等级"] == "困难"
    assert notice.amount is None


def test_chosen_cases_leave_the_others_waiting(school_place: Place) -> None:
    first, second = school_place.applications(2)
    notice = school_place.draft(first.case_id)
    assert [line.case_id for line in notice.lines.all()] == [first.case_id]
    assert queries.waiting(SCHOOL, [school_place.school.path])[0].count == 1
    assert second.case_id not in notice.lines.values_list("case", flat=True)


def test_notices_that_would_read_alike_are_numbered_as_they_are_drafted(school_place: Place) -> None:
    cases = [each.case_id for each in school_place.applications(12)]
    first = school_place.draft(cases[0])
    assert not first.title.endswith("）")
    second = school_place.draft(cases[1])
    first.refresh_from_db()
    assert first.title.endswith("名单的公示（之一）")
    assert second.title == first.title.replace("之一", "之二")
    assert [school_place.draft(case).title[-4:] for case in cases[2:11]][-2:] == ["（之十）", "之十一）"]


def test_an_empty_list_is_refused(school_place: Place) -> None:
    with refused("nothing_waits"):
        school_place.draft()


def test_a_case_that_left_the_step_is_refused(school_place: Place) -> None:
    application = at_step("school_review", school=school_place.school, version=school_place.version)
    with refused("not_waiting"):
        school_place.draft(application.case_id)


def test_a_case_of_another_school_is_refused(school_place: Place) -> None:
    application = at_step("school_notice", version=school_place.version)
    with refused("not_waiting"):
        school_place.draft(application.case_id)


def test_who_drafts_the_same_cases_second_is_told(school_place: Place) -> None:
    [application] = school_place.applications(1)
    school_place.draft(application.case_id)
    with refused("already_listed"):
        school_place.draft(application.case_id)
    with refused("nothing_waits"):
        school_place.draft()
    assert Notice.objects.count() == 1


def test_the_database_holds_a_case_on_one_open_notice_of_a_step(school_place: Place) -> None:
    notice = school_place.pending(1)
    line = notice.lines.get()
    with pytest.raises(IntegrityError, match="one_open_notice_per_case"):
        NoticeLine.objects.create(notice=notice, case=line.case, number=99, step=line.step)


@pytest.mark.parametrize("role", ["school_head", "township_reviewer", "county_reviewer", "county_leader", "auditor"])
def test_only_the_schools_officer_drafts_a_school_notice(school_place: Place, role: str) -> None:
    school_place.applications(1)
    by = acting(person(role, school_place.school))
    with pytest.raises(PermissionDenied):
        actions.draft("school_notice", school_place.school, school_place.version.programme, TERM, by)
    assert school_place.draft().line_count == 1


@pytest.mark.parametrize("role", ["aid_officer", "school_head", "county_leader", "county_second_reviewer"])
def test_only_the_county_reviewer_drafts_a_county_notice(county_place: Place, role: str) -> None:
    county_place.applications(1)
    by = acting(person(role, county_place.office))
    with pytest.raises(PermissionDenied):
        actions.draft("county_notice", county_place.office, county_place.version.programme, TERM, by)
    assert county_place.draft().line_count == 1


def test_a_township_gives_no_school_notice(school_place: Place) -> None:
    township = TownshipFactory()
    by = acting(person("aid_officer", township))
    with refused("wrong_office"):
        actions.draft("school_notice", township, school_place.version.programme, TERM, by)


def test_a_large_list_takes_a_fixed_number_of_statements(
    school_place: Place, django_assert_max_num_queries: object
) -> None:
    school_place.applications(12)
    with django_assert_max_num_queries(22):  # type: ignore[operator]
        school_place.draft()


# ---------------------------------------------------------------- editing


def test_an_author_changes_title_remark_and_contact_of_a_draft(school_place: Place) -> None:
    school_place.applications(1)
    notice = edited(school_place.draft(), school_place, title="公示", remark="请家长知悉。", contact="李老师")
    assert (notice.title, notice.remark, notice.contact) == ("公示", "请家长知悉。", "李老师")


def test_a_notice_that_was_handed_on_can_no_longer_be_edited(school_place: Place) -> None:
    notice = school_place.pending()
    with refused("wrong_state"):
        edited(notice, school_place, title="另一个标题")


def test_a_title_is_needed(school_place: Place) -> None:
    school_place.applications(1)
    with refused("title_missing"):
        edited(school_place.draft(), school_place, title="  ")


def test_only_a_drafting_office_edits(school_place: Place) -> None:
    school_place.applications(1)
    notice = school_place.draft()
    with pytest.raises(PermissionDenied):
        actions.edit(
            notice.pk,
            school_place.signer,
            title="改",
            remark="",
            contact="王",
            contact_phone="0310-1",
            contact_place="楼",
        )


# ---------------------------------------------------------------- handing on


def test_a_draft_that_is_complete_goes_to_the_signer(school_place: Place) -> None:
    notice = school_place.pending()
    assert notice.state == "pending_review"
    assert [line.act for line in history("notice", notice.pk)] == ["draft", "submit"]


@pytest.mark.parametrize("field", ["contact", "contact_phone", "contact_place"])
def test_a_missing_contact_is_refused_by_name(school_place: Place, field: str) -> None:
    school_place.applications(1)
    notice = edited(school_place.draft(), school_place, **{field: ""})
    with refused("contact_missing") as refusal:
        actions.submit(notice.pk, school_place.author)
    assert str(Notice._meta.get_field(field).verbose_name) in str(refusal.value)


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("remark", "王小禾130499201603050010", "id"),
        ("remark", "身份证１３０４９９　２０１６０３０５　００１０", "id"),
        ("remark", "学籍号G130499201603050010", "enrolment"),
        ("remark", "家长电话138-0000-0000", "phone"),
        ("remark", "卡号6219 9900 0000 0000 010", "card"),
        ("remark", "2016年3月5日生", "birth_date"),
        ("remark", "住东王村三组12号", "address"),
        ("title", "公示130499 20160305 0010", "id"),
        ("contact", "王老师130499201603050010", "id"),
    ],
)
def test_private_data_in_a_text_is_refused_and_named(school_place: Place, field: str, value: str, kind: str) -> None:
    school_place.applications(1)
    notice = edited(school_place.draft(), school_place, **{field: value})
    with refused("private_data") as refusal:
        actions.submit(notice.pk, school_place.author)
    assert (kind, str(Notice._meta.get_field(field).verbose_name)) in [
        (finding.kind, finding.where) for finding in refusal.value.findings
    ]
    assert value not in str(refusal.value)
    notice.refresh_from_db()
    assert notice.state == "draft"


def test_private_data_in_a_shown_value_is_refused_and_its_line_named(school_place: Place) -> None:
    school_place.applications(1)
    school_place.applications(1, class_name="13800000000")
    notice = school_place.draft()
    with refused("private_data") as refusal:
        actions.submit(notice.pk, school_place.author)
    [finding] = refusal.value.findings
    assert (finding.kind, finding.where) == ("phone", "第2行“班级”")


def test_a_column_beyond_the_whitelist_is_refused(school_place: Place) -> None:
    school_place.applications(1)
    notice = school_place.draft()
    Notice.objects.filter(pk=notice.pk).update(columns=["姓名", "身份证号"])
    with refused("column_not_allowed") as refusal:
        actions.submit(notice.pk, school_place.author)
    assert "身份证号" in str(refusal.value)


def test_a_draft_whose_last_case_went_back_to_review_is_empty(school_place: Place) -> None:
    [application] = school_place.applications(1)
    notice = school_place.draft()
    [item] = open_items("aid", "school_notice", [application.case_id]).values()
    [result] = decide(
        [item], "adjust", stand_in("review_school"), Reason("level_to_review", "班级与学籍不符，退回重新评议。")
    )
    assert result.ok, result.message
    notice.refresh_from_db()
    assert (notice.line_count, notice.lines.get().state) == (0, "removed")
    assert "0名同学" in notice.body
    with refused("empty_notice"):
        actions.submit(notice.pk, school_place.author)


@pytest.mark.parametrize("role", ["school_head", "township_reviewer", "auditor"])
def test_only_a_drafting_office_hands_a_draft_on(school_place: Place, role: str) -> None:
    school_place.applications(1)
    notice = school_place.draft()
    with pytest.raises(PermissionDenied):
        actions.submit(notice.pk, acting(person(role, school_place.school)))
    assert actions.submit(notice.pk, school_place.author).state == "pending_review"


def test_an_officer_of_another_school_may_do_nothing_here(school_place: Place) -> None:
    school_place.applications(1)
    notice = school_place.draft()
    stranger = acting(person("aid_officer", SchoolFactory()))
    with pytest.raises(PermissionDenied):
        actions.submit(notice.pk, stranger)
    with pytest.raises(PermissionDenied):
        actions.draft("school_notice", school_place.school, school_place.version.programme, TERM, stranger)


def test_names_with_dots_and_rare_characters_are_shown_as_they_are(school_place: Place) -> None:
    for name in ("阿卜杜拉·买买提", "𠮷小㛃", "䶮禾"):
        at_step(
            "school_notice",
            school=school_place.school,
            version=school_place.version,
            student=StudentFactory(school=school_place.school, name=name),
        )
    notice = actions.submit(school_place.draft().pk, school_place.author)
    assert {line.shown["姓名"] for line in notice.lines.all()} == {"阿卜杜拉·买买提", "𠮷小㛃", "䶮禾"}
