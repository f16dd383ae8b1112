"""The receipts page: paid lines without a signature, confirmed in bulk."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.utils.translation import pgettext_lazy as _p
from django.views.decorators.http import require_http_methods

from approvals.disbursement.funds.forms import DateInput
from approvals.disbursement.receipts import actions, queries
from approvals.disbursement.receipts.actions import CONFIRMS, Signed
from approvals.disbursement.receipts.models import SIGNERS
from approvals.disbursement.refusals import Refused
from approvals.organisations.access import actor, may, number, prefixes, requires
from workflows.clock import today

READERS = (CONFIRMS, "make_batch", "view_record")
PAGE = 100


class SignedForm(forms.Form):
    """When it was signed, and by whom."""

    signed_by = forms.ChoiceField(label=_p("a receipt", "Signed by"), choices=SIGNERS)
    signed_on = forms.DateField(label=_("Signed on"), widget=DateInput())


@require_http_methods(["GET", "POST"])
@requires(*READERS)
def receipts(request: HttpRequest) -> HttpResponse:
    """签收: what waits for a signature; the school ticks what was signed."""
    overdue = request.GET.get("overdue") == "1"
    rows = queries.to_sign(prefixes(request, *READERS), overdue)
    form = SignedForm(request.POST or None, initial={"signed_on": today()})
    chosen = {pk for text in request.POST.getlist("line") if (pk := number(text)) is not None}
    if request.method == "POST" and form.is_valid():
        who = form.cleaned_data["signed_by"]
        signed = [
            Signed(line.pk, who, line.student.name if who == "pupil" else line.guardian or line.payee)
            for line in rows.filter(pk__in=chosen)
        ]
        try:
            done = actions.confirm_receipt(signed, form.cleaned_data["signed_on"], actor(request))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            said = ngettext("%(count)s receipt is confirmed.", "%(count)s receipts are confirmed.", done)
            messages.success(request, said % {"count": done})
            return redirect("disbursement:receipts")
    if (after := number(request.GET.get("after"))) is not None:
        rows = rows.filter(pk__gt=after)
    found = list(rows[: PAGE + 1])
    return render(
        request,
        "disbursement/receipts.html",
        {
            "lines": found[:PAGE],
            "next": found[PAGE - 1].pk if len(found) > PAGE else None,
            "form": form,
            "chosen": chosen,
            "confirms": may(request, CONFIRMS),
            "overdue": overdue,
            "days": queries.DAYS,
        },
    )
