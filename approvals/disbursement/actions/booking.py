"""回盘, set by set: the bank's answers laid beside the lines of a batch, checked whole, and booked (DOMAIN.md §3.5).

A hundred thousand answers are copied into a table of the session and compared by joins.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Value, When
from django.db.models.expressions import RawSQL

from approvals.awards.models import Award
from approvals.disbursement import answered
from approvals.disbursement.actions.common import move_cases, reference
from approvals.disbursement.bank import BOUNCED, FAILED, PAID, Answer
from approvals.disbursement.models import LINE_STATES, BankFile, Batch, PaymentLine
from approvals.disbursement.refusals import Refused
from approvals.organisations.authority import UserActor
from approvals.people.accounts import normalise_account
from approvals.people.crypto import blind_index
from workflows.clock import Moment
from workflows.copying import line
from workflows.machines import transition_all

_LINES = PaymentLine._meta.db_table
_OPEN = """
    CREATE TEMPORARY TABLE bank_answer (
        place int NOT NULL, number int NOT NULL, amount numeric(14, 2), account bytea, outcome text NOT NULL,
        code text NOT NULL, message text NOT NULL, line_id bigint, stood text, sent numeric(14, 2),
        differs boolean NOT NULL DEFAULT false
    ) ON COMMIT DROP
"""
_COPY = "COPY bank_answer (place, number, amount, account, outcome, code, message) FROM STDIN"
_PAIR = f"""
    UPDATE bank_answer a SET line_id = l.id, stood = l.state, sent = l.amount,
           differs = a.account IS NOT NULL AND a.account IS DISTINCT FROM l.account_hash
      FROM {_LINES} l WHERE l.batch_id = %s AND l.number = a.number AND l.state NOT IN ('cancelled', 'recovered')
"""
_TWICE = """
    SELECT number, min(place), max(place) FROM bank_answer GROUP BY number HAVING count(*) > 1
     ORDER BY max(place) LIMIT 1
"""
_STRANGE = "SELECT place, number FROM bank_answer WHERE line_id IS NULL ORDER BY place LIMIT 1"
_AMOUNT = "SELECT place, number, amount, sent FROM bank_answer WHERE amount <> sent ORDER BY place LIMIT 1"
_ACCOUNT = "SELECT place, number FROM bank_answer WHERE differs ORDER BY place LIMIT 1"
_AGREES = """
    (stood IN (outcome, 'sent') OR (stood IN ('paid', 'acknowledged') AND outcome IN ('paid', 'bounced'))
     OR (stood IN ('account_fix', 'reissued') AND outcome <> 'paid')
     OR (stood = 'bounced' AND outcome = 'paid'))
"""
_CONTRADICTS = f"""
    SELECT place, number, message, stood FROM bank_answer WHERE NOT {_AGREES} ORDER BY place LIMIT 1
"""
_UNANSWERED = f"""
    SELECT count(*), min(number) FROM {_LINES} l
     WHERE batch_id = %s AND state = 'sent'
       AND (SELECT min(a.place) FROM bank_answer a WHERE a.line_id = l.id) IS NULL
"""
_OUTCOMES = """
    SELECT CASE WHEN stood = 'sent' OR (stood IN ('paid', 'acknowledged') AND outcome = 'bounced')
                THEN outcome ELSE 'already' END,
           count(*), sum(sent), coalesce(sum(sent) FILTER (WHERE stood IN ('paid', 'acknowledged')), 0)
      FROM bank_answer GROUP BY 1
"""
_NEWS = """
    SELECT line_id FROM bank_answer
     WHERE outcome = %s AND (stood = 'sent' OR (stood IN ('paid', 'acknowledged') AND outcome = 'bounced'))
"""
_ACTS = {PAID: "pay", FAILED: "fail", BOUNCED: "bounce"}

Outcomes = dict[str, tuple[int, Decimal, Decimal]]
"""By outcome: how many lines, their money, and the part of it that an earlier answer had called paid."""


@contextmanager
def laid_out(batch: Batch, answers: Iterable[Answer]) -> Iterator[Outcomes]:
    """Lays answers beside the lines of their batch, for as long as they are booked; yields what they would change.

    Raises Refused for the first thing that does not fit: every line that waits must be answered exactly once, with
    its amount and account, and what was answered before changes only where money bounced.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        _copy(cursor, batch, answers)
        cursor.execute("CREATE INDEX ON bank_answer (number)")
        # Before the rows change: an index made after that would not be used within this transaction.
        cursor.execute("CREATE INDEX ON bank_answer (line_id)")
        cursor.execute("ANALYZE bank_answer")
        cursor.execute(_PAIR, [batch.pk])
        cursor.execute("ANALYZE bank_answer")
        _check(cursor, batch)
        cursor.execute(_OUTCOMES)
        yield {outcome: (count, total, arrived) for outcome, count, total, arrived in cursor.fetchall()}
        cursor.execute("DROP TABLE bank_answer")


_REFERENCE = re.compile(r"(.+)-([0-9]{6,9})", re.ASCII)


def _copy(cursor: Any, batch: Batch, answers: Iterable[Answer]) -> None:
    rows = (line(_row(batch, answer)) for answer in answers)
    with cursor.copy(_COPY) as stream:
        while piece := "".join(islice(rows, 500)):
            stream.write(piece)


def _row(batch: Batch, answer: Answer) -> tuple[Any, ...]:
    found = _REFERENCE.fullmatch(answer.reference)
    if found is None or found[1] != batch.number or answer.reference != reference(batch, int(found[2])):
        raise Refused("return_other_batch", line=answer.line, reference=answer.reference[:60])
    account = None if answer.account is None else blind_index(normalise_account(answer.account))
    return answer.line, int(found[2]), answer.amount, account, answer.outcome, answer.code, answer.message


def _check(cursor: Any, batch: Batch) -> None:
    def first(statement: str, *values: Any) -> Any:
        cursor.execute(statement, values or None)
        return cursor.fetchone()

    if row := first(_TWICE):
        raise Refused("return_twice", reference=reference(batch, row[0]), first=row[1], line=row[2])
    if row := first(_STRANGE):
        raise Refused("return_other_batch", line=row[0], reference=reference(batch, row[1]))
    if row := first(_AMOUNT):
        raise Refused("return_amount", line=row[0], reference=reference(batch, row[1]), given=row[2], sent=row[3])
    if row := first(_ACCOUNT):
        raise Refused("return_account", line=row[0], reference=reference(batch, row[1]))
    if row := first(_CONTRADICTS):
        stands = dict(LINE_STATES)[row[3]]
        raise Refused("return_contradicts", line=row[0], reference=reference(batch, row[1]), says=row[2], stands=stands)
    count, number = first(_UNANSWERED, batch.pk)
    if count:
        raise Refused("return_missing", count=count, reference=reference(batch, number))


def book(batch: Batch, file: BankFile, outcomes: Outcomes, by: UserActor, at: Moment) -> None:
    """Moves the lines as `laid_out` found, and the cases of those that were paid; then tells who keeps books."""
    for outcome in (PAID, FAILED, BOUNCED):
        if outcome not in outcomes:
            continue
        lines = batch.lines.filter(pk__in=RawSQL(_NEWS, [outcome]))  # noqa: S611  (a constant)
        days: dict[str, Any] = {PAID: {"paid_on": at.date}, BOUNCED: {"bounced_on": at.date}}.get(outcome, {})
        if outcome == PAID:
            gone = Exists(Award.objects.filter(pk=OuterRef("award")).exclude(state__in=["pending", "active"]))
            days["paid_after_end"] = Case(When(gone, then=Value(True)), default=F("paid_after_end"))
        transition_all(
            lines, _ACTS[outcome], answered_in=file, bank_code=_said("code"), bank_message=_said("message"), **days
        )
        booked = batch.lines.filter(answered_in=file, state=outcome)
        if outcome == PAID:
            move_cases(booked, "disbursement", "pay")
        count, total, arrived = outcomes[outcome]
        answered.tell(
            answered.Answered(outcome, batch, file, count, total, arrived if outcome == BOUNCED else Decimal(0), by, at)
        )


def _said(column: str) -> RawSQL:
    return RawSQL(f"(SELECT a.{column} FROM bank_answer a WHERE a.line_id = {_LINES}.id)", [])  # noqa: S611  (names of columns of this file)
