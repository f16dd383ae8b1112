"""A public list of fifty thousand lines as one PDF, and what it takes."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from approvals.applications import evidence_store
from approvals.notices import paper
from approvals.notices.archive.models import NoticeFile
from approvals.notices.models import NoticeLine
from tests.approvals.notices.conftest import calendar_of_2025, county_place  # noqa: F401  fixtures
from tests.bench.results import note
from tests.project.commands import address_of

LINES = 50_000
_WORKER = """
import resource, sys
import django
django.setup()
from django.conf import settings
settings.MEDIA_ROOT = sys.argv[1]
from workflows import clock
from approvals.notices.archive import building, models
waiting = models.NoticeFile.objects.filter(state__in=building.WAITING)
for file in waiting.values_list("pk", flat=True):
    while building._work_on(file):
        pass
peaks = [resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(*peaks, sum(peaks))
"""


@pytest.mark.bench
@pytest.mark.django_db(transaction=True)
def test_a_list_of_fifty_thousand_lines_is_one_pdf(county_place: Any, settings: Any) -> None:  # noqa: F811
    """In a process of its own: its peak of memory, and that of the one that sets the pieces, are those of this work."""
    from approvals.notices.archive import building

    notice = county_place.published(1)
    case = notice.lines.get().case_id
    shown = notice.lines.get().shown
    NoticeLine.objects.bulk_create(
        (
            NoticeLine(
                notice=notice, case_id=case, number=number, step=notice.step, open=False,
                shown=shown | {"序号": str(number), "姓名": _name(number)},
            )
            for number in range(2, LINES + 1)
        ),
        batch_size=5000,
    )  # fmt: skip
    type(notice).objects.filter(pk=notice.pk).update(line_count=LINES)
    notice.refresh_from_db()
    building.want_pdf(notice)
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _WORKER, str(settings.MEDIA_ROOT)],
        cwd=Path(settings.BASE_DIR), capture_output=True, text=True, check=False, env=_environment(),
    )  # fmt: skip
    took = time.monotonic() - begun
    assert done.returncode == 0, done.stderr[-2000:]
    peak = int(done.stdout.split()[-1])
    file = NoticeFile.objects.get()
    assert file.state == "ready", file.error
    assert file.parts == LINES // paper.ROWS_PER_FILE
    pages = PdfReader(io.BytesIO(evidence_store.read(file.file))).pages
    assert f"第 {len(pages)} 页 / 共 {len(pages)} 页" in pages[-1].extract_text()
    print(f"{len(pages)} pages, {file.size // 1024} KB in {took:.0f} s, peak {peak} MB")
    note(notice_pdf_50k_s=round(took, 1), notice_pdf_50k_mb=peak)
    assert took <= 90
    assert peak <= 600


def _name(number: int) -> str:
    return f"王{chr(0x4E00 + number % 3000)}{chr(0x5000 + number % 2000)}"


def _environment() -> dict[str, str]:
    return os.environ | {"DATABASE_URL": address_of(), "DJANGO_SETTINGS_MODULE": "project.settings"}
