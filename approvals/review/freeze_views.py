"""冻结期: the periods in which an office decides nothing, and who sets them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from approvals.organisations.access import actor, may, prefixes, requires
from approvals.review import queries
from workflows.acts import end_freeze, set_freeze
from workflows.acts.pausing import FREEZE
from workflows.clock import today
from workflows.models import Freeze
from workflows.reasons import MIN_LENGTH

IN_FREEZE = "act_in_freeze"
"""The permission that a freeze period may leave open."""


class FreezeForm(forms.Form):
    """Where, from when until when, why, and whether the leaders may decide all the same."""

    office = forms.ChoiceField(label=gettext_lazy("Office and all below it"))
    starts_on = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}))
    ends_on = forms.DateField(
        label=gettext_lazy("Until, the last day included"), widget=forms.DateInput({"type": "date"})
    )
    text = forms.CharField(
        label=gettext_lazy("Reason"), min_length=MIN_LENGTH, max_length=200,
        help_text=gettext_lazy("Everybody whom it stops reads it. At least 10 characters."),
    )  # fmt: skip
    leaders = forms.BooleanField(label=gettext_lazy("County leaders may decide all the same"), required=False)

    def __init__(self, *args: Any, offices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = offices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("The last day lies before the first."))
        elif ends_on and ends_on < today():
            self.add_error("ends_on", _("This period would be over already."))
        return values


@never_cache
@requires(FREEZE, "view_record")
@require_http_methods(["GET", "POST"])
def freezes(request: HttpRequest) -> HttpResponse:
    """The freeze periods that run or are to come, those that are over, and the form for another."""
    offices = queries.offices_to_freeze(prefixes(request, FREEZE))
    form = FreezeForm(request.POST or None, offices=[(path, name) for path, name in offices.items()])
    if request.method == "POST" and offices and form.is_valid():
        values = form.cleaned_data
        open_to = IN_FREEZE if values["leaders"] else ""
        set_freeze(values["office"], values["starts_on"], values["ends_on"], values["text"], actor(request), open_to)
        messages.success(request, _("Set. Nobody decides there in this period; deadlines go on."))
        return redirect("review:freezes")
    on = today()
    rows = queries.freezes(prefixes(request, FREEZE, "view_record"))
    context = {
        "form": form if offices else None,
        "running": [row for row in rows if row.freeze.ended_at is None and row.freeze.ends_on >= on],
        "over": [row for row in rows if row.freeze.ended_at is not None or row.freeze.ends_on < on],
        "today": on,
        "may_end": {row.freeze.pk for row in rows if may(request, FREEZE, path=row.freeze.path)},
    }
    return render(request, "review/freezes.html", context, status=422 if form.is_bound else 200)


@require_POST
@requires(FREEZE)
def end(request: HttpRequest, freeze_id: int) -> HttpResponse:
    """Ends a freeze period at once."""
    try:
        end_freeze(freeze_id, actor(request))
    except Freeze.DoesNotExist:
        messages.info(request, _("This period had been ended already."))
    else:
        messages.success(request, _("Ended. Cases are decided again at once."))
    return redirect("review:freezes")
