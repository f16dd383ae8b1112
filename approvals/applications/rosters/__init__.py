"""Reading a school's roster: from a file to checked rows, and back to the school with the reasons.

    table = read_roster(path, filename)               # RosterUnreadable when it is no roster
    for checked in check_rows(table, context): ...    # data errors refuse a row, doubts travel along
    error_workbook(table, refused, path)              # the same sheet with a column 错误原因

Nothing here touches the database; what it knows of a row comes in through `RosterContext.known`.
"""

from approvals.applications.rosters.checking import (
    CheckedRow,
    ProgrammeChoice,
    RosterContext,
    RosterRow,
    check_rows,
    missing_columns,
)
from approvals.applications.rosters.columns import COLUMNS, REQUIRED, ColumnMatch
from approvals.applications.rosters.problems import (
    ERROR,
    WARNING,
    Note,
    Problem,
    RosterUnreadable,
    Skipped,
    root_cause,
)
from approvals.applications.rosters.reading import TEMPLATE_VERSION, RawRow, Table, read_roster
from approvals.applications.rosters.sheets import MAX_BYTES, MAX_ROWS
from approvals.applications.rosters.workbook import blank_template, error_workbook

__all__ = [
    "COLUMNS",
    "ERROR",
    "MAX_BYTES",
    "MAX_ROWS",
    "REQUIRED",
    "TEMPLATE_VERSION",
    "WARNING",
    "CheckedRow",
    "ColumnMatch",
    "Note",
    "Problem",
    "ProgrammeChoice",
    "RawRow",
    "RosterContext",
    "RosterRow",
    "RosterUnreadable",
    "Skipped",
    "Table",
    "blank_template",
    "check_rows",
    "error_workbook",
    "missing_columns",
    "read_roster",
    "root_cause",
]
