"""A county with those who have a hand in awards, two schools, and pupils whose applications were approved."""

from datetime import date
from typing import Any

import pytest

from approvals.awards import actions
from approvals.awards.models import Award, AwardProposal
from approvals.disbursement import actions as payments
from approvals.disbursement.models import Batch, PaymentLine
from approvals.organisations.proposals import Answer
from tests.factories import (
    FIRST_DAY,
    TERM,
    CountyFactory,
    SchoolFactory,
    StudentFactory,
    VersionFactory,
    acting,
    at_step,
    officer_of,
    person,
    set_training_date,
)
from workflows.models import CalendarYear, TrainingClock

WHY = "家长来校办理手续，材料齐全属实。"


class Office:
    """Who acts on awards, at two schools of one county."""

    def __init__(self) -> None:
        set_training_date()
        CalendarYear.objects.get_or_create(year=FIRST_DAY.year, defaults={"source": "示例"})
        self.county = CountyFactory()
        self.school, self.other = SchoolFactory(), SchoolFactory()
        self.officer, self.receiver = acting(officer_of(self.school)), acting(officer_of(self.other))
        self.reviewer = acting(person("county_reviewer", self.county))
        self.second = acting(person("county_second_reviewer", self.county))
        self.auditor = acting(person("auditor", self.county))
        self.maker = acting(person("finance_maker", self.county))
        self.version = VersionFactory()

    def award(self, version: Any = None, **application: Any) -> Award:
        """An award of the school, active."""
        made = at_step("payment", school=self.school, version=version or self.version, **application)
        return Award.objects.get(case=made.case_id)

    def pupil(self) -> Any:
        return StudentFactory(school=self.school)

    def today(self, day: date) -> None:
        TrainingClock.objects.update(date=day)

    # ------------------------------------------------ changes

    def propose(self, award: Award, kind: str, code: str, on: date = FIRST_DAY, by: Any = None, **goal: Any) -> int:
        """The key of a proposal just made."""
        [answer] = actions.propose([award.pk], kind, code, WHY, on, by or self.officer, **goal)
        assert answer.ok, answer
        return int(AwardProposal.objects.latest("pk").pk)

    def suspended(self, award: Award, on: date = FIRST_DAY, code: str = "leave") -> Award:
        done(actions.confirm([self.propose(award, "suspend", code, on)], self.reviewer))
        return fresh(award)

    def resumed(self, award: Award, on: date) -> Award:
        done(actions.confirm([self.propose(award, "resume", "return", on)], self.reviewer))
        return fresh(award)

    def terminated(self, award: Award, on: date = FIRST_DAY, code: str = "dropout") -> Award:
        proposal = self.propose(award, "terminate", code, on)
        done(actions.confirm([proposal], self.reviewer))
        done(actions.second([proposal], self.second))
        return fresh(award)

    # ------------------------------------------------ money

    def batch(self, term: str = TERM, version: Any = None) -> Batch:
        return payments.make_batch((version or self.version).programme, term, self.maker, self.county.path)

    def pay(self, term: str = TERM, version: Any = None) -> Batch:
        """Everything that can be paid for a term in one batch, and its money arrived."""
        batch = self.batch(term, version)
        PaymentLine.objects.filter(batch=batch).update(state="paid", paid_on=FIRST_DAY)
        return batch


def fresh(award: Award) -> Award:
    return Award.objects.get(pk=award.pk)


def done(answers: list[Answer]) -> None:
    """Every one was done."""
    assert answers
    assert all(answer.ok for answer in answers), answers


def code(answers: list[Answer]) -> str:
    """The refusal of the only one."""
    [answer] = answers
    assert answer.refused or answer.ok
    return answer.code


@pytest.fixture
def office() -> Office:
    return Office()
