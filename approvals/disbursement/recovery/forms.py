"""Forms of the recovery pages."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.disbursement.funds.forms import DateInput, MoneyField
from approvals.disbursement.recovery.models import CAUSES
from approvals.organisations.reasons import ReasonField, WordsField


class OpenForm(forms.Form):
    """立案: why, and how much."""

    cause = forms.ChoiceField(label=_("Why it is asked back"), choices=CAUSES)
    amount = MoneyField(label=_("Amount in yuan"), min_value=Decimal("0.01"))
    words = WordsField(label=_("What happened, and on what it rests"), least=10, most=1000, rows=3)
    difference = forms.IntegerField(required=False, widget=forms.HiddenInput)


class NoticeForm(forms.Form):
    """通知: until when to pay."""

    due_on = forms.DateField(label=_("To be paid by"), widget=DateInput())


class ReceiptForm(forms.Form):
    """缴款凭证 of the treasury's account."""

    number = forms.CharField(label=_("Number of the receipt"), max_length=60)
    dated = forms.DateField(label=_("Date of the receipt"), widget=DateInput())
    amount = MoneyField(label=_("Amount in yuan"), min_value=Decimal("0.01"))


class WhyForm(forms.Form):
    """Why it is written off, not written off, handed over or withdrawn."""

    reason = ReasonField(label=_("Reason"), most=1000, rows=2)


class AccountForm(forms.Form):
    """缴款账户 of the treasury."""

    holder = forms.CharField(label=_("Account holder"), max_length=80)
    bank = forms.CharField(label=_("Bank"), max_length=80)
    account_no = forms.CharField(label=_("Account number"), max_length=40)
