"""Roles and what each may do, read from `fixtures/permissions.yaml`. Deny by default."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

NAMES: dict[str, Promise] = {
    "aid_officer": _p("role", "School aid officer"),
    "school_head": _p("role", "School head"),
    "township_reviewer": _p("role", "Township reviewer"),
    "county_reviewer": _p("role", "County reviewer"),
    "county_second_reviewer": _p("role", "County second reviewer"),
    "match_officer": _p("role", "Data-match officer"),
    "county_leader": _p("role", "County leader"),
    "finance_maker": _p("role", "Finance maker"),
    "finance_checker": _p("role", "Finance checker"),
    "finance_approver": _p("role", "Finance approver"),
    "auditor": _p("role", "Auditor"),
    "administrator": _p("role", "Administrator"),
}


@dataclass(frozen=True)
class Matrix:
    """The permission matrix: every permission there is, and per role where it is held and what it may do.

    `incompatible` are sets of roles of which one person may hold only one over the same office or school.
    """

    permissions: tuple[str, ...]
    may: dict[str, frozenset[str]]
    at: dict[str, frozenset[str]]
    incompatible: tuple[frozenset[str], ...] = ()

    def roles_with(self, permission: str) -> list[str]:
        """The roles that hold a permission. An unknown permission is a mistake in the code: KeyError."""
        if permission not in self.permissions:
            raise KeyError(f"unknown permission: {permission}")
        return [role for role, allowed in self.may.items() if permission in allowed]

    def clash(self, role: str, other: str) -> bool:
        """Whether two roles may not lie in one hand over the same office or school."""
        return role != other and any({role, other} <= roles for roles in self.incompatible)


@cache
def matrix() -> Matrix:
    """The matrix in force; refuses a role that names a permission that does not exist."""
    text = (Path(settings.BASE_DIR) / "fixtures" / "permissions.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    permissions = tuple(data["permissions"])
    may = {role: frozenset(entry["may"]) for role, entry in data["roles"].items()}
    for role, allowed in may.items():
        if unknown := allowed - set(permissions):
            raise ValueError(f"role {role} names unknown permissions {sorted(unknown)}")
    incompatible = tuple(frozenset(roles) for roles in data.get("incompatible", []))
    if unknown := frozenset().union(*incompatible) - set(may):
        raise ValueError(f"incompatible names unknown roles {sorted(unknown)}")
    return Matrix(
        permissions, may, {role: frozenset(entry["at"]) for role, entry in data["roles"].items()}, incompatible
    )
