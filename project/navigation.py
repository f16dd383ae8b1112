"""What a person can go to and what waits for them there, by their posts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.models import PaperRequest
from approvals.awards.queries import waiting_for
from approvals.disbursement.models import AccountCorrection, Batch, PaymentLine
from approvals.disbursement.queries import awards_to_pay
from approvals.notices.announcements.models import Announcement
from approvals.notices.models import Notice, NoticeLine, Objection
from approvals.notices.objections.models import HANDLES, INVESTIGATES, OPEN, TO_HANDLE, TO_INVESTIGATE
from approvals.notices.steps import STEPS
from approvals.organisations import access
from approvals.organisations.models import PostProposal
from approvals.oversight.models import RECTIFIES, VERIFIES, Finding
from approvals.oversight.models import SEES as SEES_FINDINGS
from notifications.models import Message
from workflows.flows.aid import REVIEWERS, AidFlow
from workflows.models import Signer, WorkItem
from workflows.panels import SEES
from workflows.queries import queue_of

MESSAGES = "messages"
"""The entry that bears the number of unread messages."""
TO_SIGN = "to_sign"
ACCOUNTS_TO_CONFIRM = "accounts_to_confirm"
"""The work that is a person's own and not a post's: to sign where one was asked to."""
POSTS_TO_DECIDE = "posts_to_decide"
"""What others proposed: nobody decides what he proposed himself or what concerns him."""
TO_RECTIFY = "to_rectify"
"""Each office puts its own findings right."""
OBJECTIONS = "objections"
"""They wait for the very office that handles them; the office above sees them, and is told when they are overdue."""
MY_OBJECTIONS = "my_objections"
"""Only whoever was named looks into an objection."""
CAP = 1000
"""Above this a count reads 1000+: nobody counts further than that on every page."""

Waiting = Callable[[Q], QuerySet]
"""Given a filter on the office path, the rows that wait."""


@dataclass(frozen=True)
class Work:
    """Something that can wait for the holders of a permission, and the page where it is dealt with."""

    key: str
    label: Promise
    permission: str
    waiting: Waiting
    url: str
    query: str = ""
    entry: str = ""
    """The navigation entry that bears its count."""


@dataclass(frozen=True)
class Entry:
    """A link of the navigation."""

    key: str
    label: Promise
    url: str
    permissions: tuple[str, ...] = ()
    """Any of these opens it; none given: for everybody who is signed in."""
    href: str = ""
    count: int = 0
    current: bool = False

    @property
    def count_text(self) -> str:
        """The count as shown: empty for nothing, 1000+ above the cap."""
        return count_text(self.count)


@dataclass(frozen=True)
class Waits:
    """What waits for a person: so many of one kind of work, and where to deal with it."""

    work: Work
    count: int

    @property
    def href(self) -> str:
        return reverse(self.work.url) + (f"?{self.work.query}" if self.work.query else "")

    @property
    def label(self) -> Promise:
        return self.work.label

    @property
    def count_text(self) -> str:
        return count_text(self.count) or "0"


def count_text(count: int) -> str:
    """Empty for nothing, 1000+ above the cap."""
    return f"{CAP}+" if count > CAP else str(count or "")


# ---------------------------------------------------------------- the kinds of work


def _at_step(step: str) -> Waiting:
    return lambda where: WorkItem.objects.filter(where, queue=queue_of(AidFlow.kind, step), finished__isnull=True)


def _to_be_noticed(step: str) -> Waiting:
    listed = NoticeLine.objects.filter(case=OuterRef("process_id"), step=step, open=True)
    return lambda where: _at_step(step)(where).filter(~Exists(listed))


def _to_be_mended(step: str) -> Waiting:
    """Out of view, to be corrected; or closed with every objection decided, and no conclusion proposed."""
    held = NoticeLine.objects.filter(notice=OuterRef("pk"), open=True)
    objected = Objection.objects.filter(notice=OuterRef("pk"), state__in=OPEN)
    unsaid = Q(state="closed", contested=True, conclusion_person=None) & ~Exists(held) & ~Exists(objected)
    return lambda where: Notice.objects.filter(where, Q(state="paused") | unsaid, step=step)


def _to_be_signed(step: str) -> Waiting:
    """Handed on by its author; or closed, with a conclusion that waits for its signature."""
    proposed = Q(state="closed", contested=True, conclusion_person__isnull=False)
    return lambda where: Notice.objects.filter(where, Q(state="pending_review") | proposed, step=step)


def _objections(where: Q) -> QuerySet:
    return Objection.objects.filter(where, state__in=TO_HANDLE)


def _looked_into(where: Q) -> QuerySet:
    return Objection.objects.filter(where, state__in=TO_INVESTIGATE)


def _announcements(*states: str, of_years: bool = False) -> Waiting:
    def waiting(where: Q) -> QuerySet:
        found = Announcement.objects.filter(where, state__in=states)
        return found.exclude(school_year="") if of_years else found

    return waiting


def _batches(*states: str) -> Waiting:
    return lambda where: Batch.objects.filter(where, state__in=states)


def _lines(*states: str) -> Waiting:
    return lambda where: PaymentLine.objects.filter(where, state__in=states)


def _to_correct(where: Q) -> QuerySet:
    """Payments that did not arrive and for which no other account is proposed yet."""
    return _lines("failed", "bounced")(where).exclude(corrections__state="waiting")


def _corrections(where: Q) -> QuerySet:
    return AccountCorrection.objects.filter(where, state="waiting")


def _award_changes(state: str) -> Waiting:
    return lambda where: waiting_for(state, where)


def _papers_asked(where: Q) -> QuerySet:
    items = PaperRequest.objects.filter(answered_at=None).values("item")
    return WorkItem.objects.filter(where, pk__in=items, finished__isnull=True)


def _findings(state: str) -> Waiting:
    return lambda where: Finding.objects.filter(where, state=state)


def _proposals(where: Q) -> QuerySet:
    return PostProposal.objects.filter(where, state="waiting")


NOTICE_WORK: dict[str, tuple[Promise, Promise, Promise]] = {
    "class": (
        _("Approved, to be put on a class notice"),
        _("Class notices to be corrected or concluded"),
        _("Class notices to be signed"),
    ),
    "school": (
        _("Approved, to be put on the school notice"),
        _("School notices to be corrected or concluded"),
        _("School notices to be signed"),
    ),
    "township": (
        _("Approved, to be put on the township notice"),
        _("Township notices to be corrected or concluded"),
        _("Township notices to be signed"),
    ),
    "county": (
        _("Approved, to be put on the county notice"),
        _("County notices to be corrected or concluded"),
        _("County notices to be signed"),
    ),
}
"""By level: what there is to draft, to put right, to sign."""
SELDOM = {
    TO_SIGN,
    "pupils_to_accept",
    "award_changes",
    "award_ends",
    ACCOUNTS_TO_CONFIRM,
    TO_RECTIFY,
    "to_verify",
    *(f"{level}_to_mend" for level in NOTICE_WORK),
    *(f"{level}_to_{what}" for level in ("class", "township") for what in ("notice", "sign")),
}
"""Work that is shown only while there is some: few programmes or few days have it."""

WORK: list[Work] = [
    Work("returned", _("Returned for correction"), "submit_application", _at_step("correction"),
         "applications:list", "state=returned", "applications"),
    Work("papers_asked", _("Papers asked for"), "submit_application", _papers_asked,
         "applications:list", "state=papers_asked", "applications"),
    Work("drafts", _("Drafts to be submitted"), "submit_application", _at_step("draft"),
         "applications:list", "state=draft"),
    *(
        Work(step, label, REVIEWERS[step], _at_step(step), "review:queue", f"step={step}", "queue")
        for step, label in [
            ("school_review", _("Waiting for school review")),
            ("township_review", _("Waiting for township review")),
            ("county_review", _("Waiting for county review")),
            ("recheck", _("Waiting for re-check")),
            ("pending_approval", _("Waiting for approval")),
        ]
    ),
    Work(TO_SIGN, _("Waiting for your signature"), SEES, WorkItem.objects.filter, "review:queue", "view=mine", "queue"),
    *(
        work
        for level, (to_notice, to_mend, to_sign) in NOTICE_WORK.items()
        for step in [STEPS[f"{level}_notice"]]
        for work in [
            Work(f"{level}_to_notice", to_notice, step.draft, _to_be_noticed(step.name), "notices:list"),
            Work(f"{level}_to_mend", to_mend, step.draft, _to_be_mended(step.name), "notices:list", "", "notices"),
            Work(f"{level}_to_sign", to_sign, step.sign, _to_be_signed(step.name), "notices:list", "", "notices"),
        ]
    ),
    Work(OBJECTIONS, _("Objections to be accepted, or for which nobody is named"), HANDLES, _objections,
         "objections:list", "", "objections"),
    Work(MY_OBJECTIONS, _("Objections to be looked into by you"), INVESTIGATES, _looked_into,
         "objections:list", "", "objections"),
    Work("results_to_announce", _("Results of a school year to be announced"), "draft_announcement",
         _announcements("draft", of_years=True), "notices:announcements", "", "announcements"),
    Work("announcements_to_publish", _("Announcements to be published"), "publish_announcement",
         _announcements("pending_review"), "notices:announcements", "", "announcements"),
    Work("to_pay", _("Awards to be put into a batch"), "make_batch", awards_to_pay, "disbursement:list"),
    Work("to_allot", _("Approved batches to be given their money"), "allot_batch", _batches("finance_review"),
         "disbursement:list", "", "batches"),
    Work("to_send", _("Batches with their money, to be sent to the bank or settled"), "make_batch",
         _batches("allotted"), "disbursement:list", "", "batches"),
    Work("to_reissue", _("Corrected payments to be reissued"), "make_batch", _lines("account_fix"),
         "disbursement:failed", "", "batches"),
    Work("to_check", _("Batches to be checked"), "check_batch", _batches("submitted"),
         "disbursement:list", "", "batches"),
    Work("to_approve", _("Batches to be approved"), "approve_batch", _batches("reviewed"),
         "disbursement:list", "", "batches"),
    Work("to_reconcile", _("Paid batches to be reconciled with the bank"), "reconcile_batch", _batches("paid"),
         "disbursement:list", "", "batches"),
    Work("failed", _("Failed payments: account to be corrected"), "fix_account", _to_correct,
         "disbursement:failed", "", "failed"),
    Work(ACCOUNTS_TO_CONFIRM, _("Corrected accounts to be confirmed"), "approve_account", _corrections,
         "disbursement:failed", "", "failed"),
    Work("award_changes", _("Changes of awards to be confirmed"), "confirm_award", _award_changes("waiting"),
         "awards:proposals", "", "award_changes"),
    Work("award_ends", _("Ends of awards to be confirmed by a second person"), "second_award",
         _award_changes("to_second"), "awards:proposals", "", "award_changes"),
    Work("pupils_to_accept", _("Pupils to be accepted with their awards"), "propose_award",
         _award_changes("to_accept"), "awards:proposals", "", "award_changes"),
    Work(TO_RECTIFY, _("Findings of the audit to be put right"), RECTIFIES, _findings("assigned"),
         "oversight:to_rectify", "", "to_rectify"),
    Work("to_verify", _("Findings put right, to be verified"), VERIFIES, _findings("rectified"),
         "oversight:to_rectify", "", "audit"),
    Work(POSTS_TO_DECIDE, _("Changes of posts to be approved"), "manage_posts", _proposals,
         "organisations:proposals", "", "posts"),
]  # fmt: skip

ENTRIES: list[Entry] = [
    Entry("home", _p("navigation", "Home"), "home"),
    Entry(MESSAGES, _p("navigation", "Messages"), "notifications:inbox"),
    Entry("queue", _p("navigation", "Review queue"), "review:queue", tuple(REVIEWERS.values())),
    Entry("applications", _p("navigation", "Applications"), "applications:list", ("view_case",)),
    Entry("rosters", _p("navigation", "Rosters"), "applications:roster_list", ("submit_application",)),
    Entry("notices", _p("navigation", "Public notices"), "notices:list", ("view_case",)),
    Entry("objections", _p("navigation", "Objections"), "objections:list", (HANDLES, INVESTIGATES, "view_record")),
    Entry("announcements", _p("navigation", "Announcements"), "notices:announcements",
          ("draft_announcement", "publish_announcement", "view_record")),
    Entry("awards", _p("navigation", "Awards"), "awards:list", ("view_case",)),
    Entry("award_changes", _p("navigation", "Changes of awards"), "awards:proposals",
          ("propose_award", "confirm_award", "second_award", "hold_award")),
    Entry("events", _p("navigation", "Changes of enrolment"), "awards:events",
          ("propose_award", "confirm_award", "second_award", "hold_award")),
    Entry("failed", _p("navigation", "Failed payments"), "disbursement:failed", ("fix_account", "approve_account")),
    Entry("batches", _p("navigation", "Disbursement"), "disbursement:list",
          ("make_batch", "check_batch", "approve_batch", "allot_batch", "reconcile_batch", "view_record")),
    Entry("receipts", _p("navigation", "Receipts of payments"), "disbursement:receipts",
          ("confirm_receipt", "make_batch", "view_record")),
    Entry("recoveries", _p("navigation", "Recoveries"), "disbursement:recoveries",
          ("open_recovery", "confirm_write_off", "manage_funds", "view_record")),
    Entry("funds", _p("navigation", "Funds"), "disbursement:funds",
          ("make_batch", "check_batch", "approve_batch", "manage_funds", "allot_batch", "view_record")),
    Entry("registers", _p("navigation", "Data match"), "applications:registers",
          ("load_register", "match_term", "recheck_county", "view_record")),
    Entry("coverage", _p("navigation", "Coverage"), "oversight:coverage", ("view_coverage",)),
    Entry("audit", _p("navigation", "Audit"), "oversight:audit", (SEES_FINDINGS,)),
    Entry("to_rectify", _p("navigation", "To be put right"), "oversight:to_rectify", (RECTIFIES,)),
    Entry("programmes", _p("navigation", "Aid programmes"), "programmes:list"),
    Entry("kin", _p("navigation", "Declaration of kin"), "review:kin", tuple(REVIEWERS.values())),
    Entry("freezes", _p("navigation", "Freeze periods"), "review:freezes", ("set_freeze", "view_record")),
    Entry("routes", _p("navigation", "Routes"), "review:routes", ("view_record", "manage_posts")),
    Entry("permissions", _p("navigation", "Permissions"), "review:permissions", ("view_record", "manage_posts")),
    Entry("accounts", _p("navigation", "Accounts"), "organisations:accounts", ("manage_posts",)),
    Entry("posts", _p("navigation", "Posts"), "organisations:posts", ("manage_posts", "view_record")),
]  # fmt: skip

ACTIONS: list[Entry] = [
    Entry("upload", _("Upload a roster"), "applications:roster_upload", ("submit_application",)),
    Entry("fill_in", _("Fill in an application"), "applications:new", ("submit_application",)),
]


# ---------------------------------------------------------------- for one person


def actions(request: HttpRequest) -> list[Entry]:
    """What a person can begin from the home page."""
    return [replace(entry, href=reverse(entry.url)) for entry in ACTIONS if access.may(request, *entry.permissions)]


def works(request: HttpRequest) -> list[Waits]:
    """Every kind of work that the person's posts deal with, with capped counts."""
    counts = _counts(request)
    shown = [work for work in WORK if work.key in counts and (work.key not in SELDOM or counts[work.key])]
    return [Waits(work, counts[work.key]) for work in shown]


def entries(request: HttpRequest) -> list[Entry]:
    """The navigation for the signed-in person: only what their posts open, with what waits there."""
    if not request.user.is_authenticated:
        return []
    waiting = {MESSAGES: _counts(request)[MESSAGES]}
    for item in works(request):
        waiting[item.work.entry] = waiting.get(item.work.entry, 0) + item.count
    open_to = [
        entry
        for entry in ENTRIES
        if not entry.permissions
        or access.may(request, *entry.permissions)
        or (entry.key == "queue" and _counts(request).get(TO_SIGN))
    ]
    found = [replace(entry, href=reverse(entry.url), count=waiting.get(entry.key, 0)) for entry in open_to]
    return _marked(found, request.path)


def _marked(found: list[Entry], path: str) -> list[Entry]:
    """The entry whose page, or a page below it, is being looked at; the longest address wins."""
    above = [entry for entry in found if path == entry.href or (entry.key != "home" and path.startswith(entry.href))]
    here = max(above, key=lambda entry: len(entry.href), default=None)
    return [replace(entry, current=here is not None and entry.key == here.key) for entry in found]


def _counts(request: HttpRequest) -> dict[str, int]:
    """How much waits of each kind of work that is the person's, and how many messages; one statement a request."""
    if not hasattr(request, "_waiting"):
        rows = {work.key: _rows(request, work) for work in WORK if access.may(request, work.permission)}
        rows[MESSAGES] = Message.objects.filter(recipient=request.user.pk, read_at=None)
        request._waiting = _counted(rows)  # type: ignore[attr-defined]
    return dict(request._waiting)  # type: ignore[attr-defined]


def _rows(request: HttpRequest, work: Work) -> QuerySet:
    where = Q()
    for prefix in access.prefixes(request, work.permission):
        where |= Q(path__startswith=prefix)
    if work.key == TO_SIGN:
        person = access.actor(request).key
        asked = Signer.objects.filter(person=person, part="added", ended_at=None, vote="")
        where &= Q(finished__isnull=True, id__in=asked.values("item"))
    if work.key in (OBJECTIONS, TO_RECTIFY):
        where = Q(path__in=access.prefixes(request, work.permission))
    if work.key == MY_OBJECTIONS:
        where &= Q(investigator_person=access.actor(request).user.person)
    if work.key == POSTS_TO_DECIDE:
        person = access.actor(request).user.person
        where &= ~Q(proposed_person=person) & ~Q(person=person)
    return work.waiting(where)


def _counted(rows: Mapping[str, QuerySet]) -> dict[str, int]:
    """How many rows each has, counted up to one above the cap, all in one statement.

    What lies under an office is counted in the order of its index (varchar_pattern_ops): a limit without an
    order tempts PostgreSQL into reading the table from its start, where what was finished long ago lies.
    """
    parts: list[str] = []
    params: list[object] = []
    for key, queryset in rows.items():
        sql, given = queryset.order_by().values_list(Value(1)).query.sql_with_params()
        table = connection.ops.quote_name(queryset.model._meta.db_table)
        order = "" if queryset.model is Message else f"ORDER BY {table}.path USING ~<~"
        limited = f"{sql} {order} LIMIT {CAP + 1}"
        parts.append(f"SELECT %s, count(*) FROM ({limited}) rows")
        params += [key, *given]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        counted: Iterable[tuple[str, int]] = cursor.fetchall()
    return dict(counted)
