"""What people type about a notice. Whether it may be done is judged by the actions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.notices import reasons
from approvals.notices.models import Notice
from approvals.notices.queries import columns_of
from approvals.notices.steps import HEADINGS
from approvals.organisations.reasons import ReasonField, WordsField
from workflows.reasons import Reason, reasons_for

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class EditForm(forms.ModelForm):
    """The author's part of a draft; of a notice taken out of view, also which of its programme's columns are shown."""

    columns = forms.MultipleChoiceField(
        label=_("Columns shown"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A column that showed something private may be left out. Names stay, in full or masked by rule."),
    )

    class Meta:
        model = Notice
        fields = ("title", "remark", "contact", "contact_phone", "contact_place")
        widgets = {"remark": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "remark": _("Shown to everybody. No names, numbers, birth dates, addresses or family circumstances."),
            "contact_phone": _("An office line, never a private number."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.state != "paused":
            del self.fields["columns"]
            return
        given = columns_of(self.instance)
        self.fields["columns"].choices = [(name, HEADINGS[name]) for name in given]  # type: ignore[attr-defined]
        self.initial["columns"] = self.instance.columns


class SignForm(forms.Form):
    """The signer confirms having looked, at what exactly, before the list goes public: at once, or on a later day."""

    privacy_checked = forms.BooleanField(
        required=False,
        label=_("I have read the list and the text. They show nothing private beyond the columns above."),
    )
    sealed = forms.BooleanField(
        required=False, label=_("The seal is on the paper that hangs out, with this date of issue.")
    )
    sealed_on = forms.DateField(label=_("Date of issue"), required=False, widget=DATE)
    publish_on = forms.DateField(
        label=_("Public from"),
        required=False,
        widget=DATE,
        help_text=_("Today: public at once. A later day: by itself, early that day. The period begins the day after."),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class ConclusionForm(forms.Form):
    """The words with which an office proposes to conclude a notice that was objected to."""

    text = WordsField(
        label=_("Conclusion"),
        most=500,
        rows=4,
        help_text=_(
            "How the objections were settled, in 10 to 500 characters. No names, no numbers: it may be public."
        ),
    )


class ConcludeForm(forms.Form):
    """The signer concludes what he has read."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class ReasonForm(forms.Form):
    """Why: a code from the list and a text."""

    reason_code = forms.ChoiceField(label=_("Reason"))
    reason_text = ReasonField(
        label=_("In words"),
        rows=2,
        help_text=_("At least 10 characters. It goes on the record, not on the public site."),
    )

    def __init__(self, act: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix=act, **kwargs)
        choices = reasons_for(act) if act == "adjust" else reasons.reasons_for(act)
        self.fields["reason_code"].choices = [("", _("Please choose")), *choices]  # type: ignore[attr-defined]

    @property
    def reason(self) -> Reason:
        """The reason given; asked for after `is_valid()`."""
        return Reason(self.cleaned_data["reason_code"], self.cleaned_data["reason_text"].strip())


class FindForm(forms.Form):
    """A name or line number looked for on one public list. Sent in the body, so that no address holds it."""

    name = forms.CharField(
        label=_("Name or number on this list"), max_length=50, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
