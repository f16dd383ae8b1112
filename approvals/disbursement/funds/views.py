"""The fund pages: what there is, where it came from, what became of it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods

from approvals.disbursement.funds import actions, queries
from approvals.disbursement.funds.forms import AdjustmentForm, AllotmentForm
from approvals.disbursement.funds.models import BALANCES, Account, Allotment, FundSource
from approvals.disbursement.funds.verifying import findings
from approvals.disbursement.refusals import Refused
from approvals.organisations import tables
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.programmes.models import Programme
from workflows.clock import today

READERS = (
    "make_batch", "check_batch", "approve_batch", "manage_funds", "allot_batch", "reconcile_batch", "view_record",
)  # fmt: skip
PAGE = 100
HEADS = {column: Account(column).label for column in queries.COLUMNS}


def _filtered(request: HttpRequest) -> tuple[QuerySet, dict[str, Any]]:
    """The allotments asked for, and the filter as it stands in the address."""
    source = request.GET.get("source", "")
    chosen = {
        "year": number(request.GET.get("year")) or "",
        "source": source if source in FundSource.values else "",
        "programme": request.GET.get("programme", ""),
    }
    year = chosen["year"] if isinstance(chosen["year"], int) and chosen["year"] < 10_000 else None
    found = queries.allotments(prefixes(request, *READERS), year, str(chosen["source"]), str(chosen["programme"]))
    return found, chosen


@require_GET
@requires(*READERS)
def overview(request: HttpRequest) -> HttpResponse:
    """资金总览: by year and source; below it the documents."""
    found, chosen = _filtered(request)
    rows, total = queries.overview(found)
    names = {programme.code: str(programme) for programme in Programme.objects.all()}
    if kind := request.GET.get("file"):
        return _overview_file(kind, rows, total)
    return render(
        request,
        "disbursement/funds/overview.html",
        {
            "rows": [row | {"cells": [row[column] for column in queries.COLUMNS]} for row in rows],
            "total": [total[column] for column in queries.COLUMNS],
            "heads": [HEADS[column] for column in queries.COLUMNS],
            "allotments": [
                (allotment, [names.get(code, code) for code in allotment.programmes]) for allotment in found[:PAGE]
            ],
            "more": found.count() > PAGE,
            "chosen": chosen,
            "years": queries.years(prefixes(request, *READERS)),
            "sources": FundSource.choices,
            "programmes": names.items(),
            "manages": may(request, "manage_funds"),
            "query": request.GET.urlencode(),
        },
    )


def _overview_file(kind: str, rows: list[dict[str, Any]], total: dict[str, Any]) -> HttpResponse:
    head = [_("Budget year"), _("Fund source"), *HEADS.values()]
    body = [[row["budget_year"], str(row["name"]), *(row[column] for column in queries.COLUMNS)] for row in rows]
    last = [_("Total"), "", *(total[column] for column in queries.COLUMNS)]
    return tables.download("funds", kind, head, [*body, last])


@require_http_methods(["GET", "POST"])
@requires("manage_funds")
def record_allotment(request: HttpRequest) -> HttpResponse:
    """登记资金下达."""
    path = prefixes(request, "manage_funds")[0]
    form = AllotmentForm(request.POST or None, initial={"budget_year": today().year, "dated": today()})

    def save() -> Allotment:
        return actions.record_allotment(path, actor(request), **form.cleaned_data)

    if done := _saved(request, form, save):
        messages.success(request, _("Recorded. It can be spent from now on."))
        return redirect("disbursement:allotment", done.pk)
    return render(request, "disbursement/funds/record.html", {"form": form})


def _saved(request: HttpRequest, form: Any, save: Callable[[], Any]) -> Any:
    """What was saved; None where the form is empty or wrong, with the reason on it and everything typed still there."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return save()
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return None


def _visible(request: HttpRequest, allotment_id: int) -> Allotment:
    found = queries.allotments(prefixes(request, *READERS)).filter(pk=allotment_id).first()
    if found is None:
        raise Http404
    return found


@require_GET
@requires(*READERS)
def allotment(request: HttpRequest, allotment_id: int) -> HttpResponse:
    """One allotment: its documents, and every entry that touched it."""
    one = _visible(request, allotment_id)
    entries = queries.entries_of(one)
    if kind := request.GET.get("file"):
        return _entries_file(kind, one, entries)
    if (before := number(request.GET.get("before"))) is not None:
        entries = entries.filter(pk__lt=before)
    shown = list(entries[: PAGE + 1])
    names = {programme.code: str(programme) for programme in Programme.objects.filter(pk__in=one.programmes)}
    return render(
        request,
        "disbursement/funds/allotment.html",
        {
            "allotment": one,
            "programmes": [names.get(code, code) for code in one.programmes],
            "balances": [(HEADS[column], getattr(one.balance, column)) for column in queries.COLUMNS],
            "adjustments": one.adjustments.select_related("by").order_by("pk"),
            "accounts": [Account(account).label for account in BALANCES],
            "entries": [(entry, [getattr(entry, f"to_{account}") for account in BALANCES]) for entry in shown[:PAGE]],
            "next": shown[PAGE - 1].pk if len(shown) > PAGE else None,
            "manages": may(request, "manage_funds", path=one.path),
        },
    )


def _entries_file(kind: str, one: Allotment, entries: QuerySet) -> HttpResponse:
    head = [
        _("Date"),
        _("Entry"),
        _("Batch"),
        _("Document"),
        pgettext("a ledger entry", "By"),
        *(Account(each).label for each in BALANCES),
    ]
    rows = [
        [
            timezone.localdate(entry.business_at).isoformat(),
            str(entry.get_kind_display()),
            entry.batch.number if entry.batch else "",
            entry.document,
            entry.by_name,
            *(getattr(entry, f"to_{account}") for account in BALANCES),
        ]
        for entry in entries.order_by("pk")
    ]
    return tables.download(f"allotment-{one.pk}", kind, head, rows)


@require_http_methods(["GET", "POST"])
@requires("manage_funds")
def adjust(request: HttpRequest, allotment_id: int) -> HttpResponse:
    """登记追加或调减."""
    one = _visible(request, allotment_id)
    form = AdjustmentForm(request.POST or None, initial={"dated": today()})
    if _saved(request, form, lambda: actions.adjust(one.pk, actor(request), **form.cleaned_data)):
        messages.success(request, _("Recorded."))
        return redirect("disbursement:allotment", one.pk)
    return render(request, "disbursement/funds/adjust.html", {"form": form, "allotment": one})


TRIAL_HEADS = {
    "on": gettext_lazy("Put on"),
    "off": gettext_lazy("Taken off"),
    "left": gettext_lazy("Left by the entries"),
    "kept": gettext_lazy("Balance kept"),
}


@require_GET
@requires(*READERS)
def trial_balance(request: HttpRequest) -> HttpResponse:
    """试算平衡表: every account, the sums, and whether the ledger says what the payments say."""
    offices = prefixes(request, *READERS)
    rows, total = queries.trial_balance(offices)
    if kind := request.GET.get("file"):
        body = [
            [str(row["name"]), *(row[column] for column in TRIAL_HEADS)]
            for row in [*rows, total | {"name": _("Total")}]
        ]
        return tables.download("trial-balance", kind, [_("Account of the ledger"), *TRIAL_HEADS.values()], body)
    return render(
        request,
        "disbursement/funds/trial_balance.html",
        {
            "heads": TRIAL_HEADS.values(),
            "rows": [(row["name"], [row[column] for column in TRIAL_HEADS]) for row in rows],
            "total": [total[column] for column in TRIAL_HEADS],
            "difference": total["left"],
            "findings": [finding for path in offices for finding in findings(path)],
        },
    )
