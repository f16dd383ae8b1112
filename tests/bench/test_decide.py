"""Deciding, one and ten thousand, against viewflow as it comes and against bare SQL, on the same database.

Each round measures all sides one after the other; what is compared are medians over the rounds of one run.
"""

from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import modify_settings
from django.test.utils import CaptureQueriesContext

from approvals.organisations.authority import UserActor, actor_of
from tests.bench import crowd
from tests.bench.results import note
from tests.factories import person, set_training_date
from workflows import decide
from workflows.models import Freeze, Record, WorkItem

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

TASKS, STOCK_TASKS, ROUNDS = 10_000, 300, 5
BLOCK, BLOCKS = 20, 15

# One UPDATE and one INSERT a row, in one statement, on a table with nothing to it: two indexes, no key to another
# table, no check, no state, no link, no record.
PLAIN_TABLE = """
    CREATE TABLE IF NOT EXISTS bare_task (
        id bigserial PRIMARY KEY, case_id bigint NOT NULL, step text NOT NULL, status text NOT NULL,
        outcome text NOT NULL DEFAULT '', path text NOT NULL, created timestamptz NOT NULL, finished timestamptz
    );
    CREATE INDEX IF NOT EXISTS bare_task_case ON bare_task (case_id)
"""
PLAIN_TASKS = """
    INSERT INTO bare_task (case_id, step, status, path, created)
    SELECT n, 'county_review', 'NEW', '000100010001', now() FROM generate_series(1, %s) n RETURNING id
"""
BARE = """
    WITH done AS (
        UPDATE bare_task SET status = 'DONE', outcome = 'approve', finished = now() WHERE id = ANY(%s)
        RETURNING case_id, path
    )
    INSERT INTO bare_task (case_id, step, status, path, created)
    SELECT case_id, 'data_check', 'NEW', path, now() FROM done
"""


@pytest.fixture(scope="module", autouse=True)
def stock_is_installed(django_db_setup: None) -> Iterator[None]:
    if apps.is_installed("tests.bench.stock"):
        yield
        return
    with modify_settings(INSTALLED_APPS={"append": "tests.bench.stock"}):
        yield


@pytest.fixture(autouse=True)
def as_in_production() -> None:
    """Commits wait for the disk here; in other tests they do not."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")


@pytest.fixture
def place() -> crowd.Crowd:
    set_training_date()
    return crowd.county()


def waiting(place: crowd.Crowd, step: str, count: int, schools: list[Any] | None = None) -> list[int]:
    """Complete applications, `count` of them, that wait at a step: their tasks."""
    before = WorkItem.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    crowd.wait(place, step, count, schools)
    return list(WorkItem.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True))


def seconds(function: Any, *arguments: Any) -> float:
    start = perf_counter()
    function(*arguments)
    return perf_counter() - start


def everything(by: UserActor, items: list[int]) -> None:
    assert all(result.ok for result in decide(items, "approve", by))


def plain_tasks(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(PLAIN_TABLE)
        cursor.execute(PLAIN_TASKS, [count])
        items = [item for (item,) in cursor.fetchall()]
        cursor.execute("VACUUM ANALYZE bare_task")
    return items


def bare(items: list[int]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BARE, [items])
        assert cursor.rowcount == len(items)


def test_ten_thousand_in_one_action(place: crowd.Crowd) -> None:
    from tests.bench.stock.flows import assign_and_execute, stock_waiting

    reviewer = person("county_reviewer", place.county)
    by = actor_of(reviewer)
    ours, sql, stock = [], [], []
    for _ in range(ROUNDS):
        ours.append(seconds(everything, by, waiting(place, "county_review", TASKS)))
        sql.append(seconds(bare, plain_tasks(TASKS)))
        tasks = stock_waiting(STOCK_TASKS)
        stock.append(seconds(lambda tasks=tasks: [assign_and_execute(task, reviewer) for task in tasks]))
    assert Record.objects.filter(act="approve").count() == ROUNDS * TASKS
    against_viewflow = median(stock) / STOCK_TASKS * TASKS / median(ours)
    against_sql = median(ours) / median(sql)
    print(f"\n10,000 in one action: {median(ours):.2f} s, of {[round(each, 2) for each in ours]}")
    print(f"bare SQL: {median(sql):.2f} s, of {[round(each, 2) for each in sql]}")
    print(f"viewflow, 300: {median(stock):.2f} s, of {[round(each, 2) for each in stock]}")
    note(bulk_vs_viewflow=round(against_viewflow, 1), bulk_vs_bare_sql=round(against_sql, 2))
    assert against_viewflow >= 80
    assert against_sql <= 12


# ---------------------------------------------------------------- with everything there that is checked

# Of each case: two who acted on it at other levels, two who are recused from it, a joint decision ahead; for one in
# a hundred the reviewer himself is recused at another level. Besides: recusals from offices, and freezes that are
# over, to come, or elsewhere.
BARS = """
    UPDATE workflows_case SET panels = '{"pending_approval": {"mode": "share", "of": "approve_county", "share": 67}}'
     WHERE id = ANY(%(cases)s);
    INSERT INTO workflows_actinglevel (case_id, person, level)
    SELECT c, who.person || c %% 50, who.level
      FROM unnest(%(cases)s::bigint[]) c, (VALUES ('officer', 'submit'), ('head', 'school')) AS who (person, level);
    INSERT INTO workflows_recusal (case_id, path, person, levels, code, text, at)
    SELECT c, '', who || c %% 50, '{}', 'kin', '', now()
      FROM unnest(%(cases)s::bigint[]) c, unnest(ARRAY['x', 'y']) who;
    INSERT INTO workflows_recusal (case_id, path, person, levels, code, text, at)
    SELECT c, '', %(person)s, '{leader}', 'kin', '', now() FROM unnest(%(cases)s::bigint[]) c WHERE c %% 100 = 0;
"""
ELSEWHERE = """
    INSERT INTO workflows_recusal (path, person, levels, code, text, at)
    SELECT '9' || n, CASE WHEN n %% 10 = 0 THEN %(person)s ELSE 'z' || n END, '{}', 'kin', '', now()
      FROM generate_series(1, 500) n;
    INSERT INTO workflows_freeze (path, starts_on, ends_on, text, open_to, set_by, ended_at)
    SELECT CASE WHEN n %% 3 = 0 THEN '9' ELSE '' END || '0001', date '2026-09-01' + n, date '2026-09-06' + n,
           '决算', '', '某人', CASE WHEN n < 15 THEN now() END FROM generate_series(1, 60) n
"""


def checked(by: UserActor, items: list[int]) -> list[int]:
    """Puts beside each of these tasks what is looked at before it is decided."""
    cases = list(WorkItem.objects.filter(pk__in=items).values_list("process_id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(BARS, {"cases": cases, "person": by.key})
        if not Freeze.objects.exists():
            cursor.execute(ELSEWHERE, {"person": by.key})
        for table in ("case", "actinglevel", "recusal", "freeze"):
            cursor.execute(f"VACUUM ANALYZE workflows_{table}")
    return items


def test_ten_thousand_in_one_action_with_all_that_is_checked(place: crowd.Crowd) -> None:
    from tests.bench.stock.flows import assign_and_execute, stock_waiting

    reviewer = person("county_reviewer", place.county)
    by = actor_of(reviewer)
    ours, stock = [], []
    for _ in range(3):
        ours.append(seconds(everything, by, checked(by, waiting(place, "county_review", TASKS))))
        tasks = stock_waiting(STOCK_TASKS)
        stock.append(seconds(lambda tasks=tasks: [assign_and_execute(task, reviewer) for task in tasks]))
    ratio = median(stock) / STOCK_TASKS * TASKS / median(ours)
    print(f"\n10,000 with all that is checked: {median(ours):.2f} s, of {[round(each, 2) for each in ours]}")
    print(f"viewflow, {STOCK_TASKS}: {median(stock):.2f} s, of {[round(each, 2) for each in stock]}")
    note(bulk_checked_vs_viewflow=round(ratio, 1))
    assert ratio >= 60


def test_one_at_a_time_with_all_that_is_checked(place: crowd.Crowd) -> None:
    from tests.bench.stock.flows import assign_and_execute, stock_waiting

    school = place.schools[0]
    head = person("school_head", school)
    by = actor_of(head)
    items = checked(by, waiting(place, "school_review", BLOCK * BLOCKS + 2, [school]))
    first, second, *items = items
    tasks = stock_waiting(BLOCK * BLOCKS)
    ours, stock = [], []
    for block in range(BLOCKS):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        ours += [seconds(everything, by, [item]) for item in items[part]]
        stock += [seconds(assign_and_execute, task, head) for task in tasks[part]]
    ratio = median(stock) / median(ours)
    everything(by, [first])
    with CaptureQueriesContext(connection) as captured:
        [result] = decide([second], "approve", by, key="the form's own")
    assert result.ok
    statements = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in captured)
    print(f"\none decision: {median(ours) * 1000:.2f} ms; viewflow: {median(stock) * 1000:.2f} ms; {statements} SQL")
    note(single_checked_vs_viewflow=round(ratio, 2), single_checked_statements=statements)
    assert ratio >= 3
    assert statements <= 12


def test_one_at_a_time(place: crowd.Crowd) -> None:
    from tests.bench.stock.flows import assign_and_execute, stock_waiting

    school = place.schools[0]
    head = person("school_head", school)
    by = actor_of(head)
    items = waiting(place, "school_review", BLOCK * BLOCKS, [school])
    tasks = stock_waiting(BLOCK * BLOCKS)
    ours, stock = [], []
    for block in range(BLOCKS):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        ours += [seconds(everything, by, [item]) for item in items[part]]
        stock += [seconds(assign_and_execute, task, head) for task in tasks[part]]
    ratio = median(stock) / median(ours)
    print(f"\none decision: {median(ours) * 1000:.2f} ms; viewflow's assign and execute: {median(stock) * 1000:.2f} ms")
    note(single_vs_viewflow=round(ratio, 2))
    assert ratio >= 4


def test_the_statements_of_one_decision(place: crowd.Crowd) -> None:
    """The head's approval of a real application, under a key as the page sends it."""
    school = place.schools[0]
    by = actor_of(person("school_head", school))
    first, second = waiting(place, "school_review", 2, [school])
    everything(by, [first])
    with CaptureQueriesContext(connection) as captured:
        [result] = decide([second], "approve", by, key="the form's own")
    assert result.ok
    sql = [query["sql"] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]
    print("\n" + "\n".join(" ".join(each.split())[:110] for each in sql))
    note(single_statements=len(sql))
    assert len(sql) <= 8
