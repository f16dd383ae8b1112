"""A case that comes back from the re-check says so, in the queue and on its page; a roster is linked for its school."""

from datetime import date

import pytest
from django.urls import reverse

from approvals.applications.actions.matching import match_waiting
from approvals.applications.models import Hit, Roster
from approvals.organisations.authority import actor_of
from tests.approvals.review.scene import Scene, scene, signed_in, text_of
from tests.factories import TERM, at_step
from workflows import Reason, decide
from workflows.queries import open_item_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Scene:
    return scene()


def test_the_county_reviewer_sees_which_cases_were_rechecked(place: Scene) -> None:
    application = at_step("data_check", school=place.school, holder_name="李四")
    assert match_waiting() == 1
    at_step("county_review", school=place.school)

    reason = Reason("other", "已向村委会核实，情况属实。")
    assert decide([open_item_of(application.pk).pk], "approve", actor_of(place.second_reviewer), reason)[0].ok
    assert Hit.objects.get(application=application).waived_at is not None
    client = signed_in(place.county_reviewer)
    queue = client.get(reverse("review:queue"), {"step": "county_review"})
    assert text_of(queue).count("已复核") == 1
    page = client.get(reverse("review:case", args=[application.pk]))
    assert [place.status for place in page.context["file"].places if place.name == "recheck"] == ["done"]


def test_a_roster_is_a_link_only_for_who_may_open_it(place: Scene) -> None:
    roster = Roster.objects.create(
        school=place.school, path=place.school.path, programme="x", term=TERM, filename="名单.xlsx", sha256="0",
        uploaded_by=place.officer, uploaded_on=date(2026, 9, 7),
    )  # fmt: skip
    application = at_step("county_review", school=place.school, roster=roster, roster_row=3)
    address = reverse("applications:roster", args=[roster.pk])
    for reader, linked in ((place.officer, True), (place.county_reviewer, False), (place.head, False)):
        page = signed_in(reader).get(reverse("review:case", args=[application.pk])).content.decode()
        assert "名单.xlsx" in page
        assert (address in page) == linked
