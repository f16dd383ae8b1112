"""Notices: drafted, signed by a second person, public at once, concluded by the system (DOMAIN.md §3.4).

Locks are taken in this order: cases before notices that are not public yet; public notices before cases. A line
leaves a list because its case left the step, never the other way round (see listeners.py).
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Exists, OuterRef
from psycopg.errors import LockNotAvailable

from approvals.notices import freezing, listing, privacy, queries, reasons, wording
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS, NoticeStep
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Organisation
from approvals.organisations.queries import county
from approvals.organisations.roles import matrix
from approvals.programmes.models import Programme, ProgrammeVersion
from notifications import send_all
from workflows import record, working_days
from workflows.actors import SYSTEM, Actor
from workflows.clock import Moment, moment
from workflows.decisions import decide
from workflows.facts import add_noticed, drop_noticed
from workflows.flows.aid import AidFlow
from workflows.locking import Result
from workflows.machines import transition_all
from workflows.models import Case
from workflows.queries import open_items
from workflows.reasons import Reason

NOTICES_AT_ONCE = 500
LINES_AT_ONCE = 10_000
"""Most that one sweep closes and concludes, so that its transaction stays short."""
NO_OBJECTION = "no_objection"
NOTHING_LEFT = "nothing_left"
"""Conclusions: nobody objected; every line was withdrawn before the end."""

# ---------------------------------------------------------------- drafting


def draft(
    step: str,
    organisation: Organisation,
    programme: Programme,
    term: str,
    by: UserActor,
    case_ids: Iterable[int] | None = None,
) -> Notice:
    """Drafts a notice of an office from these cases, or from all that wait at the step and are on no notice.

    The text, the columns and the length come from the programme, the contact from the office. Raises Refused:
    two officers who draft the same cases at once get one notice.
    """
    rules = STEPS[step]
    if organisation.kind != rules.organisation:
        raise Refused("wrong_office")
    post = by.require(rules.draft, organisation.path)
    try:
        with transaction.atomic():
            cases = _take(rules, organisation, programme, term, case_ids)
            notice = _new(rules, organisation, programme, term, by, cases)
            _list(notice, [case.pk for case in cases])
            record.write(
                "draft",
                "notice",
                [notice.pk],
                by,
                post=post,
                step=step,
                path=notice.path,
                states=("", notice.state),
                data={"lines": notice.line_count},
            )
    except IntegrityError as error:
        if "one_open_notice_per_case" not in str(error):
            raise
        raise Refused("already_listed", count=1) from error
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise Refused("busy") from error
    return notice


def _take(
    rules: NoticeStep, organisation: Organisation, programme: Programme, term: str, case_ids: Iterable[int] | None
) -> list[Case]:
    """Locks the cases, then looks which of them are on a notice by now."""
    wanted = None if case_ids is None else set(case_ids)
    waiting = queries.standing(rules, organisation.path, programme.pk, term, wanted)
    cases = list(waiting.order_by("pk").select_for_update(no_key=True))
    if wanted is not None and len(cases) < len(wanted):
        raise Refused("not_waiting", count=len(wanted) - len(cases))
    taken = NoticeLine.objects.filter(case__in=cases, step=rules.name, open=True).count()
    if taken:
        raise Refused("already_listed", count=taken)
    if not cases:
        raise Refused("nothing_waits")
    return cases


def _new(
    rules: NoticeStep, organisation: Organisation, programme: Programme, term: str, by: UserActor, cases: Sequence[Case]
) -> Notice:
    """The notice without its lines; its rule is that of the newest version among the cases."""
    version = ProgrammeVersion.objects.get(programme=programme, number=max(case.programme_version for case in cases))
    rule = version.rules.notices.get(rules.name)
    if rule is None:
        raise Refused("no_notice_here")
    kind = version.rules.disbursement
    title = wording.title(wording.issuer(organisation), version.rules.project, term, kind)
    return Notice.objects.create(
        step=rules.name,
        organisation=organisation,
        path=organisation.path,
        programme=programme,
        term=term,
        subject=version.rules.project,
        kind=kind,
        title=_told_apart(title, rules, organisation, term, by),
        columns=list(rule.columns),
        mask_names=rule.mask_names,
        days=rule.days,
        day_kind=rule.day_kind,
        contact=organisation.contact,
        contact_phone=organisation.contact_phone,
        contact_place=organisation.contact_place,
        supervision_phone=county().contact_phone,
        drafted_by=by.user,
        drafted_person=by.user.person,
        public_id=secrets.token_hex(8),
    )


def _told_apart(title: str, rules: NoticeStep, organisation: Organisation, term: str, by: UserActor) -> str:
    """The title, numbered where the office has notices of that title already.

    The public must tell them apart and must not read a pupil's circumstances from a title, so the number follows
    the order of drafting and not the programme. A first one that is still a draft becomes 之一.
    """
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)  # two drafts get two numbers
    alike = Notice.objects.filter(step=rules.name, organisation=organisation, term=term, title__startswith=title)
    others = list(alike.exclude(state="voided").order_by("pk").select_for_update(of=("self",), no_key=True))
    if not others:
        return title
    first = others[0]
    if len(others) == 1 and first.state == "draft" and first.title == title:
        first.title = wording.numbered(title, 1)
        first.save(update_fields=["title"])
        _write(first, "edit", by, by.require(rules.draft, organisation.path))
    return wording.numbered(title, len(others) + 1)


def _list(notice: Notice, case_ids: Sequence[int]) -> None:
    """Writes the lines: what the public will see of each case, and nothing else."""
    NoticeLine.objects.bulk_create(
        (
            NoticeLine(notice=notice, case_id=case, number=number, step=notice.step, shown=shown)
            for number, (case, shown) in enumerate(
                listing.rows(case_ids, notice.columns, notice.subject, notice.mask_names), 1
            )
        ),
        batch_size=2000,
    )
    _recount(notice)


def _recount(notice: Notice) -> None:
    """Brings counts, amount and the text that names them up to date with the list."""
    now = queries.content(notice)
    notice.line_count, notice.amount = now.count, now.amount
    notice.body = wording.body(notice.step, notice.subject, notice.term, notice.kind, now.count, now.amount)
    notice.save(update_fields=["line_count", "amount", "body"])


def edit(
    notice_id: int, by: UserActor, *, title: str, remark: str, contact: str, contact_phone: str, contact_place: str
) -> Notice:
    """Changes what an author may change of a draft: title, remark and the contact. Raises Refused."""
    with transaction.atomic():
        notice = _locked(notice_id)
        post = by.require(STEPS[notice.step].draft, notice.path)
        if notice.state != "draft":
            raise Refused("wrong_state")
        if not title.strip():
            raise Refused("title_missing")
        notice.title, notice.remark = title.strip(), remark.strip()
        notice.contact, notice.contact_phone = contact.strip(), contact_phone.strip()
        notice.contact_place = contact_place.strip()
        notice.save(update_fields=["title", "remark", "contact", "contact_phone", "contact_place"])
        _write(notice, "edit", by, post)
    return notice


def submit(notice_id: int, by: UserActor) -> Notice:
    """送审: a draft goes to the signer, once it is complete and shows nothing private. Raises Refused."""
    with transaction.atomic():
        notice = _locked(notice_id)
        post = by.require(STEPS[notice.step].draft, notice.path)
        _go(notice, "submit")
        _check(notice, moment().date)
        _recount(notice)
        _write(notice, "submit", by, post, states=("draft", notice.state))
    return notice


# ---------------------------------------------------------------- signing


def publish(notice_id: int, by: UserActor, *, privacy_checked: bool, seen: str | None = None) -> Notice:
    """签发: a second natural person signs, and the list is public at once.

    The list is frozen and hashed, and the end of the period computed, from this moment's business date.
    `seen` is the mark of the content that the signer looked at (queries.content). Raises Refused.
    """
    at = moment()
    with transaction.atomic():
        notice = _locked(notice_id)
        post = by.require(STEPS[notice.step].sign, notice.path)
        if by.user.person == notice.drafted_person:
            raise Refused("same_person")
        _go(notice, "publish", save=False)
        if not privacy_checked:
            raise Refused("privacy_not_checked")
        if seen is not None and seen != queries.content(notice).mark:
            raise Refused("changed")
        _check(notice, at.date)
        _recount(notice)
        notice.signed_by, notice.signed_person = by.user, by.user.person
        notice.published_at = at.business
        notice.ends_on = working_days.notice_end(at.date, notice.days, notice.day_kind)
        notice.provisional = _is_provisional(notice, at.date, notice.ends_on)
        notice.frozen = freezing.frozen_bytes(notice)
        notice.sha256 = freezing.digest(notice.frozen)
        notice.save()
        _write(
            notice, "publish", by, post, states=("pending_review", notice.state), at=at,
            data={"sha256": notice.sha256, "lines": notice.line_count, "ends_on": notice.ends_on.isoformat(),
                  "privacy_checked": True},
        )  # fmt: skip
    return notice


def _is_provisional(notice: Notice, start: date, end: date) -> bool:
    return notice.day_kind == "working" and working_days.calendar().is_provisional(start, end)


def send_back(notice_id: int, by: UserActor, reason: Reason | None) -> Notice:
    """退回: the signer gives a notice back to its author, with a reason. Raises Refused."""
    given = reasons.require(reason, "send_back")
    with transaction.atomic():
        notice = _locked(notice_id)
        post = by.require(STEPS[notice.step].sign, notice.path)
        _go(notice, "send_back")
        _write(notice, "send_back", by, post, states=("pending_review", notice.state), reason=given)
    return notice


def void(notice_id: int, by: UserActor, reason: Reason | None) -> Notice:
    """作废, with a reason: hidden at once; its cases stay at the step and wait for another notice.

    The signer may void a notice until its period is over; its drafting office may give up a draft. Raises Refused.
    """
    given = reasons.require(reason, "void")
    with transaction.atomic():
        notice = _locked(notice_id)
        rules, was = STEPS[notice.step], notice.state
        author = by.permits(rules.draft, [notice.path]).get(notice.path) if was == "draft" else None
        if author:
            post = author
            _go(notice, "discard", save=False)
        else:
            post = by.require(rules.sign, notice.path)
            if not queries.may_still_change(notice):
                raise Refused("wrong_state")
            _go(notice, "void", save=False)
        notice.void_reason = given.text
        notice.save(update_fields=["state", "void_reason"])
        notice.lines.filter(open=True).update(open=False)
        _write(notice, "void", by, post, states=(was, notice.state), reason=given)
    return notice


# ---------------------------------------------------------------- lines


def withdraw_line(line_id: int, by: UserActor, reason: Reason) -> Result:
    """Takes one line off a list: its case goes back to review, to be noticed again; the rest goes on.

    `by` must hold the reviewer's permission of the step. Raises Refused when the line is on no open list.
    """
    line = NoticeLine.objects.select_related("notice").defer("notice__frozen").get(pk=line_id)
    by.require(STEPS[line.step].reviewer, line.notice.path)
    items = open_items(AidFlow.kind, line.step, [line.case_id])
    stated = matrix().in_state(f"{line.step}.withdraw_line", line.notice.state)
    if not stated or not line.open or line.state != "listed" or line.case_id not in items:
        raise Refused("not_listed")
    return decide([items[line.case_id]], "adjust", by, reason)[0]


def remove_lines(case_ids: Iterable[int], step: str, by: Actor, reason: Reason | None, at: Moment) -> None:
    """Takes the lines of cases that left a notice step off its list; part of the move (listeners.py).

    A notice that is public keeps its frozen bytes and says how many lines were removed; one that is not yet
    counts anew.
    """
    cases = list(case_ids)
    drop_noticed(cases, step)
    lines = NoticeLine.objects.filter(case__in=cases, step=step, open=True)
    ids = set(lines.values_list("notice", flat=True))
    unpublished = list(
        Notice.objects.filter(pk__in=ids, state__in=["draft", "pending_review"]).order_by("pk").select_for_update()
    )
    lines.update(state="removed", open=False, reason=reason.text if reason else "")
    for notice in unpublished:
        _recount(notice)
    for notice in Notice.objects.filter(pk__in=ids).only("pk", "path"):
        post = by.permits(STEPS[step].reviewer, [notice.path]).get(notice.path, "")
        record.write(
            "remove_line", "notice", [notice.pk], by, post=post, step=step, path=notice.path, reason=reason, at=at
        )


def confirm_lines(case_ids: Iterable[int], step: str) -> None:
    """Settles the lines of cases whose notice concluded; part of the move (listeners.py)."""
    NoticeLine.objects.filter(case__in=list(case_ids), step=step, open=True).update(state="confirmed", open=False)


# ---------------------------------------------------------------- the end of the period


def close_due() -> int:
    """期满: closes the published notices whose last day is over by the business clock; returns how many."""
    at = moment()
    with transaction.atomic():
        over = list(
            Notice.objects.filter(state="published", ends_on__lt=at.date)
            .order_by("ends_on", "pk")
            .select_for_update(skip_locked=True)
            .values_list("pk", flat=True)[:NOTICES_AT_ONCE]
        )
        transition_all(Notice.objects.filter(pk__in=over), "close")
        record.write("close", "notice", over, SYSTEM, post="system", states=("published", "closed"), at=at)
    return len(over)


def conclude_closed() -> int:
    """公示结束: concludes what was closed, moves its cases on, and takes the lists down.

    One transaction for many notices and at most `LINES_AT_ONCE` lines; cases that somebody holds are left for
    the next sweep. Returns how many lines and notices it settled. Safe to be killed and to run twice at once.
    """
    at = moment()
    with transaction.atomic():
        closed = list(
            Notice.objects.filter(state="closed")
            .order_by("pk")
            .select_for_update(skip_locked=True)
            .values_list("pk", flat=True)[:NOTICES_AT_ONCE]
        )
        settled = sum(_conclude_lines(closed, step) for step in STEPS)
        left = NoticeLine.objects.filter(notice=OuterRef("pk"), open=True)
        done = Notice.objects.filter(~Exists(left), pk__in=closed)
        settled += _take_down(list(done.values_list("pk", flat=True)), at)
    return settled


def _conclude_lines(notices: Sequence[int], step: str) -> int:
    lines = NoticeLine.objects.filter(notice__in=notices, step=step, open=True, state="listed")
    standing = lines.order_by("notice", "pk").values_list("case", flat=True)[:LINES_AT_ONCE]
    cases = list(
        Case.objects.filter(pk__in=list(standing))
        .order_by("pk")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", flat=True)
    )
    if not cases:
        return 0
    items = open_items(AidFlow.kind, step, cases)
    add_noticed(items, step)
    return sum(result.ok for result in decide(items.values(), "conclude", SYSTEM))


def _take_down(notices: Sequence[int], at: Moment) -> int:
    """无异议, and 撤下 with it: the list has not been public since its last day ended."""
    confirmed = NoticeLine.objects.filter(notice=OuterRef("pk"), state="confirmed")
    rows = Notice.objects.filter(pk__in=notices)
    for conclusion, having in ((NO_OBJECTION, Exists(confirmed)), (NOTHING_LEFT, ~Exists(confirmed))):
        ids = list(rows.filter(having).values_list("pk", flat=True))
        transition_all(rows.filter(pk__in=ids), "conclude", concluded_at=at.business, conclusion=conclusion)
        record.write(
            "conclude", "notice", ids, SYSTEM, post="system", states=("closed", "concluded"), at=at,
            data={"conclusion": conclusion},
        )  # fmt: skip
        if conclusion == NO_OBJECTION:
            _tell(ids)
    transition_all(rows, "take_down")
    record.write("take_down", "notice", notices, SYSTEM, post="system", states=("concluded", "taken_down"), at=at)
    return len(notices)


def _tell(notices: Sequence[int]) -> None:
    """Author and signer learn that nobody objected."""
    told = Notice.objects.filter(pk__in=notices).values_list("pk", "title", "drafted_by", "signed_by")
    send_all(
        "notice_concluded",
        "notice",
        [((author, signer), pk, str(pk), {"name": title}) for pk, title, author, signer in told],
    )


def recompute_open() -> int:
    """Computes the ends of the running notices again, after a calendar was loaded; returns how many changed."""
    working_days.forget()
    at = moment()
    changed = 0
    with transaction.atomic():
        running = Notice.objects.filter(state="published", day_kind="working").defer("frozen").order_by("pk")
        for notice in running.select_for_update():
            start, was = notice.published_on, notice.ends_on
            assert start is not None and was is not None  # noqa: PT018  a constraint says so
            notice.ends_on = working_days.notice_end(start, notice.days)
            provisional = _is_provisional(notice, start, notice.ends_on)
            if (notice.ends_on, provisional) == (was, notice.provisional):
                continue
            notice.provisional = provisional
            notice.save(update_fields=["ends_on", "provisional"])
            _write(
                notice,
                "recompute",
                SYSTEM,
                "system",
                at=at,
                data={"was": was.isoformat(), "ends_on": notice.ends_on.isoformat()},
            )
            changed += 1
    return changed


# ---------------------------------------------------------------- checks


def _locked(notice_id: int) -> Notice:
    return Notice.objects.select_related("organisation", "programme").select_for_update(of=("self",)).get(pk=notice_id)


def _go(notice: Notice, act: str, *, save: bool = True) -> None:
    """Takes a transition of the notice's state machine; Refused with the condition that does not hold."""
    method = getattr(notice, act)
    found = method._django_fsm.get_transition(notice.state)
    named = {"discard": "void"}.get(act, act)
    if found is None or not matrix().in_state(f"{notice.step}.{named}", notice.state):
        raise Refused("wrong_state")
    for condition in found.conditions:
        if not condition(notice):
            raise Refused(condition.code)
    method()
    if save:
        notice.save(update_fields=["state"])


def _check(notice: Notice, today: date) -> None:
    """Columns of the whitelist, a complete contact, nothing private anywhere. Raises Refused."""
    rules = STEPS[notice.step]
    if not rules.may_show(notice.columns):
        beyond = [heading for heading in notice.columns if heading not in rules.columns]
        raise Refused("column_not_allowed", columns="、".join(beyond) or "—")
    missing = [_label(name) for name in ("contact", "contact_phone", "contact_place") if not getattr(notice, name)]
    if missing:
        raise Refused("contact_missing", fields="、".join(missing))
    findings = privacy_findings(notice, today)
    if findings:
        raise Refused("private_data", findings, places="；".join(str(finding) for finding in findings[:5]))


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


def _label(field: str) -> str:
    return str(getattr(Notice._meta.get_field(field), "verbose_name", field))


def _write(
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
    record.write(
        act, "notice", [notice.pk], by, post=post, step=notice.step, path=notice.path, states=states, reason=reason,
        data=data, at=at,
    )  # fmt: skip
