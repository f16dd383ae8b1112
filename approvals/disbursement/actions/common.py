"""What every act on a batch needs: its lock, its step, what is said of it."""

from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django_fsm import can_proceed

from approvals.awards.models import Award
from approvals.disbursement import queries
from approvals.disbursement.actions.account_guard import refuse_bad_accounts
from approvals.disbursement.funds.following import follow
from approvals.disbursement.models import Batch
from approvals.disbursement.refusals import Refused, listed
from approvals.organisations.authority import holders
from approvals.organisations.roles import matrix
from notifications import send
from workflows import record
from workflows.actors import SYSTEM, Actor
from workflows.decisions import decide
from workflows.flows.aid import AidFlow
from workflows.queries import open_items
from workflows.reasons import MIN_LENGTH, Reason

NAMED = {
    "check_lines": "check", "return_to_maker": "send_back", "return_from_approval": "send_back",
    "return_from_treasury": "send_back", "send": "export",
}  # fmt: skip
"""What the permission matrix calls the transitions of a batch, where it calls them otherwise."""


FOLLOWS = ("report", "answer_partly", "answer_fully")
"""Nobody's act by itself: what follows an approval, and what the bank's answer makes of a batch, and of earlier ones
whose failed lines it paid."""


def next_number(day: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('disbursement_batch_number')")
        return f"{day}-{cursor.fetchone()[0]:04d}"


def count_lines(batch: Batch) -> None:
    lines = batch.lines.filter(state="included")
    batch.line_count = lines.count()
    batch.total = lines.aggregate(total=Sum("amount"))["total"] or Decimal("0.00")
    batch.save(update_fields=["line_count", "total"])


def totals(batch: Batch) -> dict[str, Any]:
    return {"count": batch.line_count, "total": str(batch.total)}


def locked(batch_id: int) -> Batch:
    """The batch, locked until the transaction ends; what refers to it can still be written, as a reissue's entries."""
    return Batch.objects.select_for_update(no_key=True).get(pk=batch_id)


def locked_with_earlier(batch_id: int) -> Batch:
    """The batch, locked, and all before it whose failed lines it pays: for acts that may settle those too.

    Batches are locked from the latest to the first, and always before the balances of the ledger.
    """
    batch = locked(batch_id)
    for earlier in _earlier(batch):
        locked_with_earlier(earlier)
    return batch


def _earlier(batch: Batch) -> list[int]:
    found = Batch.objects.filter(lines__replacement__batch=batch)
    return sorted(set(found.values_list("pk", flat=True)))


def take(
    batch: Batch,
    act: str,
    by: Actor,
    post: str,
    reason: Reason | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Takes one step of the batch's state machine and records it. Raises Refused when it may not be taken now."""
    step = getattr(batch, act)
    stated = act in FOLLOWS or matrix().in_state(f"batch.{NAMED.get(act, act)}", batch.state)
    if not stated or not can_proceed(step):
        raise Refused("wrong_state")
    before = batch.state
    step()
    batch.save()
    follow(batch, act, by)
    record.write(
        act,
        "batch",
        [batch.pk],
        by,
        post=post,
        path=batch.path,
        reason=reason,
        states=(before, batch.state),
        data=totals(batch) | (data or {}),
    )


def not_stopped(batch: Batch) -> None:
    """Raises Refused while the auditor stops the batch."""
    if batch.state == "audit_held":
        raise Refused("audit_held")


def finish(batch: Batch, by: Actor, post: str) -> None:
    """A partly paid batch of which every line has by now been paid, reissued and paid, or given up, is fully paid."""
    if batch.state == "partially_paid" and answered_fully(batch):
        take(batch, "answer_fully", by, post)
        finish_earlier(batch, by, post)


def finish_earlier(batch: Batch, by: Actor, post: str) -> None:
    """Batches of which every failed line has by now been reissued and paid become fully paid."""
    for earlier in _earlier(batch):
        finish(locked(earlier), by, post)


def reopen_earlier(batch: Batch, by: Actor, post: str) -> None:
    """Batches that were fully paid by lines of this one are so no more when money of it came back."""
    for pk in _earlier(batch):
        earlier = locked(pk)
        if earlier.state == "paid" and not answered_fully(earlier):
            take(earlier, "answer_partly", by, post)
            reopen_earlier(earlier, by, post)


def answered_fully(batch: Batch) -> bool:
    """Whether every line is paid, or was reissued and is paid by the line that took its place, or was given up."""
    waiting = batch.lines.exclude(state__in=["paid", "acknowledged", "recovered", "cancelled"])
    return not waiting.exclude(
        state="reissued", replacement__batch__state__in=["paid", "reconciled", "closed"]
    ).exists()


def still_payable(batch: Batch) -> None:
    """Asked again at every step until money leaves: an award may have been suspended or ended since, or the data match
    have found that the pupil died or is on the roll of another school.

    The awards stay locked until the step is taken, so that none is suspended while it is.
    """
    lines = batch.lines.filter(state="included")
    awards = Award.objects.filter(lines__in=lines).order_by("pk").select_for_update(of=("self",), no_key=True)
    gone = [pk for pk, state in awards.values_list("pk", "state") if state != "active"]
    if gone:
        numbers = list(lines.filter(award__in=gone).order_by("number").values_list("number", flat=True))
        raise Refused("award_not_active", count=len(numbers), lines=listed(numbers))
    if stopped := [line.number for line in queries.stopped_lines(lines)]:
        raise Refused("lines_stopped", count=len(stopped), lines=listed(stopped))
    refuse_bad_accounts(batch)


def reason_of(text: str) -> Reason:
    if len(text.strip()) < MIN_LENGTH:
        raise Refused("reason_required")
    return Reason("other", text.strip())


def move_cases(lines: Any, step: str, outcome: str) -> None:
    """Moves the cases of these lines that stand at `step`; those further on stay where they are."""
    items = open_items(AidFlow.kind, step, lines.values_list("case_id", flat=True))
    refused = [result for result in decide(items.values(), outcome, SYSTEM) if not result.ok]
    if refused:  # nothing is booked: the whole act is undone, and can be tried again
        raise Refused("cases_busy", count=len(refused), why=refused[0].message)


def tell_next(batch: Batch, permission: str) -> None:
    """Tells those whose turn it is that a batch waits."""
    for people in holders(permission, [batch.path]).values():
        cause = f"{batch.pk}:{batch.state}:{record.latest('batch', batch.pk)}"
        send("batch_waiting", people, about="batch", about_id=batch.pk, cause=cause, data={"name": batch.number})


def reference(batch: Batch, number: int) -> str:
    """业务编号: what the bank's answer names a payment by."""
    return f"{batch.number}-{number:06d}"


class AccountProblem(Exception):
    """The account entered cannot be right; `code` is one of approvals.people.accounts."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
