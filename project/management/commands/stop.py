from typing import Any

from django.core.management import BaseCommand

from project import postgres, processes


class Command(BaseCommand):
    help = "Stops this checkout's servers and its embedded PostgreSQL, whatever state they were left in."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        servers = processes.stop_all()
        database = postgres.stop()
        stopped = [f"{servers} server(s)"] * bool(servers) + ["the embedded PostgreSQL"] * database
        self.stdout.write(f"Stopped {' and '.join(stopped)}." if stopped else "Nothing was running.")
