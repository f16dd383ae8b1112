"""The one filter by office path."""

import pytest

from approvals.organisations.models import Organisation
from approvals.organisations.queries import below
from tests.factories import SchoolFactory

pytestmark = pytest.mark.django_db


def test_everything_at_or_below_the_offices_and_nothing_for_none() -> None:
    school = SchoolFactory()
    other = SchoolFactory()
    county = Organisation.objects.get(depth=1)
    assert list(Organisation.objects.filter(below([school.path]))) == [school]
    assert set(Organisation.objects.filter(below([county.path, school.path]))) >= {county, school, other}
    assert not Organisation.objects.filter(below([])).exists()


def test_nested_offices_fold_into_one() -> None:
    assert below(["00010002", "0001", "00010003"]) == below(["0001"])
    assert below(["0001"], "case__path") != below(["0001"])
