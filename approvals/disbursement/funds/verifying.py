"""试算: whether the ledger adds up, and says the same as the lines; names what is off."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from approvals.disbursement.funds.ledger import NOTHING
from approvals.disbursement.funds.models import BALANCES


@dataclass(frozen=True)
class Finding:
    """Something that does not agree: what, about which row, what the ledger says and what it should."""

    code: str
    about: str
    ledger: Decimal
    should: Decimal

    @property
    def message(self) -> str:
        return str(SENTENCES()[self.code] % {"about": self.about, "ledger": self.ledger, "should": self.should})


def SENTENCES() -> dict[str, str]:  # noqa: N802 read in the language of whoever asks
    return {
        "entry": _("Entry %(about)s does not add up: %(ledger)s yuan are left over."),
        "balance": _("Balance of %(about)s: %(ledger)s yuan, by its entries %(should)s."),
        "allotted": _("Allotment %(about)s: the ledger has %(ledger)s yuan, its documents give %(should)s."),
        "committed": _("Batch %(about)s: %(ledger)s yuan are committed or came back, its open lines need %(should)s."),
        "paid": _("Batch %(about)s: %(ledger)s yuan are paid or recovered, its paid lines come to %(should)s."),
        "uncommitted": _("Batch %(about)s: the ledger holds %(ledger)s yuan for it, and should hold %(should)s."),
    }


def findings(path: str = "") -> list[Finding]:
    """Everything that is off at the offices below `path`; nothing where all agrees. Set-based."""
    return [*_entries(path), *_balances(path), *_documents(path), *_batches(path)]


def _rows(sql: str, path: str) -> list[tuple[str, Decimal, Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"below": path.replace("%", "") + "%"})
        return [(str(about), ledger or NOTHING, should or NOTHING) for about, ledger, should in cursor.fetchall()]


def _entries(path: str) -> Iterator[Finding]:
    sql = """
        SELECT p.entry_id, sum(p.amount), 0 FROM disbursement_posting p
          JOIN disbursement_allotment a ON a.id = p.allotment_id AND a.path LIKE %(below)s
         GROUP BY p.entry_id, p.allotment_id HAVING sum(p.amount) <> 0 ORDER BY 1
    """
    for row in _rows(sql, path):
        yield Finding("entry", *row)


def _balances(path: str) -> Iterator[Finding]:
    for account in ("allotted", *BALANCES):
        sign = "-" if account == "allotted" else ""
        sql = f"""
            SELECT a.document || ' ({account})', b.{account}, {sign}coalesce(sum(p.amount), 0)
              FROM disbursement_balance b JOIN disbursement_allotment a ON a.id = b.allotment_id
              LEFT JOIN disbursement_posting p ON p.allotment_id = a.id AND p.account = '{account}'
             WHERE a.path LIKE %(below)s
             GROUP BY a.id, b.{account} HAVING b.{account} <> {sign}coalesce(sum(p.amount), 0) ORDER BY a.id
        """
        for row in _rows(sql, path):
            yield Finding("balance", *row)


def _documents(path: str) -> Iterator[Finding]:
    sql = """
        SELECT a.document, b.allotted, a.amount + coalesce(sum(j.amount), 0)
          FROM disbursement_allotment a LEFT JOIN disbursement_balance b ON b.allotment_id = a.id
          LEFT JOIN disbursement_adjustment j ON j.allotment_id = a.id
         WHERE a.path LIKE %(below)s
         GROUP BY a.id, b.allotted
        HAVING b.allotted IS DISTINCT FROM a.amount + coalesce(sum(j.amount), 0) ORDER BY a.id
    """
    for row in _rows(sql, path):
        yield Finding("allotted", *row)


HELD = """
    held AS (SELECT p.batch_id,
                    sum(p.amount) FILTER (WHERE p.account IN ('committed', 'returned')) AS open,
                    sum(p.amount) FILTER (WHERE p.account IN ('paid', 'recovered')) AS paid
               FROM disbursement_posting p WHERE p.batch_id IS NOT NULL GROUP BY p.batch_id)
"""
LINES = """
    lines AS (SELECT l.batch_id,
                     sum(l.amount) FILTER (WHERE l.state IN ('included', 'sent', 'failed', 'account_fix', 'bounced')
                         OR l.state = 'reissued' AND (r.state = 'held'
                             OR next.committed_at IS NULL AND next.sent_at IS NULL)) AS open,
                     sum(l.amount) FILTER (WHERE l.state IN ('paid', 'acknowledged')) AS paid
                FROM disbursement_paymentline l
                LEFT JOIN disbursement_paymentline r ON r.replaces_id = l.id
                LEFT JOIN disbursement_batch next ON next.id = r.batch_id
               GROUP BY l.batch_id)
"""


def _batches(path: str) -> Iterator[Finding]:
    """A line that is reissued is its batch's until the batch of the reissue is approved, which takes it
    over; one that is held back there stays with its batch.
    """
    for code, side in (("committed", "open"), ("paid", "paid")):
        sql = f"""
            WITH {HELD}, {LINES}
            SELECT b.number, held.{side}, lines.{side} FROM disbursement_batch b
              LEFT JOIN held ON held.batch_id = b.id LEFT JOIN lines ON lines.batch_id = b.id
             WHERE b.committed_at IS NOT NULL AND b.path LIKE %(below)s
               AND coalesce(held.{side}, 0) <> coalesce(lines.{side}, 0) ORDER BY b.id
        """
        for row in _rows(sql, path):
            yield Finding(code, *row)
    sql = f"""
        WITH {HELD} SELECT b.number, coalesce(held.open, 0) + coalesce(held.paid, 0), 0 FROM disbursement_batch b
          JOIN held ON held.batch_id = b.id
         WHERE b.committed_at IS NULL AND b.path LIKE %(below)s
           AND (coalesce(held.open, 0) <> 0 OR coalesce(held.paid, 0) <> 0) ORDER BY b.id
    """
    for row in _rows(sql, path):
        yield Finding("uncommitted", *row)
