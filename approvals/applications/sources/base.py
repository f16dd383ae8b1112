"""What a kind of source is: its list's columns, its question to the database, the codes of what it finds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from django.utils.functional import Promise

from approvals.applications.findings import Facts, Finder, Pupil
from approvals.applications.sources.lists import Column, RowReader
from approvals.people import registers
from approvals.people.special_groups import SPECIAL_GROUPS
from approvals.programmes.models import ProgrammeVersion

INFO = "info"
"""Is shown; nobody need do anything."""
RECHECK = "recheck"
"""Leads the case to the re-check, whose approval waives it."""
BLOCK = "block"
"""Leads the case to the re-check, and is waived only by itself, with a reason of its own."""


class Says(NamedTuple):
    """What a code is called, what it says of an application, and what it asks for."""

    title: Promise
    sentence: Promise
    weight: str = RECHECK
    stops_payment: bool = False
    """Whether nothing is paid while it stands unwaived (DOMAIN.md §3.5)."""


class Found(NamedTuple):
    """One thing that a source says of an application; `values` are what its sentence names."""

    source: str
    code: str
    values: dict[str, Any]


@dataclass(slots=True)
class Matched:
    """An application under the match, with what `findings.Judged` asks for."""

    case_id: int
    version: int
    school: int
    stage: str
    grade: str
    boarder: bool
    special_groups: list[str]
    level: str
    amount: Decimal | None
    account_hash: bytes
    holder_name: str
    guardian_name: str
    pupil: Pupil
    judged: bool
    """Whether it has not been approved yet: what a family claims is judged only until then (DOMAIN.md §3.2)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The applications that are matched together, what the rules know of them, and the current list of each kind."""

    matched: list[Matched]
    finder: Finder
    versions: Mapping[int, ProgrammeVersion]
    lists: Mapping[str, int]

    def facts(self, one: Matched) -> Facts:
        return self.finder.facts(one, one.school, one.pupil)


class Kind:
    """A kind of source. A subclass says what it is in class attributes and, where rows come from a list, reads them."""

    code: ClassVar[str]
    title: ClassVar[Promise]
    offices: ClassVar[Promise | str] = ""
    """Which offices keep such a list."""
    columns: ClassVar[tuple[Column, ...]] = ()
    """Of an uploaded list; none where nothing is uploaded."""
    number: ClassVar[str] = "身份证号"
    """The column by which its rows are matched."""
    max_age: ClassVar[int] = 180
    """Days after which a list is old."""
    says: ClassVar[Mapping[str, Says]] = {}
    claims: ClassVar[bool] = False
    """Whether it judges what a family states: then it says nothing any more of who has been approved."""
    statement: ClassVar[str] = ""
    """SELECT case_id, code, said (jsonb), a row per case and code, over `scope`, `parents` and `listed` (see
    `matching`); the kind's own entries are those of list %(list)s."""

    def params(self) -> dict[str, Any]:
        """What the statement needs besides its list; names begin with the kind's code."""
        return {}

    def asked(self, lists: Mapping[str, int]) -> bool:
        """Whether there is anything to match against."""
        return not self.columns or self.code in lists

    def found(self, scope: Scope) -> Iterator[tuple[int, Found]]:
        """What it finds by itself, beyond the statement: (case, found)."""
        yield from ()

    def row(self, read: RowReader) -> registers.Row:
        """The register row that a line of the list stands for; problems are told to `read`, and refuse it."""
        raise NotImplementedError

    def category_name(self, category: str) -> str:
        """What a row's category is called, where the list's rows are counted by it."""
        return str(SPECIAL_GROUPS.get(category, category))


def days_old(as_of: date, today: date) -> int:
    """How old a list is."""
    return (today - as_of).days
