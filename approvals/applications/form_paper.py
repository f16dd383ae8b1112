"""The application form as a paper to be signed (DOMAIN.md §4.1, §4.2). It is Chinese whatever the page's language."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override
from django.utils.translation import pgettext as _p

from approvals.applications import queries
from approvals.applications.actions.changing import circumstances_of
from approvals.applications.forms import ACCOUNT_KINDS, HUKOU, TROUBLES
from approvals.applications.models import LEVELS, Application
from approvals.applications.statements import COMMITMENT, CONSENT, in_force
from approvals.organisations import papers
from approvals.organisations.stages import STAGES
from approvals.people.identity import is_under_14, mask_account, mask_enrolment_no, mask_id, mask_phone
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes.terms import Term

TEMPLATE = Path(__file__).parent / "typst" / "application_form.typ"
BLANK = "—"

Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Text:
    """A statement to be signed: its heading, version and words, who signs it, and when it was signed."""

    title: str
    version: str
    words: str
    signer: str
    signed_on: str


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on the form, in words; numbers are masked."""

    title: str
    school: str
    number: str
    printed: str
    filename: str
    pupil: Rows
    applies: Rows
    account: Rows
    family: Rows
    troubles: Rows
    members: list[list[str]]
    member_heads: list[str]
    opinion: str
    texts: list[Text]
    labels: dict[str, str]
    withheld: str = ""
    """Why the family's circumstances are not on this copy; empty when they are."""


def compose(application: Application, with_family: bool, today: date) -> Paper:
    """The form of an application; the family's circumstances only where they may be shown."""
    with override("zh-hans"):
        return _compose(application, with_family, today)


def render(paper: Paper) -> bytes:
    """The form as a PDF. Raises PaperUnavailable without a Chinese font."""
    return papers.render(TEMPLATE, asdict(paper))


def _compose(application: Application, with_family: bool, today: date) -> Paper:
    rules, student = application.version.rules, application.student
    stated = circumstances_of(application) if with_family else {}
    return Paper(
        title=_("Application form: %(programme)s") % {"programme": rules.name},
        school=application.school.name,
        number=str(application.case_id),
        printed=_day(today),
        filename=f"{rules.project}申请表-{student.name}.pdf",
        pupil=_pupil(application),
        applies=_applies(application),
        account=_account(application) if "account" in rules.needs else [],
        family=_family(stated) if with_family else [],
        troubles=[(str(name), stated[code]) for code, name in TROUBLES.items() if stated.get(code)],
        members=[_member(member) for member in stated.get("members", [])],
        member_heads=[_("Name"), _("Relation"), _("Age"), _("Work or school"), _("Income a year (yuan)"), _("Health")],
        opinion=application.class_opinion,
        texts=_texts(application, today),
        labels={
            "pupil": _("The pupil"), "applies": _("Applies for"), "account": _("Account"),
            "family": _("The family's circumstances"), "members": _("Members of the family"),
            "opinion": _("Opinion of the class review"), "school_opinion": _("Opinion of the school"),
            "signature": _("Signature"), "date": _("Date"), "seal": _("(seal)"), "head": _("Head of the school"),
            "panel": _("For the panel"), "number": _p("form", "No."), "printed": _("Printed on"), "school": _("School"),
        },
        withheld="" if with_family else _("Stands only on the copy of the school that enters the application."),
    )  # fmt: skip


def _pupil(application: Application) -> Rows:
    student = application.student
    return [
        (_("Pupil's name"), student.name),
        (_("Sex"), str(student.get_sex_display())),
        (_("Birth date"), _day(student.birth_date)),
        (_("ID number"), mask_id(student.id_number)),
        (_("Enrolment number"), mask_enrolment_no(student.enrolment_no or "") or BLANK),
        (_("Stage of schooling"), str(STAGES.get(application.stage, application.stage))),
        (_("Grade and class"), f"{application.grade} {application.class_name}"),
        (_("Boarding"), _("Boarder") if application.boarder else _("Day pupil")),
        (_("Guardian's name"), application.guardian_name or BLANK),
        (_("Guardian's ID number"), mask_id(application.guardian_id or "") or BLANK),
        (_("Guardian's phone"), mask_phone(application.guardian_phone) if application.guardian_phone else BLANK),
    ]


def _applies(application: Application) -> Rows:
    rules = application.version.rules
    groups = "、".join(str(SPECIAL_GROUPS.get(code, code)) for code in application.special_groups)
    rows = [
        (_("Programme"), rules.name),
        (_("Term"), Term.of(application.term).name()),
        (_("Special groups"), groups or BLANK),
        (_("Hardship level"), str(dict(LEVELS).get(application.level, BLANK))),
    ]
    if rules.tiers:
        rows.append((_("Tier"), queries.tier_names(application.version).get(application.tier, BLANK)))
    if application.amount is not None:
        rows.append((_("Yuan a term"), _yuan(application.amount)))
    return rows


def _account(application: Application) -> Rows:
    number = mask_account(application.account_no) if application.account_no else BLANK
    return [
        (_("Bank"), application.bank or BLANK),
        (_("Kind of account"), str(dict(ACCOUNT_KINDS).get(application.account_kind, BLANK))),
        (_("Account number"), number),
        (_("Account holder"), application.holder_name or BLANK),
    ]


def _family(stated: dict[str, Any]) -> Rows:
    income = stated.get("per_capita_income")
    rows = [
        (_("Household register"), str(dict(HUKOU).get(stated.get("hukou", ""), BLANK)) if stated.get("hukou") else ""),
        (_("People in the household"), str(stated.get("household_size") or "")),
        (_("Income per head and year (yuan)"), _yuan(Decimal(income)) if income else ""),
        (_("Address"), stated.get("address", "")),
    ]
    return [(label, value) for label, value in rows if value] or [(_("Not stated"), "")]


def _member(member: dict[str, Any]) -> list[str]:
    income = member.get("income")
    return [
        str(member.get("name") or ""), str(member.get("relation") or ""),
        "" if member.get("age") is None else str(member["age"]), str(member.get("work") or ""),
        _yuan(Decimal(income)) if income else "", str(member.get("health") or ""),
    ]  # fmt: skip


def _texts(application: Application, today: date) -> list[Text]:
    child = is_under_14(application.student.birth_date, application.consent_on or today)
    wanted: Iterable[Any] = [
        (_("Commitment"), COMMITMENT, _("Pupil or guardian"), application.commitment_on),
        *([(_("Guardian's consent"), CONSENT, _("Guardian"), application.consent_on)] if child else []),
    ]
    return [
        Text(title, statement.version, str(statement.text), signer, _day(signed) if signed else "")
        for title, statements, signer, signed in wanted
        for statement in [in_force(statements, signed or today)]
    ]


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _yuan(amount: Decimal) -> str:
    return f"{amount:,.2f}"
