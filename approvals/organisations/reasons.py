"""The fields in which people write at length: a reason, or other words."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows.reasons import MAX_LENGTH, MIN_LENGTH
from workflows.refusals import SENTENCES


class WordsField(forms.CharField):
    """Words at length. Too many are refused with a sentence: the browser would cut them without a word."""

    default_error_messages = {
        "min_length": _("Please write at least %(limit_value)d characters; these are %(show_value)d."),
        "max_length": _("Please write at most %(limit_value)d characters; these are %(show_value)d."),
    }

    def __init__(self, *, least: int = MIN_LENGTH, most: int = MAX_LENGTH, rows: int = 3, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows})
        super().__init__(min_length=least or None, max_length=most, widget=widget, **options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No `maxlength`, which cuts what is pasted."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


class ReasonField(WordsField):
    """A reason in words."""

    default_error_messages = {
        "required": SENTENCES["reason_required"],
        "min_length": _("A reason has at least %(limit_value)d characters; this one has %(show_value)d."),
        "max_length": _("A reason has at most %(limit_value)d characters; this one has %(show_value)d."),
    }
