"""Forms of the data match's pages."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.applications.sources import registry
from approvals.organisations.reasons import ReasonField
from workflows.reasons import reasons_for


class ListForm(forms.Form):
    """A list of another office: which kind, who issued it, of which day, and the file."""

    kind = forms.ChoiceField(label=_("Kind of list"))
    origin = forms.CharField(
        label=_("Issuing office"), min_length=2, max_length=80, help_text=_("As it is to be named on the case page.")
    )
    as_of = forms.DateField(
        label=_("Date of the data"),
        help_text=_("The day on which the list was true at the office, not the day of the upload."),
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("Excel (.xlsx, .xls) or CSV, up to 50 MB. Titles above and totals below may stay."),
        widget=forms.ClearableFileInput({"accept": ".xlsx,.xls,.csv,.txt"}),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(kind.code, kind.title) for kind in registry.listed_kinds()]
        self.fields["kind"].choices = [("", _("Please choose")), *kinds]  # type: ignore[attr-defined]
        self.fields["as_of"].widget.attrs["max"] = today.isoformat()


class WaiveForm(forms.Form):
    """Why one hit is waived: a reason from the list, and in words."""

    reason_code = forms.ChoiceField(label=_("Reason"))
    reason_text = ReasonField(
        label=_("In words"),
        help_text=_("What was looked into, and what it showed; at least 10 characters."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason_code"].choices = [("", _("Please choose")), *reasons_for("approve")]  # type: ignore[attr-defined]
