"""From award to account: three persons, one file, every line answered once, nothing paid twice."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from approvals.applications.models import Application, Hit
from approvals.applications.refusals import Refused as AccountRefused
from approvals.awards.actions import activate_started
from approvals.awards.models import Award
from approvals.disbursement import actions, demo_bank, queries
from approvals.disbursement.funds.ledger import held_for
from approvals.disbursement.funds.models import Account
from approvals.disbursement.models import SETTLEMENT, Batch
from approvals.disbursement.refusals import Refused
from approvals.people.crypto import blind_index
from approvals.programmes.terms import Term
from notifications.models import Message
from notifications.queries import line as message_line
from tests.factories import (
    TERM,
    ApplicationFactory,
    CountyFactory,
    CountySchoolFactory,
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    account_number,
    acting,
    at_step,
    funded,
    head_of,
    officer_of,
    person,
    set_training_date,
    walk_to,
)
from workflows.clock import today
from workflows.models import Case, Record

pytestmark = pytest.mark.django_db


class Office:
    """A county with its three finance officers and a school with an aid officer."""

    def __init__(self) -> None:
        set_training_date()
        self.county = CountyFactory()
        self.school = SchoolFactory()
        self.maker = acting(person("finance_maker", self.county))
        self.checker = acting(person("finance_checker", self.county))
        self.approver = acting(person("finance_approver", self.county))
        self.treasury = acting(person("treasury_officer", self.county))
        self.officer = acting(officer_of(self.school))
        self.head = acting(head_of(self.school))
        self.version = VersionFactory()

    def approved(self, count: int = 3) -> list[Any]:
        return [at_step("payment", school=self.school, version=self.version) for _ in range(count)]

    def batch(self) -> Batch:
        funded(self.county, self.version.programme)
        return actions.make_batch(self.version.programme, TERM, self.maker, self.county.path)

    def sent_for_approval(self) -> Batch:
        batch = self.batch()
        actions.submit(batch.pk, self.maker)
        actions.check(batch.pk, self.checker)
        return Batch.objects.get(pk=batch.pk)

    def allotted(self) -> Batch:
        batch = self.sent_for_approval()
        self.allot(actions.approve(batch.pk, self.approver))
        return Batch.objects.get(pk=batch.pk)

    def acts(self) -> dict[str, Any]:
        """The steps of a batch until money leaves, each by the person whose turn it is."""
        return {
            "submit": lambda pk: actions.submit(pk, self.maker),
            "check": lambda pk: actions.check(pk, self.checker),
            "approve": lambda pk: actions.approve(pk, self.approver),
            "allot": lambda pk: actions.allot(pk, self.treasury, "鸡财拨〔2026〕1号", today()),
            "export": lambda pk: actions.export(pk, self.maker),
        }

    def allot(self, batch: Batch) -> None:
        actions.allot(batch.pk, self.treasury, "鸡财拨〔2026〕1号", today())

    def sent(self) -> Batch:
        batch = self.allotted()
        actions.export(batch.pk, self.maker)
        return Batch.objects.get(pk=batch.pk)


@pytest.fixture
def office() -> Office:
    return Office()


def refusal(act: Any, *args: Any) -> str:
    with pytest.raises(Refused) as refused, transaction.atomic():
        act(*args)
    assert str(refused.value)
    return refused.value.code


def bank_answers(batch: Batch, failing: tuple[int, ...] = ()) -> bytes:
    """The bank's answer in which these line numbers fail."""
    lines = demo_bank.answer(batch).decode("gb18030").splitlines()
    answered = []
    for line in lines[1:]:
        cells = line.split("|")
        cells[6:] = ["1001", "户名与账号不符"] if int(cells[0]) in failing else ["0000", "成功"]
        answered.append("|".join(cells))
    return "\r\n".join([lines[0], *answered, ""]).encode("gb18030")


def states(applications: list[Any]) -> list[str]:
    ids = [application.case_id for application in applications]
    return list(Case.objects.filter(pk__in=ids).order_by("pk").values_list("state", flat=True))


def test_an_approved_case_is_an_award_with_its_amount_by_term(office: Office) -> None:
    [application] = office.approved(1)
    award = Award.objects.get(case=application.case_id)
    assert award.state == "active"
    assert [(term.term, term.amount) for term in award.terms.order_by("term")] == [
        ("2026-2027-1", Decimal("625.00")),
        ("2026-2027-2", Decimal("625.00")),
    ]


def test_money_reaches_the_pupil_through_three_persons_and_the_bank(office: Office) -> None:
    applications = office.approved(3)
    batch = office.sent()
    assert (batch.line_count, batch.total) == (3, Decimal("1875.00"))
    assert states(applications) == ["disbursing"] * 3
    assert actions.take_return(batch.pk, bank_answers(batch), "return.txt", office.maker) == {"paid": 3, "failed": 0}
    batch.refresh_from_db()
    assert batch.state == "paid"
    assert states(applications) == ["completed"] * 3
    assert set(batch.lines.values_list("state", flat=True)) == {"paid"}
    acts = Record.objects.filter(about="batch", about_id=batch.pk).order_by("id").values_list("act", flat=True)
    assert list(acts) == ["make", "submit", "check_lines", "approve", "report", "allot", "send", "answer_fully"]


def test_maker_checker_and_approver_are_three_persons(office: Office) -> None:
    office.approved(1)
    batch = office.batch()
    actions.submit(batch.pk, office.maker)
    both = acting(person("finance_checker", office.county))
    both.user.person = office.maker.user.person
    both.user.save()
    assert refusal(actions.check, batch.pk, both) == "same_person"
    actions.check(batch.pk, office.checker)
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(approver_person=office.checker.user.person)


@pytest.mark.parametrize(
    ("act", "holder"), [("submit", "maker"), ("check", "checker"), ("approve", "approver"), ("export", "maker")]
)
def test_each_act_needs_its_own_permission(office: Office, act: str, holder: str) -> None:
    office.approved(1)
    batch = office.batch()
    for name in ("maker", "checker", "approver", "officer"):
        if name != holder:
            with pytest.raises(PermissionDenied), transaction.atomic():
                getattr(actions, act)(batch.pk, getattr(office, name))
    with pytest.raises(PermissionDenied), transaction.atomic():
        actions.make_batch(office.version.programme, TERM, office.checker, office.county.path)


def test_an_act_out_of_turn_is_refused_with_a_sentence(office: Office) -> None:
    office.approved(1)
    batch = office.batch()
    assert refusal(actions.check, batch.pk, office.checker) == "wrong_state"
    assert refusal(actions.export, batch.pk, office.maker) == "wrong_state"
    actions.submit(batch.pk, office.maker)
    assert refusal(actions.submit, batch.pk, office.maker) == "wrong_state"
    assert refusal(actions.cancel, batch.pk, office.maker, "编制错了,需要重新编制") == "wrong_state"


def test_the_same_award_is_never_in_two_batches(office: Office) -> None:
    office.approved(2)
    batch = office.batch()
    assert refusal(office.batch) == "nothing_to_pay"
    line = batch.lines.first()
    assert line is not None
    line.pk, line.number = None, 99
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save(force_insert=True)


def test_a_cancelled_batch_frees_its_awards(office: Office) -> None:
    office.approved(2)
    first = office.batch()
    assert refusal(actions.cancel, first.pk, office.maker, "短") == "reason_required"
    actions.cancel(first.pk, office.maker, "项目选错,重新编制批次")
    assert office.batch().line_count == 2


def test_exporting_again_gives_the_same_bytes_and_moves_nothing(office: Office) -> None:
    applications = office.approved(2)
    batch = office.sent()
    first = batch.files.get(direction="out")
    again = actions.export(batch.pk, office.maker)
    assert (again.pk, again.content) == (first.pk, first.content)
    assert again.content.decode("gb18030").startswith("2|1250.00\r\n")
    assert states(applications) == ["disbursing"] * 2


def test_the_same_return_twice_changes_nothing(office: Office) -> None:
    office.approved(2)
    batch = office.sent()
    content = bank_answers(batch, failing=(1,))
    assert actions.take_return(batch.pk, content, "r.txt", office.maker) == {"paid": 1, "failed": 1}
    count = Record.objects.count()
    assert actions.take_return(batch.pk, content, "r.txt", office.maker) == {"paid": 0, "failed": 0}
    assert Record.objects.count() == count


def replaced(content: bytes, line: int, cell: int, value: str) -> bytes:
    lines = content.decode("gb18030").split("\r\n")
    cells = lines[line - 1].split("|")
    cells[cell] = value
    lines[line - 1] = "|".join(cells)
    return "\r\n".join(lines).encode("gb18030")


def test_a_return_that_does_not_fit_is_refused_whole(office: Office) -> None:
    office.approved(2)
    batch = office.sent()
    good = bank_answers(batch)

    def code(content: bytes) -> str:
        return refusal(actions.take_return, batch.pk, content, "r.txt", office.maker)

    lines = good.decode("gb18030").split("\r\n")
    assert code(replaced(good, 2, 5, "20260907-9999-000001")) == "return_other_batch"
    assert code(replaced(good, 3, 5, lines[1].split("|")[5])) == "return_twice"
    swapped = replaced(replaced(good, 2, 3, "624.99"), 3, 3, "625.01")
    assert code(swapped) == "return_amount"
    assert code(replaced(good, 2, 2, account_number(987654))) == "return_account"
    assert code("\r\n".join(["1|625.00", lines[1], ""]).encode("gb18030")) == "return_missing"
    assert set(batch.lines.values_list("state", flat=True)) == {"sent"}


def test_a_failed_payment_is_corrected_by_the_school_and_reissued(office: Office) -> None:
    applications = office.approved(3)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch, failing=(2,)), "r.txt", office.maker)
    batch.refresh_from_db()
    assert batch.state == "partially_paid"
    assert sorted(states(applications)) == ["completed", "completed", "disbursing"]
    assert Message.objects.filter(recipient=office.officer.user, event="payment_failed").count() == 1
    failed = batch.lines.get(state="failed")
    same = (failed.account_no, failed.account_no, "bank_card", failed.payee, "联社", office.officer)
    assert refusal(actions.propose_account, failed.pk, *same) == "account_unchanged"
    with pytest.raises(actions.AccountProblem):
        wrong = "6219990000000000011"
        actions.propose_account(failed.pk, wrong, wrong, "bank_card", failed.payee, "联社", office.officer)
    correct(office, failed, account_number(700001), failed.payee)
    second = actions.reissue(batch.pk, office.maker)
    assert refusal(actions.reissue, batch.pk, office.maker) == "nothing_corrected"
    line = second.lines.get()
    assert (line.replaces_id, line.account_no, line.amount) == (failed.pk, account_number(700001), failed.amount)
    failed.refresh_from_db()
    assert (failed.state, failed.account_tail) != ("reissued", line.account_tail)
    actions.submit(second.pk, office.maker)
    actions.check(second.pk, office.checker)
    office.allot(actions.approve(second.pk, office.approver))
    actions.export(second.pk, office.maker)
    second.refresh_from_db()
    actions.take_return(second.pk, bank_answers(second), "r2.txt", office.maker)
    batch.refresh_from_db()
    assert batch.state == "paid"
    assert states(applications) == ["completed"] * 3


def test_a_batch_and_its_reissue_name_each_other(
    office: Office, client: Client, django_assert_max_num_queries: Any
) -> None:
    office.approved(2)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch, failing=(2,)), "r.txt", office.maker)
    failed = batch.lines.get(state="failed")
    correct(office, failed, account_number(700001), failed.payee)
    second = actions.reissue(batch.pk, office.maker)
    client.force_login(office.checker.user)
    with django_assert_max_num_queries(20):
        page = client.get(reverse("disbursement:detail", args=[batch.pk])).content.decode()
    link = f'<a href="{reverse("disbursement:detail", args=[second.pk])}">{second.number}</a>'
    assert page.count(link) == 2, "among the facts, and where it says what it waits for"
    page = client.get(reverse("disbursement:detail", args=[second.pk])).content.decode()
    assert f'<a href="{reverse("disbursement:detail", args=[batch.pk])}">{batch.number}</a>' in page


def test_the_maker_is_told_once_a_batch_which_one_was_corrected(office: Office) -> None:
    office.approved(3)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch, failing=(1, 2, 3)), "r.txt", office.maker)
    first, second, third = batch.lines.order_by("number")
    for number, line in enumerate((first, second), start=700010):
        correct(office, line, account_number(number), line.payee)
    told = Message.objects.filter(recipient=office.maker.user, event="account_corrected")
    assert batch.number in message_line(told.get()).sentence
    actions.reissue(batch.pk, office.maker)
    correct(office, third, account_number(700013), third.payee)
    assert told.count() == 2


def test_a_cancelled_reissue_waits_for_another(office: Office) -> None:
    office.approved(1)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch, failing=(1,)), "r.txt", office.maker)
    failed = batch.lines.get()
    correct(office, failed, account_number(700002), "王大山")
    second = actions.reissue(batch.pk, office.maker)
    actions.cancel(second.pk, office.maker, "先核对户名,之后再补发")
    failed.refresh_from_db()
    assert failed.state == "account_fix"
    assert actions.reissue(batch.pk, office.maker).line_count == 1


def test_only_the_pupils_own_school_corrects_an_account(office: Office) -> None:
    office.approved(1)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch, failing=(1,)), "r.txt", office.maker)
    line = batch.lines.get()
    stranger = acting(officer_of(SchoolFactory()))
    with pytest.raises(PermissionDenied), transaction.atomic():
        actions.propose_account(line.pk, account_number(5), account_number(5), "bank_card", "王大山", "联社", stranger)


def test_nothing_is_paid_while_a_hit_says_that_the_pupil_died_or_is_enrolled_elsewhere(office: Office) -> None:
    stopped, other = office.approved(2)
    hit = Hit.objects.create(application=stopped, source="deceased", code="deceased", weight="block")
    Hit.objects.create(application=other, source="disabled", code="disabled_unstated", weight="info")
    [row] = queries.waiting([office.county.path])
    assert (row["count"], row["stopped"]) == (1, 1)
    assert [line.case_id for line in office.batch().lines.all()] == [other.pk]
    assert refusal(office.batch) == "all_left_out"
    Hit.objects.filter(pk=hit.pk).update(waived_at=datetime.now(UTC))
    assert [line.case_id for line in office.batch().lines.all()] == [stopped.pk]


@pytest.mark.parametrize("step", ["submit", "approve", "export"])
@pytest.mark.parametrize(("source", "code"), [("deceased", "deceased"), ("dual_enrolment", "dual_enrolment")])
def test_no_money_leaves_for_a_pupil_found_dead_or_enrolled_elsewhere_meanwhile(
    office: Office, step: str, source: str, code: str
) -> None:
    office.approved(2)
    batch = office.batch()
    acts = office.acts()
    for act in list(acts)[: list(acts).index(step)]:
        acts[act](batch.pk)
    line = batch.lines.get(number=2)
    hit = Hit.objects.create(application_id=line.case_id, source=source, code=code)
    with pytest.raises(Refused) as refused, transaction.atomic():
        acts[step](batch.pk)
    assert refused.value.code == "lines_stopped"
    assert refused.value.values == {"count": 1, "lines": "2"}
    Hit.ever.filter(pk=hit.pk).update(closed_at=datetime.now(UTC), closed_why="other_list")
    acts[step](batch.pk)


def test_a_line_stopped_after_approval_is_taken_out_once_the_batch_is_back(office: Office) -> None:
    office.approved(2)
    batch = office.sent_for_approval()
    office.allot(actions.approve(batch.pk, office.approver))
    line = batch.lines.get(number=2)
    Hit.objects.create(application_id=line.case_id, source="deceased", code="deceased", weight="block")
    assert refusal(actions.export, batch.pk, office.maker) == "lines_stopped"
    actions.send_back(batch.pk, office.treasury, "第2行学生已死亡，请剔除该行")
    assert refusal(actions.submit, batch.pk, office.maker) == "lines_stopped"
    assert actions.take_out(line.pk, office.maker, "公安部门名册载明学生已死亡").line_count == 1
    actions.submit(batch.pk, office.maker)


def test_a_waiver_is_not_settled_while_a_hit_stops_one_of_its_lines(office: Office) -> None:
    office.version = VersionFactory(
        changes={"code": "waiver", "disbursement": "fee_waiver_settlement", "needs": ["amount"]}
    )
    [application] = office.approved(1)
    batch = office.sent_for_approval()
    office.allot(actions.approve(batch.pk, office.approver))
    Hit.objects.create(application=application, source="dual_enrolment", code="dual_enrolment")
    assert refusal(actions.settle, batch.pk, "鸡财教〔2026〕8号", office.maker) == "lines_stopped"


def test_a_corrected_payment_that_a_hit_stops_is_not_reissued_and_the_others_are(office: Office) -> None:
    dead, other = failed_lines(office, 2)
    for number, line in enumerate((dead, other), start=700_020):
        correct(office, line, account_number(number), line.student.name)
    hit = Hit.objects.create(application_id=dead.case_id, source="deceased", code="deceased", weight="block")
    second = actions.reissue(dead.batch_id, office.maker)
    assert [line.case_id for line in second.lines.all()] == [other.case_id]
    assert refusal(actions.reissue, dead.batch_id, office.maker) == "reissue_stopped"
    dead.refresh_from_db()
    assert dead.state == "account_fix"
    Hit.objects.filter(pk=hit.pk).update(waived_at=datetime.now(UTC))
    assert [line.case_id for line in actions.reissue(dead.batch_id, office.maker).lines.all()] == [dead.case_id]


def test_an_account_shared_by_three_unrelated_pupils_is_not_paid_but_siblings_are(office: Office) -> None:
    shared = account_number(31)
    fields = {"school": office.school, "version": office.version, "account_no": shared}
    for _ in range(3):
        at_step("payment", **fields)
    assert refusal(office.batch) == "all_left_out"
    pupil = StudentFactory(school=office.school)
    siblings = [pupil, *(StudentFactory(school=office.school, household=pupil.household) for _ in range(2))]
    for sibling in siblings:
        at_step("payment", student=sibling, **fields | {"account_no": account_number(32)})
    assert office.batch().line_count == 3


def test_nothing_is_payable_before_its_notices_concluded(office: Office) -> None:
    [application] = office.approved(1)
    Case.objects.filter(pk=application.case_id).update(noticed=["school_notice"])
    assert refusal(office.batch) == "nothing_to_pay"


def test_a_waiver_is_settled_with_the_school_and_no_person_is_paid(office: Office) -> None:
    waiver = {
        "code": "tuition_waiver_registered",
        "group": "tuition_waiver",
        "disbursement": "fee_waiver_settlement",
        "needs": ["amount"],
        "stages": ["senior"],
    }
    version = VersionFactory(changes=waiver)
    school = CountySchoolFactory()
    application = at_step(
        "payment", school=school, version=version, account_no=None, account_hash=None, account_tail=""
    )
    funded(office.county, version.programme)
    batch = actions.make_batch(version.programme, TERM, office.maker, office.county.path)
    line = batch.lines.get()
    assert (line.payee, line.account_no) == (school.name, None)
    actions.submit(batch.pk, office.maker)
    actions.check(batch.pk, office.checker)
    office.allot(actions.approve(batch.pk, office.approver))
    assert refusal(actions.export, batch.pk, office.maker) == "not_a_transfer"
    assert refusal(actions.settle, batch.pk, " ", office.maker) == "document_required"
    actions.settle(batch.pk, "鸡财教〔2026〕12号", office.maker)
    assert (held_for(batch.pk, Account.COMMITTED), sum(held_for(batch.pk, Account.PAID).values())) == ({}, line.amount)
    assert states([application]) == ["completed"]


def test_finance_pages_show_the_batch_in_few_statements(
    office: Office, client: Client, django_assert_max_num_queries: Any
) -> None:
    office.approved(3)
    batch = office.sent()
    client.force_login(office.maker.user)
    with django_assert_max_num_queries(17):
        page = client.get(reverse("disbursement:detail", args=[batch.pk])).content.decode()
    assert "壹仟捌佰柒拾伍元整" in page
    assert account_number(0)[:12] not in page
    with django_assert_max_num_queries(14):
        assert client.get(reverse("disbursement:list")).status_code == 200
    client.force_login(office.officer.user)
    assert client.get(reverse("disbursement:detail", args=[batch.pk])).status_code == 403
    assert client.get(reverse("disbursement:failed")).status_code == 200


def test_the_whole_path_can_be_walked_on_the_pages(office: Office, client: Client) -> None:
    office.approved(2)
    client.force_login(office.maker.user)
    funded(office.county, office.version.programme)
    made = client.post(reverse("disbursement:new"), {"programme": office.version.programme_id, "term": TERM})
    batch = Batch.objects.get()
    assert made.headers["Location"] == reverse("disbursement:detail", args=[batch.pk])
    client.post(reverse("disbursement:submit", args=[batch.pk]))
    client.force_login(office.checker.user)
    client.post(reverse("disbursement:check", args=[batch.pk]))
    client.force_login(office.approver.user)
    client.post(reverse("disbursement:approve", args=[batch.pk]))
    client.force_login(office.treasury.user)
    assert "县级" in client.get(reverse("disbursement:detail", args=[batch.pk])).content.decode()
    given = {"document": "鸡财拨〔2026〕7号", "dated": str(today())}
    client.post(reverse("disbursement:allot", args=[batch.pk]), given)
    client.force_login(office.maker.user)
    file = client.post(reverse("disbursement:bank_file", args=[batch.pk]))
    assert file.content.decode("gb18030").startswith("2|1250.00")
    answer = client.get(reverse("disbursement:demo_answer", args=[batch.pk])).content
    client.post(
        reverse("disbursement:bank_return", args=[batch.pk]), {"file": SimpleUploadedFile("answer.txt", answer)}
    )
    batch.refresh_from_db()
    assert batch.state == "partially_paid"
    line = batch.lines.get(state="failed")
    client.force_login(office.officer.user)
    entered = {
        "account": "6219 9900 0000 0000 028",
        "again": "6219990000000000028",
        "account_kind": "bank_card",
        "holder": line.payee,
        "bank": "鸡泽县农村信用联社",
    }
    client.post(reverse("disbursement:correct_account", args=[line.pk]), entered)
    line.refresh_from_db()
    assert line.state == "failed"
    client.force_login(office.head.user)
    assert "待确认的账户更正" in client.get(reverse("home")).content.decode()
    assert "***0028" in client.get(reverse("disbursement:failed")).content.decode()
    confirm = reverse("disbursement:confirm_account", args=[line.corrections.get().pk])
    client.post(confirm, {"account": "6219990000000000036"})
    assert line.corrections.get().state == "waiting"
    client.post(confirm, {"account": "6219990000000000028"})
    line.refresh_from_db()
    assert line.state == "account_fix"
    client.force_login(office.officer.user)
    page = client.get(reverse("disbursement:failed")).content.decode()
    assert "***0028" in page
    assert f"***{line.account_tail}" in page
    client.force_login(office.maker.user)
    home = client.get(reverse("home")).content.decode()
    assert "待补发" in home
    page = client.get(reverse("disbursement:failed")).content.decode()
    assert reverse("disbursement:detail", args=[batch.pk]) in page
    client.post(reverse("disbursement:reissue", args=[batch.pk]))
    assert Batch.objects.count() == 2


def test_awards_page_lists_only_the_own_subtree(
    office: Office, client: Client, django_assert_max_num_queries: Any
) -> None:
    office.approved(2)
    elsewhere = at_step("payment", version=office.version)
    client.force_login(office.officer.user)
    with django_assert_max_num_queries(14):
        page = client.get(reverse("awards:list")).content.decode()
    assert page.count("<tr>") == 3
    assert elsewhere.school.name not in page


def test_a_draft_has_no_award(office: Office) -> None:
    ApplicationFactory(school=office.school, version=office.version)
    assert not Award.objects.exists()


def test_what_waits_is_counted_by_programme_and_term(office: Office) -> None:
    office.approved(2)
    waiting = queries.waiting([office.county.path])
    assert next((row["term"], row["count"], row["total"]) for row in waiting) == (TERM, 2, Decimal("1250.00"))


def test_a_term_is_offered_and_paid_once_it_has_begun_even_after_the_one_before(office: Office) -> None:
    office.approved(2)
    following = Term.of(TERM).next()
    assert [row["term"] for row in queries.waiting([office.county.path])] == [TERM]
    programme, by, county = office.version.programme, office.maker, office.county.path
    assert refusal(actions.make_batch, programme, following.code, by, county) == "nothing_to_pay"
    office.batch()
    assert queries.waiting([county]) == []
    set_training_date(following.starts_on)
    assert [(row["term"], row["count"]) for row in queries.waiting([county])] == [(following.code, 2)]
    assert actions.make_batch(programme, following.code, by, county).line_count == 2


# ---------------------------------------------------------------- what auditors look for


def failed_lines(office: Office, count: int) -> list[Any]:
    """Lines that the bank refused, of as many pupils."""
    office.approved(count)
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch, tuple(range(1, count + 1))), "answer.txt", office.maker)
    return list(batch.lines.order_by("number"))


def correct(office: Office, line: Any, account: str, holder: str) -> None:
    """The school proposes an account, and its head confirms it."""
    proposed = actions.propose_account(line.pk, account, account, "bank_card", holder, "农信社", office.officer)
    actions.confirm_account(proposed.pk, account, office.head)


def test_failed_payments_of_strangers_cannot_be_led_to_one_account(office: Office) -> None:
    one, two, three = failed_lines(office, 3)
    account = account_number(987_654)
    correct(office, one, account, "王大山")
    correct(office, two, account, "王大山")
    with pytest.raises(AccountRefused) as refused, transaction.atomic():
        correct(office, three, account, "王大山")
    assert refused.value.code == "account_shared"
    three.refresh_from_db()
    assert three.state == "failed"


def test_another_pupils_account_is_refused_and_the_pupil_named(office: Office) -> None:
    [line] = failed_lines(office, 1)
    other = ApplicationFactory(school=office.school, version=office.version, student__name="李小花")
    with pytest.raises(AccountRefused) as refused, transaction.atomic():
        correct(office, line, other.account_no, line.student.name)
    assert refused.value.code == "account_of_other"
    assert f"李小花({office.school.name})" in str(refused.value).replace("（", "(").replace("）", ")")
    elsewhere = ApplicationFactory(version=office.version, student__name="李小朵")
    with pytest.raises(AccountRefused) as refused, transaction.atomic():
        correct(office, line, elsewhere.account_no, line.student.name)
    assert "李**" in str(refused.value)
    assert "李小朵" not in str(refused.value)
    client = Client()
    client.force_login(office.officer.user)
    entered = {"account": other.account_no, "account_kind": "bank_card", "holder": line.student.name, "bank": "农信社"}
    entered["again"] = other.account_no
    page = client.post(reverse("disbursement:correct_account", args=[line.pk]), entered).content.decode()
    assert "李小花" in page
    line.refresh_from_db()
    assert line.state == "failed"


def test_siblings_share_an_account_of_their_household_or_of_their_guardian(office: Office) -> None:
    one, two = failed_lines(office, 2)
    brother = ApplicationFactory(
        school=office.school, version=office.version, student__household=one.student.household, guardian_name="王大河"
    )
    correct(office, one, brother.account_no, one.student.name)
    cousin = ApplicationFactory(school=office.school, version=office.version, holder_name="王大山")
    correct(office, two, cousin.account_no, "王大山")
    assert [line.state for line in queries.failed_below([office.school.path])] == ["account_fix"] * 2


def test_an_account_that_another_pupil_was_paid_to_is_his_after_he_moved_to_another(office: Office) -> None:
    [line] = failed_lines(office, 1)
    other = walk_to("payment", ApplicationFactory(school=office.school, version=office.version))
    account, batch = other.account_no, office.sent()
    actions.take_return(batch.pk, bank_answers(batch), "answer.txt", office.maker)
    Application.objects.filter(pk=other.case_id).update(account_hash=blind_index(account_number(987_655)))
    with pytest.raises(AccountRefused) as refused, transaction.atomic():
        correct(office, line, account, line.student.name)
    assert refused.value.code == "account_of_other"


def test_a_failed_payment_goes_to_the_pupil_or_a_guardian_on_record(office: Office) -> None:
    [line] = failed_lines(office, 1)
    with pytest.raises(AccountRefused) as refused, transaction.atomic():
        correct(office, line, account_number(987_654), "陌生人")
    assert refused.value.code == "holder_unknown"
    correct(office, line, account_number(987_654), "王大山")


def test_an_account_shared_over_several_batches_is_counted_over_all_of_them(office: Office) -> None:
    account = account_number(987_654)
    for _ in range(2):
        application = ApplicationFactory(school=office.school, version=office.version, account_no=account)
        walk_to("payment", application)
    assert office.batch().line_count == 2
    walk_to("payment", ApplicationFactory(school=office.school, version=office.version, account_no=account))
    assert refusal(office.batch) == "all_left_out"


@pytest.mark.parametrize("step", ["submit", "approve", "export"])
def test_no_money_leaves_for_an_award_that_was_suspended_meanwhile(office: Office, step: str) -> None:
    office.approved(2)
    batch = office.batch()
    for act, do in office.acts().items():
        if act == step:
            Award.objects.filter(lines__batch=batch, lines__number=2).update(state="suspended")
            assert refusal(do, batch.pk) == "award_not_active"
            break
        do(batch.pk)


def test_a_line_is_taken_out_with_a_reason_and_the_rest_goes_on(office: Office) -> None:
    office.approved(2)
    batch = office.sent_for_approval()
    actions.send_back(batch.pk, office.approver, "第2行学生已休学，请剔除")
    line = batch.lines.get(number=2)
    assert refusal(actions.take_out, line.pk, office.maker, "短") == "reason_required"
    with pytest.raises(PermissionDenied), transaction.atomic():
        actions.take_out(line.pk, office.checker, "学生已休学，本学期不再发放")
    batch = actions.take_out(line.pk, office.maker, "学生已休学，本学期不再发放")
    assert (batch.line_count, batch.total) == (1, Decimal("625.00"))
    assert Record.objects.filter(act="take_out", about_id=line.pk).exists()


@pytest.mark.parametrize("amount", ["sNaN", "NaN", "1e3", "-625.00", "625.000"])
def test_an_odd_amount_in_the_banks_answer_is_refused_in_words(office: Office, amount: str) -> None:
    office.approved(1)
    batch = office.sent()
    content = bank_answers(batch).decode("gb18030").replace("|625.00|", f"|{amount}|").encode("gb18030")
    assert refusal(actions.take_return, batch.pk, content, "answer.txt", office.maker) in (
        "return_no_amount",
        "return_header",
    )


def test_a_control_character_in_the_banks_answer_is_refused_in_words(office: Office) -> None:
    office.approved(1)
    batch = office.sent()
    content = bank_answers(batch).replace("成功".encode("gb18030"), "成\0功".encode("gb18030"))
    assert refusal(actions.take_return, batch.pk, content, "answer.txt", office.maker) == "return_unreadable"


def test_a_second_account_of_the_makers_is_no_checker(office: Office) -> None:
    office.approved(1)
    batch = office.batch()
    actions.submit(batch.pk, office.maker)
    second = acting(person("finance_checker", office.county, person=office.maker.user.person))
    assert refusal(actions.check, batch.pk, second) == "same_person"
    batch.refresh_from_db()
    batch.checker = second.user
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.save()


def test_an_approved_batch_goes_back_to_the_maker_before_it_is_sent(office: Office) -> None:
    office.approved(1)
    batch = office.allotted()
    with pytest.raises(PermissionDenied), transaction.atomic():
        actions.send_back(batch.pk, office.maker, "学生已休学，请剔除该行")
    assert refusal(actions.send_back, batch.pk, office.approver, "学生已休学，请剔除该行") == "wrong_state", (
        "no more his turn"
    )
    actions.send_back(batch.pk, office.treasury, "学生已休学，请剔除该行")
    assert held_for(batch.pk, Account.COMMITTED) == {}
    batch.refresh_from_db()
    assert (batch.state, batch.checker, batch.approver_person) == ("draft", None, None)
    actions.cancel(batch.pk, office.maker, "整批重做，原批次作废")
    assert office.batch().line_count == 1


def test_a_waiver_is_not_settled_for_an_award_that_was_suspended_meanwhile(office: Office) -> None:
    office.version = VersionFactory(
        changes={"code": "waiver", "disbursement": "fee_waiver_settlement", "needs": ["amount"]}
    )
    office.approved(1)
    batch = office.allotted()
    Award.objects.filter(lines__batch=batch).update(state="suspended")
    assert refusal(actions.settle, batch.pk, "鸡财教〔2026〕8号", office.maker) == "award_not_active"


def test_a_case_that_cannot_move_now_is_a_refusal_and_nothing_is_booked(office: Office) -> None:
    one, _ = office.approved(2)
    batch = office.allotted()
    Case.objects.filter(pk=one.case_id).update(suspended_on="2026-09-07")
    assert refusal(actions.export, batch.pk, office.maker) == "cases_busy"
    batch.refresh_from_db()
    assert (batch.state, batch.files.count(), set(batch.lines.values_list("state", flat=True))) == (
        "allotted", 0, {"included"},
    )  # fmt: skip


def test_full_width_spaces_in_the_banks_message_are_no_control_characters(office: Office) -> None:
    office.approved(1)
    batch = office.sent()
    content = bank_answers(batch).replace("成功".encode("gb18030"), "交易　成功".encode("gb18030"))
    assert actions.take_return(batch.pk, content, "answer.txt", office.maker) == {"paid": 1, "failed": 0}


def test_who_was_paid_to_an_account_counts_after_moving_to_another(office: Office) -> None:
    account = account_number(987_654)
    for _ in range(2):
        walk_to("payment", ApplicationFactory(school=office.school, version=office.version, account_no=account))
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch), "answer.txt", office.maker)
    for line in batch.lines.all():
        Application.objects.filter(pk=line.case_id).update(account_hash=blind_index(account_number(line.number)))
    walk_to("payment", ApplicationFactory(school=office.school, version=office.version, account_no=account))
    [row] = queries.waiting([office.county.path])
    assert (row["count"], row["shared"]) == (0, 1)
    assert refusal(office.batch) == "all_left_out"


def test_failed_payments_are_not_led_to_an_account_that_two_others_were_paid_to(office: Office) -> None:
    account = account_number(987_654)
    [line] = failed_lines(office, 1)
    for _ in range(2):
        walk_to("payment", ApplicationFactory(school=office.school, version=office.version, account_no=account))
    other = office.sent()
    for paid in other.lines.all():
        Application.objects.filter(pk=paid.case_id).update(account_hash=blind_index(account_number(paid.number)))
    with pytest.raises(AccountRefused) as refused, transaction.atomic():
        correct(office, line, account, line.student.name)
    assert refused.value.code == "account_shared"


def test_a_corrected_account_that_others_have_named_since_is_not_reissued_to(office: Office) -> None:
    account = account_number(987_654)
    [line] = failed_lines(office, 1)
    correct(office, line, account, line.student.name)
    for _ in range(2):
        ApplicationFactory(school=office.school, version=office.version, account_no=account)
    assert refusal(actions.reissue, line.batch_id, office.maker) == "account_shared"
    line.refresh_from_db()
    assert line.state == "account_fix"
    correct(office, line, account_number(987_655), line.student.name)
    assert actions.reissue(line.batch_id, office.maker).line_count == 1


def test_two_kinds_of_payment_of_one_programme_and_term_can_both_be_paid(office: Office) -> None:
    stuck, _ = office.approved(2)
    office.version = VersionFactory(number=2, changes={"disbursement": "fee_waiver_settlement", "needs": ["amount"]})
    office.approved(1)
    first = office.batch()
    assert (first.kind, first.line_count) == ("bank_transfer", 2)
    actions.cancel(first.pk, office.maker, "先发放免除项目，稍后再做")
    Application.objects.filter(pk=stuck.case_id).update(account_hash=None)
    rows = {row["kind"]: (row["count"], row["no_account"]) for row in queries.waiting([office.county.path])}
    assert rows == {"bank_transfer": (1, 1), "fee_waiver_settlement": (1, 0)}
    waiver = actions.make_batch(office.version.programme, TERM, office.maker, office.county.path, SETTLEMENT)
    assert (waiver.kind, waiver.line_count) == ("fee_waiver_settlement", 1)
    assert office.batch().line_count == 1
    assert refusal(office.batch) == "all_left_out", "the one that has no account"


def test_the_page_says_how_many_are_left_out_and_why(office: Office) -> None:
    application, _ = office.approved(2)
    Application.objects.filter(pk=application.case_id).update(account_hash=None)
    client = Client()
    client.force_login(office.maker.user)
    page = client.get(reverse("disbursement:list")).content.decode()
    assert "1 条未列入：未登记账户" in page
    post = {"programme": office.version.programme_id, "term": TERM, "kind": "bank_transfer"}
    client.post(reverse("disbursement:new"), post)
    assert Batch.objects.get().line_count == 1


def test_home_counts_awards_to_pay_also_of_cases_that_were_paid_before(office: Office) -> None:
    office.approved(2)
    everywhere = Q(path__startswith=office.county.path)
    assert queries.awards_to_pay(everywhere).count() == 2
    batch = office.sent()
    actions.take_return(batch.pk, bank_answers(batch), "answer.txt", office.maker)
    assert queries.awards_to_pay(everywhere).count() == 0
    set_training_date(Term.of(TERM).next().starts_on)
    assert queries.awards_to_pay(everywhere).count() == 2
    client = Client()
    client.force_login(office.maker.user)
    assert "待编入批次的资助" in client.get("/").content.decode()


def test_awards_become_active_with_a_line_in_the_record(office: Office) -> None:
    applications = office.approved(2)
    awards = Award.objects.filter(case__in=[application.case_id for application in applications])
    awards.update(state="pending")
    before = Record.objects.filter(about="award", act="activate").count()
    assert activate_started() == 2
    lines = Record.objects.filter(about="award", act="activate").order_by("-id")[:2]
    assert Record.objects.filter(about="award", act="activate").count() == before + 2
    assert {(line.about_id, line.path, line.state_from, line.state_to) for line in lines} == {
        (award.pk, award.path, "pending", "active") for award in awards
    }
    assert activate_started() == 0
