"""What is asked of notices: lists for an office, what waits to be listed, what the public may see."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KT

from approvals.applications.models import Application
from approvals.notices import wording
from approvals.notices.models import ON_LIST, Notice, NoticeEdition, NoticeLine, Objection
from approvals.notices.objections.models import OPEN
from approvals.notices.steps import NAME, STEPS, NoticeStep
from approvals.organisations.models import Kind, Organisation
from approvals.organisations.queries import STEP, below
from approvals.people.identity import normalise_name, plain_text
from approvals.people.masking import mask_name
from approvals.programmes.definition import NoticeRule
from approvals.programmes.models import Programme, ProgrammeVersion
from workflows import clock
from workflows.flows.aid import AidFlow
from workflows.models import Case, TreeHead, WorkItem
from workflows.queries import queue_of
from workflows.seal.merkle import Tree
from workflows.seal.sealing import newest_head, stored
from workflows.working_days import calendar

Group = tuple[str, str]
"""A class, (grade, class); two empty texts where a step has one list for the whole office."""

# ---------------------------------------------------------------- what waits to be listed


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cases of one programme and term that stand at a notice step of an office and are on no notice; of one class,
    where the step has a list for each.
    """

    step: NoticeStep
    organisation: Organisation
    programme: Programme
    term: str
    count: int
    group: Group = ("", "")
    original: Notice | None = field(default=None, compare=False)
    """What a supplementary notice of them would supplement; None where nothing has been public yet."""

    @property
    def class_name(self) -> str:
        """五年级1班; empty where the list is the whole office's."""
        return wording.class_of(*self.group)


def _on_open_notice(case: str, step: str) -> Exists:
    return Exists(NoticeLine.objects.filter(case=OuterRef(case), step=step, open=True))


def waiting(step: NoticeStep, prefixes: Sequence[str]) -> list[Waiting]:
    """What waits for a notice at a step, by office, programme and term, below these offices."""
    if not prefixes:
        return []
    by_class = ("process__application__grade", "process__application__class_name") if step.by_class else ()
    groups = (
        WorkItem.objects.filter(
            below(prefixes),
            ~_on_open_notice("process", step.name),
            queue=queue_of(AidFlow.kind, step.name),
            finished__isnull=True,
        )
        .values_list("path", "process__programme", "process__term", *by_class)
        .annotate(count=Count("id"))
        .order_by("path", "process__programme", "process__term", *by_class)
    )
    counts: dict[tuple[str, str, str, Group], int] = {}
    for path, programme, term, *group, count in groups:
        key = (_office_path(step, path), programme, term, (group[0], group[1]) if group else ("", ""))
        counts[key] = counts.get(key, 0) + count
    offices = {office.path: office for office in Organisation.objects.filter(path__in={key[0] for key in counts})}
    programmes = Programme.objects.in_bulk({key[1] for key in counts})
    public = _originals_of(step, offices.values()) if counts else {}
    return [
        Waiting(
            step, offices[path], programmes[programme], term, count, group,
            public.get((offices[path].pk, programme, term, group)),
        )
        for (path, programme, term, group), count in counts.items()
        if path in offices and programme in programmes
    ]  # fmt: skip


def _office_path(step: NoticeStep, path: str) -> str:
    """The path of the office that notices a case of this path: its school, its township, the county."""
    return {Kind.SCHOOL: path, Kind.TOWNSHIP: path[: STEP * 2], Kind.COUNTY: path[:STEP]}[step.organisation]


def standing(
    step: NoticeStep,
    path: str,
    programme: str,
    term: str,
    chosen: Collection[int] | None = None,
    group: Group | None = None,
) -> QuerySet[Case]:
    """The chosen cases at or below an office that stand at a notice step; or all of them that are on no notice.

    Of one class, if a `group` is given.
    """
    there = Case.objects.filter(
        kind=AidFlow.kind, state=step.name, path__startswith=path, programme=programme, term=term
    )
    if group is not None:
        there = there.filter(application__grade=group[0], application__class_name=group[1])
    return there.filter(~_on_open_notice("pk", step.name)) if chosen is None else there.filter(pk__in=chosen)


def groups_of(case_ids: Iterable[int]) -> set[Group]:
    """The classes that these cases are of."""
    rows = Application.objects.filter(case__in=list(case_ids)).values_list("grade", "class_name").distinct()
    return set(rows.order_by())


# ---------------------------------------------------------------- originals and what supplements them

SUPPLEMENTED = ("published", "closed", "concluded", "taken_down", "archived")
"""States of a notice that is or was public, and that a supplementary notice may add to."""


def originals(
    step: NoticeStep, organisation: Organisation, programme: str, term: str, group: Group = ("", "")
) -> QuerySet[Notice]:
    """The notices that one of this office, programme, term and class might supplement, newest first."""
    return Notice.objects.filter(
        step=step.name, organisation=organisation, programme=programme, term=term, grade=group[0],
        class_name=group[1], supplements=None, state__in=SUPPLEMENTED,
    ).defer("frozen").order_by("-published_at", "-id")  # fmt: skip


def _originals_of(step: NoticeStep, offices: Iterable[Organisation]) -> dict[tuple[int, str, str, Group], Notice]:
    """The newest original of each (office, programme, term, class)."""
    found = Notice.objects.filter(
        step=step.name, organisation__in=list(offices), supplements=None, state__in=SUPPLEMENTED
    )
    rows = found.defer("frozen", "body").order_by("published_at", "id")
    return {(row.organisation_id, row.programme_id, row.term, (row.grade, row.class_name)): row for row in rows}


def supplements_of(notice: Notice) -> QuerySet[Notice]:
    """The supplementary notices of an original that are or were public, in their order; for pages that link to them."""
    return ever_public().filter(supplements=notice).exclude(state="voided").order_by("published_at", "id")


# ---------------------------------------------------------------- for offices


def notices_below(prefixes: Iterable[str]) -> QuerySet[Notice]:
    """Notices of these offices and what lies below, newest first, without their frozen bytes."""
    return (
        Notice.objects.filter(below(prefixes))
        .select_related(
            "organisation", "programme", "drafted_by", "signed_by", "supplements", "conclusion_by", "concluded_by"
        )
        .defer("frozen", "supplements__frozen")
        .order_by("-id")
    )


def counts_by_state(prefixes: Iterable[str]) -> dict[str, int]:
    """How many notices there are in each state."""
    rows = Notice.objects.filter(below(prefixes)).values_list("state").annotate(Count("id")).order_by()
    return dict(rows)


def overview(notice: Notice) -> dict[str, int]:
    """How many lines of a notice are in each state."""
    return dict(notice.lines.values_list("state").annotate(Count("id")).order_by())


@dataclass(frozen=True, slots=True)
class Content:
    """What a notice lists now: how many lines, and their amount a term where the programme pays."""

    count: int
    amount: Decimal | None
    mark: str


def content(notice: Notice) -> Content:
    """Count, amount, and a mark that changes with whatever a signer must have seen."""
    now = listed(notice).aggregate(
        count=Count("id"), last=Max("id"), sum=Sum("id"), amount=Sum("case__application__amount")
    )
    seen = [
        notice.title, notice.remark, notice.contact, notice.contact_phone, notice.contact_place, *notice.columns,
        *(str(now[key]) for key in ("count", "last", "sum", "amount")),
    ]  # fmt: skip
    return Content(now["count"], now["amount"], sha256("\n".join(seen).encode()).hexdigest()[:32])


def notices_of(case_id: int) -> QuerySet[NoticeLine]:
    """The lines on which a case has stood, oldest first, with their notices: for the case's page."""
    return (
        NoticeLine.objects.filter(case=case_id)
        .select_related("notice__organisation")
        .defer("notice__frozen", "notice__body")
        .order_by("id")
    )


def working_days_left(notice: Notice) -> int:
    """Working days after today that still belong to the period (calendar days where it counts those)."""
    today = clock.today()
    if notice.ends_on is None or notice.ends_on < today:
        return 0
    if notice.day_kind == "calendar":
        return (notice.ends_on - today).days
    return calendar().between(today, notice.ends_on)


# ---------------------------------------------------------------- for the public


def current() -> QuerySet[Notice]:
    """What is on public notice at this minute: published, and its period not over by the business clock."""
    return (
        Notice.objects.filter(state="published", ends_on__gte=clock.today())
        .select_related("organisation", "programme")
        .defer("frozen")
        .order_by("-published_at", "-id")
    )


def older(notices: QuerySet[Notice], last: Notice) -> QuerySet[Notice]:
    """Those that come after `last` in the order of the public site."""
    return notices.filter(Q(published_at__lt=last.published_at) | Q(published_at=last.published_at, pk__lt=last.pk))


def ever_public() -> QuerySet[Notice]:
    """Notices that are or were public: a draft, or one voided before it was signed, never was."""
    return Notice.objects.filter(published_at__isnull=False).select_related("organisation").defer("frozen")


def is_current(notice: Notice, today: date) -> bool:
    """Whether the public may see the list."""
    return notice.state == "published" and notice.ends_on is not None and notice.ends_on >= today


def may_still_change(notice: Notice) -> bool:
    """Whether a list may still be voided or lose a line: until its last day is over."""
    waiting = ("draft", "pending_review", "scheduled", "paused")
    return notice.state in waiting or is_current(notice, clock.today())


def listed(notice: Notice) -> QuerySet[NoticeLine]:
    """The lines that stand on the list, in its order; one that an objection holds stands there like any other."""
    return notice.lines.filter(state__in=ON_LIST).order_by("number")


def rule_of(lines: QuerySet[NoticeLine], notice: Notice) -> NoticeRule | None:
    """What the programme says of this notice's step: in the newest version under which a case of these lines was
    entered.
    """
    newest = lines.aggregate(newest=Max("case__programme_version"))["newest"]
    version = ProgrammeVersion.objects.filter(programme=notice.programme_id, number=newest).first()
    return version.rules.notices.get(notice.step) if version else None


def columns_of(notice: Notice) -> list[str]:
    """The columns that the programme gives this notice's step, whether or not its author has left one out."""
    rule = rule_of(notice.lines.all(), notice)
    return list(rule.columns) if rule else list(notice.columns)


def editions(notice: Notice) -> QuerySet[NoticeEdition]:
    """The editions that were public until they were taken out of view, without their bytes."""
    return notice.editions.defer("frozen").order_by("number")


@dataclass(frozen=True, slots=True)
class Missing:
    """What keeps a closed notice from being concluded: open objections, and lines still to be moved on."""

    objections: list[Objection]
    waiting: int
    proposal: bool

    def __bool__(self) -> bool:
        return bool(self.objections or self.waiting or self.proposal)


def missing(notice: Notice) -> Missing | None:
    """What is still missing before a contested notice can be concluded; None for one that is not waiting for that."""
    if notice.state != "closed" or not notice.contested:
        return None
    objected = notice.objections.filter(state__in=OPEN).only("pk", "notice_id", "number").order_by("number")
    waiting = notice.lines.filter(open=True).exclude(state="objected").count()
    return Missing(list(objected), waiting, not notice.conclusion_person)


def removed(notice: Notice) -> int:
    """How many of the lines that were published are no longer on the list."""
    if notice.published_at is None or notice.interrupted:
        return 0
    return notice.line_count - listed(notice).count()


def shown_as(notice: Notice, name: str) -> QuerySet[NoticeLine]:
    """The lines whose shown name holds these characters, or is what the name is shown as where names are masked."""
    wanted = Q(shown_name__contains=name)
    if notice.mask_names:
        wanted |= Q(shown_name=mask_name(name))
    return listed(notice).annotate(shown_name=KT(f"shown__{NAME}")).filter(wanted)


def found(notice: Notice, words: str) -> QuerySet[NoticeLine]:
    """What the public looks for on a list: its line of a number, or those of a name."""
    number = plain_text(words).replace(" ", "")
    if number.isascii() and number.isdigit():
        return listed(notice).filter(number=int(number[:9]))
    name = normalise_name(words)
    return shown_as(notice, name) if name else notice.lines.none()


def lines_of(notice: Notice, name: str) -> QuerySet[NoticeLine]:
    """For the office: the lines of pupils whose full name holds these characters, masked or not."""
    return listed(notice).filter(case__application__student__name__contains=name)


def publishers(notices: QuerySet[Notice]) -> dict[str, Any]:
    """The offices and programmes among these notices, for the public filters.

    A programme is offered by the name that its notices bear: where two bear one, which of them a list belongs to would
    tell what kind of hardship its families are in (DOMAIN.md §2.7).
    """
    offices = Organisation.objects.filter(pk__in=notices.order_by().values("organisation")).order_by("path")
    paths = {path[: STEP * 2] for path in offices.values_list("path", flat=True)}
    return {
        "organisations": offices.only("code", "name", "kind", "path"),
        "townships": Organisation.objects.filter(kind=Kind.TOWNSHIP, path__in=paths).order_by("path"),
        "subjects": notices.order_by("subject").values_list("subject", flat=True).distinct(),
    }


def step_of(notice: Notice) -> NoticeStep:
    """The rules of the step that a notice belongs to."""
    return STEPS[notice.step]


# ---------------------------------------------------------------- the sealed record


def tree_heads(after: int | None, size: int) -> tuple[list[TreeHead], int | None]:
    """Signed heads, newest first, those over fewer lines than `after`; and where the next page begins."""
    found = TreeHead.objects.order_by("-size")
    rows = list(found.filter(size__lt=after)[: size + 1] if after else found[: size + 1])
    return rows[:size], rows[size - 1].size if len(rows) > size else None


def tree_head(size: int | None) -> TreeHead | None:
    """The head over so many lines, or the newest."""
    return newest_head() if size is None else TreeHead.objects.filter(size=size).first()


def continuation(earlier: int, later: int) -> list[bytes] | None:
    """The proof that one published head begins with another; None where there are no such heads, in that order."""
    if not 0 < earlier <= later or TreeHead.objects.filter(size__in={earlier, later}).count() < len({earlier, later}):
        return None
    return Tree(later, stored).consistency(earlier)
