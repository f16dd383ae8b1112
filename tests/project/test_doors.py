"""What the files of calendar and programmes say holds from the next start on, not only from the first."""

import shutil
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command

from approvals.organisations.models import Organisation
from approvals.programmes.models import ProgrammeVersion, Window
from project.doors import ensure_ready
from workflows import working_days
from workflows.models import CalendarYear

pytestmark = pytest.mark.django_db
NEXT_YEAR = """
year: 2027
source: 示例
holidays:
  - {name: 元旦, days: [2027-01-01]}
"""


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> Path:
    """The fixtures as they are deployed, to be changed."""
    shutil.copytree(configured.BASE_DIR / "fixtures", tmp_path / "fixtures")
    settings.BASE_DIR = tmp_path
    ensure_ready()
    return tmp_path / "fixtures"


@pytest.fixture(autouse=True)
def calendar_read_again() -> Any:
    yield
    working_days.forget()


def test_next_years_calendar_and_a_changed_programme_are_loaded_at_the_next_start(files: Path) -> None:
    (files / "calendar" / "2027.yaml").write_text(NEXT_YEAR, encoding="utf-8")
    programme = files / "programmes" / "20_living_subsidy_boarder.yaml"
    text = programme.read_text(encoding="utf-8")
    assert "closes_on: 2026-03-31" in text
    assert 'junior, amount: "750.00"' in text
    text = text.replace("closes_on: 2026-03-31", "closes_on: 2026-04-15")
    programme.write_text(text.replace('junior, amount: "750.00"', 'junior, amount: "800.00"'), encoding="utf-8")

    ensure_ready()

    assert CalendarYear.objects.filter(year=2027).exists()
    assert ProgrammeVersion.objects.filter(programme="living_subsidy_boarder").count() == 2
    window = Window.objects.get(programme="living_subsidy_boarder", term="2025-2026-2")
    assert window.closes_on == date(2026, 4, 15)


def test_a_start_where_nothing_changed_makes_no_new_version(files: Path) -> None:
    before = list(ProgrammeVersion.objects.values_list("pk", flat=True))
    ensure_ready()
    assert list(ProgrammeVersion.objects.values_list("pk", flat=True)) == before


def loaded(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("load", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_loads_a_countys_offices_and_says_what_there_is(files: Path) -> None:
    Organisation.objects.all().delete()
    calendar, programmes, organisations = loaded("--organisations", str(files / "organisations" / "jize.yaml"))
    assert calendar.endswith("2026")
    assert "living_subsidy_boarder 1" in programmes
    assert organisations == "organisations: 68"


def test_the_command_names_what_is_wrong_with_a_file(files: Path) -> None:
    wrong = files / "organisations" / "jize.yaml"
    wrong.write_text("founded: 2000-01-01", encoding="utf-8")
    with pytest.raises(CommandError, match="county"):
        loaded("--organisations", str(wrong))
