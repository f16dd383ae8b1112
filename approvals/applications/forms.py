"""What a school fills in for one application. Drafts may be incomplete; what is entered must be right."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import formset_factory
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.actions.changing import Identity, circumstances_of
from approvals.applications.grades import GRADES
from approvals.applications.models import LEVELS, Application
from approvals.applications.queries import Target, tier_names
from approvals.organisations.models import Organisation
from approvals.people import accounts, identity
from approvals.people.models import Guardian, Student
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes.evidence import EVIDENCE
from approvals.programmes.models import Rate

ACCOUNT_KINDS = [
    (accounts.BANK_CARD, _p("kind of account", "Bank card")),
    (accounts.SOCIAL_SECURITY_CARD, _p("kind of account", "Financial account of the social-security card")),
    (accounts.PASSBOOK, _p("kind of account", "Passbook")),
]
HUKOU = [
    ("", _("Not stated")),
    ("rural", _p("household register", "Rural")),
    ("urban", _p("household register", "Urban")),
]
TROUBLES: dict[str, Promise] = {
    "disaster": _("Natural disasters"),
    "accident": _("Sudden accidents"),
    "disability": _("Disability, illness or age in the family"),
    "unemployment": _("Loss of work"),
    "debt": _("Debts"),
    "other": _("Anything else that weighs on the family"),
}
"""The six boxes of the form on what weighs on the family (DOMAIN.md §4.1)."""
BOX = 500
"""Most characters in each of them."""
YES_NO = [("yes", _p("boards", "Boarder")), ("no", _p("boards", "Day pupil"))]
WHERE_MISSING = {
    "level": "level", "tier": "tier", "amount": "tier", "guardian": "guardian_name", "account": "account_no",
    "commitment": "commitment_on", "consent": "consent_on",
}  # fmt: skip
"""The field at which a missing thing is shown."""
SECRET_FIELDS = {
    "guardian_id": identity.mask_id, "guardian_phone": identity.mask_phone, "account_no": identity.mask_account,
}  # fmt: skip


def _plain(label: Any, length: int, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=False, **options)


def _number(label: Any, length: int = 40, **options: Any) -> forms.CharField:
    """A number typed by hand: with spaces or full-width digits as people write it, never completed by the browser."""
    widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, max_length=length, required=False, widget=widget, **options)


def _box(label: Any, length: int = BOX, **options: Any) -> forms.CharField:
    return _plain(label, length, widget=forms.Textarea({"rows": 2}), **options)


def _date(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), **options)


class SearchForm(forms.Form):
    """Whom the application is for. Sent by POST, so that an ID number never stands in an address."""

    target = forms.ChoiceField(label=_("Programme and term"))
    who = forms.CharField(
        label=_("Pupil"),
        max_length=60,
        help_text=_("The name or its beginning, or the whole ID number."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, targets: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = list(targets)  # type: ignore[attr-defined]


class MemberForm(forms.Form):
    """One member of the family."""

    name = _plain(_("Name"), 50)
    relation = _plain(_("Relation"), 20)
    age = forms.IntegerField(label=_("Age"), required=False, min_value=0, max_value=120)
    work = _plain(_("Work or school"), 60)
    income = forms.DecimalField(
        label=_("Income a year (yuan)"), required=False, min_value=0, max_digits=10, decimal_places=2
    )
    health = _plain(_("Health"), 40)

    def clean_name(self) -> str:
        return _name(self.cleaned_data["name"])


MemberFormSet = formset_factory(MemberForm, extra=2, max_num=10, validate_max=True)


class IdentityForm(forms.Form):
    """Who a pupil is that the enrolment register does not have, or has not verified."""

    pupil_name = forms.CharField(label=_("Pupil's name"), max_length=50)
    id_number = forms.CharField(
        label=_("ID number"), max_length=40, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    )
    enrolment_no = _number(_("Enrolment number"), help_text=_("G, J or L and 18 characters; may be left out."))
    grade = forms.ChoiceField(label=_("Grade"))
    class_name = forms.CharField(label=_("Class"), max_length=20)

    def __init__(
        self, *args: Any, school: Organisation, stages: Collection[str], today: date, student: Student | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.today = today
        self.student = student
        self.grades = {
            f"{stage}:{grade}": (stage, grade)
            for stage in school.stages
            if stage in stages
            for grade in GRADES.get(stage, ())
        }
        offered = [(key, grade) for key, (_stage, grade) in self.grades.items()]
        self.fields["grade"].choices = [("", _("Please choose")), *offered]  # type: ignore[attr-defined]
        if student is not None:
            self._of_known(student)

    def _of_known(self, student: Student) -> None:
        """Numbers that are kept are shown masked and stay unless typed again; class and grade are the draft's."""
        del self.fields["grade"], self.fields["class_name"]
        self.initial.setdefault("pupil_name", student.name)
        for name, mask in (("id_number", identity.mask_id), ("enrolment_no", identity.mask_enrolment_no)):
            kept = getattr(student, name)
            if kept:
                self.fields[name].required = False
                self.fields[name].help_text = _kept(mask(kept))

    def clean_pupil_name(self) -> str:
        name = identity.normalise_name(self.cleaned_data["pupil_name"])
        _refuse(identity.name_problem(name), identity.SENTENCES)
        return name

    def clean_id_number(self) -> str:
        number = identity.normalise_id(self.cleaned_data["id_number"])
        if not number and self.student is not None:
            return str(self.student.id_number)
        _refuse(identity.id_problem(number, self.today), identity.SENTENCES)
        return number

    def clean_enrolment_no(self) -> str:
        number = identity.normalise_enrolment_no(self.cleaned_data["enrolment_no"])
        if not number and self.student is not None:
            return str(self.student.enrolment_no or "")
        _refuse(identity.enrolment_problem(number), identity.SENTENCES)
        return number

    def clean_grade(self) -> tuple[str, str]:
        return self.grades[self.cleaned_data["grade"]]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        enrolment, number = data.get("enrolment_no"), data.get("id_number")
        if enrolment and number and not identity.enrolment_fits_id(enrolment, number):
            self.add_error("enrolment_no", gettext("The enrolment number holds another ID number."))
        return data

    @property
    def identity(self) -> Identity:
        data = self.cleaned_data
        return Identity(data["pupil_name"], data["id_number"], data["enrolment_no"])


class ApplicationForm(forms.Form):
    """What the school states for one pupil and programme (DOMAIN.md §4.1, §4.2). Every field may stay empty.

    Numbers that are kept already are shown masked and stay unless typed again; amounts are never typed.
    """

    boarder = forms.ChoiceField(label=_("Boarding"), choices=YES_NO, widget=forms.RadioSelect)
    level = forms.ChoiceField(label=_("Hardship level"), choices=[("", _("Not set yet")), *LEVELS], required=False)
    tier = forms.ChoiceField(label=_("Tier"), required=False)
    special_groups = forms.MultipleChoiceField(
        label=_("Special groups"), choices=list(SPECIAL_GROUPS.items()), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only what the family states; it is compared with the registers, no stamped proof is asked for."),
    )  # fmt: skip

    guardian_name = _plain(_("Guardian's name"), 50)
    guardian_id = _number(_("Guardian's ID number"))
    guardian_phone = _number(_("Guardian's phone"))

    account_kind = forms.ChoiceField(label=_("Kind of account"), choices=ACCOUNT_KINDS, required=False)
    bank = _plain(_("Bank"), 60)
    account_no = _number(_("Account number"))
    account_again = _number(_("Account number again"), help_text=_("For a passbook: its number cannot be checked."))
    holder_name = _plain(_("Account holder"), 50, help_text=_("The pupil, unless the card is a guardian's."))

    hukou = forms.ChoiceField(label=_("Household register"), choices=HUKOU, required=False)
    household_size = forms.IntegerField(label=_("People in the household"), required=False, min_value=1, max_value=20)
    per_capita_income = forms.DecimalField(
        label=_("Income per head and year (yuan)"), required=False, min_value=0, max_digits=10, decimal_places=2,
        help_text=_("Left empty, it is worked out from the members below."),
    )  # fmt: skip
    address = _plain(_("Address"), 200)
    disaster = _box(TROUBLES["disaster"])
    accident = _box(TROUBLES["accident"])
    disability = _box(TROUBLES["disability"])
    unemployment = _box(TROUBLES["unemployment"])
    debt = _box(TROUBLES["debt"])
    other = _box(TROUBLES["other"])

    class_opinion = _box(
        _("Opinion of the class review"), help_text=_("What the panel found; nothing about the family.")
    )
    remark = _box(_p("application", "Remark"))
    commitment_on = _date(_("Commitment signed on"))
    consent_on = _date(_("Guardian's consent given on"))

    FAMILY = ("hukou", "household_size", "per_capita_income", "address", *TROUBLES)

    def __init__(
        self,
        *args: Any,
        target: Target,
        pupil_name: str,
        today: date,
        birth_date: date | None,
        tiers: Mapping[str, Rate],
        application: Application | None = None,
        guardian: Guardian | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rules = target.version.rules
        self.today = today
        self.pupil_name = pupil_name
        self.known = _numbers(application, guardian)
        self.guardian = guardian
        self.members = MemberFormSet(
            self.data if self.is_bound else None,
            prefix="member",
            initial=circumstances_of(application).get("members", []) if application else [],
        )
        self._fit(target, tiers, birth_date)
        for name in SECRET_FIELDS:
            if self.known.get(name) and name in self.fields:
                self.fields[name].help_text = _kept(SECRET_FIELDS[name](self.known[name]))
        if application is not None:
            self._show(application)

    def _fit(self, target: Target, tiers: Mapping[str, Rate], birth_date: date | None) -> None:
        """Leaves out what this programme or pupil does not need."""
        if "account" not in self.rules.needs:
            for name in ("account_kind", "bank", "account_no", "account_again", "holder_name"):
                del self.fields[name]
        if not self.rules.tiers:
            del self.fields["tier"]
        else:
            names = tier_names(target.version)
            self.fields["tier"].choices = [("", _("Not chosen yet"))] + [  # type: ignore[attr-defined]
                (code, f"{names[code]} · {tiers[code].amount:,.2f}") for code in names if code in tiers
            ]
        if birth_date is not None and not identity.is_under_14(birth_date, self.today):
            del self.fields["consent_on"]
        if self.rules.boarder is not None:
            self.initial.setdefault("boarder", "yes" if self.rules.boarder else "no")

    def _show(self, application: Application) -> None:
        """What is stored; numbers are not filled in but masked in the help text."""
        stated = circumstances_of(application)
        self.initial.update({name: stated.get(name) for name in self.FAMILY if name in stated})
        for name in self.fields:
            if name == "boarder":
                self.initial[name] = "yes" if application.boarder else "no"
            elif name not in (*self.FAMILY, *SECRET_FIELDS) and hasattr(application, name):
                self.initial[name] = getattr(application, name)

    # -------- numbers

    def clean_guardian_id(self) -> str:
        number = identity.normalise_id(self.cleaned_data["guardian_id"])
        if not number:
            return self._known_of_guardian("guardian_id")
        _refuse(identity.id_problem(number, self.today), identity.SENTENCES)
        if identity.age_on(identity.birth_date_of(number), self.today) < 18:
            raise ValidationError(gettext("By this ID number the guardian is under 18."))
        return number

    def clean_guardian_phone(self) -> str:
        phone = identity.normalise_phone(self.cleaned_data["guardian_phone"])
        if not phone:
            return self._known_of_guardian("guardian_phone")
        _refuse(identity.phone_problem(phone), identity.SENTENCES)
        return phone

    def clean_guardian_name(self) -> str:
        return _name(self.cleaned_data["guardian_name"])

    def clean_holder_name(self) -> str:
        return _name(self.cleaned_data["holder_name"])

    def clean_account_no(self) -> str:
        number = accounts.normalise_account(self.cleaned_data["account_no"]) or self.known.get("account_no", "")
        if number:
            _refuse(accounts.account_problem(number, self.cleaned_data.get("account_kind", "")), accounts.SENTENCES)
        return number

    def _known_of_guardian(self, name: str) -> str:
        """The number that is kept; one from the register only while the register's guardian is the one named."""
        if self.guardian is not None and self.cleaned_data.get("guardian_name") != self.guardian.name:
            return ""
        return self.known.get(name, "")

    # -------- dates

    def clean_commitment_on(self) -> date | None:
        return self._not_later("commitment_on")

    def clean_consent_on(self) -> date | None:
        return self._not_later("consent_on")

    def _not_later(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day is not None and day > self.today:
            raise ValidationError(gettext("This date is still to come."))
        return day

    # -------- what belongs together

    def clean_boarder(self) -> bool:
        boarder = self.cleaned_data["boarder"] == "yes"
        if self.rules.boarder is not None and boarder != self.rules.boarder:
            raise ValidationError(
                gettext("This programme is for boarders only.") if self.rules.boarder
                else gettext("This programme is for day pupils only.")
            )  # fmt: skip
        return boarder

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._check_passbook(data)
        if "account_no" in self.fields and data.get("account_no") and not data.get("holder_name"):
            data["holder_name"] = self.pupil_name
        if self.members.is_valid():
            self._check_household(data)
        else:
            raise ValidationError(gettext("Please look at the members of the family."))
        return data

    def _check_passbook(self, data: dict[str, Any]) -> None:
        """A passbook number is typed twice, since no arithmetic can check it (DOMAIN.md §4.3)."""
        number = accounts.normalise_account(self.data.get(self.add_prefix("account_no"), ""))
        if data.get("account_kind") != accounts.PASSBOOK or not number or "account_no" in self.errors:
            return
        if accounts.normalise_account(data.get("account_again") or "") != number:
            self.add_error("account_again", gettext("The two numbers differ. Type the passbook's number twice."))

    def _check_household(self, data: dict[str, Any]) -> None:
        members = self._members()
        size = data.get("household_size")
        if size and len(members) > size:
            self.add_error("household_size", gettext("%(count)s members are listed below.") % {"count": len(members)})
        incomes = [Decimal(member["income"]) for member in members if member.get("income") not in (None, "")]
        if size and incomes and data.get("per_capita_income") is None:
            data["per_capita_income"] = (sum(incomes) / size).quantize(Decimal("0.01"))

    def _members(self) -> list[dict[str, Any]]:
        rows = (form.cleaned_data for form in self.members if form.has_changed() or form.initial)
        return [
            {name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()}
            for row in rows
            if any(value not in (None, "") for value in row.values())
        ]

    # -------- for the action

    def stated(self) -> dict[str, Any]:
        """The values that `actions.enter` and `actions.change` take."""
        data = self.cleaned_data
        family = {
            name: str(data[name]) if isinstance(data[name], Decimal) else data[name]
            for name in self.FAMILY
            if data.get(name) not in (None, "")
        }
        if members := self._members():
            family["members"] = members
        left_out = {"account_again", *self.FAMILY}
        return {name: data[name] for name in self.fields if name not in left_out} | {"circumstances": family}

    def place_of(self, missing: str) -> str:
        """The id of the field where something that is missing is entered; empty when it is nowhere on the form."""
        name = WHERE_MISSING.get(missing, "")
        return self[name].id_for_label if name in self.fields else ""

    def family_is_right(self) -> bool:
        """Whether nothing is wrong in what was sent about the family."""
        return self.members.is_valid() and not set(self.FAMILY) & set(self.errors)


class EvidenceForm(forms.Form):
    """A paper to be attached."""

    kind = forms.ChoiceField(label=_("Kind of paper"))
    file = forms.FileField(
        label=_("Photo or PDF"),
        help_text=_("JPEG, PNG, WebP or PDF, up to 10 MB. Where and when a photo was taken is not kept."),
        widget=forms.ClearableFileInput({"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )

    def __init__(self, *args: Any, kinds: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, EVIDENCE[kind]) for kind in kinds or EVIDENCE]  # type: ignore[attr-defined]


def _numbers(application: Application | None, guardian: Guardian | None) -> dict[str, str]:
    """The numbers known already: the application's own, or the register's of the guardian."""
    if application is not None:
        return {name: str(getattr(application, name) or "") for name in SECRET_FIELDS}
    if guardian is not None:
        return {"guardian_id": str(guardian.id_number or ""), "guardian_phone": str(guardian.phone or "")}
    return {}


def _kept(masked: str) -> str:
    return gettext("Kept: %(masked)s. Type the whole number only to change it.") % {"masked": masked}


def _name(text: str) -> str:
    name = identity.normalise_name(text)
    if name:
        _refuse(identity.name_problem(name), identity.SENTENCES)
    return name


def _refuse(code: str | None, sentences: Mapping[str, Promise]) -> None:
    if code:
        raise ValidationError(sentences[code], code=code)
