"""The one process: web, two workers and the beat; and the doors that prepare what they need."""

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from project.celery import app
from project.server import Background
from tests.project.commands import ROOT, free_port, manage
from workflows import background


@pytest.fixture
def quick_beat() -> Iterator[None]:
    schedule = app.conf.beat_schedule
    app.conf.beat_schedule = {name: entry | {"schedule": 0.2} for name, entry in schedule.items()}
    yield
    app.conf.beat_schedule = schedule


def test_a_long_import_does_not_hold_up_notices(quick_beat: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import_runs, import_may_end = threading.Event(), threading.Event()
    notices: list[bool] = []
    enough = threading.Event()

    def run_due(queue: str, **_: Any) -> int:
        if queue == "long":
            import_runs.set()
            import_may_end.wait(30)
        elif import_runs.is_set():
            notices.append(import_may_end.is_set())
            if len(notices) >= 3:
                enough.set()
        return 0

    monkeypatch.setattr(background, "run_due", run_due)
    both = Background()
    both.start()
    try:
        assert enough.wait(30), "the default queue stood still while the long one worked"
        assert not any(notices)
    finally:
        import_may_end.set()
        both.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("worker-", "beat"))]


# ---------------------------------------------------------------- processes


def answers_of_two_doors_at_once(database: str) -> list[str]:
    doors = [manage("working_days", "2026-09-25", "5", database=database) for _ in range(2)]
    told = [door.communicate(timeout=300) for door in doors]
    assert [door.returncode for door in doors] == [0, 0], told
    return [out.strip() for out, _ in told]


# Three working days, the National Day week, two days more.
ANSWER = "2026-10-09"


def test_two_doors_opened_at_once_before_anything_is_loaded_both_give_the_answer_alone(new_database: str) -> None:
    assert answers_of_two_doors_at_once(new_database) == [ANSWER, ANSWER]


@pytest.mark.drill
@pytest.mark.parametrize("new_database", ["empty"], indirect=True)
def test_two_doors_opened_at_once_on_an_empty_database_both_give_the_answer_alone(new_database: str) -> None:
    assert answers_of_two_doors_at_once(new_database) == [ANSWER, ANSWER]


def test_serve_tells_its_address_refuses_a_taken_port_and_stops_cleanly(new_database: str) -> None:
    port = free_port()
    server = manage("serve", "--port", str(port), database=new_database)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address == f"http://127.0.0.1:{port}/", server.stderr and server.stderr.read()
        with urlopen(f"{address}healthz", timeout=30) as response:  # noqa: S310
            assert response.status == 200

        second = manage("serve", "--port", str(port), database=new_database)
        _, complaint = second.communicate(timeout=180)
        assert second.returncode != 0
        assert f"Cannot listen on 127.0.0.1:{port}" in complaint
    finally:
        server.send_signal(signal.SIGTERM)
        started = time.monotonic()
        _, err = server.communicate(timeout=180)
    assert server.returncode == 0, err
    assert "Ready; Ctrl-C or `make stop` ends it:" in err
    assert time.monotonic() - started < 20
    assert not (ROOT / "var" / "run" / f"serve-{port}.pid").exists()
