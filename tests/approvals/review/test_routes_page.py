"""The versions of the route side by side; cases of a changed programme begin on the new one, the others go on."""

import pytest

from approvals.applications.models import Application
from tests.approvals.review.scene import Scene, signed_in, text_of
from tests.factories import at_step

pytestmark = pytest.mark.django_db


def test_what_differs_is_marked_and_open_cases_are_counted(scene: Scene) -> None:
    at_step("school_review", school=scene.school)
    page = signed_in(scene.auditor).get("/routes/")
    rows = {row["step"]: row["differs"] for row in page.context["rows"]}
    assert (rows["class_review"], rows["acceptance"], rows["county_review"]) == (True, True, False)
    assert [(head["name"], head["open"]) for head in page.context["versions"]] == [("aid", 1), ("aid_2027", 0)]
    assert "班级评议" in text_of(page)


@pytest.mark.parametrize(("form", "content"), [("svg", "image/svg+xml"), ("bpmn", "application/xml")])
def test_each_version_can_be_had_as_a_file(scene: Scene, form: str, content: str) -> None:
    client = signed_in(scene.auditor)
    found = {name: client.get(f"/routes/{name}.{form}") for name in ("aid", "aid_2027")}
    assert {each["Content-Type"] for each in found.values()} == {content}
    assert b"class_review" in found["aid_2027"].content or "班级评议".encode() in found["aid_2027"].content
    assert found["aid"].content != found["aid_2027"].content
    assert client.get(f"/routes/unknown.{form}").status_code == 404
    assert client.get("/routes/aid.pdf").status_code == 404


def test_only_for_who_works_here(scene: Scene) -> None:
    assert signed_in(scene.head).get("/routes/").status_code == 200
    assert Application.objects.count() == 0
