"""Everything the case page shows of one application, read in a bounded number of statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import pgettext_lazy as _p

from approvals.applications import asking
from approvals.applications.actions.submitting import EDITABLE
from approvals.applications.findings import sentence
from approvals.applications.forms import HUKOU, ApplicationForm, IdentityForm
from approvals.applications.missing import sentence as missing_sentence
from approvals.applications.models import Application, Evidence, Hit, PaperRequest, Revision
from approvals.awards import queries as awards
from approvals.awards.models import Award
from approvals.disbursement import queries as disbursement
from approvals.disbursement.models import PaymentLine
from approvals.notices.models import Notice, NoticeLine
from approvals.notices.queries import notices_of
from approvals.notices.steps import STEPS
from approvals.organisations.models import Organisation
from approvals.organisations.queries import below, county
from approvals.organisations.roles import matrix
from approvals.review import deadlines, route, timeline
from approvals.review.panel import Holds, Panel, panel
from workflows import queries as engine
from workflows.clock import CHINA
from workflows.flows.aid import REVIEWERS
from workflows.models import Case, Record, WorkItem
from workflows.working_days import calendar

LEVELS: dict[str, Promise] = {
    "submit": _p("level", "submitting"),
    "class": _p("level", "class review"),
    "school": _p("level", "school review"),
    "township": _p("level", "township review"),
    "county": _p("level", "county review"),
    "recheck": _p("level", "re-check"),
    "leader": _p("level", "approval"),
}
"""What a separation-of-duties level is called."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One application with all that hangs on it."""

    application: Application
    case: Case
    item: WorkItem | None
    panel: Panel
    undecidable: bool
    """It waits for a decision that nobody may make: all who could are recused, or nobody holds the post."""
    wanted: PaperRequest | None
    """Papers that were asked for and are waited for."""
    lacking: list[str]
    """The kinds of them that are not there yet."""
    rejected: "Rejection | None"
    places: list[route.Place]
    lines: list[timeline.Line]
    returned: timeline.Line | None
    """Why and by whom it was returned, while it waits to be corrected."""
    missing: list[str]
    """Sentences of what a draft or returned application still lacks."""
    looks: int
    """How often its papers or numbers were opened; those lines are not in the timeline unless asked for."""
    findings: list[dict[str, Any]]
    hits: list[Hit]
    past_hits: list[Hit]
    """Those that are no longer found."""
    evidence: list[Evidence]
    notices: list[NoticeLine]
    noticed: "Noticed | None"
    """How its public notice stands, while it waits for one."""
    award: Award | None
    payments: list[PaymentLine]
    revisions: list["Correction"]
    relatives: list["Related"]
    """The pupil's other applications, and those of the household's other pupils that the reader may see."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """How the public notice of a case stands that waits at a notice's step."""

    on: Notice | None
    """The open notice that it is on."""
    drafters: list[str]
    """Roles that put it on one, where it is on none yet."""


def _noticed(name: str, lines: list[NoticeLine]) -> Noticed | None:
    if name not in STEPS:
        return None
    on = next((line.notice for line in lines if line.open and line.step == name), None)
    return Noticed(on, [] if on else matrix().roles_with(STEPS[name].draft))


@dataclass(frozen=True, slots=True)
class Related:
    """Another application to compare with: the pupil's own of any year, or a brother's or sister's."""

    case: int
    pupil: str
    own: bool
    programme: str
    term: str
    state: str
    amount: Decimal | None
    school: str


_LONG_OF_LIST = ("list__content", "list__problems", "list__understood")
_RELATED = 20
"""Most other applications that the page of one shows."""


def related(application: Application, prefixes: Iterable[str]) -> list[Related]:
    """The pupil's other applications and those of the household, newest first, below the reader's offices."""
    own = Q(student=application.student_id)
    household = application.student.household_id
    wanted = own | Q(student__household=household) if household else own
    found = (
        Application.objects.filter(wanted, below(prefixes))
        .exclude(pk=application.pk)
        .order_by("-school_year", "-term", "student", "-pk")
        .values_list("pk", "student__name", "student", "version__programme__name", "version__programme__name_en",
                     "term", "case__state", "amount", "school__name")[:_RELATED]
    )  # fmt: skip
    english = get_language() == "en"
    return [
        Related(case, name, student == application.student_id, named_en if english else named, term, state, amount, at)
        for case, name, student, named, named_en, term, state, amount, at in found
    ]


@dataclass(frozen=True, slots=True)
class Correction:
    """What one correction changed."""

    revision: Revision

    @property
    def changes(self) -> list[dict[str, Any]]:
        """[{"name", "before", "after"}], masked as they were kept."""
        return [
            {"name": field_name(name), "before": before, "after": after}
            for name, (before, after) in self.revision.changes.items()
        ]


def field_name(name: str) -> str:
    """What a field of an application is called on its form; the bare name where it has none."""
    asked = {**IdentityForm.base_fields, **ApplicationForm.base_fields}.get("pupil_name" if name == "name" else name)
    if asked is not None and asked.label:
        return str(asked.label)
    try:
        return str(Application._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return name


def family(circumstances: dict[str, Any]) -> list[tuple[str, Any]]:
    """[(label, value)] of what the family states, its members aside."""
    stated = {name: value for name, value in circumstances.items() if name != "members"}
    return [
        (field_name(name), dict(HUKOU).get(value, value) if name == "hukou" else value)
        for name, value in stated.items()
    ]


def application_of(case_id: int) -> Application | None:
    """The application of a case, with what its page names; None when there is none."""
    return (
        Application.objects.select_related(
            "case", "student", "school", "version__programme", "rate", "roster__uploaded_by"
        )
        .defer("roster__content", "roster__problems", "roster__understood")
        .filter(pk=case_id)
        .first()
    )


def application_at(task: int) -> Application | None:
    """The application that a task, open or decided, belongs to; with the pupil's name and nothing secret."""
    found = Application.objects.select_related("student").only("path", "student__name")
    return found.filter(case__task_set=task).first()


def read(
    application: Application, person: str, holds: Holds, looks: bool = False, prefixes: Iterable[str] = ()
) -> CaseFile:
    """Reads a case's file for a reader, given as natural person and what his posts permit at the case's office;
    `prefixes` are the offices below which he sees cases at all.

    `looks` puts the lines of who opened papers and numbers into the timeline.
    """
    case = application.case
    records = engine.timeline(case.pk)
    item = engine.open_item_of(case.pk)
    step = item.flow_task if item else None
    ever = list(Hit.ever.filter(application=case.pk).select_related("list").defer(*_LONG_OF_LIST))
    name = step.name if step else ""
    wanted = asking.request_of(case.pk) if item is not None else None
    notices = list(notices_of(case.pk))
    now = panel(case, item, step, person, holds)
    barred = item is not None and name in REVIEWERS and not now.choices and deadlines.undecidable(item.pk, name)
    shown = [record for record in records if looks or record.act not in timeline.LOOKS]
    return CaseFile(
        application=application,
        case=case,
        item=item,
        panel=now,
        undecidable=barred,
        wanted=wanted,
        lacking=asking.still_wanted(wanted) if wanted else [],
        rejected=_rejected(application, records),
        places=route.places(case, name, records),
        lines=timeline.lines(shown),
        returned=_returned(case, records),
        missing=[missing_sentence(code) for code in case.missing] if case.state in EDITABLE else [],
        looks=sum(record.act in timeline.LOOKS for record in records),
        findings=findings_of(application),
        hits=sorted((hit for hit in ever if hit.closed_at is None), key=lambda hit: (not hit.asks, hit.weight)),
        past_hits=[hit for hit in ever if hit.closed_at is not None],
        evidence=list(application.evidence.filter(removed_at=None).select_related("added_by")),
        notices=notices,
        noticed=_noticed(name, notices),
        award=awards.award_of(case.pk),
        payments=list(disbursement.lines_of_case(case.pk)),
        revisions=[Correction(revision) for revision in application.revisions.all()],
        relatives=related(application, prefixes),
    )


@dataclass(frozen=True, slots=True)
class Rejection:
    """不予通过: why, and how the family may have it looked at again (申诉复核, DOMAIN.md §3.1)."""

    line: timeline.Line
    until: date
    """The last day of the appeal, in working days from the rejection."""
    days: int
    office: Organisation
    """Where one appeals."""

    @property
    def contact(self) -> str:
        """Whom to ask for, phone and place, as far as the office has given them."""
        return " ".join(
            part for part in (self.office.contact, self.office.contact_phone, self.office.contact_place) if part
        )


def _rejected(application: Application, records: Sequence[Record]) -> Rejection | None:
    if application.case.state != "rejected":
        return None
    last = next((record for record in reversed(records) if record.act == "reject"), None)
    if last is None:
        return None
    days = application.version.rules.appeal_days
    day = last.business_at.astimezone(CHINA).date()
    return Rejection(timeline.line(last), calendar().after(day, days), days, county())


def _returned(case: Case, records: Sequence[Record]) -> timeline.Line | None:
    if case.state != "returned":
        return None
    return next((timeline.line(record) for record in reversed(records) if record.act == "return"), None)


def findings_of(application: Application) -> list[dict[str, Any]]:
    """[{"code", "holds", "sentence"}] in the reader's language, what does not hold first."""
    definition = application.version.rules
    found = [finding | {"sentence": sentence(definition, finding, get_language())} for finding in application.findings]
    return sorted(found, key=lambda finding: {False: 0, None: 1}.get(finding["holds"], 2))


def open_step(case_id: int) -> str:
    """The name of the step at which a case waits; empty once it has ended."""
    item = engine.open_item_of(case_id)
    return str(item.flow_task.name) if item else ""


def records_of(case_id: int) -> Sequence[Record]:
    """A case's lines in the record, oldest first."""
    return engine.timeline(case_id)
