from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management import CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from approvals.applications.actions.rosters import import_now
from approvals.applications.importing import target_of
from approvals.applications.refusals import Refused
from approvals.applications.rosters import MAX_BYTES, RosterUnreadable
from approvals.organisations.authority import UserActor, holders
from approvals.organisations.models import Organisation, User
from approvals.organisations.queries import school_by_code
from approvals.programmes.terms import UnknownTerm, parse_term
from project.management import LANGUAGES, DoorCommand
from workflows.clock import today


class Command(DoorCommand):
    help = "Takes a school's roster over as drafts and says which rows were refused and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--school", required=True, metavar="CODE")
        parser.add_argument("--programme", required=True, metavar="CODE", help="a programme or an exclusive group")
        parser.add_argument("--term", required=True, help="2026-2027-1, or 2026年秋季学期")
        parser.add_argument("--dry-run", action="store_true", help="judge only, write nothing")
        parser.add_argument("--all-or-nothing", action="store_true", help="one refused row refuses them all")
        parser.add_argument("--json", action="store_true", help="on one line, for programs")
        parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="language of the sentences")
        parser.add_argument("--by", metavar="USER", help="who uploads; the school's aid officer unless given")

    def handle(self, *, file: Path, lang: str, json: bool, **options: Any) -> None:
        language = LANGUAGES[lang]
        with translation.override(language):
            try:
                answer = self._import(file, language, **options)
            except (Refused, RosterUnreadable, UnknownTerm) as refusal:
                self.answer({"error": refusal.message, "code": refusal.code}, json)
                raise SystemExit(2) from None
            except PermissionDenied:
                self.answer({"error": _("This account may not upload for this school."), "code": "not_permitted"}, json)
                raise SystemExit(2) from None
        self.answer(answer, json)
        if answer["refused"]:
            raise SystemExit(1)

    def _import(
        self,
        file: Path,
        language: str,
        *,
        school: str,
        programme: str,
        term: str,
        dry_run: bool,
        all_or_nothing: bool,
        by: str | None,
        **_options: Any,
    ) -> dict[str, Any]:
        office = school_by_code(school, today())
        if office is None:
            raise Refused("unknown_school", given=school)
        target = target_of(office, programme, parse_term(term))
        return import_now(
            content_of(file),
            file.name,
            target,
            UserActor(_uploader(office, by)),
            dry_run=dry_run,
            all_or_nothing=all_or_nothing,
            lang=language,
        )


def content_of(file: Path) -> bytes:
    """A file to be taken over. Raises Refused where it cannot be opened, RosterUnreadable where it is too big."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise RosterUnreadable("too_big", size=-(-file.stat().st_size // 1024**2), limit=MAX_BYTES // 1024**2)
        return file.read_bytes()
    except OSError as error:
        raise Refused("file_missing", name=file) from error


def _uploader(school: Organisation, name: str | None) -> User:
    if name is not None:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise Refused("unknown_person", name=name)
        return user
    officers = holders("submit_application", [school.path])[school.path]
    if not officers:
        raise Refused("no_officer")
    return User.objects.get(pk=min(officers))
