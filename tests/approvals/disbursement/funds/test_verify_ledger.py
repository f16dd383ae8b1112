"""`manage.py verify_ledger`: silent where all agrees; names what is off, whoever wrote past the triggers."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from approvals.disbursement import actions, demo_bank
from approvals.disbursement.models import Allotment, Batch, LedgerEntry, Posting
from tests.approvals.disbursement.test_batches import Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch() -> Batch:
    """Two payments of 625.00 that arrived, and one that failed."""
    office = Office()
    office.approved(3)
    made = office.sent()
    actions.take_return(made.pk, demo_bank.answer(made, failing=(2,)), "r.txt", office.maker)
    return made


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """With which code the command ended, and what it printed."""
    code = 0
    try:
        call_command("verify_ledger", *arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr().out
    return code, json.loads(printed) if "--json" in arguments else printed


def past_the_triggers(sql: str) -> None:
    """Writes as the owner of the database can: no trigger of the tables is asked."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        assert cursor.rowcount == 1
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_ledger_that_adds_up_is_said_to(batch: Batch, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = verified(capsys, "--json")
    counts = {"entries": LedgerEntry.objects.count(), "postings": Posting.objects.count()}
    assert (code, answer) == (0, {"ok": True, "findings": [], **counts})
    assert counts == {"entries": 4, "postings": 12}
    assert verified(capsys)[0] == 0


OFF = {
    "entry": (
        "UPDATE disbursement_posting SET amount = amount + 1 WHERE id = (SELECT max(id) FROM disbursement_posting)",
        {"entry", "balance", "committed"},
        ("1.00", "0.00"),
    ),
    "balance": (
        "UPDATE disbursement_balance SET available = available + 7"
        " WHERE allotment_id = (SELECT min(id) FROM disbursement_allotment)",
        {"balance"},
        ("999069.50", "999062.50"),
    ),
    "allotted": (
        "UPDATE disbursement_allotment SET amount = 1000500"
        " WHERE id = (SELECT min(id) FROM disbursement_allotment)",
        {"allotted"},
        ("1000000.00", "1000500.00"),
    ),
    "committed": (
        "UPDATE disbursement_paymentline SET amount = 600 WHERE state = 'failed'",
        {"committed"},
        ("625.00", "600.00"),
    ),
    "paid": (
        "UPDATE disbursement_paymentline SET amount = 600 WHERE number = 1",
        {"paid"},
        ("1250.00", "1225.00"),
    ),
    "uncommitted": (
        "UPDATE disbursement_batch SET committed_at = NULL",
        {"uncommitted"},
        ("1875.00", "0.00"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", OFF)
def test_what_is_off_is_named_with_both_amounts(batch: Batch, capsys: pytest.CaptureFixture[str], code: str) -> None:
    sql, codes, (ledger, should) = OFF[code]
    past_the_triggers(sql)
    ended, answer = verified(capsys, "--json", "--lang", "en")
    assert (ended, answer["ok"]) == (1, False)
    assert {each["code"] for each in answer["findings"]} == codes
    [found] = [each for each in answer["findings"] if each["code"] == code]
    assert (found["ledger"], found["should"]) == (ledger, should)
    about = {
        "entry": str(LedgerEntry.objects.latest("pk").pk),
        "balance": f"{Allotment.objects.earliest('pk').document} (available)",
        "allotted": Allotment.objects.earliest("pk").document,
    }.get(code, batch.number)
    assert found["about"] == about
    assert about in found["message"]
    assert ledger in found["message"]


def test_it_is_said_in_the_language_that_is_asked_for(batch: Batch, capsys: pytest.CaptureFixture[str]) -> None:
    past_the_triggers(OFF["paid"][0])
    ended, printed = verified(capsys)
    assert ended == 1
    assert "1225.00" in printed
    assert "批次" in printed
    assert "paid lines come to" in verified(capsys, "--lang", "en")[1]
