"""整改: a finding is handed to its office, which says what it did; another person verifies it (DOMAIN.md §2.9)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import Count, Q

from approvals.organisations.authority import UserActor, holders
from approvals.organisations.queries import county
from approvals.oversight.audits.registry import audit_of
from approvals.oversight.models import RECTIFIES, VERIFIES, Finding
from approvals.oversight.refusals import Refused
from notifications import send, send_all
from workflows import record
from workflows.clock import Moment, moment
from workflows.copying import among
from workflows.deadlines import SOON
from workflows.machines import transition_all
from workflows.reasons import MAX_LENGTH, MIN_LENGTH, Reason
from workflows.working_days import calendar


def assign(finding_ids: Iterable[int], by: UserActor) -> int:
    """交办整改: hands open findings to their offices, with a deadline each; returns how many.

    Each office is told once, of all of its own. Findings that are not open any more are left alone; raises Refused
    where none is, PermissionDenied where one is outside the person's reach.
    """
    at = moment()
    with transaction.atomic():
        rows = Finding.objects.filter(pk__in=among(finding_ids), state="open")
        found = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", "path", "query"))
        if not found:
            raise Refused("wrong_state")
        posts = {path: by.require(VERIFIES, path) for path in {path for _pk, path, _query in found}}
        for query in sorted({query for _pk, _path, query in found}):
            keys = [pk for pk, _path, each in found if each == query]
            transition_all(Finding.objects.filter(pk__in=among(keys)), "assign", due_on=_due(query, at))
        lines = [record.Line(pk, path, posts[path]) for pk, path, _query in found]
        record.write_lines("assign", "finding", lines, by, states=("open", "assigned"), at=at)
        offices: dict[str, list[int]] = defaultdict(list)
        for pk, path, _query in found:
            offices[path].append(pk)
        people = holders(RECTIFIES, offices)
        send_all("findings_assigned", "findings", [
            (people[path], 0, f"{min(keys)}:{at.date}", {"count": len(keys)}) for path, keys in offices.items()
        ])  # fmt: skip
    return len(found)


def _due(query: str, at: Moment) -> date:
    audit = audit_of(query)
    return calendar().after(at.date, audit.deadline if audit else 10)


def rectify(finding_id: int, by: UserActor, answer: str) -> Finding:
    """整改: the office says what it did. Raises Refused."""
    at = moment()
    with transaction.atomic():
        finding = _locked(finding_id)
        post = by.require(RECTIFIES, finding.path)
        text = _words(answer)
        _go(finding, "rectify")
        finding.answer, finding.rectified_by, finding.rectified_person = text, by.user, by.user.person
        finding.verified_by = finding.verified_person = None
        finding.save()
        _write(finding, "rectify", by, post, ("assigned", "rectified"), at, text)
        send("finding_rectified", holders(VERIFIES, [county().path])[county().path], "finding", finding.pk,
             f"{finding.pk}:{record.latest('finding', finding.pk)}", {"name": finding.query})  # fmt: skip
    return finding


def verify(finding_id: int, by: UserActor) -> Finding:
    """销号: what the office did is verified, by another natural person. Raises Refused."""
    at = moment()
    with transaction.atomic():
        finding = _locked(finding_id)
        post = by.require(VERIFIES, finding.path)
        _not_the_same(finding, by)
        _go(finding, "verify")
        finding.verified_by, finding.verified_person, finding.due_on = by.user, by.user.person, None
        finding.save()
        _write(finding, "verify", by, post, ("rectified", "verified"), at)
    return finding


def send_back(finding_id: int, by: UserActor, reason: str) -> Finding:
    """退回整改: it is not right yet; the office has the whole deadline again. Raises Refused."""
    at = moment()
    with transaction.atomic():
        finding = _locked(finding_id)
        post = by.require(VERIFIES, finding.path)
        _not_the_same(finding, by)
        text = _words(reason)
        _go(finding, "send_back")
        finding.reason, finding.due_on = text, _due(finding.query, at)
        finding.save()
        _write(finding, "send_back", by, post, ("rectified", "assigned"), at, text)
        send("finding_sent_back", holders(RECTIFIES, [finding.path])[finding.path], "finding", finding.pk,
             f"{finding.pk}:{record.latest('finding', finding.pk)}", {"name": finding.query})  # fmt: skip
    return finding


def explain(finding_id: int, by: UserActor, reason: str) -> Finding:
    """It is no violation, for a reason; it stays so until it says something else. Raises Refused."""
    at = moment()
    with transaction.atomic():
        finding = _locked(finding_id)
        post = by.require(VERIFIES, finding.path)
        _not_the_same(finding, by)
        text, was = _words(reason), finding.state
        _go(finding, "explain")
        finding.reason, finding.due_on = text, None
        finding.save()
        _write(finding, "explain", by, post, (was, "explained"), at, text)
    return finding


# ---------------------------------------------------------------- reminders


def remind(on: date) -> None:
    """Tells each office, once a day, how many of its findings are due soon or overdue."""
    late = Q(due_on__lt=on)
    rows = (
        Finding.objects.filter(state="assigned", due_on__lte=calendar().after(on, SOON))
        .values_list("path")
        .annotate(near=Count("pk", filter=~late), overdue=Count("pk", filter=late))
    )
    loads = {path: (near, overdue) for path, near, overdue in rows}
    people = holders(RECTIFIES, loads)
    send_all("findings_due", "findings", [
        (people[path], 0, f"{on}:{path}", {"near": near, "overdue": overdue}) for path, (near, overdue) in loads.items()
    ])  # fmt: skip


# ---------------------------------------------------------------- what they share


def _locked(finding_id: int) -> Finding:
    finding = Finding.objects.select_for_update(no_key=True).filter(pk=finding_id).first()
    if finding is None:
        raise Refused("no_such_finding")
    return finding


def _go(finding: Finding, act: str) -> None:
    method = getattr(finding, act)
    if not method._django_fsm.has_transition(finding.state):
        raise Refused("wrong_state")
    method()


def _not_the_same(finding: Finding, by: UserActor) -> None:
    if finding.rectified_person == by.user.person:
        raise Refused("same_person")


def _words(text: str) -> str:
    text = text.strip()
    if len(text) < MIN_LENGTH:
        raise Refused("reason_too_short")
    if len(text) > MAX_LENGTH:
        raise Refused("reason_too_long")
    return text


def _write(
    finding: Finding, act: str, by: UserActor, post: str, states: tuple[str, str], at: Moment, text: str = ""
) -> None:
    record.write(act, "finding", [finding.pk], by, post=post, path=finding.path, states=states, at=at,
                 reason=Reason("", text) if text else None)  # fmt: skip
