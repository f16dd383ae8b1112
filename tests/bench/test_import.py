"""A roster of 50,000 rows of 22 columns: read, checked, encrypted, stored; and the preview of 20,000.

Each runs in a process of its own, so that its memory is its own.
"""

import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
import xlsxwriter
from django.db import connection

from approvals.applications.rosters import COLUMNS
from approvals.organisations.actions import load_organisations
from approvals.programmes.actions import load_programmes
from tests.bench.results import note
from tests.factories import account_number, acting, id_number, officer_of, set_training_date
from workflows.working_days import load_calendar

ROWS, PREVIEW = 50_000, 20_000
SCHOOL = "2113049901"


def write_roster(file: Path, rows: int) -> None:
    """A roster of boarders and day pupils in turn, each with an account and a guardian."""
    book = xlsxwriter.Workbook(str(file), {"constant_memory": True})
    sheet = book.add_worksheet("名单")
    sheet.write_row(0, 0, COLUMNS)
    for number in range(rows):
        born = date(2014, 1, 1) + timedelta(days=number % 2500)
        pupil = id_number(born, 1 + number // 2500)
        guardian = id_number(date(1980, 1, 1) + timedelta(days=number % 3000), 1 + number // 3000)
        name = "王" + "小大明"[number % 3] + "禾苗田"[number // 3 % 3]
        boards = number % 2
        sheet.write_row(
            number + 1,
            0,
            [
                number + 1, "鸡泽县示例中心小学", SCHOOL, "三年级", "2班", name, "男" if int(pupil[16]) % 2 else "女",
                pupil, f"G{pupil}", "是" if boards else "否", "脱贫家庭", "困难", "义务教育生活补助", "2026年秋季学期",
                "625.00" if boards else "312.50", "李大山", guardian, f"138{number:08d}", "鸡泽县农村信用联社",
                account_number(number + 1000), name, "",
            ],
        )  # fmt: skip
    book.close()


WORK = """
import json, resource, sys, time
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from pathlib import Path
from approvals.applications import importing
from approvals.applications.actions.rosters import import_now
from approvals.organisations.authority import UserActor
from approvals.organisations.models import User
from approvals.organisations.queries import school_by_code
from workflows.clock import today
target = importing.target_of(school_by_code("2113049901", today()), "living_subsidy", "2026-2027-1")
file, by = Path(sys.argv[2]), UserActor(User.objects.get(pk=sys.argv[4]))
began = time.perf_counter()
if sys.argv[3] == "preview":
    judged = importing.judge(file, file.name, target)
    importing.summary(judged)
    taken = len(judged.valid)
else:
    taken = import_now(file, file.name, target, by)["accepted"]
spent = time.perf_counter() - began
print(json.dumps({"taken": taken, "s": spent, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def run(file: Path, what: str, officer: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", WORK, connection.settings_dict["NAME"], str(file), what, str(officer)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "project.settings"},
        cwd=Path(__file__).resolve().parents[2],
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.bench
@pytest.mark.django_db(transaction=True)
def test_a_large_roster_is_taken_over_in_time_and_memory(tmp_path: Path) -> None:
    set_training_date()
    load_calendar()
    load_organisations()
    load_programmes()
    from approvals.organisations.queries import school_by_code

    officer = officer_of(school_by_code(SCHOOL, date(2026, 9, 7)))
    assert acting(officer).permits("submit_application", [officer.posts.get().organisation.path])
    large, small = tmp_path / "large.xlsx", tmp_path / "small.xlsx"
    write_roster(large, ROWS)
    write_roster(small, PREVIEW)
    previewed = run(small, "preview", officer.pk)
    began = time.perf_counter()
    imported = run(large, "import", officer.pk)
    print(previewed, imported, time.perf_counter() - began)
    note(
        preview_20k_s=round(previewed["s"], 1),
        import_50k_s=round(imported["s"], 1),
        import_50k_mb=round(imported["mb"]),
    )
    assert (previewed["taken"], imported["taken"]) == (PREVIEW, ROWS)
