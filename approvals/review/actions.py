"""What reviewers do: decide on cases, and open full numbers for a purpose."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from approvals.applications.actions.changing import circumstances_of
from approvals.applications.models import Application
from approvals.organisations.authority import UserActor
from approvals.review.purposes import PURPOSES
from workflows import Reason, Result, decide, record
from workflows.acts import Act, Unsign, mark_read, open_item, perform
from workflows.clock import moment
from workflows.models import Signer
from workflows.queries import open_item_of

OUTCOMES = ("approve", "return", "reject")
"""What a reviewer may answer."""


def decide_tasks(
    task_ids: Iterable[int],
    outcome: str,
    by: UserActor,
    *,
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    token: str,
) -> tuple[str, list[Result]]:
    """Decides tasks through the engine's one door; returns the key of the answer and a result per task.

    `token` is the form's own: sending the same form twice changes nothing and returns the first results. Anything
    changed in the form (tasks, outcome, reason) makes it another decision.
    """
    tasks = sorted(set(task_ids))
    key = key_of(token, outcome, tasks, reason, data)
    return key, decide(tasks, outcome, by, reason=reason, data=data, key=key)


def act_on(act: Act, task_ids: Iterable[int], by: UserActor, reason: Reason | None = None) -> list[Result]:
    """Does an act that moves nothing on tasks; a result per task."""
    return perform(act, sorted(set(task_ids)), by, reason)


def take_back(case_id: int, by: UserActor) -> list[Result]:
    """拿回: takes back one's signature where the step waits for others, else one's last decision on the case."""
    item = open_item_of(case_id)
    if item is None:
        return []
    if item.panel and Signer.objects.filter(item=item, person=by.key, ended_at=None).exclude(vote="").exists():
        return perform(Unsign(), [item.pk], by)
    return decide([item.pk], "take_back", by)


def opened(case_id: int, by: UserActor, judges: bool) -> None:
    """Notes that a person has opened a case: copies to him are read; an open task is opened by who may decide it."""
    mark_read(case_id, by.key)
    item = open_item_of(case_id) if judges else None
    if item is not None and item.opened_at is None:
        open_item(item.pk, by, moment())


def key_of(token: str, outcome: str, tasks: list[int], reason: Reason | None, data: dict[str, Any] | None) -> str:
    """The idempotency key of one decision: its outcome, the form's token and a digest of what was decided."""
    said = repr((outcome, tasks, reason, sorted((data or {}).items())))
    return f"{outcome}:{token}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class FullRecord:
    """What is masked or left out everywhere else: shown once, to one person, for a purpose on the record."""

    id_number: str
    enrolment_no: str
    guardian_id: str
    guardian_phone: str
    account_no: str
    circumstances: dict[str, Any]
    """What the family states (see the application form)."""


def unmask(case_id: int, by: UserActor, purpose: str, text: str = "") -> FullRecord:
    """Opens the full record of one application, and writes who did so and for what purpose.

    `purpose` is a code of PURPOSES. Raises PermissionDenied unless `by` may see the case now, and
    Application.DoesNotExist.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"no such purpose: {purpose}")
    with transaction.atomic():
        application = Application.objects.select_related("student").get(pk=case_id)
        post = by.require("view_case", application.path)
        reason = Reason(purpose, text.strip())
        record.write("unmask", "case", [case_id], by, post=post, reason=reason, path=application.path)
    return FullRecord(
        id_number=str(application.student.id_number),
        enrolment_no=str(application.student.enrolment_no or ""),
        guardian_id=str(application.guardian_id or ""),
        guardian_phone=str(application.guardian_phone or ""),
        account_no=str(application.account_no or ""),
        circumstances=circumstances_of(application),
    )
