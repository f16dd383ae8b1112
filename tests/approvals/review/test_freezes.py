"""冻结期: set and ended on a page, and it stops whom it is meant to stop."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.approvals.review.scene import Scene, signed_in, state_of, text_of
from tests.approvals.review.test_acts_page import item
from tests.factories import acting, at_step
from workflows import clock, decide
from workflows.models import Freeze, Record

pytestmark = pytest.mark.django_db
PAGE = "/freezes/"


def sent(scene: Scene, **changes: str) -> dict[str, str]:
    today = clock.today()
    return {
        "office": scene.township.path, "starts_on": today.isoformat(), "ends_on": (today + timedelta(7)).isoformat(),
        "text": "年终决算，暂停审批，期满恢复", **changes,
    }  # fmt: skip


def test_a_leader_sets_a_period_and_ends_it(scene: Scene) -> None:
    application = at_step("school_review", school=scene.school)
    client = signed_in(scene.leader)
    page = client.post(PAGE, sent(scene), follow=True)
    assert "年终决算" in text_of(page)
    assert [result.code for result in decide([item(application).pk], "approve", acting(scene.head))] == ["frozen"]
    freeze = Freeze.objects.get()
    assert "已解除" in text_of(client.post(f"{PAGE}{freeze.pk}/end/", follow=True))
    assert "此前已解除" in text_of(client.post(f"{PAGE}{freeze.pk}/end/", follow=True))
    assert decide([item(application).pk], "approve", acting(scene.head))[0].ok
    assert state_of(application) != "school_review"
    assert list(Record.objects.filter(about="freeze").values_list("act", flat=True)) == ["freeze", "unfreeze"]


def test_leaders_may_be_left_free(scene: Scene) -> None:
    waiting = at_step("pending_approval", school=scene.school)
    other = at_step("school_review", school=scene.school)
    client = signed_in(scene.leader)
    client.post(PAGE, sent(scene, office=scene.county.path, leaders="on"))
    assert decide([item(waiting).pk], "approve", acting(scene.leader))[0].ok
    assert decide([item(other).pk], "approve", acting(scene.head))[0].code == "frozen"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ends_on": "2026-09-01"}, "早于"),
        ({"starts_on": "2026-09-01", "ends_on": "2026-09-02"}, "已经过去"),
        ({"text": "决算"}, "10"),
        ({"office": "zzzz"}, ""),
        ({"starts_on": "明天"}, "日期"),
    ],
)
def test_a_period_that_makes_no_sense_is_told_and_nothing_set(scene: Scene, changes: dict[str, str], said: str) -> None:
    page = signed_in(scene.leader).post(PAGE, sent(scene, **changes))
    assert page.status_code == 422
    assert said in text_of(page)
    assert not Freeze.objects.exists()


def test_who_may_not_set_one_reads_or_is_refused(scene: Scene) -> None:
    signed_in(scene.leader).post(PAGE, sent(scene))
    auditor = signed_in(scene.auditor)
    assert "年终决算" in text_of(auditor.get(PAGE))
    assert auditor.get(PAGE).context["form"] is None
    auditor.post(PAGE, sent(scene, text="审计员不得设置冻结期的例子"))
    assert Freeze.objects.count() == 1
    assert auditor.post(f"{PAGE}{Freeze.objects.get().pk}/end/").status_code == 403
    for user in (scene.head, scene.officer, scene.administrator):
        assert signed_in(user).get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302
