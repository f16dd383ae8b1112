"""Facts about cases that other rooms know and the route needs: written here, set-based, beside a decision."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, transaction
from django.db.models import CharField, F, Func, QuerySet, Value

from workflows.copying import among, ints_array
from workflows.models import Case, WorkItem

FACTS = frozenset({"missing", "open_hits", "resume", "steps", "limits", "programme_version", "returns", "panels"})


@transaction.atomic(savepoint=False)
def set_facts(case_ids: Iterable[int], **facts: Any) -> int:
    """Sets the same facts on many cases; returns how many. Only `FACTS` may be set."""
    unknown = set(facts) - FACTS
    if unknown:
        raise ValueError(f"not facts of a case: {sorted(unknown)}")
    return _locked(case_ids).update(**facts)


@transaction.atomic(savepoint=False)
def set_title(case_ids: Iterable[int], title: str) -> int:
    """Renames cases, and the open tasks that are found by it; returns how many."""
    cases = _locked(case_ids)
    WorkItem.objects.filter(process__in=cases, finished=None).update(title=title[:80])
    return cases.update(title=title[:80])


_SET_OPEN_HITS = """
    UPDATE workflows_case c SET open_hits = told.count
      FROM unnest(%s::bigint[], %s::int[]) AS told (case_id, count) WHERE c.id = told.case_id
"""


@transaction.atomic(savepoint=False)
def set_open_hits(counts: Mapping[int, int]) -> None:
    """Sets how many unwaived hits each case has, in one statement."""
    if counts:
        _locked(counts)
        with connection.cursor() as cursor:
            cursor.execute(_SET_OPEN_HITS, [ints_array(counts), ints_array(counts.values())])


def set_missing(missing: dict[int, list[str]]) -> None:
    """Sets what each case still lacks before it may be submitted."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for case_id, codes in missing.items():
        groups.setdefault(tuple(codes), []).append(case_id)
    for codes_of, case_ids in groups.items():
        set_facts(case_ids, missing=list(codes_of))


@transaction.atomic(savepoint=False)
def add_noticed(case_ids: Iterable[int], step: str, *, held: bool = False) -> int:
    """Notes that the public notice of `step` has concluded for these cases; `held`: the caller has locked them."""
    added = Func(F("noticed"), Value(step), function="array_append", output_field=ArrayField(CharField()))
    cases = Case.objects.filter(pk__in=among(case_ids)) if held else _locked(case_ids)
    return cases.exclude(noticed__contains=[step]).update(noticed=added)


@transaction.atomic(savepoint=False)
def drop_noticed(case_ids: Iterable[int], *steps: str) -> int:
    """Forgets concluded notices, for cases that will be judged and noticed again."""
    dropped: Any = F("noticed")
    for step in steps:
        dropped = Func(dropped, Value(step), function="array_remove", output_field=ArrayField(CharField()))
    return _locked(case_ids).update(noticed=dropped)


def _locked(case_ids: Iterable[int]) -> QuerySet[Case]:
    """These cases, locked in the order in which `decide` locks them, so that neither can deadlock the other."""
    rows = Case.objects.filter(pk__in=among(case_ids))
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    return rows
