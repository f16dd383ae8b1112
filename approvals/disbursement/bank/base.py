"""What every format of bank file is: it writes payments, and reads what the bank answers (DOMAIN.md §4.5(4))."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from approvals.disbursement.bank.profiles import Profile

PAID, FAILED, BOUNCED, PENDING = "paid", "failed", "bounced", "pending"


class Head(NamedTuple):
    """What a file says of all its payments; `at` is when the batch was sent, for which the same bytes come again."""

    number: str
    at: datetime
    count: int
    total: Decimal


class Order(NamedTuple):
    """One payment as the bank is told of it."""

    number: int
    payee: str
    account: str
    amount: Decimal
    summary: str
    reference: str
    bank: str = ""


class Row(NamedTuple):
    """A line of the bank's answer, by the names of its columns; `line` is where a person finds it in the file."""

    line: int
    cells: dict[str, str]
    means: str = ""
    """What the message itself says became of the payment, whatever its code: a return message only tells of bounces."""


class Read(NamedTuple):
    """An answer file: what its header says of count and total, where it has one, and its lines."""

    control: dict[str, str] | None
    rows: Iterator[Row]


class Answer(NamedTuple):
    """What the bank says of one payment. Account and amount are None where its format does not repeat them."""

    line: int
    reference: str
    account: str | None
    amount: Decimal | None
    outcome: str
    """paid, failed or bounced (退汇: it had arrived, and came back)."""
    code: str
    message: str


class Format(Protocol):
    """One way of writing payments down. The same orders, head and profile always give the same bytes."""

    code: str
    most: int
    """Most payments that one file can hold."""

    def lacks(self, bank: "Profile") -> Iterator[str]:
        """What a profile of this format must say and does not, as sentences for whoever writes the profile."""
        ...

    def write(self, orders: Iterable[Order], head: Head, bank: "Profile") -> bytes:
        """The file. Raises Refused for a value that does not fit: nothing is ever cut."""
        ...

    def read(self, content: bytes, bank: "Profile") -> Read:
        """The lines of an answer. Raises Refused, now or while they are read, naming the line and what to do."""
        ...
