"""What other tests stand on must itself be valid."""

import pytest

from approvals.people.identity import id_problem
from approvals.programmes.definition import Definition
from tests.factories import (
    FIRST_DAY,
    ApplicationFactory,
    CountySchoolFactory,
    StudentFactory,
    at_step,
    definition,
    id_number,
)
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db


def test_pupils_have_valid_id_numbers_of_nobody() -> None:
    pupils = StudentFactory.create_batch(5)
    assert {id_problem(pupil.id_number, FIRST_DAY) for pupil in pupils} == {None}
    assert {pupil.id_number[:6] for pupil in pupils} == {"130499"}
    assert len({pupil.id_number for pupil in pupils}) == 5


def test_id_numbers_carry_their_check_digit() -> None:
    assert id_problem(id_number(FIRST_DAY.replace(year=2012), 7), FIRST_DAY) is None


def test_the_programme_is_one_that_could_be_loaded() -> None:
    assert Definition.model_validate(definition()).steps[0] == "school_notice"


def test_an_application_is_a_draft_at_its_school() -> None:
    application = ApplicationFactory()
    assert application.case.state == "draft"
    assert application.case.path == application.school.path
    assert open_item_of(application.case_id).flow_task.name == "draft"


@pytest.mark.parametrize("step", ["school_review", "township_review", "county_review", "pending_approval", "payment"])
def test_a_case_can_be_taken_to_any_step(step: str) -> None:
    assert open_item_of(at_step(step).case_id).flow_task.name == step


def test_a_county_direct_school_has_no_township_review() -> None:
    application = at_step("county_review", school=CountySchoolFactory(stages=["primary"]))
    assert "township_review" not in application.case.steps
