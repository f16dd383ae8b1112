"""A process that decides thousands is killed without warning: each chunk stands whole or not at all."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.cases import OFFICER, items_of, opened
from workflows import decide
from workflows.models import ActingLevel, KeyedDecision, Link, Record, WorkItem

pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
CHUNK, TASKS = 500, 2000

WORKER = (
    """
import json, sys, time
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from tests.cases import OFFICER
from workflows import decide, decisions, events
items, stop_at, key = json.loads(sys.stdin.readline())
decisions.CHUNK = %d
moved = 0
events._listeners.clear()

@events.on_move("aid", step="draft")
def count(move):
    global moved
    moved += len(move.case_ids)
    if moved > stop_at:
        print("written, not committed", flush=True)
        time.sleep(60)

decide(items, "submit", OFFICER, key=key)
print("done", flush=True)
"""
    % CHUNK
)


def killed(items: list[int], stop_at: int, key: str | None) -> None:
    """Decides in another process, which dies after having written more than `stop_at` tasks' moves."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, connection.settings_dict["NAME"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "project.settings"},
    )
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(json.dumps([items, stop_at, key]) + "\n")
    worker.stdin.flush()
    assert worker.stdout.readline().strip() == "written, not committed"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    wait_until_nobody_writes()


def wait_until_nobody_writes() -> None:
    """The dead process's session is ended by the server when it next looks at the socket."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state <> 'idle'"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.2)
    raise AssertionError("the killed session still holds its transaction")


def standing_of(items: list[int]) -> dict[str, Any]:
    """What the database holds of these moves."""
    done = WorkItem.objects.filter(pk__in=items, finished__isnull=False)
    return {
        "done": done.count(),
        "ahead": WorkItem.objects.filter(process__in=done.values("process")).exclude(pk__in=items).count(),
        "links": Link.objects.count(),
        "lines": Record.objects.filter(act="submit").count(),
        "accepted": Record.objects.filter(act="accept").count(),
        "states": WorkItem.objects.filter(pk__in=items, process__state="school_review").count(),
    }


@pytest.mark.parametrize(("stop_at", "whole"), [(0, 0), (CHUNK, CHUNK), (3 * CHUNK, 3 * CHUNK)])
@pytest.mark.parametrize("key", [None, "the-form-s-key"])
def test_killed_in_the_middle_of_a_chunk_leaves_whole_chunks_only(stop_at: int, whole: int, key: str | None) -> None:
    items = items_of(opened(TASKS))
    killed(items, stop_at, key)
    assert set(standing_of(items).values()) == {whole}
    assert KeyedDecision.objects.count() == (whole // CHUNK if key else 0)

    again = decide(items, "submit", OFFICER, key=None)
    assert [result.code for result in again] == ["closed"] * whole + ["ok"] * (TASKS - whole)
    assert set(standing_of(items).values()) == {TASKS}
    assert ActingLevel.objects.count() == TASKS


def test_the_same_request_sent_again_after_the_crash_ends_as_if_nothing_had_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from workflows import decisions

    monkeypatch.setattr(decisions, "CHUNK", CHUNK)
    items = items_of(opened(TASKS))
    killed(items, 2 * CHUNK, "form")
    again = decide(items, "submit", OFFICER, key="form")
    assert {result.code for result in again} == {"ok"}
    assert set(standing_of(items).values()) == {TASKS}
