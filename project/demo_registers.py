"""The demo's lists of other offices: made-up people, taken over by the door that people use, so that hits are seen.

Most lines bear out what the demo's families state; a few say something else about those who applied in autumn. Pupils
of the schools of the walk are on no list that would hold them up.
"""

import io
from collections.abc import Iterator
from datetime import date

import xlsxwriter
from django.utils import translation

from approvals.applications.actions.match_runs import ask, finish
from approvals.applications.actions.registers import load_now
from approvals.applications.models import Application
from approvals.applications.sources.registry import kind_of
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Kind, Organisation, User
from approvals.people import registers
from approvals.people.models import Student
from project.demo_history import AUTUMN, ON_NOTICE, SUBMITTED
from project.demo_people import Numbers
from project.demo_rosters import default_programme, stated

OFFICER = "match1"
AS_OF = date(2026, 8, 31)
OTHERS = 5
"""Lines of each list about people who apply for nothing."""

Line = dict[str, str]


def load_lists() -> int:
    """Loads a list of each kind and matches the autumn term; returns how many lists."""
    by = UserActor(User.objects.get(username=OFFICER))
    with translation.override("zh-hans"):
        lists = _lists(_applied(SUBMITTED), _applied(ON_NOTICE))
        for kind, (origin, lines) in lists.items():
            load_now(_workbook(kind, lines), f"{origin}名册.xlsx", kind, f"{origin}（演示数据）", AS_OF, by)
        run, _made = ask(AUTUMN, by)
        finish(run)
    return len(lists)


def _lists(submitted: list[Application], noticed: list[Application]) -> dict[str, tuple[str, list[Line]]]:
    """Each kind's issuing office and lines. A county too small for a story has none."""
    if len(submitted) < 6 or len(noticed) < 3:
        return {}
    stranger, poor = _strangers(), _listed_poor()
    strangers = [{"姓名": f"示例{n}", "身份证号": number} for n, number in enumerate(stranger, 1)]
    unstated = next((each for each in submitted if not each.special_groups), submitted[0])
    claimed = [_number(each) for each in [*submitted, *noticed] if "disabled_student" in each.special_groups]
    disabled = sorted(_stated("disabled_student") - set(claimed[:1]))
    guardian = next(iter(submitted[1].student.guardians.all()), None)
    return {
        registers.LOW_INCOME: (
            "县民政局",
            [*strangers, *(_line(pupil) | {"救助类别": "农村低保"} for pupil in [*poor, unstated.student])],
        ),
        registers.DISABLED: (
            "县残联",
            [*strangers, *({"身份证号": number, "残疾类别": "听力", "残疾等级": "二级"} for number in disabled)],
        ),
        registers.DECEASED: (
            "县公安局",
            [
                *(line | {"死亡日期": "2026-07-15"} for line in strangers),
                _line(submitted[-1].student) | {"死亡日期": "2026-08-02"},
                *([{"姓名": guardian.name, "身份证号": str(guardian.id_number)}] if guardian else []),
            ],
        ),
        registers.DUAL_ENROLMENT: (
            "市教育局",
            [
                *(line | {"学校": "邻县示例小学"} for line in strangers),
                _line(noticed[-1].student) | {"学校": "邻县示例第二小学"},
                _line(submitted[2].student) | {"学校": "邻县示例初级中学"},
            ],
        ),
        registers.OTHER_AID: (
            "邻县学生资助管理中心",
            [
                *(line | {"资助项目": "爱心助学款"} for line in strangers),
                _line(submitted[3].student)
                | {"资助项目": "义教生活补助", "发放单位": "邻县学生资助管理中心", "学期": AUTUMN},
                _line(noticed[-2].student) | {"资助项目": "爱心助学款", "发放单位": "示例慈善总会"},
            ],
        ),
        registers.ACCOUNT_HOLDER: (
            "县农村信用联社",
            [
                {"银行账号": str(each.account_no), "户名": "赵示例" if each == submitted[4] else each.student.name}
                for each in [*submitted, *noticed]
                if each.account_no
            ],
        ),
    }


def _applied(school: str) -> list[Application]:
    found = Application.objects.filter(school__code=school, term=AUTUMN).select_related("student").order_by("case_id")
    return list(found.prefetch_related("student__guardians"))


def _listed_poor() -> list[Student]:
    """Thirty pupils whose household the register of poor households has on subsistence allowance."""
    pupils = list(Student.objects.order_by("id_hash")[:1000])
    entries = registers.match(bytes(pupil.id_hash) for pupil in pupils)
    listed = [pupil for pupil in pupils if (entry := entries.get(bytes(pupil.id_hash))) and entry.category == "dibao"]
    return listed[:30]


def _stated(group: str) -> set[str]:
    """The ID numbers of all pupils of whom a roster of the demo states a group."""
    found: set[str] = set()
    for school in Organisation.objects.filter(kind=Kind.SCHOOL, valid_to=None):
        found |= stated(school, default_programme(school), AUTUMN, group)
    return found


def _strangers() -> list[str]:
    """ID numbers of people whom nobody has made up before."""
    numbers = Numbers()
    return [numbers.next(date(1931, 5, 4), "F") for _ in range(OTHERS)]


def _number(application: Application) -> str:
    return str(application.student.id_number)


def _line(pupil: Student) -> Line:
    return {"姓名": pupil.name, "身份证号": str(pupil.id_number)}


def _workbook(kind: str, lines: list[Line]) -> bytes:
    """As offices send it: a title above the headings, a total below the rows."""
    chosen = kind_of(kind)
    assert chosen is not None
    headings = [column.heading for column in chosen.columns]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, text = book.add_worksheet("名册"), book.add_format({"num_format": "@"})
        sheet.merge_range(0, 0, 0, len(headings), str(chosen.title))
        sheet.write_row(1, 0, ["序号", *headings])
        for row, line in enumerate(lines, 2):
            sheet.write_number(row, 0, row - 1)
            for place, cell in enumerate(_cells(headings, line), 1):
                sheet.write_string(row, place, cell, text)
        sheet.write_string(len(lines) + 2, 0, "合计")
    return out.getvalue()


def _cells(headings: list[str], line: Line) -> Iterator[str]:
    return (line.get(heading, "") for heading in headings)
