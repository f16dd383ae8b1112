"""What is asked of applications: where each pupil of an office stands, and what a form needs to know."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from approvals.applications import asking
from approvals.applications.models import Application, Evidence
from approvals.organisations import queries as organisations
from approvals.organisations.models import Organisation
from approvals.organisations.queries import below
from approvals.people.crypto import blind_index
from approvals.people.identity import id_problem, normalise_id, normalise_name
from approvals.people.models import Student
from approvals.programmes import queries as programmes
from approvals.programmes.models import ProgrammeVersion
from workflows.models import Record
from workflows.states import NAMES

COUNT_CAP = 1000
"""Counts are exact up to here and "1000+" above."""
SIZES = (50, 100, 200)
PAPERS_ASKED = "papers_asked"
"""Stands in the list's filter of states for applications that wait for papers."""
FOUND = 20
"""Pupils that a search shows."""


# ---------------------------------------------------------------- the list


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed by; `school` is a key, `name` the beginning of the pupil's name."""

    school: int | None = None
    programme: str = ""
    state: str = ""
    name: str = ""
    roster: int | None = None

    @property
    def narrows(self) -> bool:
        return any((self.school, self.programme, self.state, self.name, self.roster))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of applications, newest first; cursors are case ids, None where there is no such page."""

    rows: list[Application]
    newer: int | None
    older: int | None
    count: int = field(default=0)
    """How many there are in all, up to COUNT_CAP + 1."""


def matching(prefixes: Iterable[str], wanted: Filters) -> QuerySet[Application]:
    """The applications below offices that fit the filters."""
    found = Application.objects.filter(below(prefixes, "case__path"))
    if wanted.school:
        found = found.filter(school=wanted.school)
    if wanted.programme:
        found = found.filter(programme=wanted.programme)
    if wanted.state == PAPERS_ASKED:
        found = found.filter(pk__in=asking.open_requests().values("application"))
    elif wanted.state:
        found = found.filter(case__state=wanted.state)
    if wanted.name:
        found = found.filter(student__name__startswith=normalise_name(wanted.name))
    if wanted.roster:
        found = found.filter(roster=wanted.roster)
    return found


def page(
    prefixes: Iterable[str],
    wanted: Filters,
    after: int | None = None,
    before: int | None = None,
    size: int = SIZES[0],
) -> Page:
    """One page of the list: the newest, or those after (older than) or before (newer than) a case."""
    found = matching(prefixes, wanted)
    count = found.order_by()[: COUNT_CAP + 1].count()
    rows = (
        found.select_related("case", "student", "school", "version__programme")
        .only(
            "class_name", "grade", "level", "tier", "amount", "term", "programme", "special_groups", "path",
            "case__state", "case__missing", "case__term", "student__name", "student__verified", "school__name",
            "version__programme__name", "version__programme__name_en",
        )
    )  # fmt: skip
    if before:
        seen = list(rows.filter(pk__gt=before).order_by("pk")[: size + 1])
        shown, more = seen[:size][::-1], len(seen) > size
        return Page(shown, _key(shown, 0) if more else None, _key(shown, -1), count)
    if after:
        rows = rows.filter(pk__lt=after)
    seen = list(rows.order_by("-pk")[: size + 1])
    shown, more = seen[:size], len(seen) > size
    return Page(shown, _key(shown, 0) if after else None, _key(shown, -1) if more else None, count)


def _key(rows: list[Application], at: int) -> int | None:
    return rows[at].pk if rows else None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters of the list offer."""

    schools: list[tuple[int, str]]
    programmes: list[tuple[str, str]]
    states: list[tuple[str, str]]


def choices(prefixes: Iterable[str]) -> Choices:
    """The schools below offices, the programmes and the states, in two statements."""
    return Choices(
        schools=list(organisations.schools_under(prefixes).values_list("pk", "name")),
        programmes=[(each.programme_id, str(each.programme)) for each in programmes.current()],
        states=[
            *((code, str(name)) for code, name in NAMES.items() if code != "submitted"),
            (PAPERS_ASKED, _("Papers asked for")),
        ],
    )


# ---------------------------------------------------------------- one application


def application(prefixes: Iterable[str], case_id: int) -> Application | None:
    """One application below offices, with what its pages name; None when it is not theirs to see."""
    return (
        Application.objects.filter(below(prefixes, "case__path"), pk=case_id)
        .select_related("case", "student__school", "school", "version__programme", "rate")
        .first()
    )


def evidence(prefixes: Iterable[str], case_id: int, evidence_id: int) -> Evidence | None:
    """One paper of an application below offices; None when it is not theirs to see, or was removed."""
    return (
        Evidence.objects.filter(
            below(prefixes, "application__case__path"), pk=evidence_id, application=case_id, removed_at=None
        )
        .select_related("application__student", "application__case")
        .first()
    )


def papers_of(case_id: int) -> list[Evidence]:
    """The papers that go with an application, in the order they were added."""
    return list(Evidence.objects.filter(application=case_id, removed_at=None))


def drafts_of(prefixes: Iterable[str], roster: int) -> list[int]:
    """The drafts of a roster, for submitting them together."""
    mine = matching(prefixes, Filters(roster=roster, state="draft"))
    return list(mine.order_by("pk").values_list("pk", flat=True))


# ---------------------------------------------------------------- a new application


@dataclass(frozen=True, slots=True)
class Target:
    """A programme that takes applications for a term today."""

    version: ProgrammeVersion
    term: str

    @property
    def code(self) -> str:
        return f"{self.version.programme_id} {self.term}"


def targets(schools: Iterable[Organisation], on: date) -> list[Target]:
    """What pupils of these schools can apply for on a business day, in the programmes' order."""
    known = {version.programme_id: version for version in programmes.current()}
    taught = {stage for school in schools for stage in school.stages}
    codes = {school.code for school in schools}
    found = []
    for window in programmes.open_windows(on):
        version = known.get(window.programme_id)
        if version is None:
            continue
        rules = version.rules
        if taught & set(rules.stages) and (not rules.schools or codes & set(rules.schools)):
            found.append(Target(version, window.term))
    return found


def roster_targets(schools: Iterable[Organisation], on: date) -> dict[tuple[str, str], list[ProgrammeVersion]]:
    """(code, term) of what a roster of these schools can be for: programmes of one group stand as the group."""
    grouped = Counter(version.programme.group for version in programmes.current())
    found: dict[tuple[str, str], list[ProgrammeVersion]] = {}
    for each in targets(schools, on):
        group = each.version.programme.group
        code = group if grouped[group] > 1 else each.version.programme_id
        found.setdefault((code, each.term), []).append(each.version)
    return found


@dataclass(frozen=True, slots=True)
class Search:
    """What a search for a pupil found: pupils of the own schools, or that the number is another school's."""

    pupils: list[Student]
    elsewhere: bool = False
    more: bool = False


def search_pupils(prefixes: Iterable[str], text: str, on: date) -> Search:
    """Pupils of the own schools whose name begins so, or the one who has exactly this ID number."""
    number = normalise_id(text)
    if id_problem(number, on) is None:
        pupil = Student.objects.filter(id_hash=blind_index(number)).select_related("school").first()
        if pupil is None:
            return Search([])
        own = any(pupil.school.path.startswith(prefix) for prefix in prefixes)
        return Search([pupil] if own else [], elsewhere=not own)
    named = (
        Student.objects.filter(below(prefixes, "school__path"), name__startswith=normalise_name(text))
        .select_related("school")
        .order_by("name", "pk")[: FOUND + 1]
    )
    found = list(named)
    return Search(found[:FOUND], more=len(found) > FOUND)


def pupil(prefixes: Iterable[str], key: int) -> Student | None:
    """A pupil of the own schools."""
    return Student.objects.filter(below(prefixes, "school__path"), pk=key).select_related("school").first()


def live_application(student: Student, group: str, school_year: str) -> int | None:
    """The case of the application that a pupil already has in a group and school year."""
    return (
        Application.objects.filter(student=student, group=group, school_year=school_year, live=True)
        .values_list("pk", flat=True)
        .first()
    )


def tier_names(version: ProgrammeVersion) -> dict[str, str]:
    """What the tiers of a programme are called in the present language."""
    english = get_language() == "en"
    return {tier.code: tier.name_en if english else tier.name for tier in version.rules.tiers}


def visible(prefixes: Iterable[str], case_ids: Iterable[int]) -> list[int]:
    """Of these cases, those below the offices, in the order given."""
    wanted = list(case_ids)
    found = set(Application.objects.filter(below(prefixes), pk__in=wanted).values_list("pk", flat=True))
    return [case for case in wanted if case in found]


def named(prefixes: Iterable[str], case_ids: Iterable[int]) -> dict[int, str]:
    """The pupils' names of cases below the offices."""
    found = Application.objects.filter(below(prefixes), pk__in=list(case_ids))
    return dict(found.values_list("pk", "student__name"))


def missing_of(prefixes: Iterable[str], case_ids: Iterable[int]) -> dict[int, list[str]]:
    """What cases below the offices lack before they may be submitted, as codes."""
    found = Application.objects.filter(below(prefixes), pk__in=list(case_ids))
    return dict(found.values_list("pk", "case__missing"))


def last_return(case_id: int) -> Record | None:
    """The line of the record in which a case was last returned, with its reason."""
    return Record.objects.filter(about="case", about_id=case_id, act="return").order_by("-id").first()


CORRECTIONS = ("edit", "correct", "add_evidence", "remove_evidence")
"""Acts by which a school corrects what was returned."""


def unchanged(prefixes: Iterable[str], case_ids: Iterable[int]) -> list[int]:
    """Of cases below the offices, those that were returned and of which nothing was changed since."""
    returned = Application.objects.filter(below(prefixes), pk__in=list(case_ids), case__state="returned")
    lines = Record.objects.filter(about="case", about_id__in=returned.values("pk"))
    last = lines.filter(act__in=("return", *CORRECTIONS)).order_by("about_id", "-id").distinct("about_id")
    return [case for case, act in last.values_list("about_id", "act") if act == "return"]
