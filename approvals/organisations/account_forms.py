"""Forms of the accounts pages."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations.forms import ReasonForm
from approvals.organisations.models import Kind, Organisation, User
from approvals.organisations.queries import offices_under, valid_on
from workflows.clock import today


class SearchForm(forms.Form):
    """Which accounts to list."""

    q = forms.CharField(label=_("Name, account or phone"), required=False, max_length=80)


class EmployerForm(forms.Form):
    """The school that employs a person, if one does; the present one can be kept, though it be closed."""

    employer = forms.ModelChoiceField(
        label=_("Employed by the school"), queryset=Organisation.objects.none(), required=False,
        empty_label=_p("employer", "No school"),
        help_text=_("Whose cases the person then does not judge at the offices above the school."),
    )  # fmt: skip

    def __init__(self, *args: Any, offices: list[str], present: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, initial={"employer": present}, **kwargs)
        schools = offices_under(offices).filter(valid_on(today()) | Q(pk=present), kind=Kind.SCHOOL)
        self.fields["employer"].queryset = schools  # type: ignore[attr-defined]


class AccountForm(EmployerForm):
    """A person who is to sign in."""

    field_order = ("username", "name", "phone", "employer")

    username = forms.CharField(
        label=_("Account"), max_length=150, help_text=_("The name the person signs in with: letters and digits."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    name = forms.CharField(label=_("Name"), max_length=80)
    phone = forms.CharField(label=_("Office phone"), max_length=30, required=False)


class WhyForm(ReasonForm):
    """Why an account is closed or opened again."""


class PasswordForm(forms.Form):
    """A person's own new password."""

    old = forms.CharField(
        label=_("Present password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    new = forms.CharField(
        label=_("New password"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label=_("New password again"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["new"].help_text = " ".join(map(str, password_validators_help_texts()))

    def clean_old(self) -> str:
        old: str = self.cleaned_data["old"]
        if not self.user.check_password(old):
            raise forms.ValidationError(gettext("That is not the present password."))
        return old

    def clean_new(self) -> str:
        new: str = self.cleaned_data["new"]
        validate_password(new, self.user)
        return new

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("new") and data.get("again") and data["new"] != data["again"]:
            self.add_error("again", gettext("The two new passwords differ."))
        return data
