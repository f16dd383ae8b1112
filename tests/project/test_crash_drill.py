"""Drill: the server is killed again and again in the middle of an import, and every row is taken over once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.factories import id_number
from tests.project.commands import ROOT, free_port, manage
from tests.roster_files import pupil, roster

ROWS = 8_000

UPLOAD = """
from approvals.applications.actions.rosters import upload
print(upload(Path(given).read_bytes(), "名单.xlsx", school, "living_subsidy", "2026-2027-1", officer).pk)
"""
CONFIRM = """
from approvals.applications.actions.rosters import confirm
confirm(int(given), False, True, True, officer)
"""
AS_OFFICER = """
import sys
from pathlib import Path
import django
django.setup()
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.models import User
from approvals.organisations.queries import school_by_code
from workflows.clock import today
given = sys.argv[1]
school = school_by_code("2113049901", today())
officer = UserActor(User.objects.get(pk=holders("submit_application", [school.path])[school.path][0]))
"""


def act(code: str, given: str, database: str) -> str:
    environment = os.environ | {"DATABASE_URL": database, "DEMO": "1", "DJANGO_SETTINGS_MODULE": "project.settings"}
    return subprocess.run(
        [sys.executable, "-c", AS_OFFICER + code, given],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def many_pupils() -> bytes:
    def row(order: int) -> dict[str, Any]:
        number = id_number(date(2015, 1, 1) + timedelta(days=order // 400), 2 * (order % 400) + 1)
        return pupil(order % 400, 序号=order + 1, 身份证号=number, 学籍号="G" + number)

    return roster(*(row(order) for order in range(ROWS)))


@pytest.mark.drill
def test_an_import_whose_server_is_killed_three_times_takes_every_row_over_once(
    new_database: str,
    tmp_path: Path,
) -> None:
    _, err = (loading := manage("load_demo", "--pupils", "50", database=new_database)).communicate(timeout=300)
    assert loading.returncode == 0, err
    file = tmp_path / "roster.xlsx"
    file.write_bytes(many_pupils())
    key = act(UPLOAD, str(file), new_database)

    with psycopg.connect(new_database, autocommit=True) as watch:

        def now() -> dict[str, Any]:
            row = watch.execute("SELECT to_jsonb(r) - 'content' FROM applications_roster r WHERE id = %s", [key])
            return json.loads(json.dumps(row.fetchone()[0]))  # type: ignore[index]

        def taken() -> tuple[int, int]:
            return watch.execute(
                "SELECT count(*), count(DISTINCT roster_row) FROM applications_application WHERE roster_id = %s", [key]
            ).fetchone()  # type: ignore[return-value]

        def wait(until: Callable[[], bool]) -> None:
            for _ in range(1200):
                if until():
                    return
                time.sleep(0.1)
            raise AssertionError(f"nothing moved: {now()}")

        server = serve(new_database)
        wait(lambda: now()["state"] == "previewed")
        assert now()["valid"] == ROWS, now()["problems"][:3]
        act(CONFIRM, key, new_database)
        killed_after = []
        for _ in range(3):
            before = taken()[0]
            wait(lambda before=before: taken()[0] > before)  # type: ignore[misc]
            server.kill()
            server.communicate(timeout=30)
            killed_after.append(taken()[0])
            server = serve(new_database)
        wait(lambda: now()["state"] == "imported")
        server.terminate()
        server.communicate(timeout=60)

        assert 0 < killed_after[0] < ROWS, "it was never killed half-way"
        assert taken() == (ROWS, ROWS)
        assert now()["accepted"] == ROWS


def serve(database: str) -> subprocess.Popen[str]:
    return manage("serve", "--port", str(free_port()), database=database)
