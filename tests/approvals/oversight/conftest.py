"""A county whose money has left, so that something can be wrong with it."""

from datetime import date, datetime
from typing import Any

import pytest

from approvals.awards.models import Award
from approvals.disbursement.models import Batch, PaymentLine
from approvals.organisations.authority import UserActor
from approvals.people import registers
from approvals.people.crypto import blind_index
from tests.factories import (
    TERM,
    CountyFactory,
    SchoolFactory,
    VersionFactory,
    acting,
    at_step,
    head_of,
    officer_of,
    person,
    set_training_date,
)
from workflows.clock import CHINA

PAID_ON = date(2026, 9, 7)


class County:
    """One school, an auditor, and lines that were paid as they should be."""

    def __init__(self) -> None:
        set_training_date()
        self.county = CountyFactory()
        self.school = SchoolFactory()
        self.version = VersionFactory()
        self.maker = person("finance_maker", self.county)
        self.checker = person("finance_checker", self.county)
        self.approver = person("finance_approver", self.county)
        self.auditor: UserActor = acting(person("auditor", self.county))
        self.head: UserActor = acting(head_of(self.school))
        self.officer: UserActor = acting(officer_of(self.school))

    def award(self, **application: Any) -> Award:
        made = at_step("payment", **{"school": self.school, "version": self.version} | application)
        return Award.objects.get(case=made.case_id)

    def batch(self, **fields: Any) -> Batch:
        fields = {
            "state": "paid", "number": f"F{Batch.objects.count():04d}", "programme": self.version.programme,
            "term": TERM, "kind": "bank_transfer", "path": self.county.path, "maker": self.maker,
            "checker": self.checker, "approver": self.approver,
            "created_at": datetime(2026, 9, 7, 9, tzinfo=CHINA),
        } | fields  # fmt: skip
        return Batch.objects.create(**fields)

    def paid(self, award: Award | None = None, batch: Batch | None = None, **fields: Any) -> PaymentLine:
        """A line that has been paid, right in every way but for what `fields` say."""
        award = award or self.award()
        batch = batch or self.batch()
        term = award.terms.get(term=fields.get("term", TERM))
        application = award.case.application
        given = {
            "batch": batch, "number": batch.lines.count() + 1, "award": award, "case": award.case,
            "student": award.student, "school": award.school, "path": award.path, "programme": award.programme,
            "term": term.term, "kind": award.kind, "amount": term.amount, "rate": term.rate,
            "payee": award.student.name, "bank": application.bank, "account_no": application.account_no,
            "account_hash": application.account_hash, "account_tail": application.account_tail, "state": "paid",
            "paid_on": PAID_ON,
        } | fields  # fmt: skip
        line = PaymentLine.objects.create(**given)
        Batch.objects.filter(pk=batch.pk).update(
            total=sum(each.amount for each in batch.lines.exclude(state="cancelled")), line_count=batch.lines.count()
        )
        return line

    def register(self, kind: str, *students: Any, category: str = "", told: str = "{}", name: str = "") -> None:
        rows = [registers.Row(bytes(each.id_hash), category, name=name, told=told) for each in students]
        registers.load_list(kind, "某局", date(2026, 8, 31), rows or [registers.Row(blind_index("x"), category)])


@pytest.fixture
def county(db: None) -> County:
    return County()
