"""Payment pages: thin over actions and queries."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.utils.translation import pgettext_lazy as _p
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.applications.refusals import Refused as AccountRefused
from approvals.disbursement import actions, demo_bank, queries
from approvals.disbursement.bank import profiles
from approvals.disbursement.capitals import in_capitals
from approvals.disbursement.forms import AccountForm, BankForm, ReasonForm, ReturnFileForm, SettlementForm
from approvals.disbursement.funds import queries as funds
from approvals.disbursement.funds.forms import AllotForm, ReconcileForm
from approvals.disbursement.funds.views import READERS as FUND_READERS
from approvals.disbursement.models import BEFORE_PAID, TRANSFER, AccountCorrection, Batch, PaymentLine
from approvals.disbursement.refusals import Refused
from approvals.organisations.access import actor, may, number, prefixes, requires
from approvals.people.accounts import SENTENCES as ACCOUNT_SENTENCES
from approvals.programmes.models import Programme
from workflows.clock import today, training_date

PAGE = 100
FINANCE = (
    "make_batch", "check_batch", "approve_batch", "allot_batch", "reconcile_batch", "hold_batch", "view_record",
)  # fmt: skip
LIFE: list[tuple[str, Promise]] = [
    ("draft", _p("batch step", "Made")),
    ("submitted", _p("batch step", "Check")),
    ("reviewed", _p("batch step", "Approval")),
    ("finance_review", _p("batch step", "Allotment by the treasury")),
    ("allotted", _p("batch step", "To the bank")),
    ("sent_to_bank", _p("batch step", "The bank's answer")),
    ("paid", _p("batch step", "Reconciliation")),
    ("reconciled", _p("batch step", "Closing")),
]
"""The life of a batch: the step that is due in each state."""
SETTLED_LIFE = [
    (state, _p("batch step", "Settlement with the schools") if state == "allotted" else name)
    for state, name in LIFE
    if state != "sent_to_bank"
]
TURNS: dict[str, Promise] = {
    "draft": gettext_lazy("The maker looks through the lines and sends the batch to the checker."),
    "submitted": gettext_lazy("The checker compares the lines with the awards, and confirms or sends back."),
    "reviewed": gettext_lazy("The approver decides; the funds are committed with the approval."),
    "finance_review": gettext_lazy("The treasury officer allots the money under a treasury document."),
    "allotted": gettext_lazy("The maker sends the batch to the bank, or settles it with the schools."),
    "sent_to_bank": gettext_lazy("The maker imports the bank's return file."),
    "partially_paid": gettext_lazy(
        "Schools correct the accounts of failed payments and the maker reissues them; the treasury officer reconciles."
    ),
    "paid": gettext_lazy("The treasury officer reconciles the batch with the bank's statement."),
    "reconciled": gettext_lazy("The treasury officer closes the batch when no line waits any more."),
    "audit_held": gettext_lazy("The auditor has stopped the batch; only the auditor lets it go on."),
}
"""What the next person has to do, by state."""


@require_GET
@requires(*FINANCE)
def batch_list(request: HttpRequest) -> HttpResponse:
    """Batches, and what still waits to be put into one."""
    offices = prefixes(request, *FINANCE)
    batches = queries.batches_below(offices)
    if (before := number(request.GET.get("before"))) is not None:
        batches = batches.filter(pk__lt=before)
    rows = list(batches[: PAGE + 1])
    names = {programme.code: str(programme) for programme in Programme.objects.all()}
    maker = may(request, "make_batch")
    waiting = queries.waiting(prefixes(request, "make_batch")) if maker else []
    return render(
        request,
        "disbursement/list.html",
        {
            "batches": rows[:PAGE],
            "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
            "waiting": [row | {"name": names.get(row["programme"], row["programme"])} for row in waiting],
            "maker": maker,
        },
    )


@require_POST
@requires("make_batch")
def make(request: HttpRequest) -> HttpResponse:
    """Makes a batch for a programme and term."""
    programme = get_object_or_404(Programme, pk=request.POST.get("programme"))
    path = prefixes(request, "make_batch")[0]
    try:
        batch = actions.make_batch(
            programme, request.POST.get("term", ""), actor(request), path, request.POST.get("kind", "")
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("disbursement:list")
    return redirect("disbursement:detail", batch.pk)


def _visible(request: HttpRequest, batch_id: int) -> Batch:
    batch = queries.batch(prefixes(request, *FINANCE), batch_id)
    if batch is None:
        raise Http404
    return batch


@require_GET
@requires(*FINANCE)
def batch_detail(request: HttpRequest, batch_id: int) -> HttpResponse:
    """A batch: totals, who has signed, lines, files, and what the person may do now."""
    batch = _visible(request, batch_id)
    lines = queries.lines_of(batch)
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    if state:
        lines = lines.filter(state=state)
    if code:
        lines = lines.filter(bank_code=code)
    if (after := number(request.GET.get("after"))) is not None:
        lines = lines.filter(number__gt=after)
    rows = list(lines[: PAGE + 1])
    states = queries.totals_by_state(batch)
    names = dict(PaymentLine._meta.get_field("state").choices or [])
    return render(
        request,
        "disbursement/detail.html",
        {
            "batch": batch,
            "capitals": in_capitals(batch.total),
            "lines": rows[:PAGE],
            "next": rows[PAGE - 1].number if len(rows) > PAGE else None,
            "state": state,
            "code": code,
            "states": [row | {"name": names[row["state"]]} for row in states],
            "schools": queries.totals_by_school(batch),
            "beside": queries.batches_beside(batch),
            "files": batch.files.select_related("by").defer("content").order_by("at"),
            "can": _possible(request, batch, {row["state"] for row in states}),
            "reason_form": ReasonForm(),
            "return_form": ReturnFileForm(),
            "settlement_form": SettlementForm(),
            "life": _life(batch),
            "turn": TURNS.get(batch.state, ""),
            "split": funds.split_of(batch),
            "sees_funds": may(request, *FUND_READERS),
            "bank_form": BankForm(),
            "answered": any(row["state"] in ("paid", "failed", "bounced") for row in states),
            "demo": training_date() is not None,
        },
    )


def _life(batch: Batch) -> list[dict[str, Any]]:
    """The steps of a batch for the stepper: done, here now, still to come."""
    life = LIFE if batch.kind == TRANSFER else SETTLED_LIFE
    states = [state for state, _name in life]
    state = batch.held_from if batch.state == "audit_held" else batch.state
    state = {"approved": "finance_review", "partially_paid": "paid"}.get(state, state)
    here = states.index(state) if state in states else len(states) if state == "closed" else -1
    return [
        {
            "name": name,
            "label": label,
            "status": "done" if place < here else "current" if place == here else "ahead" if here >= 0 else "skipped",
        }
        for place, (name, label) in enumerate(life)
    ]


def _possible(request: HttpRequest, batch: Batch, line_states: set[str]) -> dict[str, bool]:
    """What this person may do with the batch now; asked again when it is done."""
    make, check, approve, allot, reconcile, hold = (
        may(request, f"{act}_batch", path=batch.path)
        for act in ("make", "check", "approve", "allot", "reconcile", "hold")
    )
    transfer = batch.kind == TRANSFER
    state = batch.state
    return {
        "submit": make and state == "draft",
        "cancel": make and state == "draft",
        "take_out": make and state == "draft",
        "check": check and state == "submitted",
        "approve": approve and state == "reviewed",
        "send_back": (check and state == "submitted")
        or (approve and state == "reviewed")
        or (allot and state in ("finance_review", "allotted")),
        "allot": allot and state == "finance_review",
        "export": make
        and transfer
        and state in ("allotted", "sent_to_bank", "partially_paid", "paid", "reconciled", "closed"),
        "first_export": state == "allotted",
        "exported": state in ("partially_paid", "paid", "reconciled", "closed"),
        "return": make and transfer and state == "sent_to_bank",
        "bounce": make and transfer and state in ("partially_paid", "paid"),
        "settle": make and not transfer and state == "allotted",
        "reissue": make and state != "audit_held" and "account_fix" in line_states,
        "give_up": make and state != "audit_held" and bool({"failed", "bounced", "account_fix"} & line_states),
        "let_go": make and state != "audit_held" and "held" in line_states,
        "reconcile": reconcile and state in ("partially_paid", "paid"),
        "close": reconcile and state == "reconciled",
        "hold": hold and state in BEFORE_PAID,
        "release_hold": hold and state == "audit_held",
    }


def _act(permission: str, do: Callable[[HttpRequest, int], str | None]) -> Callable[[HttpRequest, int], HttpResponse]:
    """A POST that does one thing to a batch and goes back to its page with the answer."""

    @require_POST
    @requires(*permission.split())
    def view(request: HttpRequest, batch_id: int) -> HttpResponse:
        _visible(request, batch_id)
        try:
            if answer := do(request, batch_id):
                messages.success(request, answer)
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("disbursement:detail", batch_id)

    return view


def _submit(request: HttpRequest, batch_id: int) -> str:
    actions.submit(batch_id, actor(request))
    return _("Sent to the checker.")


def _check(request: HttpRequest, batch_id: int) -> str:
    actions.check(batch_id, actor(request))
    return _("Checked. The approver is next.")


def _approve(request: HttpRequest, batch_id: int) -> str:
    actions.approve(batch_id, actor(request))
    return _("Approved. The money is committed; the treasury officer is next.")


def _close(request: HttpRequest, batch_id: int) -> str:
    actions.close(batch_id, actor(request))
    return _("Closed.")


def _hold(request: HttpRequest, batch_id: int) -> str:
    actions.hold(batch_id, actor(request), request.POST.get("reason", ""))
    return _("Stopped. Nothing is done with this batch until you let it go on.")


def _release_hold(request: HttpRequest, batch_id: int) -> str:
    actions.release_hold(batch_id, actor(request), request.POST.get("reason", ""))
    return _("The batch goes on from where it was.")


def _send_back(request: HttpRequest, batch_id: int) -> str:
    actions.send_back(batch_id, actor(request), request.POST.get("reason", ""))
    return _("Sent back to the maker.")


def _cancel(request: HttpRequest, batch_id: int) -> str:
    actions.cancel(batch_id, actor(request), request.POST.get("reason", ""))
    return _("Cancelled. Its awards can be put into another batch.")


def _settle(request: HttpRequest, batch_id: int) -> str:
    actions.settle(batch_id, request.POST.get("document", ""), actor(request))
    return _("Settled with the schools.")


@require_POST
@requires("make_batch")
def bank_return(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Takes the bank's answer, and shows what it said of all lines."""
    _visible(request, batch_id)
    form = ReturnFileForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Refused("return_empty")
        file = form.cleaned_data["file"]
        booked = actions.take_return(batch_id, file.read(), file.name, actor(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("disbursement:detail", batch_id)
    _tell_booked(request, booked)
    return redirect("disbursement:answer", batch_id)


def _tell_booked(request: HttpRequest, booked: dict[str, int]) -> None:
    if not any(booked.values()):
        messages.info(request, _("This file was taken before; nothing was changed."))
        return
    if {name for name, count in booked.items() if count} == {"already"}:
        messages.info(request, _("This file only repeats what an earlier one said; nothing was changed."))
        return
    if booked["paid"]:
        paid = ngettext("%(count)s payment arrived.", "%(count)s payments arrived.", booked["paid"])
        messages.success(request, paid % {"count": booked["paid"]})
    if booked["failed"]:
        failed = ngettext(
            "%(count)s payment failed. The school corrects the account; then it is reissued.",
            "%(count)s payments failed. The schools correct the accounts; then they are reissued.",
            booked["failed"],
        )
        messages.warning(request, failed % {"count": booked["failed"]})
    if count := booked.get("bounced"):
        bounced = ngettext(
            "%(count)s payment came back (bounced). The school corrects the account; then it is reissued.",
            "%(count)s payments came back (bounced). The schools correct the accounts; then they are reissued.",
            count,
        )
        messages.warning(request, bounced % {"count": count})


submit = _act("make_batch", _submit)
check = _act("check_batch", _check)
approve = _act("approve_batch", _approve)
send_back = _act("check_batch approve_batch allot_batch", _send_back)
cancel = _act("make_batch", _cancel)
close = _act("reconcile_batch", _close)
hold = _act("hold_batch", _hold)
release_hold = _act("hold_batch", _release_hold)
settle = _act("make_batch", _settle)


@require_GET
@requires(*FINANCE)
def answer(request: HttpRequest, batch_id: int) -> HttpResponse:
    """What the bank said of all lines of a batch: paid, failed and bounced, by code and by school."""
    batch = _visible(request, batch_id)
    out = batch.files.filter(direction="out").defer("content").first()
    bank = profiles().get(out.profile) if out else None
    names = dict(PaymentLine._meta.get_field("state").choices or [])
    rows = queries.answers_by_code(batch)
    for row in rows:
        row["name"] = names[row["state"]]
        row["sentence"] = (bank.sentence(row["bank_code"]) if bank else "") or row["message"]
    ended = queries.paid_after_end([batch.path]).filter(batch=batch)
    return render(
        request,
        "disbursement/answer.html",
        {
            "batch": batch,
            "bank": bank,
            "rows": rows,
            "count": sum(row["count"] for row in rows),
            "total": sum((row["total"] for row in rows), Decimal(0)),
            "schools": queries.to_correct_by_school(batch),
            "ended": list(ended[:PAGE]),
            "ended_count": ended.count(),
        },
    )


@require_POST
@requires("make_batch")
def bank_file(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The file for the bank; the first download sends the batch."""
    _visible(request, batch_id)
    try:
        kept = actions.export(batch_id, actor(request), request.POST.get("bank", ""))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("disbursement:detail", batch_id)
    return _download(kept.content, kept.filename)


def _download(content: bytes, filename: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"},
    )


@require_POST
@requires("make_batch")
def reissue(request: HttpRequest, batch_id: int) -> HttpResponse:
    """A supplementary batch for the corrected payments."""
    _visible(request, batch_id)
    try:
        batch = actions.reissue(batch_id, actor(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("disbursement:detail", batch_id)
    messages.success(request, _("A supplementary batch was made. It is checked and approved like any other."))
    return redirect("disbursement:detail", batch.pk)


@require_GET
@requires("make_batch")
def demo_answer(request: HttpRequest, batch_id: int) -> HttpResponse:
    """What the demo's bank answers; there is no such bank elsewhere."""
    batch = _visible(request, batch_id)
    if training_date() is None or batch.kind != TRANSFER or batch.state != "sent_to_bank":
        raise Http404
    extension = profiles()[batch.files.get(direction="out").profile].extension
    return _download(demo_bank.answer(batch), f"{batch.number}-return.{extension}")


CORRECTING = ("fix_account", "approve_account", "make_batch")


@require_GET
@requires(*CORRECTING)
def failed(request: HttpRequest) -> HttpResponse:
    """Payments that failed or came back and wait for another account, and the accounts proposed for them."""
    offices = prefixes(request, *CORRECTING)
    lines = queries.failed_below(offices)
    batch, school = number(request.GET.get("batch")), number(request.GET.get("school"))
    if batch is not None:
        lines = lines.filter(batch=batch)
    if school is not None:
        lines = lines.filter(school=school)
    if (after := number(request.GET.get("after"))) is not None:
        lines = lines.filter(pk__gt=after)
    rows = list(lines[: PAGE + 1])
    corrections = list(queries.corrections_waiting(offices)[:PAGE])
    mine = actor(request).user.person
    for correction in corrections:
        correction.own = correction.proposed_person == mine  # type: ignore[attr-defined]
    waiting = {correction.line_id for correction in corrections}
    return render(
        request,
        "disbursement/failed.html",
        {
            "lines": rows[:PAGE],
            "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
            "batch": batch,
            "school": school,
            "corrections": corrections,
            "waiting": waiting,
            "may_fix": may(request, "fix_account"),
            "may_confirm": may(request, "approve_account"),
            "finance": may(request, *FINANCE),
            "may_reissue": may(request, "make_batch"),
            "reason_form": ReasonForm(),
        },
    )


@require_http_methods(["GET", "POST"])
@requires("allot_batch")
def allot(request: HttpRequest, batch_id: int) -> HttpResponse:
    """拨付: the treasury's document, and which allotments bear the batch."""
    batch = _visible(request, batch_id)
    if batch.state != "finance_review":
        if request.method == "POST":
            messages.error(request, str(Refused("wrong_state")))
        return redirect("disbursement:detail", batch.pk)
    form = AllotForm(funds.choices_for(batch), request.POST or None, initial={"dated": today()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.allot(batch.pk, actor(request), data["document"], data["dated"], form.shares())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Allotted. The maker sends the batch to the bank, or settles it."))
            return redirect("disbursement:detail", batch.pk)
    page = {"batch": batch, "form": form, "capitals": in_capitals(batch.total), "split": funds.split_of(batch)}
    return render(request, "disbursement/allot.html", page)


@require_http_methods(["GET", "POST"])
@requires("reconcile_batch")
def reconcile(request: HttpRequest, batch_id: int) -> HttpResponse:
    """对账: the total of the bank's statement against the paid lines."""
    batch = _visible(request, batch_id)
    form = ReconcileForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.reconcile(batch.pk, actor(request), form.cleaned_data["bank_total"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Reconciled: the bank's total is that of the paid lines."))
            return redirect("disbursement:detail", batch.pk)
    page = {"batch": batch, "form": form, "paid": queries.paid_total(batch)}
    return render(request, "disbursement/reconcile.html", page)


def _act_on_line(do: Callable[[HttpRequest, int], str]) -> Callable[[HttpRequest, int], HttpResponse]:
    """A POST of the maker that does one thing to a line of a batch, and goes back to its page with the answer."""

    @require_POST
    @requires("make_batch")
    def view(request: HttpRequest, line_id: int) -> HttpResponse:
        line = get_object_or_404(PaymentLine, pk=line_id)
        if not may(request, "make_batch", path=line.path):
            raise Http404
        try:
            messages.success(request, do(request, line.pk))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("disbursement:detail", line.batch_id)

    return view


def _decision(permission: str, do: Callable[[HttpRequest, int], str]) -> Callable[[HttpRequest, int], HttpResponse]:
    """A POST that decides on a proposed account and goes back to the list with the answer."""

    @require_POST
    @requires(permission)
    def view(request: HttpRequest, correction_id: int) -> HttpResponse:
        correction = get_object_or_404(AccountCorrection, pk=correction_id)
        if not may(request, permission, path=correction.path):
            raise Http404
        try:
            messages.success(request, do(request, correction_id))
        except (Refused, AccountRefused) as refusal:
            messages.error(request, str(refusal))
        return redirect("disbursement:failed")

    return view


def _take_out(request: HttpRequest, line_id: int) -> str:
    actions.take_out(line_id, actor(request), request.POST.get("reason", ""))
    return _("Taken out of the batch.")


def _hold_line(request: HttpRequest, line_id: int) -> str:
    actions.hold_line(line_id, actor(request), request.POST.get("reason", ""))
    return _("Held back: it is not paid with this batch until it is let go.")


def _let_go(request: HttpRequest, line_id: int) -> str:
    batch = actions.let_go(line_id, actor(request))
    if batch.state == "draft":
        return _("Let go: it is paid with this batch.")
    return _("Let go: the award can be put into another batch.")


def _give_up(request: HttpRequest, line_id: int) -> str:
    actions.give_up(line_id, actor(request), request.POST.get("reason", ""))
    return _("Given up: its money is free again, and the award can be put into another batch.")


take_out = _act_on_line(_take_out)
hold_line = _act_on_line(_hold_line)
let_go = _act_on_line(_let_go)
give_up = _act_on_line(_give_up)


def _confirm(request: HttpRequest, correction_id: int) -> str:
    actions.confirm_account(correction_id, request.POST.get("account", ""), actor(request))
    return _("Confirmed. The finance office reissues the payment.")


def _refuse(request: HttpRequest, correction_id: int) -> str:
    actions.refuse_account(correction_id, actor(request), request.POST.get("reason", ""))
    return _("Not confirmed. The school was told why and proposes another account.")


def _withdraw(request: HttpRequest, correction_id: int) -> str:
    actions.withdraw_account(correction_id, actor(request))
    return _("The proposed account was taken back.")


confirm_account = _decision("approve_account", _confirm)
refuse_account = _decision("approve_account", _refuse)
withdraw_account = _decision("fix_account", _withdraw)


@require_http_methods(["GET", "POST"])
@requires("fix_account")
def correct_account(request: HttpRequest, line_id: int) -> HttpResponse:
    """The school proposes another account for a payment that did not arrive."""
    line = get_object_or_404(PaymentLine.objects.select_related("student", "school", "batch"), pk=line_id)
    if not may(request, "fix_account", path=line.path):
        raise Http404
    form = AccountForm(request.POST or None, initial={"holder": line.payee, "bank": line.bank})
    if request.method == "POST" and form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        try:
            actions.propose_account(
                line.pk,
                data["account"],
                data["again"],
                data["account_kind"],
                data["holder"],
                data["bank"],
                actor(request),
            )
        except (Refused, AccountRefused) as refusal:
            form.add_error(None, str(refusal))
        except actions.AccountProblem as problem:
            form.add_error("account", str(ACCOUNT_SENTENCES[problem.code]))
        else:
            messages.success(request, _("Proposed. A second person of the school or the county confirms it."))
            return redirect("disbursement:failed")
    earlier = list(queries.corrections_of(line)[:10])
    return render(request, "disbursement/correct_account.html", {"line": line, "form": form, "earlier": earlier})
