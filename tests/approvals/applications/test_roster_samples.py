"""The sample rosters and what is expected of them."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from approvals.applications.rosters import COLUMNS, check_rows, read_roster
from tests.roster_files import SENIOR_GRANT, SENIOR_SCHOOL, context

ROSTERS = Path(__file__).parents[2] / "data" / "rosters"
ABOUT = {
    "clean.xlsx": context(),
    "gbk.csv": context(school_code=SENIOR_SCHOOL[0], school_name=SENIOR_SCHOOL[1], programmes=SENIOR_GRANT),
}


@pytest.mark.parametrize("filename", ABOUT)
def test_a_sample_gives_what_is_expected_of_it(filename):
    expected = json.loads((ROSTERS / filename).with_suffix(".expected.json").read_text())
    table = read_roster(ROSTERS / filename, filename)
    rows = list(check_rows(table, ABOUT[filename]))
    assert len(rows) == expected["rows"]
    assert {one.row for one in rows if one.refused} == set(map(int, expected["refused"]))
    assert [problem for one in rows for problem in one.problems] == []
    assert list(table.columns) == list(COLUMNS)
    assert (table.skipped, table.notes, table.unmapped, table.missing) == ([], [], [], [])


def test_the_living_subsidy_sample_is_read_to_the_letter():
    table = read_roster(ROSTERS / "clean.xlsx", "clean.xlsx")
    rows = [one.values for one in check_rows(table, context())]
    first = rows[0]
    assert (table.format, table.sheet, table.header_row, table.rows[0].row) == ("xlsx", "名单", 1, 2)
    assert (first.name, first.sex, first.id_number) == ("彭欣", "M", "13049920191015023X")
    assert (first.grade, first.class_name, first.stage) == ("三年级", "2班", "primary")
    assert (first.boarder, first.programme_code, first.amount) == (False, "living_subsidy_day", Decimal("312.50"))
    assert (first.special_groups, first.level, first.term) == (("tekun",), "severe", "2026-2027-1")
    assert {row.programme_code for row in rows} == {"living_subsidy_boarder", "living_subsidy_day"}
    assert sum(row.name == "𠮷田一" for row in rows) == 2


def test_the_gbk_sample_is_read_as_gb18030():
    table = read_roster(ROSTERS / "gbk.csv", "gbk.csv")
    assert (table.format, table.encoding, table.rows[-1].row) == ("csv", "gb18030", 61)
