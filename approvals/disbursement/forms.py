"""Forms of the payment pages."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from approvals.disbursement.bank import profiles
from approvals.organisations.reasons import ReasonField
from approvals.people import accounts

KIND_NAMES = [
    (accounts.BANK_CARD, _("Bank card")),
    (accounts.SOCIAL_SECURITY_CARD, _("Social-security card")),
    (accounts.PASSBOOK, _("Passbook")),
]


class ReasonForm(forms.Form):
    """Why a batch is sent back or cancelled."""

    reason = ReasonField(label=_("Reason"), most=500, rows=2)


class ReturnFileForm(forms.Form):
    """The bank's answer."""

    file = forms.FileField(label=_("Bank return file"))


class SettlementForm(forms.Form):
    """The document under which a waiver is settled with the schools."""

    document = forms.CharField(label=_("Settlement document number"), max_length=60)


class AccountForm(forms.Form):
    """Another account for a payment that did not arrive; typed twice, whatever its kind."""

    account_kind = forms.ChoiceField(label=_("Kind of account"), choices=KIND_NAMES)
    account = forms.CharField(label=_("Account number"), max_length=60)
    again = forms.CharField(
        label=_("Account number once more"), max_length=60, help_text=_("Type it again from the card; do not copy it.")
    )
    holder = forms.CharField(label=_("Account holder"), max_length=50)
    bank = forms.CharField(label=_("Bank"), max_length=60)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        number = accounts.normalise_account(data.get("account", ""))
        kind = data.get("account_kind", accounts.BANK_CARD)
        if number and (problem := accounts.account_problem(number, kind)):
            self.add_error("account", str(accounts.SENTENCES[problem]))
        elif "again" in data and accounts.normalise_account(data["again"]) != number:
            self.add_error("again", _("The two account numbers are not the same."))
        return data


class BankForm(forms.Form):
    """In whose format a batch goes out; fixed once it is sent."""

    bank = forms.ChoiceField(label=_("Bank and format"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["bank"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(code, bank.name) for code, bank in profiles().items()]
        field.initial = settings.BANK_PROFILE
