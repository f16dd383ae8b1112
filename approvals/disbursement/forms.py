"""Forms of the payment pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

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
    """Another account for a failed payment; a passbook is entered twice, since it cannot be checked."""

    account = forms.CharField(label=_("Account number"), max_length=40)
    account_kind = forms.ChoiceField(label=_("Kind of account"), choices=KIND_NAMES)
    again = forms.CharField(label=_("Passbook number once more"), max_length=40, required=False)
    holder = forms.CharField(label=_("Account holder"), max_length=50)
    bank = forms.CharField(label=_("Bank"), max_length=60)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        number = accounts.normalise_account(data.get("account", ""))
        kind = data.get("account_kind", accounts.BANK_CARD)
        if problem := accounts.account_problem(number, kind):
            self.add_error("account", str(accounts.SENTENCES[problem]))
        elif kind == accounts.PASSBOOK and accounts.normalise_account(data.get("again", "")) != number:
            self.add_error("again", _("The two passbook numbers are not the same."))
        return data
