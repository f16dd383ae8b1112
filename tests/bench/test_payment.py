"""A term's money: 100,000 payments put into a batch, written for the bank, and its answer booked."""

import os
import threading
from time import perf_counter, sleep
from typing import Any

import pytest
from django.db import connection
from viewflow.workflow.fields import get_task_ref

from approvals.applications.models import Application
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement import actions, demo_bank
from approvals.disbursement.models import Batch
from approvals.people.crypto import blind_index, encrypt
from approvals.people.models import Student
from tests.bench import crowd
from tests.bench.results import note
from tests.factories import TERM, account_number, acting, funded, person, set_training_date
from workflows.clock import today
from workflows.flows.aid import NOTICES, AidFlow
from workflows.models import Case, WorkItem
from workflows.queries import queue_of

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

PAYMENTS = 100_000
FAILING = 1_000

_ACCOUNTS = f"""
    UPDATE {Application._meta.db_table} a
       SET account_no = n.number, account_hash = n.hashed, account_tail = n.tail, bank = '鸡泽县农村信用联社',
           holder_name = s.name
      FROM (SELECT *, row_number() OVER (ORDER BY tail, hashed) AS n
              FROM unnest(%s::bytea[], %s::bytea[], %s::text[]) AS u (number, hashed, tail)) n
      JOIN (SELECT case_id, student_id, row_number() OVER (ORDER BY case_id) AS n FROM {Application._meta.db_table}) b
        USING (n)
      JOIN {Student._meta.db_table} s ON s.id = b.student_id
     WHERE a.case_id = b.case_id
"""
_AWARDS = f"""
    WITH award AS (
        INSERT INTO {Award._meta.db_table}
               (case_id, student_id, school_id, path, version_id, programme, "group", school_year, kind, state, basis,
                granted_at, span, taken, lasting, ends_on, stopped_for, audit_held)
        SELECT case_id, student_id, school_id, path, version_id, programme, "group", school_year, 'bank_transfer',
               'active', '{{}}', now(), school_year, true, false, date '2027-08-31', '', false
          FROM {Application._meta.db_table}
        RETURNING id
    )
    INSERT INTO {AwardTerm._meta.db_table} (award_id, term, amount, hold) SELECT id, %s, 625.00, '' FROM award
"""


def entitled(place: crowd.Crowd) -> None:
    """Everybody approved, with an award and an account of their own; the cases wait for payment."""
    crowd.wait(place, "school_review", PAYMENTS, whole=False)
    numbers = [account_number(order) for order in range(PAYMENTS)]
    columns: list[list[Any]] = [
        [encrypt(number) for number in numbers],
        [blind_index(number) for number in numbers],
        [number[-4:] for number in numbers],
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_nestloop = off")  # of an array it is not known how many rows it has
        cursor.execute(_ACCOUNTS, columns)
        cursor.execute("RESET enable_nestloop")
        cursor.execute(_AWARDS, [TERM])
    noticed = [step for step in NOTICES if step in place.version.definition["steps"]]
    Case.objects.update(state="approved", noticed=noticed, open_hits=0)
    task = get_task_ref(AidFlow.instance.node("payment"))
    WorkItem.objects.update(flow_task=task, flow_task_type="PAYMENT", queue=queue_of("aid", "payment"))
    with connection.cursor() as cursor:
        for model in (Application, Award, AwardTerm, Case, WorkItem):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


class Memory:
    """The most memory that this process holds while something runs, in megabytes above what it held before."""

    def __enter__(self) -> "Memory":
        self.before = self.most = _resident()
        self.running = True
        self.watch = threading.Thread(target=self._watch, daemon=True)
        self.watch.start()
        return self

    def _watch(self) -> None:
        while self.running:
            self.most = max(self.most, _resident())
            sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self.running = False
        self.watch.join()


def _resident() -> float:
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2


def test_a_term_is_paid() -> None:
    """Made and handed to the checker with every guard; written for the bank; answered, one in a hundred failing."""
    set_training_date()
    place = crowd.county()
    entitled(place)
    funded(place.county, place.version.programme, "999999999.00")
    maker, checker, approver, treasury = (
        acting(person(role, place.county))
        for role in ("finance_maker", "finance_checker", "finance_approver", "treasury_officer")
    )
    with Memory() as memory:
        begun = perf_counter()
        batch = actions.make_batch(place.version.programme, TERM, maker, place.county.path)
        actions.submit(batch.pk, maker)
        built = perf_counter() - begun
        actions.check(batch.pk, checker)
        actions.approve(batch.pk, approver)
        actions.allot(batch.pk, treasury, "鸡财拨〔2026〕1号", today())
        begun = perf_counter()
        actions.export(batch.pk, maker)
        out = perf_counter() - begun
        batch = Batch.objects.get(pk=batch.pk)
        content = demo_bank.answer(batch, failing=tuple(range(1, FAILING + 1)))
        begun = perf_counter()
        booked = actions.take_return(batch.pk, content, "回盘.txt", maker)
        taken = perf_counter() - begun
    assert batch.line_count == PAYMENTS
    assert booked == {"paid": PAYMENTS - FAILING, "failed": FAILING}
    print(f"\n{PAYMENTS}: built {built:.1f} s, out {out:.1f} s, in {taken:.1f} s, at most {memory.most:.0f} MB")
    note(
        batch_build_100k_s=round(built, 1),
        bank_out_100k_s=round(out, 1),
        bank_in_100k_s=round(taken, 1),
        bank_100k_mb=round(memory.most),
    )
