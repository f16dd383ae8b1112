"""Commands as doors: whoever types one must not have to prepare anything first."""

import json
from typing import Any

from django.core.management import BaseCommand, ManagementUtility

LANGUAGES = {"zh": "zh-hans", "zh-hans": "zh-hans", "en": "en"}
"""What `--lang` takes, and the language it means."""


class DoorCommand(BaseCommand):
    """A command a newcomer may type first: PostgreSQL is started, migrated and seeded before it runs.

    A room below `project` does not import this; it sets `door = True` on its own BaseCommand, which is the
    same. Its stdout carries the answer alone.
    """

    door = True
    requires_system_checks: list[str] = []

    def answer(self, answer: dict[str, Any], on_one_line: bool) -> None:
        """Prints an answer as JSON: for people over several lines, for programs on one."""
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=None if on_one_line else 1))


class Doors(ManagementUtility):
    """Django's command line, which gets the database ready for the commands that are doors."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        command = super().fetch_command(subcommand)
        asks_for_help = {"-h", "--help", "help"} & set(self.argv[1:])
        if getattr(command, "door", False) and not asks_for_help:
            from project.doors import ensure_ready

            ensure_ready()
        return command
