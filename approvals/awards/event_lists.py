"""A school's list of changes of enrolment, read as rosters are: every refused cell with a sentence."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.applications.rosters import Problem, read_roster
from approvals.applications.rosters.reading import Layout
from approvals.applications.sources.base import Kind
from approvals.applications.sources.lists import Column, RowReader, layout_of
from approvals.awards.actions.events import Change, pupils_with
from approvals.awards.actions.proposing import NOWHERE, Goal
from approvals.organisations.models import Organisation
from approvals.organisations.queries import county, school_by_code, schools_under
from approvals.people.models import Student
from workflows.clock import today

WORDS = {
    "休学": "leave", "复学": "return", "转学": "transfer", "转出": "transfer", "退学": "dropout", "辍学": "dropout",
    "退学/辍学": "dropout", "死亡": "death", "毕业": "graduation",
}  # fmt: skip
"""What an event is called on a list."""
NUMBER, EVENT, DAY, GOAL, REMARK = "身份证号", "异动类型", "异动日期", "转入学校", "备注"
ROWS = 20_000
SENTENCES: dict[str, Promise] = {
    "pupil_unknown": _("No pupil has this ID number. Check the number."),
    "pupil_elsewhere": _("This pupil is not at this school."),
    "day_missing": _("The day of the change must stand here in full, like 2026-09-15."),
    "goal_missing": _("For a change of school, write the new school."),
    "goal_same": _("This is the present school."),
}


class _Changes(Kind):
    code = "enrolment_events"
    title = _("Changes of enrolment")
    columns = (
        Column("姓名", "学生姓名", example="示例甲"),
        Column(NUMBER, "身份证件号 身份证号码", required=True, example="130499201203050010"),
        Column(EVENT, "异动类别 异动 变动类型 学籍异动", required=True, example="休学"),
        Column(DAY, "日期 变动日期 发生日期", required=True, example="2026-09-15"),
        Column(GOAL, "转入学校名称 去向 新学校", example=""),
        Column(REMARK, "说明 异动原因 原因", example=""),
    )


COLUMNS = _Changes.columns


def _layout() -> Layout:
    return layout_of(_Changes())


Cells = tuple[int, bytes, str, str, str, str, list[Problem]]
"""Row, pupil, event, day, new school, remark, what is wrong."""


@dataclass
class EventReading:
    """A list as it was understood: the changes to record, and the refused rows with their reasons."""

    changes: list[Change] = field(default_factory=list)
    refused: list[tuple[int, list[Problem]]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.changes) + len(self.refused)

    @property
    def counts(self) -> dict[str, int]:
        """{event: how many}."""
        return dict(Counter(change.kind for change in self.changes).most_common())


def read_events(content: bytes, filename: str, school: Organisation) -> EventReading:
    """Reads a list for a school's pupils. Raises RosterUnreadable when the file is no such list."""
    table = read_roster(content, filename, layout=_layout())
    reader = RowReader(today(), None)
    cells: list[Cells] = []
    for raw in table.rows[:ROWS]:
        reader.turn_to(raw)
        number = reader.person(NUMBER)
        kind = reader.category(EVENT, WORDS)
        day = reader.day(DAY)
        if (len(day) != len("2026-09-15")) and all(problem.column != DAY for problem in reader.problems):
            _refuse(reader, DAY, "day_missing")
        goal, remark = reader.text(GOAL, 80), reader.text(REMARK, 300)
        cells.append((raw.row, number, kind, day, goal, remark, reader.problems))
    return _judged(cells, school)


def _refuse(reader: RowReader, column: str, code: str) -> None:
    reader.problems.append(Problem(column, code, sentence=SENTENCES[code]))


def _judged(cells: list[Cells], school: Organisation) -> EventReading:
    """Judges rows by what the register knows of their pupils; two statements, and one for each other school named."""
    known = pupils_with({number for _, number, *_ in cells if number})
    schools = {each.name: each for each in schools_under([county().path], today())}
    reading = EventReading()
    for row, number, kind, day, goal, remark, problems in cells:
        student = known.get(number)
        problems = [*problems, *_of_pupil(number, student, school)]
        where = NOWHERE
        if kind == "transfer":
            where = _goal(goal, schools)
            problems += _of_goal(where, school)
        if problems or student is None:
            reading.refused.append((row, problems))
        else:
            reading.changes.append(Change(student, kind, date.fromisoformat(day), remark, where))
    return reading


def _of_pupil(number: bytes, student: Student | None, school: Organisation) -> Iterator[Problem]:
    if number and student is None:
        yield Problem(NUMBER, "pupil_unknown", sentence=SENTENCES["pupil_unknown"])
    elif student is not None and student.school_id != school.pk:
        yield Problem(NUMBER, "pupil_elsewhere", sentence=SENTENCES["pupil_elsewhere"])


def _goal(text: str, schools: dict[str, Organisation]) -> Goal:
    """A school of the county by its name or code; else what was written."""
    found = schools.get(text) or (school_by_code(text, today()) if text.isdecimal() else None)
    return Goal(found) if found else Goal(None, text)


def _of_goal(goal: Goal, school: Organisation) -> Iterator[Problem]:
    if goal.school is None and len(goal.place) < 2:
        yield Problem(GOAL, "goal_missing", sentence=SENTENCES["goal_missing"])
    elif goal.school is not None and goal.school.pk == school.pk:
        yield Problem(GOAL, "goal_same", sentence=SENTENCES["goal_same"])
