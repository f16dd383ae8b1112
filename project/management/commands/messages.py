"""Keeps the catalogues of translations complete, without gettext."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import polib
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import templatize

from project.translations import catalogues, compile_stale

LANGUAGE = "zh_Hans"
HEADER = {
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": LANGUAGE,
    "Plural-Forms": "nplurals=1; plural=0;",
}
CALLS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("_p", "pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}


class Message(NamedTuple):
    id: str
    plural: str = ""
    context: str | None = None


class Command(BaseCommand):
    help = "Brings every app's catalogue up to date with its sources; --check only tells what is missing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail when something is missing")

    def handle(self, *, check: bool, **options: Any) -> None:
        problems: list[str] = []
        for app in ours():
            found = set(extract(Path(app.path), nested=inner_apps(app)))
            file = Path(app.path) / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"
            if not check:
                update(file, found)
            problems += compare(file, found)
        problems += conflicts()
        compile_stale()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} translations are missing, unused or in conflict.")
        self.stdout.write("Translations are complete.")


def ours() -> list[AppConfig]:
    return [
        app
        for app in apps.get_app_configs()
        if Path(app.path).is_relative_to(settings.BASE_DIR / app.name.split(".")[0])
    ]


def inner_apps(app: AppConfig) -> list[Path]:
    """Apps that lie inside this one's folder and own their texts."""
    return [Path(other.path) for other in ours() if other is not app and Path(other.path).is_relative_to(app.path)]


def extract(folder: Path, nested: list[Path]) -> Iterator[Message]:
    """Every translatable text of an app's Python and templates."""
    from babel.messages.extract import extract as babel_extract

    for file in sorted(folder.rglob("*")):
        if file.suffix not in {".py", ".html", ".txt"} or any(file.is_relative_to(inner) for inner in nested):
            continue
        if "locale" in file.parts or "static" in file.parts:
            continue
        source = file.read_text()
        if file.suffix != ".py":
            source = as_python(source, str(file))
        for _line, text, _comments, context in babel_extract("python", BytesIO(source.encode()), keywords=CALLS):
            parts = text if isinstance(text, tuple) else (text,)
            if parts[0]:
                yield Message(parts[0], parts[1] if len(parts) > 1 else "", context)


def as_python(template: str, origin: str) -> str:
    """A template's translation tags as Python calls; what is between them becomes noise that still tokenizes."""
    lines = templatize(template, origin=origin).splitlines()
    return "\n".join(line.strip() for line in lines)


def read(file: Path) -> polib.POFile:
    return polib.pofile(str(file)) if file.exists() else polib.POFile()


def message(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgid_plural, entry.msgctxt)


def is_translated(entry: polib.POEntry) -> bool:
    return not entry.fuzzy and bool(entry.msgstr or (entry.msgstr_plural and all(entry.msgstr_plural.values())))


def compare(file: Path, found: set[Message]) -> list[str]:
    entries = {message(entry): entry for entry in read(file) if not entry.obsolete}
    name = file.relative_to(settings.BASE_DIR)
    return [
        *(f"{name}: missing {text.id!r}" for text in sorted(found - set(entries), key=str)),
        *(f"{name}: unused {text.id!r}" for text in sorted(set(entries) - found, key=str)),
        *(f"{name}: untranslated {text.id!r}" for text, entry in entries.items() if not is_translated(entry)),
    ]


def conflicts() -> list[str]:
    """One text, two translations: Django merges the catalogues, and the page of one app would show the other's."""
    seen: dict[Message, tuple[str, Path]] = {}
    problems = []
    for file in catalogues():
        for entry in filter(is_translated, read(file)):
            translation = entry.msgstr or str(entry.msgstr_plural)
            other, where = seen.setdefault(message(entry), (translation, file))
            if other != translation:
                problems.append(
                    f"{entry.msgid!r} is {other!r} in {where.parents[2]} and {translation!r} in {file.parents[2]}"
                )
    return problems


def update(file: Path, found: set[Message]) -> None:
    """Adds what is new, drops what is gone, keeps every translation; a steady order keeps merges small."""
    old = read(file)
    kept = {message(entry): entry for entry in old if not entry.obsolete and message(entry) in found}
    if not found and not file.exists():
        return
    fresh = polib.POFile(wrapwidth=110)
    fresh.metadata = HEADER
    for text in sorted(found, key=lambda text: (text.id, text.context or "")):
        fresh.append(kept.get(text) or new_entry(text))
    file.parent.mkdir(parents=True, exist_ok=True)
    if str(fresh) != str(old):
        fresh.save(str(file))


def new_entry(text: Message) -> polib.POEntry:
    plural = {"msgid_plural": text.plural, "msgstr_plural": {0: ""}} if text.plural else {}
    return polib.POEntry(msgid=text.id, msgctxt=text.context, msgstr="", **plural)
