"""Commands of the project as processes of their own."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments: str, database: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database, "DEMO": "1", "DEBUG": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def address_of(name: str = "") -> str:
    """Where the test's database is, or another one of its server, for another process: a DATABASE_URL."""
    there = connection.settings_dict
    login = ":".join(filter(None, (there["USER"], there.get("PASSWORD"))))
    place = {key: there[key.upper()] for key in ("host", "port") if there[key.upper()]}
    return f"postgresql://{login}@/{name or there['NAME']}?{urlencode(place)}"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
