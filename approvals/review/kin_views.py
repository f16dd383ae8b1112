"""回避申报: everybody on the staff declares relatives, and says who he is, so that he judges neither."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from approvals.applications import recusals
from approvals.organisations.access import actor
from approvals.people import kin
from approvals.people.crypto import blind_index
from approvals.people.identity import SENTENCES as ID_SENTENCES
from approvals.people.identity import id_problem, normalise_id
from workflows.clock import today

OWN = "own"


class KinForm(forms.Form):
    """A relative by ID number and relation, or one's own number."""

    relation = forms.ChoiceField(
        label=gettext_lazy("Relation"), choices=[(OWN, gettext_lazy("Myself")), *kin.RELATIONS], initial="direct"
    )
    id_number = forms.CharField(
        label=gettext_lazy("ID number"), max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Only a keyed digest and the last four characters are kept."),
    )  # fmt: skip

    def clean_id_number(self) -> str:
        number = normalise_id(self.cleaned_data["id_number"])
        if problem := id_problem(number, today()):
            raise ValidationError(ID_SENTENCES[problem], code=problem)
        return number


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def declarations(request: HttpRequest) -> HttpResponse:
    """One's own declarations, and the form for another."""
    by, form = actor(request), KinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values: dict[str, Any] = form.cleaned_data
        with transaction.atomic():
            if values["relation"] == OWN:
                kin.identify(by, values["id_number"])
            elif kin.declare(by, values["id_number"], values["relation"]) is None:
                messages.info(request, _("You have declared this person already."))
            count = recusals.find_for(blind_index(values["id_number"]))
        messages.success(request, _("Declared. Recusals found in open cases: %(count)s.") % {"count": count})
        return redirect("review:kin")
    names = dict(kin.RELATIONS)
    declared = [{"row": row, "relation": names[row.relation]} for row in kin.kin_of(by)]
    context = {"form": form, "declared": declared, "identified": by.user.id_hash is not None}
    return render(request, "review/kin.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def end_declaration(request: HttpRequest, kinship_id: int) -> HttpResponse:
    """Takes a declaration of one's own back; recusals that it led to stay."""
    if kin.take_back(actor(request), kinship_id):
        messages.success(request, _("Taken back. Recusals that it led to stay."))
    return redirect("review:kin")
