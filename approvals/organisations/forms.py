"""Forms of the posts page."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations import roles
from approvals.organisations.models import Organisation, User
from approvals.organisations.queries import offices_under
from approvals.organisations.reasons import ReasonField

STANDINGS = {
    "in_force": _p("post", "In force"),
    "to_come": _p("post", "To come"),
    "ended": _p("post", "Ended"),
    "revoked": _p("post", "Taken away"),
}


class DayInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class FilterForm(forms.Form):
    """Which posts to list."""

    q = forms.CharField(label=_("Person or account"), required=False, max_length=80)
    office = forms.ModelChoiceField(
        label=_("Office or school"),
        queryset=Organisation.objects.none(),
        required=False,
        empty_label=_p("posts", "All"),
    )
    role = forms.ChoiceField(label=_("Role"), required=False)
    standing = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _p("posts", "All")), *STANDINGS.items()]
    )

    def __init__(self, *args: Any, offices: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].queryset = offices_under(offices)  # type: ignore[attr-defined]
        self.fields["role"].choices = [("", _p("posts", "All")), *roles.NAMES.items()]  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why a post or an account changes: some words, for the record."""

    reason = ReasonField(label=_("Reason"), most=500, help_text=_("10 to 500 characters; it goes on the record."))


class _PersonForm(ReasonForm):
    user = forms.CharField(
        label=_("Account"), max_length=150, help_text=_("The name the person signs in with, such as officer1.")
    )
    starts_on = forms.DateField(label=_("From"), widget=DayInput)

    def clean_user(self) -> User:
        found = User.objects.filter(username=self.cleaned_data["user"].strip(), is_active=True).first()
        if found is None:
            raise forms.ValidationError(gettext("There is no such account."))
        return found


class AppointForm(_PersonForm):
    """A person, a role, an office or school, the days, and why."""

    organisation = forms.ModelChoiceField(
        label=_("Office or school"), queryset=Organisation.objects.none(), empty_label=_("Please choose")
    )
    role = forms.ChoiceField(label=_("Role"), choices=[("", _("Please choose")), *roles.NAMES.items()])
    ends_on = forms.DateField(
        label=_("Until"), widget=DayInput, required=False, help_text=_("The last day; empty where none is set.")
    )

    def __init__(self, *args: Any, offices: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = offices_under(offices).filter(valid_to=None)  # type: ignore[attr-defined]


class DeputyForm(_PersonForm):
    """Who represents an absent holder, from when until when, and why."""

    ends_on = forms.DateField(label=_("Until"), widget=DayInput, help_text=_("The last day."))


class EndForm(ReasonForm):
    """When a post ends, or all posts of a person who leaves, and why."""

    last_day = forms.DateField(
        label=_("Last day"), widget=DayInput, required=False,
        help_text=_("Empty: at once when it is approved."),
    )  # fmt: skip


class DeclineForm(ReasonForm):
    """Why a proposal is declined."""
