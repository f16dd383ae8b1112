"""A recusal bars from the case it is of, and from no other."""

import pytest

from tests.cases import HEAD, act, standing
from workflows.actors import SYSTEM
from workflows.acts import recuse

pytestmark = pytest.mark.django_db


def test_who_is_recused_from_one_case_decides_every_other() -> None:
    barred, other = standing("school_review"), standing("school_review")
    recuse([(barred, HEAD.key)], "declared", SYSTEM)
    assert act(barred, "approve", HEAD).code == "recused_declared"
    assert act(other, "approve", HEAD).ok
