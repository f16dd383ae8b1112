"""The trade as one would build it on viewflow as it comes: its tables, its gateways, its activations, its lock.

A reviewer's answer stands on the process; a gateway after each review sends the case on, back or out. No history,
no separation of duties, no office is checked: what is measured against it does more.
"""

from typing import Any

from viewflow import this
from viewflow.workflow import flow
from viewflow.workflow.lock import SelectForUpdateLock
from viewflow.workflow.models import Process, Task

STATES = {"approve": "county_review", "return": "returned", "reject": "rejected"}


def _answered(answer: str) -> Any:
    return lambda activation: activation.process.data.get("answer") == answer


def _page(request: Any, **kwargs: Any) -> None:
    """Stands for the page of a task; the benchmark calls the activation, as viewflow's own pages do."""


class StockFlow(flow.Flow):
    """Aid application"""

    process_class = Process
    task_class = Task
    lock_impl = SelectForUpdateLock(nowait=False, attempts=1)

    start = flow.StartHandle(this.submitted).Next(this.school_review)
    school_review = flow.View(_page).Permission("organisations.review_school").Next(this.school_decision)
    school_decision = (
        flow.Switch()
        .Case(this.county_review, _answered("approve"))
        .Case(this.correction, _answered("return"))
        .Default(this.rejected)
    )
    county_review = flow.View(_page).Permission("organisations.review_county").Next(this.county_decision)
    county_decision = (
        flow.Switch()
        .Case(this.approved, _answered("approve"))
        .Case(this.correction, _answered("return"))
        .Default(this.rejected)
    )
    correction = flow.View(_page).Permission("organisations.submit_application").Next(this.school_review)
    approved = flow.End()
    rejected = flow.End()

    def submitted(self, activation: Any) -> Any:
        activation.process.data = {"state": "school_review", "programme": "living_subsidy"}
        activation.process.save()
        return activation.process


def stock_waiting(count: int) -> list[Any]:
    """Starts processes and returns their open tasks at the school's review."""
    processes = [StockFlow.start.run() for _ in range(count)]
    return list(
        Task.objects.filter(process__in=processes, flow_task=StockFlow.school_review, finished=None).order_by("pk")
    )


def assign_and_execute(task: Any, user: Any, answer: str = "approve") -> None:
    """Decides one task as viewflow's pages do: it is assigned, then executed with the answer saved on the process."""
    with task.activation() as activation:
        activation.assign(user)
    with task.activation() as activation:
        activation.start(None)
        activation.process.data |= {"answer": answer, "state": STATES[answer]}
        activation.process.save()
        activation.execute()
