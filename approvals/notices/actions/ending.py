"""The end of the period: closed by the clock, its cases moved on, concluded by the system where nobody objected and by
people where somebody did, taken down.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from approvals.notices import privacy
from approvals.notices.actions.checks import go, is_provisional, locked, write
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.objections.models import OPEN, Objection
from approvals.notices.refusals import Refused
from approvals.notices.steps import STEPS
from approvals.organisations.authority import UserActor
from notifications import send_all
from workflows import record, working_days
from workflows.actors import SYSTEM
from workflows.clock import Moment, moment
from workflows.copying import among
from workflows.decisions import decide
from workflows.facts import add_noticed
from workflows.flows.aid import AidFlow
from workflows.machines import transition_all
from workflows.models import Case
from workflows.queries import open_items
from workflows.reasons import Reason

NOTICES_AT_ONCE = 100
LINES_AT_ONCE = 10_000
"""Most that one sweep closes and concludes, so that its transaction stays short."""
NO_OBJECTION = "no_objection"
NOTHING_LEFT = "nothing_left"
SETTLED = "objections_settled"
"""Conclusions: nobody objected (无异议); no line was left at the end; objections were decided (异议已处理)."""
SHORTEST_TEXT, LONGEST_TEXT = 10, 500

# ---------------------------------------------------------------- by the system


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


_OBJECTED = Objection.objects.filter(notice=OuterRef("pk"), state__in=OPEN)
"""Objections to a notice that are not settled: to a line, or to the whole list."""


def _unsettled() -> QuerySet[Notice]:
    """Closed notices for which the system still has something to do: a line to move on, or to conclude."""
    open_lines = NoticeLine.objects.filter(notice=OuterRef("pk"), open=True)
    at_rest = Q(contested=False) & ~Exists(open_lines) & ~Exists(_OBJECTED)
    return Notice.objects.filter(Exists(open_lines.filter(state="listed")) | at_rest, state="closed")


def conclude_closed() -> int:
    """公示结束: moves the cases of closed notices on, concludes those to which nobody objected, takes the lists down.

    One transaction for many notices and at most `LINES_AT_ONCE` lines; cases that somebody holds are left for
    the next sweep, lines with an objection stay until it is decided, and a notice that was objected to is concluded
    by people. Returns how many lines and notices it settled. Safe to be killed and to run twice at once.
    """
    at = moment()
    with transaction.atomic():
        closed = list(
            _unsettled().order_by("pk").select_for_update(skip_locked=True).values_list("pk", "step")[:NOTICES_AT_ONCE]
        )
        by_step: dict[str, list[int]] = {}
        for notice, step in closed:
            by_step.setdefault(step, []).append(notice)
        settled = sum(_conclude_lines(notices, step) for step, notices in by_step.items())
        left = NoticeLine.objects.filter(notice=OuterRef("pk"), open=True)
        done = Notice.objects.filter(
            ~Exists(left), ~Exists(_OBJECTED), pk__in=[notice for notice, _ in closed], contested=False
        )
        settled += _conclude(list(done.values_list("pk", flat=True)), at)
    return settled


def _conclude_lines(notices: Sequence[int], step: str) -> int:
    lines = NoticeLine.objects.filter(notice__in=notices, step=step, open=True, state="listed")
    standing = lines.order_by("notice", "pk").values_list("case", flat=True)[:LINES_AT_ONCE]
    cases = list(
        Case.objects.filter(pk__in=among(standing))
        .order_by("pk")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", flat=True)
    )
    if not cases:
        return 0
    items = open_items(AidFlow.kind, step, cases)
    add_noticed(items, step, held=True)
    return sum(result.ok for result in decide(items.values(), "conclude", SYSTEM))


def _conclude(notices: Sequence[int], at: Moment) -> int:
    """无异议, by the system; and 撤下 with it."""
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
            _tell("notice_concluded", ids)
    _take_down(notices, at)
    return len(notices)


def _take_down(notices: Sequence[int], at: Moment) -> None:
    """撤下: the list has not been public since its last day ended; now its state says so too."""
    transition_all(Notice.objects.filter(pk__in=notices), "take_down")
    record.write("take_down", "notice", notices, SYSTEM, post="system", states=("concluded", "taken_down"), at=at)


def _tell(event: str, notices: Sequence[int], cause: str = "") -> None:
    """Author and signer learn it."""
    told = Notice.objects.filter(pk__in=notices).values_list("pk", "title", "drafted_by", "signed_by")
    send_all(
        event,
        "notice",
        [
            ([who for who in (author, signer) if who], pk, f"{pk}:{cause}" if cause else str(pk), {"name": title})
            for pk, title, author, signer in told
        ],
    )


# ---------------------------------------------------------------- by people


def propose(notice_id: int, by: UserActor, text: str) -> Notice:
    """拟结论: the drafting office says in words how the objections to a notice were settled. Raises Refused.

    It may say it anew until it is signed.
    """
    words = text.strip()
    with transaction.atomic():
        notice = locked(notice_id)
        post = by.require(STEPS[notice.step].draft, notice.path)
        if notice.state != "closed":
            raise Refused("wrong_state")
        if not notice.contested:
            raise Refused("uncontested")
        if not SHORTEST_TEXT <= len(words) <= LONGEST_TEXT:
            raise Refused("conclusion_length", fewest=SHORTEST_TEXT, most=LONGEST_TEXT)
        if found := privacy.scan(words, moment().date):
            raise Refused("conclusion_private", what="、".join(str(privacy.KINDS[kind]) for kind in found))
        notice.conclusion_text, notice.conclusion_by, notice.conclusion_person = words, by.user, by.user.person
        notice.save(update_fields=["conclusion_text", "conclusion_by", "conclusion_person"])
        write(notice, "propose", by, post, reason=Reason(SETTLED, words))
        _tell("conclusion_proposed", [notice.pk], f"{record.latest('notice', notice.pk)}")
    return notice


def conclude(notice_id: int, by: UserActor, *, seen: str | None = None) -> Notice:
    """结论: the signer concludes a notice that was objected to, once every objection is decided and every line settled.

    `seen` is the text that the signer read; another natural person proposed it. Taken down with it. Raises Refused.
    """
    at = moment()
    with transaction.atomic():
        notice = locked(notice_id)
        post = by.require(STEPS[notice.step].sign, notice.path)
        if by.user.person == notice.conclusion_person:
            raise Refused("same_person_concludes")
        go(notice, "conclude_by_people", save=False)
        if seen is not None and seen != notice.conclusion_text:
            raise Refused("changed")
        notice.concluded_at, notice.conclusion = at.business, SETTLED
        notice.concluded_by, notice.concluded_person = by.user, by.user.person
        notice.save(update_fields=["state", "concluded_at", "conclusion", "concluded_by", "concluded_person"])
        write(
            notice, "conclude", by, post, states=("closed", notice.state), at=at,
            reason=Reason(SETTLED, notice.conclusion_text), data={"conclusion": SETTLED},
        )  # fmt: skip
        _take_down([notice.pk], at)
        notice.refresh_from_db(fields=["state"])
    return notice


# ---------------------------------------------------------------- another calendar


def recompute_open() -> int:
    """Computes the ends of the notices that run, or wait for their date, again, after a calendar was loaded.

    Author and signer are told of what changed. Returns how many changed.
    """
    working_days.forget()
    at = moment()
    changed = []
    with transaction.atomic():
        running = Notice.objects.filter(state__in=["published", "scheduled"], day_kind="working").order_by("pk")
        for notice in running.defer("frozen").select_for_update():
            start = notice.publish_on if notice.state == "scheduled" else notice.published_on
            was = notice.ends_on
            assert start is not None and was is not None  # noqa: PT018  a constraint says so
            notice.ends_on = working_days.notice_end(start, notice.days)
            provisional = is_provisional(notice, start, notice.ends_on)
            if (notice.ends_on, provisional) == (was, notice.provisional):
                continue
            notice.provisional = provisional
            notice.save(update_fields=["ends_on", "provisional"])
            write(
                notice,
                "recompute",
                SYSTEM,
                "system",
                at=at,
                data={"was": was.isoformat(), "ends_on": notice.ends_on.isoformat()},
            )
            changed.append(notice)
        for notice in changed:
            _tell_of_the_end(notice)
    return len(changed)


def _tell_of_the_end(notice: Notice) -> None:
    day = notice.ends_on.isoformat() if notice.ends_on else ""
    people = [who for who in (notice.drafted_by_id, notice.signed_by_id) if who]
    data = {"name": notice.title, "day": day}
    send_all("notice_recomputed", "notice", [(people, notice.pk, f"{notice.pk}:{day}:{notice.provisional}", data)])
