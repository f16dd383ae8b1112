"""What follows from the bank's answer, for the parts of this room that keep books of their own.

    @on_answer("bounced")
    def book(answered: Answered) -> None: ...

Called inside the transaction that books the answer, once for each outcome that any line had, after the lines moved.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from approvals.disbursement.models import BankFile, Batch, PaymentLine
from approvals.organisations.authority import UserActor
from workflows.clock import Moment


@dataclass(frozen=True, slots=True)
class Answered:
    """Lines of a batch that one answer file says the same of: paid, failed or bounced (退汇)."""

    outcome: str
    batch: Batch
    file: BankFile
    count: int
    total: Decimal
    had_arrived: Decimal
    """Of bounced lines: the part of `total` that an earlier answer had called paid; else nothing."""
    by: UserActor
    at: Moment

    @property
    def lines(self) -> QuerySet[PaymentLine]:
        """The lines, in their new state."""
        return self.batch.lines.filter(answered_in=self.file, state=self.outcome)


Listener = Callable[[Answered], None]
_listeners: dict[str, list[Listener]] = {}


def on_answer(outcome: str) -> Callable[[Listener], Listener]:
    """Registers a listener for lines that were paid, failed or bounced."""

    def register(listener: Listener) -> Listener:
        _listeners.setdefault(outcome, []).append(listener)
        return listener

    return register


def tell(answered: Answered) -> None:
    """Calls the listeners of an outcome, in order of registration."""
    for listener in _listeners.get(answered.outcome, ()):
        listener(answered)
