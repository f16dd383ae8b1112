"""What speaks against taking an uploaded list over: headings of another kind of list, far fewer rows than before."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.applications.rosters.columns import COLUMNS, bare_heading, match_heading
from approvals.applications.sources import registry
from approvals.people.models import RegisterList

OF_A_ROSTER = frozenset(("学籍号", "是否寄宿", "困难等级", "资助项目", "学期"))
"""Columns of a school's roster; two of them that a kind has no use for, and the list is one."""

SENTENCES: dict[str, Promise] = {
    "looks_like_roster": _(
        "This looks like a school's roster and not like a list of “%(kind)s”: it has the columns %(headings)s."
    ),
    "looks_like_other_kind": _(
        "This looks like a list of “%(other)s” and not like one of “%(kind)s”: it has the columns %(headings)s."
    ),
    "much_shorter": _("It has %(rows)s rows to take over; the list that it replaces has %(present)s."),
}


class Doubt(NamedTuple):
    """One thing that speaks against a list."""

    code: str
    values: Mapping[str, Any]

    @property
    def message(self) -> str:
        return str(SENTENCES[self.code]) % self.values


def doubts(register: RegisterList) -> list[Doubt]:
    """What somebody must confirm besides before this list, which has been read, is taken over."""
    return [*_of_headings(register), *_of_length(register)]


def _of_headings(register: RegisterList) -> Iterator[Doubt]:
    unused = [column["heading"] for column in register.understood.get("unmapped", [])]
    kind = registry.kind_of(register.kind)
    title = kind.title if kind else register.kind
    named = {heading: match_heading(heading) for heading in unused}
    of_roster = [heading for heading, match in named.items() if match and match[0] in OF_A_ROSTER]
    if len(of_roster) > 1:
        yield Doubt("looks_like_roster", {"kind": title, "headings": "、".join(of_roster)})
    for other in registry.listed_kinds():
        own = {column.heading for column in other.columns} - set(COLUMNS) if other.code != register.kind else set()
        if theirs := [heading for heading in unused if bare_heading(heading) in own]:
            yield Doubt("looks_like_other_kind", {"kind": title, "other": other.title, "headings": "、".join(theirs)})


def _of_length(register: RegisterList) -> Iterator[Doubt]:
    present = RegisterList.objects.filter(kind=register.kind, current=True, as_of__lte=register.as_of)
    count = present.values_list("accepted", flat=True).first() or 0
    if register.valid * 2 < count:
        yield Doubt("much_shorter", {"rows": register.valid, "present": count})
