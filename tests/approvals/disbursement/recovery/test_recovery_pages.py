"""The pages of recoveries: found, opened, asked, paid back, for those whose business it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.disbursement.models import PaymentLine
from approvals.disbursement.recovery.models import RecoveryCase
from tests.approvals.disbursement.recovery.test_recoveries import WHY, Recoveries, office
from workflows.clock import today

pytestmark = pytest.mark.django_db
__all__ = ["office"]


def signed_in(by: Any) -> Client:
    client = Client()
    client.force_login(by.user)
    return client


def test_a_payment_that_came_too_late_is_asked_back_page_by_page(
    office: Recoveries, django_assert_max_num_queries: Any
) -> None:
    office.account()
    PaymentLine.objects.filter(pk=office.line.pk).update(paid_after_end=True)
    maker = signed_in(office.maker)
    with django_assert_max_num_queries(20):
        page = maker.get(reverse("disbursement:recoveries")).content.decode()
    assert "资助终止后仍到账" in page
    address = reverse("disbursement:open_recovery", args=[office.line.pk])
    assert f"{address}?cause=after_end&amp;amount=625.00" in page
    wrong = maker.post(address, {"cause": "after_end", "amount": "625.01", "words": WHY})
    assert "最多还可追回625.00元" in wrong.content.decode()
    assert WHY in wrong.content.decode(), "nothing typed is lost"
    maker.post(address, {"cause": "after_end", "amount": "625", "words": WHY})
    case = RecoveryCase.objects.get()
    here = reverse("disbursement:recovery", args=[case.pk])
    letter = reverse("disbursement:recovery_letter", args=[case.pk])
    assert maker.get(letter).status_code == 404
    maker.post(here, {"act": "notice", "notice-due_on": (today() + timedelta(days=10)).isoformat()})
    said = maker.get(letter).content.decode()
    assert "陆佰贰拾伍元整" in said
    assert "130400001234" in said
    refused = maker.post(here, {"act": "receive", "receive-number": "1", "receive-dated": "", "receive-amount": "9"})
    assert refused.status_code == 200
    told = {"receive-number": "缴0001", "receive-dated": today().isoformat(), "receive-amount": "25.5"}
    maker.post(here, {"act": "receive", **told})
    assert "缴0001" in maker.get(here).content.decode()
    maker.post(here, {"act": "propose_write_off", "propose_write_off-reason": WHY})
    assert "write_off-reason" not in maker.get(here).content.decode()
    leader = signed_in(office.leader)
    assert "核销599.50元" in leader.get(here).content.decode()
    leader.post(here, {"act": "write_off"})
    case = RecoveryCase.objects.get()
    assert case.state == "written_off"
    again = maker.post(here, {"act": "write_off"}, follow=True)
    assert "当前的状态不能这样办理" in again.content.decode()
    money = maker.get(reverse("review:case", args=[office.line.case_id])).content.decode()
    assert "-25.50" in money
    assert "已核销" in money


def test_the_treasury_keeps_the_account_and_nobody_else(office: Recoveries) -> None:
    address = reverse("disbursement:repayment_account")
    told = {"holder": "县财政局", "bank": "联社", "account_no": "1304"}
    assert signed_in(office.maker).post(address, told).status_code == 403
    signed_in(office.treasury).post(address, told)
    assert "1304" in signed_in(office.treasury).get(reverse("disbursement:recoveries")).content.decode()


def test_the_pages_are_closed_to_others(office: Recoveries) -> None:
    case = office.opened()
    officer = signed_in(office.officer)
    for name, args in (("recoveries", []), ("recovery", [case.pk]), ("open_recovery", [office.line.pk])):
        assert officer.get(reverse(f"disbursement:{name}", args=args)).status_code == 403
    assert signed_in(office.leader).get(reverse("disbursement:open_recovery", args=[office.line.pk])).status_code == 403
