from typing import Any

from django.core.management import CommandParser
from django.utils import translation

from approvals.disbursement.funds.models import LedgerEntry, Posting
from approvals.disbursement.funds.verifying import findings
from project.management import LANGUAGES, DoorCommand


class Command(DoorCommand):
    help = "Proves that the fund ledger adds up to nothing, entry by entry, and says what the payment lines say."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="on one line, for programs")
        parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="language of the sentences")

    def handle(self, *, json: bool, lang: str, **options: Any) -> None:
        with translation.override(LANGUAGES[lang]):
            found = findings()
            answer = {
                "ok": not found,
                "entries": LedgerEntry.objects.count(),
                "postings": Posting.objects.count(),
                "findings": [
                    {
                        "code": each.code,
                        "about": each.about,
                        "ledger": str(each.ledger),
                        "should": str(each.should),
                        "message": each.message,
                    }
                    for each in found
                ],
            }
            self.answer(answer, json)
        if found:
            raise SystemExit(1)
