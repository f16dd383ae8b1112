"""Kin of the staff: declared or found, they are kept from judging before anybody can, for one case or many."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.applications import recusals
from approvals.organisations.authority import actor_of
from approvals.people import kin
from approvals.people.crypto import blind_index
from approvals.people.models import Guardian, Household, Kinship
from tests.approvals.review.scene import Scene, signed_in, text_of
from tests.factories import at_step, id_number
from workflows import decide
from workflows.models import Recusal, WorkItem

pytestmark = pytest.mark.django_db

UNCLE = id_number(date(1985, 7, 4), 31)


def head_decides(scene: Scene, application: Any) -> str:
    item = WorkItem.objects.get(process_id=application.pk, finished=None)
    return decide([item.pk], "approve", actor_of(scene.head))[0].code


def test_a_declared_relative_is_kept_from_the_reviewer_from_submission_on(scene: Scene) -> None:
    kin.declare(actor_of(scene.head), UNCLE, "direct")
    application = at_step("draft", school=scene.school)
    Guardian.objects.create(student=application.student, name="王大山", id_hash=blind_index(UNCLE))
    item = WorkItem.objects.get(process_id=application.pk, finished=None)
    assert decide([item.pk], "submit", actor_of(scene.officer))[0].ok
    assert head_decides(scene, application) == "recused_kin_declared"


def test_declaring_reaches_cases_that_wait_already_and_says_so_on_the_case(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    page = signed_in(scene.head).post(
        "/kin/", {"relation": "direct", "id_number": str(application.student.id_number)}, follow=True
    )
    assert "认定回避1件" in text_of(page)
    assert "您已将该生或其监护人申报为亲属" in text_of(signed_in(scene.head).get(f"/cases/{application.pk}/"))
    assert head_decides(scene, application) == "recused_kin_declared"


def test_a_guardian_on_the_staff_judges_no_child_of_the_household(scene: Scene) -> None:
    home = Household.objects.create(number="H1", size=5)
    child, cousin = at_step("school_review", school=scene.school), at_step("school_review", school=scene.school)
    for each in (child, cousin):
        each.student.household = home
        each.student.save()
    Guardian.objects.create(student=child.student, name=str(scene.head), id_hash=blind_index(UNCLE))
    signed_in(scene.head).post("/kin/", {"relation": "own", "id_number": UNCLE})
    assert {head_decides(scene, each) for each in (child, cousin)} == {"recused_kin_household"}


def test_a_declaration_taken_back_leaves_its_recusals_and_makes_no_new_ones(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    kin.declare(actor_of(scene.head), str(application.student.id_number), "in_law")
    recusals.find([application.pk])
    signed_in(scene.head).post(f"/kin/{Kinship.objects.get().pk}/end/")
    assert Recusal.objects.count() == 1
    assert recusals.find([application.pk]) == 0
    other = Kinship.objects.create(person=scene.officer.person, id_hash=b"x" * 32, id_tail="0000", relation="other")
    signed_in(scene.head).post(f"/kin/{other.pk}/end/")
    assert Kinship.objects.filter(ended_at=None).get() == other, "nobody ends another's declaration"


def test_a_wrong_number_is_refused_in_words_and_none_is_kept(scene: Scene) -> None:
    page = signed_in(scene.head).post("/kin/", {"relation": "direct", "id_number": UNCLE[:-1] + "#"})
    assert page.status_code == 422
    assert not Kinship.objects.exists()
    signed_in(scene.head).post("/kin/", {"relation": "direct", "id_number": UNCLE})
    assert bytes(Kinship.objects.get().id_hash) == blind_index(UNCLE)


def test_finding_takes_the_same_statements_for_many(scene: Scene) -> None:
    def statements(count: int) -> int:
        cases = [at_step("school_review", school=scene.school).pk for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            recusals.find(cases)
        return len(captured)

    assert statements(1) == statements(5)
