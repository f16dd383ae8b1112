"""A roster of 50,000 rows taken over as drafts, and one of 20,000 previewed, each in a process of its own.

The rows are read from xlsx, checked, matched with the register, encrypted and stored with case, task and record.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from rustpy_xlsxwriter import FastExcel

from approvals.organisations.actions import load_organisations
from approvals.organisations.queries import school_by_code
from approvals.programmes.actions import load_programmes
from tests.bench.results import note
from tests.factories import FIRST_DAY, account_number, id_number, officer_of, set_training_date
from tests.roster_files import pupil
from workflows.working_days import load_calendar

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
CHARACTERS = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红月鹏飞辉梅鑫波斌莉宇浩凯健俊帆雪𠮷䶮"


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Faultless rows of 22 columns, each another pupil."""
    template = pupil()
    for order in range(count):
        day = date(2015, 9, 1) + timedelta(days=order // 500)
        number = id_number(day, 2 * (order % 500) + 1)
        name = "王" + CHARACTERS[order % 44] + CHARACTERS[order // 44 % 44]
        yield template | {
            "序号": order + 1,
            "姓名": name,
            "户名": name,
            "身份证号": number,
            "学籍号": "G" + number,
            "监护人身份证号": id_number(date(1985, 7, 4), 2 * (order % 500) + 1),
            "联系电话": f"138{order:08d}",
            "银行账号": account_number(order),
            "备注": "",
        }


WORKER = """
import json, resource, sys, time
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from pathlib import Path
from approvals.applications.actions import rosters
from approvals.applications.importing import target_of
from approvals.applications.models import Roster
from approvals.organisations.authority import actor_of
from approvals.organisations.models import User
from approvals.organisations.queries import school_by_code
from workflows.clock import today
what, file, officer = sys.argv[2], Path(sys.argv[3]), User.objects.get(pk=sys.argv[4])
school = school_by_code("2113049901", today())
start = time.perf_counter()
if what == "import":
    target = target_of(school, "living_subsidy", "2026-2027-1")
    found = rosters.import_now(file, file.name, target, actor_of(officer))
else:
    roster = rosters.upload(
        file.read_bytes(), file.name, school, "living_subsidy", "2026-2027-1", actor_of(officer)
    )
    rosters.work_on_next()
    roster.refresh_from_db()
    found = {"rows": roster.rows, "accepted": roster.valid, "refused": roster.problems, "state": roster.state}
seconds = time.perf_counter() - start
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
found["refused"] = found["refused"][:3]
print(json.dumps({"seconds": seconds, "megabytes": megabytes, "found": found}, default=str))
"""


@pytest.fixture
def officer() -> int:
    """The demo county's tree and programmes, and the officer of its sample primary school."""
    set_training_date()
    load_calendar()
    load_organisations()
    load_programmes()
    return int(officer_of(school_by_code("2113049901", FIRST_DAY)).pk)


def measured(what: str, count: int, officer: int, folder: Path) -> dict[str, Any]:
    """Seconds and megabytes of the work in a fresh process."""
    file = folder / f"{count}.xlsx"
    FastExcel(str(file)).sheet("名单", list(rows(count))).save()
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], what, str(file), str(officer)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr[-3000:]
    answer: dict[str, Any] = json.loads(worker.stdout.splitlines()[-1])
    assert (answer["found"]["rows"], answer["found"]["accepted"]) == (count, count), answer["found"]
    print(f"\n{what} of {count} rows: {answer['seconds']:.1f} s, {answer['megabytes']:.0f} MB")
    return answer


def test_fifty_thousand_rows_are_taken_over(officer: int, tmp_path: Path) -> None:
    answer = measured("import", 50_000, officer, tmp_path)
    note(import_50k_s=round(answer["seconds"], 1), import_50k_mb=round(answer["megabytes"]))
    assert answer["seconds"] <= 45
    assert answer["megabytes"] <= 700


def test_twenty_thousand_rows_are_previewed(officer: int, tmp_path: Path) -> None:
    answer = measured("preview", 20_000, officer, tmp_path)
    note(preview_20k_s=round(answer["seconds"], 1))
    assert answer["seconds"] <= 10
