"""Whatever happens to an application, in whatever order: what always holds (DOMAIN.md §3.1).

People decide, take cases on, sign, step aside, lose their posts; rooms find facts out; every act of the engine on both
versions of the route. What each may do is told here once more, in plain Python, and what became of it is read from
the rows alone.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.cases import SCHOOL_PATH, STEPS, WHY, opened
from workflows import Reason, decide, panels
from workflows.actors import SYSTEM, Actor, LiteralActor
from workflows.acts import (
    Act,
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
    Unwatch,
    Urge,
    Watch,
    claim_next,
    end_freeze,
    open_item,
    perform,
    recuse,
    recuse_from_offices,
    set_freeze,
)
from workflows.clock import moment
from workflows.facts import add_noticed, set_facts
from workflows.flows.aid import NOTICES, REVIEWERS, AidFlow
from workflows.flows.aid_2027 import AidFlow2027
from workflows.models import ActingLevel, Case, Follower, Freeze, Link, Record, Recusal, Signer, WorkItem
from workflows.nodes import Review, Step
from workflows.states import ENDED
from workflows.vacancies import renew_stale

# ---------------------------------------------------------------- who acts

ENDED_POSTS: set[str] = set()
"""Keys of those who hold no post any more."""


class Colleague(LiteralActor):
    """Somebody who holds posts everywhere until they end."""

    def permits(self, permission: str, paths: Iterable[str]) -> dict[str, str]:
        return {} if self.key in ENDED_POSTS else super().permits(permission, paths)


EVERYWHERE = [
    *("submit_application", "withdraw_application", "cancel_application", "view_case", "urge_case"),
    *("suspend_case", "set_freeze"),
    *REVIEWERS.values(),
]


def colleague(key: str, *more: str) -> Colleague:
    return Colleague(key, key.upper(), {name: [""] for name in (*EVERYWHERE, *more)})


PEOPLE = [colleague(key, "sit") for key in "abcd"] + [colleague(key) for key in "efghij"]
PEOPLE.append(colleague("k", "act_in_freeze"))
GUEST = Colleague("z", "Z", {"view_case": [""]})
ANYBODY = [*PEOPLE, GUEST]
BY_KEY = {by.key: by for by in ANYBODY}
FORERUNNERS = [colleague(f"w{number}") for number in range(8)]
"""Who took the cases to where they stand at first."""
OUTCOMES = sorted({name for flow in (AidFlow, AidFlow2027) for node in flow.instance.nodes() for name in node.outcomes})
CHECKED = Reason("verified", "已逐人核实，情况属实无误")
REASONS: dict[str, Reason] = WHY | {"approve": CHECKED}
BECAUSE = Reason("other", "情况有变，另行说明，见附件")
ACTS: dict[str, Callable[[Any], Act]] = {
    "claim": lambda other: Claim(),
    "release": lambda other: Release(),
    "take_over": lambda other: TakeOver(),
    "transfer": lambda other: Transfer(other),
    "add_signer": lambda other: AddSigners([other]),
    "remove_signer": lambda other: RemoveSigner(other),
    "unsign": lambda other: Unsign(),
    "suspend": lambda other: Suspend(),
    "resume": lambda other: Resume(),
    "step_aside": lambda other: StepAside(),
    "comment": lambda other: Comment(),
    "copy_to": lambda other: CopyTo([other]),
    "watch": lambda other: Watch(),
    "unwatch": lambda other: Unwatch(),
    "urge": lambda other: Urge(),
}
MORE_OFTEN = ["add_signer", "claim", "take_over", "transfer", "release", "remove_signer", "unsign", "resume"]
MUST_HAPPEN = {
    *("submit", "approve", "return", "reject", "withdraw", "cancel", "take_back", "resubmit", "conclude", "sign"),
    *("settled all", "settled any", "settled share", "settled added"),
}
JUDGING = {"claim", "take_over", "transfer", "add_signer", "remove_signer"}
TIDYING = {"vacate", "seat"}
"""Lines of the system's own beside an act's: a panel was kept to those who may sign."""
ALONGSIDE = {*TIDYING, "skip", "accept"}
REASONED = {"take_over", "transfer", "add_signer", "remove_signer", "step_aside", "suspend", "resume", "comment"}


def _sit(permission: str, paths: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    seats = [(by.key, by.name) for by in PEOPLE if by.permits(permission, [""])]
    return dict.fromkeys(paths, seats)


def _hold(permission: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    holding = {by.key for by in ANYBODY if by.permits(permission, [""])}
    return {(path, person) for path, person in pairs if person in holding}


# ---------------------------------------------------------------- what the rows say


class Rows:
    """Everything that is kept about some cases, read at once."""

    def __init__(self, cases: list[int]) -> None:
        self.cases = {row["id"]: row for row in Case.objects.filter(pk__in=cases).values()}
        self.items: dict[int, list[dict[str, Any]]] = {case: [] for case in cases}
        for row in WorkItem.objects.filter(process_id__in=cases).order_by("id").values():
            self.items[row["process_id"]].append(row)
        self.case_of = {item["id"]: case for case, items in self.items.items() for item in items}
        self.signers: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in Signer.objects.filter(item_id__in=self.case_of).order_by("id").values():
            self.signers[row["item_id"]].append(row)
        self.lines: dict[int, list[dict[str, Any]]] = {case: [] for case in cases}
        for row in Record.objects.filter(about="case", about_id__in=cases).order_by("id").values():
            self.lines[row["about_id"]].append(row)
        self.levels = dict[tuple[int, str], str]()
        for case, person, level in ActingLevel.objects.filter(case_id__in=cases).values_list(
            "case_id", "person", "level"
        ):
            self.levels[case, person] = level
        self.recusals = list(Recusal.objects.filter(ended_at=None).order_by("id").values())
        self.followers = list(Follower.objects.filter(case_id__in=cases).order_by("id").values())
        self.links = set(
            Link.objects.filter(from_workitem_id__in=self.case_of).values_list("from_workitem_id", "to_workitem_id")
        )

    def open(self, case: int) -> dict[str, Any] | None:
        return next((item for item in self.items[case] if item["finished"] is None), None)

    def last(self, case: int) -> dict[str, Any]:
        return self.items[case][-1]

    def live(self, item: int) -> list[dict[str, Any]]:
        return [seat for seat in self.signers[item] if seat["ended_at"] is None]

    def recused(self, case: int, person: str, level: str) -> bool:
        return any(
            row["person"] == person
            and (row["case_id"] == case or (row["case_id"] is None and SCHOOL_PATH.startswith(row["path"])))
            and (not row["levels"] or level in row["levels"])
            for row in self.recusals
        )

    def of(self, case: int) -> tuple[Any, ...]:
        """Everything of one case but its lines and seats."""
        items = [{name: value for name, value in item.items() if name != "panel"} for item in self.items[case]]
        spent = {who: level for (of, who), level in self.levels.items() if of == case}
        recusals = [row for row in self.recusals if row["case_id"] == case]
        return self.cases[case], items, spent, recusals, [row for row in self.followers if row["case_id"] == case]

    def seats(self, case: int) -> list[Any]:
        """The seats of a case, and how each item is decided."""
        return [(item["panel"], self.signers[item["id"]]) for item in self.items[case]]


def level_at(item: dict[str, Any], outcome: str) -> str:
    step = item["flow_task"]
    return step.outcomes[outcome].level if isinstance(step, Step) and outcome in step.outcomes else ""


def spec_by(chance: Random) -> dict[str, Any]:
    """A case on one of the routes, that passes some of the optional steps and is decided jointly at some."""
    joint = chance.sample(["class_review", "school_review", "county_review", "pending_approval"], chance.randint(0, 2))
    return {
        "flow": chance.choice([AidFlow, AidFlow2027]),
        "by": chance.choice([SYSTEM, SYSTEM, PEOPLE[-2]]),
        "steps": [
            step for step in (*STEPS, "class_review", "class_notice", "township_notice") if chance.random() < 0.7
        ],
        "returns": chance.choice(["straight", "all"]),
        "limits": chance.choice([{}, {"school_review": 5, "county_review": 3}]),
        "panels": {step: panel_by(chance) for step in joint},
    }


def panel_by(chance: Random) -> dict[str, Any]:
    mode = chance.choice(["all", "any", "share"])
    share = {"share": chance.choice([50, 67, 100]), "quorum": chance.choice([0, 3])} if mode == "share" else {}
    return {"mode": mode, "of": "sit"} | share


seeds = st.integers(0, 10**6)


class Applications(RuleBasedStateMachine):
    """A few cases on both routes; colleagues, a guest and the system; facts, posts and freezes that come and go."""

    done: Counter[str] = Counter()
    """How often each act and outcome was done, over all walks."""

    def __init__(self) -> None:
        super().__init__()
        self.registered = list(panels._members), list(panels._holding)
        panels.seated_by(_sit)
        panels.kept_by(_hold)
        ENDED_POSTS.clear()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.cases: list[int] = []
        self.freeze: Freeze | None = None
        self.passing: list[tuple[int, Callable[[], Any]]] = []
        self.moment = 0
        self.suspended: dict[int, tuple[Any, ...]] = {}
        self.known: dict[int, list[dict[str, Any]]] = {}
        self.now = Rows([])

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        panels._members[:], panels._holding[:] = self.registered
        ENDED_POSTS.clear()

    @initialize(seed=seeds)
    def begin(self, seed: int) -> None:
        chance = Random(seed)
        for _ in range(chance.randint(2, 3)):
            self.open(chance)

    def open(self, chance: Random) -> None:
        """One more case, somewhere on its way."""
        [case] = opened(path=SCHOOL_PATH, **spec_by(chance))
        self.cases.append(case)
        for _ in range(chance.choice([0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 7])):
            self.advance(case)
        self.now = Rows(self.cases)

    def advance(self, case: int) -> None:
        """A step further, by whoever may; not to the end."""
        item = WorkItem.objects.get(process_id=case, finished=None)
        step = item.flow_task
        if step.name.endswith("_notice"):
            add_noticed([case], step.name)
        if step.onward in ("disburse", "pay"):
            return
        people = [SYSTEM] if step.permission == "system" else [*FORERUNNERS, *PEOPLE]
        any(decide([item.pk], step.onward, by, CHECKED)[0].code == "ok" for by in people)

    def part_of(self, chance: Random, case: int) -> Actor:
        """Somebody, often one who has a part in a case: who holds it, is asked to sign, has signed, decided last."""
        item = self.now.last(case)
        live = self.now.live(item["id"])
        decided = [each["decided_by"] for each in self.now.items[case] if each["decided_by"]]
        parts = [
            [item["holder"]],
            [seat["person"] for seat in live if not seat["vote"]],
            [seat["person"] for seat in live if seat["vote"]],
            decided[-1:],
        ]
        found = [BY_KEY[key] for part in parts for key in part if key in BY_KEY]
        if found and chance.random() < 0.4:
            return chance.choice(found)
        free = [by for by in PEOPLE if isinstance(item["flow_task"], Step) and self.free(case, by, item["flow_task"])]
        return chance.choice(free if free and chance.random() < 0.6 else ANYBODY)

    def later(self, moments: int, undone: Callable[[], Any]) -> None:
        """Freezes and vacant posts pass, so that the others get on."""
        self.passing.append((self.moment + moments, undone))

    def goes_on(self) -> None:
        self.moment += 1
        for each in [each for each in self.passing if each[0] <= self.moment]:
            self.passing.remove(each)
            each[1]()

    # ------------------------------------------------------------ deciding

    @rule(seed=seeds)
    def somebody_does_something(self, seed: int) -> None:
        """One rule with a seed, so that each thing happens as often as wanted; what failed is still shortened."""
        chance = Random(f"{seed} {self.moment}")
        self.goes_on()
        if sum(self.now.open(case) is not None for case in self.cases) < 2:
            self.open(chance)
        kinds = {self.decide: 34, self.onward: 10, self.act_on_one: 32, self.act_on_several: 8, self.meanwhile: 16}
        [does] = chance.choices(list(kinds), kinds.values())
        does(chance)

    def one(self, chance: Random) -> int:
        """One of the cases that wait, more often one that waits for a review."""
        waiting = {case: item["flow_task"] for case in self.cases if (item := self.now.open(case))}
        reviews = [case for case, step in waiting.items() if isinstance(step, Review)]
        return chance.choice(reviews if reviews and chance.random() < 0.7 else list(waiting) or self.cases)

    def several(self, chance: Random) -> list[int]:
        return sorted({self.one(chance), self.one(chance) if chance.random() < 0.5 else chance.choice(self.cases)})

    def decide(self, chance: Random) -> None:
        cases = self.several(chance)
        offered = getattr(self.now.last(cases[0])["flow_task"], "outcomes", {})
        alive = [name for name in offered if name not in ("withdraw", "cancel", "reject") or chance.random() < 0.2]
        outcome = chance.choice([*alive, "take_back"] if chance.random() < 0.9 else OUTCOMES)
        by = self.part_of(chance, cases[0]) if chance.random() < 0.9 else SYSTEM
        reason = REASONS.get(outcome) if chance.random() < 0.8 else None
        to = chance.choice(["", "", "school_review", "class_review", "township_review"]) if outcome == "return" else ""
        self.decided(cases, outcome, by, reason, to)

    def decided(self, cases: list[int], outcome: str, by: Actor, reason: Reason | None, to: str = "") -> bool:
        """Decides the last tasks of cases, and compares all that became of it with all that there was."""
        self.done["tried"] += 1
        before = self.now
        items = [before.last(case)["id"] for case in cases]
        results = decide(items, outcome, by, reason=reason, data={"to": to} if to else None)
        after = self.now = Rows(self.cases)
        assert [result.task_id for result in results] == items
        for case, item, result in zip(cases, items, results, strict=True):
            fresh = after.lines[case][len(before.lines[case]) :]
            acts = [line["act"] for line in fresh if line["act"] not in TIDYING]
            if not result.ok:
                assert acts == [], "a refusal writes nothing"
                self.unchanged(case, before, after, seats=not fresh)
                continue
            self.lawful(case, outcome, by, before)
            self.done[outcome if result.code == "ok" else "sign"] += 1
            [mine] = [
                line for line in fresh if line["actor"] == by.key and line["act"] not in (*TIDYING, "skip", "accept")
            ]
            assert (mine["item"], mine["actor_name"]) == (item, by.name)
            if result.code == "signed":
                assert acts == ["sign"]
                assert before.open(case) == after.open(case) | {"panel": before.last(case)["panel"]}
                assert after.cases[case] == before.cases[case]
            else:
                assert mine["act"] in (outcome, "pass_back")
                [done] = [each for each in after.items[case] if each["id"] == item]
                assert (done["outcome"], done["decided_by"]) == (outcome, by.key)
                self.rightly_settled(case, item, outcome, by, before, after)
        for case in set(self.cases) - set(cases):
            self.unchanged(case, before, after)
            assert before.lines[case] == after.lines[case]
        return any(result.code == "ok" for result in results)

    def unchanged(self, case: int, before: Rows, after: Rows, seats: bool = True) -> None:
        assert before.of(case) == after.of(case), "nothing else has moved"
        assert not seats or before.seats(case) == after.seats(case)

    def lawful(self, case: int, outcome: str, by: Actor, before: Rows) -> None:
        """Whoever was let through might: nothing barred him or everybody."""
        item, row = before.last(case), before.cases[case]
        assert item["finished"] is None
        assert row["suspended_on"] is None, "a suspended case is decided by nobody"
        if not by.key:
            return
        level = level_at(item, outcome)
        assert by.key not in ENDED_POSTS, "without a post nobody decides"
        assert self.freeze is None or by.permits("act_in_freeze", [SCHOOL_PATH])
        seat = next((each for each in before.live(item["id"]) if each["person"] == by.key), None)
        if level:
            assert not before.recused(case, by.key, level)
            assert before.levels.get((case, by.key), level) == level
            asked = seat is not None and seat["part"] != "base"
            was_short = item["panel"] not in ("", "added")
            assert item["holder"] in ("", by.key) or asked or was_short
        if outcome == "take_back":
            mine = [line for line in before.lines[case] if line["actor"] == by.key and line["state_to"]]
            assert self.now.cases[case]["state"] == mine[-1]["state_from"]

    def rightly_settled(self, case: int, item: int, outcome: str, by: Actor, before: Rows, after: Rows) -> None:
        """A step that several sign went on only when those who might sign had signed as its panel asks."""
        [was] = [each for each in before.items[case] if each["id"] == item]
        step = was["flow_task"]
        if not was["panel"] or not isinstance(step, Review) or outcome not in ("approve", "return", "reject"):
            return
        live = after.live(item)
        assert not {seat["person"] for seat in live} & ENDED_POSTS, "nobody is counted who may no longer sign"
        assert not [seat for seat in live if before.recused(case, seat["person"], step.level)]
        [mine] = [seat for seat in live if seat["person"] == by.key] if live else [None]
        panel = [seat for seat in live if seat["part"] == "panel"]
        ayes = sum(seat["vote"] == "approve" for seat in panel)
        if was["panel"] != "added":
            assert panel, "an empty panel passes nothing"
        if outcome != "approve":
            if was["panel"] == "share":
                nays = sum(seat["vote"] not in ("", "approve") for seat in panel)
                assert (len(panel) - nays) * 100 < was["share"] * len(panel)
            assert mine is None or mine["part"] != "added"
            return
        self.done[f"settled {was['panel']}"] += 1
        assert all(seat["vote"] == "approve" for seat in live if seat["part"] == "added")
        assert len(panel) >= was["quorum"]
        if was["panel"] == "all":
            assert ayes == len(panel)
        elif was["panel"] == "share":
            assert ayes * 100 >= was["share"] * len(panel)
        else:
            assert any(seat["vote"] == "approve" for seat in live if seat["part"] != "added") or not live

    def onward(self, chance: Random, case: int = 0) -> None:
        """Whoever is free takes the case along its main line, so that walks reach the far end too."""
        case, times, first = case or self.one(chance), chance.randint(1, 4), chance.randrange(len(PEOPLE))
        for _ in range(times):
            item = self.now.open(case)
            if item is None:
                return
            step = item["flow_task"]
            if step.name.endswith("_notice"):
                add_noticed([case], step.name)
            if step.permission == "system":
                self.now = Rows(self.cases)
                people: list[Actor] = [SYSTEM]
            else:
                people = [by for by in (*PEOPLE[first:], *PEOPLE[:first], GUEST) if self.free(case, by, step)][:5]
            if not any(
                self.decided([case], step.onward, by, CHECKED if step.name == "recheck" else None) for by in people
            ):
                return

    def free(self, case: int, by: Actor, step: Step) -> bool:
        spent = self.now.levels.get((case, by.key), step.level) != step.level
        return not spent and by.key not in ENDED_POSTS and not self.now.recused(case, by.key, step.level)

    # ------------------------------------------------------------ acts

    def act_on_one(self, chance: Random) -> None:
        self.act_on([self.one(chance)], chance)

    def act_on_several(self, chance: Random) -> None:
        self.act_on(self.several(chance), chance)

    def act_on(self, cases: list[int], chance: Random) -> None:
        act = chance.choice([*ACTS, *MORE_OFTEN])
        by, other = self.part_of(chance, cases[0]), self.part_of(chance, cases[0])
        self.perform(cases, act, by, other, reasoned=chance.random() < 0.8)

    def perform(self, cases: list[int], act: str, by: Actor, other: Actor, reasoned: bool) -> None:
        self.done["tried acts"] += 1
        before = self.now
        items = [before.last(case)["id"] for case in cases]
        words = Reason("comment", "已电话核实") if act == "comment" else BECAUSE
        results = perform(ACTS[act](other), items, by, words if reasoned and act in REASONED else None)
        after = self.now = Rows(self.cases)
        for case, item, result in zip(cases, items, results, strict=True):
            fresh = after.lines[case][len(before.lines[case]) :]
            acts = [line for line in fresh if line["act"] not in TIDYING]
            if not result.ok:
                assert acts == []
                self.unchanged(case, before, after, seats=not fresh)
                continue
            [line] = acts
            self.done[act] += 1
            assert (line["act"], line["actor"], line["item"]) == (act, by.key, item)
            assert by.key not in ENDED_POSTS
            assert (before.cases[case]["state"], before.last(case)["id"]) == (
                after.cases[case]["state"], after.last(case)["id"],
            ), "an act moves nothing"  # fmt: skip
            if act in JUDGING:
                level = before.last(case)["flow_task"].level
                assert not before.recused(case, by.key, level)
                assert self.freeze is None or by.permits("act_in_freeze", [SCHOOL_PATH])
                assert before.cases[case]["suspended_on"] is None
            self.did(act, case, by, other, after)
        for case in set(self.cases) - set(cases):
            self.unchanged(case, before, after)

    def takes_reason(self, act: str) -> bool:
        return act in {
            "take_over",
            "transfer",
            "add_signer",
            "remove_signer",
            "step_aside",
            "suspend",
            "resume",
            "comment",
        }

    def did(self, act: str, case: int, by: Actor, other: Actor, after: Rows) -> None:
        """What an act that was done has done."""
        item = after.last(case)
        seats = {seat["person"]: seat for seat in after.live(item["id"])}
        if act in ("claim", "take_over"):
            assert item["holder"] == by.key
        elif act == "transfer":
            assert item["holder"] == other.key
        elif act == "release":
            assert item["holder"] == ""
        elif act == "add_signer":
            assert seats[other.key]["part"] == "added"
        elif act == "remove_signer":
            assert other.key not in seats
        elif act == "unsign":
            assert by.key not in seats or seats[by.key]["vote"] == ""
        elif act == "step_aside":
            assert by.key not in seats
            assert item["holder"] != by.key

    def meanwhile(self, chance: Random) -> None:
        """What somebody looks at, and what other rooms find out."""
        rare = ["look", "match", "supply", "notice", "kin", "office", "freeze", "sweep"]
        what, case = chance.choice(["next", "post ends", "post ends", *rare]), self.one(chance)
        by, moments = self.part_of(chance, case), chance.randint(1, 6)
        self.done[what] += 1
        {
            "next": lambda: self.next_one(by),
            "look": lambda: self.look_at(case, by),
            "match": lambda: set_facts([case], open_hits=moments % 2),
            "supply": lambda: set_facts([case], missing=["account"] * (moments == 1)),
            "notice": lambda: add_noticed([case], list(NOTICES)[moments % len(NOTICES)]),
            "kin": lambda: self.find_kin(case, by, [[], ["school"], ["county", "leader"]][moments % 3]),
            "office": lambda: self.bar_from_office(by, [["school"], ["county", "leader"]][moments % 2]),
            "freeze": lambda: self.freeze_office(["", "act_in_freeze"][moments % 2], moments // 2 + 1),
            "post ends": lambda: self.post_ends(chance, by, moments),
            "sweep": self.sweep,
        }[what]()
        self.now = Rows(self.cases)

    def next_one(self, by: Actor) -> None:
        """下一件, out of all of them."""
        waiting = [item["id"] for case in self.cases if (item := self.now.open(case))]
        result = claim_next(waiting, by)
        if result is not None:
            assert WorkItem.objects.get(pk=result.task_id).holder == by.key

    def look_at(self, case: int, by: Actor) -> None:
        """Somebody opens the case: a submission is then no longer taken back."""
        if item := self.now.open(case):
            open_item(item["id"], by, moment())

    def find_kin(self, case: int, by: Actor, levels: list[str]) -> None:
        if len(self.now.recusals) < 6:
            lines = Record.objects.filter(about="case", about_id=case)
            before = lines.count()
            assert recuse([(case, by.key)], "declared", SYSTEM, levels) == lines.count() - before

    def bar_from_office(self, by: Actor, levels: list[str]) -> None:
        if len(self.now.recusals) < 3:
            recuse_from_offices([(SCHOOL_PATH, by.key)], "declared", SYSTEM, levels)

    def freeze_office(self, open_to: str, moments: int) -> None:
        if self.freeze is None:
            by = next(by for by in PEOPLE if by.key not in ENDED_POSTS)
            self.freeze = set_freeze("0001", date(2000, 1, 1), date(2100, 1, 1), "年终决算期间暂停审核", by, open_to)
            self.later(moments, self.thaw_office)

    def thaw_office(self) -> None:
        by = next(by for by in PEOPLE if by.key not in ENDED_POSTS)
        assert self.freeze is not None
        end_freeze(self.freeze.pk, by)
        self.freeze = None

    def post_ends(self, chance: Random, by: Actor, moments: int) -> None:
        """Mostly of somebody who sits at a task, which the others then go on with."""
        waiting = [(case, item["id"]) for case in self.cases if (item := self.now.open(case))]
        seats = [(case, seat["person"]) for case, item in waiting for seat in self.now.live(item)]
        case, key = chance.choice(seats) if seats and chance.random() < 0.8 else (0, by.key)
        if len(ENDED_POSTS) >= 5:
            return
        ENDED_POSTS.add(key)
        self.later(moments, lambda: ENDED_POSTS.discard(key))
        if chance.random() < 0.3:
            renew_stale(key)
        self.now = Rows(self.cases)
        if case:
            self.onward(chance, case)

    def sweep(self) -> None:
        """Once an hour: nobody without a post is waited for, and no panel is short that could be full."""
        before = self.now
        renew_stale()
        after = self.now = Rows(self.cases)
        for case in self.cases:
            item = after.open(case)
            for seat in after.live(item["id"]) if item else ():
                assert seat["vote"] or seat["person"] not in ENDED_POSTS
            fresh = [line["act"] for line in after.lines[case][len(before.lines[case]) :]]
            assert set(fresh) <= TIDYING
            self.unchanged(case, before, after, seats=not fresh)

    # ------------------------------------------------------------ what always holds

    @invariant()
    def one_open_task_where_the_state_says_or_it_has_ended(self) -> None:
        for case, row in self.now.cases.items():
            waiting = [item for item in self.now.items[case] if item["finished"] is None]
            if row["state"] in ENDED:
                assert waiting == []
                assert row["finished"] is not None
                assert row["status"] == "DONE"
            else:
                [item] = waiting
                step = item["flow_task"]
                assert isinstance(step, Step)
                assert step.flow_class == row["flow_class"], "a case ends on the route on which it began"
                assert step.state == row["state"]
                assert step.passes(row["steps"])
                assert item["queue"] == f"aid.{step.name}"
                assert (item["path"], item["round"], item["status"]) == (row["path"], row["round"], "NEW")
                assert (row["finished"], row["status"]) == (None, "NEW")

    @invariant()
    def nobody_acts_at_two_levels_of_a_case(self) -> None:
        acted = defaultdict(set)
        for case, items in self.now.items.items():
            for item in items:
                if item["decided_by"] and (level := level_at(item, item["outcome"])):
                    acted[case, item["decided_by"]].add(level)
                for seat in self.now.signers[item["id"]]:
                    if seat["vote"]:
                        acted[case, seat["person"]].add(level_at(item, seat["vote"]))
        for key, levels in acted.items():
            assert levels == {self.now.levels[key]}, (key, levels)

    @invariant()
    def every_change_of_state_has_its_line(self) -> None:
        for case, lines in self.now.lines.items():
            moves = [line for line in lines if line["state_to"]]
            assert moves[0]["state_from"] == ""
            for earlier, later in itertools.pairwise(moves):
                assert earlier["state_to"] == later["state_from"]
            assert moves[-1]["state_to"] == self.now.cases[case]["state"]
            decided = [line["item"] for line in moves if line["act"] not in ("open", "skip", "accept")]
            done = [item["id"] for item in self.now.items[case] if item["finished"] and item["outcome"]]
            assert decided == done, "each finished task was decided once, by the line that says so"

    @invariant()
    def every_other_change_has_its_line(self) -> None:
        for case, lines in self.now.lines.items():
            self.holder_is_as_the_lines_say(case, lines)
            paused = [line["act"] for line in lines if line["act"] in ("suspend", "resume")]
            assert (self.now.cases[case]["suspended_on"] is not None) == (paused[-1:] == ["suspend"])
            said = {(line["actor"], line["data"].get("vote") or line["act"]) for line in lines}
            named = {
                (line["act"], name) for line in lines for name in line["data"].get("to", ()) if line["act"] in ACTS
            }
            for seat in (seat for item in self.now.items[case] for seat in self.now.signers[item["id"]]):
                if seat["vote"]:
                    assert {(seat["person"], seat["vote"]), (seat["person"], "pass_back")} & said
                if seat["part"] == "added":
                    assert ("add_signer", seat["name"]) in named
            for row in (row for row in self.now.followers if row["case_id"] == case):
                told = (row["person"], "watch") in said or ("copy_to", row["name"]) in named
                assert told
            if any(row["case_id"] == case for row in self.now.recusals):
                assert {"step_aside", "recuse"} & {line["act"] for line in lines}

    def holder_is_as_the_lines_say(self, case: int, lines: list[dict[str, Any]]) -> None:
        item = self.now.open(case)
        holder, freed = "", False
        for line in lines:
            if item is None or line["item"] != item["id"]:
                continue
            if line["act"] in ("claim", "take_over"):
                holder, freed = line["actor_name"], False
            elif line["act"] == "transfer":
                [holder], freed = line["data"]["to"], False
            elif line["act"] == "release" or (line["act"] == "step_aside" and line["actor_name"] == holder):
                holder = ""
        freed = any(row["person"] == holder.lower() for row in self.now.recusals)
        if item is not None:
            assert item["holder_name"] == holder or (freed and item["holder_name"] == "")

    @invariant()
    def only_open_tasks_are_held(self) -> None:
        for items in self.now.items.values():
            for item in items:
                assert item["finished"] is None or item["holder"] == item["holder_name"] == ""
                assert bool(item["holder"]) == bool(item["holder_name"])

    @invariant()
    def seats_belong_to_their_task(self) -> None:
        for case in self.cases:
            item = self.now.open(case)
            if item is None:
                continue
            live, step = self.now.live(item["id"]), item["flow_task"]
            assert len({seat["person"] for seat in live}) == len(live)
            wanted = self.now.cases[case]["panels"].get(step.name)
            if item["panel"] in ("", "added"):
                assert wanted is None
                assert bool(live) == (item["panel"] == "added")
                assert {seat["part"] for seat in live} <= {"added", "base"}
            else:
                assert isinstance(step, Review)
                assert (item["panel"], item["share"], item["quorum"]) == (
                    wanted["mode"], wanted.get("share", 0), wanted.get("quorum", 0),
                )  # fmt: skip
                assert {seat["part"] for seat in live} <= {"added", "panel"}
            for seat in live:
                assert not self.now.recused(case, seat["person"], step.level)
                assert self.now.levels.get((case, seat["person"]), step.level) == step.level

    @invariant()
    def nobody_waits_in_vain_for_a_signature(self) -> None:
        """While all who sit may sign, somebody is still asked: no step stands with every signature given."""
        for case in self.cases:
            item = self.now.open(case)
            live = self.now.live(item["id"]) if item else []
            if item is None or item["panel"] in ("", "added") or not live or {s["person"] for s in live} & ENDED_POSTS:
                continue
            panel = [seat for seat in live if seat["part"] == "panel"]
            assert not panel or any(seat["vote"] == "" for seat in live)

    @invariant()
    def a_suspended_case_moves_nowhere(self) -> None:
        for case, row in self.now.cases.items():
            if row["suspended_on"] is None:
                self.suspended.pop(case, None)
                continue
            stands = (row["state"], row["round"], row["resume"], self.now.last(case)["id"])
            assert self.suspended.setdefault(case, stands) == stands

    @invariant()
    def history_only_grows(self) -> None:
        for case, lines in self.now.lines.items():
            known = self.known.get(case, [])
            assert lines[: len(known)] == known
            self.known[case] = lines

    @invariant()
    def nothing_is_paid_without_its_notices(self) -> None:
        for row in self.now.cases.values():
            if row["state"] in ("disbursing", "completed"):
                assert {step for step in row["steps"] if step.endswith("_notice")} <= set(row["noticed"])

    @invariant()
    def links_form_one_line_from_the_draft(self) -> None:
        wanted = {
            (later["id"], earlier["id"])
            for items in self.now.items.values()
            for earlier, later in itertools.pairwise(items)
        }
        assert self.now.links == wanted

    @invariant()
    def what_is_remembered_of_the_way_back_is_a_step(self) -> None:
        for row in self.now.cases.values():
            if row["resume"]:
                back = row["flow_class"].instance.node(row["resume"], no_obsolete=True)
                assert isinstance(back, Review)
                assert back.passes(row["steps"])


@pytest.mark.django_db
def test_what_always_holds_of_applications() -> None:
    run_state_machine_as_test(
        Applications,
        settings=settings(max_examples=20, stateful_step_count=40, suppress_health_check=list(HealthCheck)),
    )
    assert not connection.needs_rollback
    never = {*ACTS, *MUST_HAPPEN} - Applications.done.keys()
    assert len(never) <= 10, "the walks have become too tame to prove anything"
