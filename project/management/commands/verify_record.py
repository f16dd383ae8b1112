import argparse
from datetime import datetime, time
from pathlib import Path
from typing import Any

from django.core.management import CommandParser
from django.utils import translation
from django.utils.dateparse import parse_date, parse_datetime

from approvals.notices.archive.verifying import verify_archives
from approvals.notices.proofs import verify_notices
from project.management import LANGUAGES, DoorCommand
from workflows.clock import CHINA
from workflows.seal.verifying import verify


def moment(text: str) -> datetime:
    try:
        found = parse_datetime(text) if "T" in text or " " in text else None
        day = None if found else parse_date(text)
    except ValueError:
        found = day = None
    if found is None and day is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2026-09-07 or 2026-09-07T08:00")
    found = found or datetime.combine(day, time())
    return found if found.tzinfo else found.replace(tzinfo=CHINA)


class Command(DoorCommand):
    help = "Proves that the record is what was sealed: every line, every tree head, every published notice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=moment, help="read only lines written from this day on; all leaves still")
        parser.add_argument(
            "--head", type=Path, action="append", default=[], help="a tree head kept outside; shows a forked log"
        )
        parser.add_argument("--json", action="store_true", help="on one line, for programs")
        parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="language of the sentences")

    def handle(self, *, since: datetime | None, head: list[Path], json: bool, lang: str, **options: Any) -> None:
        with translation.override(LANGUAGES[lang]):
            report = verify(since, [file.read_text() for file in head])
            notices = verify_notices(report)
            kept = verify_archives(report)
            answer = {
                "ok": report.ok,
                "lines": report.lines,
                "leaves": report.leaves,
                "heads": report.heads,
                "notices": notices,
                "kept": kept,
                "findings": [{"code": each.code, **each.values, "message": each.message} for each in report.findings],
            }
            self.answer(answer, json)
        if not report.ok:
            raise SystemExit(1)
