"""Which `manage.py serve` processes run from this checkout: a file each, so that `make stop` finds them."""

import os
import signal
from pathlib import Path

import psutil
from django.conf import settings

FOLDER = settings.BASE_DIR / "var" / "run"


def enter(port: int) -> Path:
    """Writes this process's file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"serve-{port}.pid"
    file.write_text(str(os.getpid()))
    return file


def running() -> list[psutil.Process]:
    """The servers that run; files of dead ones, or whose number is another program's by now, are removed."""
    found = []
    for file in FOLDER.glob("serve-*.pid"):
        try:
            process = psutil.Process(int(file.read_text()))
            if "serve" not in process.cmdline():
                raise psutil.NoSuchProcess(process.pid)
        except (psutil.Error, ValueError):
            file.unlink(missing_ok=True)
        else:
            found.append(process)
    return found


def stop_all(grace: float = 30) -> int:
    """Asks every server to finish, ends those that have not within the grace; returns how many there were."""
    servers = running()
    for process in servers:
        process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(servers, timeout=grace)
    for process in alive:
        process.kill()
    return len(servers)
