"""Objecting, and following an objection, by anybody: no sign-in, session, cookie or script; no address holds what is
typed.

A form is sent without Django's token against forged requests, which needs a cookie: there is no session to ride on, and
the signed question belongs to this notice and is answered once.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from approvals.notices import queries as notices
from approvals.notices.models import Notice
from approvals.notices.objections import actions, limits, queries, receipts
from approvals.notices.objections.forms import ANONYMOUS, AppealForm, ObjectForm, ReceiptForm
from approvals.notices.objections.models import Objection
from approvals.notices.refusals import Refused
from approvals.notices.site.frame import page_of as _page
from approvals.notices.site.frame import public
from approvals.organisations.access import number
from workflows import clock

View = Callable[..., HttpResponse]


def unkept(view: View) -> View:
    """A page that no cache keeps: it bears a question for one sender, or somebody's answer."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        del response["ETag"]
        return response

    return answer


# ---------------------------------------------------------------- objecting


@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@unkept
@public
def object_to(request: HttpRequest, public_id: str) -> HttpResponse:
    """The form, and the receipt once it is sent; where it is refused, what was typed stays in it."""
    notice = get_object_or_404(notices.ever_public(), public_id=public_id)
    county = notice.step == "county_notice"
    if request.method != "POST":
        line = number(request.GET.get("line"))
        form = ObjectForm(public_id, initial={"line": line or ""}, to_county=county)
        return _form(request, notice, form)
    place = limits.origin(request)
    barred = _barred(notice, place)
    form = ObjectForm(public_id, request.POST, None if barred else request.FILES, to_county=county)
    if not form.is_valid() or barred:
        if not barred:
            actions.not_taken(form.wrong_nonce, place)
        return _form(request, notice, form, barred)
    try:
        objection, digits = actions.receive(notice.pk, _given(form), form.question.nonce, place)
    except Refused as refused:
        if refused.code == "question_used":
            form.ask_again()
        return _form(request, notice, form, refused)
    context = {"notice": notice, "objection": objection, "receipt": receipts.shown(digits)}
    return _page(request, "public/objection_received.html", context)


def _given(form: ObjectForm) -> actions.Statement:
    given = form.cleaned_data
    unknown = given["who"] == ANONYMOUS
    return actions.Statement(
        line=given["line"],
        ground=given["ground"],
        text=given["statement"],
        name="" if unknown else given["name"],
        contact="" if unknown else given["contact"],
        paper=given["paper"],
        to_county=given.get("to") == "county",
    )


def _barred(notice: Notice, place: bytes) -> Refused | None:
    """Why nothing that is sent can be taken, asked before a file is looked at; None where it can."""
    try:
        actions.check_open(notice, clock.today())
        limits.check(limits.SENT, place)
        limits.check(limits.WRONG, place)
        limits.check(limits.TO_NOTICE, limits.place_of(notice.pk))
    except Refused as refused:
        return refused
    return None


ABOUT_LINE = frozenset({"no_such_line", "line_removed"})


def _form(request: HttpRequest, notice: Notice, form: ObjectForm, refused: Refused | None = None) -> HttpResponse:
    """The form, with why it was not taken; 410 where the list is not on notice."""
    status = 422 if form.is_bound else 200
    if refused is not None:
        form.add_error("line" if refused.code in ABOUT_LINE else None, str(refused))
        status = 429 if refused.code == "too_many" else 422
    current = notices.is_current(notice, clock.today())
    over = notice.ends_on is not None and notice.ends_on < clock.today() and notice.state != "voided"
    context = {"notice": notice, "form": form, "current": current, "over": over, "voided": notice.state == "voided"}
    return _page(request, "public/objection_form.html", context, status if current else 410)


# ---------------------------------------------------------------- following


@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@unkept
@public
def follow(request: HttpRequest) -> HttpResponse:
    """Where an objection stands and what was answered, by its receipt number; nothing of who objected, or to whom."""
    if request.method != "POST":
        return _page(request, "public/objection_receipt.html", {"form": ReceiptForm()})
    form = ReceiptForm(request.POST)
    objection = _found(request, form)
    if objection is None:
        return _page(request, "public/objection_receipt.html", {"form": form}, _refused(form))
    return _status(request, objection, form.cleaned_data["receipt"])


@csrf_exempt
@sensitive_post_parameters()
@require_POST
@unkept
@public
def appeal(request: HttpRequest) -> HttpResponse:
    """Has the county look into it once more."""
    form = AppealForm(request.POST)
    objection = _found(request, form)
    if objection is None:
        asked = ReceiptForm(request.POST)
        asked.full_clean()
        asked.add_error("receipt", form.errors.as_data()["receipt"])
        return _page(request, "public/objection_receipt.html", {"form": asked}, _refused(form))
    if not form.is_valid():
        return _status(request, objection, form["receipt"].value(), form, 422)
    try:
        actions.appeal(receipts.read(form.cleaned_data["receipt"]), form.cleaned_data["text"])
    except Refused as refused:
        form.add_error(None, str(refused))
        return _status(request, objection, form.cleaned_data["receipt"], form, 422)
    objection.refresh_from_db()
    return _status(request, objection, form.cleaned_data["receipt"])


def _found(request: HttpRequest, form: ReceiptForm) -> Objection | None:
    """The objection of the number that was sent; what is wrong with the number stands in the form."""
    form.full_clean()
    if "receipt" in form.errors:
        return None
    place = limits.origin(request)
    digits = receipts.read(form.cleaned_data["receipt"])
    try:
        limits.check(limits.LOOKED_UP, place)
        if not digits:
            raise Refused("receipt_mistyped")
        limits.remember(limits.LOOKED_UP, place)
        if (objection := queries.by_receipt(digits)) is None:
            raise Refused("no_such_receipt")
    except Refused as refused:
        form.add_error("receipt", ValidationError(str(refused), refused.code))
        return None
    return objection


def _refused(form: ReceiptForm) -> int:
    """429 where too many numbers were tried."""
    return 429 if form.has_error("receipt", "too_many") else 422


def _status(
    request: HttpRequest, objection: Objection, receipt: str, form: AppealForm | None = None, status: int = 200
) -> HttpResponse:
    today = clock.today()
    may_appeal = objection.state == "replied" and objection.appeal_until is not None and objection.appeal_until >= today
    context = {
        "objection": objection,
        "notice": objection.notice,
        "may_appeal": may_appeal,
        "form": form or AppealForm(initial={"receipt": receipt}),
        "final": objection.appealed_at is not None and objection.state == "closed",
    }
    return _page(request, "public/objection_status.html", context, status)
