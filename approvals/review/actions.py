"""What reviewers do: decide on cases, take the next one on, set up their desk, open full numbers for a purpose."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction

from approvals.applications.actions.changing import circumstances_of
from approvals.applications.models import Application
from approvals.organisations.authority import UserActor
from approvals.review import queries
from approvals.review.models import MOST_SAVED, QueueColumns, SavedFilter
from approvals.review.purposes import PURPOSES
from approvals.review.queries import Row
from approvals.review.waiting import Question
from workflows import Reason, Result, decide, guards, record
from workflows.acts import Act, Claim, Unsign, mark_read, open_item, perform
from workflows.clock import moment
from workflows.flows.aid import AidFlow
from workflows.models import Signer
from workflows.queries import open_item_of

OUTCOMES = ("approve", "return", "reject")
"""What a reviewer may answer."""


class Unconfirmed(Exception):
    """Several were to be approved, and some of them carry findings that nobody has said he has seen."""


def decide_tasks(
    task_ids: Iterable[int],
    outcome: str,
    by: UserActor,
    *,
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
    token: str,
    findings_seen: bool = False,
) -> tuple[str, list[Result]]:
    """Decides tasks through the engine's one door; returns the key of the answer and a result per task.

    `token` is the form's own: sending the same form twice changes nothing and returns the first results. Anything
    changed in the form (tasks, outcome, reason) makes it another decision. Raises Unconfirmed where several are to be
    approved, some of them with open hits or conditions that do not hold, without `findings_seen`.
    """
    tasks = sorted(set(task_ids))
    if outcome == "approve" and len(tasks) > 1 and not findings_seen and queries.with_findings(tasks):
        raise Unconfirmed
    key = key_of(token, outcome, tasks, reason, data)
    return key, decide(tasks, outcome, by, reason=reason, data=data, key=key)


def foreseen(rows: Iterable[Row], outcome: str, by: UserActor) -> list[tuple[str, int]]:
    """What the rules over a set (quota, budget, average) would refuse of these tasks if it were decided now.

    Sentences with how many tasks each would refuse. Nothing is promised: the rules are asked again with the decision.
    """
    cases: dict[str, list[int]] = {}
    for row in rows:
        if guards.guarded(AidFlow.kind, row.step, outcome):
            cases.setdefault(row.step, []).append(row.case)
    if not cases:
        return []
    told: Counter[str] = Counter()
    with suppress(OperationalError), transaction.atomic():  # who decides there now holds the rule's lock: no forecast
        _wait_briefly()
        for step, found in cases.items():
            for refusal in guards.refusals(AidFlow.kind, step, outcome, found, by).values():
                told[refusal.told()] += 1
    return told.most_common()


def _wait_briefly() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '300ms'")


def act_on(act: Act, task_ids: Iterable[int], by: UserActor, reason: Reason | None = None) -> list[Result]:
    """Does an act that moves nothing on tasks; a result per task."""
    return perform(act, sorted(set(task_ids)), by, reason)


WINDOWS = (20, 200, 2000)
"""How many tasks are looked at for one that is free, and how many when somebody is locking all of them."""
TRIES = 5
"""Refusals of the engine after which the last one is told."""


def next_one(question: Question, by: UserActor) -> Result | None:
    """下一件: takes on the first task that nobody has and nobody is locking, in the queue's order; None when none is.

    It is chosen and taken on in one transaction, and passes over what others lock: n people get n different ones.
    """
    refused: list[Result] = []
    for window in WINDOWS:
        while len(refused) < TRIES:
            with transaction.atomic():
                free = queries.candidates(question, window).exclude(pk__in=[result.task_id for result in refused])
                # The case with it, as the engine locks both: an act on it elsewhere then waits, and is not waited for.
                locked = free.select_related("process").select_for_update(
                    of=("self", "process"), no_key=True, skip_locked=True
                )
                item = locked.only("pk", "process__id").first()
                if item is None:
                    break
                [result] = perform(Claim(), [item.pk], by)
            if result.ok:
                return result
            refused.append(result)
    return refused[-1] if refused else None


# Saved over the one of the same name, or in the first free place of twenty.
_SAVE = f"""
    INSERT INTO {SavedFilter._meta.db_table} (person, name, query, slot)
    SELECT %(person)s, %(name)s, %(query)s, COALESCE(
           (SELECT slot FROM {SavedFilter._meta.db_table} WHERE person = %(person)s AND name = %(name)s),
           (SELECT min(place) FROM generate_series(1, {MOST_SAVED}) AS place WHERE place NOT IN (
                   SELECT slot FROM {SavedFilter._meta.db_table} WHERE person = %(person)s))) AS slot
     WHERE EXISTS (SELECT 1 FROM {SavedFilter._meta.db_table} WHERE person = %(person)s AND name = %(name)s)
        OR (SELECT count(*) FROM {SavedFilter._meta.db_table} WHERE person = %(person)s) < {MOST_SAVED}
    ON CONFLICT (person, name) DO UPDATE SET query = excluded.query
"""


def save_filter(person: str, name: str, query: str) -> bool:
    """Saves a filter of the queue under a name, over the one of that name; False when all places are taken."""
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, {"person": person, "name": name, "query": query})
        return bool(cursor.rowcount)


def forget_filter(person: str, pk: int) -> None:
    """Deletes a saved filter of one's own."""
    SavedFilter.objects.filter(person=person, pk=pk).delete()


def choose_columns(person: str, columns: list[str]) -> None:
    """Remembers which columns of the queue a person wants to see; none chosen are the usual ones."""
    if columns:
        QueueColumns.objects.update_or_create(person=person, defaults={"columns": columns})
    else:
        QueueColumns.objects.filter(person=person).delete()


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
