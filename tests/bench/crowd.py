"""A county's worth of waiting reviews, made in a few statements: pupils, applications, cases, open tasks, records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from viewflow.workflow.fields import get_flow_ref, get_task_ref

from approvals.applications.models import Application
from approvals.organisations.models import Organisation
from approvals.people.crypto import encrypt
from approvals.people.models import Student
from approvals.programmes.models import ProgrammeVersion
from approvals.programmes.terms import Term
from tests.factories import TERM, CountyFactory, CountySchoolFactory, SchoolFactory, TownshipFactory, VersionFactory
from workflows.flows.aid import AidFlow
from workflows.models import Case, Record, WorkItem
from workflows.queries import queue_of

TOWNSHIPS, SCHOOLS_EACH, COUNTY_SCHOOLS = 7, 8, 4


@dataclass(frozen=True)
class Crowd:
    """Where the tasks wait: the county, its townships and its schools."""

    county: Organisation
    townships: list[Organisation]
    schools: list[Organisation]
    version: ProgrammeVersion


def county() -> Crowd:
    """Sixty schools under seven townships and the county itself."""
    top = CountyFactory()
    townships = [TownshipFactory(parent=top) for _ in range(TOWNSHIPS)]
    schools = [SchoolFactory(parent=township) for township in townships for _ in range(SCHOOLS_EACH)]
    schools += [CountySchoolFactory(parent=top) for _ in range(COUNTY_SCHOOLS)]
    return Crowd(top, townships, schools, VersionFactory())


_MAKE = f"""
    WITH pupil AS (
        INSERT INTO {Student._meta.db_table}
               (name, sex, birth_date, id_number, id_hash, id_tail, school_id, grade, class_name, stage, boarder,
                verified)
        SELECT substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', 1 + n %% 20, 1)
               || substr('小子文志雨思梓浩', 1 + n / 20 %% 8, 1) || substr('禾田苗云山石林竹', 1 + n / 160 %% 8, 1),
               'M', '2016-01-01', %(secret)s, sha256(convert_to(%(salt)s || n, 'UTF8')),
               lpad((n %% 10000)::text, 4, '0'), (%(schools)s::bigint[])[1 + n %% %(count)s], '五年级',
               (1 + n %% 6) || '班', 'primary', true, true
          FROM generate_series(1, %(tasks)s) n
        RETURNING id, name, school_id, grade, class_name
    ), numbered AS (
        SELECT pupil.*, row_number() OVER (ORDER BY pupil.id) AS n, o.path
          FROM pupil JOIN {Organisation._meta.db_table} o ON o.id = pupil.school_id
    ), kase AS (
        INSERT INTO {Case._meta.db_table}
               (id, flow_class, status, created, kind, state, programme, programme_version, term, path, steps, limits,
                missing, noticed, open_hits, resume, round)
        SELECT nextval(pg_get_serial_sequence('{Case._meta.db_table}', 'id')), %(flow)s, 'NEW', now(), 'aid',
               %(state)s, %(programme)s, 1, %(term)s, path, %(steps)s, '{{}}', '{{}}', '{{}}',
               (n %% 50 = 0)::int, '', 1 + (n %% 40 = 0)::int
          FROM numbered ORDER BY n
        RETURNING id, path, open_hits, round
    ), paired AS (
        SELECT kase.id, path, open_hits, round, numbered.id AS pupil, name, school_id, grade, class_name, n
          FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM kase) kase JOIN numbered USING (n, path)
    ), asked AS (
        INSERT INTO {Application._meta.db_table}
               (case_id, student_id, school_id, path, version_id, programme, "group", school_year, term, live, stage,
                grade, class_name, boarder, special_groups, level, tier, amount, guardian_name, bank, account_tail,
                account_kind, holder_name, remark, class_opinion, findings, created_at)
        SELECT id, pupil, school_id, path, %(version)s, %(programme)s, 'living_subsidy', %(year)s, %(term)s, true,
               'primary', grade, class_name, true, '{{}}',
               (ARRAY['severe', 'moderate', 'general'])[1 + n %% 3], '', 625.00, '王大山', '', '0010', 'bank_card', '',
               '', '', jsonb_build_array(
                   jsonb_build_object('code', 'enrolled', 'holds', n %% 30 <> 0, 'values', '{{}}'::jsonb)), now()
          FROM paired
    ), item AS (
        INSERT INTO {WorkItem._meta.db_table}
               (case_id, flow_task, flow_task_type, status, created, token, path, round, due_on, outcome, decided_by,
                queue, title)
        SELECT id, %(task)s, 'REVIEW', 'NEW', now(), 'start', path, round,
               date '2026-09-21' + (n %% 15)::int, '', '', %(queue)s, name
          FROM paired ORDER BY n
    )
    INSERT INTO {Record._meta.db_table}
           (at, business_at, actor, actor_name, post, act, about, about_id, step, state_from, state_to, reason_code,
            reason_text, data, path, request_id)
    SELECT now(), timestamptz '2026-09-08 09:00+08', 'someone', '测试员', 'aid_officer@学校', act, 'case', id, step,
           state_from, state_to, '', '', '{{}}', path, ''
      FROM paired, (VALUES ('open', 'draft', '', 'draft'), ('submit', 'draft', 'draft', 'submitted'),
                           ('accept', 'acceptance', 'submitted', %(state)s)) AS act (act, step, state_from, state_to)
     WHERE %(whole)s OR act.act = 'accept'
"""


def wait(crowd: Crowd, step: str, tasks: int, schools: list[Organisation] | None = None, *, whole: bool = True) -> None:
    """Puts `tasks` complete applications at a review step, spread over the schools, and vacuums.

    `whole` gives each the three lines of its record, else the last of them alone.
    """
    chosen = schools or crowd.schools
    values: dict[str, Any] = {
        "secret": encrypt("130499201603050010"),
        "schools": [school.pk for school in chosen],
        "count": len(chosen),
        "tasks": tasks,
        "flow": get_flow_ref(AidFlow),
        "state": step,
        "salt": f"{step} {Student.objects.count()} ",
        "programme": crowd.version.programme_id,
        "term": TERM,
        "year": Term.of(TERM).school_year,
        "steps": crowd.version.definition["steps"],
        "version": crowd.version.pk,
        "task": get_task_ref(AidFlow.instance.node(step)),
        "queue": queue_of("aid", step),
        "whole": whole,
    }
    tables = [model._meta.db_table for model in (Student, Case, Application, WorkItem, Record)]
    with connection.cursor() as cursor:
        with transaction.atomic(), _indexes_made_after(cursor, tables if tasks >= MANY else []):
            cursor.execute("SET LOCAL session_replication_role = replica")  # what is made here fits together
            cursor.execute("SET LOCAL work_mem = '256MB'")
            cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
            cursor.execute(_MAKE, values)
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")


MANY = 200_000
"""From so many on it is quicker to make indexes anew than to add to them."""


@contextmanager
def _indexes_made_after(cursor: Any, tables: list[str]) -> Iterator[None]:
    """Drops the indexes that hold up no constraint, and makes them again."""
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = ANY(%s::regclass[]) AND NOT indisprimary"
        "   AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)",
        [tables],
    )
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in found:
        cursor.execute(definition)
