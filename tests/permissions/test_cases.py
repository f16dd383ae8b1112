"""Every act on a case, tried by every role in every state at every relation: the engine answers as the matrix says.

Generated from `fixtures/permissions.yaml`, none skipped. Each pair of role and act is executed on all states and
relations in one call, as a person would from a list, and undone.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from approvals.applications.asking import AskPapers
from approvals.applications.models import PaperRequest
from approvals.organisations.authority import UserActor
from approvals.organisations.permissions_file import OWN_CASE, RELATIONS
from approvals.organisations.permissions_file import Act as Cell
from approvals.organisations.roles import matrix
from tests.permissions.world import COLLEAGUE, LAST, REASONS, STATES, World, decided_by, looked_into_by, prepared_by
from workflows import acts, decide, panels
from workflows.flows.aid import AidCase
from workflows.locking import Result
from workflows.models import Case, Signer, WorkItem
from workflows.reasons import Reason

pytestmark = pytest.mark.django_db
MATRIX = matrix()
ROLES = sorted(MATRIX.may)
OUTCOMES = [act for act in MATRIX.acts.values() if act.family == "case"]
DESK = [act for act in MATRIX.acts.values() if act.family == "desk"]


def tried(world: World, role: str, cell: Cell, by: UserActor, act: Callable[[list[int]], list[Result]]) -> None:
    """Does the act on every case and compares each answer with the matrix."""
    places = [(state, relation) for state in STATES for relation in RELATIONS]
    items = {place: world.items[world.case(role, *place)] for place in places}
    prepared_by([world.case(role, *place) for place in places if place[1] == OWN_CASE], by)
    results = {result.task_id: result for result in act(list(items.values()))}
    answers = {place: results[items[place]] for place in places}
    said = {place: MATRIX.allows(role, cell, *place, last=LAST.get(place[0], "")) for place in places}
    wrong = {place: answer.code for place, answer in answers.items() if answer.ok != said[place]}
    assert wrong == {}, (role, cell.key, {place: said[place] for place in wrong})
    assert len(said) == len(STATES) * len(RELATIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("cell", OUTCOMES, ids=lambda cell: cell.key)
def test_what_moves_a_case_is_answered_as_the_matrix_says(world: World, cell: Cell, role: str) -> None:
    by = world.people[role]
    if cell.name == "take_back":
        decided_by(list(world.items.values()), by)
    if cell.name in ("uphold", "amend"):
        looked_into_by(world, by)
    tried(world, role, cell, by, lambda items: decide(items, cell.name, by, REASONS.get(cell.name)))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("cell", DESK, ids=lambda cell: cell.key)
def test_what_is_done_to_a_waiting_case_is_answered_as_the_matrix_says(
    world: World, colleague_may_sign: None, cell: Cell, role: str
) -> None:
    by = world.people[role]
    act, reason = prepared(cell.name, by)
    tried(world, role, cell, by, lambda items: acts.perform(act, items, by, reason))
    PaperRequest.objects.all().delete()  # the cases here have no application


@pytest.fixture
def colleague_may_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is added as a signer may sign, although the colleague here holds no post."""
    asked = panels.still_holding

    def holding(permission: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        pairs = set(pairs)
        colleagues = {pair for pair in pairs if pair[1] == COLLEAGUE.key}
        return colleagues | set(asked(permission, pairs - colleagues))

    monkeypatch.setattr(panels, "still_holding", holding)


def prepared(name: str, by: UserActor) -> tuple[acts.Act, Reason | None]:
    """The act with its reason, the cases being set up for it: held, suspended, signed."""
    open_items = WorkItem.objects.filter(finished=None)
    if name == "release":
        open_items.update(holder=by.key, holder_name=by.name)
    if name == "take_over":
        open_items.update(holder=COLLEAGUE.key, holder_name=COLLEAGUE.name)
    if name == "resume":
        Case.objects.update(suspended_on="2026-09-01")
    if name in ("remove_signer", "unsign"):
        open_items.update(panel="added")
        asked: list[Any] = list(open_items.values_list("pk", flat=True))
        Signer.objects.bulk_create(
            Signer(item_id=item, person=COLLEAGUE.key, name="同事", part="added", added_by=by.key) for item in asked
        )
        if name == "unsign":
            Signer.objects.bulk_create(
                Signer(item_id=item, person=by.key, name=by.name, part="added", vote="approve") for item in asked
            )
    why = "已经领导同意，按规定办理此件。"
    made: dict[str, tuple[acts.Act, Reason | None]] = {
        "claim": (acts.Claim(), None),
        "release": (acts.Release(), None),
        "take_over": (acts.TakeOver(), Reason("away", why)),
        "transfer": (acts.Transfer(COLLEAGUE), Reason("away", why)),
        "add_signer": (acts.AddSigners([COLLEAGUE]), Reason("knows_more", why)),
        "remove_signer": (acts.RemoveSigner(COLLEAGUE), Reason("not_needed", why)),
        "unsign": (acts.Unsign(), None),
        "ask_papers": (AskPapers(["other"], why), Reason("papers_wanted", why)),
        "step_aside": (acts.StepAside(), Reason("kin", why)),
        "suspend": (acts.Suspend(), Reason("under_inquiry", why)),
        "resume": (acts.Resume(), Reason("inquiry_over", why)),
        "urge": (acts.Urge(), None),
        "comment": (acts.Comment(), Reason("comment", why)),
        "copy_to": (acts.CopyTo([COLLEAGUE]), None),
        "watch": (acts.Watch(), None),
        "unwatch": (acts.Unwatch(), None),
    }
    return made[name]


def test_no_state_and_no_act_of_a_case_is_left_out() -> None:
    """Every state that the machine knows but the one that is passed through, every outcome but what nobody asks for."""
    machine = {name for name, method in vars(AidCase).items() if hasattr(method, "_django_fsm")}
    states = set()
    for name in machine:
        for source, transition in getattr(AidCase, name)._django_fsm.transitions.items():
            states |= {source, *getattr(transition.target, "allowed_states", [transition.target])}
    assert states - {"submitted"} == set(STATES)
    by_itself = {"accept", "skip", "pass_back"}
    assert {name.removesuffix("_") for name in machine} - by_itself == {cell.name for cell in OUTCOMES}
    named = {act.name for act in vars(acts).values() if isinstance(act, type) and issubclass(act, acts.Act)}
    assert (named - {""}) | {AskPapers.name} == {cell.name for cell in DESK}
