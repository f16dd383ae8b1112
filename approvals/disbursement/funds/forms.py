"""Forms of the fund pages."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.disbursement.funds.models import FundSource
from approvals.organisations.reasons import WordsField
from approvals.programmes.models import Programme
from workflows.clock import today

_LARGEST = Decimal("99999999999.99")


class MoneyField(forms.DecimalField):
    """Yuan to the fen, as typed: spaces and separators between thousands are no matter."""

    default_error_messages = {"invalid": _("Write the amount in yuan, for example 1234.50.")}

    def __init__(self, **options: Any) -> None:
        options = {"max_digits": 13, "decimal_places": 2, "localize": False} | options
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(",", "").replace("，", "").replace(" ", "")
        return super().to_python(value)


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class DocumentForm(forms.Form):
    """A document with its date."""

    document = forms.CharField(label=_("Document number"), max_length=60)
    dated = forms.DateField(label=_("Date of the document"), widget=DateInput())

    def clean_dated(self) -> Any:
        day = self.cleaned_data["dated"]
        if day > today():
            raise forms.ValidationError(_("The document cannot be dated in the future."))
        return day


class AllotmentForm(DocumentForm):
    """资金下达 as its document says."""

    source = forms.ChoiceField(label=_("Fund source"), choices=FundSource.choices)
    budget_year = forms.IntegerField(label=_("Budget year"), min_value=2000, max_value=2100)
    amount = MoneyField(label=_("Amount in yuan"), min_value=Decimal("0.01"), max_value=_LARGEST)
    programmes = forms.MultipleChoiceField(
        label=_("Only for these programmes"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Earmarked funds are spent first, and on these programmes only. None chosen: for any programme."),
    )
    rural_priority = forms.BooleanField(label=_("Earmarked for rural revitalisation"), required=False)
    note = WordsField(label=_("Note"), least=0, most=500, rows=2, required=False)

    field_order = ["source", "budget_year", "document", "dated", "amount", "programmes", "rural_priority", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paying = [(programme.pk, str(programme)) for programme in Programme.objects.all()]
        self.fields["programmes"].choices = paying  # type: ignore[attr-defined]


class AdjustmentForm(DocumentForm):
    """追加、调减 of an allotment."""

    amount = MoneyField(
        label=_("Amount in yuan"),
        min_value=-_LARGEST,
        max_value=_LARGEST,
        help_text=_("With a minus where money is taken back."),
    )
    note = WordsField(label=_("Note"), least=0, most=500, rows=2, required=False)

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError(_("Please give an amount other than 0, in yuan."))
        return amount


class AllotForm(DocumentForm):
    """拨付: the treasury's document, and what each allotment bears."""

    def __init__(self, choices: list[dict[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices
        for row in choices:
            self.fields[f"share_{row['allotment'].pk}"] = MoneyField(
                label=row["allotment"].document, required=False, min_value=0, initial=row["now"]
            )

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row | {"field": self[f"share_{row['allotment'].pk}"]} for row in self.choices]

    def shares(self) -> dict[int, Decimal] | None:
        """Yuan by allotment as entered; None where no field of them was sent."""
        names = {row["allotment"].pk: f"share_{row['allotment'].pk}" for row in self.choices}
        if not any(name in self.data for name in names.values()):
            return None
        return {pk: self.cleaned_data.get(name) or Decimal("0.00") for pk, name in names.items()}


class ReconcileForm(forms.Form):
    """对账: what the bank's statement says it paid for the batch."""

    bank_total = MoneyField(label=_("Total paid by the bank's statement, in yuan"), min_value=0)
