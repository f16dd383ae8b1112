import argparse
from typing import Any

from django.core.management import CommandError, CommandParser

from project import demo
from project.management import DoorCommand

MOST = 1_000_000


def pupils(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of pupils from 0 to {MOST}")
    return int(text)


class Command(DoorCommand):
    help = "Loads the demo county 鸡泽县 into an empty database; one that has it already is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pupils", type=pupils, default=demo.PUPILS, help=f"how many ({demo.PUPILS})")

    def handle(self, *, pupils: int, **options: Any) -> None:
        try:
            loaded = demo.load(pupils)
        except demo.NotADemo as error:
            raise CommandError(str(error)) from error
        if loaded.fresh:
            self.stdout.write(f"The demo county is loaded: {loaded.pupils} pupils.")
        else:
            self.stdout.write(
                f"The demo county is there already, with {loaded.pupils} pupils; reset_demo starts it afresh."
            )
