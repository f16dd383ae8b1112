"""Words and numbers as pages show them: amounts, dates, names of states, steps, posts and reasons."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations import roles
from approvals.people import masking
from approvals.programmes.terms import Term, UnknownTerm
from workflows import nodes, reasons, states

register = template.Library()

STEPS: dict[str, Promise] = {
    "draft": _p("step", "Application"),
    "acceptance": _p("step", "Acceptance"),
    "class_review": _p("step", "Class review"),
    "class_notice": _p("step", "Class notice"),
    "school_review": _p("step", "School review"),
    "school_notice": _p("step", "School notice"),
    "township_review": _p("step", "Township review"),
    "township_notice": _p("step", "Township notice"),
    "county_review": _p("step", "County review"),
    "data_check": _p("step", "Data check"),
    "recheck": _p("step", "Re-check"),
    "pending_approval": _p("step", "Approval"),
    "county_notice": _p("step", "County notice"),
    "payment": _p("step", "Payment due"),
    "disbursement": _p("step", "Disbursement"),
    "correction": _p("step", "Correction by the school"),
    "completed": _p("step", "Completed"),
    "rejected": _p("step", "Rejected"),
    "withdrawn": _p("step", "Withdrawn"),
    "cancelled": _p("step", "Cancelled"),
}
"""What the steps and the ends of a route are called."""

ACTS: dict[str, Promise] = {**nodes.OUTCOMES, "open": _p("act", "Draft opened")}
"""What the lines of a case's record are called."""

TONES = {
    "draft": "plain", "withdrawn": "plain", "cancelled": "plain", "taken_down": "plain", "archived": "plain",
    "voided": "plain", "discarded": "plain", "reissued": "plain", "terminated": "plain", "uploaded": "plain",
    "returned": "warn", "recheck": "warn", "account_fix": "warn", "partially_paid": "warn", "suspended": "warn",
    "approved": "good", "completed": "good", "paid": "good", "active": "good", "concluded": "good",
    "imported": "good", "loaded": "good", "done": "good", "acknowledged": "good", "recovered": "good",
    "class_notice": "public", "school_notice": "public", "township_notice": "public", "county_notice": "public",
    "published": "public", "paused": "warn", "opened": "warn", "to_write_off": "warn", "written_off": "plain",
    "reconciled": "good", "audit_held": "bad", "rejected": "bad", "failed": "bad", "unreadable": "bad",
}  # fmt: skip
"""The colour of a state's badge; whatever is under way has the tone `busy`."""

WEEKDAYS = [
    _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"),
]  # fmt: skip


# ---------------------------------------------------------------- numbers and dates


@register.filter
def money(value: Any) -> str:
    """Yuan with two places and thousands separators, 1,150.00; an em dash where there is no amount."""
    if value is None or value == "":
        return "—"
    try:
        return f"{Decimal(str(value)):,.2f}"
    except InvalidOperation:
        return str(value)


@register.filter
def cn_date(value: date | datetime | None, style: str = "") -> str:
    """2026年9月7日, or 7 September 2026; `:"weekday"` adds the day of the week, `:"time"` the time of day."""
    if not value:
        return ""
    moment = timezone.localtime(value) if isinstance(value, datetime) and timezone.is_aware(value) else value
    english = get_language() == "en"
    if english:
        text = f"{moment.day} {formats.date_format(moment, 'F')} {moment.year}"
    else:
        text = f"{moment.year}年{moment.month}月{moment.day}日"
    if style == "weekday":
        day = WEEKDAYS[moment.weekday()]
        return f"{day}, {text}" if english else f"{text} {day}"
    if style == "time" and isinstance(moment, datetime):
        return f"{text} {moment:%H:%M}"
    return text


@register.filter
def term_name(code: str) -> str:
    """2026-2027-1 -> 2026年秋季学期; what is no term is shown as it stands."""
    try:
        return Term.of(code).name()
    except UnknownTerm:
        return code


# ---------------------------------------------------------------- names of codes


def _named(names: dict[str, Any], code: Any) -> str:
    return str(names.get(str(code), code)) if code else ""


@register.filter
def state_name(code: str) -> str:
    """What the state of a case is called."""
    return _named(states.NAMES, code)


@register.filter
def state_tone(code: str) -> str:
    """plain, busy, warn, good, bad or public: the look of a state's badge."""
    return TONES.get(str(code), "busy")


@register.filter
def step_name(code: str) -> str:
    """What a step of a route is called."""
    return _named(STEPS, code)


@register.filter
def outcome_name(code: str) -> str:
    """What an outcome of a step, or another act on a case, is called."""
    return _named(ACTS, code)


@register.filter
def role_name(code: str) -> str:
    """What a role is called."""
    return _named(roles.NAMES, code)


@register.filter
def post_name(post: Any, style: str = "") -> str:
    """A post as the record names it, or an `Office`, in words; `:"plain"` leaves out for whom a deputy holds it."""
    return roles.words_of(str(getattr(post, "post", post) or ""), deputy=style != "plain")


@register.filter
def acting_as(name: str, post: str) -> str:
    """张三, or 张三（代理李四） where the post under which he acted was a deputy's."""
    holder = roles.parts_of(str(post or ""))[2]
    return roles.deputising(name, holder) if holder else name


@register.filter
def reason_name(code: str) -> str:
    """What a reason's code stands for."""
    known = reasons.REASONS.get(str(code))
    return str(known[0]) if known else str(code or "")


@register.simple_tag
def reasons_for(outcome: str) -> list[tuple[str, Promise]]:
    """The reasons that may be chosen for an outcome, [(code, sentence)]."""
    return reasons.reasons_for(outcome)


@register.simple_tag
def least_reason() -> int:
    """Fewest characters of a reason's text."""
    return reasons.MIN_LENGTH


# ---------------------------------------------------------------- personal numbers


def _masking(mask: Callable[[str], str]) -> Callable[[str | None], str]:
    """A filter that shows nothing where there is nothing."""
    return lambda value: mask(value) if value else ""


for _mask in (masking.mask_id, masking.mask_account, masking.mask_enrolment_no, masking.mask_phone, masking.mask_name):
    register.filter(_mask.__name__, _masking(_mask))
