from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from approvals.review.permission_words import markdown

PAGE = Path(settings.BASE_DIR) / "docs" / "permissions.md"


class Command(BaseCommand):
    help = "Prints the permission matrix as a table in Markdown; --write brings docs/permissions.md up to date."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/permissions.md instead")

    def handle(self, *, write: bool, **options: Any) -> None:
        if write:
            PAGE.write_text(markdown(), encoding="utf-8")
        else:
            self.stdout.write(markdown())
