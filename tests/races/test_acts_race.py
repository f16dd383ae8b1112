"""Any act against any other on the same case, each in a session of its own: as if one had come after the other.

The first has done its act and not yet committed when the second begins. What both are told, and every row that they
leave, must be what the same two acts leave one after the other, in one order or the other.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import count
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, connections, transaction

from tests.cases import CHECKED, OFFICER, SCHOOL_PATH, STEPS, WHY, act, item_of, items_of, step_of
from tests.races.test_decide_races import meeting
from workflows import CaseSpec, Reason, decide, locking, open_cases, panels
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
    Watch,
    free_missed,
    perform,
    recuse,
    recuse_from_offices,
    set_freeze,
)
from workflows.flows.aid import AidFlow
from workflows.models import ActingLevel, Case, Follower, Freeze, Record, Recusal, Signer, WorkItem

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def person(key: str, *permissions: str) -> LiteralActor:
    return LiteralActor(key, key.upper(), {name: [""] for name in ("view_case", *permissions)})


ONE, TWO = person("one", "review_county"), person("two", "review_county")
TOWNSHIP = person("township", "review_township")
GUEST, OTHER = person("guest"), person("other")
KEEPER = person("keeper", "suspend_case", "set_freeze", "urge_case", "cancel_application")
MEMBERS = [person(key, "sit") for key in ("m1", "m2", "m3")]
BECAUSE = Reason("other", "情况有变，另行说明，见附件")

Doing = Callable[[int, int], str]
"""What is done to a case and its task; the code of the answer."""


def decides(outcome: str, by: LiteralActor, **data: Any) -> Doing:
    return lambda case, item: decide([item], outcome, by, WHY.get(outcome), data)[0].code


def does(kind: Callable[[], Any], by: LiteralActor, reason: Reason | None = BECAUSE) -> Doing:
    return lambda case, item: perform(kind(), [item], by, reason)[0].code


def frozen(case: int, item: int) -> str:
    [path] = Case.objects.filter(pk=case).values_list("path", flat=True)
    set_freeze(path, date(2000, 1, 1), date(2100, 1, 1), "年终决算期间暂停审核", KEEPER)
    return "ok"


def barred(who: LiteralActor) -> Doing:
    return lambda case, item: str(recuse([(case, who.key)], "declared", SYSTEM))


def barred_at_office(who: LiteralActor) -> Doing:
    def bar(case: int, item: int) -> str:
        [path] = Case.objects.filter(pk=case).values_list("path", flat=True)
        return str(recuse_from_offices([(path, who.key)], "declared", SYSTEM))

    return bar


EVERYWHERE: dict[str, Doing] = {
    "one approves": decides("approve", ONE),
    "two approves": decides("approve", TWO),
    "two rejects": decides("reject", TWO),
    "one returns": decides("return", ONE),
    "two returns to the township": decides("return", TWO, to="township_review"),
    "township takes back": decides("take_back", TOWNSHIP),
    "the school withdraws": decides("withdraw", OFFICER),
    "cancelled": decides("cancel", KEEPER),
    "one claims": does(Claim, ONE, None),
    "two claims": does(Claim, TWO, None),
    "two takes over": does(TakeOver, TWO),
    "one hands on": does(lambda: Transfer(TWO), ONE),
    "one releases": does(Release, ONE, None),
    "one asks the guest": does(lambda: AddSigners([GUEST]), ONE),
    "two asks the other": does(lambda: AddSigners([OTHER]), TWO),
    "one steps aside": does(StepAside, ONE),
    "one is recused": barred(ONE),
    "one is recused from the office": barred_at_office(ONE),
    "suspended": does(Suspend, KEEPER),
    "resumed": does(Resume, KEEPER),
    "frozen": frozen,
}
TELLING: dict[str, Doing] = {
    "urged": does(Urge, KEEPER, None),
    "commented": does(Comment, GUEST, None),
    "copied": does(lambda: CopyTo([GUEST]), ONE, None),
    "watched": does(Watch, GUEST, None),
}
SIGNING: dict[str, Doing] = {
    "the guest approves": decides("approve", GUEST),
    "the guest rejects": decides("reject", GUEST),
    "one approves": decides("approve", ONE),
    "one takes his signature back": does(Unsign, ONE, None),
    "the guest is taken off": does(lambda: RemoveSigner(GUEST), TWO),
    "one asks the other": does(lambda: AddSigners([OTHER]), ONE),
    "the guest steps aside": does(StepAside, GUEST),
    "the guest is recused": barred(GUEST),
    "one is recused": barred(ONE),
    "two returns": decides("return", TWO),
    "two approves": decides("approve", TWO),
    "suspended": does(Suspend, KEEPER),
}
JOINTLY: dict[str, Doing] = {
    "the second approves": decides("approve", MEMBERS[1]),
    "the third approves": decides("approve", MEMBERS[2]),
    "the third returns": decides("return", MEMBERS[2]),
    "the first takes his signature back": does(Unsign, MEMBERS[0], None),
    "the third is taken off": does(lambda: RemoveSigner(MEMBERS[2]), ONE),
    "the second is recused": barred(MEMBERS[1]),
    "the first steps aside": does(StepAside, MEMBERS[0]),
    "the guest is asked": does(lambda: AddSigners([GUEST]), ONE),
    "the school withdraws": decides("withdraw", OFFICER),
    "suspended": does(Suspend, KEEPER),
}


# ---------------------------------------------------------------- cases, many at once

_numbers = count(1)


def cases_at_county(many: int, panel: dict[str, Any] | None = None) -> list[int]:
    """Cases at the county's review, each of an office of its own, so that a freeze concerns one alone."""
    steps = [step for step in STEPS if step != "school_notice"]
    spec = {"steps": steps, "panels": {"county_review": panel} if panel else {}}
    with transaction.atomic():
        cases = open_cases(
            AidFlow, [CaseSpec(path=f"{SCHOOL_PATH}{next(_numbers):04d}", **spec) for _ in range(many)], SYSTEM
        )
    for outcome, by in (
        ("submit", OFFICER),
        ("approve", person("head", "review_school")),
        ("approve", TOWNSHIP),
    ):
        assert all(result.ok for result in decide(items_of(cases), outcome, by))
    return cases


def plain(many: int) -> list[int]:
    return cases_at_county(many)


def held(many: int) -> list[int]:
    cases = cases_at_county(many)
    assert all(result.ok for result in perform(Claim(), items_of(cases), ONE))
    return cases


def asked(many: int) -> list[int]:
    """One has signed, and the guest, who was asked to sign too, has not yet."""
    cases = cases_at_county(many)
    assert all(result.ok for result in perform(AddSigners([GUEST]), items_of(cases), ONE))
    assert {result.code for result in decide(items_of(cases), "approve", ONE)} == {"signed"}
    return cases


def joint(many: int) -> list[int]:
    """All three sign; the first has."""
    cases = cases_at_county(many, {"mode": "all", "of": "sit"})
    assert {result.code for result in decide(items_of(cases), "approve", MEMBERS[0])} == {"signed"}
    return cases


@pytest.fixture(autouse=True)
def members(monkeypatch: pytest.MonkeyPatch) -> None:
    seats = [(member.key, member.name) for member in MEMBERS]
    monkeypatch.setattr(panels, "_members", [lambda permission, paths: dict.fromkeys(paths, seats)])


def left_by(case: int) -> dict[str, Any]:
    """What the rows say of a case, without keys and instants."""
    row = Case.objects.values("state", "status", "resume", "round", "noticed", "path").get(pk=case)
    path = row.pop("path")
    items = list(WorkItem.objects.filter(process_id=case).order_by("id"))
    order = {item.pk: number for number, item in enumerate(items)}
    return row | {
        "suspended": Case.objects.filter(pk=case, suspended_on__isnull=False).exists(),
        "frozen": Freeze.objects.filter(path=path).count(),
        "items": [
            (item.queue, item.status, item.outcome, item.decided_by, item.holder, item.panel, item.finished is None)
            for item in items
        ],
        "seats": sorted(
            (order[seat.item_id], seat.person, seat.part, seat.vote, seat.ended_at is None)
            for seat in Signer.objects.filter(item_id__in=order)
        ),
        "levels": sorted(ActingLevel.objects.filter(case_id=case).values_list("person", "level")),
        "recused": sorted(Recusal.objects.filter(case_id=case).values_list("person", "code")),
        "recused at the office": sorted(Recusal.objects.filter(path=path).values_list("person", "code")),
        "followers": sorted(Follower.objects.filter(case_id=case).values_list("person", "copied_by")),
        "lines": sorted(
            Record.objects.filter(about="case", about_id=case).values_list("act", "actor", "state_from", "state_to")
        ),
    }


# ---------------------------------------------------------------- two at once


@dataclass
class Two:
    """Two threads, each with a session of its own."""

    first: ThreadPoolExecutor
    second: ThreadPoolExecutor

    def overlap(self, one: Callable[[], str], other: Callable[[], str]) -> tuple[Any, Any]:
        """What both are told where the second begins when the first has done its work and not yet committed."""
        done, over, sessions = threading.Event(), threading.Event(), list[int]()

        def goes_first() -> Any:
            with transaction.atomic():
                answer = one()
                done.set()
                self._until_it_waits(sessions, over)
            return answer

        def comes_second() -> Any:
            connection.ensure_connection()
            done.wait(10)
            sessions.append(connection.connection.info.backend_pid)
            try:
                return other()
            finally:
                over.set()

        told = [self.second.submit(comes_second), self.first.submit(goes_first)]
        later, earlier = (each.result(30) for each in told)
        return earlier, later

    def _until_it_waits(self, sessions: list[int], over: threading.Event) -> None:
        end = monotonic() + 5
        while not over.is_set() and monotonic() < end:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pid = ANY(%s)", [sessions])
                if cursor.fetchone():
                    return
            sleep(0.002)


@pytest.fixture
def two(transactional_db: None) -> Iterator[Two]:
    pair = Two(ThreadPoolExecutor(1), ThreadPoolExecutor(1))
    yield pair
    for pool in (pair.first, pair.second):
        pool.submit(connections.close_all).result()
        pool.shutdown()


def compare(two: Two, prepare: Callable[[int], list[int]], pairs: list[tuple[Doing, Doing]], names: list[str]) -> None:
    """Each pair at once, and in turn, in both orders, on cases that stand alike."""
    cases = prepare(3 * len(pairs))
    items = dict(zip(cases, items_of(cases), strict=True))
    for number, (one, other) in enumerate(pairs):
        at_once, in_turn, turned = cases[3 * number : 3 * number + 3]
        found = two.overlap(lambda: one(at_once, items[at_once]), lambda: other(at_once, items[at_once]))  # noqa: B023
        first = one(in_turn, items[in_turn]), other(in_turn, items[in_turn])
        later, earlier = other(turned, items[turned]), one(turned, items[turned])
        orders = [(first, left_by(in_turn)), ((earlier, later), left_by(turned))]
        if "from the office" in names[number]:
            free_missed()  # once an hour: an office's recusal does not lock all of its cases
        assert (found, left_by(at_once)) in orders, names[number]


SCENES = {
    "plain": (plain, EVERYWHERE | TELLING),
    "held": (held, EVERYWHERE),
    "asked": (asked, SIGNING),
    "joint": (joint, JOINTLY),
}
ALL = [(scene, first) for scene, (_, acts) in SCENES.items() for first in acts]
# Of those, in every run: the ones where most is at stake.
ALWAYS = [
    *[("plain", first) for first in ("one approves", "township takes back", "suspended", "one is recused", "frozen")],
    *[("held", first) for first in ("one hands on", "two takes over", "one releases")],
    *[("asked", first) for first in ("the guest approves", "one asks the other", "the guest is taken off")],
    *[("joint", first) for first in ("the second approves", "the second is recused", "the third is taken off")],
]


def against_all(two: Two, scene: str, first: str) -> None:
    prepare, acts = SCENES[scene]
    pairs = [(acts[first], other) for other in acts.values()]
    compare(two, prepare, pairs, [f"{scene}: {first}, meanwhile {other}" for other in acts])


@pytest.mark.parametrize(("scene", "first"), ALWAYS)
def test_an_act_and_any_other_end_as_if_one_had_come_after_the_other(two: Two, scene: str, first: str) -> None:
    against_all(two, scene, first)


@pytest.mark.drill
@pytest.mark.parametrize(("scene", "first"), [each for each in ALL if each not in ALWAYS])
def test_every_other_pair_too(two: Two, scene: str, first: str) -> None:
    against_all(two, scene, first)


# ---------------------------------------------------------------- what the lock is for


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the engine's lock away."""
    return lambda: monkeypatch.setattr(locking, "_FOR_UPDATE", "")


AtOnce = Callable[..., list[Any]]


def last_two_signatures(at_once: AtOnce, prepare: Callable[[], None]) -> tuple[int, list[str]]:
    [case] = joint(1)
    prepare()
    item, barrier = item_of(case), threading.Barrier(2)
    answers = at_once(
        *(lambda key=key: decide([item], "approve", meeting(barrier, key, "sit"))[0].code for key in ("m2", "m3"))
    )
    return case, sorted(answers)


def test_without_the_lock_the_last_two_signatures_pass_each_other_and_the_case_stands_for_ever(
    at_once: AtOnce, unlocked: Callable[[], None]
) -> None:
    case, answers = last_two_signatures(at_once, unlocked)
    assert answers == ["signed", "signed"]
    assert step_of(case) == "county_review"
    assert not Signer.objects.filter(item=item_of(case), vote="").exists(), "nobody is waited for"


def test_with_the_lock_one_of_the_last_two_signatures_moves_the_case(at_once: AtOnce) -> None:
    case, answers = last_two_signatures(at_once, lambda: None)
    assert answers == ["ok", "signed"]
    assert step_of(case) == "data_check"


def suspended_meanwhile(at_once: AtOnce, prepare: Callable[[], None]) -> tuple[int, list[str]]:
    [case] = plain(1)
    prepare()
    item, barrier = item_of(case), threading.Barrier(2)
    answers = at_once(
        lambda: decide([item], "approve", meeting(barrier, "one", "review_county"))[0].code,
        lambda: perform(Suspend(), [item], meeting(barrier, "keeper", "suspend_case"), BECAUSE)[0].code,
    )
    return case, answers


def test_without_the_lock_a_suspended_case_moves(at_once: AtOnce, unlocked: Callable[[], None]) -> None:
    case, answers = suspended_meanwhile(at_once, unlocked)
    assert answers == ["ok", "ok"]
    assert Case.objects.get(pk=case).suspended_on is not None
    assert step_of(case) == "data_check"


def test_with_the_lock_it_is_suspended_or_moves(at_once: AtOnce) -> None:
    case, answers = suspended_meanwhile(at_once, lambda: None)
    assert answers in (["ok", "closed"], ["suspended", "ok"])
    assert (Case.objects.get(pk=case).suspended_on is None) == (step_of(case) == "data_check")


def test_without_the_lock_two_take_the_same_case_on(at_once: AtOnce, unlocked: Callable[[], None]) -> None:
    def both(prepare: Callable[[], None]) -> list[str]:
        [case] = plain(1)
        prepare()
        item, barrier = item_of(case), threading.Barrier(2)
        people = [meeting(barrier, key, "review_county") for key in ("one", "two")]
        return sorted(at_once(*(lambda by=by: perform(Claim(), [item], by)[0].code for by in people)))

    assert both(lambda: None) == ["held", "ok"]
    assert both(unlocked) == ["ok", "ok"]


# ---------------------------------------------------------------- what is written while somebody waits


def test_a_freeze_that_was_set_while_a_decision_waited_holds_for_it(two: Two) -> None:
    """The lock is waited for, the freeze is not: the decision comes after it."""
    [case] = plain(1)
    item, locked, set_meanwhile = item_of(case), threading.Event(), threading.Event()

    def comments() -> str:
        with transaction.atomic():
            [result] = perform(Comment(), [item], GUEST)
            locked.set()
            set_meanwhile.wait(10)
        return result.code

    def approves() -> str:
        locked.wait(10)
        return decide([item], "approve", ONE, CHECKED)[0].code

    told = [two.first.submit(comments), two.second.submit(approves)]
    locked.wait(10)
    sleep(0.2)
    frozen(case, item)
    set_meanwhile.set()
    assert [each.result(30) for each in told] == ["ok", "frozen"]
    assert step_of(case) == "county_review"
    assert act(case, "approve", TWO).code == "frozen"
