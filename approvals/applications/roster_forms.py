"""Forms of the roster pages."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from approvals.organisations.models import Organisation
from approvals.programmes import queries as programmes
from approvals.programmes.terms import Term
from workflows.clock import today

VALID_ONLY, ALL_OR_NOTHING = "valid", "all"


class UploadForm(forms.Form):
    """Which list, for which school and programme; only what takes applications today can be chosen."""

    school = forms.ModelChoiceField(label=_("School"), queryset=Organisation.objects.none(), empty_label=None)
    target = forms.ChoiceField(label=_("Programme and term"))
    file = forms.FileField(
        label=_("Roster file"),
        help_text=_("Excel (.xlsx, .xls) or CSV, up to 50 MB. Titles above and totals below may stay."),
        widget=forms.ClearableFileInput({"accept": ".xlsx,.xls,.csv,.txt"}),
    )

    def __init__(self, *args: Any, schools: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["school"].queryset = schools  # type: ignore[attr-defined]
        self.fields["target"].choices = targets_today()  # type: ignore[attr-defined]

    def clean_target(self) -> tuple[str, str]:
        """(programme or group, term)."""
        programme, term = self.cleaned_data["target"].split(" ")
        return programme, term


def targets_today() -> list[tuple[str, str]]:
    """(“code term”, name) of what a roster can be for today; programmes of one group stand as the group."""
    versions = {version.programme_id: version for version in programmes.current()}
    language = get_language()
    found: dict[str, str] = {}
    for window in programmes.open_windows(today()):
        version = versions[window.programme_id]
        group = version.programme.group
        grouped = sum(other.programme.group == group for other in versions.values()) > 1
        code = group if grouped else version.programme_id
        name = programmes.group_name(group, language) if grouped else version.rules.display_name(language)
        found[f"{code} {window.term}"] = f"{name} · {Term.of(window.term).name()}"
    return list(found.items())


class ConfirmForm(forms.Form):
    """How a judged roster is taken over, and which signed papers the school holds for it."""

    mode = forms.ChoiceField(
        label=_("Rows to take"),
        choices=[(VALID_ONLY, _("Valid rows only")), (ALL_OR_NOTHING, _("All or nothing"))],
        widget=forms.RadioSelect,
        initial=VALID_ONLY,
    )
    commitment_held = forms.BooleanField(
        label=_("The school holds the signed commitment of every guardian or pupil on this list"), required=False
    )
    consent_held = forms.BooleanField(
        label=_("The school holds the guardian's signed consent for every pupil under 14 on this list"), required=False
    )
