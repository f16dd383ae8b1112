"""自查: a form made of the facts that a programme's rules ask for, and what the rules say of the answers.

The rule engine is the one that judges applications (approvals.programmes.eligibility). What is not answered is unknown,
never a no. Nothing is kept: not in a row, a log, a cookie or an address.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.models import LEVELS
from approvals.organisations.models import Kind, Organisation, SchoolForm
from approvals.organisations.queries import valid_on
from approvals.organisations.stages import STAGES
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes import eligibility
from approvals.programmes.definition import Definition
from approvals.programmes.rules import asked_for

UNSURE, NONE = "", "-"
"""Answers: not known; and known to be none of what is listed."""
OLDEST = 30
DONT_KNOW: tuple[str, Promise] = (UNSURE, _p("self-check", "I do not know"))


class Said(NamedTuple):
    """What one rule says: what it asks, whether that holds (None: it cannot be told), and the sentence."""

    asks: str
    holds: bool | None
    sentence: str


def _choice(label: Promise, choices: list[tuple[str, Any]], help_text: Promise | str = "") -> forms.Field:
    return forms.ChoiceField(label=label, choices=[DONT_KNOW, *choices], required=False, help_text=help_text)


def _yes_or_no(label: Promise, help_text: Promise | str = "") -> forms.Field:
    choices = [("yes", _p("self-check", "Yes")), ("no", _p("self-check", "No"))]
    field = _choice(label, choices, help_text)
    field.widget = forms.RadioSelect(choices=[*choices, DONT_KNOW])
    field.initial = UNSURE
    return field


def _schools(day: date) -> list[tuple[str, str]]:
    found = Organisation.objects.filter(valid_on(day), kind=Kind.SCHOOL).order_by("path")
    return [*found.values_list("code", "name"), (NONE, str(_p("self-check", "Another school")))]


FIELDS: dict[str, Callable[[date], forms.Field]] = {
    "stage": lambda day: _choice(_("Stage of schooling"), list(STAGES.items())),
    "grade": lambda day: forms.CharField(label=_("Grade"), max_length=20, required=False, help_text=_("As in 三年级.")),
    "boarder": lambda day: _yes_or_no(_("Does the pupil board at the school?")),
    "special_groups": lambda day: forms.MultipleChoiceField(
        label=_("Does the family belong to one of these groups?"),
        choices=[*SPECIAL_GROUPS.items(), (NONE, _p("self-check", "None of these"))],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick what applies. Nothing ticked means that you do not know."),
    ),
    "level": lambda day: _choice(
        _("Hardship level that the school has set this school year"),
        [*LEVELS, (NONE, _p("self-check", "None has been set yet"))],
    ),
    "register_category": lambda day: _choice(
        _("How the household stands on the county's register of poor households"),
        [
            *((code, SPECIAL_GROUPS[code]) for code in SPECIAL_GROUPS if code.startswith(("lifted_", "monitored_"))),
            ("dibao", SPECIAL_GROUPS["dibao"]),
            ("tekun", SPECIAL_GROUPS["tekun"]),
            (NONE, _p("self-check", "It is not on it")),
        ],
        _("The village or township office can tell you."),
    ),
    "registered_in_county": lambda day: _yes_or_no(_("Is the household registered in this county?")),
    "school_code": lambda day: _choice(_("School"), _schools(day)),
    "school_form": lambda day: _choice(_("Kind of school"), list(SchoolForm.choices)),
    "amount_fen": lambda day: forms.DecimalField(
        label=_("Amount a term, in yuan"), min_value=0, max_digits=8, decimal_places=2, required=False
    ),
    "age": lambda day: forms.IntegerField(label=_("Age in years"), min_value=0, max_value=OLDEST, required=False),
    "verified": lambda day: _yes_or_no(_("Is the pupil's enrolment (学籍) at this school confirmed?")),
}
"""A question for each fact that rules may ask for (approvals.programmes.rules.FACTS), made anew for each form."""


class SelfCheckForm(forms.Form):
    """The questions that decide the rules of one programme, in the order in which the rules ask."""

    def __init__(self, definition: Definition, day: date, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.definition = definition
        for fact in dict.fromkeys(fact for rule in definition.rules for fact in asked_for(rule.when)):
            self.fields[fact] = FIELDS[fact](day)
            if not isinstance(self.fields[fact].widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
                self.fields[fact].widget.attrs["autocomplete"] = "off"

    @property
    def facts(self) -> dict[str, Any]:
        """The answers as rules take them; None for what is not known. Asked for after `is_valid()`."""
        return {name: _fact(name, given) for name, given in self.cleaned_data.items()}

    def said(self) -> list[Said]:
        """What each rule says of the answers, in the rules' order."""
        language = get_language()
        return [
            Said(rule.asks.in_language(language), finding.holds, eligibility.sentence(self.definition, finding))
            for rule, finding in zip(
                self.definition.rules, eligibility.evaluate(self.definition, self.facts), strict=True
            )
        ]


def _fact(name: str, given: Any) -> Any:
    if given in (UNSURE, None, []):
        return None
    if name == "special_groups":
        return [group for group in given if group != NONE]
    if name == "amount_fen":
        return int(given * 100)
    if name in ("boarder", "registered_in_county", "verified"):
        return given == "yes"
    return "" if given == NONE else given
