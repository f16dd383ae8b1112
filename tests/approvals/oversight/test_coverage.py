"""应助尽助: each registered pupil is aided, on the way, refused, has a reason, or is unexplained."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from approvals.organisations.models import Organisation
from approvals.oversight import actions, coverage
from approvals.oversight.models import CoverageReason
from approvals.oversight.refusals import Refused
from tests.approvals.oversight.conftest import County
from tests.factories import (
    TERM,
    ApplicationFactory,
    SchoolFactory,
    StudentFactory,
    acting,
    at_step,
    head_of,
    officer_of,
)
from workflows.models import Case

WHY = "家长书面声明本学期不申请资助。"


@pytest.fixture
def pupils(county: County) -> dict[str, Any]:
    made = {
        "aided": county.award().student,
        "on_the_way": at_step("school_review", school=county.school, version=county.version).student,
        "unexplained": StudentFactory(school=county.school),
        "reason": StudentFactory(school=county.school),
    }
    refused = ApplicationFactory(school=county.school, version=county.version)
    type(refused).objects.filter(pk=refused.pk).update(live=False)
    Case.objects.filter(pk=refused.pk).update(state="rejected")
    made["refused"] = refused.student
    county.register("poor_households", *made.values(), category="dibao")
    StudentFactory(school=county.school)  # on no register
    actions.explain_pupil(made["reason"].pk, TERM, "not_applying", WHY, county.officer)
    return made


def test_each_stands_where_the_books_say(county: County, pupils: dict[str, Any]) -> None:
    assert {name: coverage.standing_of(pupil.pk, TERM) for name, pupil in pupils.items()} == {
        name: name for name in pupils
    }
    top = coverage.counts(TERM, [county.county.path], {}, Organisation.steplen)
    assert top.counts == dict.fromkeys(coverage.Standing.values, 1)
    assert (top.aided_share, top.settled_share) == ("20.0%", "60.0%")
    assert [school.name for township in top.schools for school in township.schools] == [county.school.name]
    assert sum(width for _standing, _left, width in top.bar) == pytest.approx(100)
    [found] = coverage.pupils(TERM, [county.county.path], "unexplained")
    assert (found.id, found.categories) == (pupils["unexplained"].pk, ["dibao"])
    assert coverage.pupils(TERM, [SchoolFactory().path], "") == []


def test_a_reason_is_replaced_and_the_earlier_one_kept(county: County, pupils: dict[str, Any]) -> None:
    pupil = pupils["reason"]
    actions.explain_pupil(pupil.pk, TERM, "left", "学生已随父母转往外省就读。", county.officer)
    assert list(CoverageReason.objects.order_by("pk").values_list("code", "ended_at")) == [
        ("not_applying", CoverageReason.objects.order_by("pk").first().ended_at), ("left", None),
    ]  # fmt: skip
    assert coverage.standing_of(pupil.pk, "2026-2027-2") == "unexplained"


@pytest.mark.parametrize(
    ("who", "given", "code"),
    [
        ("aided", ("left", WHY), "not_unexplained"),
        ("on_the_way", ("left", WHY), "not_unexplained"),
        ("unexplained", ("left", "走了"), "reason_too_short"),
        ("unexplained", ("left", "长" * 1001), "reason_too_long"),
        ("unexplained", ("nonsense", WHY), "reason_unknown"),
    ],
)
def test_a_reason_that_will_not_do_is_refused(
    county: County, pupils: dict[str, Any], who: str, given: tuple[str, str], code: str
) -> None:
    with pytest.raises(Refused) as refused, transaction.atomic():
        actions.explain_pupil(pupils[who].pk, TERM, *given, county.officer)
    assert refused.value.code == code
    assert str(refused.value)


def test_only_the_school_and_the_county_record_reasons(county: County, pupils: dict[str, Any]) -> None:
    pupil = pupils["unexplained"].pk
    for by in (county.head, county.auditor, acting(officer_of(SchoolFactory())), acting(head_of(county.school))):
        with pytest.raises(PermissionDenied):
            actions.explain_pupil(pupil, TERM, "left", WHY, by)
