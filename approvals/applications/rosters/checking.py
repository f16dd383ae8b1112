"""Judging a roster row by row: data errors refuse a row, doubts are shown and travel along (DOMAIN.md §4.3, §4.5).

Whether a pupil is eligible is not judged here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import translation

from approvals.applications.rosters.problems import (
    BOARDS,
    ERROR,
    SEXES,
    WARNING,
    Problem,
    RosterUnreadable,
)
from approvals.applications.rosters.reading import RawRow, Table
from approvals.applications.rosters.sheets import Cell, CellFault, cell_text
from approvals.applications.rosters.values import (
    STAGE_OF_SCHOOL_TYPE,
    Grade,
    number_text,
    parse_account_kind,
    parse_amount,
    parse_boarder,
    parse_class,
    parse_date,
    parse_grade,
    parse_level,
    parse_sex,
)
from approvals.people.accounts import BANK_CARD, account_doubt, account_problem, normalise_account
from approvals.people.identity import (
    age_on,
    birth_date_of,
    enrolment_fits_id,
    enrolment_problem,
    id_problem,
    mask_text,
    name_problem,
    normalise_enrolment_no,
    normalise_id,
    normalise_name,
    normalise_phone,
    phone_problem,
    plain_text,
    sex_of,
)
from approvals.people.special_groups import parse_special_groups
from approvals.programmes.terms import Term, UnknownTerm, parse_term

MAX_SHARING = 2
"""Most pupils without a common guardian that one account may be paid for (DOMAIN.md §4.3)."""
ACCOUNT = ("账户类型", "银行账号", "开户行", "户名")
LENGTHS = {"年级": 20, "班级": 20, "开户行": 60, "备注": 500}

Amounts = Mapping[str, Collection[Decimal]] | Callable[[str | None, str | None], Collection[Decimal]]


@dataclass(frozen=True)
class ProgrammeChoice:
    """A programme that a row of this roster may be for.

    `names` are the texts that 资助项目 may hold for it, its group's name among them. `boarder`: it is for boarders
    (True), for day pupils (False), for both (None). `amounts` gives the yuan per term that are right: by stage, or by
    asking it with (stage, level); None where nobody checks them. Where just one is right, a row may leave it out.
    """

    code: str
    names: Collection[str]
    boarder: bool | None = None
    stages: Collection[str] = ()
    amounts: Amounts | None = None
    needs_account: bool = True
    needs_level: bool = False
    needs_amount: bool = False

    def rates(self, stage: str | None, level: str | None) -> frozenset[Decimal] | None:
        """Amounts that are right; for a stage that is not known, those of any stage. None: nobody checks."""
        if self.amounts is None:
            return None
        if callable(self.amounts):
            stages = [stage] if stage else [None, *self.stages]
            return frozenset(amount for one in stages for amount in self.amounts(one, level))
        if stage is None:
            return frozenset(amount for amounts in self.amounts.values() for amount in amounts)
        return frozenset(self.amounts.get(stage, self.amounts.get("", ())))


@dataclass(frozen=True)
class RosterContext:
    """What the roster is uploaded for. `known` may add problems that the database knows of a row."""

    school_code: str
    school_name: str
    term: str
    programmes: Sequence[ProgrammeChoice]
    today: date
    known: Callable[["RosterRow"], Iterable[Problem]] | None = None
    school_stages: Collection[str] = ()
    other_school_names: Collection[str] = ()

    @property
    def only_stage(self) -> str | None:
        """The school's stage, where it has one; by its code where its stages are not given."""
        if self.school_stages:
            return next(iter(self.school_stages)) if len(self.school_stages) == 1 else None
        return STAGE_OF_SCHOOL_TYPE.get(self.school_code[:2])


@dataclass(slots=True)
class RosterRow:
    """A pupil's row as values; numbers are normalised, amounts are yuan per term."""

    name: str
    sex: str
    birth_date: date
    id_number: str
    enrolment_no: str
    grade: str
    class_name: str
    stage: str | None
    boarder: bool | None
    special_groups: tuple[str, ...]
    level: str | None
    programme_code: str
    term: str
    amount: Decimal | None
    guardian_name: str
    guardian_id: str
    phone: str
    bank: str
    account_no: str
    account_kind: str
    holder_name: str
    remark: str


@dataclass(slots=True)
class CheckedRow:
    """A row after checking: `values` is None when an error refuses it."""

    row: int
    values: RosterRow | None
    problems: list[Problem]

    @property
    def refused(self) -> bool:
        return self.values is None


def missing_columns(table: Table, context: RosterContext) -> list[str]:
    """Columns that these programmes cannot do without and that the list lacks."""
    choices = context.programmes
    needed = []
    if len({choice.boarder for choice in choices}) > 1:
        needed.append("是否寄宿")
    if all(choice.needs_level for choice in choices):
        needed.append("困难等级")
    if all(choice.needs_account for choice in choices):
        needed.append("银行账号")
    return [column for column in needed if column not in table.columns]


def check_rows(table: Table, context: RosterContext, lang: str | None = None) -> Iterator[CheckedRow]:
    """Judges every row, in the order of the sheet; sentences are in `lang`, or else in the present language.

    Raises RosterUnreadable when a column is missing that the programmes need.
    """
    if absent := missing_columns(table, context):
        raise RosterUnreadable("missing_columns", columns="、".join(absent))
    checker = _Checker(table, context, lang)
    return map(checker.check, table.rows)


def bare_school_name(text: str) -> str:
    """School names are compared without spaces, brackets and the names of province, city and county."""
    return re.sub(r"^(河北省)?(邯郸市)?(鸡泽县)?|[\s()（）]", "", plain_text(text))


def bare(text: str) -> str:
    """A name or code as it is compared: without spaces, brackets and capitals."""
    return re.sub(r"[\s()（）]", "", plain_text(text)).lower()


def shown(text: str) -> str:
    """A cell's text as a sentence quotes it: short, and without anybody's numbers."""
    return mask_text(text if len(text) <= 30 else text[:29] + "…")


class _Checker:
    """Checks row after row; keeps what rows are compared by, and the readings of words that come again and again."""

    def __init__(self, table: Table, context: RosterContext, lang: str | None) -> None:
        self.context = context
        self.lang = lang
        self.columns = table.columns
        self.stage = context.only_stage
        self.into_accounts = any(choice.needs_account for choice in context.programmes)
        self.schools = {bare_school_name(name) for name in (context.school_name, *context.other_school_names)}
        self.names = [(choice, {bare(name) for name in (choice.code, *choice.names)}) for choice in context.programmes]
        self.readings: dict[tuple[Any, ...], Any] = {}
        self.rates: dict[tuple[str, str | None, str | None], frozenset[Decimal] | None] = {}
        self.pupils: dict[str, int] = {}
        self.accounts: dict[str, list[tuple[int, str]]] = {}
        self.raw: RawRow
        self.problems: list[Problem]

    # ------------------------------------------------------------ one row

    def check(self, raw: RawRow) -> CheckedRow:
        self.raw = raw
        self.problems = []
        self._faults()
        name = self._name("姓名")
        id_number = self._id_number(name)
        self._school()
        grade, class_name = self._grade_and_class()
        boarder = self._reading("是否寄宿", parse_boarder, "boarder_unknown")
        choice = self._programme(boarder)
        term = self._term()
        level = self._level(choice)
        guardian_name, guardian_id = self._guardian(id_number)
        account_no, kind = self._account(choice, guardian_id)
        values = RosterRow(
            name=name,
            sex=self._sex(id_number),
            birth_date=self._birth_date(id_number),
            id_number=id_number,
            enrolment_no=self._enrolment_no(id_number),
            grade=grade.name,
            class_name=class_name,
            stage=grade.stage,
            boarder=boarder if boarder is not None or choice is None else choice.boarder,
            special_groups=self._groups(),
            level=level,
            programme_code=choice.code if choice else "",
            term=term,
            amount=self._amount(choice, grade.stage, level),
            guardian_name=guardian_name,
            guardian_id=guardian_id,
            phone=self._phone(),
            bank=self._bank(choice),
            account_no=account_no,
            account_kind=kind,
            holder_name=self._holder(choice, name, guardian_name, account_no),
            remark=self._text("备注"),
        )
        if not self._refused and self.context.known:
            for problem in self.context.known(values):
                problem.lang = problem.lang or self.lang
                self.problems.append(problem)
        return CheckedRow(raw.row, None if self._refused else values, self.problems)

    # ------------------------------------------------------------ telling and reading

    @property
    def _refused(self) -> bool:
        return bool(self.problems) and any(problem.severity == ERROR for problem in self.problems)

    def _refuse(self, column: str, code: str, /, **params: Any) -> None:
        self.problems.append(Problem(column, code, ERROR, params, self.lang))

    def _warn(self, column: str, code: str, /, **params: Any) -> None:
        self.problems.append(Problem(column, code, WARNING, params, self.lang))

    def _spoilt(self, column: str) -> bool:
        """Whether the column's cell was already refused as a fault."""
        return bool(self.problems) and any(problem.column == column for problem in self.problems)

    def _faults(self) -> None:
        """Cells that show an error, or hold a formula that nobody calculated."""
        if CellFault not in map(type, self.raw.values):
            return
        for column, cell in zip(self.columns, self.raw.values, strict=True):
            if isinstance(cell, CellFault) and column != "序号":
                tell = self._refuse if self._matters(column) else self._warn
                tell(column, cell.code, text=cell.text)

    def _matters(self, column: str) -> bool:
        """Whether a wrong cell refuses its row: not a remark, nor an account that nothing is paid into."""
        return column != "备注" and (self.into_accounts or column not in ACCOUNT)

    def _text(self, column: str) -> str:
        text = cell_text(self.raw.get(column))
        limit = LENGTHS.get(column, 0)
        if limit and len(text) > limit:
            self._refuse(column, "too_long", limit=limit)
        return text

    def _reading(self, column: str, parse: Callable[[Any], Any], code: str) -> Any:
        """What `parse` makes of a cell, remembered for the next row with the same; refused with `code` if nothing."""
        cell = self.raw.get(column)
        if cell is None or isinstance(cell, CellFault):
            return None
        key = (column, type(cell), cell)
        if key not in self.readings:
            try:
                self.readings[key] = (parse(cell_text(cell)), True)
            except ValueError:
                self.readings[key] = (None, False)
        value, understood = self.readings[key]
        if not understood:
            tell = self._refuse if self._matters(column) else self._warn
            tell(column, code, text=shown(cell_text(cell)))
        return value

    def _number(self, column: str, normalise: Callable[[str], str], needed: bool = True) -> str:
        """A long number: blank where Excel cut its tail off, which refuses the row if the number is `needed`."""
        text, code = number_text(self.raw.get(column))
        if code == "number_form":
            (self._refuse if needed else self._warn)(column, code, column=column)
        return "" if code else normalise(text)

    # ------------------------------------------------------------ who

    def _name(self, column: str) -> str:
        name = normalise_name(cell_text(self.raw.get(column)))
        if not self._spoilt(column) and (code := name_problem(name)):
            self._refuse(column, code)
        return name

    def _id_number(self, name: str) -> str:
        """The pupil's ID; the second row of a pupil is refused and names the first."""
        number = self._number("身份证号", normalise_id)
        if self._spoilt("身份证号"):
            return ""
        if code := id_problem(number, self.context.today):
            self._refuse("身份证号", code)
            return ""
        first = self.pupils.setdefault(number, self.raw.row)
        if first != self.raw.row:
            self._refuse("身份证号", "duplicate", row=first)
        return number

    def _sex(self, id_number: str) -> str:
        sex = self._reading("性别", parse_sex, "sex_unknown")
        if not id_number:
            return sex or ""
        expected = sex_of(id_number)
        if sex and sex != expected:
            self._refuse("性别", "sex_against_id", expected=SEXES[expected])
        return expected

    def _birth_date(self, id_number: str) -> date:
        """From the ID; a column with birth dates must agree."""
        cell = self.raw.get("出生日期")
        try:
            written = None if isinstance(cell, CellFault) else parse_date(cell)
        except ValueError:
            self._refuse("出生日期", "birth_date_unknown", text=shown(cell_text(cell)))
            written = None
        if not id_number:
            return self.context.today
        born = birth_date_of(id_number)
        if written and not written.says(born):
            self._refuse("出生日期", "birth_date_against_id")
        return born

    def _enrolment_no(self, id_number: str) -> str:
        number = self._number("学籍号", normalise_enrolment_no)
        if code := enrolment_problem(number):
            self._refuse("学籍号", code)
        elif number and id_number and not enrolment_fits_id(number, id_number):
            self._warn("学籍号", "enrolment_against_id")
        return number

    def _groups(self) -> tuple[str, ...]:
        codes, unknown = self._reading("特殊群体类型", parse_special_groups, "group_unknown") or ((), [])
        for word in unknown:
            self._refuse("特殊群体类型", "group_unknown", text=shown(word))
        return codes

    def _guardian(self, id_number: str) -> tuple[str, str]:
        """Name and ID of the guardian; both may be blank."""
        cell = self.raw.get("监护人姓名")
        name = self._name("监护人姓名") if cell_text(cell) else ""
        number = self._number("监护人身份证号", normalise_id)
        minor = bool(id_number) and age_on(birth_date_of(id_number), self.context.today) < 18
        if not name and minor and not self._spoilt("监护人姓名"):
            self._warn("监护人姓名", "guardian_missing")
        if not number:
            return name, ""
        if code := id_problem(number, self.context.today):
            self._refuse("监护人身份证号", code)
            return name, ""
        if number == id_number and minor:
            self._refuse("监护人身份证号", "guardian_is_pupil")
        elif age_on(birth_date_of(number), self.context.today) < 18:
            self._warn("监护人身份证号", "guardian_under_18")
        return name, number

    def _phone(self) -> str:
        phone = self._number("联系电话", normalise_phone)
        if code := phone_problem(phone):
            self._refuse("联系电话", code)
        return phone

    # ------------------------------------------------------------ where

    def _school(self) -> None:
        """The row is of the school that the list is uploaded for: by its code, and by its name."""
        code = bare(number_text(self.raw.get("学校标识码"))[0])
        if code and code != self.context.school_code.lower():
            self._refuse("学校标识码", "other_school", found=shown(code), expected=self.context.school_code)
            return
        name = cell_text(self.raw.get("学校"))
        if name and not self._remembered("学校", name, lambda text: bare_school_name(text) in self.schools):
            self._refuse("学校", "other_school", found=shown(name), expected=self.context.school_name)

    def _remembered(self, column: str, text: str, work_out: Callable[[str], Any]) -> Any:
        key = (column, text)
        if key not in self.readings:
            self.readings[key] = work_out(text)
        return self.readings[key]

    def _grade_and_class(self) -> tuple[Grade, str]:
        """Grade and class; 三年级2班 in the class column serves for both. A school of one stage tells the stage."""
        grade_text, class_text = self._text("年级"), self._text("班级")
        grade_in_class, class_name = self._remembered("班级", class_text, parse_class)
        written = grade_text or grade_in_class
        if not written:
            return Grade("", self.stage), class_name
        grade = self._remembered("年级", written, lambda text: parse_grade(text, self.stage))
        if grade is None:
            self._warn("年级", "grade_unknown", text=shown(written))
            return Grade(written, self.stage), class_name
        return grade, class_name

    # ------------------------------------------------------------ what for

    def _programme(self, boarder: bool | None) -> ProgrammeChoice | None:
        """The programme the row is for; of an exclusive group, boarding decides."""
        text = cell_text(self.raw.get("资助项目"))
        word = self._remembered("资助项目", text, bare)
        choices = [choice for choice, names in self.names if not word or word in names]
        if not choices:
            self._refuse("资助项目", "programme_mismatch", found=shown(text), expected=self._expected)
            return None
        fitting = [choice for choice in choices if choice.boarder in (None, boarder)]
        if fitting:
            return fitting[0]
        if self._spoilt("是否寄宿"):
            return None
        if boarder is None:
            if len(choices) == 1:
                return choices[0]
            self._refuse("是否寄宿", "boarder_missing")
        else:
            self._refuse("是否寄宿", "boarder_against_programme", boards=BOARDS[boarder])
        return None

    @property
    def _expected(self) -> str:
        """What the list is uploaded for, by the longest common name of its programmes."""
        names = [set(choice.names) for choice in self.context.programmes]
        common = set.intersection(*names) if names else set()
        return max(common or {self.context.programmes[0].code}, key=len)

    def _term(self) -> str:
        text = cell_text(self.raw.get("学期"))
        if not text:
            return self.context.term
        term = self._reading("学期", parse_term, UnknownTerm.code)
        if term and term != self.context.term:
            self._refuse("学期", "term_mismatch", found=self._term_name(term), expected=self._term_name(None))
        return self.context.term

    def _term_name(self, code: str | None) -> str:
        with translation.override(self.lang or translation.get_language()):
            return Term.of(code or self.context.term).name()

    def _level(self, choice: ProgrammeChoice | None) -> str | None:
        level = self._reading("困难等级", parse_level, "level_unknown")
        if level is None and choice and choice.needs_level and not self._spoilt("困难等级"):
            self._refuse("困难等级", "level_missing")
        return level

    def _amount(self, choice: ProgrammeChoice | None, stage: str | None, level: str | None) -> Decimal | None:
        """The amount of the row, or the one that is right where the row gives none."""
        cell = self.raw.get("金额")
        amount, code = (None, None) if isinstance(cell, CellFault) else self._parsed_amount(cell)
        if code:
            self._refuse("金额", code, text=shown(cell_text(cell)))
        if code or isinstance(cell, CellFault) or choice is None:
            return amount
        rates = self._rates(choice, stage, level)
        if rates is not None and not rates and stage:
            self._refuse("年级", "stage_not_covered")
        elif amount is None and rates and len(rates) == 1:
            return next(iter(rates))
        elif amount is None and choice.needs_amount:
            self._refuse("金额", "amount_missing")
        elif amount is not None and rates is not None and amount not in rates:
            expected = "、".join(map(str, sorted(rates)))
            self._refuse("金额", "amount_not_rate", found=amount, expected=expected)
        return amount

    def _parsed_amount(self, cell: Cell) -> tuple[Decimal | None, str | None]:
        key = ("金额", type(cell), cell)
        if key not in self.readings:
            self.readings[key] = parse_amount(cell)
        found: tuple[Decimal | None, str | None] = self.readings[key]
        return found

    def _rates(self, choice: ProgrammeChoice, stage: str | None, level: str | None) -> frozenset[Decimal] | None:
        key = (choice.code, stage, level)
        if key not in self.rates:
            self.rates[key] = choice.rates(stage, level)
        return self.rates[key]

    # ------------------------------------------------------------ to which account

    def _account(self, choice: ProgrammeChoice | None, guardian_id: str) -> tuple[str, str]:
        """Account number and kind; wrong ones refuse the row, unless the programme pays into no account."""
        kind = self._reading("账户类型", parse_account_kind, "account_kind_unknown") or BANK_CARD
        needed = choice is None or choice.needs_account
        number = self._number("银行账号", normalise_account, needed)
        if self._spoilt("银行账号") or (not number and (choice is None or not needed)):
            return "", kind
        if code := account_problem(number, kind):
            (self._refuse if needed else self._warn)("银行账号", code)
            return "", kind
        if code := account_doubt(number, kind):
            self._warn("银行账号", code)
        self._sharing(number, guardian_id)
        return number, kind

    def _sharing(self, number: str, guardian_id: str) -> None:
        """One account for several pupils: brothers and sisters may share their guardian's (DOMAIN.md §4.3)."""
        owners = self.accounts.setdefault(number, [])
        strangers = [row for row, guardian in owners if not guardian_id or guardian != guardian_id]
        owners.append((self.raw.row, guardian_id))
        if not strangers:
            return
        rows = "、".join(str(row) for row, _guardian in owners[:-1][:5])
        if len(owners) > MAX_SHARING:
            self._refuse("银行账号", "account_shared", rows=rows)
        else:
            self._warn("银行账号", "account_shared_once", rows=rows)

    def _holder(self, choice: ProgrammeChoice | None, name: str, guardian_name: str, account_no: str) -> str:
        """The account's holder; whoever it is, the row is taken: it is flagged, not blocked (DOMAIN.md §4.3)."""
        holder = normalise_name(cell_text(self.raw.get("户名")))
        if not account_no:
            return holder
        if not holder:
            if "户名" in self.columns:
                self._warn("户名", "holder_missing")
            return name
        if name and holder != name:
            self._warn("户名", "holder_is_guardian" if holder == guardian_name else "holder_is_other")
        return holder[:50]

    def _bank(self, choice: ProgrammeChoice | None) -> str:
        bank = self._text("开户行")
        if not bank and choice and choice.needs_account and not self._spoilt("开户行"):
            self._warn("开户行", "bank_missing")
        return bank
