"""Two persons at the same proposal about an award, and two awards that exclude each other granted at once."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals.awards import actions
from approvals.awards.actions.granting import grant
from approvals.awards.models import Award, AwardProposal
from tests.approvals.awards.conftest import WHY, Office, done, fresh
from tests.approvals.awards.test_across_terms import repayment
from tests.factories import acting, at_step, person
from workflows.models import Record

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
AtOnce = Callable[..., list[Any]]


def _award(office: Office) -> Award:
    """An active award, granted by itself: nothing listens to the engine here."""
    application = at_step("draft", school=office.school, version=office.version)
    assert grant([application.case_id]) == 1
    return Award.objects.get(case=application.case_id)


def test_two_second_persons_at_once_end_an_award_once(at_once: AtOnce) -> None:
    office = Office()
    award = _award(office)
    proposal = office.propose(award, "terminate", "dropout")
    done(actions.confirm([proposal], office.reviewer))
    seconds = [acting(person("county_second_reviewer", office.county)) for _ in range(2)]
    answers = at_once(*(lambda by=by: actions.second([proposal], by)[0] for by in seconds))
    assert sorted(answer.code for answer in answers) == ["", "not_waiting"]
    assert Record.objects.filter(about="award", about_id=award.pk, act="terminate").count() == 1
    assert fresh(award).state == "terminated"


def test_one_person_with_two_accounts_does_not_end_an_award_alone_by_being_quick(at_once: AtOnce) -> None:
    office = Office()
    award = _award(office)
    proposal = office.propose(award, "terminate", "dropout")
    twin = acting(person("county_second_reviewer", office.county, person=office.reviewer.user.person))
    at_once(
        lambda: actions.confirm([proposal], office.reviewer),
        lambda: actions.second([proposal], twin),
    )
    assert actions.second([proposal], twin)[0].code == "same_person"
    assert fresh(award).state == "active"


def test_confirmed_or_declined_but_not_both(at_once: AtOnce) -> None:
    office = Office()
    award = _award(office)
    proposal = office.propose(award, "suspend", "leave")
    other = acting(person("county_reviewer", office.county))
    answers = at_once(
        lambda: actions.confirm([proposal], office.reviewer)[0],
        lambda: actions.decline([proposal], other, WHY)[0],
    )
    assert sorted(answer.code for answer in answers) == ["", "not_waiting"]
    assert (AwardProposal.objects.get().state, fresh(award).state) in (
        ("confirmed", "suspended"), ("declined", "active"),
    )  # fmt: skip


def test_two_proposals_of_one_award_at_once_leave_one(at_once: AtOnce) -> None:
    office = Office()
    award = _award(office)

    def propose(kind: str, code: str) -> Any:
        return actions.propose([award.pk], kind, code, WHY, award.granted_at.date(), office.officer)[0]

    answers = at_once(lambda: propose("suspend", "leave"), lambda: propose("terminate", "dropout"))
    assert sorted(answer.code for answer in answers) == ["", "already_proposed"]


def test_of_two_awards_once_for_all_in_different_years_one_is_granted(at_once: AtOnce) -> None:
    office = Office()
    version = repayment()
    first = at_step("draft", school=office.school, version=version)
    second = at_step("draft", school=office.school, version=version)
    rows = first.__class__.objects.filter(pk=second.pk)
    rows.update(student=first.student_id, school_year="2027-2028", term="2027-2028-1")
    granted = at_once(lambda: grant([first.case_id]), lambda: grant([second.case_id]))
    assert sorted(granted) == [0, 1]
    assert Award.objects.filter(student=first.student_id, taken=True).count() == 1
    assert Record.objects.filter(about="case", act="not_granted").count() == 1
