"""What every act on a notice goes through: the lock, the state, the person, what may be shown, the record."""

from datetime import date
from typing import Any

from approvals.notices import listing, privacy, queries
from approvals.notices.models import Notice
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS
from approvals.organisations.authority import UserActor
from approvals.organisations.roles import matrix
from workflows import record, working_days
from workflows.actors import Actor
from workflows.clock import Moment
from workflows.models import Record
from workflows.reasons import Reason

STATED = {"discard": "void", "schedule": "publish", "conclude_by_people": "conclude"}
"""What the matrix calls a transition, where otherwise; what the system does is not in it."""
WORKED_ON = ("draft", "edit", "submit")


def locked(notice_id: int) -> Notice:
    """The notice, its row locked until the transaction ends; its bytes are read when they are asked for."""
    rows = Notice.objects.select_related("organisation", "programme", "supplements")
    return rows.defer("frozen", "supplements__frozen").select_for_update(of=("self",)).get(pk=notice_id)


def go(notice: Notice, act: str, *, save: bool = True) -> None:
    """Takes a transition of the notice's state machine; Refused with the condition that does not hold."""
    take(notice, act, f"{notice.step}.{STATED.get(act, act)}")
    if save:
        notice.save(update_fields=["state"])


def take(thing: Any, act: str, stated: str, code: str = "wrong_state") -> None:
    """Takes a transition that the state machine of a thing of this room has and the matrix, as `stated`, allows.

    Raises Refused with the condition that does not hold, or with `code`. What the system does is not in the matrix.
    """
    method = getattr(thing, act)
    found = method._django_fsm.get_transition(thing.state)
    if found is None:
        raise Refused(code)
    if found.permission != "system" and not matrix().in_state(stated, thing.state):
        raise Refused(code)
    for condition in found.conditions:
        if not condition(thing):
            raise Refused(condition.code)
    method()


def other_person(notice: Notice, by: UserActor) -> None:
    """Raises Refused where this natural person drafted the notice, changed it or handed it on, under any account."""
    if by.user.person == notice.drafted_person or worked_on(notice, by):
        raise Refused("same_person")


def worked_on(notice: Notice, by: UserActor) -> bool:
    """Whether this natural person had a hand in what the notice says."""
    return Record.objects.filter(about="notice", about_id=notice.pk, act__in=WORKED_ON, actor=by.key).exists()


def check(notice: Notice, today: date) -> None:
    """Columns of the whitelist, names as they may be shown, a complete contact, nothing private. Raises Refused."""
    rules = STEPS[notice.step]
    if not rules.may_show(notice.columns):
        beyond = [heading for heading in notice.columns if heading not in rules.columns]
        raise Refused("column_not_allowed", columns="、".join(beyond) or "—")
    if rules.masked and not notice.mask_names:
        raise Refused("names_not_masked")
    missing = [_label(name) for name in ("contact", "contact_phone", "contact_place") if not getattr(notice, name)]
    if missing:
        raise Refused("contact_missing", fields="、".join(missing))
    findings = privacy_findings(notice, today)
    if findings:
        raise Refused.private(findings)


def privacy_findings(notice: Notice, today: date) -> list[privacy.Finding]:
    """Whatever private stands in the list, the title, the text, the remark or the contact of a notice."""
    office = privacy.NUMBERS - {"phone"}
    texts: list[tuple[str, str, frozenset[str]]] = [
        ("title", notice.title.replace(notice.subject, ""), privacy.EVERYTHING),
        ("body", notice.body.replace(notice.subject, ""), privacy.EVERYTHING),
        ("remark", notice.remark, privacy.EVERYTHING),
        ("contact", notice.contact, privacy.NUMBERS),
        ("contact_phone", notice.contact_phone, office),
        ("contact_place", notice.contact_place, privacy.NUMBERS),
    ]
    found = [
        privacy.Finding(kind, _label(name)) for name, text, kinds in texts for kind in privacy.scan(text, today, kinds)
    ]
    rows = queries.listed(notice).values_list("number", "shown")
    return found + privacy.scan_list(rows, today, listing.OFFICIAL)


def calendar_known() -> None:
    """Raises Refused where no year's calendar was ever loaded: no end could be computed at all (DOMAIN.md §2.3)."""
    if not working_days.calendar().years:
        working_days.forget()  # it may have been loaded a moment ago
        if not working_days.calendar().years:
            raise Refused("no_calendar")


def is_provisional(notice: Notice, start: date, end: date) -> bool:
    """Whether the period touches a year that the State Council has not published yet (暂定)."""
    return notice.day_kind == "working" and working_days.calendar().is_provisional(start, end)


def _label(field: str) -> str:
    return str(getattr(Notice._meta.get_field(field), "verbose_name", field))


def write(
    notice: Notice,
    act: str,
    by: Actor,
    post: str,
    *,
    states: tuple[str, str] = ("", ""),
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    at: Moment | None = None,
) -> None:
    """A line of the record about one notice."""
    record.write(
        act, "notice", [notice.pk], by, post=post, step=notice.step, path=notice.path, states=states, reason=reason,
        data=data, at=at,
    )  # fmt: skip
