from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from approvals.organisations import accounts, queries
from approvals.organisations.models import Organisation
from approvals.organisations.refusals import Refused


class Command(BaseCommand):
    help = "Makes a county's administrator and prints a one-time password; a known administrator gets another one."
    door = True
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="what the person signs in with")
        parser.add_argument("--name", default="", help="the person's name")

    def handle(self, *, username: str, name: str, **options: Any) -> None:
        try:
            user, password = accounts.first_administrator(username, name or username, queries.county())
        except Organisation.DoesNotExist as error:
            raise CommandError("No county is loaded: manage.py load --organisations FILE does that.") from error
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"{user.username} is an administrator. The first sign-in with this asks for a new password:")
        self.stdout.write(password)
