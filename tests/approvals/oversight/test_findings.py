"""A finding's life: handed over, put right, verified by another person; gone and found again by itself."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from approvals.disbursement.models import PaymentLine
from approvals.oversight import actions
from approvals.oversight.audits.base import Audit
from approvals.oversight.audits.registry import audit_of
from approvals.oversight.models import AuditRun, Finding
from approvals.oversight.refusals import Refused
from approvals.oversight.tasks import look_for_findings
from approvals.people.models import Student
from notifications.models import Message
from tests.approvals.oversight.conftest import County
from tests.factories import FIRST_DAY, SchoolFactory, acting, head_of, person, set_training_date
from workflows.models import Record

DONE = "已与家长核实，补正了材料并归档。"
WHY = "材料仍缺监护人签字，请补齐后再报。"


@pytest.fixture
def finding(county: County) -> Finding:
    """A pupil paid who is not on the roll: the school's to put right in five working days."""
    Student.objects.filter(pk=county.paid().student_id).update(verified=False)
    actions.look_now(["A1"])
    return Finding.objects.get()


def fresh(finding: Finding) -> Finding:
    return Finding.objects.get(pk=finding.pk)


def refusal(act: object, *args: object) -> str:
    with pytest.raises(Refused) as refused, transaction.atomic():
        act(*args)  # type: ignore[operator]
    assert str(refused.value)
    return refused.value.code


def test_it_is_handed_over_put_right_and_verified(county: County, finding: Finding) -> None:
    assert actions.assign([finding.pk], county.auditor) == 1
    assert fresh(finding).due_on == date(2026, 9, 14)
    assert Message.objects.filter(recipient=county.head.user, event="findings_assigned").count() == 1
    actions.rectify(finding.pk, county.head, DONE)
    assert Message.objects.filter(recipient=county.auditor.user, event="finding_rectified").exists()
    actions.send_back(finding.pk, county.auditor, WHY)
    assert (fresh(finding).state, fresh(finding).reason) == ("assigned", WHY)
    actions.rectify(finding.pk, county.officer, DONE)
    actions.verify(finding.pk, county.auditor)
    assert (fresh(finding).state, fresh(finding).answer) == ("verified", DONE)
    acts = Record.objects.filter(about="finding", about_id=finding.pk).order_by("id").values_list("act", flat=True)
    assert list(acts) == ["assign", "rectify", "send_back", "rectify", "verify"]


def test_whoever_put_it_right_does_not_verify_it(county: County, finding: Finding) -> None:
    actions.assign([finding.pk], county.auditor)
    actions.rectify(finding.pk, county.head, DONE)
    both = person("auditor", county.county)
    both.person = county.head.user.person
    both.save()
    assert refusal(actions.verify, finding.pk, acting(both)) == "same_person"
    assert refusal(actions.explain, finding.pk, acting(both), WHY) == "same_person"
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=finding.pk).update(state="verified", verified_person=both.person)


def test_only_its_office_answers_and_only_the_audit_verifies(county: County, finding: Finding) -> None:
    with pytest.raises(PermissionDenied):
        actions.assign([finding.pk], county.head)
    actions.assign([finding.pk], county.auditor)
    for by in (acting(head_of(SchoolFactory())), acting(county.maker), county.auditor):
        with pytest.raises(PermissionDenied):
            actions.rectify(finding.pk, by, DONE)
    actions.rectify(finding.pk, county.head, DONE)
    with pytest.raises(PermissionDenied):
        actions.verify(finding.pk, county.head)


def test_what_was_done_is_said_in_words_and_each_act_has_its_state(county: County, finding: Finding) -> None:
    assert refusal(actions.rectify, finding.pk, county.head, DONE) == "wrong_state"
    actions.assign([finding.pk], county.auditor)
    assert refusal(actions.assign, [finding.pk], county.auditor) == "wrong_state"
    assert refusal(actions.rectify, finding.pk, county.head, "好") == "reason_too_short"
    assert refusal(actions.rectify, finding.pk, county.head, "长" * 1001) == "reason_too_long"
    assert refusal(actions.verify, finding.pk, county.auditor) == "wrong_state"
    assert refusal(actions.verify, 0, county.auditor) == "no_such_finding"


def test_what_is_fixed_by_itself_is_marked_with_the_day_and_opens_when_found_again(
    county: County, finding: Finding
) -> None:
    actions.assign([finding.pk], county.auditor)
    Student.objects.update(verified=True)
    set_training_date(FIRST_DAY + timedelta(days=1))
    assert actions.look_now(["A1"])["A1"] == {"found": 0, "new": 0, "again": 0, "gone": 1}
    gone = fresh(finding)
    assert (gone.state, gone.gone_on, gone.due_on) == ("gone", FIRST_DAY + timedelta(days=1), None)
    assert actions.look_now(["A1"])["A1"]["gone"] == 0
    Student.objects.update(verified=False)
    assert actions.look_now(["A1"])["A1"] == {"found": 1, "new": 0, "again": 1, "gone": 0}
    again = fresh(finding)
    assert (again.state, again.times, again.gone_on, again.first_seen) == ("open", 2, None, FIRST_DAY)
    assert list(Record.objects.filter(about="finding").order_by("id").values_list("act", flat=True)) == [
        "assign", "vanish", "reopen",
    ]  # fmt: skip


def test_what_was_verified_or_explained_stays_so_until_it_says_something_else(county: County) -> None:
    line = county.paid(amount=Decimal("600.00"))
    actions.look_now(["A9"])
    finding = Finding.objects.get(query="A9")
    actions.explain(finding.pk, county.auditor, "县里另有批文，按批文标准发放。")
    assert actions.look_now(["A9"])["A9"]["again"] == 0
    assert fresh(finding).state == "explained"
    PaymentLine.objects.filter(pk=line.pk).update(amount=Decimal("610.00"))
    assert actions.look_now(["A9"])["A9"]["again"] == 1
    assert (fresh(finding).state, fresh(finding).said["paid"]) == ("open", "610.00")


def test_the_daily_look_asks_every_query_once_and_one_that_fails_stops_no_other(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    Student.objects.filter(pk=county.paid().student_id).update(verified=False)
    broken = audit_of("A4")
    assert isinstance(broken, Audit)
    monkeypatch.setattr(type(broken), "statement", "SELECT nonsense")
    while look_for_findings():
        pass
    run = AuditRun.objects.get()
    assert run.state == "done"
    assert run.tally["A4"] == {"failed": True}
    assert run.tally["A1"]["new"] == 1
    assert len(run.tally) == 13
    assert look_for_findings() == 0
    assert actions.ask(county.auditor).pk == actions.ask(county.auditor).pk != run.pk
    with pytest.raises(PermissionDenied):
        actions.ask(county.head)
    while look_for_findings():
        pass
    assert Finding.objects.count() == 1


def test_offices_are_reminded_of_what_is_due(county: County, finding: Finding) -> None:
    actions.assign([finding.pk], county.auditor)
    actions.remind(FIRST_DAY)
    assert not Message.objects.filter(event="findings_due").exists()
    actions.remind(date(2026, 9, 15))
    message = Message.objects.filter(event="findings_due", recipient=county.head.user).get()
    assert message.data == {"near": 0, "overdue": 1}


def test_the_transitions_of_the_system_are_those_of_the_machine() -> None:
    assert set(Finding.vanish._django_fsm.transitions) == {"open", "assigned"}
    assert set(Finding.reopen._django_fsm.transitions) == {"gone", "verified", "explained"}
