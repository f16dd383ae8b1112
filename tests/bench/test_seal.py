"""Sealing and proving a record of a million lines."""

import time

import pytest
from django.db import connection

from tests.bench.results import note
from workflows.models import SealedLine
from workflows.seal.sealing import seal_now
from workflows.seal.verifying import verify

LINES = 1_000_000
_MANY = """
    INSERT INTO workflows_record (at, business_at, actor, actor_name, post, act, about, about_id, item, step,
        state_from, state_to, reason_code, reason_text, data, path, request_id)
    SELECT now(), now(), md5(n::text), '测试员' || n %% 300, 'county_reviewer@县学生资助管理中心', 'approve', 'case', n,
        n * 2, 'county_review', 'county_review', 'data_check', '', '', jsonb_build_object('round', n %% 3), '00010002',
        md5(n::text)
      FROM generate_series(1, %s) AS n"""


@pytest.mark.bench
@pytest.mark.django_db(transaction=True)
def test_a_million_lines_are_sealed_and_proved() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [LINES])
        cursor.execute("ANALYZE workflows_record")
    begun = time.monotonic()
    while seal_now():
        pass
    sealed = time.monotonic() - begun
    assert SealedLine.objects.count() == LINES
    begun = time.monotonic()
    report = verify()
    verified = time.monotonic() - begun
    assert report.ok
    assert report.lines == LINES
    print(f"sealed in {sealed:.0f} s, proved in {verified:.0f} s")
    note(verify_1m_s=round(verified, 1), seal_1m_s=round(sealed, 1))
    assert verified <= 60
