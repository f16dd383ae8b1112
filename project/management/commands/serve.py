import signal
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser, call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from waitress.server import create_server

from project import processes
from project.management import DoorCommand
from project.server import Background
from workflows.models import TrainingClock

HARD_LIMIT = 80 * 1024 * 1024  # above this the connection is cut; from 55 MB up a page says why (413)


class Command(DoorCommand):
    help = "Serves the pages and does the background work, all in this one process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--threads", type=int, default=8)
        parser.add_argument("--demo", action="store_true", help="first load the demo county where it is missing")

    def handle(self, *, host: str, port: int, threads: int, demo: bool, **options: Any) -> None:
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["viewflow"])
        server = self._listen(host, port, threads)  # first, since it may fail and loading takes a while
        if demo and settings.DEMO and not TrainingClock.objects.exists():
            self.stderr.write("Loading the demo county (about half a minute) …")
            call_command("load_demo", stdout=sys.stderr)
        connection.close()

        pid_file = processes.enter(port)
        background = Background()
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(signal.SIGINT, _interrupt)
        try:
            background.start()
            self.stderr.write("Ready; Ctrl-C or `make stop` ends it:")
            self.stdout.write(f"http://{host}:{port}/")
            self.stdout.flush()
            server.run()  # until a signal
        finally:
            self.stderr.write("Stopping …")
            server.close()
            background.stop()
            pid_file.unlink(missing_ok=True)

    def _listen(self, host: str, port: int, threads: int) -> Any:
        try:
            return create_server(
                get_wsgi_application(),
                host=host,
                port=port,
                threads=threads,
                max_request_body_size=HARD_LIMIT,
                ident=None,
            )
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. "
                f"If a server of this project runs there, `make stop` ends it; `--port` takes another."
            ) from error


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
