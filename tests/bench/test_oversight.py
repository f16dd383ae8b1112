"""The fifteen standing queries over 100,000 payment lines, and the coverage of 100,000 registered pupils."""

from time import perf_counter

import pytest
from django.db import connection

from approvals.applications.models import Application
from approvals.awards.models import Award, AwardTerm
from approvals.disbursement.models import Batch, PaymentLine
from approvals.organisations.models import Organisation
from approvals.oversight import coverage
from approvals.oversight.actions import look_now
from approvals.oversight.models import Finding
from approvals.people.models import RegisterEntry, Student
from tests.bench import crowd
from tests.bench.results import note
from tests.bench.test_match import lists
from tests.factories import TERM, person, set_training_date
from workflows.models import Case

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

LINES = 100_000
TABLES = (Student, Case, Application, Award, AwardTerm, Batch, PaymentLine, RegisterEntry)
# Every hundredth was paid too little, every thousandth to somebody else's account; the rest as it should be.
_PAID = f"""
    UPDATE {Application._meta.db_table}
       SET account_hash = sha256(convert_to('account ' || case_id, 'UTF8')), holder_name = '王大山',
           commitment_on = '2026-09-07', consent_on = '2026-09-07';
    UPDATE {Case._meta.db_table} SET state = 'completed', noticed = '{{school_notice,county_notice}}';
    INSERT INTO {Award._meta.db_table}
           (case_id, student_id, school_id, path, version_id, programme, "group", school_year, kind, state, basis,
            granted_at, span, taken, lasting, ends_on, stopped_for, audit_held)
    SELECT case_id, student_id, school_id, path, version_id, programme, "group", school_year, 'bank_transfer',
           'active', '{{"tier": "", "stage": "primary"}}', timestamptz '2026-09-07 09:00+08', school_year, true, false,
           date '2027-08-31', '', false
      FROM {Application._meta.db_table};
    INSERT INTO {AwardTerm._meta.db_table} (award_id, term, amount, rate_id, hold)
    SELECT id, '{TERM}', 625.00, %(rate)s, '' FROM {Award._meta.db_table};
    INSERT INTO {PaymentLine._meta.db_table}
           (batch_id, number, award_id, case_id, student_id, school_id, path, programme, term, purpose, kind, amount,
            rate_id, payee, bank, account_hash, account_tail, state, bank_code, bank_message, paid_on)
    SELECT %(batch)s, row_number() OVER (ORDER BY a.id), a.id, a.case_id, a.student_id, a.school_id, a.path,
           a.programme, '{TERM}', 'aid', 'bank_transfer', CASE WHEN a.id %% 100 = 0 THEN 600.00 ELSE 625.00 END,
           %(rate)s, CASE WHEN a.id %% 1000 = 0 THEN '赵某' ELSE s.name END, '', p.account_hash, '0010', 'paid', '',
           '', date '2026-09-21'
      FROM {Award._meta.db_table} a JOIN {Student._meta.db_table} s ON s.id = a.student_id
      JOIN {Application._meta.db_table} p ON p.case_id = a.case_id
"""


@pytest.fixture
def paid() -> crowd.Crowd:
    set_training_date()
    county = crowd.county()
    crowd.wait(county, "county_review", LINES, whole=False)
    people = [person(role, county.county) for role in ("finance_maker", "finance_checker", "finance_approver")]
    batch = Batch.objects.create(
        state="paid", number="F0001", programme=county.version.programme, term=TERM, kind="bank_transfer",
        path=county.county.path, maker=people[0], checker=people[1], approver=people[2], line_count=LINES,
        created_at="2026-09-21T09:00+08:00",
    )  # fmt: skip
    rate = county.version.rates.get()
    with connection.cursor() as cursor:
        cursor.execute(_PAID, {"rate": rate.pk, "batch": batch.pk})
    lists()
    with connection.cursor() as cursor:
        for model in TABLES:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    return county


def test_a_hundred_thousand_lines_are_audited_and_covered(paid: crowd.Crowd) -> None:
    started = perf_counter()
    first = look_now()
    audit = perf_counter() - started
    started = perf_counter()
    again = look_now()
    second = perf_counter() - started
    assert first["A9"]["new"] == LINES // 100
    assert first["A4"]["found"] >= LINES // 1000
    assert {query: each["new"] for query, each in again.items()} == dict.fromkeys(again, 0)
    assert Finding.objects.count() == sum(each["new"] for each in first.values())
    started = perf_counter()
    top = coverage.counts(TERM, [paid.county.path], {}, Organisation.steplen)
    covered = perf_counter() - started
    assert top.counts["aided"] == top.registered > 40_000
    assert len(coverage.pupils(TERM, [paid.county.path], "aided")) == 51
    note(audit_100k_s=round(audit, 2), audit_again_100k_s=round(second, 2), coverage_100k_s=round(covered, 2))
    assert audit <= 60
    assert covered <= 10
