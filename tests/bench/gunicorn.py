"""The server of several processes as an office runs it, on a test's database, and `wrk` against it on loopback."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.project.commands import ROOT, address_of, free_port

WRK = shutil.which("wrk")
SECONDS = 2
CONNECTIONS = 16


@contextmanager
def served(application: str = "project.wsgi", workers: int = 4, **environment: str) -> Iterator[tuple[str, int]]:
    """gunicorn with so many processes; its address and the key of its first process."""
    port = free_port()
    given = os.environ | {"DATABASE_URL": address_of(), "DEMO": "1", "PYTHONPATH": str(ROOT), "LOG_LEVEL": "WARNING"}
    command = [
        sys.executable, "-m", "gunicorn", f"{application}:application", "--bind", f"127.0.0.1:{port}",
        "--workers", str(workers), "--worker-class", "gthread", "--threads", "4", "--keep-alive", "30",
        "--log-level", "warning",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env=given | environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/healthz", server)
        yield address, server.pid
    finally:
        server.terminate()
        server.wait(20)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert server.poll() is None, "the server fell over"
        try:
            urllib.request.urlopen(address, timeout=2)  # noqa: S310
        except OSError as error:
            if hasattr(error, "code"):  # it answers, if only that there is nothing here
                return
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the server did not start")


def collect_static() -> None:
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0", "-i", "viewflow"],
        cwd=ROOT, check=True, env=os.environ | {"DEMO": "1"},
    )  # fmt: skip


def wrk(address: str, **headers: str) -> float:
    """Requests a second; none may fail."""
    assert WRK
    given = [part for name, value in headers.items() for part in ("-H", f"{name.replace('_', '-')}: {value}")]
    told = subprocess.run(
        [WRK, "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *given, address], capture_output=True, text=True, check=True
    ).stdout
    assert "Non-2xx" not in told, told
    assert not re.search(r"connect [1-9]|read [1-9]|write [1-9]", told), told
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found, told
    return float(found[1])
