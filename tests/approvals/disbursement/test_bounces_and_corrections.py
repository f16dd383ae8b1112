"""Money that comes back, answers that contradict, accounts that a second person confirms, and those not paid to."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from approvals.applications.models import Application
from approvals.awards.models import Award
from approvals.disbursement import actions, answered, demo_bank, queries
from approvals.disbursement.actions.account_guard import refuse_bad_accounts, refuse_editor
from approvals.disbursement.actions.bank import safe_name
from approvals.disbursement.bank import profiles
from approvals.disbursement.models import Batch, PaymentLine
from approvals.people.crypto import blind_index
from approvals.people.names import folded
from notifications.models import Message
from tests.approvals.disbursement.test_batches import Office, correct, failed_lines, office, refusal
from tests.factories import account_number, acting, person
from workflows.clock import today
from workflows.models import Record

pytestmark = pytest.mark.django_db
__all__ = ["office"]
WHY = "卡面账号与所填不一致，请重填"


def take(office: Office, batch: Batch, **said: Any) -> dict[str, int]:
    return actions.take_return(batch.pk, demo_bank.answer(batch, **said), "回盘.txt", office.maker)


@pytest.mark.parametrize("bank", sorted(profiles()))
def test_every_bank_takes_a_batch_and_answers_it(office: Office, bank: str) -> None:
    office.approved(3)
    batch = office.sent_for_approval()
    office.allot(actions.approve(batch.pk, office.approver))
    first = actions.export(batch.pk, office.maker, bank)
    again = actions.export(batch.pk, office.maker, "rural_credit_text")
    assert (first.profile, again.content, again.sha256) == (bank, first.content, first.sha256)
    batch.refresh_from_db()
    assert take(office, batch, failing=(2,)) == {"paid": 2, "failed": 1}
    assert list(batch.lines.order_by("number").values_list("state", flat=True)) == ["paid", "failed", "paid"]


def test_an_unknown_bank_is_refused_and_nothing_is_sent(office: Office) -> None:
    office.approved(1)
    batch = office.sent_for_approval()
    office.allot(actions.approve(batch.pk, office.approver))
    assert refusal(actions.export, batch.pk, office.maker, "../secret") == "unknown_bank"
    assert not batch.files.exists()


def test_money_that_came_back_is_booked_told_and_reissued(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setitem(answered._listeners, "bounced", [lambda each: told.append((each, each.lines.count()))])
    office.approved(3)
    batch = office.sent()
    take(office, batch, failing=())
    batch.refresh_from_db()
    assert batch.state == "paid"
    assert take(office, batch, bouncing=(2,)) == {"paid": 0, "failed": 0, "bounced": 1, "already": 2}
    batch.refresh_from_db()
    line = batch.lines.get(number=2)
    assert (batch.state, line.state, line.bank_code) == ("partially_paid", "bounced", "2001")
    [(event, lines)] = told
    assert (event.count, str(event.total), str(event.had_arrived), lines) == (1, "625.00", "625.00", 1)
    assert Message.objects.filter(recipient=office.officer.user, event="payment_failed").exists()
    correct(office, line, account_number(700_001), line.payee)
    second = actions.reissue(batch.pk, office.maker)
    for act, by in (("submit", office.maker), ("check", office.checker), ("approve", office.approver)):
        getattr(actions, act)(second.pk, by)
    office.allot(second)
    actions.export(second.pk, office.maker)
    second.refresh_from_db()
    take(office, second, failing=())
    batch.refresh_from_db()
    assert batch.state == "paid"
    second.refresh_from_db()
    take(office, second, bouncing=(1,))
    batch.refresh_from_db()
    assert batch.state == "partially_paid", "what was to pay its line came back too"


def test_an_answer_that_only_repeats_is_said_to_and_one_that_contradicts_is_refused(office: Office) -> None:
    office.approved(2)
    batch = office.sent()
    take(office, batch, failing=(1,))
    content = demo_bank.answer(batch) + b"\r\n"
    records, files = Record.objects.count(), batch.files.count()
    assert actions.take_return(batch.pk, content, "r.txt", office.maker) == {"paid": 0, "failed": 0, "already": 2}
    assert (Record.objects.count(), batch.files.count()) == (records, files)
    other = content.replace(b"|1001|", b"|0000|")
    assert refusal(actions.take_return, batch.pk, other, "r.txt", office.maker) == "return_contradicts"


def test_what_was_paid_for_an_award_that_ended_meanwhile_is_booked_and_listed(office: Office) -> None:
    office.approved(2)
    batch = office.sent()
    line = batch.lines.get(number=1)
    Award.objects.filter(pk=line.award_id).update(state="terminated", stops_on=today())
    Application.objects.filter(pk=line.case_id).update(account_hash=blind_index(account_number(5)))
    assert take(office, batch, failing=()) == {"paid": 2, "failed": 0}
    assert [each.pk for each in queries.paid_after_end([office.county.path])] == [line.pk]
    client = Client()
    client.force_login(office.maker.user)
    page = client.get(reverse("disbursement:answer", args=[batch.pk])).content.decode()
    assert "资助终止后仍到账" in page


def test_the_answer_is_shown_by_code_and_school(office: Office, django_assert_max_num_queries: Any) -> None:
    office.approved(3)
    batch = office.sent()
    client = Client()
    client.force_login(office.maker.user)
    content = demo_bank.answer(batch, failing=(1, 2))
    file = SimpleUploadedFile("../../x;y.txt", content)
    shown = client.post(reverse("disbursement:bank_return", args=[batch.pk]), {"file": file})
    assert shown.headers["Location"] == reverse("disbursement:answer", args=[batch.pk])
    with django_assert_max_num_queries(20):
        page = client.get(shown.headers["Location"]).content.decode()
    assert "户名与账号不符" in page
    assert f"?batch={batch.pk}&amp;school={office.school.pk}" in page
    assert batch.files.get(direction="in").filename == "x_y.txt"


def test_a_file_name_is_kept_without_folders_and_odd_signs() -> None:
    assert safe_name("C:\\a\\回盘（2）.txt") == "回盘（2）.txt"
    assert safe_name('a/"b\r\n.txt') == "_b_.txt"
    assert safe_name("/") == "return"


# ---------------------------------------------------------------- two persons


def propose(office: Office, line: PaymentLine, account: str = account_number(700_001), again: str = "") -> Any:
    return actions.propose_account(line.pk, account, again or account, "bank_card", line.payee, "联社", office.officer)


def test_nothing_changes_before_a_second_person_types_the_same_number(office: Office) -> None:
    [line] = failed_lines(office, 1)
    assert refusal(propose, office, line, account_number(1), account_number(2)) == "account_twice"
    proposed = propose(office, line)
    assert Message.objects.filter(recipient=office.head.user, event="account_proposed").exists()
    assert refusal(propose, office, line) == "correction_waits"
    assert refusal(actions.reissue, line.batch_id, office.maker) == "nothing_corrected"
    both = acting(person("school_head", office.school, person=office.officer.user.person))
    account = account_number(700_001)
    assert refusal(actions.confirm_account, proposed.pk, account, both) == "correction_own"
    for by in (office.officer, office.maker, office.checker):
        with pytest.raises(PermissionDenied), transaction.atomic():
            actions.confirm_account(proposed.pk, account, by)
    assert refusal(actions.confirm_account, proposed.pk, account_number(3), office.head) == "account_differs"
    assert actions.confirm_account(proposed.pk, account, office.head).state == "account_fix"
    assert refusal(actions.confirm_account, proposed.pk, account, office.head) == "correction_decided"
    acts = Record.objects.filter(about="correction", about_id=proposed.pk).values_list("act", flat=True)
    assert list(acts.order_by("id")) == ["propose", "confirm"]
    assert Message.objects.filter(recipient=office.officer.user, event="account_confirmed").exists()
    assert actions.reissue(line.batch_id, office.maker).lines.get().account_no == account


def test_a_proposal_is_refused_with_a_reason_or_taken_back(office: Office) -> None:
    [line] = failed_lines(office, 1)
    proposed = propose(office, line)
    assert refusal(actions.refuse_account, proposed.pk, office.head, "不") == "reason_required"
    actions.refuse_account(proposed.pk, office.head, WHY)
    assert Message.objects.filter(recipient=office.officer.user, event="account_refused").exists()
    client = Client()
    client.force_login(office.officer.user)
    assert WHY in client.get(reverse("disbursement:correct_account", args=[line.pk])).content.decode()
    second = propose(office, line)
    actions.withdraw_account(second.pk, office.officer)
    line.refresh_from_db()
    assert (line.state, [each.state for each in queries.corrections_of(line)]) == ("failed", ["withdrawn", "refused"])


def test_one_person_in_two_posts_is_stopped_by_the_database_too(office: Office) -> None:
    [line] = failed_lines(office, 1)
    proposed = propose(office, line)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(proposed).objects.filter(pk=proposed.pk).update(
            state="confirmed", decided_person=office.officer.user.person
        )


def test_who_entered_or_confirmed_an_account_does_not_sign_the_batch(office: Office) -> None:
    [line] = failed_lines(office, 1)
    correct(office, line, account_number(700_001), line.payee)
    second = actions.reissue(line.batch_id, office.maker)
    actions.submit(second.pk, office.maker)
    for editor in (office.officer, office.head):
        checker = acting(person("finance_checker", office.county, person=editor.user.person))
        assert refusal(refuse_editor, second, checker) == "account_editor"
        with pytest.raises(IntegrityError), transaction.atomic():
            Batch.objects.filter(pk=second.pk).update(checker_person=checker.user.person)
    refuse_editor(second, office.checker)
    actions.check(second.pk, office.checker)


# ---------------------------------------------------------------- accounts that are not paid to


def test_each_thing_wrong_with_an_account_is_named_with_its_lines(office: Office) -> None:
    office.approved(4)
    batch = office.batch()
    lines = batch.lines.order_by("number")
    assert queries.account_problems(lines) == {}
    lines.filter(number=1).update(account_no=None, account_hash=None)
    lines.filter(number=2).update(payee="陌生人")
    lines.filter(number=3).update(account_no="6219990000000000011")
    assert queries.account_problems(lines) == {"no_account": [1], "holder": [2], "number": [3]}
    assert refusal(refuse_bad_accounts, batch) == "accounts_wrong"
    assert refusal(actions.submit, batch.pk, office.maker) == "accounts_wrong"
    case = lines.get(number=3).case_id
    Application.objects.filter(pk=case).update(account_kind="passbook")
    assert "number" not in queries.account_problems(lines), "a passbook has no check digit"


@pytest.mark.parametrize(
    ("households", "refused"),
    [((1, 2), False), ((1, 2, 3), True), ((1, 1, 1), False), ((1, 1, 2), True), ((None, None, None), True)],
)
def test_more_than_two_pupils_share_an_account_only_within_a_household(
    office: Office, households: tuple[int | None, ...], refused: bool
) -> None:
    office.approved(len(households))
    batch = office.batch()
    lines = list(batch.lines.order_by("number"))
    first = {household: line.student.household for household, line in zip(households, lines, strict=True)}
    for household, line in zip(households, lines, strict=True):
        line.student.household = first[household] if household else None
        line.student.save()
        hashed = {"account_hash": lines[0].account_hash, "account_no": lines[0].account_no}
        PaymentLine.objects.filter(pk=line.pk).update(**hashed)
        Application.objects.filter(pk=line.case_id).update(**hashed)
    found = queries.account_problems(batch.lines.all()).get("shared", [])
    assert found == ([line.number for line in lines] if refused else [])


def test_a_holder_nobody_knows_is_left_out_when_a_batch_is_made(office: Office) -> None:
    one, two = office.approved(2)
    Application.objects.filter(pk=one.case_id).update(holder_name="陌生人")
    Application.objects.filter(pk=two.case_id).update(holder_name="王大山")
    [row] = queries.waiting([office.county.path])
    assert (row["count"], row["holder"]) == (1, 1)
    assert office.batch().lines.get().case_id == two.case_id


def test_names_are_compared_however_they_are_spelt() -> None:
    assert folded("張 三") == folded("张三")
    assert folded("买买提•艾力") == folded("买买提艾力")
    assert folded("张三") != folded("张山")
