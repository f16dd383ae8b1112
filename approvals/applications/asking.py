"""补充材料: a reviewer asks the school for papers while the case stays with him."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from approvals.applications.models import Evidence, PaperRequest
from approvals.organisations.authority import UserActor, accounts_of
from approvals.organisations.models import Organisation
from notifications import send
from workflows import record
from workflows.actors import Actor
from workflows.acts import Act
from workflows.clock import Moment, moment
from workflows.locking import Refused, Standing
from workflows.models import WorkItem
from workflows.nodes import Review
from workflows.reasons import add_reasons
from workflows.record import Line, write_lines

WANTED = "papers_wanted"
"""Code of the reason under which what is wanted is put into words."""
add_reasons({WANTED: (_("More papers are needed"), ["ask_papers"])})


class AskPapers(Act):
    """要求补充材料: kinds of papers, and in words what they shall show. It takes the place of an open request."""

    name = "ask_papers"
    reason_required = True

    def __init__(self, kinds: Sequence[str], words: str) -> None:
        self.kinds = list(kinds)
        self.words = words

    def refusal(self, task: Standing, by: Actor) -> Refused | None:
        return None if isinstance(task.step, Review) else "not_here"

    def write(self, tasks: list[Standing], by: Actor, moment: Moment) -> None:
        before = PaperRequest.objects.filter(item__in=[task.item for task in tasks], answered_at=None)
        replaced = set(before.values_list("item", flat=True))
        before.update(answered_at=moment.machine)
        lines = [Line(task.case, task.path, item=task.item) for task in tasks if task.item in replaced]
        write_lines("close_papers", "case", lines, by, at=moment)
        PaperRequest.objects.bulk_create(
            PaperRequest(
                application_id=task.case, item=task.item, kinds=self.kinds, text=self.words, person=by.key,
                name=by.name[:150], asked_on=moment.date,
            )
            for task in tasks
        )  # fmt: skip

    @property
    def data(self) -> dict[str, Any]:
        return {"kinds": self.kinds}


def open_requests() -> QuerySet[PaperRequest]:
    """What is waited for: asked, not answered, and the task it was asked for still open."""
    tasks = WorkItem.objects.filter(pk=OuterRef("item"), finished=None)
    return PaperRequest.objects.filter(Exists(tasks), answered_at=None)


def request_of(case_id: int) -> PaperRequest | None:
    """The papers that a case waits for."""
    return open_requests().filter(application=case_id).first()


def still_wanted(request: PaperRequest) -> list[str]:
    """The kinds of which no paper has been attached since they were asked for."""
    given = Evidence.objects.filter(application=request.application_id, removed_at=None, added_at__gte=request.asked_at)
    return [kind for kind in request.kinds if kind not in set(given.values_list("kind", flat=True))]


def kinds_taken(case_id: int, of_programme: Collection[str]) -> list[str]:
    """The kinds of papers that a school may attach: its programme's, and those that a reviewer asks for besides.

    None are named where the programme takes every kind.
    """
    request = request_of(case_id)
    return list(dict.fromkeys([*of_programme, *request.kinds])) if of_programme and request else list(of_programme)


def answer(case_id: int, by: UserActor, post: str, path: str) -> PaperRequest | None:
    """Closes the request of a case once a paper of each kind is there; returns it when this was the last one."""
    request = request_of(case_id)
    if request is None or still_wanted(request):
        return None
    if not PaperRequest.objects.filter(pk=request.pk, answered_at=None).update(answered_at=moment().machine):
        return None
    record.write("supply_papers", "case", [case_id], by, post=post, path=path, data={"kinds": request.kinds})
    asked_by = accounts_of([request.person]).get(request.person, [])
    school = Organisation.objects.values_list("name", flat=True).get(path=path)
    send(
        "papers_supplied", asked_by, about="case", about_id=case_id, cause=f"papers:{request.pk}", data={"name": school}
    )
    return request
