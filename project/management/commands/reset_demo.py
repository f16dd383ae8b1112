from typing import Any

from django.core.management import CommandError, CommandParser

from project import demo
from project.management import DoorCommand
from project.management.commands.load_demo import pupils


class Command(DoorCommand):
    help = "Empties a demo database and loads the demo county again. Refused on any other database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pupils", type=pupils, default=demo.PUPILS, help=f"how many ({demo.PUPILS})")

    def handle(self, *, pupils: int, **options: Any) -> None:
        try:
            loaded = demo.reset(pupils)
        except demo.NotADemo as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The demo county starts afresh: {loaded.pupils} pupils.")
