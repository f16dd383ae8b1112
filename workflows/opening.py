"""Opening cases: the other door, through which a case comes into being as a draft with an open task."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import connection
from viewflow.workflow.fields import get_flow_ref, get_task_ref
from viewflow.workflow.status import STATUS

from workflows.actors import Actor
from workflows.clock import moment
from workflows.models import ActingLevel, Case, Record, WorkItem
from workflows.nodes import Draft
from workflows.requests import request_id


@dataclass(frozen=True, slots=True)
class CaseSpec:
    """What a route must know of a new case (see `Case` for the meaning of each)."""

    path: str
    programme: str = ""
    programme_version: int = 0
    term: str = ""
    steps: Sequence[str] = ()
    limits: dict[str, int] = field(default_factory=dict)
    missing: Sequence[str] = ()
    title: str = ""
    returns: str = "straight"
    panels: dict[str, dict[str, Any]] = field(default_factory=dict)


def open_cases(flow_class: Any, specs: Iterable[CaseSpec], by: Actor, post: str = "", act: str = "open") -> list[int]:
    """Opens one case per spec, each with its first open task and its line in the record, in one COPY each.

    Returns the case ids in the order of `specs`. To be called inside the caller's transaction; the caller has
    checked that `by` may do so. Whoever prepares a case has acted on it at the level of submitting, and judges it
    at no other (DOMAIN.md §3.1: the head is not the officer who prepared it).
    """
    wanted = list(specs)
    if not wanted:
        return []
    cases, items = _ids(Case, len(wanted)), _ids(WorkItem, len(wanted))
    at, request = moment(), request_id()
    start = next(node for node in flow_class.instance.nodes() if isinstance(node, Draft))
    flow_ref, task_ref = get_flow_ref(flow_class), get_task_ref(start)
    new = STATUS.NEW.value
    opened = list(zip(cases, items, wanted, strict=True))
    _copy(
        Case,
        "id flow_class status created kind state programme programme_version term path steps limits missing noticed"
        " open_hits resume round returns panels title",
        (
            (case, flow_ref, new, at.machine, flow_class.kind, start.state, spec.programme, spec.programme_version,
             spec.term, spec.path, _array(tuple(spec.steps)), _json(tuple(spec.limits.items())),
             _array(tuple(spec.missing)), "{}", 0, "", 1, spec.returns, _panels(spec.panels), spec.title[:80])
            for case, _, spec in opened
        ),
    )  # fmt: skip
    _copy(
        WorkItem,
        "id case_id flow_task flow_task_type status created token path round outcome decided_by queue title",
        (
            (item, case, task_ref, start.task_type, new, at.machine, "start", spec.path, 1, "", "", start.queue,
             spec.title[:80])
            for case, item, spec in opened
        ),
    )  # fmt: skip
    _copy(
        Record,
        "at business_at actor actor_name post act about about_id item step state_from state_to reason_code"
        " reason_text data path request_id",
        (
            (at.machine, at.business, by.key, by.name, post, act, "case", case, item, start.name, "", start.state,
             "", "", "{}", spec.path, request)
            for case, item, spec in opened
        ),
    )  # fmt: skip
    if start.level and by.key:
        _copy(ActingLevel, "case_id person level", ((case, by.key, start.level) for case in cases))
    return cases


def _ids(model: Any, count: int) -> list[int]:
    """Takes `count` fresh keys of a table from its sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


# Most cases of a call have the same steps and limits: each is turned into PostgreSQL's text once.


@lru_cache(maxsize=256)
def _array(words: tuple[str, ...]) -> str:
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "{" + ",".join(f'"{word}"' for word in quoted) + "}"


@lru_cache(maxsize=256)
def _json(items: tuple[tuple[str, int], ...]) -> str:
    return json.dumps(dict(items))


def _panels(panels: dict[str, Any]) -> str:
    return json.dumps(panels) if panels else "{}"


def _copy(model: Any, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        names = ", ".join(columns.split())
        with cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
