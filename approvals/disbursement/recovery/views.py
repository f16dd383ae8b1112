"""The recovery pages: what could be asked back, one case, the notice to the guardian."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from approvals.disbursement.capitals import in_capitals
from approvals.disbursement.recovery import actions, queries
from approvals.disbursement.recovery.forms import AccountForm, NoticeForm, OpenForm, ReceiptForm, WhyForm
from approvals.disbursement.recovery.models import CAUSES, CONFIRMS, OPENS, RECOVERY_STATES, RecoveryCase
from approvals.disbursement.refusals import Refused
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.organisations.queries import county
from approvals.organisations.roles import matrix
from workflows.clock import today

READERS = (OPENS, CONFIRMS, "manage_funds", "view_record")
PAGE = 50
FORMS: dict[str, tuple[type[forms.Form] | None, str]] = {
    "notice": (NoticeForm, OPENS),
    "receive": (ReceiptForm, OPENS),
    "propose_write_off": (WhyForm, OPENS),
    "write_off": (None, CONFIRMS),
    "decline_write_off": (WhyForm, CONFIRMS),
    "refer": (WhyForm, OPENS),
    "withdraw": (WhyForm, OPENS),
}
"""What is asked for each act on a case, and what permits it."""


def _run(request: HttpRequest, form: forms.Form, act: Callable[[], Any]) -> Any:
    """What was done; None where the form is wrong or the act refused, with the reason on it and everything typed."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return act()
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return None


@require_GET
@requires(*READERS)
def recoveries(request: HttpRequest) -> HttpResponse:
    """追回: what the house found, the cases, the account to pay into."""
    offices = prefixes(request, *READERS)
    rows = queries.cases_below(offices)
    if (state := request.GET.get("state", "")) in dict(RECOVERY_STATES):
        rows = rows.filter(state=state)
    if (before := number(request.GET.get("before"))) is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    causes = dict(CAUSES)
    mine = prefixes(request, OPENS)
    return render(
        request,
        "disbursement/recovery/list.html",
        {
            "cases": found[:PAGE],
            "next": found[PAGE - 1].pk if len(found) > PAGE else None,
            "proposals": [(each, causes[each.cause]) for each in queries.proposals(mine)] if mine else [],
            "account": queries.account_for(offices[0]),
            "manages": may(request, "manage_funds"),
            "states": RECOVERY_STATES,
            "state": state,
        },
    )


@require_http_methods(["GET", "POST"])
@requires(OPENS)
def open_case(request: HttpRequest, line_id: int) -> HttpResponse:
    """立案 for a paid line."""
    line = queries.paid_line(prefixes(request, OPENS), line_id)
    if line is None:
        raise Http404
    most = queries.claimable(line)
    initial = {
        "amount": request.GET.get("amount", most),
        "cause": request.GET.get("cause", ""),
        "difference": number(request.GET.get("difference")),
    }
    form = OpenForm(request.POST or None, initial=initial)

    def act() -> RecoveryCase:
        told = form.cleaned_data
        return actions.open_case(
            line.pk, told["cause"], told["words"], told["amount"], actor(request), told["difference"]
        )

    if case := _run(request, form, act):
        messages.success(request, _("The recovery is opened. Next the guardian is asked."))
        return redirect("disbursement:recovery", case.pk)
    return render(request, "disbursement/recovery/open.html", {"line": line, "most": most, "form": form})


def _visible(request: HttpRequest, case_id: int) -> RecoveryCase:
    case = queries.case(prefixes(request, *READERS), case_id)
    if case is None:
        raise Http404
    return case


@require_http_methods(["GET", "POST"])
@requires(*READERS)
def recovery(request: HttpRequest, case_id: int) -> HttpResponse:
    """One recovery: where it stands, its receipts, and what the person may do now."""
    case = _visible(request, case_id)
    chosen = request.POST.get("act", "")
    offered = {
        act: (form(request.POST if act == chosen else None, prefix=act) if form else forms.Form())
        for act, (form, permission) in FORMS.items()
        if matrix().in_state(f"recovery.{act}", case.state) and may(request, permission, path=case.path)
    }
    if request.method == "POST":
        if (form := offered.get(chosen)) is None:
            messages.error(request, str(Refused("recovery_state")))
            return redirect("disbursement:recovery", case.pk)
        if form.__class__ is forms.Form:
            form = offered[chosen] = forms.Form(request.POST)
        done = _run(request, form, lambda: getattr(actions, chosen)(case.pk, by=actor(request), **form.cleaned_data))
        if done:
            messages.success(request, _("Done."))
            return redirect("disbursement:recovery", case.pk)
    return render(
        request,
        "disbursement/recovery/detail.html",
        {
            "case": case,
            "forms": offered,
            "receipts": case.receipts.select_related("by").order_by("pk"),
            "in_capitals": in_capitals(case.amount),
        },
    )


@require_GET
@requires(*READERS)
def letter(request: HttpRequest, case_id: int) -> HttpResponse:
    """追缴通知书 to the guardian, on A4; there is none before the guardian was asked."""
    case = _visible(request, case_id)
    if case.noticed_on is None:
        raise Http404
    application = case.line.case.application
    context = {
        "case": case,
        "guardian": application.guardian_name or case.line.payee,
        "asked": in_capitals(case.amount),
        "county": county(),
        "on": case.noticed_on or today(),
    }
    return render(request, "disbursement/recovery/letter.html", context)


@require_http_methods(["GET", "POST"])
@requires("manage_funds")
def account(request: HttpRequest) -> HttpResponse:
    """登记缴款账户."""
    path = prefixes(request, "manage_funds")[0]
    kept = queries.account_for(path)
    initial = {"holder": kept.holder, "bank": kept.bank, "account_no": kept.account_no} if kept else {}
    form = AccountForm(request.POST or None, initial=initial)
    if _run(request, form, lambda: actions.set_account(path, actor(request), **form.cleaned_data)):
        messages.success(request, _("Recorded. Notices from now on name this account."))
        return redirect("disbursement:recoveries")
    return render(request, "disbursement/recovery/account.html", {"form": form})
