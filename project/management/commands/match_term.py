from typing import Any

from django.core.management import CommandParser
from django.utils import translation

from approvals.applications import register_queries as queries
from approvals.applications.actions import match_waiting
from approvals.applications.actions.match_runs import ask_by_system, finish
from approvals.programmes.terms import UnknownTerm
from project.management import LANGUAGES, DoorCommand


class Command(DoorCommand):
    help = "Matches all applications of a term against the current lists again and says what was found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("term", help="2026-2027-1, or 2026年秋季学期")
        parser.add_argument("--json", action="store_true", help="on one line, for programs")
        parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="language of the names")

    def handle(self, *, term: str, lang: str, json: bool, **options: Any) -> None:
        with translation.override(LANGUAGES[lang]):
            try:
                run = finish(ask_by_system(term))
            except UnknownTerm as unknown:
                self.answer({"error": unknown.message, "code": unknown.code}, json)
                raise SystemExit(2) from None
            while match_waiting():
                pass
            answer = {
                "term": run.term,
                "state": run.state,
                "applications": run.done,
                "lists": {each.kind: each.as_of.isoformat() for each in queries.lists_of(run)},
                "hits": [
                    {"source": line.source, "code": line.code, "title": line.title, "weight": line.weight}
                    | {what: line.counts.get(what, 0) for what in ("new", "again", "kept", "waived", "gone")}
                    for line in queries.lines(run)
                ],
                "cases": {state: count for state, _name, count in queries.standing(run.term)},
            }
        self.answer(answer, json)
        if run.state != "done":
            raise SystemExit(1)
