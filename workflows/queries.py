"""What other rooms ask of the engine: open tasks, where cases stand, what happened to them."""

from collections.abc import Iterable

from workflows.actors import Actor
from workflows.copying import among
from workflows.decisions import digest
from workflows.locking import Result, results_from
from workflows.models import KeyedDecision, Record, WorkItem


def queue_of(kind: str, step: str) -> str:
    """The queue of a step, as open tasks carry it: the same for every version of the kind's route."""
    return f"{kind}.{step}"


def open_items(kind: str, step: str, case_ids: Iterable[int] | None = None) -> dict[int, int]:
    """The open tasks at a step of a kind of case, {case id: task id}; of these cases, or of all."""
    items = WorkItem.objects.filter(queue=queue_of(kind, step), finished__isnull=True)
    if case_ids is not None:
        items = items.filter(process_id__in=among(case_ids))
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
