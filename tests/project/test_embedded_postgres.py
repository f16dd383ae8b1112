"""The embedded server: shared by many commands, gone with the last, and tidied up after a kill."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from project import postgres

ROOT = Path(__file__).resolve().parents[2]

USER = """
import sys
from pathlib import Path
from project import postgres
postgres.FOLDER = Path(sys.argv[1])
postgres.use()
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Not pytest's tmp_path: as root the server runs as somebody else, to whom another pytest may close that folder.
    with tempfile.TemporaryDirectory(prefix="zhuxue-test-") as place:
        monkeypatch.setattr(postgres, "FOLDER", Path(place) / ".postgres")
        yield Path(place) / ".postgres"
        postgres.stop()


class Someone:
    """A command that uses the server in `folder` until it leaves or is killed."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> "Someone":
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self

    def leaves(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def is_killed(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


def server() -> psutil.Process | None:
    file = postgres.data_folder() / "postmaster.pid"
    return psutil.Process(int(file.read_text().split()[0])) if file.exists() else None


def answer() -> object:
    with psycopg.connect(
        host=str(postgres.socket_folder()), user=postgres.SUPERUSER, dbname=postgres.DATABASE
    ) as connection:
        return connection.execute("SELECT 42").fetchone()


def test_commands_that_start_at_once_share_one_server_and_the_last_to_leave_stops_it(folder: Path) -> None:
    people = [Someone(folder) for _ in range(3)]
    for person in people:
        person.ready()
    first = server()
    people[0].leaves()
    people[1].leaves()
    assert server() == first
    assert answer() == (42,)
    people[2].leaves()
    assert server() is None


def test_a_server_left_behind_by_a_killed_command_is_taken_over_and_stopped(folder: Path) -> None:
    Someone(folder).ready().is_killed()
    left_behind = server()
    assert left_behind is not None
    next_one = Someone(folder).ready()
    assert server() == left_behind
    next_one.leaves()
    assert server() is None


def test_make_stop_stops_a_server_left_behind_and_says_so(folder: Path) -> None:
    Someone(folder).ready().is_killed()
    assert postgres.stop() is True
    assert server() is None
    assert postgres.stop() is False


def test_a_server_that_was_killed_itself_starts_again(folder: Path) -> None:
    person = Someone(folder).ready()
    killed = server()
    assert killed is not None
    killed.send_signal(signal.SIGKILL)
    person.is_killed()
    Someone(folder).ready().leaves()


def test_a_pid_file_whose_number_is_another_program_s_by_now_is_forgotten(folder: Path) -> None:
    Someone(folder).ready().leaves()
    file = postgres.data_folder() / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n{postgres.data_folder()}\n{int(time.time())}\n5432\n\n\n\nready\n")
    person = Someone(folder).ready()
    assert answer() == (42,)
    person.leaves()


def test_a_cluster_whose_making_was_cut_off_is_made_again(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18")
    Someone(folder).ready().leaves()


def test_a_folder_too_deep_for_a_socket_puts_it_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder.parent / ("深" * 30) / "with space, and 'comma'" / ".postgres"
    deep.parent.mkdir(parents=True)
    monkeypatch.setattr(postgres, "FOLDER", deep)
    person = Someone(deep).ready()
    assert not postgres.socket_folder().is_relative_to(deep)
    assert answer() == (42,)
    person.leaves()
