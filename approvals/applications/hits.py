"""Hits as they are kept: what the match found now laid beside what it had found before."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _p

from approvals.applications.matching import Match
from approvals.applications.models import Hit
from approvals.applications.sources import registry
from workflows.copying import array, bytes_array, ints_array

CLOSED: dict[str, Promise] = {
    "corrected": _p("why a hit is gone", "What was matched has been corrected."),
    "other_list": _p("why a hit is gone", "A later list no longer says so."),
    "no_list": _p("why a hit is gone", "The list was withdrawn."),
    "no_longer": _p("why a hit is gone", "It no longer holds."),
}
"""Why a hit is no longer found."""

Key = tuple[int, str, str]
"""Case, source, code."""
Tally = dict[str, Counter[str]]
"""Per code of a hit how many are new, kept, found again, gone, and kept waived."""


@dataclass(slots=True)
class Kept:
    """A hit as the database has it."""

    pk: int
    weight: str
    values: dict[str, Any]
    list_id: int | None
    facts: bytes
    found_at: datetime
    waived_at: datetime | None
    waived_by: str
    waived_reason: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a match came to: unwaived hits by case, the cases of which some hit is new or gone, and the tally."""

    open_hits: dict[int, int]
    changed: dict[int, dict[str, list[str]]]
    """{case: {"new": codes, "gone": codes}}, but for what is for information."""
    tally: Tally


def keep(results: Mapping[int, Match], lists: Mapping[str, int], at: datetime) -> Outcome:
    """Keeps what was found: new hits are added, those no longer found closed with why.

    A waived hit does not count again, unless what was matched, or what the source says, has changed since.
    """
    known = _known(results)
    tally: Tally = defaultdict(Counter)
    changed: dict[int, dict[str, list[str]]] = {}
    open_hits = dict.fromkeys(results, 0)
    rows: list[tuple[Any, ...]] = []
    now: set[Key] = set()
    for case, result in results.items():
        for found in result.found:
            key = (case, found.source, found.code)
            now.add(key)
            old, weight, list_id = known.get(key), registry.weight_of(found.code), lists.get(found.source)
            same = old is not None and old.facts == result.facts and old.values == found.values
            waived = same and old is not None and old.waived_at is not None
            open_hits[case] += weight != "info" and not waived
            stays = old is not None and same and not old.closed
            became = "waived" if waived else "kept" if stays else "new" if old is None else "again"
            tally[found.code][became] += 1
            if not stays and not waived and weight != "info":
                changed.setdefault(case, {}).setdefault("new", []).append(found.code)
            if stays and old is not None and (old.list_id, old.weight) == (list_id, weight):
                continue
            rows.append(
                (*key, weight, json.dumps(found.values, ensure_ascii=False), list_id, result.facts,
                 old.found_at if stays and old else at, *_waiver(old if waived else None))
            )  # fmt: skip
    _write(rows)
    _close(results, known, now, lists, at, open_hits, changed, tally)
    return Outcome(open_hits, changed, tally)


def _waiver(old: Kept | None) -> tuple[datetime | None, str, str]:
    return (old.waived_at, old.waived_by, old.waived_reason) if old else (None, "", "")


_KNOWN = f"""
    SELECT application_id, source, code, id, weight, values::text, list_id, facts, found_at, waived_at, waived_by,
           waived_reason, closed_at IS NOT NULL
      FROM {Hit._meta.db_table} WHERE application_id = ANY(%s::bigint[])
"""


def _known(cases: Collection[int]) -> dict[Key, Kept]:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [ints_array(cases)])
        return {
            (case, source, code): Kept(pk, weight, json.loads(values), list_id, bytes(facts or b""), *rest)
            for case, source, code, pk, weight, values, list_id, facts, *rest in cursor.fetchall()
        }


_WRITE = f"""
    INSERT INTO {Hit._meta.db_table} AS kept
           (application_id, source, code, weight, values, list_id, facts, found_at, waived_at, waived_by, waived_reason,
            closed_why)
    SELECT *, '' FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::bigint[], %s::bytea[],
                             %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
        ON CONFLICT (application_id, source, code) DO UPDATE
       SET weight = excluded.weight, values = excluded.values, list_id = excluded.list_id, facts = excluded.facts,
           found_at = excluded.found_at, waived_at = excluded.waived_at, waived_by = excluded.waived_by,
           waived_reason = excluded.waived_reason, closed_at = NULL, closed_why = ''
"""


def _write(rows: list[tuple[Any, ...]]) -> None:
    """Adds hits, or writes them over those of the same case, source and code."""
    if not rows:
        return
    cases, sources, codes, weights, values, lists, facts, found, waived, by, reasons = zip(*rows, strict=True)
    params = [
        ints_array(cases), array(sources), array(codes), array(weights), array(values),
        array(None if each is None else str(each) for each in lists), bytes_array(facts),
        array(each.isoformat() for each in found),
        array(None if each is None else each.isoformat() for each in waived), array(by), array(reasons),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, params)


def _close(
    results: Mapping[int, Match],
    known: Mapping[Key, Kept],
    now: set[Key],
    lists: Mapping[str, int],
    at: datetime,
    open_hits: dict[int, int],
    changed: dict[int, dict[str, list[str]]],
    tally: Tally,
) -> None:
    """Closes what is no longer found; what a family claimed stays as it was once it was granted."""
    gone: dict[str, list[int]] = defaultdict(list)
    for key, old in known.items():
        case, source, code = key
        if old.closed or key in now:
            continue
        kind = registry.kind_of(source)
        if kind is not None and kind.claims and not results[case].of.judged:
            open_hits[case] += old.weight != "info" and old.waived_at is None
            continue
        gone[_why(old, results[case], lists.get(source), bool(kind and kind.columns))].append(old.pk)
        tally[code]["gone"] += 1
        if old.weight != "info":
            changed.setdefault(case, {}).setdefault("gone", []).append(code)
    for why, keys in gone.items():
        Hit.objects.filter(pk__in=keys).update(closed_at=at, closed_why=why)


def _why(old: Kept, result: Match, list_id: int | None, listed: bool) -> str:
    if old.facts != result.facts:
        return "corrected"
    if listed and list_id is None:
        return "no_list"
    return "other_list" if listed and old.list_id != list_id else "no_longer"
