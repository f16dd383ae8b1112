"""Web, worker and beat in one process, for one machine and no broker.

The broker is then `memory://`, which lives in a process and cannot be shared by servers that fork: so the web
is threads (waitress), and each queue has a solo Celery worker in a thread of its own, so that a long import does
not hold up a notice. A Celery application remembers one selection of queues for all its workers: two workers of
one application both took from the queues of the one that started last, so each has an application of its own.
They share Celery's process-wide switch for stopping, which is what is wanted here. The beat keeps its schedule
in memory, since the truth is in the database.
"""

import threading
from collections.abc import Callable

import structlog
from celery import Celery
from celery.beat import Scheduler, Service
from celery.worker import WorkController
from celery.worker import state as worker_state

from project.celery import app, configured

log = structlog.get_logger(__name__)

QUEUES = ("default", "long")
GRACE = 20  # seconds a piece of work under way gets to finish; what is cut off is still due at the next start


class Background:
    """The workers and the beat, as threads that are started again should one fall over."""

    def __init__(self, queues: tuple[str, ...] = QUEUES) -> None:
        self._stopping = threading.Event()
        self._beat: Service | None = None
        parts: dict[str, Callable[[], None]] = {
            f"worker-{queue}": lambda queue=queue: self._run_worker(queue) for queue in queues
        }
        parts["beat"] = self._run_beat
        # Daemons, so that a piece of work that outlasts the grace cannot hold up the exit.
        self._threads = [
            threading.Thread(target=self._keep_running, args=(name, run), name=name, daemon=True)
            for name, run in parts.items()
        ]

    def start(self) -> None:
        app.loader.import_default_modules()
        worker_state.should_stop = None
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets work under way finish within the grace, and takes on no more."""
        self._stopping.set()
        worker_state.should_stop = 0
        if self._beat:
            self._beat.stop(wait=False)
        for thread in self._threads:
            thread.join(GRACE)
        worker_state.should_stop = None

    def _keep_running(self, name: str, run: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                run()
            except SystemExit:  # Celery's way of ending a worker
                pass
            except Exception:
                log.exception("background_part_fell_over", part=name)
            self._stopping.wait(1)

    def _run_worker(self, queue: str) -> None:
        # WorkController, not app.Worker: that one installs signal handlers, which a thread may not.
        WorkController(
            app=configured(Celery(f"zhuxue-{queue}", set_as_current=False)),
            hostname=f"{queue}@zhuxue",
            pool_cls="solo",
            queues=[queue],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        ).start()

    def _run_beat(self) -> None:
        self._beat = Service(app, scheduler_cls=Scheduler, max_interval=1)
        self._beat.start()
