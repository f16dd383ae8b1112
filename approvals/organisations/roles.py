"""Roles and what each may do, read from `fixtures/permissions.yaml`. Deny by default."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import pgettext_lazy as _p

from approvals.organisations.permissions_file import Matrix, PermissionsFileError, read_file

NAMES: dict[str, Promise] = {
    "class_teacher": _p("role", "Class teacher"),
    "aid_officer": _p("role", "School aid officer"),
    "school_head": _p("role", "School head"),
    "township_reviewer": _p("role", "Township reviewer"),
    "township_leader": _p("role", "Township leader"),
    "county_reviewer": _p("role", "County reviewer"),
    "county_second_reviewer": _p("role", "County second reviewer"),
    "match_officer": _p("role", "Data-match officer"),
    "county_leader": _p("role", "County leader"),
    "finance_maker": _p("role", "Finance maker"),
    "finance_checker": _p("role", "Finance checker"),
    "finance_approver": _p("role", "Finance approver"),
    "treasury_officer": _p("role", "Treasury officer"),
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


@cache
def matrix() -> Matrix:
    """The matrix in force. Raises PermissionsFileError."""
    found = read_file(Path(settings.BASE_DIR) / "fixtures" / "permissions.yaml")
    if nameless := set(found.may) - set(NAMES):
        raise PermissionsFileError(f"permissions.yaml: roles without a name in both languages: {sorted(nameless)}")
    return found
