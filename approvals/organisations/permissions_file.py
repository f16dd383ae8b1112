"""What `fixtures/permissions.yaml` may say, and the permission matrix made of it. Deny by default (DESIGN §6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

OWN, BELOW, ABOVE, ELSEWHERE, OWN_CASE = "own", "below", "above", "elsewhere", "own_case"
RELATIONS = (OWN, BELOW, ABOVE, ELSEWHERE, OWN_CASE)
"""How the office of what is acted on stands to the office of a post: the same, below it, above it, elsewhere; and a
case within reach that the person prepared himself.
"""
SYSTEM, LAST_DECISION, EVERYBODY = "system", "last_decision", "everybody"
NOBODYS = frozenset({SYSTEM, LAST_DECISION, EVERYBODY})
"""What stands in place of a permission: the machine's alone; that of the decision taken back; whoever signs in."""
NEW, ALWAYS = "-", "*"
"""States of what is yet to be, and of what is acted on whatever its state."""

Word = Annotated[str, Field(pattern=r"^[a-z_]+$")]
Text = Annotated[str, Field(min_length=1, max_length=120)]


class PermissionsFileError(ValueError):
    """A file that says no permission matrix; the message names the file and every field that is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Named(_Part):
    zh: Text
    en: Text


Reach = Annotated[list[Literal["own", "below"]], Field(min_length=1)]


class _Permission(_Named):
    reach: Reach = [OWN, BELOW]


class _Role(_Part):
    at: Annotated[list[Literal["school", "township", "county"]], Field(min_length=1)]
    reach: Reach
    may: list[Word]


class _Act(_Named):
    own_case: bool = False
    assigned: bool = False
    needs: Annotated[dict[str, Word | list[Word]], Field(alias="in", min_length=1)]


class _Family(_Named):
    of: Word
    acts: Annotated[dict[Word, _Act], Field(min_length=1)]


class PermissionsFile(_Part):
    """The whole file; what its parts name must exist, and nothing may stand there that has no effect."""

    permissions: dict[Word, _Permission]
    roles: dict[Word, _Role]
    incompatible: list[list[Word]]
    own_school: list[Word]
    families: dict[Word, _Family]

    @model_validator(mode="after")
    def _names_exist(self) -> "PermissionsFile":
        wrong = [*self._of_roles(), *self._of_acts()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _of_roles(self) -> Iterator[str]:
        for role, entry in self.roles.items():
            for permission in entry.may:
                if permission not in self.permissions:
                    yield f"the role {role} may {permission}, which is no permission of the file"
        for roles in self.incompatible:
            for role in roles:
                if role not in self.roles:
                    yield f"incompatible names {role}, which is no role of the file"
        held = {permission for entry in self.roles.values() for permission in entry.may}
        for permission in self.permissions:
            if permission not in held:
                yield f"nobody holds the permission {permission}"

    def _of_acts(self) -> Iterator[str]:
        used: set[str] = set()
        for family, entry in self.families.items():
            for name, act in entry.acts.items():
                for state, needed in act.needs.items():
                    wanted = {needed} if isinstance(needed, str) else set(needed)
                    used |= wanted
                    for permission in sorted(wanted - set(self.permissions) - NOBODYS):
                        yield f"{family}.{name} in {state} needs {permission}, which is no permission of the file"
        for permission in self.permissions:
            if permission not in used:
                yield f"no act needs the permission {permission}"


# ---------------------------------------------------------------- the matrix


class Name(NamedTuple):
    """What something is called, in both languages."""

    zh: str
    en: str

    def words(self, language: str | None) -> str:
        """In a language; Chinese but for English."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Act:
    """One act: which permission it needs in which state, any of several, and whether on a case of one's own."""

    family: str
    name: str
    called: Name
    needs: Mapping[str, frozenset[str]]
    own_case: bool
    assigned: bool = False
    """Only for the one person to whom the thing was given, among those who hold the permission."""

    @property
    def key(self) -> str:
        return f"{self.family}.{self.name}"

    def needed(self, state: str) -> frozenset[str]:
        """The permissions of which one is needed in a state; none where the act is not to be done in it."""
        return self.needs.get(state) or self.needs.get(ALWAYS) or frozenset()


@dataclass(frozen=True, slots=True)
class Family:
    """Acts on one kind of thing; `of` says whose states they go by."""

    name: str
    called: Name
    of: str
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Matrix:
    """The permission matrix: every permission there is, per role where it is held, how far it reaches and what it may
    do, and per act which permission it needs in which state.

    `incompatible` are sets of roles of which one person may hold only one over the same office or school.
    """

    permissions: tuple[str, ...]
    may: dict[str, frozenset[str]]
    at: dict[str, frozenset[str]]
    incompatible: tuple[frozenset[str], ...] = ()
    own_school: tuple[str, ...] = ()
    """Levels of the route at which nobody judges the cases of the school that employs him."""
    reach: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """By role and permission, the relations in which it holds: own, below."""
    families: tuple[Family, ...] = ()
    called: Mapping[str, Name] = field(default_factory=dict)
    """What the permissions are called."""

    def roles_with(self, permission: str) -> list[str]:
        """The roles that hold a permission. An unknown permission is a mistake in the code: KeyError."""
        if permission not in self.permissions:
            raise KeyError(f"unknown permission: {permission}")
        return [role for role, allowed in self.may.items() if permission in allowed]

    def roles_reaching(self, permission: str) -> tuple[list[str], list[str]]:
        """The roles that hold a permission at their own office, and those that hold it below. KeyError as above."""
        roles = self.roles_with(permission)
        own, below = ([role for role in roles if at in self.reach[role, permission]] for at in (OWN, BELOW))
        return own, below

    def clash(self, role: str, other: str) -> bool:
        """Whether two roles may not lie in one hand over the same office or school."""
        return role != other and any({role, other} <= roles for roles in self.incompatible)

    def reaches(self, role: str, permission: str, office: str, path: str) -> bool:
        """Whether a permission that a role gives at the office with one path holds at another."""
        if not path.startswith(office):
            return False
        return (OWN if path == office else BELOW) in self.reach.get((role, permission), ())

    @cached_property
    def acts(self) -> dict[str, Act]:
        """The acts by family and name, `case.approve`."""
        return {act.key: act for family in self.families for act in family.acts}

    def in_state(self, act: str, state: str) -> bool:
        """Whether an act, `batch.check`, may be done at all in a state."""
        found = self.acts.get(act)
        return found is not None and bool(found.needed(state))

    def states_of(self, kind: str) -> dict[str, frozenset[str]]:
        """Of the acts on a kind of thing, by name, the states in which each may be done."""
        families = [family for family in self.families if family.of == kind]
        return {act.name: frozenset(act.needs) for family in families for act in family.acts}

    def allows(self, role: str, act: Act, state: str, relation: str, last: str = "") -> bool:
        """One cell: whether a role may do an act in a state, on what stands so to its office.

        `last` is the permission with which the decision was made that is to be taken back.
        """
        needed = {last if permission == LAST_DECISION else permission for permission in act.needed(state)}
        if EVERYBODY in needed:
            return True
        reach = {found for permission in needed for found in self.reach.get((role, permission), ())}
        return act.own_case and bool(reach) if relation == OWN_CASE else relation in reach


def read_file(path: Path) -> Matrix:
    """The matrix in a YAML file. Raises PermissionsFileError."""
    try:
        file = PermissionsFile.model_validate(yaml.load(path.read_text(encoding="utf-8"), _Loader))  # noqa: S506 a safe one
    except yaml.YAMLError as error:
        raise PermissionsFileError(f"{path.name}: {error}") from error
    except ValidationError as error:
        raise PermissionsFileError("\n".join(_sentences(path.name, error))) from error
    return Matrix(
        permissions=tuple(file.permissions),
        may={role: frozenset(entry.may) for role, entry in file.roles.items()},
        at={role: frozenset(entry.at) for role, entry in file.roles.items()},
        incompatible=tuple(frozenset(roles) for roles in file.incompatible),
        own_school=tuple(file.own_school),
        reach={
            (role, name): frozenset(entry.reach) & frozenset(file.permissions[name].reach)
            for role, entry in file.roles.items()
            for name in entry.may
        },
        families=tuple(_family(name, entry) for name, entry in file.families.items()),
        called={name: Name(entry.zh, entry.en) for name, entry in file.permissions.items()},
    )


def _sentences(file: str, error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        where = ".".join(map(str, problem["loc"])) or "the file"
        yield f"{file}: {where}: {problem['msg'].removeprefix('Value error, ')}"


def _family(name: str, entry: _Family) -> Family:
    acts = (
        Act(
            name,
            act,
            Name(given.zh, given.en),
            {
                state: frozenset([needed] if isinstance(needed, str) else needed)
                for state, needed in given.needs.items()
            },
            given.own_case,
            given.assigned,
        )
        for act, given in entry.acts.items()
    )
    return Family(name, Name(entry.zh, entry.en), entry.of, tuple(acts))
