"""What people write about findings and about pupils without aid."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.organisations.reasons import ReasonField
from approvals.oversight.models import REASONS


class AnswerForm(forms.Form):
    """What the office did."""

    answer = ReasonField(label=_("What was done"), help_text=_("10 to 1,000 characters; the audit reads them."))


class WhyForm(forms.Form):
    """Why it is sent back, or is no violation."""

    reason = ReasonField(label=_("Reason"), help_text=_("10 to 1,000 characters; the office reads them."))


class CoverageForm(forms.Form):
    """Why a pupil has no aid."""

    code = forms.ChoiceField(label=_("Reason"), choices=[("", _("Please choose")), *REASONS])
    text = ReasonField(label=_("In words"), help_text=_("10 to 1,000 characters; who said so, and when."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].error_messages["required"] = _("Please choose a reason from the list.")
