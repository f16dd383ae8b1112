"""What people do with open tasks besides deciding: each act allowed, forbidden, on many with a mixed answer."""

from datetime import date
from typing import Any

import pytest

from tests.cases import (
    COUNTY,
    HEAD,
    OFFICER,
    SCHOOL_PATH,
    WHY,
    act,
    item_of,
    opened,
    stand,
    standing,
    state_of,
    step_of,
)
from workflows import Reason, decide
from workflows.actors import SYSTEM, LiteralActor
from workflows.acts import (
    AddSigners,
    Claim,
    Comment,
    CopyTo,
    Release,
    RemoveSigner,
    Resume,
    StepAside,
    Suspend,
    TakeOver,
    Transfer,
    Unsign,
    Urge,
    claim_next,
    looking,
    perform,
    recuse,
)  # fmt: skip
from workflows.models import ActingLevel, Case, Record, Signer, WorkItem
from workflows.panels import seated_by

pytestmark = pytest.mark.django_db

SEES = {"view_case": [""]}


def reviewer(key: str, *permissions: str) -> LiteralActor:
    return LiteralActor(key, key.upper(), SEES | {name: [""] for name in permissions})


ONE, TWO, THREE = (reviewer(key, "review_county") for key in ("one", "two", "three"))
GUEST = LiteralActor("guest", "GUEST", SEES)


def codes(results: list[Any]) -> list[str]:
    return [result.code for result in results]


def code(case: int, doing: Any, by: Any, reason: Reason | None = None) -> str:
    return perform(doing, [item_of(case)], by, reason)[0].code


def test_what_one_has_claimed_no_other_decides_until_it_is_taken_over() -> None:
    case = standing("county_review")
    assert code(case, Claim(), ONE) == "ok"
    assert code(case, Claim(), TWO) == "held"
    refused = act(case, "approve", TWO)
    assert (refused.code, "ONE" in refused.message) == ("held", True)
    assert code(case, TakeOver(), TWO, Reason("away")) == "ok"
    assert act(case, "approve", ONE).code == "held"
    assert act(case, "approve", TWO).ok
    assert list(Record.objects.filter(about_id=case, act__in=["claim", "take_over"]).values_list("act", "actor")) == [
        ("claim", "one"), ("take_over", "two"),
    ]  # fmt: skip


def test_acts_on_many_answer_each() -> None:
    free, held, ended = standing("county_review"), standing("county_review"), standing("county_review")
    items = [item_of(case) for case in (free, held, ended)]
    perform(Claim(), [items[1]], TWO)
    act(ended, "reject", THREE)
    assert codes(perform(Claim(), [*items, 10**9], ONE)) == ["ok", "held", "closed", "not_found"]
    assert codes(perform(Release(), items[:2], ONE)) == ["ok", "not_yours"]
    assert codes(perform(Claim(), [items[0]], GUEST)) == ["not_permitted"]


def test_a_task_is_handed_on_to_who_may_decide_it() -> None:
    case = standing("county_review")
    assert code(case, Transfer(GUEST), ONE) == "they_not_permitted"
    recuse([(case, "three")], "declared", SYSTEM)
    assert code(case, Transfer(THREE), ONE) == "they_barred"
    assert code(case, Transfer(TWO), ONE, Reason("knows_more")) == "ok"
    assert act(case, "approve", ONE).code == "held"
    assert act(case, "approve", TWO).ok


def test_the_next_one_for_me_is_another_for_everybody() -> None:
    items = [item_of(standing("county_review")) for _ in range(3)]
    taken = [claim_next(items, by) for by in (ONE, TWO, THREE)]
    assert [result.task_id for result in taken if result] == items
    assert claim_next(items, reviewer("four", "review_county")) is None


def test_who_is_recused_judges_nothing_and_the_database_holds_it() -> None:
    case = standing("county_review")
    assert recuse([(case, "one"), (case, "one")], "declared", SYSTEM) == 1
    assert act(case, "approve", ONE).code == "recused_declared"
    assert code(case, Claim(), ONE) == "recused_declared"
    assert act(case, "approve", TWO).ok


def test_stepping_aside_frees_what_one_held() -> None:
    case = standing("county_review")
    perform(Claim(), [item_of(case)], ONE)
    assert code(case, StepAside(), ONE) == "reason_required"
    assert code(case, StepAside(), ONE, Reason("kin", "申请人是本人的侄子，申请回避")) == "ok"
    assert WorkItem.objects.get(pk=item_of(case)).holder == ""
    assert act(case, "approve", ONE).code == "recused_declared"


def test_added_signers_must_approve_before_the_step_does() -> None:
    case = standing("county_review")
    assert code(case, AddSigners([GUEST]), ONE, Reason("knows_more")) == "ok"
    assert code(case, AddSigners([GUEST]), ONE) == "already_signer"
    first = act(case, "approve", ONE)
    assert (first.ok, first.code, step_of(case)) == (True, "signed", "county_review")
    assert act(case, "approve", ONE).code == "already_signed"
    assert act(case, "approve", GUEST).code == "ok"
    assert step_of(case) == "data_check"
    assert set(ActingLevel.objects.filter(case=case, level="county").values_list("person", flat=True)) == {
        "one",
        "guest",
    }


def test_an_added_signer_who_disagrees_stops_approval_only() -> None:
    case = standing("county_review")
    perform(AddSigners([GUEST]), [item_of(case)], ONE)
    assert act(case, "reject", GUEST).code == "signed"
    assert act(case, "approve", ONE).code == "signer_disagrees"
    assert code(case, RemoveSigner(GUEST), ONE, Reason("not_needed", "意见已另行说明，不再需要签署")) == "ok"
    assert act(case, "approve", ONE).code == "ok"


def test_taking_off_the_last_one_waited_for_lets_the_last_signature_be_given_again() -> None:
    case = standing("county_review")
    perform(AddSigners([GUEST]), [item_of(case)], ONE)
    act(case, "approve", ONE)
    assert code(case, RemoveSigner(GUEST), TWO, Reason("not_needed", "意见已另行说明，不再需要签署")) == "ok"
    assert step_of(case) == "county_review"
    assert act(case, "approve", ONE).code == "ok"


def test_a_suspended_case_stands_still_and_its_deadline_with_it() -> None:
    keeper = reviewer("keeper", "suspend_case")
    case = standing("county_review", limits={"county_review": 5})
    before = WorkItem.objects.get(pk=item_of(case)).due_on
    why = Reason("under_inquiry", "家庭情况正在入户核实之中")
    assert code(case, Suspend(), ONE, why) == "not_permitted"
    assert code(case, Suspend(), keeper, why) == "ok"
    assert act(case, "approve", ONE).code == "suspended"
    assert code(case, Suspend(), keeper, why) == "suspended"
    Case.objects.filter(pk=case).update(suspended_on=date(2020, 1, 1))
    assert code(case, Resume(), keeper, Reason("inquiry_over", "核实结束，情况属实，恢复审核")) == "ok"
    assert WorkItem.objects.get(pk=item_of(case)).due_on > before
    assert act(case, "approve", ONE).ok


def test_urging_is_limited() -> None:
    case = standing("county_review")
    asker = LiteralActor("asker", "A", {"urge_case": [SCHOOL_PATH]})
    assert code(case, Urge(), asker) == "ok"
    assert code(case, Urge(), asker) == "urged_today"
    assert code(case, Urge(), GUEST) == "not_permitted"


def test_comments_and_copies_are_for_who_may_see_the_case() -> None:
    case = standing("county_review")
    assert code(case, Comment(), GUEST, None) == "ok"
    assert code(case, CopyTo([LiteralActor("x", "X")]), GUEST) == "they_not_permitted"
    assert code(case, CopyTo([ONE, TWO]), GUEST) == "ok"
    assert looking(case, ONE) == []
    assert looking(case, TWO) == ["ONE"]


# ---------------------------------------------------------------- returns and taking back


def test_a_review_may_return_to_an_earlier_one_which_sends_it_straight_back() -> None:
    case = standing("county_review")
    assert act(case, "return", ONE, data={"to": "township_review"}).ok
    assert (step_of(case), state_of(case)) == ("township_review", "township_review")
    township = LiteralActor("township", "T", {"review_township": [""]})
    assert act(case, "approve", township).ok
    assert step_of(case) == "county_review"
    assert [line.act for line in Record.objects.filter(about_id=case).order_by("-id")[:2]] == ["pass_back", "return"]
    assert act(case, "approve", ONE).ok
    assert step_of(case) == "data_check", "what was to come back has come back"


def test_a_later_step_is_no_place_to_return_to() -> None:
    case = standing("township_review")
    township = LiteralActor("township", "T", {"review_township": [""]})
    assert act(case, "return", township, data={"to": "county_review"}).code == "wrong_state"


def test_a_programme_may_have_everything_judged_again() -> None:
    case = stand(opened(1, returns="all")[0], "county_review")
    act(case, "return", ONE)
    assert act(case, "resubmit", OFFICER).ok
    assert step_of(case) == "school_review"
    case = stand(opened(1, returns="all")[0], "county_review")
    act(case, "return", ONE, data={"to": "school_review"})
    assert act(case, "approve", HEAD).ok
    assert step_of(case) == "school_notice"


def test_a_decision_is_taken_back_while_nobody_has_acted_on_it() -> None:
    case = standing("school_review")
    act(case, "approve", HEAD)
    assert step_of(case) == "school_notice"
    assert act(case, "take_back", ONE).code == "not_your_decision"
    assert act(case, "take_back", HEAD).ok
    assert (step_of(case), state_of(case)) == ("school_review", "school_review")
    assert act(case, "take_back", HEAD).code == "not_your_decision", "what was taken back is not taken back again"


def test_a_decision_is_taken_back_over_what_the_system_did_since() -> None:
    case = standing("pending_approval")
    by = reviewer("county", "review_county")
    assert act(case, "take_back", by).ok
    assert step_of(case) == "county_review"
    assert act(case, "approve", by).ok
    assert step_of(case) == "data_check", "the data match is not passed over"


def test_a_submission_is_taken_back_until_it_is_opened() -> None:
    case = standing("school_review")
    assert act(case, "take_back", OFFICER).ok
    assert step_of(case) == "draft"
    act(case, "submit", OFFICER)
    WorkItem.objects.filter(pk=item_of(case)).update(opened_at="2026-09-07T00:00:00Z")
    assert act(case, "take_back", OFFICER).code == "opened_meanwhile"


def test_a_resubmission_taken_back_comes_back_to_who_returned_it() -> None:
    case = standing("county_review")
    act(case, "return", ONE)
    act(case, "resubmit", OFFICER)
    assert act(case, "take_back", OFFICER).ok
    assert step_of(case) == "correction"
    assert act(case, "resubmit", OFFICER).ok
    assert step_of(case) == "county_review"


# ---------------------------------------------------------------- panels

MEMBERS = [reviewer(key, "sit") for key in ("m1", "m2", "m3")]


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows import panels

    monkeypatch.setattr(panels, "_members", [])

    @seated_by
    def members(permission: str, paths: Any) -> Any:
        assert permission == "sit"
        return {path: [(member.key, member.name) for member in MEMBERS] for path in paths}


def before_panel(mode: str, **also: Any) -> int:
    """A case that waits for a panel at the county's review."""
    spec = {"panels": {"county_review": {"mode": mode, "of": "sit"} | also}}
    return stand(opened(1, **spec)[0], "county_review")


def votes(case: int, *outcomes: str) -> list[str]:
    return [act(case, outcome, member).code for member, outcome in zip(MEMBERS, outcomes, strict=False)]


@pytest.mark.usefixtures("panel")
@pytest.mark.parametrize(
    ("mode", "also", "outcomes", "told", "then"),
    [
        ("all", {}, ["approve", "approve", "approve"], ["signed", "signed", "ok"], "data_check"),
        ("all", {}, ["approve", "return"], ["signed", "ok"], "correction"),
        ("any", {}, ["approve"], ["ok"], "data_check"),
        ("any", {}, ["reject"], ["ok"], ""),
        ("share", {"share": 67}, ["approve", "approve", "approve"], ["signed", "signed", "ok"], "data_check"),
        ("share", {"share": 66}, ["approve", "approve"], ["signed", "ok"], "data_check"),
        ("share", {"share": 66}, ["reject", "approve", "approve"], ["signed", "signed", "ok"], "data_check"),
        ("share", {"share": 67}, ["return"], ["ok"], "correction"),
        ("share", {"share": 50, "quorum": 4}, ["approve"], ["panel_too_small"], "county_review"),
    ],
)
def test_how_a_panel_decides(mode: str, also: dict[str, int], outcomes: list[str], told: list[str], then: str) -> None:
    case = before_panel(mode, **also)
    assert votes(case, *outcomes) == told
    assert step_of(case) == then


@pytest.mark.usefixtures("panel")
def test_only_members_sign_once_each_and_take_back_their_own() -> None:
    case = before_panel("all")
    assert act(case, "approve", COUNTY).code == "not_signer"
    assert votes(case, "approve") == ["signed"]
    assert act(case, "reject", MEMBERS[0]).code == "already_signed"
    assert code(case, Unsign(), MEMBERS[1]) == "not_your_decision"
    assert code(case, Unsign(), MEMBERS[0]) == "ok"
    assert votes(case, "approve", "approve", "approve")[-1] == "ok"


@pytest.mark.usefixtures("panel")
def test_a_joint_decision_comes_back_as_a_whole() -> None:
    case = before_panel("all")
    assert votes(case, "approve", "return") == ["signed", "ok"]
    act(case, "resubmit", OFFICER)
    assert step_of(case) == "county_review"
    seats = Signer.objects.filter(item=item_of(case), ended_at=None)
    assert {(seat.person, seat.vote) for seat in seats} == {("m1", ""), ("m2", ""), ("m3", "")}


def test_an_empty_panel_passes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows import panels

    monkeypatch.setattr(panels, "_members", [lambda permission, paths: {}])
    case = before_panel("all")
    assert {act(case, "approve", by).code for by in (COUNTY, MEMBERS[0])} == {"panel_empty", "not_permitted"}
    assert step_of(case) == "county_review"


def test_a_freeze_stops_people_and_not_the_system() -> None:
    from workflows.acts import end_freeze, set_freeze

    chief = LiteralActor("chief", "C", {"set_freeze": [""]})
    case, other, waiting = standing("county_review"), standing("county_review"), standing("data_check")
    freeze = set_freeze(
        "0001", date(2000, 1, 1), date(2100, 1, 1), "年终决算期间暂停审核", chief, open_to="act_in_freeze"
    )
    refused = act(case, "approve", ONE)
    assert (refused.code, "2100-01-01" in refused.message) == ("frozen", True)
    assert decide([item_of(waiting)], "clear", SYSTEM)[0].ok
    assert act(case, "approve", reviewer("keyholder", "review_county", "act_in_freeze")).ok
    end_freeze(freeze.pk, chief)
    assert act(other, "approve", ONE, reason=WHY.get("approve")).ok
