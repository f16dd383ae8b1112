"""Announcements are drafted by one person and published by another; what the system drafts, a person hands in."""

import secrets

from django.db import transaction

from approvals.notices import privacy
from approvals.notices.actions.checks import take
from approvals.notices.announcements import yearly
from approvals.notices.announcements.models import KINDS, Announcement
from approvals.notices.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.organisations.models import Kind, Organisation
from workflows import clock, record
from workflows.actors import Actor
from workflows.clock import moment
from workflows.reasons import MIN_LENGTH, Reason

GIVES = frozenset({Kind.SCHOOL, Kind.COUNTY})
"""Offices that announce: what a township has to say, the county says."""


def draft(organisation: Organisation, by: UserActor, *, kind: str, title: str, body: str) -> Announcement:
    """拟稿. Raises Refused."""
    if organisation.kind not in GIVES:
        raise Refused("wrong_office")
    post = by.require("draft_announcement", organisation.path)
    _complete(kind, title, body)
    with transaction.atomic():
        made = Announcement.objects.create(
            kind=kind, organisation=organisation, path=organisation.path, title=title.strip(), body=body.strip(),
            drafted_by=by.user, drafted_person=by.user.person, public_id=secrets.token_hex(8),
        )  # fmt: skip
        _write(made, "draft", by, post, ("", made.state))
    return made


def edit(announcement_id: int, by: UserActor, *, kind: str, title: str, body: str) -> Announcement:
    """修改: a draft's kind, title and text; of yearly results the kind stays. Raises Refused."""
    with transaction.atomic():
        found = _locked(announcement_id)
        post = by.require("draft_announcement", found.path)
        if found.state != "draft":
            raise Refused("wrong_state")
        _complete(kind, title, body)
        found.kind = found.kind if found.school_year else kind
        found.title, found.body = title.strip(), body.strip()
        found.save(update_fields=["kind", "title", "body"])
        _write(found, "edit", by, post)
    return found


def submit(announcement_id: int, by: UserActor) -> Announcement:
    """送审: complete, and nothing private in it. Who submits is its author from now on. Raises Refused."""
    with transaction.atomic():
        found = _locked(announcement_id)
        post = by.require("draft_announcement", found.path)
        _go(found, "submit")
        _check(found)
        if found.school_year:
            found.table = yearly.table_of(found.school_year)
        found.drafted_by, found.drafted_person = by.user, by.user.person
        found.save(update_fields=["state", "table", "drafted_by", "drafted_person"])
        _write(found, "submit", by, post, ("draft", found.state))
    return found


def send_back(announcement_id: int, by: UserActor, text: str) -> Announcement:
    """退回 to the author, with a reason. Raises Refused."""
    reason = _reason(text)
    with transaction.atomic():
        found = _locked(announcement_id)
        post = by.require("publish_announcement", found.path)
        _go(found, "send_back")
        found.save(update_fields=["state"])
        _write(found, "send_back", by, post, ("pending_review", found.state), reason)
    return found


def publish(announcement_id: int, by: UserActor) -> Announcement:
    """发布 by another natural person than the author: public at once. Raises Refused.

    Figures of yearly results must still be those that were handed in.
    """
    at = moment()
    with transaction.atomic():
        found = _locked(announcement_id)
        post = by.require("publish_announcement", found.path)
        if found.state == "pending_review" and by.user.person == found.drafted_person:
            raise Refused("same_person")
        _go(found, "publish")
        _check(found)
        if found.school_year and found.table != yearly.table_of(found.school_year):
            raise Refused("figures_changed")
        found.published_by, found.published_person = by.user, by.user.person
        found.published_at = at.business
        found.save(update_fields=["state", "published_by", "published_person", "published_at"])
        _write(found, "publish", by, post, ("pending_review", found.state))
    return found


def withdraw(announcement_id: int, by: UserActor, text: str) -> Announcement:
    """撤回 what is published, with a reason: hidden at once. Raises Refused."""
    reason = _reason(text)
    at = moment()
    with transaction.atomic():
        found = _locked(announcement_id)
        post = by.require("publish_announcement", found.path)
        _go(found, "withdraw")
        found.withdrawn_at, found.withdraw_reason = at.business, reason.text
        found.save(update_fields=["state", "withdrawn_at", "withdraw_reason"])
        _write(found, "withdraw", by, post, ("published", found.state), reason)
    return found


def discard(announcement_id: int, by: UserActor) -> Announcement:
    """Gives a draft up; yearly results are owed and cannot be. Raises Refused."""
    with transaction.atomic():
        found = _locked(announcement_id)
        post = by.require("draft_announcement", found.path)
        if found.school_year and found.state == "draft":
            raise Refused("yearly_is_owed")
        _go(found, "discard")
        found.save(update_fields=["state"])
        _write(found, "discard", by, post, ("draft", found.state))
    return found


def findings(found: Announcement) -> list[privacy.Finding]:
    """Whatever private stands in a title or text. Policies name groups of people, which is nobody's secret."""
    kinds = privacy.EVERYTHING - {"cause"} if found.kind == "policy" else privacy.EVERYTHING
    today = clock.today()
    texts = [(str(Announcement._meta.get_field("title").verbose_name), found.title)]
    texts += [(str(yearly.PARAGRAPH) % {"number": at}, text) for at, text in enumerate(found.paragraphs, 1)]
    return [privacy.Finding(kind, where) for where, text in texts for kind in privacy.scan(text, today, kinds)]


# ---------------------------------------------------------------- checks


def _locked(announcement_id: int) -> Announcement:
    rows = Announcement.objects.select_related("organisation").select_for_update(of=("self",))
    return rows.get(pk=announcement_id)


def _go(found: Announcement, act: str) -> None:
    take(found, act, f"announcement.{act}")


def _complete(kind: str, title: str, body: str) -> None:
    if kind not in dict(KINDS):
        raise Refused("kind_unknown")
    if not title.strip():
        raise Refused("title_missing")
    if not body.strip():
        raise Refused("text_missing")


def _check(found: Announcement) -> None:
    _complete(found.kind, found.title, found.body)
    private = findings(found)
    if private:
        raise Refused.private(private)


def _reason(text: str) -> Reason:
    if len(text.strip()) < MIN_LENGTH:
        raise Refused("reason_too_short")
    return Reason("other", text.strip())


def _write(
    found: Announcement,
    act: str,
    by: Actor,
    post: str,
    states: tuple[str, str] = ("", ""),
    reason: Reason | None = None,
) -> None:
    record.write(act, "announcement", [found.pk], by, post=post, path=found.path, states=states, reason=reason)
