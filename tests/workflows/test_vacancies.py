"""A panel counts nobody who may no longer sign, waits for nobody who has gone, and is filled again when it is short."""

from typing import Any

import pytest

from tests.cases import SCHOOL_PATH, act, item_of, opened, stand, standing, step_of
from tests.workflows.test_acts_together import GUEST, MEMBERS, NOT_NEEDED, ONE, TWO, code, person, seated
from workflows import panels
from workflows.actors import SYSTEM
from workflows.acts import AddSigners, Claim, RemoveSigner, free_missed, recuse_from_offices
from workflows.models import Record, Signer, WorkItem
from workflows.vacancies import renew_stale

pytestmark = pytest.mark.django_db

SUCCESSORS = [person(key, "sit") for key in ("n1", "n2")]
COLLEAGUES = [ONE, TWO, GUEST, person("other"), *MEMBERS, *SUCCESSORS]


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Keys of those whose posts have ended; to begin with, the successors' have not begun."""
    without = {by.key for by in SUCCESSORS}

    def sit(permission: str, paths: Any) -> dict[str, list[tuple[str, str]]]:
        seats = [(by.key, by.name) for by in COLLEAGUES if by.key not in without and by.permits(permission, [""])]
        return dict.fromkeys(paths, seats)

    def hold(permission: str, pairs: Any) -> set[tuple[str, str]]:
        holding = {by.key for by in COLLEAGUES if by.permits(permission, [""])} - without
        return {(path, who) for path, who in pairs if who in holding}

    monkeypatch.setattr(panels, "_members", [sit])
    monkeypatch.setattr(panels, "_holding", [hold])
    return without


def joint(mode: str, **also: Any) -> int:
    return stand(opened(1, panels={"county_review": {"mode": mode, "of": "sit"} | also})[0], "county_review")


def votes(case: int, *outcomes: str) -> list[str]:
    return [act(case, outcome, member).code for member, outcome in zip(MEMBERS, outcomes, strict=False)]


def test_a_signature_counts_only_while_he_who_gave_it_might_give_it(gone: set[str]) -> None:
    case = joint("share", share=75)
    assert votes(case, "approve", "approve") == ["signed", "signed"]
    gone.add("m1")
    assert act(case, "approve", MEMBERS[2]).code == "signed", "two of three, where three of four had sufficed"
    assert act(case, "approve", MEMBERS[3]).code == "ok"
    [line] = Record.objects.filter(about_id=case, act="vacate")
    assert (line.actor, line.data, line.step) == ("", {"to": ["M1"]}, "county_review")


def test_who_has_gone_is_waited_for_no_longer_and_the_last_signature_is_given_again(gone: set[str]) -> None:
    case, other = joint("all"), joint("all")
    for each in (case, other):
        assert votes(each, "approve", "approve", "approve") == ["signed"] * 3
    gone.add("m4")
    assert renew_stale("m3") == 0
    assert renew_stale() == 2
    assert renew_stale() == 0
    assert seated(case) == {"m1": "approve", "m2": "approve", "m3": ""}
    assert step_of(case) == "county_review", "a case moves by somebody's signature"
    assert act(case, "approve", MEMBERS[2]).code == "ok"


def test_a_panel_that_has_gone_is_filled_by_their_successors(gone: set[str]) -> None:
    case = joint("all")
    assert votes(case, "approve", "approve") == ["signed", "signed"]
    gone |= {"m1", "m2", "m3", "m4"}
    assert act(case, "approve", ONE).code == "panel_empty"
    assert seated(case) == {}
    gone -= {"n1", "n2"}
    assert act(case, "approve", SUCCESSORS[0]).code == "signed"
    assert act(case, "approve", SUCCESSORS[1]).code == "ok"
    assert [line.data["to"] for line in Record.objects.filter(about_id=case, act="seat")] == [["N1", "N2"]]


def test_a_panel_below_its_quorum_takes_newcomers_and_one_that_is_not_takes_none(gone: set[str]) -> None:
    short, enough = joint("share", share=50, quorum=4), joint("share", share=50, quorum=3)
    gone.add("m1")
    gone -= {"n1", "n2"}
    assert act(short, "approve", SUCCESSORS[0]).code == "signed"
    assert set(seated(short)) == {"m2", "m3", "m4", "n1", "n2"}
    assert act(enough, "approve", SUCCESSORS[0]).code == "not_permitted"
    assert votes(enough, "approve", "approve", "approve") == ["not_permitted", "signed", "ok"]


def test_who_signed_for_the_step_and_lost_the_post_does_not_carry_it(gone: set[str]) -> None:
    case = standing("county_review")
    assert code(case, AddSigners([GUEST]), ONE) == "ok"
    assert act(case, "approve", ONE).code == "signed"
    gone.add("one")
    assert act(case, "approve", GUEST).code == "signed"
    assert act(case, "approve", TWO).code == "ok"


def test_a_guest_who_has_gone_leaves_a_plain_task(gone: set[str]) -> None:
    case = standing("county_review")
    assert code(case, AddSigners([GUEST]), ONE) == "ok"
    gone.add("guest")
    assert code(case, RemoveSigner(GUEST), TWO, NOT_NEEDED) == "no_such_signer"
    assert code(case, Claim(), TWO) == "ok"
    assert act(case, "approve", TWO).code == "ok"
    assert not Signer.objects.filter(person="two").exists(), "it was decided by one"


def test_where_nobody_lost_anything_nothing_is_written(gone: set[str]) -> None:
    case = joint("all")
    before = list(Signer.objects.values_list())
    assert renew_stale() == 0
    assert act(case, "approve", TWO).code == "not_signer"
    assert list(Signer.objects.values_list()) == before
    assert not Record.objects.filter(item=item_of(case)).exists()


# ---------------------------------------------------------------- an office's recusal


def test_what_was_taken_on_while_an_office_s_recusal_was_written_is_free_again(gone: set[str]) -> None:
    """Such a recusal does not lock every case of the office: what it missed is found once an hour."""
    held, asked, elsewhere = standing("county_review"), standing("county_review"), standing("township_review")
    assert recuse_from_offices([(SCHOOL_PATH, "one"), (SCHOOL_PATH, "guest")], "declared", SYSTEM, ["county"]) == 2
    WorkItem.objects.filter(pk__in=[item_of(held), item_of(elsewhere)]).update(holder="one", holder_name="ONE")
    assert code(asked, AddSigners([person("other")]), TWO) == "ok"
    Signer.objects.filter(item=item_of(asked)).update(person="guest")
    WorkItem.objects.filter(pk=item_of(asked)).update(panel="added")
    free_missed()
    assert WorkItem.objects.get(pk=item_of(held)).holder == ""
    assert WorkItem.objects.get(pk=item_of(elsewhere)).holder == "one", "he is recused at the county only"
    assert seated(asked) == {}
    assert act(asked, "approve", TWO).code == "ok"
