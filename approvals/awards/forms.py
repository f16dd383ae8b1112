"""Forms of the award pages."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.awards.actions import Goal
from approvals.awards.reasons import EVENTS, KINDS, REASONS
from approvals.organisations.reasons import ReasonField, WordsField
from approvals.people.identity import SENTENCES as IDENTITY
from approvals.people.identity import id_problem, normalise_id


def _day(label: Any, on: date, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput({"type": "date", "max": on.isoformat()}, "%Y-%m-%d"),
    )


class _Going(forms.Form):
    """Where a pupil goes: a school of the county, or the name of one elsewhere."""

    def goal(self) -> Goal:
        return Goal(self.cleaned_data.get("to_school"), self.cleaned_data.get("to_place") or "")

    def _add_goal(self, schools: Any) -> None:
        self.fields["to_school"] = forms.ModelChoiceField(
            label=_("New school in the county"),
            queryset=schools,
            required=False,
            empty_label=_("Another county, or no change of school"),
            help_text=_("Only for a change of school; the award follows once that school has accepted."),
        )
        self.fields["to_place"] = forms.CharField(
            label=_("New school elsewhere"),
            required=False,
            max_length=80,
            help_text=_("Only for a change to a school outside the county: place and name."),
        )


class ProposeForm(_Going):
    """What is proposed of an award: the change with its reason, from which day, and why in words."""

    def __init__(self, *args: Any, kinds: Sequence[str], schools: Any, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict(KINDS)
        groups = [(names[kind], [(f"{kind} {code}", name) for code, name in REASONS[kind].items()]) for kind in kinds]
        self.fields["change"] = forms.ChoiceField(
            label=_("Change and reason"), choices=[("", _("Please choose")), *groups]
        )
        self.fields["effective_on"] = _day(_("Effective on"), on, _("The day from which it holds, today or earlier."))
        if "transfer" in kinds:
            self._add_goal(schools)
        self.fields["text"] = ReasonField(label=_("In words"), help_text=_("What happened and what paper shows it."))

    def change(self) -> tuple[str, str]:
        """(kind, reason code)."""
        kind, _space, code = self.cleaned_data["change"].partition(" ")
        return kind, code


class EventForm(_Going):
    """A change of one pupil's enrolment."""

    def __init__(self, *args: Any, schools: Any, others: Any, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on
        self.fields["school"] = forms.ModelChoiceField(label=_("School"), queryset=schools, empty_label=None)
        self.fields["id_number"] = forms.CharField(
            label=_("ID number of the pupil"), max_length=30, widget=forms.TextInput({"autocomplete": "off"})
        )
        self.fields["kind"] = forms.ChoiceField(label=_("Change"), choices=[("", _("Please choose")), *EVENTS])
        self.fields["day"] = _day(_("Day of the change"), on)
        self._add_goal(others)
        self.fields["remark"] = WordsField(
            label=_p("enrolment event", "Remark"), least=0, most=300, rows=2, required=False
        )

    def clean_id_number(self) -> str:
        number = normalise_id(self.cleaned_data["id_number"])
        if code := id_problem(number, self.on):
            raise forms.ValidationError(str(IDENTITY[code]))
        return number


class ListForm(forms.Form):
    """A school's list of changes."""

    file = forms.FileField(
        label=_("List of changes"),
        help_text=_("Excel (.xlsx, .xls) or CSV, with the columns of the template; titles above may stay."),
        widget=forms.ClearableFileInput({"accept": ".xlsx,.xls,.csv,.txt"}),
    )

    def __init__(self, *args: Any, schools: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = forms.ModelChoiceField(label=_("School"), queryset=schools, empty_label=None)
        self.fields = {"school": field, **self.fields}


class ReasonForm(forms.Form):
    """Why, in words."""

    reason = ReasonField(label=_("Reason"))


class ProofForm(forms.Form):
    """What proves a year."""

    text = ReasonField(label=_("Proof of the year"), help_text=_("Which paper, of whom, its number and date."))


def chosen(values: Iterable[str]) -> list[int]:
    """Keys as they come from ticked boxes; what is no key is left out."""
    return [int(value) for value in values if value.isascii() and value.isdecimal() and len(value) < 19]
