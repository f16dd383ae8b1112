"""Rosters to try out: a list of a school's demo pupils for a programme, right in every cell or with typical errors."""

import io
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from django.utils import translation

from approvals.applications.rosters.columns import COLUMNS
from approvals.organisations.models import Organisation
from approvals.people import registers
from approvals.people.crypto import blind_index
from approvals.people.identity import birth_date_of
from approvals.people.models import Student
from approvals.people.special_groups import SPECIAL_GROUPS, WORDS
from approvals.programmes import queries as programmes
from approvals.programmes.models import ProgrammeVersion, Rate
from approvals.programmes.terms import Term
from project.demo_people import Numbers

BANK = "鸡泽县农村信用联社"
CARDS = "621999"  # a range that no bank issues
LEVELS = ("一般困难", "困难", "特别困难")
GROUPS = dict(zip(SPECIAL_GROUPS, WORDS, strict=True))
UNLISTED = ("", "", "disabled_student", "orphan")
"""What families state who are not on the register of poor households."""
TEXT_COLUMNS = ("学校标识码", "身份证号", "学籍号", "监护人身份证号", "联系电话", "银行账号")
EVERYBODY = 1_000_000
TIERS = ("tier_1", "tier_2", "tier_1", "tier_2", "tier_3")
"""In turn, so that the average of a list stays above the programme's."""

Row = dict[str, Any]


class NoRoster(Exception):
    """There is nothing to write: no such programme here, no rate in this term, or no pupils."""


@dataclass(frozen=True)
class Wanted:
    """What a roster is for."""

    school: Organisation
    versions: list[ProgrammeVersion]
    term: Term


def default_programme(school: Organisation) -> str:
    """The programme, or group, that most pupils of a school apply for."""
    grants = {"senior": "senior_state_grant", "voc": "voc_state_grant"}
    return next((grants[stage] for stage in school.stages if stage in grants), "living_subsidy")


def roster(school: Organisation, programme: str, term: str, rows: int, with_errors: bool = False) -> bytes:
    """An xlsx of `rows` pupils of a school for a programme or exclusive group, the same every time. Raises NoRoster.

    Those on the register of poor households come first. `with_errors`: some rows bear the errors that schools
    make, so that a newcomer sees how each is told.
    """
    wanted = Wanted(school, programmes.current(programme), Term.of(term))
    if not wanted.versions:
        raise NoRoster(f"There is no programme {programme}.")
    with translation.override("zh-hans"):
        lines = _lines(wanted, rows)
        if not lines:
            raise NoRoster(f"No pupil of {school} can apply for {programme} in {term}.")
        if with_errors:
            _spoil(lines)
            lines.append(_newcomer(lines[0], len(lines) + 1))
        return _workbook(wanted, lines)


def stated(school: Organisation, programme: str, term: str, group: str) -> set[str]:
    """The ID numbers of the pupils of whom such a roster, however long, would state a special group."""
    wanted = Wanted(school, programmes.current(programme), Term.of(term))
    with translation.override("zh-hans"):
        lines = _lines(wanted, EVERYBODY) if wanted.versions else []
    return {line["身份证号"] for line in lines if line["特殊群体类型"] == GROUPS[group]}


# ---------------------------------------------------------------- rows


def _lines(wanted: Wanted, count: int) -> list[Row]:
    pupils = list(
        Student.objects.filter(school=wanted.school, verified=True).prefetch_related("guardians").order_by("id_hash")
    )
    listed = registers.match(bytes(pupil.id_hash) for pupil in pupils)
    pupils.sort(key=lambda pupil: bytes(pupil.id_hash) not in listed)
    amounts = {
        (version.pk, stage): programmes.amounts_for(version, wanted.term.code, stage)
        for version in wanted.versions
        for stage in version.rules.stages
    }
    lines: list[Row] = []
    for pupil in pupils:
        if len(lines) == count:
            break
        version = _version_for(wanted, pupil)
        rates = amounts.get((version.pk, pupil.stage), {}) if version else {}
        if version is None or (version.rules.rates and not rates):
            continue
        entry = listed.get(bytes(pupil.id_hash))
        group = entry.category if entry else UNLISTED[len(lines) % len(UNLISTED)]
        lines.append(_line(wanted, version, pupil, group, _rate(rates, len(lines)), len(lines) + 1))
    lines.sort(key=lambda line: (line["年级"], line["班级"], line["姓名"]))
    for number, line in enumerate(lines, 1):
        line["序号"] = number
    return lines


def _version_for(wanted: Wanted, pupil: Student) -> ProgrammeVersion | None:
    for version in wanted.versions:
        rules = version.rules
        here = not rules.schools or wanted.school.code in rules.schools
        if here and pupil.stage in rules.stages and rules.boarder in (None, pupil.boarder):
            return version
    return None


def _rate(rates: dict[str, Rate], number: int) -> Rate | None:
    tier = TIERS[number % len(TIERS)]
    return rates.get(tier) or next(iter(rates.values()), None)


def _line(wanted: Wanted, version: ProgrammeVersion, pupil: Student, group: str, rate: Rate | None, number: int) -> Row:
    guardian = next(iter(pupil.guardians.all()), None)
    needs = version.rules.needs
    return {
        "序号": number,
        "学校": wanted.school.name,
        "学校标识码": wanted.school.code,
        "年级": pupil.grade,
        "班级": pupil.class_name,
        "姓名": pupil.name,
        "性别": "男" if pupil.sex == "M" else "女",
        "身份证号": pupil.id_number,
        "学籍号": pupil.enrolment_no,
        "是否寄宿": "是" if pupil.boarder else "否",
        "特殊群体类型": GROUPS.get(group, ""),
        "困难等级": LEVELS[2 if rate and rate.tier == "tier_1" else number % 2],
        "资助项目": version.rules.project,
        "学期": wanted.term.name(),
        "金额": f"{rate.amount:.2f}" if rate else "",
        "监护人姓名": guardian.name if guardian else "",
        "监护人身份证号": guardian.id_number if guardian else "",
        "联系电话": guardian.phone if guardian else "",
        "开户行": BANK if "account" in needs else "",
        "银行账号": card_of(pupil.id_number) if "account" in needs else "",
        "户名": pupil.name if "account" in needs else "",
        "备注": "",
    }


def card_of(id_number: str) -> str:
    """The card that a pupil of the demo is paid to: always the same, with its Luhn digit."""
    stem = f"{CARDS}{random.Random(id_number).randrange(10**12):012d}"  # noqa: S311  not a secret
    digits = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(stem))]
    return stem + str(-sum(digit // 10 + digit % 10 for digit in digits) % 10)


# ---------------------------------------------------------------- errors


def _last_digit_mistyped(line: Row) -> None:
    line["身份证号"] = line["身份证号"][:-1] + ("1" if line["身份证号"][-1] != "1" else "2")


def _card_as_number(line: Row) -> None:
    line["银行账号"] = float(line["银行账号"] or card_of(line["身份证号"]))


def _other_amount(line: Row) -> None:
    line["金额"] = "999.00"


def _other_sex(line: Row) -> None:
    line["性别"] = "女" if line["性别"] == "男" else "男"


def _name_missing(line: Row) -> None:
    line["姓名"] = ""


def _other_school(line: Row) -> None:
    line["学校标识码"] = "2113049902" if line["学校标识码"] != "2113049902" else "2113049901"


ERRORS: list[Callable[[Row], None]] = [
    _last_digit_mistyped, _card_as_number, _other_amount, _other_sex, _name_missing, _other_school,
]  # fmt: skip
"""What schools get wrong (DOMAIN.md §4.5), each put into one row; the last row repeats the first pupil."""


def _spoil(lines: list[Row]) -> None:
    step = max(1, (len(lines) - 1) // (len(ERRORS) + 1))
    for error, line in zip(ERRORS, lines[step::step], strict=False):
        error(line)
    untouched = [line for number, line in enumerate(lines) if number % step]
    _claim_unlisted(untouched)
    if len(lines) > 1:
        lines.append(lines[0] | {"序号": len(lines) + 1})


def _claim_unlisted(lines: list[Row]) -> None:
    """A family that says it is on subsistence allowance and is on no register: no error, but a hit of the match."""
    unlisted = next((line for line in reversed(lines) if not line["特殊群体类型"]), None)
    if unlisted is not None:
        unlisted["特殊群体类型"] = GROUPS["dibao"]


def _newcomer(like: Row, number: int) -> Row:
    """A pupil whom the enrolment register does not know yet: added with the roster and marked unverified."""
    numbers, born, sex = Numbers(), birth_date_of(like["身份证号"]), "F" if like["性别"] == "女" else "M"
    id_number = numbers.next(born, sex)
    while Student.objects.filter(id_hash=blind_index(id_number), verified=True).exists():
        id_number = numbers.next(born, sex)
    return like | {
        "序号": number, "姓名": "转小禾", "身份证号": id_number, "学籍号": "G" + id_number, "户名": "转小禾",
        "银行账号": card_of(id_number) if like["银行账号"] else "", "特殊群体类型": "", "备注": "转入",
    }  # fmt: skip


# ---------------------------------------------------------------- the workbook


def _workbook(wanted: Wanted, lines: Iterable[Row]) -> bytes:
    """As schools send it: a title above the headings, totals and signatures below the rows."""
    lines = list(lines)
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("名单")
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "border": 1})
        title = f"{wanted.school.name}{wanted.term.name()}{lines[0]['资助项目']}名单"
        sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, title, book.add_format({"bold": True, "align": "center"}))
        sheet.write_row(1, 0, COLUMNS, bold)
        for number, line in enumerate(lines, 2):
            for at, column in enumerate(COLUMNS):
                value = line[column]
                if isinstance(value, str):
                    sheet.write_string(number, at, value, text if column in TEXT_COLUMNS else None)
                else:
                    sheet.write_number(number, at, value)
        below = len(lines) + 2
        sheet.write_string(below, 0, "合计")
        sheet.write_string(below, COLUMNS.index("姓名"), f"{len(lines)}人")
        sheet.write_string(below + 1, 0, "制表人：        单位负责人（签字）：        （盖章）")
        sheet.set_column(0, len(COLUMNS) - 1, 13)
        for column in TEXT_COLUMNS:
            sheet.set_column(COLUMNS.index(column), COLUMNS.index(column), 21)
    return out.getvalue()
