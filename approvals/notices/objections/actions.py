"""Objections: received from anybody, accepted or not, looked into by somebody whom nothing touches, answered, appealed
once (DOMAIN.md §3.4).

Locks are taken in this order: the objection, its notice, lines and cases. An objection holds its line from receipt; the
line is free again when the last one that is open about it is settled (guards.py keeps the case at its step meanwhile).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg.errors import DeadlockDetected, LockNotAvailable

from approvals.applications import evidence_store
from approvals.applications.evidence_files import Paper
from approvals.applications.models import Application
from approvals.notices import privacy, queries
from approvals.notices.actions.checks import take
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.objections import eligibility, limits, receipts, words
from approvals.notices.objections.models import (
    HANDLES,
    INVESTIGATES,
    OPEN,
    OUTCOMES,
    TO_INVESTIGATE,
    Objection,
    Ruling,
    SealedIdentity,
    UsedQuestion,
)
from approvals.notices.refusals import Refused
from approvals.organisations.authority import UserActor, accounts_of
from approvals.organisations.models import Organisation, User
from approvals.organisations.roles import matrix
from approvals.programmes.definition import ObjectionRule
from notifications import send, send_all
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.clock import CHINA, Moment, moment
from workflows.decisions import decide as decide_cases
from workflows.flows.aid import AidFlow
from workflows.models import Case
from workflows.moving import take_level
from workflows.queries import open_items
from workflows.reasons import MAX_LENGTH, MIN_LENGTH, Reason
from workflows.working_days import calendar

SHORTEST_REPLY = 20
HELD = "objected"
"""State of a line that an open objection holds."""
MOVES = {"upheld": ("uphold", words.UPHELD), "adjusted": ("amend", words.ADJUSTED)}
"""What becomes of a held line's case, by outcome: the outcome of its step, and the reason on its record."""
AT_ONCE = 500


class _Public:
    """Whoever fills in the public form: nobody that the record could name."""

    key = ""
    name = "public"

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        return {}


PUBLIC: Actor = _Public()
Given = ParamSpec("Given")
Done = TypeVar("Done")


def _in_one_piece(act: Callable[Given, Done]) -> Callable[Given, Done]:
    """All or nothing; whoever meets somebody else at the same rows is told so."""

    @wraps(act)
    def done(*args: Given.args, **kwargs: Given.kwargs) -> Done:
        try:
            with transaction.atomic():
                return act(*args, **kwargs)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise Refused("busy") from error
            raise

    return done


# ---------------------------------------------------------------- received


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody sends: the number of a line, or None for the whole list; who he is, or nothing."""

    line: int | None
    ground: str
    text: str
    name: str = ""
    contact: str = ""
    paper: Paper | None = None
    to_county: bool = False
    """He would rather have the county handle an objection to a school's list."""


def receive(notice_id: int, given: Statement, nonce: str, place: bytes) -> tuple[Objection, str]:
    """Takes an objection in and holds its line; returns it with its receipt number, which is kept nowhere.

    `nonce` is of the question that was answered, `place` a hash of where it comes from. Raises Refused.
    """
    key = evidence_store.keep(given.paper.data) if given.paper else ""
    try:
        return _receive(notice_id, given, key, nonce, place)
    except BaseException:
        if key:
            evidence_store.forget(key)
        raise


@_in_one_piece
def _receive(notice_id: int, given: Statement, key: str, nonce: str, place: bytes) -> tuple[Objection, str]:
    at = moment()
    notice = _locked_notice(notice_id)
    check_open(notice, at.date)
    _use(nonce)
    limits.count(limits.SENT, place)
    limits.count(limits.TO_NOTICE, limits.place_of(notice.pk))
    line = _hold(notice, given.line) if given.line is not None else None
    rule = _rule_of(notice, line)
    digits = receipts.new()
    county = given.to_county or notice.step == "county_notice"
    objection = Objection.objects.create(
        notice=notice,
        line=line,
        number=notice.objections.count() + 1,
        path=_county_of(notice.path) if county else notice.path,
        ground=given.ground,
        statement=given.text,
        named=bool(given.name),
        receipt_hash=receipts.index(digits),
        received_at=at.business,
        limits=rule.model_dump(),
        due_on=calendar().after(at.date, rule.accept_days),
    )
    SealedIdentity.objects.create(
        objection=objection,
        name=given.name,
        contact=given.contact,
        file=key,
        content_type=given.paper.content_type if given.paper else "",
    )
    told = {"notice": notice.pk, "number": objection.number, "ground": given.ground, "named": objection.named}
    _write(objection, "receive", PUBLIC, "", states=("", "received"), data=told, at=at)
    _tell("objection_received", objection, _handlers(objection))
    return objection, digits


def check_open(notice: Notice, today: date) -> None:
    """Raises Refused where a notice cannot be objected to: its period is over, or it is not on public notice."""
    if queries.is_current(notice, today):
        return
    over = notice.ends_on is not None and notice.ends_on < today
    raise Refused("period_ended" if over and notice.state != "voided" else "not_on_notice")


def _use(nonce: str) -> None:
    """Uses a question up. Raises Refused where it was used before; a second sender waits for the first."""
    _question, new = UsedQuestion.objects.get_or_create(nonce=nonce, defaults={"at": timezone.now()})
    if not new:
        raise Refused("question_used")


@transaction.atomic
def not_taken(wrong: str, place: bytes) -> None:
    """Counts a form that was not filled in rightly, and uses up the question if that was answered wrongly."""
    limits.remember(limits.WRONG, place)
    if wrong:
        UsedQuestion.objects.get_or_create(nonce=wrong, defaults={"at": timezone.now()})


def _hold(notice: Notice, number: int) -> NoticeLine:
    """The line of a number, held from now on. Raises Refused where the list has none such, or no more."""
    line = notice.lines.select_for_update(no_key=True).filter(number=number).first()
    if line is None:
        raise Refused("no_such_line", number=number)
    if line.state not in ("listed", HELD):
        raise Refused("line_removed", number=number)
    if line.state == "listed":
        line.state = HELD
        line.save(update_fields=["state"])
    return line


def _rule_of(notice: Notice, line: NoticeLine | None) -> ObjectionRule:
    """The deadlines of the programme's version that the case, or the newest case of the list, was entered under."""
    lines = notice.lines.filter(pk=line.pk) if line is not None else notice.lines.all()
    rule = queries.rule_of(lines, notice)
    return rule.objections if rule else ObjectionRule()


# ---------------------------------------------------------------- accepted or not


@_in_one_piece
def accept(objection_id: int, by: UserActor, complained: Iterable[UUID] = ()) -> Objection:
    """受理: it will be looked into. `complained` are the natural persons of the office whom it complains of.

    Goes to the county where it complains of who accepts it, or nobody at the office may look into it. Raises Refused.
    """
    at = moment()
    objection = _locked(objection_id)
    post = by.require(HANDLES, objection.path)
    _go(objection, "accept")
    known = {person for person, _name in eligibility.staff_of(objection)}
    objection.complained = sorted(known.intersection(complained))
    objection.due_on = _after(objection.received_on, objection, "reply")
    objection.save(update_fields=["state", "complained", "due_on"])
    Notice.objects.filter(pk=objection.notice_id).update(contested=True)
    _write(objection, "accept", by, post, states=("received", "accepted"), at=at,
           data={"complained_of": len(objection.complained)})  # fmt: skip
    touched = by.user.person in objection.complained
    if not objection.at_county and (touched or not eligibility.anybody(objection)):
        _refer(objection, SYSTEM, "system", at, "complained_of" if touched else "nobody")
    return objection


@_in_one_piece
def not_accept(objection_id: int, by: UserActor, reason: Reason) -> Objection:
    """不予受理: its author reads why, and its line is free again unless another objection holds it. Raises Refused."""
    at = moment()
    objection = _locked(objection_id)
    post = by.require(HANDLES, objection.path)
    if reason.code not in words.NOT_ACCEPTED:
        raise Refused("reason_unknown")
    if len(reason.text.strip()) < MIN_LENGTH:
        raise Refused("reason_too_short")
    _check_told(objection, reason.text, at.date)
    _lock_notice_of(objection)
    _go(objection, "not_accept")
    objection.reply, objection.replied_at, objection.due_on = reason.text.strip(), at.business, None
    objection.save(update_fields=["state", "reply", "replied_at", "due_on"])
    _write(objection, "not_accept", by, post, states=("received", "not_accepted"), reason=reason, at=at)
    _free([objection])
    return objection


@_in_one_piece
def refer(objection_id: int, by: UserActor) -> Objection:
    """转县级处理: the office gives an objection to the county, until it is decided. Raises Refused."""
    at = moment()
    objection = _locked(objection_id)
    post = by.require(HANDLES, objection.path)
    _check_state(objection, "refer")
    if objection.at_county:
        raise Refused("at_county")
    _refer(objection, by, post, at, "office")
    return objection


def _refer(objection: Objection, by: Actor, post: str, at: Moment, why: str) -> None:
    was, state = objection.path, objection.state
    _go(objection, "refer")
    objection.path = _county_of(was)
    objection.investigator = objection.investigator_person = None
    objection.save(update_fields=["state", "path", "investigator", "investigator_person"])
    _write(objection, "refer", by, post, path=was, states=(state, objection.state), data={"why": why}, at=at)
    _tell("objection_received", objection, _handlers(objection))


# ---------------------------------------------------------------- looked into


@_in_one_piece
def assign(objection_id: int, user_id: int, by: UserActor) -> Objection:
    """指定调查人: names who looks into it, or another one. Raises Refused with why somebody may not."""
    at = moment()
    objection = _locked(objection_id)
    post = by.require(HANDLES, objection.path)
    who = next((each for each in eligibility.candidates(objection) if each.user_id == user_id), None)
    if who is None:
        raise Refused("nobody_named")
    if who.reasons:
        raise Refused("cannot_investigate", name=who.name, why=who.why_not)
    was = objection.state
    _go(objection, "assign")
    objection.investigator = User.objects.get(pk=user_id)
    objection.investigator_person = objection.investigator.person
    objection.save(update_fields=["state", "investigator", "investigator_person"])
    _write(objection, "assign", by, post, states=(was, objection.state), data={"to": who.name}, at=at)
    _tell("objection_assigned", objection, [user_id])
    return objection


@dataclass(frozen=True, slots=True)
class Identity:
    """Who objected, opened for a purpose."""

    name: str
    contact: str
    has_paper: bool


@_in_one_piece
def unseal(objection_id: int, by: UserActor, purpose: str) -> Identity:
    """Opens who objected, for the investigator alone, and writes who did and for what. Raises Refused."""
    sealed = _opened(objection_id, by, purpose, "identity")
    return Identity(str(sealed.name), str(sealed.contact), bool(sealed.file))


def open_paper(objection_id: int, by: UserActor, purpose: str) -> tuple[bytes, str]:
    """The paper that its author added, and its media type; as `unseal`."""
    sealed = _in_one_piece(_opened)(objection_id, by, purpose, "paper")
    return evidence_store.read(sealed.file), sealed.content_type


def _opened(objection_id: int, by: UserActor, purpose: str, what: str) -> SealedIdentity:
    objection = _locked(objection_id)
    post = _investigating(objection, by)
    _check_state(objection, "unseal")
    if purpose not in words.PURPOSES:
        raise Refused("reason_unknown")
    sealed = SealedIdentity.objects.get(pk=objection_id)
    if not (sealed.file if what == "paper" else objection.named):
        raise Refused("nothing_sealed")
    _write(objection, "unseal", by, post, data={"purpose": purpose, "what": what})
    return sealed


def _investigating(objection: Objection, by: UserActor) -> str:
    """The post under which somebody looks into it. Raises PermissionDenied, or Refused for who was not named."""
    post = by.require(INVESTIGATES, objection.path)
    if objection.investigator_person != by.user.person:
        raise Refused("not_investigator")
    return post


# ---------------------------------------------------------------- decided and answered


@_in_one_piece
def decide(objection_id: int, by: UserActor, outcome: str, reply: str) -> Objection:
    """作出决定并答复, by the investigator: a held line's case is rejected, goes back to review, or waits for an appeal.

    The reply can be read by receipt number at once. A decision upon appeal is final. Raises Refused.
    """
    at = moment()
    objection = _locked(objection_id)
    post = _investigating(objection, by)
    _check_state(objection, "decide")
    if outcome not in dict(OUTCOMES):
        raise Refused("reason_unknown")
    if against := eligibility.why_not(objection, by.user.person):
        why = "、".join(str(eligibility.WHY[code]) for code in against)
        raise Refused("cannot_investigate", name=by.name, why=why)
    reply = reply.strip()
    if words.TO_FILL_IN in reply or "××" in reply:
        raise Refused("reply_unfinished")
    if len(reply) < SHORTEST_REPLY:
        raise Refused("reply_too_short")
    if len(reply) > MAX_LENGTH:  # it is the reason of the decision on the case
        raise Refused("reply_too_long")
    _check_told(objection, reply, at.date)
    was = objection.state
    _lock_notice_of(objection)
    _settle_case(objection, by, outcome, reply)
    _go(objection, "decide")
    final = was == "rechecking"
    Ruling.objects.create(
        objection=objection, round=2 if final else 1, outcome=outcome, reply=reply, by=by.user,
        person=by.user.person, at=at.business,
    )  # fmt: skip
    objection.outcome, objection.reply, objection.replied_at, objection.due_on = outcome, reply, at.business, None
    _write(objection, "decide", by, post, states=(was, "decided"), at=at,
           data={"outcome": outcome, "upon_appeal": final})  # fmt: skip
    objection.answer()
    appealable = outcome == "dismissed" and not final
    objection.appeal_until = _after(at.date, objection, "appeal") if appealable else None
    objection.save()
    _write(objection, "answer", by, post, states=("decided", "replied"), at=at)
    if not appealable:
        _close([objection], at)
    return objection


def _settle_case(objection: Objection, by: UserActor, outcome: str, reply: str) -> None:
    """Moves the case of a held line as decided; where it stays, spends this person's level on it all the same.

    A line that another objection, or a reviewer, has taken off has no case to move any more.
    """
    line = objection.line
    if line is None:
        return
    line.refresh_from_db(fields=["state"])
    if line.state != HELD:
        return
    if outcome not in MOVES:
        list(Case.objects.select_for_update(no_key=True).filter(pk=line.case_id).values_list("pk"))
        if not take_level([(line.case_id, eligibility.LEVEL)], by.key):
            raise Refused("cannot_investigate", name=by.name, why=eligibility.WHY["acted"])
        return
    move, code = MOVES[outcome]
    items = open_items(AidFlow.kind, line.step, [line.case_id])
    if line.case_id not in items:
        raise Refused("answered_before")
    [result] = decide_cases([items[line.case_id]], move, by, Reason(code, reply), data={"objection": objection.number})
    if not result.ok:
        raise Refused("said", message=result.message)
    NoticeLine.objects.filter(pk=line.pk).update(state="removed", open=False)


def _check_told(objection: Objection, text: str, today: date) -> None:
    """Raises Refused where what its author is told holds something that he, or anybody else, may not read."""
    found = [str(privacy.KINDS[kind]) for kind in privacy.scan(text, today)]
    found += [str(whose) for whose in _named_in(objection, privacy.plain(text))]
    if found:
        raise Refused("reply_private", places="、".join(found))


def _named_in(objection: Objection, plain: str) -> Iterator[Promise]:
    """Whether a text names the pupil or who objected. Compared here, so that nobody need be shown who that is."""
    if objection.line is not None:
        pupil = Application.objects.filter(pk=objection.line.case_id).values_list("student__name", flat=True).first()
        if pupil and pupil in plain:
            yield _("the pupil's name")
    sealed = SealedIdentity.objects.get(pk=objection.pk)
    if any(len(said) > 1 and privacy.plain(said) in plain for said in (str(sealed.name), str(sealed.contact))):
        yield _("who objected")


# ---------------------------------------------------------------- appealed


@_in_one_piece
def appeal(digits: str, text: str) -> Objection:
    """申请复核, by receipt number: the county looks into it once more, by another person. Raises Refused."""
    at = moment()
    found = Objection.objects.filter(receipt_hash=receipts.index(digits)).values_list("pk", flat=True).first()
    if found is None:
        raise Refused("no_such_receipt")
    objection = _locked(found)
    if objection.appealed_at is not None:
        raise Refused("appealed_already")
    if objection.appeal_until is None:
        raise Refused("no_appeal")
    if objection.state != "replied" or objection.appeal_until < at.date:
        raise Refused("appeal_too_late", until=objection.appeal_until.isoformat())
    was = objection.path
    objection.appeal()
    objection.path = _county_of(was)
    objection.investigator = objection.investigator_person = None
    objection.appealed_at, objection.appeal_statement, objection.appeal_until = at.business, text, None
    objection.due_on = _after(at.date, objection, "appeal_reply")
    objection.save()
    _write(objection, "appeal", PUBLIC, "", states=("replied", "appealed"), at=at)
    _tell("objection_appealed", objection, _handlers(objection))
    return objection


# ---------------------------------------------------------------- settled


@_in_one_piece
def close_run_out() -> int:
    """Closes the answered objections that nobody appealed in time, and frees their lines; returns how many."""
    at = moment()
    over = list(
        Objection.objects.filter(state="replied", appeal_until__lt=at.date)
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
        .defer("statement", "appeal_statement")[:AT_ONCE]
    )
    _close(over, at)
    return len(over)


def _close(objections: list[Objection], at: Moment) -> None:
    for objection in objections:
        objection.close()
        objection.save(update_fields=["state"])
        _write(objection, "close", SYSTEM, "system", states=("replied", "closed"), at=at)
    _free(objections)


def _free(objections: list[Objection]) -> None:
    """Puts the lines of settled objections back on their lists where no other open one holds them.

    Their notices are locked, as they are by whoever objects, so that no new one is missed. A line of a voided notice
    is put on no list: its case waits for another notice.
    """
    notices = {objection.notice_id for objection in objections if objection.line_id is not None}
    list(Notice.objects.filter(pk__in=notices).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    still = Objection.objects.filter(line=OuterRef("pk"), state__in=OPEN)
    lines = NoticeLine.objects.filter(pk__in=[objection.line_id for objection in objections if objection.line_id])
    free = lines.filter(~Exists(still), state=HELD)
    free.filter(notice__state="voided").update(state="listed", open=False)
    free.update(state="listed")


# ---------------------------------------------------------------- another calendar


@_in_one_piece
def recompute() -> int:
    """Counts the deadlines of open objections anew, after a calendar was loaded; returns how many changed.

    Whoever must act by another day now is told.
    """
    at, changed = moment(), 0
    rows = Objection.objects.filter(state__in=OPEN).select_related("notice").order_by("pk")
    for objection in rows.defer("statement", "appeal_statement", "notice__frozen").select_for_update(of=("self",)):
        field, what, start = _running(objection)
        was, now = getattr(objection, field), _after(start, objection, what)
        if was in (None, now):
            continue
        setattr(objection, field, now)
        objection.save(update_fields=[field])
        _write(objection, "recompute", SYSTEM, "system", at=at, data={"was": was.isoformat(), "until": now.isoformat()})
        changed += 1
        if field == "due_on":
            looks = objection.investigator_id if objection.state in TO_INVESTIGATE else None
            _tell("objection_recomputed", objection, [looks] if looks else _handlers(objection), day=now.isoformat())
    return changed


def _running(objection: Objection) -> tuple[str, str, date]:
    """The deadline that runs in this state: where it is kept, what it is for, the day from which it is counted."""
    if objection.state == "received":
        return "due_on", "accept", objection.received_on
    if objection.appealed_at is not None:
        return "due_on", "appeal_reply", objection.appealed_at.astimezone(CHINA).date()
    if objection.replied_at is not None:
        return "appeal_until", "appeal", objection.replied_at.astimezone(CHINA).date()
    return "due_on", "reply", objection.received_on


# ---------------------------------------------------------------- reminders


def remind(today: date) -> None:
    """Tells whoever must act how many objections are due by tomorrow or overdue, and the county of what is overdue."""
    owed = Objection.objects.filter(state__in=OPEN, due_on__lte=calendar().after(today, 1))
    near: Counter[int] = Counter()
    overdue: Counter[int] = Counter()
    rows = list(owed.values_list("path", "state", "investigator_person", "due_on"))
    paths = {path for path, *_rest in rows}
    handlers = eligibility.accounts_at(HANDLES, paths | {_county_of(path) for path in paths})
    people = accounts_of({person.hex for _path, state, person, _due in rows if person and state in TO_INVESTIGATE})
    for path, state, person, due_on in rows:
        late = due_on is not None and due_on < today
        investigates = person is not None and state in TO_INVESTIGATE
        told = set(people.get(person.hex, ())) if person is not None and investigates else set(handlers[path])
        if late:
            told |= {*handlers[path], *handlers[_county_of(path)]}
        for user in told:
            overdue[user] += late
            near[user] += not late
    send_all(
        "objections_due",
        "objections",
        [([user], 0, today.isoformat(), {"near": near[user], "overdue": overdue[user]}) for user in near | overdue],
    )


# ---------------------------------------------------------------- what the acts have in common


def _locked(objection_id: int) -> Objection:
    rows = Objection.objects.select_related("notice", "line").defer("notice__frozen", "notice__body")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=objection_id)


def _locked_notice(notice_id: int) -> Notice:
    return Notice.objects.defer("frozen").select_for_update(no_key=True).get(pk=notice_id)


def _lock_notice_of(objection: Objection) -> None:
    """Before its line and its case, in the order in which who objects and the end of the period lock them."""
    if objection.line is not None:
        _locked_notice(objection.notice_id)


def _check_state(objection: Objection, act: str) -> None:
    if not matrix().in_state(f"objection.{act}", objection.state):
        raise Refused("answered_before")


def _go(objection: Objection, act: str) -> None:
    """Takes a transition of the state machine that the matrix allows, too. Raises Refused."""
    take(objection, act, f"objection.{act}", code="answered_before")


def _county_of(path: str) -> str:
    return path[: Organisation.steplen]


def _after(day: date, objection: Objection, what: str) -> date:
    """The last day of a deadline that is counted from a day: accept, reply, appeal or appeal_reply."""
    return calendar().after(day, objection.limits[f"{what}_days"])


def _write(
    objection: Objection,
    act: str,
    by: Actor,
    post: str,
    *,
    path: str = "",
    states: tuple[str, str] = ("", ""),
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    at: Moment | None = None,
) -> None:
    record.write(
        act, "objection", [objection.pk], by, post=post, step=objection.notice.step, path=path or objection.path,
        states=states, reason=reason, data=data, at=at,
    )  # fmt: skip


def _handlers(objection: Objection) -> list[int]:
    """The accounts at the office that handles it, whom to tell; not those above."""
    return eligibility.accounts_at(HANDLES, [objection.path])[objection.path]


def _tell(event: str, objection: Objection, to: Iterable[int], **data: str) -> None:
    cause = f"{objection.pk}:{record.latest('objection', objection.pk)}"
    data = {"name": objection.notice.title} | data
    send(event, to, about="objection", about_id=objection.pk, cause=cause, data=data)
