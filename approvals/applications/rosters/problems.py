"""What can be wrong with a roster: codes and their sentences, for the file, for its sheet and for a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.people import accounts, identity
from approvals.programmes import terms

ERROR = "error"
"""Refuses the row."""
WARNING = "warning"
"""Is shown and travels along."""

KINDS: dict[str, Promise] = {
    "pdf": _("a PDF document"),
    "picture": _("a picture"),
    "program": _("a program"),
    "word": _("a Word document"),
    "powerpoint": _("a PowerPoint presentation"),
    "archive": _("a compressed archive; unpack it and upload the workbook that is inside"),
    "opendocument": _("an OpenDocument file"),
    "binary_workbook": _("a binary workbook (.xlsb)"),
    "xml_workbook": _("an XML spreadsheet"),
    "unknown": _("a file of an unknown kind"),
}
"""What a file turned out to be, by its content."""

UNREADABLE: dict[str, Promise] = {
    "too_big": _("The file has %(size)s MB; at most %(limit)s MB are allowed. Take pictures out, or split the list."),
    "empty_file": _("The file is empty."),
    "wrong_type": _("This is %(kind)s. Save the list as an Excel workbook (.xlsx, .xls) or as .csv and upload that."),
    "web_page": _(
        "This is a web page with the ending .xls, as some systems export it. Open it in Excel or WPS, choose "
        "Save as, Excel workbook (.xlsx), and upload the new file."
    ),
    "password": _("The workbook is protected with a password. Remove the password, save it and upload it again."),
    "damaged": _(
        "The file is damaged or was cut off on the way. Open it in Excel or WPS, save it again and upload the new file."
    ),
    "swollen": _(
        "Unpacked, the workbook would be larger than %(limit)s MB. Copy the list into a new workbook and upload that."
    ),
    "too_many_rows": _("The list has more than %(limit)s rows. Please split it."),
    "encoding": _("The characters of the file cannot be read. Save it as an Excel workbook (.xlsx) or as CSV UTF-8."),
    "open_quote": _("In row %(row)s a quotation mark opens and never closes, so that the rows below run together."),
    "blank_workbook": _("The workbook is blank: no sheet holds any text."),
    "no_such_sheet": _("The workbook has no sheet “%(sheet)s”."),
    "no_heading": _("No heading row was found. A roster has at least the columns %(columns)s; see the blank template."),
    "missing_columns": _("The list lacks the columns %(columns)s."),
    "duplicate_columns": _(
        "Two columns could both be %(column)s (%(letters)s) and hold different things. Rename or delete one of them."
    ),
    "no_rows": _("There is a heading row, but no row below it that could be read."),
}
"""Why a file cannot be read as a roster at all."""

NOTES: dict[str, Promise] = {
    "hidden_rows": _("%(count)s hidden rows were read too (rows %(rows)s)."),
    "hidden_columns": _("Hidden columns were read too (%(letters)s)."),
    "hidden_sheet": _("No visible sheet holds a roster, so the hidden sheet “%(sheet)s” was read."),
    "other_sheets": _("Only the sheet “%(sheet)s” was read. These look like rosters too: %(others)s."),
    "two_heading_rows": _("The headings stand in two rows, which were read together."),
    "column_ignored": _("Column %(letter)s (%(heading)s) was not read: %(column)s is in column %(used)s."),
    "merged_cells": _("Merged cells in the columns %(columns)s were read as standing in each of their rows."),
    "lost_characters": _("%(count)s characters of the file could not be read and are shown as a box."),
    "blank_tail": _("Below row %(row)s there are more than %(count)s blank rows; nothing after them was read."),
    "old_template": _("The list was made with an older template (%(version)s); the present one is %(present)s."),
}
"""What a person should know about how the sheet was understood."""

SKIPPED: dict[str, Promise] = {
    "title": _("above the heading row"),
    "total": _("totals"),
    "signature": _("signatures"),
    "footnote": _("a note"),
    "heading": _("the heading row again"),
    "numbering": _("column numbers"),
    "example": _("an example"),
    "blank": _("blank"),
    "unfilled": _("numbered, but without a pupil"),
}
"""Why a row of the sheet was not taken for a pupil's."""

ROW: dict[str, Promise] = {
    **identity.SENTENCES,
    **accounts.SENTENCES,
    **terms.SENTENCES,
    "number_form": _(
        "Excel kept %(column)s as a number and lost its last digits. Set the column to text and type the number again."
    ),
    "cell_error": _("The cell shows the error %(text)s."),
    "not_calculated": _("The cell holds a formula without a result. Open the workbook in Excel or WPS and save it."),
    "too_long": _("The text is longer than %(limit)s characters."),
    "duplicate": _("The same pupil already stands in row %(row)s."),
    "sex_unknown": _("“%(text)s” is not a sex; write 男 or 女."),
    "sex_against_id": _("The sex does not fit the ID number, which says %(expected)s."),
    "birth_date_unknown": _("“%(text)s” is not a date; write it like 2012-03-05."),
    "birth_date_against_id": _("The birth date does not fit the ID number."),
    "enrolment_against_id": _("The enrolment number holds another ID number; that is right only after an ID change."),
    "other_school": _("This row is of another school (%(found)s); the list is uploaded for %(expected)s."),
    "grade_unknown": _("“%(text)s” is not a grade that is known; the school's stage was taken."),
    "stage_not_covered": _("For the stage of this grade the programme has no rate."),
    "boarder_unknown": _("“%(text)s” does not say whether the pupil boards; write 是 or 否."),
    "boarder_missing": _("The list must say whether the pupil boards: the programme depends on it."),
    "boarder_against_programme": _("The programme in this row is not the one for a pupil who %(boards)s."),
    "group_unknown": _("“%(text)s” is not a special group that is known."),
    "level_unknown": _("“%(text)s” is not a hardship level; write 特别困难, 困难 or 一般困难."),
    "level_missing": _("The hardship level is missing."),
    "programme_mismatch": _("This row is for “%(found)s”; the list is uploaded for %(expected)s."),
    "term_mismatch": _("This row is for the term %(found)s; the list is uploaded for %(expected)s."),
    "amount_missing": _("The amount is missing."),
    "amount_format": _("“%(text)s” is not an amount in yuan."),
    "amount_decimals": _("An amount has at most two decimals."),
    "amount_negative": _("An amount cannot be negative."),
    "amount_not_rate": _("%(found)s yuan is not the rate for this pupil and term, which is %(expected)s."),
    "guardian_missing": _("No guardian is named for a pupil under 18."),
    "guardian_is_pupil": _("The guardian's ID number is the pupil's own."),
    "guardian_under_18": _("By the ID number the guardian is under 18."),
    "account_shared": _("The account already stands in rows %(rows)s for pupils who do not share a guardian."),
    "account_shared_once": _("The account already stands in row %(rows)s for a pupil with another guardian."),
    "account_kind_unknown": _("“%(text)s” is not a kind of account; write 银行卡, 社保卡 or 存折."),
    "holder_missing": _("The account holder is not named; the pupil was taken."),
    "holder_is_guardian": _("The account is in the guardian's name."),
    "holder_is_other": _("The account is neither in the pupil's nor in the guardian's name."),
    "bank_missing": _("The bank is not named."),
}
"""What can be wrong with one row."""

# What the words in a sentence are called, where they are not values from the sheet.
BOARDS = {True: _("boards"), False: _("does not board")}
SEXES = {"M": _("male"), "F": _("female")}


def _say(sentence: Promise, params: Mapping[str, Any], lang: str | None) -> str:
    if lang is None:
        return str(sentence) % params
    with translation.override(lang):
        return str(sentence) % params


class RosterUnreadable(Exception):
    """The file cannot be read as a roster; `code` is a key of `UNREADABLE`, `message` its sentence."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    @property
    def message(self) -> str:
        """In the present language."""
        return _say(UNREADABLE[self.code], self.params, None)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on how the sheet was understood; `code` is a key of `NOTES`."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """In the present language."""
        return _say(NOTES[self.code], self.params, None)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row of the sheet that is not a pupil's; `why` is a key of `SKIPPED`."""

    row: int
    why: str

    @property
    def message(self) -> str:
        """In the present language."""
        return str(SKIPPED[self.why])


@dataclass(slots=True)
class Problem:
    """What is wrong with one cell of a row; `column` is a canonical heading.

    `code` is a key of `ROW`, or comes with a `sentence` of its own from whoever knows more of the row.
    """

    column: str
    code: str
    severity: str = ERROR
    params: Mapping[str, Any] = field(default_factory=dict)
    lang: str | None = None
    sentence: Promise | None = None

    @property
    def message(self) -> str:
        """In the language asked for, or else the present one."""
        return self.in_language(self.lang)

    def in_language(self, lang: str | None) -> str:
        """The sentence in a language; None: in the present one."""
        return _say(self.sentence or ROW[self.code], self.params, lang)

    def as_dict(self) -> dict[str, str]:
        """As the import command and the preview tell it."""
        return {"column": self.column, "code": self.code, "message": self.message}


# The ID comes before what derives from it, the programme before its rate, the account before its holder.
_CAUSES = (
    "身份证号 姓名 学校标识码 学校 资助项目 学期 是否寄宿 年级 班级 性别 出生日期 学籍号 特殊群体类型 困难等级 金额 "
    "监护人身份证号 监护人姓名 联系电话 账户类型 银行账号 开户行 户名 备注"
)
_RANK = {column: rank for rank, column in enumerate(_CAUSES.split())}


def root_cause(problems: Iterable[Problem]) -> tuple[Problem | None, list[Problem]]:
    """The problem to mend first, and the others after it: errors before warnings, causes before what follows."""
    listed = list(problems)
    if len(listed) == 1:
        return listed[0], []
    ordered = sorted(listed, key=lambda problem: (problem.severity != ERROR, _RANK.get(problem.column, len(_RANK))))
    return (ordered[0], ordered[1:]) if ordered else (None, [])
