"""A draft is entered, changed, submitted; a returned one is corrected with what it changed kept."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections, transaction
from PIL import Image

from approvals.applications import actions
from approvals.applications.actions import Entry, Identity
from approvals.applications.models import Application, Roster
from approvals.applications.refusals import Refused
from approvals.people.models import Student
from approvals.programmes.models import Window
from tests.factories import (
    FIRST_DAY,
    TERM,
    ApplicationFactory,
    PostFactory,
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    account_number,
    acting,
    at_step,
    head_of,
    id_number,
    officer_of,
    set_training_date,
    stand_in,
    walk_to,
)
from workflows import Reason, decide
from workflows.models import ActingLevel, Case, Record
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db

WRONG = Reason("account_invalid", "银行账号与社保卡不一致,请核对")


@pytest.fixture(autouse=True)
def first_day() -> None:
    set_training_date()


def entry(student: Student | None = None, identity: Identity | None = None, **changes: Any) -> Entry:
    school = student.school if student else changes.pop("school")
    values: dict[str, Any] = {
        "version": VersionFactory(), "term": TERM, "school": school, "student": student, "identity": identity,
        "stage": "primary", "grade": "三年级", "class_name": "2班",
    }  # fmt: skip
    return Entry(**values | changes)


def returned(step: str = "county_review", **fields: Any) -> Application:
    application = at_step(step, **fields)
    permission = {"school_review": "review_school", "county_review": "review_county"}[step]
    [result] = decide([open_item_of(application.case_id).pk], "return", stand_in(permission), WRONG)
    assert result.ok
    return application


def case_of(application: Application) -> Case:
    return Case.objects.get(pk=application.case_id)


# ---------------------------------------------------------------- entering


def test_a_draft_may_be_kept_however_little_is_known() -> None:
    pupil = StudentFactory()
    case_id = actions.enter(entry(pupil), {}, acting(officer_of(pupil.school)))
    assert Case.objects.get(pk=case_id).missing == ["guardian", "account", "commitment", "consent"]
    assert Application.objects.get(pk=case_id).amount == Decimal("625.00")


def test_a_new_pupil_is_added_unverified() -> None:
    school = SchoolFactory()
    number = id_number(date(2016, 3, 5), 7)
    case_id = actions.enter(entry(None, Identity("𠮷小禾", number), school=school), {}, acting(officer_of(school)))
    pupil = Application.objects.get(pk=case_id).student
    assert (pupil.name, pupil.verified, pupil.sex, pupil.birth_date) == ("𠮷小禾", False, "M", date(2016, 3, 5))
    assert pupil.id_number == number


def test_a_pupil_of_another_school_cannot_be_entered_by_typing_the_number() -> None:
    school, elsewhere = SchoolFactory(), StudentFactory()
    stranger = entry(None, Identity(elsewhere.name, elsewhere.id_number), school=school)
    with pytest.raises(Refused) as refused:
        actions.enter(stranger, {}, acting(officer_of(school)))
    assert refused.value.code == "pupil_of_other_school"
    assert not Application.objects.exists()


def test_in_a_closed_window_no_draft_is_opened_and_no_pupil_added() -> None:
    school = SchoolFactory()
    officer = acting(officer_of(school))
    later = entry(None, Identity("王小禾", id_number(date(2016, 3, 5), 7)), school=school, term="2027-2028-1")
    with pytest.raises(Refused) as refused:
        actions.enter(later, {}, officer)
    assert refused.value.code == "window_closed"
    assert not Student.objects.exists()


@pytest.mark.parametrize("role", ["head", "other officer"])
def test_only_an_officer_of_the_school_enters(role: str) -> None:
    pupil = StudentFactory()
    user = head_of(pupil.school) if role == "head" else officer_of(SchoolFactory())
    with pytest.raises(PermissionDenied):
        actions.enter(entry(pupil), {}, acting(user))


# ---------------------------------------------------------------- changing


def test_a_change_supplies_what_was_missing() -> None:
    pupil = StudentFactory()
    officer = acting(officer_of(pupil.school))
    case_id = actions.enter(entry(pupil), {}, officer)
    papers = {"commitment_on": FIRST_DAY, "consent_on": FIRST_DAY}
    stated = {"guardian_name": "王大山", "account_no": account_number(1), "holder_name": pupil.name, **papers}
    assert "account_no" in actions.change(case_id, stated, officer)
    assert Case.objects.get(pk=case_id).missing == []
    [answer] = actions.submit([case_id], officer)
    assert answer.ok
    assert Case.objects.get(pk=case_id).state == "school_review"


def test_an_incomplete_draft_is_not_submitted() -> None:
    pupil = StudentFactory()
    officer = acting(officer_of(pupil.school))
    case_id = actions.enter(entry(pupil), {}, officer)
    [answer] = actions.submit([case_id], officer)
    assert (answer.ok, answer.code) == (False, "incomplete")


def test_what_was_submitted_can_no_longer_be_changed() -> None:
    application = at_step("school_review")
    with pytest.raises(Refused) as refused:
        actions.change(application.case_id, {"remark": "改"}, acting(officer_of(application.school)))
    assert refused.value.code == "not_editable"


def test_saving_what_is_already_there_changes_nothing() -> None:
    application = ApplicationFactory()
    before = Record.objects.count()
    same = {"guardian_name": application.guardian_name, "account_no": application.account_no, "special_groups": ()}
    assert actions.change(application.case_id, same, acting(officer_of(application.school))) == []
    assert Record.objects.count() == before


def test_the_amount_follows_the_tier_and_is_never_typed() -> None:
    tiers = [{"code": "tier_1", "name": "一档", "name_en": "1"}, {"code": "tier_2", "name": "二档", "name_en": "2"}]
    rates = [
        {"first_term": "2025-2026-1", "tier": tier, "amount": amount, "source": "示例"}
        for tier, amount in (("tier_1", "1500.00"), ("tier_2", "1150.00"))
    ]
    rates = [rate | {"source": "冀财教示例"} for rate in rates]
    version = VersionFactory(changes={"tiers": tiers, "rates": rates, "needs": ["account", "amount", "tier"]})
    application = ApplicationFactory(version=version, tier="tier_1", rate=version.rates.get(tier="tier_1"))
    officer = acting(officer_of(application.school))
    assert actions.change(application.case_id, {"tier": "tier_2"}, officer) == ["amount", "tier"]
    application.refresh_from_db()
    assert (application.amount, application.rate.tier) == (Decimal("1150.00"), "tier_2")
    with pytest.raises(ValueError, match="amount"):
        actions.change(application.case_id, {"amount": Decimal(9999)}, officer)


def test_a_correction_keeps_what_it_changed_masked_and_goes_back_to_the_step_that_returned_it() -> None:
    application = returned("county_review")
    officer = acting(officer_of(application.school))
    old = application.account_no
    new = account_number(987654)
    actions.change(application.case_id, {"account_no": new, "circumstances": {"debt": "欠款三万元"}}, officer)
    [revision] = application.revisions.all()
    assert revision.changes["account_no"] == [f"***{old[-4:]}", f"***{new[-4:]}"]
    assert "欠款" not in str(revision.changes)
    assert case_of(application).resume == "county_review"
    [answer] = actions.submit([application.case_id], officer)
    assert answer.ok
    assert case_of(application).state == "county_review"
    assert Record.objects.filter(about_id=application.case_id, act="correct").count() == 1


def test_a_correction_of_the_level_goes_back_to_the_school_and_its_notice_no_longer_counts() -> None:
    application = returned("county_review")
    assert "school_notice" in case_of(application).noticed
    officer = acting(officer_of(application.school))
    actions.change(application.case_id, {"level": "general"}, officer)
    assert case_of(application).noticed == []
    actions.submit([application.case_id], officer)
    assert case_of(application).state == "school_review"


def test_who_an_unverified_pupil_is_can_be_corrected_and_is_judged_again() -> None:
    pupil = StudentFactory(verified=False)
    application = returned("county_review", student=pupil, school=pupil.school)
    officer = acting(officer_of(application.school))
    number = id_number(date(2013, 5, 6), 8)
    assert actions.change(application.case_id, {}, officer, Identity("王小和", number)) == [
        "enrolment_no", "id_number", "name",
    ]  # fmt: skip
    pupil = Student.objects.get(pk=application.student_id)
    assert (pupil.name, pupil.id_number, pupil.sex, pupil.birth_date) == ("王小和", number, "F", date(2013, 5, 6))
    assert application.revisions.get().changes["id_number"][1] == f"1304**********{number[-4:]}"
    assert case_of(application).resume == "school_review"


def test_a_verified_pupil_is_not_changed_by_the_school() -> None:
    application = ApplicationFactory()
    officer = acting(officer_of(application.school))
    assert actions.change(application.case_id, {}, officer, Identity("别名", application.student.id_number)) == []
    assert Student.objects.get(pk=application.student_id).name == application.student.name


def test_an_id_number_of_another_pupil_is_refused() -> None:
    pupil = StudentFactory(verified=False)
    application = ApplicationFactory(student=pupil, school=pupil.school)
    other = StudentFactory()
    with pytest.raises(Refused) as refused:
        actions.change(
            application.case_id, {}, acting(officer_of(application.school)), Identity("王小和", other.id_number)
        )
    assert refused.value.code == "number_taken"


@pytest.mark.parametrize("role", ["head", "other officer"])
def test_only_an_officer_of_the_school_changes(role: str) -> None:
    application = ApplicationFactory()
    user = head_of(application.school) if role == "head" else officer_of(SchoolFactory())
    with pytest.raises(PermissionDenied):
        actions.change(application.case_id, {"remark": "改"}, acting(user))


# ---------------------------------------------------------------- submitting, withdrawing, cancelling


def test_many_are_submitted_at_once_and_each_has_its_answer() -> None:
    school = SchoolFactory()
    good = [ApplicationFactory(school=school).case_id for _ in range(3)]
    poor = ApplicationFactory(school=school, account_hash=None, account_no="").case_id
    foreign = ApplicationFactory().case_id
    answers = actions.submit([*good, poor, foreign], acting(officer_of(school)))
    assert [answer.code for answer in answers] == ["ok", "ok", "ok", "incomplete", "not_permitted"]
    assert Case.objects.get(pk=foreign).missing == []


def test_submitting_again_changes_nothing() -> None:
    application = ApplicationFactory()
    officer = acting(officer_of(application.school))
    assert actions.submit([application.case_id], officer)[0].ok
    assert actions.submit([application.case_id], officer) == []
    assert Record.objects.filter(about_id=application.case_id, act="submit").count() == 1


def test_after_the_window_no_draft_is_submitted_but_a_returned_one_is() -> None:
    draft, back = ApplicationFactory(), returned("school_review")
    Window.objects.update(closes_on=date(2026, 9, 6))
    [answer] = actions.submit([draft.case_id], acting(officer_of(draft.school)))
    assert answer.code == "window_closed"
    [answer] = actions.submit([back.case_id], acting(officer_of(back.school)))
    assert answer.ok


def test_a_cancelled_application_needs_a_reason_and_leaves_its_place() -> None:
    application = ApplicationFactory()
    officer = acting(officer_of(application.school))
    [answer] = actions.take_back([application.case_id], "cancel", officer)
    assert answer.code == "reason_required"
    [answer] = actions.take_back(
        [application.case_id], "cancel", officer, Reason("entered_in_error", "登记时选错了学生,作废重录")
    )
    assert answer.ok
    application.refresh_from_db()
    assert not application.live


def test_a_withdrawal_needs_no_reason_but_the_right_post() -> None:
    application = at_step("school_review")
    [answer] = actions.take_back([application.case_id], "withdraw", acting(head_of(application.school)))
    assert answer.code == "not_permitted"
    [answer] = actions.take_back([application.case_id], "withdraw", acting(officer_of(application.school)))
    assert answer.ok
    application.refresh_from_db()
    assert not application.live


def test_a_rejected_application_leaves_its_place() -> None:
    application = at_step("school_review")
    decide(
        [open_item_of(application.case_id).pk], "reject", stand_in("review_school"),
        Reason("conditions_not_met", "家庭条件不符合本项目规定"),
    )  # fmt: skip
    application.refresh_from_db()
    assert not application.live


# ---------------------------------------------------------------- the papers of a list


def listed(school: Any, **fields: Any) -> Roster:
    return Roster.objects.create(
        school=school, path=school.path, programme="living_subsidy", term=TERM, filename="名单.xlsx",
        sha256="0" * 64, uploaded_by=officer_of(school), **fields,
    )  # fmt: skip


def test_the_papers_of_a_list_are_confirmed_at_once() -> None:
    school = SchoolFactory()
    roster = listed(school)
    bare = {"commitment_on": None, "consent_on": None, "roster": roster, "school": school}
    child = ApplicationFactory(**bare, missing=("commitment", "consent"))
    older = ApplicationFactory(
        **bare, student=StudentFactory(school=school, birth_date=date(2011, 1, 1)), missing=("commitment",)
    )
    officer = acting(officer_of(school))
    assert actions.confirm_papers(roster.pk, True, True, officer) == 2
    for application in (child, older):
        application.refresh_from_db()
        assert (case_of(application).missing, application.commitment_on) == ([], FIRST_DAY)
    assert (child.consent_on, older.consent_on) == (FIRST_DAY, None)
    actions.confirm_papers(roster.pk, True, False, officer)
    assert case_of(child).missing == ["consent"]


def test_papers_are_confirmed_for_drafts_only_and_by_the_school_only() -> None:
    school = SchoolFactory()
    roster = listed(school)
    submitted = walk_to("school_review", ApplicationFactory(school=school, roster=roster))
    assert actions.confirm_papers(roster.pk, True, True, acting(officer_of(school))) == 0
    assert case_of(submitted).state == "school_review"
    for user in (head_of(school), officer_of(SchoolFactory())):
        with pytest.raises(PermissionDenied):
            actions.confirm_papers(roster.pk, True, True, acting(user))


def test_a_day_typed_on_a_single_form_stays_when_a_lists_papers_are_taken_back() -> None:
    school = SchoolFactory()
    roster = listed(school)
    typed = ApplicationFactory(school=school, roster=roster, commitment_on=date(2026, 9, 1), consent_on=FIRST_DAY)
    noted = ApplicationFactory(school=school, roster=roster, commitment_on=None, missing=("commitment",))
    officer = acting(officer_of(school))
    actions.confirm_papers(roster.pk, True, False, officer)
    set_training_date(date(2026, 9, 9))
    actions.confirm_papers(roster.pk, False, False, officer)
    for application in (typed, noted):
        application.refresh_from_db()
    assert (typed.commitment_on, typed.consent_on, noted.commitment_on) == (date(2026, 9, 1), FIRST_DAY, None)
    assert (case_of(typed).missing, case_of(noted).missing) == ([], ["commitment"])


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_draft_that_is_submitted_meanwhile_keeps_its_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The officer unticks the papers while somebody else's submission is being written."""
    school = SchoolFactory()
    roster = listed(school, commitment_on=FIRST_DAY)
    application = ApplicationFactory(school=school, roster=roster, commitment_on=FIRST_DAY)
    officer, submitted, looking = acting(officer_of(school)), threading.Event(), threading.Event()

    def submit() -> None:
        with transaction.atomic():
            actions.submit([application.case_id], officer)
            submitted.set()
            looking.wait(5)
            time.sleep(0.3)

    def confirm() -> int:
        submitted.wait(5)
        looking.set()
        return int(actions.confirm_papers(roster.pk, False, False, officer))

    def alone(act: Any) -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        _, count = pool.map(alone, [submit, confirm])
    application.refresh_from_db()
    assert (count, case_of(application).state, application.commitment_on) == (0, "school_review", FIRST_DAY)


# ---------------------------------------------------------------- what others have judged by


def test_another_account_after_the_data_match_is_matched_again() -> None:
    application = at_step("pending_approval")
    decide([open_item_of(application.case_id).pk], "return", stand_in("approve_county"), WRONG)
    assert case_of(application).resume == "pending_approval"
    officer = acting(officer_of(application.school))
    actions.change(application.pk, {"remark": "已电话核实"}, officer)
    assert case_of(application).resume == "pending_approval", "a remark is nobody's ground"
    actions.change(application.pk, {"account_no": account_number(700_123), "holder_name": "王大山"}, officer)
    assert case_of(application).resume == "county_review"


def test_who_a_pupil_is_cannot_be_swapped_under_an_application_that_was_approved() -> None:
    pupil = StudentFactory(verified=False)
    approved = at_step("payment", student=pupil, school=pupil.school)
    other = VersionFactory(changes={"code": "other_aid", "group": "other_aid"})
    draft = ApplicationFactory(student=pupil, school=pupil.school, version=other)
    somebody = Identity("赵一苗", id_number(date(2016, 3, 5), 9))
    officer = acting(officer_of(pupil.school))
    with pytest.raises(Refused) as refused:
        actions.change(draft.pk, {}, officer, somebody)
    assert refused.value.code == "identity_in_use"
    assert Student.objects.get(pk=pupil.pk).name == approved.student.name
    same = Identity(pupil.name, str(pupil.id_number))
    assert actions.change(draft.pk, {}, officer, same) == ["enrolment_no"], "what nobody judged by may be corrected"


def test_a_correction_goes_straight_back_where_the_programme_has_no_data_match() -> None:
    version = VersionFactory(
        changes={"code": "unmatched", "steps": ["pending_approval", "payment", "disbursement"], "notices": {}}
    )
    application = at_step("pending_approval", version=version)
    decide([open_item_of(application.case_id).pk], "return", stand_in("approve_county"), WRONG)
    actions.change(application.pk, {"holder_name": "王大山"}, acting(officer_of(application.school)))
    assert case_of(application).resume == "pending_approval"


def test_who_a_pupil_is_when_corrected_on_a_draft_is_judged_again_on_a_returned_one_too() -> None:
    pupil = StudentFactory(verified=False)
    other = at_step("pending_approval", student=pupil, school=pupil.school)
    decide([open_item_of(other.case_id).pk], "return", stand_in("approve_county"), WRONG)
    version = VersionFactory(changes={"code": "other_aid", "group": "other_aid"})
    draft = ApplicationFactory(student=pupil, school=pupil.school, version=version)
    officer = acting(officer_of(pupil.school))
    actions.change(draft.pk, {"remark": "已核对"}, officer, Identity(pupil.name, str(pupil.id_number)))
    assert case_of(other).resume == "pending_approval", "nobody judged by the enrolment number"
    actions.change(draft.pk, {}, officer, Identity("赵一苗", id_number(date(2016, 3, 5), 9)))
    case = case_of(other)
    assert (case.resume, case.noticed, case.title) == ("school_review", [], "赵一苗")
    assert "name" in other.revisions.get().changes
    assert Record.objects.filter(about="case", about_id=other.pk, act="correct").exists()


# ---------------------------------------------------------------- whoever changed a case judges it at no other level


def paper() -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(made, "PNG")
    return SimpleUploadedFile("a.png", made.getvalue(), "image/png")


def code_of_approval(by: Any, application: Application) -> str:
    [result] = decide([open_item_of(application.case_id).pk], "approve", by)
    return result.code


@pytest.mark.parametrize("touch", ["change", "confirm_papers", "add_evidence", "remove_evidence", "other_draft"])
def test_who_changed_a_draft_that_another_submitted_does_not_judge_it(touch: str) -> None:
    school = SchoolFactory()
    pupil = StudentFactory(school=school, verified=False)
    application = ApplicationFactory(school=school, student=pupil, roster=listed(school))
    submitter, editor = acting(officer_of(school)), acting(officer_of(school))
    if touch == "change":
        actions.change(application.pk, {"remark": "改"}, editor)
    elif touch == "confirm_papers":
        actions.confirm_papers(application.roster_id, True, True, editor)
    elif touch == "other_draft":
        version = VersionFactory(changes={"code": "other_aid", "group": "other_aid"})
        draft = ApplicationFactory(school=school, student=pupil, version=version)
        actions.change(draft.pk, {}, editor, Identity("赵一苗", str(pupil.id_number)))
    else:
        by = editor if touch == "add_evidence" else acting(officer_of(school))
        added = actions.add_evidence(application.pk, "other", paper(), by)
        if touch == "remove_evidence":
            actions.remove_evidence(added.pk, editor)
    assert [answer.ok for answer in actions.submit([application.pk], submitter)] == [True]
    PostFactory(user=editor.user, organisation=school, role="school_head")
    assert code_of_approval(acting(editor.user), application) == "other_level"
    assert code_of_approval(acting(head_of(school)), application) == "ok"


def test_who_judged_a_case_does_not_correct_it_for_the_school() -> None:
    application = at_step("school_review")
    head = acting(head_of(application.school))
    decide([open_item_of(application.case_id).pk], "return", head, WRONG)
    PostFactory(user=head.user, organisation=application.school, role="aid_officer")
    both = acting(head.user)
    for act in (
        lambda: actions.change(application.pk, {"remark": "改"}, both),
        lambda: actions.add_evidence(application.pk, "other", paper(), both),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "other_level"
    application.refresh_from_db()
    assert (application.remark, application.evidence.count()) == ("", 0)
    assert actions.change(application.pk, {"remark": ""}, both) == [], "nothing changed, nothing refused"


def test_papers_of_a_list_are_not_confirmed_for_a_case_on_which_one_acts_otherwise() -> None:
    school = SchoolFactory()
    roster = listed(school)
    mine, barred = (
        ApplicationFactory(school=school, roster=roster, commitment_on=None, missing=("commitment",)) for _ in range(2)
    )
    officer = acting(officer_of(school))
    ActingLevel.objects.create(case_id=barred.pk, person=officer.key, level="school")
    assert actions.confirm_papers(roster.pk, True, True, officer) == 1
    assert (case_of(mine).missing, case_of(barred).missing) == ([], ["commitment"])
