"""签发: a second natural person signs a notice, for now or for a later day; until its period is over it may be taken
out of public view, corrected, signed again and published with its clock started anew.
"""

from datetime import date, timedelta
from typing import Any

import structlog
from django.db import transaction

from approvals.notices import freezing, queries, reasons
from approvals.notices.actions import lines
from approvals.notices.actions.checks import calendar_known, check, go, is_provisional, locked, other_person, write
from approvals.notices.models import Notice, NoticeEdition
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS
from approvals.organisations.authority import UserActor
from notifications import send
from workflows import record, working_days
from workflows.actors import SYSTEM, Actor
from workflows.clock import Moment, moment
from workflows.reasons import Reason

log = structlog.get_logger(__name__)

PUBLISHED_AT_ONCE = 20
FARTHEST = 30
"""Days ahead for which a notice may be signed: what is checked today should still be true when it is read."""
SEAL_EARLIEST = 15
"""Days by which the date of issue may lie before the signature: the paper is sealed first, and signed here after it."""

# ---------------------------------------------------------------- signing


def publish(
    notice_id: int,
    by: UserActor,
    *,
    privacy_checked: bool,
    sealed: bool,
    sealed_on: date | None = None,
    publish_on: date | None = None,
    seen: str | None = None,
) -> Notice:
    """签发: a second natural person signs, and the list is public at once, or on `publish_on` by itself.

    The list is frozen and hashed when it becomes public, and the end of the period computed from that day. `sealed`
    confirms that the seal is on the paper, with `sealed_on` as its date of issue (the day of publication where none
    is given). `seen` is the mark of the content that the signer looked at (queries.content). Raises Refused.
    """
    at = moment()
    with transaction.atomic():
        notice = locked(notice_id)
        later = publish_on is not None and publish_on != at.date
        post = by.require(STEPS[notice.step].sign, notice.path)
        other_person(notice, by)
        go(notice, "schedule" if later else "publish", save=False)
        if not privacy_checked:
            raise Refused("privacy_not_checked")
        if not sealed:
            raise Refused("not_sealed")
        if seen is not None and seen != queries.content(notice).mark:
            raise Refused("changed")
        calendar_known()
        day = _day(publish_on or at.date, at.date)
        notice.sealed_on = _date_of_issue(sealed_on, at.date, day)
        notice.signed_by, notice.signed_person = by.user, by.user.person
        if later:
            _schedule(notice, by, post, day, at)
        else:
            _make_public(notice, by, post, at, was="pending_review", data={"privacy_checked": True, "sealed": True})
    return notice


def _day(day: date, today: date) -> date:
    """The day of publication. Raises Refused for one that is past or too far ahead."""
    if day < today:
        raise Refused("date_past")
    if day > today + timedelta(days=FARTHEST):
        raise Refused("date_too_far", days=FARTHEST, last=(today + timedelta(days=FARTHEST)).isoformat())
    return day


def _date_of_issue(given: date | None, today: date, day: date) -> date:
    """落款日期: not after the day of publication, and not long before the signature. Raises Refused."""
    issued = given or day
    if not today - timedelta(days=SEAL_EARLIEST) <= issued <= day:
        raise Refused("seal_date", first=(today - timedelta(days=SEAL_EARLIEST)).isoformat(), last=day.isoformat())
    return issued


def _schedule(notice: Notice, by: UserActor, post: str, day: date, at: Moment) -> None:
    """待发布: signed and sealed; the sweep makes it public on its day."""
    check(notice, day)
    lines.recount(notice)
    notice.publish_on = day
    notice.ends_on = working_days.notice_end(day, notice.days, notice.day_kind)
    notice.provisional = is_provisional(notice, day, notice.ends_on)
    notice.save()
    write(
        notice, "schedule", by, post, states=("pending_review", notice.state), at=at,
        data={"publish_on": day.isoformat(), "sealed_on": _iso(notice.sealed_on), "lines": notice.line_count,
              "privacy_checked": True, "sealed": True},
    )  # fmt: skip


def _make_public(notice: Notice, by: Actor, post: str, at: Moment, *, was: str, data: dict[str, Any]) -> None:
    """From this moment the list is public: numbered, checked, frozen, hashed, its end computed from this day."""
    lines.renumber(notice)
    check(notice, at.date)
    lines.recount(notice)
    notice.edition += 1
    notice.publish_on = None
    notice.published_at = at.business
    notice.ends_on = working_days.notice_end(at.date, notice.days, notice.day_kind)
    notice.provisional = is_provisional(notice, at.date, notice.ends_on)
    notice.frozen = freezing.frozen_bytes(notice)
    notice.sha256 = freezing.digest(notice.frozen)
    notice.save()
    write(
        notice, "publish", by, post, states=(was, notice.state), at=at,
        data={"sha256": notice.sha256, "lines": notice.line_count, "ends_on": notice.ends_on.isoformat(),
              "sealed_on": _iso(notice.sealed_on), "edition": notice.edition} | data,
    )  # fmt: skip


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


# ---------------------------------------------------------------- on its date


def publish_due() -> int:
    """到时发布: makes the signed notices public whose day has come; returns how many it has dealt with.

    Each in a transaction of its own, since a list may be long: killed in between, a notice is public or it is not, and
    the next sweep does the rest. One that fails is logged and keeps no other waiting.
    """
    at = moment()
    due = Notice.objects.filter(state="scheduled", publish_on__lte=at.date).order_by("publish_on", "pk")
    done = 0
    for notice_id in list(due.values_list("pk", flat=True)[:PUBLISHED_AT_ONCE]):
        try:
            done += _appear(notice_id, at)
        except Exception:
            log.exception("notice_not_published", notice=notice_id)
    return done


def _appear(notice_id: int, at: Moment) -> int:
    """Publishes a notice whose day has come, or says why not; 0 where another sweep has it."""
    with transaction.atomic():
        notice = (
            Notice.objects.filter(pk=notice_id, state="scheduled", publish_on__lte=at.date)
            .select_related("organisation", "programme", "supplements")
            .defer("frozen", "supplements__frozen")
            .select_for_update(of=("self",), skip_locked=True)
            .first()
        )
        if notice is None:
            return 0
        if not queries.listed(notice).exists():
            _lapse(notice, at)
            return 1
        try:
            with transaction.atomic():
                calendar_known()
                go(notice, "appear", save=False)
                _make_public(notice, SYSTEM, "system", at, was="scheduled", data={})
        except Refused as refused:
            notice.refresh_from_db()
            _hold_back(notice, refused, at)
        else:
            _tell("notice_appeared", notice)
    return 1


def _lapse(notice: Notice, at: Moment) -> None:
    """Nothing is left of the list on its day: voided, and its author told."""
    go(notice, "lapse", save=False)
    reason = Reason("nothing_left", str(reasons.REASONS["nothing_left"][0]))
    notice.void_reason = reason.text
    notice.save(update_fields=["state", "void_reason"])
    write(notice, "void", SYSTEM, "system", states=("scheduled", notice.state), reason=reason, at=at)
    _tell("notice_lapsed", notice)


def _hold_back(notice: Notice, refused: Refused, at: Moment) -> None:
    """What was found on its day keeps it from the public: back to its author, and both are told."""
    go(notice, "hold_back", save=False)
    signer = notice.signed_by_id
    _unsigned(notice)
    notice.save()
    write(
        notice, "hold_back", SYSTEM, "system", states=("scheduled", notice.state),
        reason=Reason(refused.code, str(refused)), at=at,
    )  # fmt: skip
    _tell("notice_held_back", notice, signer)


def _unsigned(notice: Notice) -> None:
    """What was signed for a day counts no longer; of one that has been public the database wants a signer still."""
    notice.publish_on = None
    if not notice.edition:
        notice.signed_by = notice.signed_person = notice.sealed_on = notice.ends_on = None
        notice.provisional = False


def _tell(event: str, notice: Notice, signer: int | None = None) -> None:
    """Author and signer learn it."""
    people = [each for each in (notice.drafted_by_id, signer or notice.signed_by_id) if each]
    cause = f"{notice.pk}:{record.latest('notice', notice.pk)}"
    send(event, people, "notice", notice.pk, cause, {"name": notice.title})


# ---------------------------------------------------------------- giving back, taking out of view, voiding


def send_back(notice_id: int, by: UserActor, reason: Reason | None) -> Notice:
    """退回: the signer gives a notice back to its author, with a reason. Raises Refused."""
    given = reasons.require(reason, "send_back")
    with transaction.atomic():
        notice = locked(notice_id)
        post = by.require(STEPS[notice.step].sign, notice.path)
        go(notice, "send_back")
        write(notice, "send_back", by, post, states=("pending_review", notice.state), reason=given)
    return notice


def recall(notice_id: int, by: UserActor, reason: Reason | None) -> Notice:
    """取回: the signer takes a notice that waits for its date back to its author, with a reason. Raises Refused."""
    given = reasons.require(reason, "recall")
    with transaction.atomic():
        notice = locked(notice_id)
        post = by.require(STEPS[notice.step].sign, notice.path)
        go(notice, "recall", save=False)
        _unsigned(notice)
        notice.save()
        write(notice, "recall", by, post, states=("scheduled", notice.state), reason=given)
    return notice


def pause(notice_id: int, by: UserActor, reason: Reason | None) -> Notice:
    """中止: a public notice is hidden at once, for an error or a leak, by its author or its signer. Raises Refused.

    Its lines wait with it. What it showed is kept as an edition, so that its hash on the record can still be proved;
    it is published again only when a second person has signed it anew, with a period of its own.
    """
    given = reasons.require(reason, "pause")
    at = moment()
    with transaction.atomic():
        notice = locked(notice_id)
        rules = STEPS[notice.step]
        post = by.permits(rules.draft, [notice.path]).get(notice.path) or by.require(rules.sign, notice.path)
        if not queries.may_still_change(notice):
            raise Refused("wrong_state")
        go(notice, "pause")
        assert notice.frozen is not None and notice.published_at is not None  # noqa: PT018  a constraint says so
        NoticeEdition.objects.create(
            notice=notice, number=notice.edition, frozen=notice.frozen, sha256=notice.sha256,
            published_at=notice.published_at, ended_at=at.business, reason=given.code, reason_text=given.text,
        )  # fmt: skip
        write(
            notice, "pause", by, post, states=("published", notice.state), reason=given, at=at,
            data={"sha256": notice.sha256, "edition": notice.edition},
        )  # fmt: skip
        _tell("notice_paused", notice)
    return notice


def void(notice_id: int, by: UserActor, reason: Reason | None) -> Notice:
    """作废, with a reason: hidden at once; its cases stay at the step and wait for another notice.

    The signer may void a notice until its period is over; its drafting office may give up a draft. Raises Refused.
    """
    given = reasons.require(reason, "void")
    with transaction.atomic():
        notice = locked(notice_id)
        rules, was = STEPS[notice.step], notice.state
        author = by.permits(rules.draft, [notice.path]).get(notice.path) if was == "draft" else None
        if author:
            post = author
            go(notice, "discard", save=False)
        else:
            post = by.require(rules.sign, notice.path)
            if not queries.may_still_change(notice):
                raise Refused("wrong_state")
            go(notice, "void", save=False)
        notice.void_reason = given.text
        notice.publish_on = None
        notice.save(update_fields=["state", "void_reason", "publish_on"])
        notice.lines.filter(open=True).exclude(state="objected").update(open=False)  # an objection holds its line
        write(notice, "void", by, post, states=(was, notice.state), reason=given)
    return notice
