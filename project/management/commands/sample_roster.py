import argparse
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from approvals.organisations.queries import school_by_code
from approvals.programmes.terms import Term, UnknownTerm, parse_term
from project import demo_rosters
from project.management import DoorCommand
from workflows.clock import today


def term(text: str) -> str:
    try:
        return parse_term(text)
    except UnknownTerm as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class Command(DoorCommand):
    help = "Writes a roster of a school's demo pupils, to be uploaded or imported."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, help="the workbook to write (.xlsx)")
        parser.add_argument("--school", required=True, metavar="CODE")
        parser.add_argument("--programme", metavar="CODE", help="a programme or a group; the school's usual one")
        parser.add_argument("--term", type=term, help="2026-2027-1; the present one")
        parser.add_argument("--rows", type=int, default=40)
        parser.add_argument("--with-errors", action="store_true", help="with the errors that schools make")

    def handle(
        self,
        *,
        out: Path,
        school: str,
        programme: str | None,
        term: str | None,
        rows: int,
        with_errors: bool,
        **options: Any,
    ) -> None:
        found = school_by_code(school, today())
        if found is None:
            raise CommandError(f"There is no school {school}.")
        try:
            content = demo_rosters.roster(
                found,
                programme or demo_rosters.default_programme(found),
                term or Term.on(today()).code,
                rows,
                with_errors,
            )
        except demo_rosters.NoRoster as error:
            raise CommandError(str(error)) from error
        out.write_bytes(content)
        self.stdout.write(str(out))
