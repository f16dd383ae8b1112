"""Opening cases: the other door, through which a case comes into being as a draft with an open task."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from viewflow.workflow.fields import get_flow_ref, get_task_ref
from viewflow.workflow.status import STATUS

from workflows.actors import Actor
from workflows.clock import Moment, moment
from workflows.copying import array, copy, fields
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
    start = next(node for node in flow_class.instance.nodes() if isinstance(node, Draft))
    opening = _Opening(wanted, _ids(Case, len(wanted)), _ids(WorkItem, len(wanted)), flow_class, start, moment())
    opening.copy_cases()
    opening.copy_items()
    opening.copy_record(by, post, act)
    if start.level and by.key:
        level = fields((by.key, start.level))
        copy(ActingLevel, "case_id person level", (f"{case}\t{level}\n" for case in opening.cases))
    return opening.cases


@dataclass(frozen=True, slots=True)
class _Opening:
    """Cases that are opened together. Of a roster's only the keys differ: what they share is made text once."""

    specs: Sequence[CaseSpec]
    cases: list[int]
    items: list[int]
    flow_class: Any
    start: Draft
    at: Moment

    def copy_cases(self) -> None:
        texts: dict[tuple[Any, ...], str] = {}

        def text(spec: CaseSpec) -> str:
            steps, limits, missing = tuple(spec.steps), tuple(spec.limits.items()), tuple(spec.missing)
            panels = json.dumps(spec.panels) if spec.panels else "{}"
            key = (spec.programme, spec.programme_version, spec.term, spec.path, steps, limits, missing, panels,
                   spec.returns)  # fmt: skip
            if key not in texts:
                texts[key] = self._case(spec)
            return texts[key]

        copy(
            Case,
            "id flow_class status created kind state programme programme_version term path steps limits missing"
            " noticed open_hits resume round returns panels title",
            (
                f"{case}\t{text(spec)}\t{fields((spec.title[:80],))}\n"
                for case, spec in zip(self.cases, self.specs, strict=True)
            ),
        )

    def _case(self, spec: CaseSpec) -> str:
        return fields(
            (
                get_flow_ref(self.flow_class), STATUS.NEW.value, self.at.machine, self.flow_class.kind,
                self.start.state, spec.programme, spec.programme_version, spec.term, spec.path, array(spec.steps),
                json.dumps(spec.limits), array(spec.missing), "{}", 0, "", 1, spec.returns,
                json.dumps(spec.panels),
            )
        )  # fmt: skip

    def copy_items(self) -> None:
        head = fields((get_task_ref(self.start), self.start.task_type, STATUS.NEW.value, self.at.machine, "start"))
        tails = {path: fields((path, 1, "", "", self.start.queue)) for path in self._paths}
        copy(
            WorkItem,
            "id case_id flow_task flow_task_type status created token path round outcome decided_by queue title",
            (
                f"{item}\t{case}\t{head}\t{tails[spec.path]}\t{fields((spec.title[:80],))}\n"
                for case, item, spec in zip(self.cases, self.items, self.specs, strict=True)
            ),
        )

    def copy_record(self, by: Actor, post: str, act: str) -> None:
        head = fields((self.at.machine, self.at.business, by.key, by.name, post, act, "case"))
        tails = {
            path: fields((self.start.name, "", self.start.state, "", "", "{}", path, request_id()))
            for path in self._paths
        }
        copy(
            Record,
            "at business_at actor actor_name post act about about_id item step state_from state_to reason_code"
            " reason_text data path request_id",
            (f"{head}\t{case}\t{item}\t{tails[path]}\n" for case, item, path in self._opened()),
        )

    @property
    def _paths(self) -> set[str]:
        return {spec.path for spec in self.specs}

    def _opened(self) -> Iterator[tuple[int, int, str]]:
        """(case, item, office path) of each."""
        return zip(self.cases, self.items, (spec.path for spec in self.specs), strict=True)


def _ids(model: Any, count: int) -> list[int]:
    """Takes `count` fresh keys of a table from its sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            # looked up once: the function would else be asked anew for every key
            "SELECT nextval(sequence.name) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0)"
            " AS sequence, generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]
