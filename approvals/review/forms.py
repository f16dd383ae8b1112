"""What reviewers fill in: filters of the queue, a decision, the purpose of opening full numbers."""

import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from approvals.applications.models import LEVELS
from approvals.applications.parts import PARTS
from approvals.organisations.reasons import ReasonField
from approvals.people.crypto import blind_index
from approvals.people.identity import SENTENCES as ID_SENTENCES
from approvals.people.identity import id_problem, normalise_id, normalise_name
from approvals.review.actions import OUTCOMES
from approvals.review.columns import COLUMNS
from approvals.review.purposes import PURPOSES
from approvals.review.queries import SIZES, Choices
from approvals.review.waiting import Filters
from workflows import Reason
from workflows.flows.aid import REVIEWERS, AidFlow
from workflows.reasons import MIN_LENGTH, reasons_for, refusal_of
from workflows.refusals import SENTENCES
from workflows.states import NAMES
from workflows.versions import earlier_steps, step_of
from workflows.working_days import calendar

FLAGS = [("clean", _("Nothing to note")), ("hits", _("Open data-match hits")),
         ("findings", _("A condition does not hold")), ("returned", _("Returned before"))]  # fmt: skip
DUE = [("overdue", _("Overdue")), ("today", _("Due today or overdue")),
       ("soon", _("Due within 2 working days, or overdue"))]  # fmt: skip
ORDERS = [("arrived", _("By arrival")), ("due", _("By deadline"))]
CORRECTION_DAYS = 5
"""Working days that a return proposes for the correction."""
NARROWING = ("school", "programme", "level", "flags", "due", "amount_from", "amount_to")
"""Filters that a person may save under a name: of kinds of cases, not of people."""
KEPT = ("view", "step", *NARROWING, "name", "number", "person", "order", "per", "group")
"""What the queue's address may hold, besides the cursor."""
NUMBER_LENGTH = 12
"""Digits up to so many are a case's number; more are an ID number."""


class FilterForm(forms.Form):
    """The queue's filters. It is sent by POST, so that an ID number never stands in an address.

    `find` takes the beginning of a name, a case's number, or a whole ID number.
    """

    find = forms.CharField(label=_("Name begins with, number, or ID number"), required=False, max_length=50)
    person = forms.CharField(required=False, widget=forms.HiddenInput, max_length=128)
    step = forms.ChoiceField(label=_("Step"), required=False)
    school = forms.ChoiceField(label=_("School"), required=False)
    programme = forms.ChoiceField(label=_("Programme"), required=False)
    level = forms.ChoiceField(label=_("Level"), required=False)
    flags = forms.ChoiceField(label=_("Only"), required=False)
    due = forms.ChoiceField(label=_("Deadline"), required=False)
    amount_from = forms.DecimalField(label=_("Yuan, from"), required=False, min_value=0, max_value=10**7)
    amount_to = forms.DecimalField(label=_("Yuan, to"), required=False, min_value=0, max_value=10**7)
    order = forms.ChoiceField(label=_("Order"), required=False, choices=ORDERS)
    per = forms.ChoiceField(label=_("Rows"), required=False, choices=[(str(size), size) for size in SIZES])

    def __init__(self, *args: Any, choices: Choices, today: date, across: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.number: int | None = None
        self.id_number = ""
        offered: dict[str, list[tuple[str, Any]]] = {
            "step": [("", _("All steps")), *((step, NAMES[step_of(AidFlow.kind, step).state]) for step in REVIEWERS)],
            "school": [("", _("All schools")), *((code, name) for code, (_path, name) in choices.schools.items())],
            "programme": [("", _("All programmes")), *choices.programmes.items()],
            "level": [("", _("All levels")), *LEVELS],
            "flags": [("", _("Any mark")), *FLAGS],
            "due": [("", _("Any deadline")), *DUE],
        }
        for name, values in offered.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        if not across:
            del self.fields["step"]
        self.fields["find"].widget.attrs |= {
            "data-search": "", "data-key": "/", "data-key-label": _("search"), "autocomplete": "off",
            "spellcheck": "false", "placeholder": _("Name, number, ID number"),
        }  # fmt: skip
        self.fields["flags"].widget.attrs |= {"data-key": "f", "data-key-label": _("filter by mark")}
        for name in ("amount_from", "amount_to"):
            self.fields[name].widget.attrs |= {"inputmode": "decimal", "step": "any"}

    def clean_find(self) -> str:
        """A name; numbers are told apart by their length and kept aside."""
        found = self.cleaned_data["find"].strip()
        packed = normalise_id(found)
        if packed.isdecimal() and packed.isascii() and len(packed) <= NUMBER_LENGTH:
            self.number = int(packed)
            return ""
        if packed[:-1].isdecimal() and packed.isascii():
            if problem := id_problem(packed, self.today):
                raise ValidationError(ID_SENTENCES[problem], code=problem)
            self.id_number = packed
            return ""
        return normalise_name(found)

    def address(self) -> dict[str, str]:
        """The filters as the queue's address holds them: the ID number as its blind index, nothing empty."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("find", "person")}
        values["name"] = self.cleaned_data["find"]
        values["number"] = self.number
        kept = "" if values["name"] or self.number is not None else self.cleaned_data["person"]
        values["person"] = blind_index(self.id_number).hex() if self.id_number else kept
        defaults = {"order": ORDERS[0][0], "per": str(SIZES[0])}
        said = {name: str(value) for name, value in values.items() if value not in (None, "")}
        return {name: value for name, value in said.items() if defaults.get(name) != value}


def filters_from(values: Any, choices: Choices) -> Filters:
    """The filters that an address asks for; what it cannot mean is left out."""
    known = {name: values.get(name, "") for name in KEPT}
    try:
        person = bytes.fromhex(known["person"]) if known["person"] else None
    except ValueError:
        person = b""
    school = choices.schools.get(known["school"], ("", ""))[0]
    number = known["number"]
    return Filters(
        school=school,
        programme=known["programme"] if known["programme"] in choices.programmes else "",
        level=known["level"] if known["level"] in dict(LEVELS) else "",
        flags=known["flags"] if known["flags"] in dict(FLAGS) else "",
        due=known["due"] if known["due"] in dict(DUE) else "",
        amount_from=_yuan(known["amount_from"]),
        amount_to=_yuan(known["amount_to"]),
        name=known["name"][:50],
        number=int(number) if number.isdecimal() and len(number) <= NUMBER_LENGTH else None,
        person=person,
        order="due" if known["order"] == "due" else "arrived",
    )


def _yuan(text: str) -> Decimal | None:
    try:
        amount = Decimal(text[:20])
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**8 else None


class SaveForm(forms.Form):
    """The name under which a filter is saved."""

    name = forms.CharField(label=_("Save this filter as"), max_length=20)


class ColumnsForm(forms.Form):
    """The columns of the queue."""

    columns = forms.MultipleChoiceField(
        label=_("Columns"), choices=list(COLUMNS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )


class DecisionForm(forms.Form):
    """One answer to one or many tasks. A return may say what to correct and by when."""

    step = forms.ChoiceField(choices=[(step, step) for step in REVIEWERS], widget=forms.HiddenInput)
    outcome = forms.ChoiceField(choices=[(name, name) for name in OUTCOMES], widget=forms.HiddenInput)
    token = forms.UUIDField(widget=forms.HiddenInput, required=False)
    reason_code = forms.ChoiceField(label=_("Reason"), required=False)
    reason_text = ReasonField(
        label=_("In words"), least=0, required=False, help_text=_("10 to 1,000 characters. The school reads them.")
    )
    findings_seen = forms.BooleanField(
        label=_("I have looked at what was found, and approve these too"), required=False
    )
    to = forms.ChoiceField(label=_("Return to"), required=False)
    fields_to_correct = forms.MultipleChoiceField(
        label=_("To be corrected"), choices=PARTS, required=False, widget=forms.CheckboxSelectMultiple
    )
    due_on = forms.DateField(
        label=_("Correct by"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(
        self,
        data: Any = None,
        *,
        outcome: str = "",
        step: str = "",
        today: date,
        passes: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.act = (data or {}).get("outcome", "") or outcome
        self.at_step = (data or {}).get("step", "") or step
        self.today = today
        initial = {"outcome": outcome, "step": step, "token": uuid.uuid4()}
        super().__init__(data, initial=initial, auto_id=f"{self.act}-%s", **kwargs)
        self.fields["reason_code"].choices = [("", _("Please choose")), *reasons_for(self.act)]  # type: ignore[attr-defined]
        for name, refusal in (("reason_code", "reason_required"), ("reason_text", "reason_too_short")):
            self.fields[name].required = self.asks_reason
            self.fields[name].error_messages["required"] = SENTENCES[refusal]
        if self.asks_reason:
            self.fields["reason_text"].widget.attrs["minlength"] = MIN_LENGTH
        if self.act != "return":
            del self.fields["fields_to_correct"], self.fields["due_on"], self.fields["to"]
        else:
            self.fields["to"].choices = self._places(passes)  # type: ignore[attr-defined]
            self.fields["due_on"].widget.attrs["min"] = today.isoformat()
            self.fields["due_on"].initial = calendar().after(today, CORRECTION_DAYS)

    def _places(self, passes: Sequence[str] | None) -> list[tuple[str, Any]]:
        """Where a return may go: the school, or a review that cases with these optional steps have passed."""
        places: list[tuple[str, Any]] = [("", _("The school, for correction"))]
        if self.at_step not in REVIEWERS:
            return places
        earlier = earlier_steps(AidFlow.kind, self.at_step)
        optional = [name for name in earlier if step_of(AidFlow.kind, name).optional]
        passed = [name for name in earlier if passes is None or name not in optional or name in passes]
        return places + [(name, NAMES[step_of(AidFlow.kind, name).state]) for name in passed]

    @property
    def asks_reason(self) -> bool:
        """Whether the step demands a reason for this outcome."""
        if self.at_step not in REVIEWERS:
            return False
        way = step_of(AidFlow.kind, self.at_step).outcomes.get(self.act)
        return bool(way and way.reason)

    @property
    def plain(self) -> bool:
        """Nothing to fill in: a button is enough."""
        return self.act == "approve" and not self.asks_reason

    def clean_token(self) -> uuid.UUID:
        return self.cleaned_data["token"] or uuid.uuid4()

    def clean_due_on(self) -> date | None:
        due: date | None = self.cleaned_data["due_on"]
        if due and due < self.today:
            raise ValidationError(_("This day is over."), code="past")
        return due

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        refused = refusal_of(self.reason, self.act, self.asks_reason)
        if refused and not self.errors:
            self.add_error("reason_text" if refused == "reason_too_short" else "reason_code", SENTENCES[refused])
        return values

    @property
    def reason(self) -> Reason | None:
        """The reason given; None where nothing was."""
        code, text = self.cleaned_data.get("reason_code", ""), self.cleaned_data.get("reason_text", "").strip()
        return Reason(code, text) if code or text else None

    @property
    def extra(self) -> dict[str, Any]:
        """What goes on the record with the decision: parts to correct, and the day it is wanted by."""
        values: dict[str, Any] = {}
        if to := self.cleaned_data.get("to"):
            values["to"] = to
        if parts := self.cleaned_data.get("fields_to_correct"):
            values["fields"] = parts
        if due := self.cleaned_data.get("due_on"):
            values["due_on"] = due.isoformat()
        return values


class PurposeForm(forms.Form):
    """Why full numbers are opened."""

    purpose = forms.ChoiceField(label=_("Purpose"), choices=[("", _("Please choose")), *PURPOSES.items()])
    text = forms.CharField(label=_("In words"), required=False, max_length=300)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("purpose") == "other" and len(values.get("text", "").strip()) < 4:
            self.add_error("text", ValidationError(_("Please say in words what for."), code="purpose_text"))
        return values
