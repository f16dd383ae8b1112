"""Acts that meet on one task: signing what a colleague holds, recusal amid a panel, taking back together."""

from datetime import date
from typing import Any

import pytest

from tests.cases import COUNTY_PATH, HEAD, OFFICER, SCHOOL_PATH, act, item_of, opened, stand, standing, step_of
from workflows import Reason, decide, panels
from workflows.actors import SYSTEM, LiteralActor
from workflows.acts import (
    AddSigners,
    Claim,
    CopyTo,
    RemoveSigner,
    StepAside,
    Unsign,
    perform,
    recuse,
    recuse_from_offices,
    set_freeze,
)
from workflows.models import Case, Follower, Recusal, Signer, WorkItem

pytestmark = pytest.mark.django_db

SEES = {"view_case": [""]}
KIN = Reason("kin", "申请人是本人的侄子，申请回避")
NOT_NEEDED = Reason("not_needed", "意见已另行说明，不再需要签署")


def person(key: str, *permissions: str) -> LiteralActor:
    return LiteralActor(key, key.upper(), SEES | {name: [""] for name in permissions})


ONE, TWO, THREE = (person(key, "review_county") for key in ("one", "two", "three"))
GUEST, OTHER = person("guest"), person("other")
MEMBERS = [person(key, "sit") for key in ("m1", "m2", "m3", "m4")]


def code(case: int, doing: Any, by: Any, reason: Reason | None = None) -> str:
    return perform(doing, [item_of(case)], by, reason)[0].code


@pytest.fixture(autouse=True)
def members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four people sit on every panel."""
    seats = [(member.key, member.name) for member in MEMBERS]
    monkeypatch.setattr(panels, "_members", [lambda permission, paths: dict.fromkeys(paths, seats)])


def joint(mode: str, **also: Any) -> int:
    """A case that waits for a panel at the county's review."""
    return stand(opened(1, panels={"county_review": {"mode": mode, "of": "sit"} | also})[0], "county_review")


def votes(case: int, *outcomes: str) -> list[str]:
    return [act(case, outcome, member).code for member, outcome in zip(MEMBERS, outcomes, strict=False)]


def seated(case: int) -> dict[str, str]:
    """Who sits at the open task of a case, and what he has signed."""
    return dict(Signer.objects.filter(item=item_of(case), ended_at=None).values_list("person", "vote"))


# ---------------------------------------------------------------- signing what a colleague holds


def test_who_was_asked_to_sign_may_although_a_colleague_has_taken_the_case_on() -> None:
    case = standing("county_review")
    assert code(case, Claim(), ONE) == "ok"
    assert code(case, AddSigners([GUEST]), ONE) == "ok"
    assert code(case, RemoveSigner(GUEST), TWO, NOT_NEEDED) == "held"
    assert act(case, "approve", TWO).code == "held"
    assert act(case, "approve", ONE).code == "signed"
    assert act(case, "approve", GUEST).code == "ok"


def test_a_member_who_takes_a_joint_decision_on_keeps_no_other_from_signing() -> None:
    case = joint("all")
    both = person("m1", "sit", "review_county")
    assert code(case, Claim(), both) == "ok"
    assert votes(case, "approve", "approve", "approve", "approve") == ["signed", "signed", "signed", "ok"]


def test_the_same_person_asked_twice_signs_once() -> None:
    case = standing("county_review")
    assert code(case, AddSigners([GUEST, GUEST]), ONE) == "ok"
    assert code(case, CopyTo([OTHER, OTHER]), ONE) == "ok"
    assert seated(case) == {"guest": ""}
    assert Follower.objects.filter(case=case).count() == 1


def test_the_same_request_for_a_signature_is_answered_as_the_first_time() -> None:
    case = joint("all")
    first = act(case, "approve", MEMBERS[0], key="form")
    assert (first.code, act(case, "approve", MEMBERS[0], key="form")) == ("signed", first)
    assert code(case, Unsign(), MEMBERS[0]) == "ok"
    assert act(case, "approve", MEMBERS[0], key="form") == first, "the old form signs nothing again"
    assert seated(case)["m1"] == ""


def test_withdrawing_is_no_signature() -> None:
    case = joint("all")
    item = item_of(case)
    assert act(case, "withdraw", OFFICER).ok
    assert not Signer.objects.filter(item=item).exclude(vote="").exists()


# ---------------------------------------------------------------- taking members off


def test_nobody_makes_a_majority_by_taking_off_those_who_disagree() -> None:
    case = joint("share", share=75)
    assert votes(case, "reject", "approve") == ["signed", "signed"]
    assert code(case, RemoveSigner(MEMBERS[0]), ONE, NOT_NEEDED) == "already_signed"
    assert code(case, RemoveSigner(MEMBERS[1]), ONE, NOT_NEEDED) == "already_signed"
    assert code(case, RemoveSigner(MEMBERS[3]), ONE, NOT_NEEDED) == "ok", "who is away is not waited for"


def test_where_a_share_can_no_longer_be_had_who_signed_last_against_it_signs_again() -> None:
    case = joint("share", share=50)
    assert votes(case, "approve", "reject", "reject") == ["signed", "signed", "signed"]
    assert code(case, RemoveSigner(MEMBERS[3]), ONE, NOT_NEEDED) == "ok"
    assert seated(case) == {"m1": "approve", "m2": "reject", "m3": ""}
    assert act(case, "reject", MEMBERS[2]).code == "ok"


def test_a_share_that_is_had_is_completed_by_one_of_those_who_approved() -> None:
    case = joint("share", share=50)
    assert code(case, AddSigners([GUEST]), ONE) == "ok"
    assert votes(case, "approve", "approve", "reject", "reject") == ["signed"] * 4
    assert code(case, RemoveSigner(GUEST), ONE, NOT_NEEDED) == "ok"
    assert seated(case)["m2"] == ""
    assert act(case, "approve", MEMBERS[1]).code == "ok"
    assert step_of(case) == "data_check"


# ---------------------------------------------------------------- recusal in the middle


def test_when_the_last_one_waited_for_is_recused_the_last_signature_is_given_again() -> None:
    case = standing("county_review")
    code(case, AddSigners([GUEST]), ONE)
    assert act(case, "approve", ONE).code == "signed"
    assert recuse([(case, "guest")], "declared", SYSTEM) == 1
    assert act(case, "approve", ONE).code == "ok"


def test_a_panel_goes_on_without_a_recused_member_and_without_the_signature_he_gave() -> None:
    case = joint("all")
    assert votes(case, "approve", "approve", "approve") == ["signed"] * 3
    recuse([(case, "m1")], "declared", SYSTEM)
    assert "m1" not in seated(case)
    assert act(case, "approve", MEMBERS[0]).code == "not_permitted", "he has no seat any more"
    assert act(case, "approve", MEMBERS[3]).code == "ok"


def test_one_who_is_recused_or_acted_elsewhere_is_not_seated() -> None:
    [case] = opened(1, panels={"county_review": {"mode": "all", "of": "sit"}})
    recuse([(case, "m1")], "declared", SYSTEM)
    recuse([(case, "m2")], "declared", SYSTEM, levels=["school"])
    recuse_from_offices([(COUNTY_PATH, "m3")], "declared", SYSTEM, levels=["county"])
    stand(case, "school_review")
    assert act(case, "approve", LiteralActor("m4", "M4", {"review_school": [SCHOOL_PATH]})).ok
    stand(case, "county_review")
    assert seated(case) == {"m2": ""}


def test_who_was_asked_to_sign_may_step_aside() -> None:
    case = joint("all")
    assert code(case, StepAside(), MEMBERS[0], KIN) == "ok"
    assert code(case, AddSigners([GUEST]), ONE) == "ok"
    assert code(case, StepAside(), GUEST, KIN) == "ok"
    assert set(seated(case)) == {"m2", "m3", "m4"}


def test_a_recusal_from_an_office_frees_what_was_held_and_signed_there() -> None:
    held, signed = standing("county_review"), joint("all")
    code(held, Claim(), ONE)
    assert votes(signed, "approve") == ["signed"]
    assert recuse_from_offices([(SCHOOL_PATH, "one"), (SCHOOL_PATH, "m1")], "declared", SYSTEM) == 2
    assert WorkItem.objects.get(pk=item_of(held)).holder == ""
    assert "m1" not in seated(signed)


def test_a_recusal_is_widened_and_never_narrowed() -> None:
    case = standing("county_review")
    assert recuse([(case, "one")], "declared", SYSTEM, levels=["school"]) == 1
    assert code(case, Claim(), ONE) == "ok"
    assert recuse([(case, "one")], "declared", SYSTEM, levels=["school"]) == 0
    assert recuse([(case, "one")], "declared", SYSTEM, levels=["county"]) == 1
    assert WorkItem.objects.get(pk=item_of(case)).holder == "", "at this level he had taken it on"
    assert recuse([(case, "one")], "declared", SYSTEM) == 1
    assert recuse([(case, "one")], "declared", SYSTEM, levels=["leader"]) == 0
    assert Recusal.objects.get().levels == []


def test_who_is_recused_takes_nothing_back() -> None:
    case = standing("county_review")
    act(case, "approve", ONE)
    recuse([(case, "one")], "declared", SYSTEM, levels=["county"])
    assert act(case, "take_back", ONE).code == "recused_declared"


# ---------------------------------------------------------------- taking back


def test_what_somebody_has_acted_on_is_told_so() -> None:
    case = standing("school_review")
    item = item_of(case)
    act(case, "approve", HEAD)
    assert decide([item], "take_back", HEAD)[0].code == "not_your_decision", "the submission was the officer's"
    assert decide([item], "take_back", OFFICER)[0].code == "acted_on"


def test_a_return_taken_back_leaves_the_review_as_it_was() -> None:
    case = standing("school_review")
    act(case, "return", HEAD)
    assert act(case, "take_back", HEAD).ok
    assert Case.objects.get(pk=case).resume == ""
    assert act(case, "approve", HEAD).ok
    assert step_of(case) == "school_notice"


def test_an_approval_that_went_straight_back_goes_there_again_once_it_was_taken_back() -> None:
    case = standing("county_review")
    act(case, "return", ONE, data={"to": "school_review"})
    assert act(case, "approve", HEAD).ok
    assert step_of(case) == "county_review"
    assert act(case, "take_back", HEAD).ok
    assert act(case, "approve", HEAD).ok
    assert step_of(case) == "county_review"


def test_a_joint_decision_is_taken_back_by_who_settled_it_and_the_others_signatures_stand() -> None:
    case = joint("all")
    assert votes(case, "approve", "approve", "approve", "approve")[-1] == "ok"
    assert act(case, "take_back", MEMBERS[0]).code == "not_your_decision"
    recuse([(case, "m2")], "declared", SYSTEM)
    assert act(case, "take_back", MEMBERS[3]).ok
    assert seated(case) == {"m1": "approve", "m3": "approve", "m4": ""}
    assert act(case, "return", MEMBERS[3]).ok
    assert step_of(case) == "correction"


def test_taking_back_does_not_shake_off_a_signer_who_disagrees() -> None:
    case = standing("county_review")
    code(case, AddSigners([GUEST]), ONE)
    assert act(case, "reject", GUEST).code == "signed"
    assert act(case, "return", ONE).code == "ok"
    assert act(case, "take_back", ONE).ok
    assert act(case, "approve", ONE).code == "signer_disagrees"


# ---------------------------------------------------------------- freezes


def test_of_two_freezes_the_stricter_one_holds() -> None:
    case = standing("county_review")
    chief = person("chief", "set_freeze")
    set_freeze("0001", date(2000, 1, 1), date(2100, 1, 1), "年终决算期间暂停审核", chief, open_to="act_in_freeze")
    keyholder = person("keyholder", "review_county", "act_in_freeze")
    set_freeze("0001", date(2000, 1, 1), date(2099, 1, 1), "审计期间一律不得审核", chief)
    refused = act(case, "approve", keyholder)
    assert (refused.code, "2099-01-01" in refused.message) == ("frozen", True)
