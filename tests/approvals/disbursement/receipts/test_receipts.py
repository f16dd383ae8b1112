"""A school confirms who signed for money that arrived; nobody of its staff does, and the ledger stays as it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from approvals.disbursement.funds.verifying import findings
from approvals.disbursement.models import Acknowledgement, PaymentLine
from approvals.disbursement.receipts import actions, queries
from approvals.disbursement.receipts.actions import Signed
from tests.approvals.disbursement.recovery.test_recoveries import Recoveries, office
from tests.approvals.disbursement.test_batches import refusal
from workflows.clock import today

pytestmark = pytest.mark.django_db
__all__ = ["office"]


def signed(office: Recoveries, signer: str = "", by: str = "guardian") -> list[Signed]:
    lines = office.batch_paid.lines.select_related("student").order_by("number")
    return [Signed(line.pk, by, signer or line.student.name) for line in lines]


def test_signed_lines_are_acknowledged_and_the_ledger_agrees(office: Recoveries) -> None:
    assert actions.confirm_receipt(signed(office), today(), office.officer) == 2
    assert set(office.batch_paid.lines.values_list("state", flat=True)) == {"acknowledged"}
    assert findings() == []
    assert refusal(actions.confirm_receipt, signed(office), today(), office.officer) == "not_to_acknowledge"
    assert office.opened().amount == office.line.amount, "what was signed for can be asked back"
    with pytest.raises(DatabaseError), transaction.atomic():
        Acknowledgement.objects.update(signer="别人")


@pytest.mark.parametrize(("days", "code"), [(1, "signed_future"), (-1, "signed_before_paid")])
def test_the_day_lies_between_payment_and_today(office: Recoveries, days: int, code: str) -> None:
    day = today() + timedelta(days=days)
    assert refusal(actions.confirm_receipt, signed(office), day, office.officer) == code


def test_nobody_of_the_staff_signs_for_a_pupil(office: Recoveries) -> None:
    staff = signed(office, office.officer.user.name)
    assert refusal(actions.confirm_receipt, staff, today(), office.officer) == "signed_by_staff"
    assert refusal(actions.confirm_receipt, signed(office, " "), today(), office.officer) == "signer_missing"
    assert refusal(actions.confirm_receipt, [], today(), office.officer) == "nothing_signed"
    assert not Acknowledgement.objects.exists()


def test_only_the_schools_officer_confirms(office: Recoveries) -> None:
    for by in (office.maker, office.head):
        with pytest.raises(PermissionDenied):
            actions.confirm_receipt(signed(office), today(), by)


def test_the_page_lists_what_is_not_signed_and_what_is_overdue(office: Recoveries) -> None:
    path = [office.county.path]
    assert not queries.to_sign(path, overdue=True).exists()
    PaymentLine.objects.filter(pk=office.line.pk).update(paid_on=today() - timedelta(days=31))
    assert [line.pk for line in queries.to_sign(path, overdue=True)] == [office.line.pk]
    client = Client()
    client.force_login(office.officer.user)
    told: dict[str, Any] = {"line": [office.line.pk], "signed_by": "pupil", "signed_on": today().isoformat()}
    address = reverse("disbursement:receipts")
    assert "请先勾选" in client.post(address, told | {"line": []}).content.decode()
    client.post(address, told)
    office.line.refresh_from_db()
    assert (office.line.state, office.line.acknowledgement.signer) == ("acknowledged", office.line.student.name)
