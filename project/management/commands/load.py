from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from approvals.organisations.actions import load_organisations
from approvals.organisations.county_file import CountyFileError
from approvals.organisations.models import Organisation
from approvals.programmes.definition import DefinitionError
from approvals.programmes.queries import current
from project import doors
from project.management import DoorCommand
from workflows.working_days import calendar


class Command(DoorCommand):
    help = "Brings calendar, programmes and offices in line with their files, and says what there is; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--organisations", type=Path, metavar="FILE", help="the county's offices and schools, as in jize.yaml"
        )

    def handle(self, *, organisations: Path | None, **options: Any) -> None:
        try:
            doors.load()
            if organisations is not None:
                load_organisations(organisations)
        except (CountyFileError, DefinitionError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"calendar: {', '.join(map(str, sorted(calendar().years)))}")
        versions = (f"{version.programme_id} {version.number}" for version in current())
        self.stdout.write(f"programmes: {', '.join(versions)}")
        self.stdout.write(f"organisations: {Organisation.objects.count()}")
