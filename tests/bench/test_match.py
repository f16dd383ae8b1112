"""A whole term matched against every list: 100,000 applications, lists of 100,000 rows."""

from datetime import date
from time import perf_counter
from typing import Any

import pytest
from django.db import connection

from approvals.applications.actions.match_runs import ask_by_system, finish
from approvals.applications.models import Application, Hit, MatchRun
from approvals.people import registers
from approvals.people.models import Guardian, Household, RegisterEntry, RegisterList, Student
from tests.bench import crowd
from tests.bench.results import note
from tests.factories import TERM, VersionFactory, set_training_date
from workflows.models import Case

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

APPLICATIONS = ROWS = 100_000
ON_LIST = {
    registers.POOR_HOUSEHOLDS: 40_000,
    registers.LOW_INCOME: 20_000,
    registers.DISABLED: 3_000,
    registers.DECEASED: 200,
    registers.DUAL_ENROLMENT: 2_000,
    registers.OTHER_AID: 5_000,
    registers.ACCOUNT_HOLDER: 95_000,
}
"""How many of the applicants each list has; its other rows are other people."""
WORDS = {"zh": "示例。", "en": "Example."}
RULE = {
    "code": "register_bears_out",
    "when": '!special_groups.exists(g, g in ["lifted_household", "dibao", "tekun"]) || register_category != ""',
    **dict.fromkeys(("asks", "holds", "fails", "unknown"), WORDS),
}

# Every third family claims something; every pupil has an account, two guardians and a household with another one.
_FAMILIES = f"""
    UPDATE {Application._meta.db_table}
       SET account_hash = sha256(convert_to('account ' || case_id, 'UTF8')), holder_name = '王大山',
           special_groups = CASE case_id %% 9 WHEN 0 THEN '{{lifted_household}}' WHEN 3 THEN '{{dibao}}'
                                              WHEN 6 THEN '{{disabled_student}}' ELSE '{{}}' END::varchar[];
    INSERT INTO {Household._meta.db_table} (id, number, village, size)
    SELECT n, 'B' || n, '', 4 FROM generate_series(1, {APPLICATIONS // 2}) n;
    UPDATE {Student._meta.db_table} SET household_id = 1 + id %% {APPLICATIONS // 2};
    INSERT INTO {Guardian._meta.db_table} (student_id, name, id_hash)
    SELECT id, '王大山', sha256(convert_to('guardian ' || n || ' ' || id, 'UTF8'))
      FROM {Student._meta.db_table}, generate_series(1, 2) n
"""
_ENTRIES = f"""
    INSERT INTO {RegisterEntry._meta.db_table}
           (list_id, id_hash, category, household_no, in_county, name, school_year, told)
    SELECT %(list)s, id_hash, %(category)s, '', true, %(name)s, '', %(told)s::jsonb
      FROM (SELECT {{key}} AS id_hash FROM {Application._meta.db_table} a JOIN {Student._meta.db_table} s
                ON s.id = a.student_id ORDER BY md5(a.case_id || %(kind)s) LIMIT %(applicants)s) applicant
    UNION ALL
    SELECT %(list)s, sha256(convert_to(%(kind)s || n, 'UTF8')), %(category)s, '', true, %(name)s, '', %(told)s::jsonb
      FROM generate_series(1, %(others)s) n
"""
SAYS: dict[str, tuple[str, str, str]] = {
    registers.POOR_HOUSEHOLDS: ("lifted_household", "", "{}"),
    registers.LOW_INCOME: ("dibao", "", "{}"),
    registers.DISABLED: ("", "", "{}"),
    registers.DECEASED: ("", "", '{"on": "2026-05-04"}'),
    registers.DUAL_ENROLMENT: ("", "某县示例中学", '{"school": "某县示例中学"}'),
    registers.OTHER_AID: ("", "助学金", '{"aid": "助学金", "office": "某县"}'),
    registers.ACCOUNT_HOLDER: ("", "王大山", '{"holder": "王**"}'),
}


def lists() -> None:
    with connection.cursor() as cursor:
        for kind, applicants in ON_LIST.items():
            register = RegisterList.objects.create(kind=kind, origin="某局", as_of=date(2026, 8, 31))
            category, name, told = SAYS[kind]
            key = "a.account_hash" if kind == registers.ACCOUNT_HOLDER else "s.id_hash"
            cursor.execute(
                _ENTRIES.format(key=key),
                {"list": register.pk, "kind": kind, "applicants": applicants, "others": ROWS - applicants}
                | {"category": category, "name": name, "told": told},
            )


def seconds(function: Any) -> tuple[float, Any]:
    start = perf_counter()
    result = function()
    return perf_counter() - start, result


def matched() -> MatchRun:
    return finish(ask_by_system(TERM))


def test_a_term_of_100_000_applications() -> None:
    set_training_date()
    VersionFactory(changes={"rules": [RULE]})
    crowd.wait(crowd.county(), "county_review", APPLICATIONS, whole=False)
    Case.objects.update(open_hits=0)
    with connection.cursor() as cursor:
        for statement in _FAMILIES.replace("%%", "%").split(";"):
            cursor.execute(statement)
        lists()
        for model in (Application, Student, Guardian, RegisterEntry, Case):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
        cursor.execute("SET synchronous_commit = on")
    first, run = seconds(matched)
    found = Hit.objects.count()
    again, second = seconds(matched)
    print(f"\n{run.done} applications matched in {first:.1f} s, {found} hits; again in {again:.1f} s")
    print(dict(sorted(run.tally.items())))
    assert run.done == second.done == APPLICATIONS
    assert Hit.objects.count() == found
    assert not any(counts.get("new") or counts.get("gone") for counts in second.tally.values())
    note(match_100k_s=round(first, 1))
    assert first <= 60
