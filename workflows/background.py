"""Work that is owed, as rows: `run_due` does whatever has become due, on whichever process asks.

A room registers a function that does a bounded piece of due work and returns how much it did; it must be
safe to run twice, on two machines, and after being killed at any moment.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

Work = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Due:
    """A kind of due work: its name, the queue it runs on, and the function that does a piece of it."""

    name: str
    queue: str
    run: Work


_registry: dict[str, Due] = {}


def due(name: str, queue: str = "default") -> Callable[[Work], Work]:
    """Registers due work. Queue `long` is for pieces that take seconds (imports, big files)."""

    def register(run: Work) -> Work:
        _registry[name] = Due(name, queue, run)
        return run

    return register


def run_due(
    queue: str | None = None,
    rounds: int = 100,
    allowed: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True),
) -> int:
    """Runs due work, of one queue or all, until nothing is left; returns how many pieces were done.

    One kind's failure is logged and leaves the others alone; its rows stay due. `allowed` is held around each piece,
    and says whether it may be done now.
    """
    total = 0
    for _ in range(rounds):
        done = sum(_run(work, allowed) for work in list(_registry.values()) if queue in (None, work.queue))
        total += done
        if not done:
            break
    return total


def _run(work: Due, allowed: Callable[[], AbstractContextManager[bool]]) -> int:
    try:
        with allowed() as free:
            return work.run() if free else 0
    except Exception:
        log.exception("due_work_failed", work=work.name)
        return 0
