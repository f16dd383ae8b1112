"""What the pages of the data match ask."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.models import Hit, MatchRun
from approvals.applications.sources import registry
from approvals.applications.sources.base import Kind
from approvals.organisations.queries import below
from approvals.people import registers
from approvals.people.models import RegisterList
from approvals.programmes.terms import Term
from workflows.models import Case
from workflows.states import NAMES

STATES: dict[str, Promise] = {
    "uploaded": _p("list state", "Being read"),
    "previewed": _p("list state", "Waiting for your decision"),
    "loading": _p("list state", "Being taken over"),
    "loaded": _p("list state", "Taken over"),
    "withdrawn": _p("list state", "Withdrawn"),
    "unreadable": _p("list state", "Cannot be read"),
    "failed": _p("list state", "Failed"),
    "discarded": _p("list state", "Thrown away"),
}
RUN_STATES: dict[str, Promise] = {
    "waiting": _p("match run state", "Under way"),
    "done": _p("match run state", "Done"),
    "failed": _p("match run state", "Failed"),
}
WEIGHTS: dict[str, Promise] = {
    "info": _p("weight of a hit", "For information"),
    "recheck": _p("weight of a hit", "Re-check"),
    "block": _p("weight of a hit", "Waived one by one"),
}
TERMS = 4
"""Terms that can be matched again: the present one and those before it."""
UNDER_WAY = ("uploaded", "previewed", "loading", "unreadable", "failed")


@dataclass(frozen=True)
class Source:
    """A kind of list with what is loaded of it."""

    kind: Kind
    current: RegisterList | None
    days: int
    """How old it is."""
    older: int
    """Lists kept as history."""

    @property
    def is_old(self) -> bool:
        return self.days > self.kind.max_age


def _lists() -> QuerySet[RegisterList]:
    return RegisterList.objects.defer("content", "problems", "understood").select_related("uploaded_by")


def sources(today: date) -> list[Source]:
    """Every kind with its current list and how many older ones there are, in two statements."""
    current = {each.kind: each for each in _lists().filter(current=True)}
    loaded = dict(
        RegisterList.objects.filter(state="loaded").order_by().values_list("kind").annotate(count=Count("pk"))
    )
    found = []
    for kind in registry.listed_kinds():
        present = current.get(kind.code)
        days = (today - present.as_of).days if present else 0
        found.append(Source(kind, present, days, loaded.get(kind.code, 0) - bool(present)))
    return found


def under_way() -> list[RegisterList]:
    """Uploaded lists that somebody must still decide on, newest first."""
    return list(_lists().filter(state__in=UNDER_WAY).order_by("-pk")[:20])


def history(kind: str) -> list[RegisterList]:
    """The lists of a kind that were taken over, latest date first, those that were withdrawn with them."""
    return list(_lists().filter(kind=kind, state__in=["loaded", "withdrawn"]).order_by("-as_of", "-pk")[:100])


def register_list(list_id: int) -> RegisterList | None:
    """One list, without its file."""
    return (
        RegisterList.objects.defer("content").select_related("uploaded_by", "confirmed_by").filter(pk=list_id).first()
    )


def present_date(kind: str) -> date | None:
    """The date of a kind's current list."""
    return RegisterList.objects.filter(kind=kind, current=True).values_list("as_of", flat=True).first()


def problems(register: RegisterList, language: str) -> list[dict[str, Any]]:
    """The refused rows whose reasons were kept, in one language."""

    def told(problem: Mapping[str, Any]) -> dict[str, Any]:
        return {**problem, "message": problem["message"][language]}

    return [told(row) | {"also": [told(other) for other in row["also"]]} for row in register.problems]


# ---------------------------------------------------------------- runs


def terms(today: date) -> list[tuple[str, str]]:
    """(code, name) of the terms that can be matched again."""
    term, found = Term.on(today), []
    for _number in range(TERMS):
        found.append((term.code, term.name()))
        term = term.previous()
    return found


def runs() -> list[MatchRun]:
    return list(MatchRun.objects.select_related("asked_by").order_by("-pk")[:10])


def run(run_id: int) -> MatchRun | None:
    return MatchRun.objects.select_related("asked_by").filter(pk=run_id).first()


def lists_changed(run: MatchRun) -> bool:
    """Whether other lists are current than those that a run was matched against."""
    return run.state == "done" and run.lists != registers.current()


def lists_of(run: MatchRun) -> list[RegisterList]:
    """The lists that a run was matched against, in the order of the kinds."""
    order = {kind.code: number for number, kind in enumerate(registry.kinds())}
    return sorted(_lists().filter(pk__in=run.lists.values()), key=lambda each: order.get(each.kind, 99))


@dataclass(frozen=True)
class Line:
    """What a run came to for one code."""

    code: str
    title: str
    source: str
    weight: str
    counts: Mapping[str, int]


def lines(run: MatchRun) -> list[Line]:
    """The codes of which anything was found or is gone, in the order of the kinds."""
    found = []
    for kind in registry.kinds():
        for code, says in kind.says.items():
            if code in run.tally:
                found.append(Line(code, str(says.title), str(kind.title), says.weight, Counter(run.tally[code])))
    return found


def of_term(term: str) -> Q:
    """What a run over a term matches: this school year's applications up to it, for those of autumn are paid in spring
    too. Asked of cases and of hits.
    """
    return Q(application__school_year=Term.of(term).school_year, application__term__lte=term, application__live=True)


def standing(term: str) -> list[tuple[str, str, int]]:
    """(state, its name, cases with unwaived hits) of a term."""
    cases = Case.objects.filter(of_term(term), open_hits__gt=0)
    counts = dict(cases.order_by().values_list("state").annotate(count=Count("pk")))
    return [(state, str(NAMES.get(state, state)), counts[state]) for state in sorted(counts, key=list(NAMES).index)]


# ---------------------------------------------------------------- hits


@dataclass(frozen=True)
class Wanted:
    """Which hits are looked for."""

    term: str
    code: str = ""
    state: str = ""
    all: bool = False
    """Also those that are for information or waived."""


def hits(prefixes: Iterable[str], wanted: Wanted) -> QuerySet[Hit]:
    """The hits of a term's applications below these offices, in the order in which they were found."""
    where = below(prefixes, "application__path") & of_term(wanted.term)
    found = Hit.objects.filter(where).select_related("application__student", "application__school", "list")
    if wanted.code:
        found = found.filter(code=wanted.code)
    if wanted.state:
        found = found.filter(application__case__state=wanted.state)
    if not wanted.all:
        found = found.filter(waived_at=None).exclude(weight="info")
    return found.select_related("application__case").only(
        "source", "code", "weight", "values", "waived_at", "waived_by", "closed_at", "list__origin", "list__as_of",
        "application__student__name", "application__school__name", "application__programme",
        "application__case__state", "application__case__open_hits",
    ).order_by("pk")  # fmt: skip
