import argparse
from datetime import date
from typing import Any

from django.core.management import CommandError, CommandParser

from project.management import DoorCommand
from workflows.working_days import calendar, notice_end

MOST = 2000  # some eight years; beyond it every day would be provisional anyway


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2026-09-07") from error


def count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of working days from 0 to {MOST}")
    return int(text)


class Command(DoorCommand):
    help = "Prints the last day of a notice published on FROM for COUNT working days (counted from the day after)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("published_on", type=day, metavar="FROM", help="date, 2026-09-07")
        parser.add_argument("count", type=count, metavar="COUNT", help="working days")

    def handle(self, *, published_on: date, count: int, **options: Any) -> None:
        try:
            end = notice_end(published_on, count)
        except OverflowError as error:
            raise CommandError("That lies after the last year there is.") from error
        self.stdout.write(end.isoformat())
        missing = sorted({*range(published_on.year, end.year + 1)} - calendar().years)
        if missing:
            self.stderr.write(
                f"Provisional (暂定): the State Council's calendar of {', '.join(map(str, missing))} is not loaded; "
                "Monday to Friday were counted as working days there."
            )
