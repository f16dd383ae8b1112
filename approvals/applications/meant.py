"""What a roster seems to be for, where nearly all of its rows name another programme or term than was chosen for it."""

from collections import Counter
from typing import Any

from approvals.applications.queries import roster_targets
from approvals.applications.rosters import CheckedRow, RawRow
from approvals.applications.rosters.checking import bare, shown
from approvals.applications.rosters.sheets import CellFault, cell_text
from approvals.organisations.models import Organisation
from approvals.programmes.models import ProgrammeVersion
from approvals.programmes.terms import UnknownTerm, parse_term
from workflows.clock import today

NEARLY_ALL = 0.9
MISMATCH = ("programme_mismatch", "term_mismatch")
"""Problems that a whole list has, rather than a row."""


def meant(
    school: Organisation, chosen: tuple[str, str], raw: list[RawRow], checked: list[CheckedRow]
) -> dict[str, Any] | None:
    """{"rows", "found", "term", "target"}; None unless nearly all rows are for something else than was chosen.

    `found` is what the rows call the programme, `term` the code of theirs, `target` "code term" of what the school
    can choose instead, or "" where there is nothing of that kind.
    """
    wrong = [
        row
        for row, one in zip(raw, checked, strict=True)
        if any(problem.code in MISMATCH and problem.column in ("资助项目", "学期") for problem in one.problems)
    ]
    if not wrong or len(wrong) < NEARLY_ALL * len(raw):
        return None
    written = Counter((_text(row, "资助项目"), _text(row, "学期")) for row in wrong)
    (found, term_text), _count = written.most_common(1)[0]
    term = _term(term_text) or chosen[1]
    target = next(
        (
            f"{code} {open_term}"
            for (code, open_term), versions in roster_targets([school], today()).items()
            if open_term == term and (code, open_term) != chosen and _is_for(found, chosen[0], code, versions)
        ),
        "",
    )
    return {"rows": len(wrong), "found": shown(found), "term": term, "target": target}


def _text(row: RawRow, column: str) -> str:
    cell = row.get(column)
    return "" if isinstance(cell, CellFault) else cell_text(cell)


def _term(text: str) -> str:
    try:
        return parse_term(text) if text else ""
    except UnknownTerm:
        return ""


def _is_for(found: str, chosen: str, code: str, versions: list[ProgrammeVersion]) -> bool:
    """Whether the word means one of the versions; no word means what was chosen."""
    if not found:
        return code == chosen
    names = {code}
    for version in versions:
        rules = version.rules
        names.update([rules.code, rules.project, rules.name, rules.group_name, *rules.also_written])
    return bare(found) in {bare(name) for name in names}


def is_mismatch(problem: dict[str, Any]) -> bool:
    """Whether a row's first problem is only that the list was uploaded for something else."""
    return problem["code"] in MISMATCH and problem["column"] in ("资助项目", "学期")
