from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management import CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from approvals.applications.actions.registers import PERMISSION, load_now
from approvals.applications.refusals import Refused
from approvals.applications.rosters import RosterUnreadable
from approvals.applications.sources.registry import listed_kinds
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.models import User
from approvals.organisations.queries import county
from project.management import LANGUAGES, DoorCommand
from project.management.commands.import_roster import content_of


class Command(DoorCommand):
    help = "Takes over a list of another office, to match applications against, and says which rows were refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", metavar="KIND", help="one of: " + ", ".join(kind.code for kind in listed_kinds()))
        parser.add_argument("file", type=Path)
        parser.add_argument("--origin", required=True, metavar="TEXT", help="the office that issued it")
        parser.add_argument("--date", required=True, metavar="YYYY-MM-DD", help="the date of its data")
        parser.add_argument(
            "--despite-doubts", action="store_true", help="though it looks like another list, or is far shorter"
        )
        parser.add_argument("--json", action="store_true", help="on one line, for programs")
        parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="language of the sentences")
        parser.add_argument("--by", metavar="USER", help="who loads it; a data-match officer unless given")

    def handle(self, *, kind: str, file: Path, lang: str, json: bool, **options: Any) -> None:
        language = LANGUAGES[lang]
        with translation.override(language):
            try:
                answer = load_now(
                    content_of(file), file.name, kind, options["origin"], _day(options["date"]),
                    UserActor(_loader(options["by"])), language, options["despite_doubts"],
                )  # fmt: skip
            except (Refused, RosterUnreadable) as refusal:
                self.answer({"error": refusal.message, "code": refusal.code}, json)
                raise SystemExit(2) from None
            except PermissionDenied:
                self.answer({"error": _("This account may not load lists."), "code": "not_permitted"}, json)
                raise SystemExit(2) from None
            if not answer["current"]:
                answer["note"] = _("A list of a later date is there. This one is kept as history.")
        self.answer(answer, json)
        if answer["refused"]:
            raise SystemExit(1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("date_format", text=text) from None


def _loader(name: str | None) -> User:
    if name is not None:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise Refused("unknown_person", name=name)
        return user
    path = county().path
    officers = holders(PERMISSION, [path])[path]
    if not officers:
        raise Refused("no_match_officer")
    return User.objects.get(pk=min(officers))
