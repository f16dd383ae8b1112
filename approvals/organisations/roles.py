"""Roles and what each may do, read from `fixtures/permissions.yaml`. Deny by default."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import pgettext_lazy as _p

NAMES: dict[str, Promise] = {
    "class_teacher": _p("role", "Class teacher"),
    "aid_officer": _p("role", "School aid officer"),
    "school_head": _p("role", "School head"),
    "township_reviewer": _p("role", "Township reviewer"),
    "county_reviewer": _p("role", "County reviewer"),
    "county_second_reviewer": _p("role", "County second reviewer"),
    "county_leader": _p("role", "County leader"),
    "finance_maker": _p("role", "Finance maker"),
    "finance_checker": _p("role", "Finance checker"),
    "finance_approver": _p("role", "Finance approver"),
    "auditor": _p("role", "Auditor"),
    "administrator": _p("role", "Administrator"),
}


def post_of(role: str, office: str, holder: str = "") -> str:
    """How the record names a post: role@office, and ~holder for a deputy's."""
    return f"{role}@{office}~{holder[:40]}" if holder else f"{role}@{office}"


def parts_of(post: str) -> tuple[str, str, str]:
    """(role, office, holder) of a post as the record names it; no office for one that is none, as the system's."""
    role, _at, office = post.partition("@")
    office, _tilde, holder = office.partition("~")
    return role, office, holder


def words_of(post: str, deputy: bool = True) -> str:
    """aid_officer@鸡泽县第一中学 -> 鸡泽县第一中学 · 资助专干. A deputy's says for whom, if not said elsewhere."""
    role, office, holder = parts_of(post)
    if not office:
        return gettext("System") if role == "system" else role
    words = f"{office} · {NAMES.get(role, role)}"
    return deputising(words, holder) if deputy and holder else words


def deputising(who: str, holder: str) -> str:
    """张三（代理李四）."""
    return gettext("%(who)s (deputy for %(holder)s)") % {"who": who, "holder": holder}


@dataclass(frozen=True)
class Matrix:
    """The permission matrix: every permission there is, and per role where it is held and what it may do.

    `incompatible` are sets of roles of which one person may hold only one over the same office or school.
    """

    permissions: tuple[str, ...]
    may: dict[str, frozenset[str]]
    at: dict[str, frozenset[str]]
    incompatible: tuple[frozenset[str], ...] = ()
    own_school: tuple[str, ...] = ()
    """Levels of the route at which nobody judges the cases of the school that employs him."""

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
        permissions,
        may,
        {role: frozenset(entry["at"]) for role, entry in data["roles"].items()},
        incompatible,
        tuple(data["own_school"]),
    )
