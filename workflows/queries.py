"""What other rooms ask of the engine: open tasks, where cases stand, what happened to them."""

from collections.abc import Iterable

from viewflow.workflow.fields import get_task_ref

from workflows.actors import Actor
from workflows.decisions import Result, digest, results_from
from workflows.models import KeyedDecision, Record, WorkItem


def step_ref(flow_class: type, step: str) -> str:
    """How a step of a route is named in the database."""
    return str(get_task_ref(flow_class.instance.node(step)))  # type: ignore[attr-defined]


def open_items(flow_class: type, step: str, case_ids: Iterable[int] | None = None) -> dict[int, int]:
    """The open tasks at a step, {case id: task id}; of these cases, or of all."""
    items = WorkItem.objects.filter(flow_task=step_ref(flow_class, step), finished__isnull=True)
    if case_ids is not None:
        items = items.filter(process_id__in=list(case_ids))
    return dict(items.values_list("process_id", "id"))


def open_item_of(case_id: int) -> WorkItem | None:
    """The task at which a case stands now; None once it has ended."""
    item: WorkItem | None = WorkItem.objects.filter(process_id=case_id, finished__isnull=True).first()
    return item


def timeline(case_id: int) -> list[Record]:
    """Everything that happened to a case, oldest first."""
    return list(Record.objects.filter(about="case", about_id=case_id).order_by("id"))


def results_under(key: str, by: Actor) -> list[Result]:
    """The first results of a person's decision under a key, in the active language; empty where there was none."""
    kept = KeyedDecision.objects.filter(key=digest(key), person=by.key).order_by("chunk")
    return results_from(answer for answers in kept.values_list("results", flat=True) for answer in answers)
