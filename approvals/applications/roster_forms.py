"""Forms of the roster pages."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from approvals.applications.queries import roster_targets
from approvals.organisations.models import Organisation
from approvals.programmes import queries as programmes
from approvals.programmes.models import ProgrammeVersion
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
        self.offered = targets_today(schools)
        asked = [("", _("Please choose"))] if len(self.offered) > 1 else []
        self.fields["target"].choices = [*asked, *self.offered]  # type: ignore[attr-defined]

    def clean_target(self) -> tuple[str, str]:
        """(programme or group, term)."""
        return split_target(self.cleaned_data["target"])

    def clean(self) -> dict[str, Any]:
        """Of several schools, the one chosen must teach what the programme is for."""
        data = super().clean() or {}
        school, target = data.get("school"), data.get("target")
        if school and target and target not in roster_targets([school], today()):
            self.add_error("target", gettext("This school has no pupils for that programme."))
        return data


def split_target(text: str) -> tuple[str, str]:
    """“code term” as (code, term)."""
    code, _space, term = text.partition(" ")
    return code, term


def targets_today(schools: Iterable[Organisation]) -> list[tuple[str, str]]:
    """(“code term”, name) of what a roster of these schools can be for today."""
    return [
        (f"{code} {term}", f"{target_name(code, versions)} · {Term.of(term).name()}")
        for (code, term), versions in roster_targets(schools, today()).items()
    ]


def open_now(school: Organisation) -> list[tuple[str, date]]:
    """(name, last day) of what a roster of this school can be for today."""
    ends = {(window.programme_id, window.term): window.closes_on for window in programmes.open_windows(today())}
    return [
        (
            f"{target_name(code, versions)} · {Term.of(term).name()}",
            max(ends[version.programme_id, term] for version in versions),
        )
        for (code, term), versions in roster_targets([school], today()).items()
    ]


def target_name(code: str, versions: Sequence[ProgrammeVersion]) -> str:
    """What a programme, or a group of several, is called in the present language."""
    language = get_language()
    if versions[0].programme_id == code:
        return versions[0].rules.display_name(language)
    return programmes.group_name(code, language)


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
