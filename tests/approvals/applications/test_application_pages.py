"""The pages of single applications: found, filled in on a phone, corrected, submitted, with their papers."""

import io
from datetime import date
from typing import Any

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from approvals.applications import actions
from approvals.applications.models import Application, Roster
from approvals.organisations import papers
from approvals.organisations.models import Organisation, User
from approvals.people.models import Student
from tests.factories import (
    TERM,
    ApplicationFactory,
    CountyFactory,
    SchoolFactory,
    StudentFactory,
    TownshipFactory,
    VersionFactory,
    account_number,
    acting,
    at_step,
    head_of,
    id_number,
    officer_of,
    person,
    set_training_date,
    stand_in,
)
from workflows import Reason, decide
from workflows.models import Case, Record
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def first_day(db: None) -> None:
    set_training_date()


@pytest.fixture
def school() -> Organisation:
    return SchoolFactory()


@pytest.fixture
def officer(school: Organisation) -> User:
    return officer_of(school)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def target() -> str:
    return f"{VersionFactory().programme_id} {TERM}"


def filled(**changes: Any) -> dict[str, Any]:
    """What a browser sends for a complete form."""
    values = {
        "boarder": "yes", "level": "moderate", "special_groups": ["dibao"], "guardian_name": "王大山",
        "guardian_phone": "138 1234 1234", "guardian_id": "130499198507043042", "account_kind": "bank_card",
        "bank": "鸡泽县农村信用联社", "account_no": "6219 9900 0000 0000 010", "holder_name": "",
        "hukou": "rural", "household_size": "4", "disaster": "麦收遇雹灾", "commitment_on": "2026-09-07",
        "consent_on": "2026-09-07", "class_opinion": "同意推荐",
        "member-TOTAL_FORMS": "2", "member-INITIAL_FORMS": "0", "member-MIN_NUM_FORMS": "0",
        "member-MAX_NUM_FORMS": "10", "member-0-name": "王大山", "member-0-relation": "父亲",
        "member-0-income": "12000", "then": "save",
    }  # fmt: skip
    return values | changes


def fill_in(client: Client, pupil: Student, **changes: Any) -> Any:
    address = f"{reverse('applications:new')}?target={target()}&pupil={pupil.pk}"
    return client.post(address, filled(**changes))


# ---------------------------------------------------------------- for whom


def test_a_pupil_is_found_by_the_beginning_of_the_name_in_the_own_school_only(officer: User, school: Any) -> None:
    StudentFactory(name="王小禾", school=school)
    StudentFactory(name="王小苗")
    page = signed_in(officer).post(reverse("applications:new"), {"target": target(), "who": "王小"})
    assert "王小禾" in page.content.decode()
    assert "王小苗" not in page.content.decode()


def test_a_pupil_is_found_by_the_whole_id_number_however_it_is_typed(officer: User, school: Any) -> None:
    pupil = StudentFactory(name="龚䶮", school=school)
    number = pupil.id_number
    spaced = f"{number[:6]} {number[6:14]} {number[14:].lower()}"
    page = signed_in(officer).post(reverse("applications:new"), {"target": target(), "who": spaced})
    assert "龚䶮" in page.content.decode()
    assert f"pupil={pupil.pk}" in page.content.decode()


def test_a_number_of_another_school_tells_no_name(officer: User) -> None:
    pupil = StudentFactory(name="张三丰")
    page = signed_in(officer).post(reverse("applications:new"), {"target": target(), "who": pupil.id_number})
    assert "张三丰" not in page.content.decode()
    assert page.context["found"].elsewhere


def test_a_pupil_of_another_school_cannot_be_chosen_by_address(officer: User) -> None:
    address = f"{reverse('applications:new')}?target={target()}&pupil={StudentFactory().pk}"
    assert signed_in(officer).get(address).status_code == 404


# ---------------------------------------------------------------- filling in


def test_a_filled_in_form_becomes_a_draft_with_everything_in_its_place(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school)
    answer = fill_in(signed_in(officer), pupil)
    application = Application.objects.get(student=pupil)
    assert answer.url == reverse("applications:edit", args=[application.pk])
    assert application.account_no == "6219990000000000010"
    assert application.guardian_phone == "13812341234"
    assert application.holder_name == pupil.name
    assert application.special_groups == ["dibao"]
    assert '"per_capita_income": "3000.00"' in application.circumstances
    assert Case.objects.get(pk=application.pk).missing == []


def test_it_is_submitted_at_once_when_asked_for_and_complete(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school)
    answer = fill_in(signed_in(officer), pupil, then="submit")
    case = Case.objects.get(application__student=pupil)
    assert case.state == "school_review"
    assert answer.url == reverse("review:case", args=[case.pk])


def test_an_incomplete_form_is_kept_and_says_what_is_missing(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school)
    client = signed_in(officer)
    answer = fill_in(client, pupil, then="submit", account_no="", commitment_on="")
    case = Case.objects.get(application__student=pupil)
    assert (case.state, case.missing) == ("draft", ["account", "commitment"])
    page = client.get(answer.url).content.decode()
    assert 'href="#id_account_no"' in page
    assert 'href="#id_commitment_on"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_no", "6219990000000000011"),
        ("guardian_id", "130499198507043041"),
        ("guardian_id", "130499201203050010"),
        ("guardian_phone", "12345"),
        ("guardian_name", "王?山"),
        ("boarder", "no"),
        ("commitment_on", "2026-09-08"),
        ("consent_on", "2026-13-01"),
        ("household_size", "0"),
        ("level", "first"),
        ("special_groups", ["rich"]),
        ("disaster", "灾" * 501),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(
    officer: User, school: Any, field: str, value: Any
) -> None:
    VersionFactory(changes={"boarder": True})
    page = fill_in(signed_in(officer), StudentFactory(school=school), **{field: value})
    assert page.status_code == 200
    assert list(page.context["form"].errors) == [field]
    assert not Application.objects.exists()


def test_more_members_than_people_in_the_household_are_noticed(officer: User, school: Any) -> None:
    more = {"member-1-name": "李梅", "member-1-relation": "母亲", "household_size": "1"}
    page = fill_in(signed_in(officer), StudentFactory(school=school), **more)
    assert list(page.context["form"].errors) == ["household_size"]


def test_a_passbook_is_typed_twice(officer: User, school: Any) -> None:
    pupil, client = StudentFactory(school=school), signed_in(officer)
    passbook = {"account_kind": "passbook", "account_no": "130431000012345"}
    page = fill_in(client, pupil, **passbook, account_again="130431000012346")
    assert list(page.context["form"].errors) == ["account_again"]
    fill_in(client, pupil, **passbook, account_again="1304 3100 0012 345")
    assert Application.objects.get(student=pupil).account_no == "130431000012345"


def test_a_new_pupil_is_entered_with_the_form(officer: User, school: Any) -> None:
    number = id_number(date(2016, 3, 5), 7)
    address = f"{reverse('applications:new')}?target={target()}&pupil=new&school={school.pk}"
    who = {
        "pupil_name": "买买提・江", "id_number": number.lower(), "enrolment_no": f"G{number}",
        "grade": "primary:三年级", "class_name": "2班",
    }  # fmt: skip
    signed_in(officer).post(address, filled(**who))
    pupil = Student.objects.get(school=school)
    assert (pupil.name, pupil.grade, pupil.verified) == ("买买提·江", "三年级", False)
    assert Application.objects.get(student=pupil).holder_name == "买买提·江"


def test_what_the_register_knows_of_the_guardian_need_not_be_typed(officer: User, school: Any) -> None:
    pupil, client = StudentFactory(school=school), signed_in(officer)
    pupil.guardians.create(name="王大山", id_number="130499198507043042", phone="13812341234")
    address = f"{reverse('applications:new')}?target={target()}&pupil={pupil.pk}"
    assert "138****1234" in client.get(address).content.decode()
    client.post(address, filled(guardian_phone="", guardian_id=""))
    application = Application.objects.get(student=pupil)
    assert (application.guardian_phone, application.guardian_id) == ("13812341234", "130499198507043042")


def test_another_guardian_does_not_get_the_registers_numbers(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school)
    pupil.guardians.create(name="王大山", id_number="130499198507043042", phone="13812341234")
    fill_in(signed_in(officer), pupil, guardian_name="李梅", guardian_phone="", guardian_id="")
    assert Application.objects.get(student=pupil).guardian_phone is None


def test_a_second_application_of_the_year_is_refused_in_words(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school)
    ApplicationFactory(student=pupil, school=school)
    page = fill_in(signed_in(officer), pupil)
    assert page.context["form"].non_field_errors()
    assert Application.objects.count() == 1


def test_the_amount_is_shown_and_no_field_takes_one(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school)
    page = signed_in(officer).get(f"{reverse('applications:new')}?target={target()}&pupil={pupil.pk}")
    assert "625.00" in page.content.decode()
    assert "amount" not in page.context["form"].fields


# ---------------------------------------------------------------- correcting


def test_kept_numbers_are_shown_masked_and_stay_unless_typed_again(officer: User, school: Any) -> None:
    pupil, client = StudentFactory(school=school), signed_in(officer)
    address = fill_in(client, pupil).url
    page = client.get(address).content.decode()
    assert "6219990000000000010" not in page
    assert "130499198507043042" not in page
    assert "13812341234" not in page
    assert "***0010" in page
    same = filled(account_no="", guardian_id="", guardian_phone="", remark="补充")
    assert client.post(address, same).status_code == 302
    application = Application.objects.get(student=pupil)
    assert (application.account_no, application.remark) == ("6219990000000000010", "补充")


def test_a_returned_application_is_corrected_and_resubmitted(officer: User, school: Any) -> None:
    application = at_step("county_review", school=school)
    decide(
        [open_item_of(application.case_id).pk], "return", stand_in("review_county"),
        Reason("account_invalid", "银行账号与社保卡不一致,请核对"),
    )  # fmt: skip
    client = signed_in(officer)
    address = reverse("applications:edit", args=[application.pk])
    assert "银行账号与社保卡不一致" in client.get(address).content.decode()
    client.post(address, filled(account_no=account_number(4711), level="", special_groups=[], then="submit"))
    assert Case.objects.get(pk=application.pk).state == "county_review"
    assert application.revisions.count() == 1


def test_what_was_returned_and_not_changed_is_asked_for_once_more(officer: User, school: Any) -> None:
    same, corrected = (at_step("school_review", school=school) for _ in range(2))
    why = Reason("evidence_missing", "户口簿首页不清楚，请重新拍照")
    for each in (same, corrected):
        decide([open_item_of(each.pk).pk], "return", acting(head_of(school)), why)
    draft = ApplicationFactory(school=school)
    client, address = signed_in(officer), reverse("applications:submit")
    assert Case.objects.get(pk=corrected.pk).state == "returned"
    client.post(
        reverse("applications:evidence_add", args=[corrected.pk]), {"kind": "dibao_certificate", "file": photo()}
    )
    asked = client.post(address, {"case": [same.pk, corrected.pk, draft.pk]})
    assert asked.context["same"] == [(same.pk, same.student.name)]
    assert {Case.objects.get(pk=each.pk).state for each in (same, corrected)} == {"returned"}
    client.post(address, {"case": asked.context["others"]})
    assert [Case.objects.get(pk=each.pk).state for each in (same, corrected, draft)] == [
        "returned", "school_review", "school_review",
    ]  # fmt: skip
    client.post(address, {"case": same.pk, "unchanged": "yes"})
    assert Case.objects.get(pk=same.pk).state == "school_review"


def test_a_form_sent_again_as_it_was_returned_is_asked_for_once_more(officer: User, school: Any) -> None:
    application, client = at_step("school_review", school=school), signed_in(officer)
    sent, address = filled(then="submit"), reverse("applications:edit", args=[application.pk])
    for expected in (302, 200):
        item = open_item_of(application.pk)
        decide([item.pk], "return", acting(head_of(school)), Reason("evidence_missing", "户口簿首页不清楚，请重拍"))
        answer = client.post(address, sent)
        assert answer.status_code == expected
    assert "退回后没有改动" in answer.content.decode()
    assert Case.objects.get(pk=application.pk).state == "returned"


def test_what_was_submitted_leads_to_its_case(officer: User, school: Any) -> None:
    application = at_step("school_review", school=school)
    answer = signed_in(officer).get(reverse("applications:edit", args=[application.pk]))
    assert answer.url == reverse("review:case", args=[application.pk])


# ---------------------------------------------------------------- who may


def test_pages_that_enter_are_for_officers_of_the_school(school: Any) -> None:
    application = ApplicationFactory(school=school)
    edit = reverse("applications:edit", args=[application.pk])
    for user, status in [(head_of(school), 403), (officer_of(SchoolFactory()), 404), (officer_of(school), 200)]:
        assert signed_in(user).get(edit).status_code == status
    assert signed_in(head_of(school)).get(reverse("applications:new")).status_code == 403
    assert Client().get(edit).status_code == 302


@pytest.mark.parametrize("name", ["submit", "withdraw", "cancel"])
def test_acts_are_posts_by_those_who_may(name: str, school: Any) -> None:
    application = ApplicationFactory(school=school)
    address = reverse(f"applications:{name}")
    data = {"case": application.pk, "cancel_code": "entered_in_error", "cancel_text": "登记时选错了学生,作废重录"}
    assert signed_in(officer_of(school)).get(address).status_code == 405
    assert Client().post(address, data).status_code == 302
    page = signed_in(officer_of(SchoolFactory())).post(address, data, follow=True)
    assert application.student.name not in page.content.decode(), "an id that was made up says nothing"
    assert Case.objects.get(pk=application.pk).state == "draft"
    assert signed_in(person("auditor", CountyFactory())).post(address, data).status_code == 403
    signed_in(officer_of(school)).post(address, data)
    assert Case.objects.get(pk=application.pk).state != "draft"


# ---------------------------------------------------------------- the list


def test_each_office_sees_what_lies_below_it() -> None:
    township = TownshipFactory()
    one, two = SchoolFactory(parent=township), SchoolFactory(parent=township)
    other = SchoolFactory()
    names = {school: ApplicationFactory(school=school, student=StudentFactory(school=school, name=name)).student.name
             for school, name in ((one, "甲一"), (two, "乙二"), (other, "丙三"))}  # fmt: skip
    sees = {
        officer_of(one): {one}, head_of(two): {two}, person("township_reviewer", township): {one, two},
        person("county_reviewer", CountyFactory()): {one, two, other},
    }  # fmt: skip
    for user, schools in sees.items():
        page = signed_in(user).get(reverse("applications:list")).content.decode()
        assert {school for school, name in names.items() if name in page} == schools
    assert Client().get(reverse("applications:list")).status_code == 302
    assert signed_in(person("administrator", CountyFactory())).get(reverse("applications:list")).status_code == 403


def test_the_list_is_narrowed_by_what_its_address_says(officer: User, school: Any) -> None:
    draft = ApplicationFactory(school=school, student=StudentFactory(school=school, name="甲一"))
    at_step("school_review", school=school, student=StudentFactory(school=school, name="乙二", verified=False))
    client = signed_in(officer)

    def names(query: str) -> list[str]:
        page = client.get(reverse("applications:list") + query)
        return [row["application"].student.name for row in page.context["rows"]]

    assert names("") == ["乙二", "甲一"]
    assert names("?state=draft") == ["甲一"]
    assert names("?name=乙") == ["乙二"]
    assert names(f"?programme={draft.programme}&school={school.pk}") == ["乙二", "甲一"]
    assert names("?programme=none") == []
    assert names("?programme=%FF") == names("?state=%27--") == []
    assert names("?school=x&after=y&roster=%FF") == ["乙二", "甲一"]
    assert "未核实" in client.get(reverse("applications:list")).content.decode()


def test_pages_go_by_key_in_both_directions(officer: User, school: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("approvals.applications.queries.SIZES", (2, 5))
    keys = [ApplicationFactory(school=school).pk for _ in range(5)][::-1]
    client, address = signed_in(officer), reverse("applications:list")

    def shown(page: Any) -> list[int]:
        return [row["case"].pk for row in page.context["rows"]]

    first = client.get(f"{address}?per=2")
    second = client.get(address + first.context["next"])
    third = client.get(address + second.context["next"])
    assert [shown(first), shown(second), shown(third)] == [keys[:2], keys[2:4], keys[4:]]
    assert (first.context["previous"], third.context["next"]) == ("", "")
    assert shown(client.get(address + third.context["previous"])) == keys[2:4]


def test_the_list_asks_little_however_long_it_is(school: Any, django_assert_max_num_queries: Any) -> None:
    for _ in range(8):
        ApplicationFactory(school=school)
    client = signed_in(person("county_reviewer", CountyFactory()))
    client.get(reverse("applications:list"))
    with django_assert_max_num_queries(10):
        client.get(reverse("applications:list"))


def test_many_are_submitted_from_the_list_and_the_refused_are_named_with_why(officer: User, school: Any) -> None:
    good = ApplicationFactory(school=school)
    poor = ApplicationFactory(school=school, account_no="", account_hash=None,
                              student=StudentFactory(school=school, name="缺账号"))  # fmt: skip
    page = signed_in(officer).post(reverse("applications:submit"), {"case": [good.pk, poor.pk]})
    assert Case.objects.get(pk=good.pk).state == "school_review"
    assert "缺账号" in page.content.decode()
    [(why, cases)] = page.context["reasons"]
    assert ("账号" in why, cases) == (True, [(poor.pk, "缺账号")])


def test_what_was_refused_for_one_reason_stands_under_it_once(
    officer: User, school: Any, django_assert_max_num_queries: Any
) -> None:
    poor = [ApplicationFactory(school=school, account_no="", account_hash=None) for _ in range(12)]
    client, sent = signed_in(officer), {"case": [each.pk for each in poor]}
    client.post(reverse("applications:submit"), sent)
    with django_assert_max_num_queries(40):
        page = client.post(reverse("applications:submit"), sent)
    [(why, cases)] = page.context["reasons"]
    assert {case for case, _name in cases} == {each.pk for each in poor}
    assert page.content.decode().count(why) == 1


def test_what_was_written_stands_beside_its_refusal(officer: User, school: Any) -> None:
    each, long = at_step("school_review", school=school), "长" * 1001
    sent = {"case": [each.pk], "withdraw_code": "applicant_withdraws", "withdraw_text": long}
    assert long in signed_in(officer).post(reverse("applications:withdraw"), sent).content.decode()


def test_the_list_says_how_much_is_missing_and_what_first(officer: User, school: Any) -> None:
    each = ApplicationFactory(school=school, account_no="", account_hash=None, commitment_on=None)
    actions.refresh_missing([each.pk])
    page = signed_in(officer).get(reverse("applications:list"))
    [first, second] = page.context["rows"][0]["missing"]
    assert f"<summary>2项：{first}</summary>" in page.content.decode()
    assert f"<li>{second}</li>" in page.content.decode()


def test_all_drafts_of_a_roster_are_submitted_together(officer: User, school: Any) -> None:
    roster = Roster.objects.create(
        school=school, path=school.path, programme="living_subsidy", term=TERM, filename="名单.xlsx",
        sha256="0" * 64, uploaded_by=officer,
    )  # fmt: skip
    drafts = [ApplicationFactory(school=school, roster=roster) for _ in range(3)]
    answer = signed_in(officer).post(reverse("applications:submit"), {"roster": roster.pk})
    assert answer.url == reverse("applications:roster", args=[roster.pk])
    states = Case.objects.filter(pk__in=[each.pk for each in drafts]).values_list("state", flat=True)
    assert set(states) == {"school_review"}


# ---------------------------------------------------------------- papers


def photo() -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(made, "PNG")
    return SimpleUploadedFile("低保证.png", made.getvalue(), "image/png")


def attached(application: Application, officer: User) -> Any:
    return actions.add_evidence(application.pk, "dibao_certificate", photo(), acting(officer))


def test_a_paper_is_attached_seen_in_the_page_and_taken_away(officer: User, school: Any) -> None:
    application, client = ApplicationFactory(school=school), signed_in(officer)
    add = reverse("applications:evidence_add", args=[application.pk])
    assert client.post(add, {"kind": "dibao_certificate", "file": photo()}).status_code == 302
    paper = application.evidence.get()
    page = client.get(reverse("applications:evidence", args=[application.pk, paper.pk])).content.decode()
    file = reverse("applications:evidence_file", args=[application.pk, paper.pk])
    assert f'src="{file}"' in page
    assert not Record.objects.filter(act="open_evidence").exists()
    answer = client.get(file)
    assert answer["Content-Type"] == "image/jpeg"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert Record.objects.filter(act="open_evidence", about_id=application.pk).count() == 1
    client.post(reverse("applications:evidence_remove", args=[application.pk, paper.pk]))
    assert client.get(file).status_code == 404


def test_a_wrong_file_is_refused_beside_its_field(officer: User, school: Any) -> None:
    application = ApplicationFactory(school=school)
    wrong = SimpleUploadedFile("证明.pdf", b"MZ\x90\x00", "application/pdf")
    page = signed_in(officer).post(
        reverse("applications:evidence_add", args=[application.pk]), {"kind": "other", "file": wrong}
    )
    assert page.status_code == 200
    assert list(page.context["desk"].evidence_form.errors) == ["file"]


def test_a_paper_is_opened_by_those_who_see_the_case_only(officer: User, school: Any) -> None:
    application = ApplicationFactory(school=school)
    paper = attached(application, officer)
    file = reverse("applications:evidence_file", args=[application.pk, paper.pk])
    assert signed_in(head_of(school)).get(file).status_code == 200
    assert signed_in(head_of(SchoolFactory())).get(file).status_code == 404
    assert signed_in(person("administrator", CountyFactory())).get(file).status_code == 403
    assert Client().get(file).status_code == 302
    other = ApplicationFactory(school=school)
    assert signed_in(officer).get(reverse("applications:evidence_file", args=[other.pk, paper.pk])).status_code == 404


# ---------------------------------------------------------------- the form as a PDF


def text_of(answer: Any) -> str:
    assert answer["Content-Type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(answer.content)).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")


def test_the_form_is_a_pdf_with_masked_numbers_and_rare_characters(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school, name="𠮷䶮㛃")
    client = signed_in(officer)
    fill_in(client, pupil)
    application = Application.objects.get(student=pupil)
    text = text_of(client.get(reverse("applications:form_pdf", args=[application.pk])))
    assert "𠮷䶮㛃" in text
    assert f"1304**********{pupil.id_tail}" in text
    assert "***0010" in text
    for secret in (pupil.id_number, "6219990000000000010", "13812341234", "130499198507043042"):
        assert secret not in text
    for words in ("低保", "625.00", "麦收遇雹灾", "C2026-1", "K2026-1", "2026年9月7日", "王大山"):
        assert words in text, words
    assert Record.objects.filter(act="form_pdf", about_id=application.pk).count() == 1


def test_the_familys_circumstances_stand_on_the_copy_of_their_school_only(officer: User, school: Any) -> None:
    pupil = StudentFactory(school=school)
    fill_in(signed_in(officer), pupil)
    address = reverse("applications:form_pdf", args=[Application.objects.get(student=pupil).pk])
    assert "雹灾" in text_of(signed_in(officer).get(address))
    for user in (head_of(school), person("finance_maker", CountyFactory())):
        assert "雹灾" not in text_of(signed_in(user).get(address))
    assert signed_in(head_of(SchoolFactory())).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_without_a_chinese_font_the_form_is_a_page_that_prints(
    officer: User, school: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_here(*args: Any) -> bytes:
        raise papers.PaperUnavailable

    monkeypatch.setattr(papers, "render", none_here)
    application = ApplicationFactory(school=school)
    page = signed_in(officer).get(reverse("applications:form_pdf", args=[application.pk]))
    assert page.status_code == 200
    assert "fonts-noto-cjk" in page.content.decode()
    assert application.student.name in page.content.decode()
