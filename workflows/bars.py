"""What bars a person, or everybody, from deciding on a case: read with the lock, for one case or ten thousand."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from workflows.actors import Actor
from workflows.planned import planned_cursor

TODAY = "COALESCE((SELECT date FROM workflows_trainingclock), (now() AT TIME ZONE 'Asia/Shanghai')::date)"
"""The business date, in SQL."""

SEAT = "i.holder, i.holder_name, i.opened_at IS NOT NULL, i.panel"
"""Columns of a `Seat`, of an item named `i`."""

_RECUSALS = """SELECT jsonb_agg(jsonb_build_array(r.code, r.levels)) FROM workflows_recusal r
     WHERE r.person = %(person)s::varchar"""
BARS = f"""
    c.suspended_on IS NOT NULL,
    (SELECT level FROM workflows_actinglevel WHERE case_id = c.id AND person = %(person)s::varchar),
    ({_RECUSALS} AND r.case_id = c.id AND r.ended_at IS NULL),
    ({_RECUSALS} AND r.case_id IS NULL AND r.ended_at IS NULL AND starts_with(c.path, r.path)),
    (SELECT jsonb_agg(jsonb_build_array(f.ends_on, f.open_to) ORDER BY f.ends_on DESC) FROM workflows_freeze f
      WHERE f.ended_at IS NULL AND {TODAY} BETWEEN f.starts_on AND f.ends_on AND starts_with(c.path, f.path))"""
"""Columns of `Bars`, of a case named `c` and the person %(person)s."""


def recused(case: str, person: str, level: str) -> str:
    """SQL that tells whether a person is recused from a case, by itself or with its office, at a level.

    `case` is written with its table: a bare `case_id` would be the recusal's own, and bar every case.
    """
    at_level = f"(r.levels = '{{}}' OR {level} = ANY(r.levels))"
    return f"""(EXISTS (
            SELECT 1 FROM workflows_recusal r
             WHERE r.person = {person} AND r.case_id = {case} AND r.ended_at IS NULL AND {at_level}
        ) OR EXISTS (
            SELECT 1 FROM workflows_recusal r
             WHERE r.person = {person} AND r.case_id IS NULL AND r.ended_at IS NULL AND {at_level}
               AND starts_with((SELECT c.path FROM workflows_case c WHERE c.id = {case}), r.path)
        ))"""


def bars_of(case_ids: Sequence[int], person: str) -> dict[int, "Bars"]:
    """What bars a person from each of these cases."""
    with planned_cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {BARS} FROM workflows_case c WHERE c.id = ANY(%(cases)s::bigint[])",
            {"person": person, "cases": list(case_ids)},
        )
        return {case: Bars.read(*rest) for case, *rest in cursor.fetchall()}


_BARRED = f"""
    SELECT f.case_id, p.person
      FROM unnest(%(cases)s::bigint[], %(levels)s::varchar[]) AS f (case_id, level)
     CROSS JOIN unnest(%(people)s::varchar[]) AS p (person)
     WHERE {recused("f.case_id", "p.person", "f.level")}
        OR EXISTS (SELECT 1 FROM workflows_actinglevel a
                    WHERE a.case_id = f.case_id AND a.person = p.person AND a.level <> f.level)
"""


def barred(cases: Sequence[tuple[int, str]], people: Sequence[str]) -> set[tuple[int, str]]:
    """Of these people, who may not judge which of the cases [(case, level)]: recused, or active at another level."""
    with connection.cursor() as cursor:
        ids, levels = [case for case, _ in cases], [level for _, level in cases]
        cursor.execute(_BARRED, {"cases": ids, "levels": levels, "people": list(people)})
        return set(cursor.fetchall())


class Seat(NamedTuple):
    """Who sits at an open item."""

    holder: str
    holder_name: str
    opened: bool
    panel: str


class Bars(NamedTuple):
    """What stands against somebody's deciding on a case."""

    suspended: bool
    acted_at: str | None
    """The level at which this person has acted on the case before."""
    recused: list[tuple[str, list[str]]] | None
    """[(code, levels)] of the recusals from this case; no levels means all of them."""
    recused_office: list[tuple[str, list[str]]] | None
    """The same, from every case of its office."""
    frozen: list[tuple[str, str]] | None
    """[(last day, permission with which one may act all the same)] of the freeze periods that run."""

    @classmethod
    def read(cls, suspended: bool, acted_at: str | None, *as_json: str | None) -> "Bars":
        """The bars as `BARS` reads them: what is several comes as JSON."""
        if not suspended and acted_at is None and not any(as_json):
            return NO_BARS
        return cls(suspended, acted_at, *(json.loads(value) if value else None for value in as_json))

    def refusal(self, by: Actor, path: str, level: str) -> tuple[str, Mapping[str, Any]] | None:
        """Why `by` may not act on the case at `level` (empty for acts that judge nothing); None when he may."""
        if self.suspended:
            return "suspended", {}
        for until, open_to in self.frozen or ():
            if not (open_to and by.permits(open_to, [path])):
                return "frozen", {"until": until}
        if not level:
            return None
        if code := self.recusal(level):
            return f"recused_{code}", {}
        return ("other_level", {}) if self.acted_at not in (None, level) else None

    def recusal(self, level: str) -> str:
        """The code of a recusal that holds at a level; empty for none."""
        found = [*(self.recused or ()), *(self.recused_office or ())]
        return next((code for code, levels in found if not levels or level in levels), "")


NO_BARS = Bars(False, None, None, None, None)
