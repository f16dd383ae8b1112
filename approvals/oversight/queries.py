"""What is asked of findings: by query, by township, one by one; and their sentences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Substr
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.missing import SENTENCES as MISSING
from approvals.organisations.models import Kind, Organisation
from approvals.organisations.queries import below
from approvals.oversight.audits.base import Audit
from approvals.oversight.audits.registry import audit_of, audits
from approvals.oversight.models import OPEN, AuditRun, Finding
from approvals.programmes.models import Programme
from approvals.programmes.terms import Term
from workflows import record
from workflows.models import Record

LATE = Q(due_on__isnull=False)
PAPERS = _("papers that were asked for")
WAYS: dict[str, Promise] = {
    "bank_transfer": _("bank transfer"),
    "fee_waiver_settlement": _("settlement with the school"),
    "none": _("no payment"),
    "cash": _("cash"),
}
STEPS: dict[str, Promise] = {
    "class_notice": _("class notice"),
    "school_notice": _("school notice"),
    "township_notice": _("township notice"),
    "county_notice": _("county notice"),
}
ACTS: dict[str, Promise] = {
    "assign": _p("act on a finding", "Handed to its office"),
    "rectify": _p("act on a finding", "Put right"),
    "verify": _p("act on a finding", "Verified"),
    "send_back": _p("act on a finding", "Sent back"),
    "explain": _p("act on a finding", "Explained"),
    "vanish": _p("act on a finding", "No longer found"),
    "reopen": _p("act on a finding", "Found again"),
}
OWNERS: dict[str, Promise] = {
    "school": _p("owner of a finding", "the school"),
    "finance": _p("owner of a finding", "the finance office"),
    "county": _p("owner of a finding", "the county's aid office"),
}
SEVERITIES: dict[str, Promise] = {
    "high": _p("severity", "serious"),
    "medium": _p("severity", "middling"),
    "low": _p("severity", "slight"),
}


def overdue(on: date) -> Q:
    return Q(state="assigned", due_on__lt=on)


# ---------------------------------------------------------------- the audit's page


@dataclass
class Standing:
    """One query on the audit's page."""

    audit: Audit
    open: int = 0
    overdue: int = 0
    oldest: date | None = None
    last: Mapping[str, Any] | None = None
    """What the latest run says of it."""

    @property
    def owner(self) -> Promise:
        return OWNERS[self.audit.owner]

    @property
    def severity(self) -> Promise:
        return SEVERITIES[self.audit.severity]


def standings(prefixes: Iterable[str], at: str, on: date, run: AuditRun | None) -> list[Standing]:
    """All fifteen, with what is open at these offices (below `at`, where given); one statement."""
    rows = _below(prefixes, at).filter(state__in=OPEN).values_list("query")
    counted = rows.annotate(open=Count("pk"), overdue=Count("pk", filter=overdue(on)), oldest=Min("first_seen"))
    found = {query: (open_, late, oldest) for query, open_, late, oldest in counted.order_by()}
    tally = run.tally if run else {}
    return [Standing(audit, *found.get(audit.code, (0, 0, None)), tally.get(audit.code)) for audit in audits()]


def _below(prefixes: Iterable[str], at: str = "") -> QuerySet[Finding]:
    found = Finding.objects.filter(below(prefixes))
    return found.filter(place__startswith=at) if at else found


def by_township(prefixes: Iterable[str], on: date) -> list[dict[str, Any]]:
    """[{"path", "name", "open", "overdue"}] of townships, county-direct schools, the county; two statements."""
    rows = (
        _below(prefixes)
        .filter(state__in=OPEN)
        .annotate(at=Substr("place", 1, 2 * Organisation.steplen))
        .values("at")
        .annotate(open=Count("pk"), overdue=Count("pk", filter=overdue(on)))
        .order_by("at")
    )
    names = dict(Organisation.objects.filter(path__in=[row["at"] for row in rows]).values_list("path", "name"))
    return [{"path": row["at"], "name": names.get(row["at"], row["at"])} | row for row in rows]


def townships(prefixes: Iterable[str]) -> list[Organisation]:
    return list(Organisation.objects.filter(below(prefixes), kind=Kind.TOWNSHIP, valid_to=None).order_by("path"))


def latest_run() -> AuditRun | None:
    """The run that waits, or the last one that was done."""
    return AuditRun.objects.order_by("-pk").first()


def last_done() -> AuditRun | None:
    return AuditRun.objects.filter(state="done").order_by("-pk").first()


# ---------------------------------------------------------------- lists


def of_query(prefixes: Iterable[str], query: str, state: str = "", at: str = "") -> QuerySet[Finding]:
    """A query's findings at these offices; `state` is one of the machine's, `all`, or empty for those still open."""
    found = _shown(_below(prefixes, at).filter(query=query))
    return found.filter(state__in=OPEN) if not state else found if state == "all" else found.filter(state=state)


def to_rectify(offices: Iterable[str]) -> QuerySet[Finding]:
    """What these very offices are to put right, the most urgent first."""
    return _shown(Finding.objects.filter(path__in=list(offices), state="assigned")).order_by("due_on", "pk")


def to_verify(prefixes: Iterable[str]) -> QuerySet[Finding]:
    """What was put right and waits to be verified."""
    return _shown(_below(prefixes).filter(state="rectified")).order_by("due_on", "pk")


def one(finding_id: int) -> Finding | None:
    return _shown(Finding.objects.filter(pk=finding_id)).first()


def _shown(rows: QuerySet[Finding]) -> QuerySet[Finding]:
    return (
        rows.select_related("student", "batch", "rectified_by", "verified_by")
        .defer("student__id_number", "student__enrolment_no")
        .order_by("pk")
    )


# ---------------------------------------------------------------- words


class Words:
    """The sentences of findings in the present language; names are looked up once."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        places = {finding.place for finding in findings}
        self.programmes = {programme.code: str(programme) for programme in Programme.objects.all()}
        self.offices = dict(Organisation.objects.filter(path__in=places).values_list("path", "name"))

    def sentence(self, finding: Finding) -> str:
        """What was found; the code where its query says nothing of it any more."""
        audit = audit_of(finding.query)
        template = audit.says.get(finding.code) if audit else None
        if template is None:
            return finding.code
        return str(template) % {name: self._value(name, value) for name, value in finding.said.items()}

    def place(self, finding: Finding) -> str:
        return self.offices.get(finding.place, "")

    def _value(self, name: str, value: Any) -> str:
        if isinstance(value, list):
            return "、".join(self._value(f"{name}*", each) for each in value) or "—"
        if name in ("term", "before", "first"):
            return Term.of(value).name()
        if name in ("programme", "programmes*"):
            return self.programmes.get(value, value)
        if name in ("kind", "allowed"):
            return str(WAYS.get(value, value))
        if name == "steps*":
            return str(STEPS.get(value, value))
        if name == "missing*":
            return str(PAPERS if value == "papers" else MISSING.get(value, value)).rstrip("。.")
        return "—" if value in ("", None) else str(value)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a finding's history, as the timeline shows it."""

    act: str
    label: str
    business_at: Any
    actor: str
    actor_name: str
    post: str
    reason_code: str
    reason_text: str
    step: str = ""


def timeline(finding: Finding) -> list[Line]:
    """Everything that was done about it, oldest first."""
    return [_line(each) for each in record.history("finding", finding.pk)]


def _line(each: Record) -> Line:
    label = str(ACTS.get(each.act, each.act))
    return Line(each.act, label, each.business_at, each.actor, each.actor_name, each.post, "", each.reason_text)
